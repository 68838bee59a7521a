"""The chats of made-up people: who came by the messenger, and what was said there, in the bot's and house's own words.

All of it is over: what we said was sent, what people said was heard. Nothing is left in the outbox.
"""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from bot.dialogs.base import MENU, Session
from bot.texts import say
from loyalty import db
from loyalty.clock import business_date
from loyalty.conversations.content import Button, Content
from loyalty.customers.rules import short_name
from loyalty.shop.rules import ShopView
from loyalty.staff.rules import LANGUAGES
from regulars.seed.claims_told import claim_told
from regulars.seed.life import Seeded
from regulars.seed.names import MadeUp, username_of
from regulars.seed.records import ZONE, Account
from regulars.seed.told import (
    Chain,
    Line,
    bonuses,
    day_of,
    falls_told,
    gifts_told,
    heard,
    holds_asked,
    receipt_line,
)
from regulars.seed.words import ANSWERED, WAITING

CAME_BY_CHAT = 0.60
JOINED_LATER = 0.15
BLOCKED = 0.06
ASKED = 0.02
"""Shares of people: registered in the chat; added at a till and in the chat later; have blocked us; asked something."""
MOST_TOLD = 15
"""So many of a person's last purchases are in the chat: two years of all would be longer than anybody scrolls."""
WAITED = (timedelta(minutes=25), timedelta(hours=2), timedelta(hours=6), timedelta(hours=19))
"""How long the chats that wait for an answer have waited."""
# The simulator draws its people from nine digits, so that no visitor of the demo ever meets a seeded chat.
ADDRESSES = range(5_000_000_000, 8_000_000_000)
"""Numbers of the seeded people's chats: none that a person of the simulator has."""
_SPREAD = 738_871_813  # coprime to their number: every person gets an address of their own


def address_of(customer_id: int) -> str:
    """The number of a seeded person's chat: ten digits."""
    return str(ADDRESSES[customer_id * _SPREAD % len(ADDRESSES)])


def wants_offers(customer_id: int) -> bool:
    """Whether somebody lets us write of offers: four of five do."""
    return customer_id % 5 != 0


def account_of(
    random: Random, person: MadeUp, customer_id: int, *, joined: datetime, now: datetime, birthday: date | None
) -> tuple[Account | None, bool]:
    """(their account, whether they came by it); None for those who have only a card."""
    share = random.random()
    came_by_chat = share < CAME_BY_CHAT
    later = joined + (now - timedelta(hours=1) - joined) * random.random()
    if came_by_chat:
        steps = ["started", "language", "terms", "offers", "phone", "name", "birthday"]
        registered = joined
    elif share < CAME_BY_CHAT + JOINED_LATER and later - joined > timedelta(hours=1):
        # The shop knows the name already, and asks only for a birthday that it has not.
        steps = ["started", "language", "terms", "offers", "phone", *([] if birthday else ["birthday"])]
        registered = later.replace(microsecond=0)
    else:
        return None, False
    moments = [registered]
    for _ in steps[1:]:
        moments.append(moments[-1] - timedelta(seconds=random.randrange(4, 45)))
    blocked_at = None
    if random.random() < BLOCKED:
        blocked_at = registered + (now - registered) * random.random()
    first_name = person.name.split()[0]
    account = Account(
        address=address_of(customer_id),
        name=first_name if random.random() < 0.3 else person.name,
        username=username_of(person, customer_id) if random.random() < 0.55 else None,
        moments=tuple(zip(steps, reversed(moments), strict=True)),
        blocked_at=blocked_at,
    )
    return account, came_by_chat


def choose_waiting(random: Random, made: list[Seeded], now: datetime) -> dict[int, Line]:
    """Whose chats wait for an answer, and to what: of people in the chat for a while who can be answered.

    No question is asked twice.
    """
    settled = [
        one
        for one in made
        if one.account is not None and one.account.is_open(now) and now - one.account.linked_at > timedelta(days=2)
    ]
    questions = {language: list(asked) for language, asked in WAITING.items()}
    waited = [pause + timedelta(seconds=random.randrange(600)) for pause in WAITED]
    waiting: dict[int, Line] = {}
    for one in random.sample(settled, len(settled)):
        left = questions[one.person.language]
        if waited and left:
            waiting[one.id] = heard((now - waited.pop()).replace(microsecond=0), "text", left.pop())
    return waiting


def lines_of(
    random: Random, one: Seeded, account: Account, chain: Chain, *, now: datetime, waiting: Line | None
) -> list[Line]:
    """Everything said in one chat, in the order of time; the number of lines is bounded."""
    lines = [*_registration(one, account, chain.shop)]
    told = [receipt for receipt in one.life.receipts if account.is_open(receipt.at)]
    lines += [receipt_line(receipt, one.person.language, chain) for receipt in told[-MOST_TOLD:]]
    lines += claim_told(one, chain)
    lines += [*gifts_told(one, account), *falls_told(one, account, chain), *holds_asked(one, account, chain)]
    if random.random() < ASKED:
        lines += _question(random, one, account, chain, now)
    if waiting is not None:
        lines += [waiting, _passed_on(waiting.at, one.person.language)]
    lines.sort(key=lambda line: line.at)
    return lines


def session_of(account: Account) -> str:
    """Where the dialog stands after the registration: nowhere, so many turns later. JSON."""
    return db.to_json(asdict(Session(turn=len(account.moments))))


def _question(random: Random, one: Seeded, account: Account, chain: Chain, now: datetime) -> Iterator[Line]:
    """A question by day and its answer, between the registration and the end of the chat."""
    language, day = one.person.language, timedelta(days=1)
    first, last = account.linked_at + day, (account.blocked_at or now) - 2 * day
    if last < first:
        return
    asked = (first + (last - first) * random.random()).replace(hour=random.randrange(7, 18))
    question, answer = random.choice(ANSWERED[language])
    yield heard(asked, "text", question)
    yield _passed_on(asked, language)
    answered = asked + timedelta(seconds=random.randrange(120, 7200))
    content = db.to_json(Content(text=answer).to_body())
    yield Line(answered, "out", "staff", content, staff_id=random.choice(chain.staff))


def _registration(one: Seeded, account: Account, shop: ShopView) -> Iterator[Line]:
    """The dialog on the way in: each step heard, and what the bot said to it."""
    language = one.person.language
    asked = _asked(language, shop.name or "Regulars")
    for number, (step, at) in enumerate(account.moments):
        yield _stepheard(step, at, one, account)
        following = account.moments[number + 1][0] if number + 1 < len(account.moments) else ""
        if step == "phone":
            yield Line(at, "out", "reply", asked["thanks"])
        if following == "name":
            yield Line(at, "out", "reply", _name_question(account.name, language))
        elif following:
            yield Line(at, "out", "reply", asked[following])
    done = Content(text="\n".join(_done(one, account)), menu=_menu(language))
    yield Line(account.linked_at, "out", "reply", db.to_json(done.to_body()))


def _stepheard(step: str, at: datetime, one: Seeded, account: Account) -> Line:
    """What a person said to make this step."""
    language = one.person.language
    if step == "started":
        return heard(at, "start", "/start")
    if step == "language":
        return heard(at, "button", say(language, "language.name"))
    if step == "terms":
        return heard(at, "button", say(language, "registration.agree"))
    if step == "offers":
        return heard(at, "button", say(language, f"registration.offers_{'yes' if wants_offers(one.id) else 'no'}"))
    if step == "phone":
        return heard(at, "contact", "")
    if step == "name":
        return heard(at, "button" if account.name == one.person.name else "text", one.person.name)
    if one.birthday is None:
        return heard(at, "button", say(language, "registration.skip"))
    return heard(at, "text", f"{one.birthday:%d.%m.%Y}")


def _done(one: Seeded, account: Account) -> list[str]:
    """How the bot ends a registration."""
    language = one.person.language
    name = short_name(one.person.name).split()[0]
    if not one.came_by_chat:
        balance = [entry.balance_after for entry in one.life.entries if entry.at <= account.linked_at][-1]
        return [say(language, "registration.done_again", name=name, balance=bonuses(balance, language))]
    gift = one.life.entries[0].lot
    assert gift is not None
    lines = [
        say(language, "registration.done", name=name),
        say(language, "registration.welcome", bonuses=bonuses(gift.amount, language)),
    ]
    if gift.expires_at is not None:
        last_day = business_date(gift.expires_at - gift.expires_at.resolution, ZONE)
        lines.append(say(language, "registration.welcome_until", day=day_of(last_day, language)))
    return lines


def _passed_on(at: datetime, language: str) -> Line:
    content = Content(text=say(language, "support.passed"), menu=_menu(language))
    return Line(at, "out", "reply", db.to_json(content.to_body()))


def _name_question(name: str, language: str) -> str:
    question = Content(text=say(language, "registration.name"), buttons=((Button(name, "name:own:5"),),))
    return db.to_json(question.to_body())


@cache
def _asked(language: str, shop: str) -> dict[str, str]:
    """What the bot asks for before each step, and its thanks for the phone. JSON, the same in all chats."""
    names = tuple((Button(say(code, "language.name"), f"language:{code}:1"),) for code in LANGUAGES)
    agree = Button(say(language, "registration.agree"), "terms:yes:2")
    offers = tuple(Button(say(language, f"registration.offers_{word}"), f"offers:{word}:3") for word in ("yes", "no"))
    skip = Button(say(language, "registration.skip"), "birthday:skip:6")
    asked: dict[str, Content] = {
        "language": Content(text=say(language, "registration.language", shop=shop), buttons=names),
        "terms": Content(text=say(language, "registration.terms", shop=shop), buttons=((agree,),)),
        "offers": Content(text=say(language, "registration.offers"), buttons=(offers,)),
        "phone": Content(text=say(language, "registration.phone"), ask_contact=say(language, "registration.share")),
        "thanks": Content(text=say(language, "registration.phone_thanks"), menu=()),
        "birthday": Content(text=say(language, "registration.birthday"), buttons=((skip,),)),
    }
    return {name: db.to_json(content.to_body()) for name, content in asked.items()}


@cache
def _menu(language: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(say(language, key) for key in row) for row in MENU)


async def write_accounts(made: list[Seeded]) -> None:
    """COPY the accounts of a chunk; their ids are given."""
    rows: list[tuple[Any, ...]] = []
    for one in made:
        account = one.account
        if account is None:
            continue
        rows.append(
            (
                account.id,
                "telegram",
                account.address,
                one.id,
                account.name,
                account.username,
                one.person.language,
                account.blocked_at is None,
                True,
                account.moments[0][1],
                account.linked_at,
                wants_offers(one.id),
            )
        )
    columns = ["id", "channel", "address", "customer_id", "name", "username", "language", "is_active", "is_default"]
    await db.copy_rows("messenger_account", [*columns, "created_at", "linked_at", "takes_marketing"], rows)


async def write_chats(
    random: Random, made: list[Seeded], chain: Chain, *, waiting: dict[int, Line], first_id: int, now: datetime
) -> int:
    """COPY the chats of a chunk, their messages numbered from `first_id` in the order of time; returns the next id."""
    conversations, said = [], []
    for one in made:
        if one.account is None:
            continue
        question = waiting.get(one.id)
        lines = lines_of(random, one, one.account, chain, now=now, waiting=question)
        since = question.at if question else None
        heard = [line.at for line in lines if line.direction == "in"]
        state = "open" if since else "bot"
        conversations.append(
            (one.account.id, session_of(one.account), since, lines[-1].at, max(heard), state, int(since is not None))
        )
        said += [(line, one.account.id, one.id) for line in lines]
    columns = ["account_id", "session", "waiting_since", "last_message_at", "heard_at", "state", "unread"]
    await db.copy_rows("conversation", columns, conversations)
    # The sort is stable: what a person said comes before what was answered in the same moment.
    said.sort(key=lambda row: row[0].at)
    columns = [
        "id",
        "account_id",
        "customer_id",
        "channel",
        "direction",
        "kind",
        "content",
        "status",
        "priority",
        "dedupe_key",
    ]
    columns += ["external_id", "staff_id", "created_at", "due_at", "attempts", "sent_at"]
    rows = []
    for number, (line, account_id, customer_id) in enumerate(said, first_id):
        is_ours = line.direction == "out"
        if line.claim is not None:
            line.claim.message_id = number
        rows.append(
            (
                number,
                account_id,
                customer_id,
                "telegram",
                line.direction,
                line.kind,
                line.content,
                "sent" if is_ours else "received",
                line.priority.value,
                line.dedupe_key,
                str(number),
                line.staff_id,
                line.at,
                line.at if is_ours else None,
                int(is_ours),
                line.at + timedelta(milliseconds=random.randrange(200, 1200)) if is_ours else None,
            )
        )
    await db.copy_rows("message", columns, rows)
    return first_id + len(rows)
