"""Surveys on demand as they stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.errors import NotFound
from loyalty.surveys.rules import Skip, Tally

PAGE_ROWS = 30

RUNS = """
SELECT r.id, r.look, r.total, r.skipped, r.created_at, r.cancelled_at, s.name AS staff_name FROM survey_run r
    LEFT JOIN staff_member s ON s.id = r.staff_id
"""
# Both by the primary key of survey_run.
PAGE = f"{RUNS} WHERE $1::int IS NULL OR r.id < $1 ORDER BY r.id DESC LIMIT $2"
ONE = f"{RUNS} WHERE r.id = $1"
# Index: survey_invitation_run.
STANDING = """
SELECT i.run_id, (count(*) FILTER (WHERE i.state = 'waiting'))::int AS waiting,
    (count(*) FILTER (WHERE i.state IN ('asked', 'answered')))::int AS asked,
    (count(*) FILTER (WHERE i.state = 'answered'))::int AS answered,
    (count(*) FILTER (WHERE i.state = 'expired'))::int AS expired
FROM survey_invitation i WHERE i.run_id = ANY($1::int[]) GROUP BY 1
"""
SKIPPED = """
SELECT reason, count(*)::int AS people FROM survey_invitation WHERE run_id = $1 AND state = 'skipped' GROUP BY 1
"""
DELIVERED = """
SELECT (count(*) FILTER (WHERE m.status IN ('queued', 'delayed', 'leased', 'sending')))::int AS open,
    (count(*) FILTER (WHERE m.status IN ('sent', 'delivered', 'read')))::int AS sent,
    (count(*) FILTER (WHERE m.status = 'failed'))::int AS failed,
    (count(*) FILTER (WHERE m.status = 'unknown'))::int AS unknown
FROM survey_invitation i JOIN message m ON m.id = i.message_id
WHERE i.run_id = $1 AND i.state IN ('asked', 'answered')
"""
SCORED = """
SELECT a.score, count(*)::int AS answers FROM survey_invitation i JOIN survey_answer a ON a.invitation_id = i.id
WHERE i.run_id = $1 GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class RunView:
    """A survey on demand. look: how an address said whom it means; None for people who were ticked.

    total: everybody who was meant; skipped: who was left out at the start. waiting: to be asked yet.
    """

    id: int
    look: Mapping[str, str] | None
    total: int
    skipped: int
    created_at: datetime
    cancelled_at: datetime | None
    staff_name: str | None
    waiting: int = 0
    asked: int = 0
    answered: int = 0
    expired: int = 0

    @property
    def meant(self) -> int:
        """How many were to be asked."""
        return self.total - self.skipped

    @property
    def is_under_way(self) -> bool:
        """Somebody is still to be asked."""
        return self.waiting > 0


@dataclass(frozen=True, slots=True)
class RunResults:
    """What became of the questions of a run, why who was left out, and what was answered."""

    open: int
    sent: int
    failed: int
    unknown: int
    left_out: dict[Skip, int]
    tally: Tally


async def runs(*, before_id: int | None = None) -> tuple[list[RunView], int | None]:
    """Surveys on demand, the newest first, and where the next page begins."""
    rows = await db.fetch(PAGE, before_id, PAGE_ROWS + 1)
    found = await _views(rows[:PAGE_ROWS])
    return found, found[-1].id if len(rows) > PAGE_ROWS else None


async def run(run_id: int) -> RunView:
    """One of them. Raises NotFound("survey_run")."""
    rows = await db.fetch(ONE, run_id)
    if not rows:
        raise NotFound("survey_run")
    return (await _views(rows))[0]


async def run_by_key(key: str) -> int | None:
    """The run that a form with this key has started."""
    found: int | None = await db.fetch_value("SELECT id FROM survey_run WHERE key = $1", f"form:{key}")
    return found


async def run_results(run_id: int) -> RunResults:
    """What came of a run by now."""
    left_out = {row["reason"]: row["people"] for row in await db.fetch(SKIPPED, run_id)}
    delivered = await db.fetch_row(DELIVERED, run_id) or {}
    scores = {row["score"]: row["answers"] for row in await db.fetch(SCORED, run_id)}
    return RunResults(
        **delivered,
        left_out={one: left_out[one] for one in Skip if one in left_out},
        tally=Tally.of(scores),
    )


async def _views(rows: list[db.Row]) -> list[RunView]:
    standing = {row.pop("run_id"): row for row in await db.fetch(STANDING, [row["id"] for row in rows])}
    return [RunView(**{**row, "look": db.from_json(row["look"])}, **standing.get(row["id"], {})) for row in rows]
