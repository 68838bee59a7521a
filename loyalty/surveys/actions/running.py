"""Asking many on demand: everybody is frozen in one statement, with the reasons of those who are left out."""

from collections.abc import Collection
from datetime import datetime

from loyalty import db
from loyalty.errors import NotFound, Refused
from loyalty.segments.queries.audience import Audience
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor
from loyalty.surveys.queries.reach import split_of
from loyalty.surveys.rules import RUN_AT_MOST

BEGIN = """
INSERT INTO survey_run (key, look, staff_id, created_at, total, skipped) VALUES ($1, $2::jsonb, $3, $4, 0, 0)
ON CONFLICT (key) DO NOTHING RETURNING id
"""
FREEZE = """
WITH frozen AS (
    INSERT INTO survey_invitation (key, customer_id, run_id, state, reason, due_at, created_at)
    SELECT 'run:' || {run}::int || ':' || split.customer_id, split.customer_id, {run}::int,
        CASE WHEN split.reason IS NULL THEN 'waiting' ELSE 'skipped' END, split.reason, {now}::timestamptz, {now}
    FROM ({split}) split LIMIT {limit} RETURNING state
), counted AS (SELECT count(*)::int AS total, (count(*) FILTER (WHERE state = 'skipped'))::int AS skipped FROM frozen)
UPDATE survey_run SET total = counted.total, skipped = counted.skipped FROM counted WHERE survey_run.id = {run}
RETURNING counted.total, counted.skipped
"""
HOLD = "SELECT cancelled_at FROM survey_run WHERE id = $1 FOR NO KEY UPDATE"
# Index: survey_invitation_run. Whoever asks at this moment holds the row: what they made of it is seen by the next one.
LET_GO = """
UPDATE survey_invitation SET state = 'skipped', reason = 'cancelled' WHERE run_id = $1 AND state = 'waiting'
"""
# What nobody is about to send leaves the outbox, and was never asked.
TAKE_BACK = """
WITH taken AS (
    UPDATE message m SET status = 'cancelled', reason = 'survey_cancelled', leased_until = NULL
    FROM survey_invitation i WHERE i.run_id = $1 AND i.state = 'asked' AND m.id = i.message_id
        AND m.status IN ('queued', 'delayed') RETURNING i.id
)
UPDATE survey_invitation i SET state = 'skipped', reason = 'cancelled', asked_at = NULL FROM taken WHERE i.id = taken.id
"""


@db.use_case
async def start_run(
    audience: Audience,
    *,
    channels: Collection[str],
    look: dict[str, str] | None = None,
    key: str,
    actor: Actor,
    now: datetime,
) -> int:
    """Ask everybody in an audience who may be asked now; returns the run's id. A key starts it once.

    channels: those that work here. look: how an address says whom it means. Raises Refused("nobody_to_ask") when the
    audience is empty or everybody in it is left out, Refused("too_many_customers").
    """
    split = await split_of(audience, channels=channels, now=now)
    run_id: int | None = await db.fetch_value(
        BEGIN, f"form:{key}", db.to_json(look) if look is not None else None, actor.staff_id, now
    )
    if run_id is None:
        return int(await db.fetch_value("SELECT id FROM survey_run WHERE key = $1", f"form:{key}"))
    params = [*split.params, run_id, now]
    places = {"run": f"${len(params) - 1}", "now": f"${len(params)}"}
    [row] = await db.fetch_planned(FREEZE.format(split=split.sql, limit=RUN_AT_MOST + 1, **places), *params)
    if row["total"] > RUN_AT_MOST:
        raise Refused("too_many_customers", limit=RUN_AT_MOST)
    if row["total"] == row["skipped"]:
        raise Refused("nobody_to_ask")
    await write_journal(
        actor,
        "survey_run.started",
        subject_kind="survey_run",
        subject_id=run_id,
        now=now,
        customers=row["total"],
        skipped=row["skipped"],
    )
    return run_id


@db.use_case
async def cancel_run(run_id: int, *, actor: Actor, now: datetime) -> None:
    """Ask nobody more: who was not sent the question by now does not get it. Final; twice is once.

    Raises NotFound("survey_run").
    """
    row = await db.fetch_row(HOLD, run_id)
    if row is None:
        raise NotFound("survey_run")
    if row["cancelled_at"] is not None:
        return
    await db.execute(LET_GO, run_id)
    await db.execute(TAKE_BACK, run_id)
    await db.execute("UPDATE survey_run SET cancelled_at = $2 WHERE id = $1", run_id, now)
    await write_journal(actor, "survey_run.cancelled", subject_kind="survey_run", subject_id=run_id, now=now)
