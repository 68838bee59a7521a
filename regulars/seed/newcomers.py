"""Who came to the chats and is not, or not surely, a customer; and what came that nobody could handle.

All of it by the actions of the bot, each as of its moment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.dialogs.base import Session
from bot.texts import say
from loyalty import db
from loyalty.conversations.actions.arrivals import store_updates
from loyalty.conversations.actions.staff import mark_answered
from loyalty.conversations.actions.turns import Sender, fail_turn
from loyalty.conversations.channels import TELEGRAM, WHATSAPP
from loyalty.conversations.content import Button, Content
from loyalty.conversations.queries import PendingUpdate
from loyalty.conversations.rules import Arrived, Said
from loyalty.customers.actions.accounts import answer_topics, know_account, link_account
from loyalty.customers.actions.profile import add_customer, add_steps, set_consent
from loyalty.customers.consenting import HOUSE_VERSION
from loyalty.customers.rules import TYPED_PHONE, Profile, Topic, Via
from loyalty.office.actions.links import ask_link, refuse_link
from loyalty.staff.rules import LANGUAGES, Actor, ActorKind
from regulars.seed.accounts import ADDRESSES
from regulars.seed.asked import NEWEST_TERMS
from regulars.seed.desk import arrive
from regulars.seed.told import Line, heard

CUSTOMER = Actor(ActorKind.CUSTOMER)
SOURCE = "telegram:1000"
"""The demo's own bot."""
FIRST_UPDATE = 900_000_000
"""Far above what the simulator counts to."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody who wrote and did not register. `terms`: whether they got so far as to read them."""

    sender: Sender
    ago: timedelta
    said: str
    terms: bool = False


def _address(number: int) -> str:
    return str(ADDRESSES[-number])


STRANGERS = (
    Stranger(Sender(TELEGRAM, _address(1), "Лёша", "lesha_prosto", "ru"), timedelta(days=6), "/start"),
    Stranger(
        Sender(WHATSAPP, "RU.13491208655302741918", "Катя ✨", None, "ru"),
        timedelta(days=2, hours=3),
        "Здравствуйте, а вы по воскресеньям открыты?",
    ),
    Stranger(
        Sender(WHATSAPP, "RU.13497730021988456120", "Gena", None, "ru", alias="79990000211", phone="+79990000211"),
        timedelta(hours=30),
        "Привет",
        terms=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Claimant:
    """Somebody who hides their number and typed one that stands on another card, whose name theirs may be ("").

    `refused`: staff said no.
    """

    name: str
    address: str
    ago: timedelta
    refused: bool = False


CLAIMANTS = (
    Claimant("Ирина Белова", "RU.13490000000000000101", timedelta(days=4), refused=True),
    Claimant("", "RU.13490000000000000102", timedelta(days=1, hours=5)),
    Claimant("Павел Орлов", "RU.13490000000000000103", timedelta(minutes=95)),
)
NEWCOMERS = len(CLAIMANTS)
"""How many customers come of it."""

# People of whom the shop knows for long and whose number is proven.
OWNERS = """
SELECT c.id, c.phone, c.name FROM customer c JOIN customer_facts f ON f.customer_id = c.id
    JOIN messenger_account a ON a.customer_id = c.id AND a.is_default AND a.channel = 'telegram'
    JOIN conversation v ON v.account_id = a.id
WHERE c.phone_verified_at IS NOT NULL AND f.telegram AND c.language = 'ru' AND v.state = 'bot'
    AND v.last_message_at < $1 ORDER BY v.last_message_at DESC, c.id LIMIT $2
"""


async def write_strangers(now: datetime) -> None:
    """Let the strangers write, and hear the first questions of the registration."""
    for one in STRANGERS:
        at = now - one.ago
        account_id = await _known(one.sender, at)
        agree = Button(say("ru", "registration.agree"), "terms:yes:2")
        names = tuple((Button(say(code, "language.name"), f"language:{code}:1"),) for code in LANGUAGES)
        kind = "start" if one.said == "/start" else "text"
        lines = [heard(at, kind, one.said), _reply(at, "registration.language", names)]
        if one.terms:
            at += timedelta(seconds=9)
            lines += [heard(at, "button", say("ru", "language.name")), _reply(at, "registration.terms", ((agree,),))]
        step, turns = ("terms", 2) if one.terms else ("language", 1)
        await _say(account_id, lines, Session(step, {"steps": [["started", (now - one.ago).isoformat()]]}, turns))
    await arrive(now)


async def _known(sender: Sender, at: datetime) -> int:
    account = await know_account(
        sender.channel,
        sender.address,
        name=sender.name,
        username=sender.username,
        language=sender.language,
        alias=sender.alias,
        phone=sender.phone,
        now=at,
    )
    return account.id


def _reply(at: datetime, key: str, buttons: tuple[tuple[Button, ...], ...] = (), **values: str) -> Line:
    content = Content(text=say("ru", key, shop="Ладно, кофе", **values), buttons=buttons)
    return Line(at, "out", "reply", db.to_json(content.to_body()))


SAY = """
INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, created_at, due_at,
    attempts)
SELECT a.id, a.customer_id, a.channel, part.direction, part.kind, part.content::jsonb,
    CASE part.direction WHEN 'in' THEN 'received' ELSE 'queued' END, 0, part.at,
    CASE part.direction WHEN 'out' THEN part.at END, 0
FROM messenger_account a, unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[]) WITH ORDINALITY
    part (direction, kind, content, at, number) WHERE a.id = $1 ORDER BY part.number
"""


async def _say(account_id: int, lines: Sequence[Line], session: Session) -> None:
    """Write the first lines of a chat; our own wait in the outbox."""
    told = [[getattr(line, name) for line in lines] for name in ("direction", "kind", "content", "at")]
    await db.execute(SAY, account_id, *told)
    await db.execute(
        "INSERT INTO conversation (account_id, session, last_message_at, heard_at) VALUES ($1, $2, $3, $4)",
        account_id,
        db.to_json(asdict(session)),
        lines[-1].at,
        max(line.at for line in lines if line.direction == "in"),
    )


async def write_claimants(staff_id: int, now: datetime) -> None:
    """Register people who named a number that is another's: the chat asks its owner, and staff decide."""
    owners = await db.fetch(OWNERS, now - timedelta(days=5), 2)
    for one in CLAIMANTS:
        # The same number twice: who was refused came again from another account.
        owner = owners[CLAIMANTS.index(one) // 2 % len(owners)] if owners else None
        await _register(one, owner, staff_id, now - one.ago)
    await arrive(now)


async def _register(one: Claimant, owner: db.Row | None, staff_id: int, at: datetime) -> None:
    name = one.name or (owner["name"] if owner else "Ирина Белова")
    first_name = name.split()[0]
    account_id = await _known(Sender(WHATSAPP, one.address, first_name, None, "ru"), at - timedelta(minutes=2))
    profile = Profile(name, None, None, None, None, "ru", None)
    person = await add_customer(profile, via=Via.WHATSAPP, actor=CUSTOMER, now=at)
    await link_account(account_id, person.id, actor=CUSTOMER, now=at)
    about: dict[str, Any] = {"source": WHATSAPP, "actor": CUSTOMER, "now": at}
    await set_consent(person.id, Topic.TERMS, granted=True, text_version=f"{NEWEST_TERMS} ru", **about)
    await answer_topics(account_id, {Topic.MARKETING: True}, text_version=f"{HOUSE_VERSION} ru", **about)
    steps = ("started", "language", "terms", "offers", TYPED_PHONE, "name", "registered")
    moments = [at - timedelta(seconds=15 * (len(steps) - number)) for number in range(1, len(steps) + 1)]
    await add_steps(person.id, list(zip(steps, moments, strict=True)), via=Via.WHATSAPP)
    lines = [
        heard(moments[0], "text", "Добрый день"),
        heard(moments[4], "text", owner["phone"] if owner else "+79990000299"),
        _reply(moments[4], "registration.phone_kept"),
        heard(moments[5], "text", name),
        heard(moments[6], "button", say("ru", "registration.skip")),
        _reply(moments[6], "registration.done", name=first_name),
    ]
    if owner is not None:
        lines.append(_reply(moments[6], "registration.link_waiting"))
    await _say(account_id, lines, Session(turn=7))
    if owner is None:
        return
    asked = await ask_link(account_id, owner["id"], actor=CUSTOMER, now=at)
    if asked is not None and one.refused:
        await refuse_link(asked, actor=Actor(ActorKind.STAFF, staff_id), now=at + timedelta(hours=2))


async def write_failed(staff: Mapping[str, int], now: datetime) -> None:
    """Let three updates have broken: two that the bot can handle by now, and one that no one will ever read."""
    sender = Sender(TELEGRAM, _address(2), "Олег", None, "ru")
    chats = await db.fetch(
        "SELECT a.address, a.name, a.username, a.language FROM messenger_account a JOIN conversation c"
        " ON c.account_id = a.id WHERE a.channel = 'telegram' AND a.is_active AND c.state = 'bot' AND a.customer_id"
        " IS NOT NULL AND c.last_message_at < $1 ORDER BY c.last_message_at DESC, a.id OFFSET 3 LIMIT 1",
        now - timedelta(days=3),
    )
    known = Sender(TELEGRAM, chats[0]["address"], *list(chats[0].values())[1:]) if chats else None
    for number, (whose, said, ago) in enumerate(
        (
            (known, "Сколько у меня бонусов?", timedelta(hours=40)),
            (None, "", timedelta(hours=21)),
            (sender, "Здравствуйте! Хочу карту", timedelta(hours=4)),
        ),
        FIRST_UPDATE,
    ):
        at = now - ago
        body = _update(number, whose, said, at) if whose else b'{"update_id": "broken", "message": []}'
        chat = whose.address if whose else None
        await store_updates(SOURCE, [Arrived(str(number), number, chat, body)], now=at)
        update_id = await db.fetch_value(
            "SELECT id FROM incoming_update WHERE source = $1 AND external_id = $2", SOURCE, str(number)
        )
        reason = "ConnectionDoesNotExistError" if whose else "ValueError"
        pending = PendingUpdate(update_id, number, body, at)
        await fail_turn(pending, whose, _sorry if whose else None, reason=reason, now=at)
        if whose is not None:
            await _look(whose, staff["dasha@ladno.example"], at + timedelta(minutes=12))
    await arrive(now)


async def _look(whose: Sender, staff_id: int, at: datetime) -> None:
    account_id = await db.fetch_value(
        "SELECT id FROM messenger_account WHERE channel = $1 AND address = $2", whose.channel, whose.address
    )
    await mark_answered([account_id], actor=Actor(ActorKind.STAFF, staff_id), now=at)


def _sorry(language: str) -> Said:
    return Said(Content(text=say(language, "failed")))


def _update(number: int, whose: Sender, said: str, at: datetime) -> bytes:
    """What Telegram sends when somebody writes."""
    person = {"id": int(whose.address), "is_bot": False, "first_name": whose.name, "language_code": whose.language}
    if whose.username:
        person["username"] = whose.username
    chat = {"id": person["id"], "type": "private", "first_name": whose.name}
    message = {"message_id": number, "date": int(at.timestamp()), "from": person, "chat": chat, "text": said}
    return db.to_json({"update_id": number, "message": message}).encode()
