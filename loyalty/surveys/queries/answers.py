"""Answers one by one: of a period, newest first, with their people; and all that one person was asked."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.surveys.queries.results import Scope, condition
from loyalty.surveys.rules import SCORES, Group, State, group_of

PAGE_ROWS = 30
EXPORTED_AT_MOST = 100_000
EXPORTED_AT_ONCE = 2_000

COLUMNS = """a.invitation_id AS id, a.score, a.comment, a.channel, a.answered_at, a.changed_at, a.customer_id, c.name,
    c.phone, c.card_number, l.name AS location, s.name AS cashier, t.name AS team_member"""
JOINED = """survey_answer a JOIN customer c ON c.id = a.customer_id LEFT JOIN location l ON l.id = a.location_id
    LEFT JOIN staff_member s ON s.id = a.cashier_id LEFT JOIN team_member t ON t.id = a.team_member_id"""
# Backwards along survey_answer_time, from the place on.
PAGE = """
SELECT {columns} FROM {joined} WHERE a.answered_at >= $1 AND a.answered_at < $2
    AND (a.answered_at, a.invitation_id) < ($3::timestamptz, $4::bigint)
    AND a.score = ANY($5::int[]) AND (NOT $6 OR a.comment IS NOT NULL) AND {where}
ORDER BY a.answered_at DESC, a.invitation_id DESC LIMIT $7
"""
# Index: survey_invitation_customer.
OF_CUSTOMER = """
SELECT i.id, i.state, i.reason, i.asked_at, i.created_at, i.run_id, a.score, a.comment, a.channel, a.answered_at,
    a.changed_at, l.name AS location, s.name AS cashier, t.name AS team_member, m.status
FROM survey_invitation i LEFT JOIN survey_answer a ON a.invitation_id = i.id
    LEFT JOIN location l ON l.id = i.location_id LEFT JOIN staff_member s ON s.id = i.cashier_id
    LEFT JOIN team_member t ON t.id = i.team_member_id LEFT JOIN message m ON m.id = i.message_id
WHERE i.customer_id = $1 AND i.id < $2 ORDER BY i.id DESC LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class AnswerView:
    """One answer and whose it is."""

    id: int
    score: int
    comment: str | None
    channel: str
    answered_at: datetime
    changed_at: datetime | None
    customer_id: int
    name: str
    phone: str | None
    card_number: str
    location: str | None
    cashier: str | None
    team_member: str | None

    @property
    def group(self) -> Group:
        """What the score makes of them."""
        return group_of(self.score)


@dataclass(frozen=True, slots=True)
class Place:
    """A place among answers: after the one of that time and invitation."""

    at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class InvitationView:
    """What one person was asked, and what came of it. reason: why they were not asked. status: of the question."""

    id: int
    state: State
    reason: str | None
    asked_at: datetime | None
    created_at: datetime
    run_id: int | None
    score: int | None
    comment: str | None
    channel: str | None
    answered_at: datetime | None
    changed_at: datetime | None
    location: str | None
    cashier: str | None
    team_member: str | None
    status: str | None

    @property
    def group(self) -> Group | None:
        """What the score makes of them; None without one."""
        return None if self.score is None else group_of(self.score)


async def answers(
    scope: Scope,
    *,
    group: Group | None = None,
    with_comment: bool = False,
    after: Place | None = None,
    rows: int = PAGE_ROWS,
    now: datetime,
) -> tuple[list[AnswerView], Place | None]:
    """A page of answers, the newest first, and where the next one begins."""
    where, params = await condition(scope, now, 8)
    scores = list(SCORES[group]) if group else [score for one in SCORES.values() for score in one]
    found = await db.fetch_planned(
        PAGE.format(columns=COLUMNS, joined=JOINED, where=where),
        scope.begins,
        scope.ends,
        after.at if after else scope.ends,
        after.id if after else 0,
        scores,
        with_comment,
        rows + 1,
        *params,
    )
    views = [AnswerView(**row) for row in found[:rows]]
    return views, Place(views[-1].answered_at, views[-1].id) if len(found) > rows else None


async def all_answers(
    scope: Scope, *, group: Group | None = None, with_comment: bool = False, now: datetime
) -> AsyncGenerator[list[AnswerView], None]:
    """All of them in parts, EXPORTED_AT_MOST at most. What is erased meanwhile is not among later parts."""
    place, left = None, EXPORTED_AT_MOST
    while left > 0:
        size = min(left, EXPORTED_AT_ONCE)
        part, place = await answers(scope, group=group, with_comment=with_comment, after=place, rows=size, now=now)
        if part:
            yield part
        if place is None:
            return
        left -= len(part)


async def invitations_of(customer_id: int, *, before_id: int | None = None) -> tuple[list[InvitationView], int | None]:
    """What a customer was asked, the newest first, and where the next page begins."""
    rows = await db.fetch(OF_CUSTOMER, customer_id, before_id or 2**62, PAGE_ROWS + 1)
    found = [InvitationView(**{**row, "state": State(row["state"])}) for row in rows[:PAGE_ROWS]]
    return found, found[-1].id if len(rows) > PAGE_ROWS else None
