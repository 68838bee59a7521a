"""What people answer: a score, which may be changed for a day, and a comment; and what comes of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from loyalty import db
from loyalty.bonuses.actions.once_only import grant_thanks
from loyalty.customers.actions.profile import lock_customer
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.staff.rules import JOB, Actor, ActorKind
from loyalty.surveys.queries.programme import survey_programme
from loyalty.surveys.rules import (
    CHANGEABLE,
    HIGHEST,
    LOWEST,
    Group,
    ProgrammeDraft,
    State,
    clean_comment,
    group_of,
    is_answerable,
    is_changeable,
)
from loyalty.tasks.actions import add_task
from loyalty.tasks.rules import TaskDraft, TaskOrigin
from loyalty.webhooks.actions.deliveries import tell
from loyalty.webhooks.rules import EventType

CUSTOMER = Actor(ActorKind.CUSTOMER)
TASK_WITHIN = timedelta(days=1)
"""So soon colleagues are to have looked into a low score."""

# By the primary keys; after the customer's lock.
READ = """
SELECT i.customer_id, i.state, i.asked_at, i.location_id, a.score, a.answered_at
FROM survey_invitation i LEFT JOIN survey_answer a ON a.invitation_id = i.id WHERE i.id = $1
"""
ANSWER = """
WITH invitation AS (
    UPDATE survey_invitation SET state = 'answered' WHERE id = $1 RETURNING *
)
INSERT INTO survey_answer (invitation_id, customer_id, score, location_id, cashier_id, team_member_id, channel,
    answered_at)
SELECT id, customer_id, $2, location_id, cashier_id, team_member_id, $3, $4 FROM invitation
"""
CHANGE = "UPDATE survey_answer SET score = $2, changed_at = $3 WHERE invitation_id = $1"
# The newest answer of each. Index: survey_answer_customer.
RECOUNT = """
UPDATE customer_facts SET nps = coalesce(newest.score, -1), nps_at = coalesce(newest.answered_at, '1970-01-01+00')
FROM unnest($1::bigint[]) one (id) LEFT JOIN LATERAL (SELECT a.score, a.answered_at FROM survey_answer a
    WHERE a.customer_id = one.id ORDER BY a.answered_at DESC, a.invitation_id DESC LIMIT 1) newest ON true
WHERE customer_facts.customer_id = one.id
"""
# What was answered last, there, and nothing was said about it yet. Index: survey_answer_customer.
UNCOMMENTED = """
SELECT a.invitation_id, a.score, a.comment IS NULL AS is_open FROM survey_answer a
WHERE a.customer_id = $1 AND a.answered_at > $2 AND a.channel = $3 ORDER BY a.answered_at DESC LIMIT 1
"""
PLACE = "SELECT l.name FROM survey_invitation i JOIN location l ON l.id = i.location_id WHERE i.id = $1"
COMMENT = """
UPDATE survey_answer SET comment = $2, commented_at = $3 WHERE invitation_id = $1 AND comment IS NULL
RETURNING invitation_id
"""


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer came to. before: the score that it takes the place of; None for a first answer.

    bonus: what was given for it now, in hundredths. programme: by which its person is thanked.
    """

    score: int
    before: int | None
    bonus: int
    location_id: int | None
    programme: ProgrammeDraft

    @property
    def group(self) -> Group:
        """What the score makes of them."""
        return group_of(self.score)

    @property
    def has_moved(self) -> bool:
        """It is of another group than the score before, or the first one."""
        return self.before is None or group_of(self.before) is not self.group

    @property
    def is_repeated(self) -> bool:
        """The same score was given before: nothing has changed."""
        return self.before == self.score


@db.use_case
async def answer(invitation_id: int, customer_id: int, score: int, *, channel: str, now: datetime) -> Answered:
    """Keep what a customer answered to their invitation; once, and changeable for a day. The same score twice is once.

    The facts have the newest answer of all. A first answer may bring the programme's bonus, a low one a task to
    colleagues, each once. Raises Invalid("score"), NotFound("survey") for what was not asked of them,
    Refused("survey_is_over") a month after it was asked, Refused("survey_answer_is_final") a day after the answer.
    """
    if not LOWEST <= score <= HIGHEST:
        raise Invalid("score", "not_in_range", low=LOWEST, high=HIGHEST)
    await lock_customer(customer_id)
    row = await db.fetch_row(READ, invitation_id)
    if row is None or row["customer_id"] != customer_id or row["state"] not in {State.ASKED, State.ANSWERED}:
        raise NotFound("survey")
    programme = (await survey_programme()).draft
    before, bonus = row["score"], 0
    if before is None:
        if not is_answerable(row["asked_at"], now):
            raise Refused("survey_is_over")
        await db.execute(ANSWER, invitation_id, score, channel, now)
        bonus = await grant_thanks(customer_id, programme.bonus, actor=CUSTOMER, now=now)
    elif before != score:
        if not is_changeable(row["answered_at"], now):
            raise Refused("survey_answer_is_final")
        await db.execute(CHANGE, invitation_id, score, now)
    if before != score:
        await recount([customer_id])
        if programme.makes_tasks and group_of(score) is Group.DETRACTOR:
            await _alert(invitation_id, customer_id, score, programme.assignee_id, now)
        told = {"customer_id": customer_id, "survey_id": invitation_id, "score": score}
        await tell(EventType.SURVEY_ANSWERED, told | {"location_id": row["location_id"]}, now=now)
    return Answered(score, before, bonus, row["location_id"], programme)


@db.use_case
async def comment(customer_id: int, text: str, *, channel: str, now: datetime) -> Group | None:
    """Keep what a customer wrote after their score, in the same messenger and within a day, as its comment.

    Returns what the score made of them; None where nothing waits for a comment, and nothing is kept then.
    """
    words = clean_comment(text)
    if not words:
        return None
    await lock_customer(customer_id)
    row = await db.fetch_row(UNCOMMENTED, customer_id, now - CHANGEABLE, channel)
    if row is None or not row["is_open"]:
        return None
    if await db.fetch_value(COMMENT, row["invitation_id"], words, now) is None:
        return None
    return group_of(row["score"])


async def _alert(invitation_id: int, customer_id: int, score: int, assignee_id: int | None, now: datetime) -> None:
    """A task for colleagues, and a reminder of it at once; one, however often the score changes."""
    place = await db.fetch_value(PLACE, invitation_id)
    draft = TaskDraft(
        title=f"NPS {score} · {place}" if place else f"NPS {score}",
        customer_id=customer_id,
        assignee_id=assignee_id,
        due_at=now + TASK_WITHIN,
        remind_at=now,
    )
    await add_task(draft, key=f"survey:{invitation_id}", origin=TaskOrigin.SURVEY, actor=JOB, now=now)


async def recount(customer_ids: list[int]) -> None:
    """Have the facts of these customers say their newest answer again. The caller holds them."""
    await db.execute(RECOUNT, customer_ids)
