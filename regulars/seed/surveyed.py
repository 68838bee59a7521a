"""What made-up people answered when they were asked how it was: over a year, and less well at one of the locations.

An invitation has the number of its receipt. What was asked and answered stands in the chats like everything else, and
the facts are counted from the answers by the house's own statement.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.texts import say
from loyalty import db
from loyalty.conversations.content import Content
from loyalty.conversations.kinds.said import service_content
from loyalty.conversations.queries.recipients import first_name
from loyalty.conversations.rules import Priority
from loyalty.staff.rules import Actor, ActorKind
from loyalty.surveys.actions.answering import RECOUNT
from loyalty.surveys.actions.programme import set_programme
from loyalty.surveys.rules import EVERYWHERE, KIND, Group, ProgrammeDraft, group_of
from loyalty.surveys.thanks import HOUSE
from regulars.seed.accounts import is_withdrawn
from regulars.seed.life import Seeded
from regulars.seed.records import ZONE, Account, Receipt
from regulars.seed.told import Chain, Line, heard

SINCE = timedelta(days=365)
PAUSE = timedelta(days=90)
DELAY = timedelta(hours=2)
MORNING, NIGHT = time(9, 10), time(22)
ANSWERED, COMMENTED = 0.44, 0.42
"""Shares of those who were asked, and of those who answered."""
PROGRAMME = ProgrammeDraft(
    is_on=True,
    delay_hours=2,
    links={EVERYWHERE: "https://maps.example.com/ladno-coffee"},
    bonus=30_00,
)
WEIGHTS: Mapping[Group, Mapping[int, int]] = {
    Group.PROMOTER: {10: 60, 9: 40},
    Group.PASSIVE: {8: 65, 7: 35},
    Group.DETRACTOR: {6: 30, 5: 26, 4: 14, 3: 12, 2: 8, 1: 6, 0: 4},
}
COMMENTS: Mapping[str, Mapping[Group, Sequence[str]]] = {
    "ru": {
        Group.PROMOTER: ("Баристы помнят, что я люблю, спасибо!", "Лучший раф в округе", "Быстро, вкусно, уютно",
            "Списала бонусы за секунду, очень удобно", "Отличный кофе и приятные люди"),
        Group.PASSIVE: ("Хорошо, но по утрам долгая очередь", "Кофе отличный, десертов бы побольше",
            "Всё неплохо, музыка громковата"),
        Group.DETRACTOR: ("Прождал 20 минут, а бонусы за прошлый заказ так и не пришли", "Капучино был холодный",
            "Бариста нагрубил", "Перепутали заказ, пришлось возвращаться"),
    },
    "uk": {
        Group.PROMOTER: ("Дуже смачно, дякую!", "Найкращий флет вайт у місті"),
        Group.PASSIVE: ("Добре, але черга довга", "Кава смачна, мало місця"),
        Group.DETRACTOR: ("Довго чекала на замовлення", "Кава була холодна"),
    },
    "en": {
        Group.PROMOTER: ("Great coffee, friendly people", "Best flat white around"),
        Group.PASSIVE: ("Good, though the queue is long in the morning", "Nice, a bit loud"),
        Group.DETRACTOR: ("Waited for twenty minutes", "My order was mixed up"),
    },
}  # fmt: skip
"""What people wrote, by language and by what they think of us."""


class Said(NamedTuple):
    """A score: when it was pressed, and what was written after it."""

    at: datetime
    score: int
    comment: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """A question to somebody after a purchase; said: their answer, if they gave one."""

    receipt: Receipt
    account: Account
    asked_at: datetime
    said: Said | None

    @property
    def key(self) -> str:
        """Of the message that asked."""
        return f"survey:{self.receipt.id}"


def questions_of(one: Seeded, now: datetime) -> list[Question]:
    """Whom the programme would have asked of this person's purchases, the first of them first."""
    random, asked, not_before = Random(f"survey {one.id}"), [], now - SINCE
    for receipt in one.life.receipts:
        at = _by_day(receipt.at + DELAY)
        if receipt.kind != "sale" or receipt.refunded or receipt.at < not_before or at > now - timedelta(hours=3):
            continue
        account = one.account_at(at)
        if account is None or _wants_none(one, account, at):
            continue
        asked.append(Question(receipt, account, at, _answer(random, one, receipt, at, now)))
        not_before = at + PAUSE
    return asked


def _wants_none(one: Seeded, account: Account, at: datetime) -> bool:
    """They had said no by then: in this chat, or in one of theirs for all of them."""
    return any(
        out.topic == "surveys" and out.at < at and (chat is account or is_withdrawn(one, out))
        for chat in one.accounts
        for out in chat.outs
    )


def _by_day(at: datetime) -> datetime:
    """The moment itself, or the next morning when it falls into the night."""
    local = at.astimezone(ZoneInfo(ZONE))
    if MORNING <= local.time() < NIGHT:
        return at
    day = local.date() + timedelta(days=1) if local.time() >= NIGHT else local.date()
    return datetime.combine(day, MORNING, ZoneInfo(ZONE)).astimezone(at.tzinfo) + timedelta(seconds=at.second)


def _answer(random: Random, one: Seeded, receipt: Receipt, at: datetime, now: datetime) -> Said | None:
    """A score most often of a promoter; the third location has it harder, and all of them a little less each month."""
    luck, answered = random.random(), at + timedelta(minutes=random.randrange(2, 160), seconds=random.randrange(60))
    worse = 0.16 if receipt.location_id % 3 == 0 else 0.03 * (receipt.location_id % 3)
    better = 0.10 * (1 - (now - at) / SINCE)
    shares = (0.55 + better - worse, 0.26, 0.19 - better + worse)
    [group] = random.choices(list(Group), shares)
    [score] = random.choices(list(WEIGHTS[group]), list(WEIGHTS[group].values()))
    comment = random.choice(COMMENTS[one.person.language][group]) if random.random() < COMMENTED else None
    account = one.account_at(at)
    is_there = account is not None and account.is_open(answered)
    return Said(answered, score, comment) if luck < ANSWERED and is_there else None


def surveyed(one: Seeded, account: Account, chain: Chain, now: datetime) -> Iterator[Line]:
    """What was asked and answered in this chat."""
    language = one.person.language
    for question in questions_of(one, now):
        if question.account is not account:
            continue
        values = {
            "first_name": first_name(one.person.name),
            "location": chain.places[question.receipt.location_id],
            "invitation": str(question.receipt.id),
        }
        content = service_content(KIND, language, values)
        yield Line(question.asked_at, "out", KIND, db.to_json(content.to_body()), Priority.BULK, question.key)
        if question.said is not None:
            yield from _told(question.said, question.receipt.id, language)


def _told(said: Said, invitation: int, language: str) -> Iterator[Line]:
    """The press, thanks, the comment, thanks again. Bonuses come with the programme, which is newer than all that."""
    group = group_of(said.score)
    thanks = "\n\n".join(HOUSE[language][f"{part}_{group}"] for part in ("thanks", "prompt"))
    yield heard(said.at, "button", str(said.score))
    content = Content(text=thanks, values={"invitation": str(invitation)})
    yield Line(said.at, "out", "survey", db.to_json(content.to_body()))
    if said.comment is not None:
        at = said.at + timedelta(seconds=40)
        key = "survey.commented_detractor" if group is Group.DETRACTOR else "survey.commented"
        yield heard(at, "text", said.comment)
        yield Line(at, "out", "reply", db.to_json(Content(text=say(language, key)).to_body()))


INVITATIONS = """
INSERT INTO survey_invitation (id, key, customer_id, receipt_id, location_id, cashier_id, state, due_at, asked_at,
    message_id, created_at)
SELECT r.id, 'receipt:' || r.id, r.customer_id, r.id, r.location_id, r.staff_id,
    CASE WHEN part.is_answered THEN 'answered' ELSE 'asked' END, part.at, part.at, m.id, part.at
FROM unnest($1::bigint[], $2::timestamptz[], $3::boolean[]) part (id, at, is_answered)
    JOIN receipt r ON r.id = part.id JOIN message m ON m.dedupe_key = 'survey:' || part.id ORDER BY r.id
"""
ANSWERS = """
INSERT INTO survey_answer (invitation_id, customer_id, score, comment, commented_at, location_id, cashier_id, channel,
    answered_at)
SELECT i.id, i.customer_id, part.score, part.comment,
    CASE WHEN part.comment IS NOT NULL THEN part.at + INTERVAL '40 seconds' END, i.location_id, i.cashier_id,
    part.channel, part.at
FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::timestamptz[]) part (id, score, comment, channel, at)
    JOIN survey_invitation i ON i.id = part.id ORDER BY i.id
"""


async def write_questions(made: Sequence[Seeded], now: datetime) -> None:
    """What a chunk of people was asked and answered, after their chats were written; their facts say it."""
    asked = [question for one in made for question in questions_of(one, now)]
    ids, moments = [one.receipt.id for one in asked], [one.asked_at for one in asked]
    await db.execute(INVITATIONS, ids, moments, [one.said is not None for one in asked])
    said = [(one.receipt.id, one.said, one.account.channel) for one in asked if one.said is not None]
    await db.execute(
        ANSWERS,
        [receipt_id for receipt_id, _, _ in said],
        [one.score for _, one, _ in said],
        [one.comment for _, one, _ in said],
        [channel for _, _, channel in said],
        [one.at for _, one, _ in said],
    )
    await db.execute(RECOUNT, [one.id for one in made])


async def switch_on(manager_id: int, now: datetime) -> None:
    """The programme, as somebody has set it lately: with a gift, a link to a map, and tasks for low scores."""
    await db.execute("SELECT setval(pg_get_serial_sequence('survey_invitation', 'id'), max(id)) FROM receipt")
    await set_programme(PROGRAMME, seen=None, actor=Actor(ActorKind.STAFF, manager_id), now=now - timedelta(minutes=5))


# For very many people: of three in five the newest purchase, and two of them have answered.
MODELS = """
WITH asked AS (
    SELECT DISTINCT ON (r.customer_id) r.id, r.customer_id, r.location_id, r.staff_id, a.id AS account_id, a.channel,
        r.at + INTERVAL '2 hours' AS at, (r.customer_id * 7919 + r.id * 104729) % 100 AS luck
    FROM receipt r JOIN messenger_account a ON a.customer_id = r.customer_id AND a.is_default AND a.is_active
    WHERE r.kind = 'sale' AND r.refunded = 0 AND r.at < $1 AND r.customer_id % 5 < 3
    ORDER BY r.customer_id, r.at DESC
), said AS (
    INSERT INTO message (account_id, customer_id, channel, direction, kind, topic, content, status, priority,
        created_at, due_at, sent_at, attempts)
    SELECT account_id, customer_id, channel, 'out', 'survey_asked', 'surveys', '{"text": "?"}', 'sent', 2, at, at, at, 1
    FROM asked ORDER BY id RETURNING id, customer_id
), invited AS (
    INSERT INTO survey_invitation (key, customer_id, receipt_id, location_id, cashier_id, state, due_at, asked_at,
        message_id, created_at)
    SELECT 'receipt:' || asked.id, customer_id, asked.id, location_id, staff_id,
        CASE WHEN customer_id % 5 < 2 THEN 'answered' ELSE 'asked' END, at, at, said.id, at
    FROM asked JOIN said USING (customer_id) ORDER BY asked.id RETURNING *
)
INSERT INTO survey_answer (invitation_id, customer_id, score, location_id, cashier_id, channel, answered_at)
SELECT invited.id, customer_id, CASE WHEN luck < 62 THEN 9 + luck % 2 WHEN luck < 86 THEN 7 + luck % 2
    ELSE luck % 7 END, invited.location_id, invited.cashier_id, asked.channel, at
FROM invited JOIN asked USING (customer_id) WHERE state = 'answered' ORDER BY invited.id
"""


async def write_models(now: datetime) -> None:
    """The newest answers of models, to be copied with them, and what their facts say of it."""
    await db.execute(MODELS, now - timedelta(days=1))
    rows = await db.fetch("SELECT customer_id FROM survey_answer")
    await db.execute(RECOUNT, [row["customer_id"] for row in rows])
