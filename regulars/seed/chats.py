"""The chats of made-up people: who came by the messenger, and what was said there, in the bot's and house's own words.

All of it is over: what we said was sent, what people said was heard. Nothing is left in the outbox.
"""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from bot.dialogs.base import Session
from bot.texts import say
from loyalty import db
from loyalty.clock import business_date
from loyalty.conversations.channels import TELEGRAM, WHATSAPP
from loyalty.conversations.content import Button, Content
from loyalty.customers.consenting import ConsentWords
from loyalty.customers.rules import TYPED_PHONE, Topic, short_name
from loyalty.shop.rules import ShopView
from loyalty.staff.rules import LANGUAGES
from regulars.seed.accounts import wants_offers
from regulars.seed.asked import terms_of, terms_text
from regulars.seed.claims_told import claim_told
from regulars.seed.letters_told import letters_told
from regulars.seed.life import Seeded
from regulars.seed.outcomes import settle, write_messages
from regulars.seed.places import said_there
from regulars.seed.records import ZONE, Account
from regulars.seed.surveyed import surveyed
from regulars.seed.told import (
    Chain,
    Line,
    bonuses,
    day_of,
    falls_told,
    gifts_told,
    heard,
    holds_asked,
    menu_of,
    outs_told,
    receipt_line,
)
from regulars.seed.words import ANSWERED, WAITING

ASKED = 0.02
"""Share of people who asked something once."""
MOST_TOLD = 15
"""So many of a person's last purchases are in the chat: two years of all would be longer than anybody scrolls."""
WAITED = (
    (timedelta(minutes=25), TELEGRAM),
    (timedelta(hours=2), WHATSAPP),
    (timedelta(hours=6), TELEGRAM),
    (timedelta(hours=19), WHATSAPP),
    (timedelta(hours=27), WHATSAPP),
)
"""How long the chats that wait for an answer have waited. In the last one only a template may be sent."""
HELLO = {"ru": "Здравствуйте!", "uk": "Добрий день!", "en": "Hello"}
"""How people begin in WhatsApp, where there is nothing to press."""


def choose_waiting(random: Random, made: list[Seeded], now: datetime) -> dict[int, Line]:
    """Whose chats wait for an answer, and to what: of people in the chat for a while who can be answered.

    No question is asked twice.
    """
    settled = [
        one
        for one in made
        if one.account is not None and one.account.is_open(now) and now - one.account.linked_at > timedelta(days=3)
    ]
    questions = {language: list(asked) for language, asked in WAITING.items()}
    waited = {
        channel: [pause + timedelta(seconds=random.randrange(600)) for pause, there in WAITED if there == channel]
        for channel in (TELEGRAM, WHATSAPP)
    }
    waiting: dict[int, Line] = {}
    for one in random.sample(settled, len(settled)):
        assert one.account is not None, "they have settled"
        left, pauses = questions[one.person.language], waited[one.account.channel]
        if pauses and left:
            waiting[one.id] = heard((now - pauses.pop()).replace(microsecond=0), "text", left.pop())
    return waiting


def lines_of(
    random: Random, one: Seeded, account: Account, chain: Chain, *, now: datetime, waiting: Line | None
) -> list[Line]:
    """Everything said in one chat, in the order of time; the number of lines is bounded."""
    lines = [*_registration(one, account, chain.shop, terms_of(account.linked_at, now))]
    lost = [other.lost for other in one.accounts]
    told = [receipt for receipt in one.life.receipts if one.account_at(receipt.at) is account and receipt not in lost]
    if account.lost is not None:
        told = [receipt for receipt in told if receipt.at < account.lost.at]
        gone = receipt_line(account.lost, one.person, chain)._replace(reason="gone")
        lines += [receipt_line(receipt, one.person, chain) for receipt in told[1 - MOST_TOLD :]]
        lines.append(gone)
    else:
        lines += [receipt_line(receipt, one.person, chain) for receipt in told[-MOST_TOLD:]]
    if one.claim is not None and one.account_at(one.claim.at) is account:
        lines += claim_told(one, chain)
    lines += [*gifts_told(one, account), *falls_told(one, account, chain), *holds_asked(one, account, chain)]
    lines += outs_told(one, account)
    lines += letters_told(one, account, chain)
    lines += surveyed(one, account, chain, now)
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


def _registration(one: Seeded, account: Account, shop: ShopView, terms: int) -> Iterator[Line]:
    """The dialog on the way in: each step heard, and what the bot said to it."""
    language = one.person.language
    asked = _asked(language, shop.name or "Regulars", terms)
    for number, (step, at) in enumerate(account.moments):
        yield from _stepheard(step, at, one, account)
        following = account.moments[number + 1][0] if number + 1 < len(account.moments) else ""
        if step == "phone" and account.phone is not None:
            vouched = Content(text=say(language, "registration.phone_of_chat", phone=account.phone))
            yield Line(at, "out", "reply", db.to_json(vouched.to_body()))
        elif step in asked and step in {"phone", TYPED_PHONE}:
            yield Line(at, "out", "reply", asked["thanks" if step == "phone" else "kept"])
        if following == "name":
            yield Line(at, "out", "reply", _name_question(account.name, language))
        elif following and not (following == "phone" and account.phone is not None):
            yield Line(at, "out", "reply", asked[following])
    done = Content(text="\n".join(_done(one, account)), menu=menu_of(language))
    yield Line(account.linked_at, "out", "reply", db.to_json(done.to_body()))


def _stepheard(step: str, at: datetime, one: Seeded, account: Account) -> Iterator[Line]:
    """What a person said to make this step; nothing where the messenger vouches for the phone."""
    language = one.person.language
    if step == "started":
        yield heard(at, "start", "/start") if account.channel == TELEGRAM else heard(at, "text", HELLO[language])
    elif step == "language":
        yield heard(at, "button", say(language, "language.name"))
    elif step == "terms":
        yield heard(at, "button", say(language, "registration.agree"))
    elif step == "offers":
        yield heard(at, "button", say(language, f"registration.offers_{'yes' if wants_offers(one.id) else 'no'}"))
    elif step == TYPED_PHONE:
        yield heard(at, "text", one.person.phone)
    elif step == "phone":
        if account.phone is None:
            yield heard(at, "contact", "")
    elif step == "name":
        yield heard(at, "button" if account.name == one.person.name else "text", one.person.name)
    elif one.birthday is None:
        yield heard(at, "button", say(language, "registration.skip"))
    else:
        yield heard(at, "text", f"{one.birthday:%d.%m.%Y}")


def _done(one: Seeded, account: Account) -> list[str]:
    """How the bot ends a registration."""
    language = one.person.language
    name = short_name(one.person.name).split()[0]
    if not one.came_by_chat or account is not one.account:
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
    content = Content(text=say(language, "support.passed"), menu=menu_of(language))
    return Line(at, "out", "reply", db.to_json(content.to_body()))


def _name_question(name: str, language: str) -> str:
    question = Content(text=say(language, "registration.name"), buttons=((Button(name, "name:own:5"),),))
    return db.to_json(question.to_body())


@cache
def _asked(language: str, shop: str, terms: int) -> dict[str, str]:
    """What the bot asks for before each step, with these terms, and its thanks for the phone. JSON, in all chats."""
    names = tuple((Button(say(code, "language.name"), f"language:{code}:1"),) for code in LANGUAGES)
    agree = Button(say(language, "registration.agree"), "terms:yes:2")
    offers = tuple(Button(say(language, f"registration.offers_{word}"), f"offers:{word}:3") for word in ("yes", "no"))
    skip = Button(say(language, "registration.skip"), "birthday:skip:6")
    words = ConsentWords(Topic.TERMS, terms, language, terms_text(terms, language))
    asked: dict[str, Content] = {
        "language": Content(text=say(language, "registration.language", shop=shop), buttons=names),
        "terms": Content(text=words.shown(shop), buttons=((agree,),)),
        "offers": Content(text=say(language, "registration.offers"), buttons=(offers,)),
        "phone": Content(text=say(language, "registration.phone"), ask_contact=say(language, "registration.share")),
        TYPED_PHONE: Content(text=say(language, "registration.phone_type")),
        "kept": Content(text=say(language, "registration.phone_kept")),
        "thanks": Content(text=say(language, "registration.phone_thanks"), menu=()),
        "birthday": Content(text=say(language, "registration.birthday"), buttons=((skip,),)),
    }
    return {name: db.to_json(content.to_body()) for name, content in asked.items()}


async def write_chats(
    random: Random, made: list[Seeded], chain: Chain, *, waiting: dict[int, Line], first_id: int, now: datetime
) -> int:
    """COPY the chats of a chunk, their messages numbered from `first_id` in the order of time; returns the next id."""
    conversations, said = [], []
    for one in made:
        chats = []
        for account in one.accounts:
            question = waiting.get(one.id) if account is one.account else None
            chats.append((account, lines_of(random, one, account, chain, now=now, waiting=question)))
        settle(chats)
        for account, lines in chats:
            conversations.append(_conversation(account, lines, waiting.get(one.id)))
            said += [(line, account, one.id) for line in lines]
        for place in one.places:
            if lines := said_there(one, place, chain, now):
                # Nobody answers there.
                conversations.append((place.id, "{}", None, lines[-1].at, None, "bot", 0))
                said += [(line, place, one.id) for line in lines]
    columns = ["account_id", "session", "waiting_since", "last_message_at", "heard_at", "state", "unread"]
    await db.copy_rows("conversation", columns, conversations)
    # The sort is stable: what a person said comes before what was answered in the same moment.
    said.sort(key=lambda row: row[0].at)
    return await write_messages(random, said, first_id=first_id, now=now)


def _conversation(account: Account, lines: list[Line], question: Line | None) -> tuple[Any, ...]:
    is_waiting = question is not None and question in lines
    since = question.at if question is not None and is_waiting else None
    heard_at = max(line.at for line in lines if line.direction == "in")
    state = "open" if is_waiting else "bot"
    return account.id, session_of(account), since, lines[-1].at, heard_at, state, int(is_waiting)
