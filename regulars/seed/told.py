"""What the house itself tells made-up people: of sales, gifts, falls of tiers, and what it asks them at the till."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from bot.dialogs.base import MENU
from bot.texts import say
from loyalty import db, wording
from loyalty.bonuses.rules import HoldState
from loyalty.clock import business_date
from loyalty.conversations.channels import WHATSAPP
from loyalty.conversations.content import Content
from loyalty.conversations.kinds.said import service_content
from loyalty.conversations.queries.recipients import first_name
from loyalty.conversations.rules import Priority
from loyalty.shop.rules import ShopView
from regulars.seed.holds import ANSWERED_AFTER
from regulars.seed.letters import Mail
from regulars.seed.life import Seeded
from regulars.seed.names import MadeUp
from regulars.seed.records import ZONE, Account, Receipt, SeedClaim, SeedHold

STOP_WORD = {"ru": "Стоп", "uk": "Стоп", "en": "STOP"}
TOPICS = ("marketing", "surveys")
TOLD_GIFTS = ("birthday", "referral", "invited")
"""Events of the ledger that are told when they happen."""


@dataclass(frozen=True, slots=True)
class Chain:
    """What is the same in all chats. places: the names of the locations. staff: who answers questions."""

    shop: ShopView
    places: dict[int, str]
    staff: Sequence[int]


class Line(NamedTuple):
    """A message to be written. `content` is JSON. `claim`: the fiscal receipt that it brought.

    mail: whose it is of a message to many. reason: why it failed. stands_for: the key of the one that failed in another
    chat of its person.
    """

    at: datetime
    direction: str
    kind: str
    content: str
    priority: Priority = Priority.REPLY
    dedupe_key: str | None = None
    staff_id: int | None = None
    claim: SeedClaim | None = None
    reason: str | None = None
    stands_for: str = ""
    mail: Mail | None = None


# The sums of a coffee shop come again and again: their words are remembered, as Babel takes its time.
money = cache(wording.money)
bonuses = cache(wording.bonuses_in_words)
day_of = cache(wording.day)


def receipt_content(receipt: Receipt, name: str, language: str, chain: Chain) -> Content:
    """What the house tells of a sale or a refund. The seed's programme credits at once, so nothing is pending."""
    shop = chain.shop
    values = {
        "first_name": first_name(name),
        "total": money(receipt.total, shop.currency, shop.exponent, language),
        "location": chain.places[receipt.location_id],
        "balance": bonuses(max(0, receipt.balance), language),
    }
    burnt = bonuses(receipt.burnt, language) if receipt.burnt else ""
    earned = bonuses(receipt.earned, language) if receipt.earned else ""
    if receipt.kind == "refund":
        return service_content("receipt_refunded", language, {**values, "restored": burnt, "reversed": earned})
    return service_content("receipt", language, {**values, "burnt": burnt, "earned": earned, "tier": receipt.tier})


def receipt_line(receipt: Receipt, person: MadeUp, chain: Chain) -> Line:
    """The news of a sale or a refund."""
    kind, key = ("receipt", "receipt") if receipt.kind == "sale" else ("receipt_refunded", "refund")
    content = db.to_json(receipt_content(receipt, person.name, person.language, chain).to_body())
    return Line(receipt.at, "out", kind, content, Priority.SERVICE, f"{key}:{receipt.id}")


def gifts_told(one: Seeded, account: Account | None) -> Iterator[Line]:
    """The news of gifts that nobody had to earn; None: of the time when they were in no messenger."""
    language = one.person.language
    for entry in one.life.entries:
        if entry.event in TOLD_GIFTS and entry.lot is not None and one.account_at(entry.at) is account:
            assert entry.lot.expires_at is not None, "gifts of the seed's programme all end"
            last_day = business_date(entry.lot.expires_at - timedelta(microseconds=1), ZONE)
            values = {
                "first_name": first_name(one.person.name),
                "amount": bonuses(entry.amount, language),
                "until": day_of(last_day, language),
                "balance": bonuses(max(0, entry.balance_after), language),
            }
            content = service_content(entry.event, language, values)
            yield _service(entry.at, entry.event, content, entry.operation_id)


def falls_told(one: Seeded, account: Account, chain: Chain) -> Iterator[Line]:
    """The warnings before a tier falls."""
    language, shop = one.person.language, chain.shop
    for warning in one.life.standing.warnings:
        if one.account_at(warning.at) is account:
            values = {
                "first_name": first_name(one.person.name),
                "tier": warning.tier,
                "to": warning.to,
                "until": day_of(warning.falls_on, language),
                "sum": money(warning.missing, shop.currency, shop.exponent, language),
                "visits": "",
            }
            content = service_content("tier_falling", language, values)
            key = f"tier_falling:{one.id}:{warning.falls_on.isoformat()}"
            yield _service(warning.at, "tier_falling", content, key)


def holds_asked(one: Seeded, account: Account, chain: Chain) -> Iterator[Line]:
    """Questions whether to pay with bonuses, and their answers."""
    for hold in one.life.holds:
        if hold.by_chat and one.account_at(hold.at) is account:
            if account.channel == WHATSAPP:
                yield from _opened(hold.at - timedelta(seconds=15), one)
            yield from _asked(hold, one.person.language, chain)


def _opened(at: datetime, one: Seeded) -> Iterator[Line]:
    """Whoever writes first can be asked by buttons in WhatsApp."""
    language = one.person.language
    yield heard(at, "text", say(language, "menu.word"))
    hello = Content(text=say(language, "menu.hello", name=one.person.name.split()[0]), menu=menu_of(language))
    yield Line(at, "out", "reply", db.to_json(hello.to_body()))


@cache
def menu_of(language: str) -> tuple[tuple[str, ...], ...]:
    """The keyboard of customers."""
    return tuple(tuple(say(language, key) for key in row) for row in MENU)


def _asked(hold: SeedHold, language: str, chain: Chain) -> Iterator[Line]:
    amount = bonuses(hold.draft.burn, language)
    values = {
        "amount": amount,
        "total": money(hold.total, chain.shop.currency, chain.shop.exponent, language),
        "location": hold.place.name,
        "hold": str(hold.id),
    }
    question = service_content("hold_asked", language, values)
    yield _service(hold.at, "hold_asked", question, f"hold:{hold.id}")
    answers = {HoldState.CONFIRMED: say(language, "hold.agreed", amount=amount)}
    answers[HoldState.DECLINED] = say(language, "hold.declined")
    if hold.state in answers:
        [row] = question.buttons
        at = hold.at + ANSWERED_AFTER
        yield heard(at, "button", row[0 if hold.state is HoldState.CONFIRMED else 1].text)
        yield Line(at, "out", "reply", db.to_json(Content(text=answers[hold.state]).to_body()))


def outs_told(one: Seeded, account: Account) -> Iterator[Line]:
    """What they said to hear no more of something, and the answer."""
    language, refused = one.person.language, set()
    for out in sorted(account.outs):
        refused.add(out.topic)
        if out.by_word:
            yield heard(out.at, "text", STOP_WORD[language])
            answer = say(language, "topics.stopped")
        else:
            yield heard(out.at, "button", say(language, f"settings.{out.topic}_off"))
            answer = "\n".join(_settings(one, out.at, refused))
        yield Line(out.at, "out", "reply", db.to_json(Content(text=answer).to_body()))


def _settings(one: Seeded, at: datetime, refused: set[str]) -> Iterator[str]:
    language = one.person.language
    birthday = day_of(one.birthday, language) if one.birthday else "—"
    name = say(language, "language.name")
    yield say(language, "settings.title", language=name, phone=one.person.phone, birthday=birthday)
    names = [say(language, f"channel.{other.channel}") for other in one.accounts if other.linked_at <= at]
    if len(names) > 1:
        yield say(language, "settings.written_here", channel=names[0], others=names[1])
    else:
        yield say(language, "settings.written_to", channel=names[0])
    words = {topic: say(language, f"settings.{'off' if topic in refused else 'on'}") for topic in TOPICS}
    yield say(language, "settings.topics", **words)


def heard(at: datetime, kind: str, text: str) -> Line:
    """What a person said."""
    return Line(at, "in", kind, db.to_json({"text": text} if text else {}))


def _service(at: datetime, kind: str, content: Content, key: str | None) -> Line:
    return Line(at, "out", kind, db.to_json(content.to_body()), Priority.SERVICE, key)
