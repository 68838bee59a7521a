"""Keeping what a messenger sends: stored and committed first, acknowledged afterwards."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from loyalty import db
from loyalty.conversations.rules import Arrived
from loyalty.errors import NotFound, Refused
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

KEPT = timedelta(days=7)

# Sorted by name, so that two batches with the same updates meet in one order and not in a deadlock.
STORE = """
WITH kept AS (
    INSERT INTO incoming_update (source, external_id, position, chat, body, state, received_at)
    SELECT $1, part.external_id, part.position, part.chat, part.body, 'new', $2
    FROM unnest($3::text[], $4::bigint[], $5::text[], $6::bytea[]) part (external_id, position, chat, body)
    ORDER BY part.external_id
    ON CONFLICT (source, external_id) DO NOTHING RETURNING id
)
SELECT count(*) FROM kept
"""


async def store_updates(source: str, arrived: Sequence[Arrived], *, now: datetime) -> int:
    """Keep updates as they came; returns how many were new. One that came before is left as it is.

    One statement, committed by itself: this is where every message begins.
    """
    if not arrived:
        return 0
    kept: int = await db.fetch_value(
        STORE,
        source,
        now,
        [one.external_id for one in arrived],
        [one.position for one in arrived],
        [one.chat for one in arrived],
        [one.body for one in arrived],
    )
    if kept:
        db.wake("updates")
    return kept


@db.use_case
async def ignore_update(update_id: int, *, reason: str, now: datetime) -> bool:
    """Close an update that asks for nothing; False when it was closed already."""
    closed = await db.fetch_value(
        "UPDATE incoming_update SET state = 'ignored', reason = $2, done_at = $3"
        " WHERE id = $1 AND state = 'new' RETURNING true",
        update_id,
        reason,
        now,
    )
    return bool(closed)


async def close_update(update_id: int, *, now: datetime) -> None:
    """Close an update whose news was kept. Twice is once."""
    await db.execute(
        "UPDATE incoming_update SET state = 'done', done_at = $2 WHERE id = $1 AND state = 'new'", update_id, now
    )


async def empty_old_updates(*, now: datetime, limit: int = 5_000) -> int:
    """Empty the bodies of updates that are a week old: they hold personal words, and did their work."""
    rows = await db.fetch(
        "UPDATE incoming_update SET body = NULL WHERE id IN (SELECT id FROM incoming_update"
        " WHERE received_at < $1 AND body IS NOT NULL AND state <> 'new' ORDER BY received_at LIMIT $2) RETURNING id",
        now - KEPT,
        limit,
    )
    return len(rows)


@db.use_case
async def replay_update(update_id: int, *, actor: Actor, now: datetime) -> None:
    """Take an update that failed once more, in its place. Twice is once.

    Raises NotFound("update") for one that did not fail, Refused("update_is_empty") when its body is gone.
    """
    is_whole = await db.fetch_value(
        "SELECT body IS NOT NULL FROM incoming_update WHERE id = $1 AND state = 'failed' FOR NO KEY UPDATE", update_id
    )
    if is_whole is None:
        raise NotFound("update")
    if not is_whole:
        raise Refused("update_is_empty")
    await db.execute("UPDATE incoming_update SET state = 'new', reason = NULL, done_at = NULL WHERE id = $1", update_id)
    await write_journal(actor, "update.replayed", subject_kind="update", subject_id=update_id, now=now)
    db.wake("updates")


@db.use_case
async def dismiss_update(update_id: int, *, actor: Actor, now: datetime) -> None:
    """Leave an update that failed as it is: nobody needs to look. Raises NotFound("update") for one that did not."""
    if not await db.fetch_value(
        "UPDATE incoming_update SET state = 'ignored', done_at = $2 WHERE id = $1 AND state = 'failed' RETURNING true",
        update_id,
        now,
    ):
        raise NotFound("update")
    await write_journal(actor, "update.dismissed", subject_kind="update", subject_id=update_id, now=now)
