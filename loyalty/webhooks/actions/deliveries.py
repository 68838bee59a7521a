"""What happened becomes an event, the event a delivery to each who listens; deliveries are leased and settled."""

from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import JOB
from loyalty.webhooks.queries import event_of
from loyalty.webhooks.rules import (
    AT_ONCE,
    AT_ONCE_EACH,
    ENOUGH,
    KEPT_FOR,
    LEASE,
    TOPICS,
    EventType,
    Leased,
    Outcome,
    State,
    retry_at,
)

SPREAD_LIMIT = 500
LEASE_LOCK = 0x5745_4248_4F4F_4B53  # "WEBHOOKS"

TELL = """
INSERT INTO webhook_event (key, type, data, at, is_spread)
SELECT gen_random_uuid(), $1::text, $2::jsonb, $3::timestamptz, false
WHERE EXISTS (SELECT FROM webhook_endpoint WHERE is_active AND topics @> to_jsonb($4::text)) RETURNING id
"""
TELL_EACH = """
INSERT INTO webhook_event (key, type, data, at, is_spread)
SELECT gen_random_uuid(), $1::text, one, $3::timestamptz, false FROM jsonb_array_elements($2::jsonb) one
WHERE EXISTS (SELECT FROM webhook_endpoint WHERE is_active AND topics @> to_jsonb($4::text)) RETURNING id
"""


async def tell(event: EventType, data: dict[str, Any], *, now: datetime) -> None:
    """Write an event into the caller's transaction, if anybody wants to hear of it. Ids, codes and whole numbers only.

    Hot statements do the same in a part of their own.
    """
    if await db.fetch_value(TELL, event.value, db.to_json(data), now, TOPICS[event].value) is not None:
        db.wake("webhooks")


async def tell_each(event: EventType, data: list[dict[str, Any]], *, now: datetime) -> None:
    """Write one event of a kind for each of several happenings, in one statement."""
    if await db.fetch(TELL_EACH, event.value, db.to_json(data), now, TOPICS[event].value):
        db.wake("webhooks")


# In the order of their ids, along webhook_event_new. A watermark would skip what is committed late.
SPREAD = """
WITH new AS (
    SELECT id, type FROM webhook_event WHERE NOT is_spread ORDER BY id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
), made AS (
    INSERT INTO webhook_delivery (event_id, endpoint_id, state, attempts, due_at)
    SELECT new.id, e.id, 'due', 0, $1::timestamptz
    FROM new JOIN webhook_endpoint e ON e.is_active AND e.topics @> to_jsonb($3::jsonb ->> new.type)
    ORDER BY new.id, e.id ON CONFLICT (event_id, endpoint_id) DO NOTHING
)
UPDATE webhook_event SET is_spread = true FROM new WHERE webhook_event.id = new.id RETURNING webhook_event.id
"""

# Of each endpoint as many as it may have under way, the longest due first; a lapsed lease is due. One of each endpoint
# goes before the second of any. Indexes: webhook_delivery_due, webhook_delivery_leased.
LEASE_SOME = """
WITH busy AS MATERIALIZED (
    SELECT endpoint_id, count(*) AS calls FROM webhook_delivery WHERE state = 'leased' AND leased_until > $1
    GROUP BY endpoint_id
), listening AS (
    SELECT e.id, greatest(0, $3::bigint - coalesce(busy.calls, 0)) AS room
    FROM webhook_endpoint e LEFT JOIN busy ON busy.endpoint_id = e.id WHERE e.is_active
), due AS (
    SELECT d.id, d.due_at, row_number() OVER (PARTITION BY listening.id ORDER BY d.due_at, d.id) AS turn, room
    FROM listening CROSS JOIN LATERAL (
        (SELECT id, due_at FROM webhook_delivery
            WHERE endpoint_id = listening.id AND state IN ('due', 'failed') AND due_at <= $1
            ORDER BY due_at, id LIMIT room)
        UNION ALL
        (SELECT id, due_at FROM webhook_delivery
            WHERE endpoint_id = listening.id AND state = 'leased' AND leased_until <= $1
            ORDER BY leased_until LIMIT room)
    ) d
), chosen AS (
    SELECT id FROM due WHERE turn <= room ORDER BY turn, due_at, id
    LIMIT least($4::bigint, greatest(0, $5::bigint - (SELECT coalesce(sum(calls), 0) FROM busy)))
)
UPDATE webhook_delivery d SET state = 'leased', leased_until = $2, attempts = d.attempts + 1, tried_at = $1
FROM chosen, webhook_endpoint e, webhook_event v
WHERE d.id = chosen.id AND e.id = d.endpoint_id AND v.id = d.event_id
RETURNING d.id, d.endpoint_id, e.url, e.salt, d.attempts, d.leased_until, v.key, v.type, v.at, v.data
"""


@db.use_case
async def lease_deliveries(*, limit: int, now: datetime) -> list[Leased]:
    """Make the deliveries of what is new, and take some that are due. Nothing while another process does so."""
    # What is under way is counted over all processes: one after the other, or each would see room for itself.
    if not await db.fetch_value("SELECT pg_try_advisory_xact_lock($1)", LEASE_LOCK):
        return []
    wanted = db.to_json({event.value: topic.value for event, topic in TOPICS.items()})
    await db.execute(SPREAD, now, SPREAD_LIMIT, wanted)
    rows = await db.fetch(LEASE_SOME, now, now + LEASE, AT_ONCE_EACH, limit, AT_ONCE)
    names = ("id", "endpoint_id", "url", "salt", "attempts", "leased_until")
    leased = [Leased(**{name: row[name] for name in names}, event=event_of(row)) for row in rows]
    return sorted(leased, key=lambda delivery: delivery.id)


# Only by the holder of the lease: a later one has another end.
SETTLE = """
UPDATE webhook_delivery SET state = $3, status = $4, trouble = $5, due_at = $6, leased_until = NULL
WHERE id = $1 AND state = 'leased' AND leased_until = $2 RETURNING id
"""
ARRIVED = "UPDATE webhook_endpoint SET given_up = 0 WHERE id = $1 AND given_up > 0"
GAVE_UP = """
UPDATE webhook_endpoint SET given_up = given_up + 1, is_active = is_active AND given_up + 1 < $2,
    stopped_at = CASE WHEN is_active AND given_up + 1 >= $2 THEN $3 ELSE stopped_at END
WHERE id = $1 RETURNING stopped_at = $3 AS stopped
"""


@db.use_case
async def settle(delivery: Leased, outcome: Outcome, *, now: datetime) -> State | None:
    """Keep what became of a try; None when the lease was lost meanwhile, and somebody else has the delivery.

    An endpoint that gave up too much in a row is switched off, and the journal says so.
    """
    again = retry_at(delivery.id, delivery.attempts, now)
    state = State.DONE if outcome.trouble is None else State.FAILED if again else State.GIVEN_UP
    trouble = outcome.trouble.value if outcome.trouble else None
    settled = await db.fetch_value(
        SETTLE, delivery.id, delivery.leased_until, state.value, outcome.status, trouble, again or now
    )
    if settled is None:
        return None
    if state is State.DONE:
        await db.execute(ARRIVED, delivery.endpoint_id)
    if state is State.GIVEN_UP and await db.fetch_value(GAVE_UP, delivery.endpoint_id, ENOUGH, now):
        await write_journal(
            JOB, "webhook.stopped", now=now, subject_kind="webhook", subject_id=delivery.endpoint_id, given_up=ENOUGH
        )
    return state


# Deliveries go with their events. Index: webhook_event_at.
CLEAR = """
DELETE FROM webhook_event WHERE id IN (SELECT id FROM webhook_event WHERE at < $1 ORDER BY at LIMIT $2) RETURNING id
"""


async def clear_old(*, now: datetime, limit: int) -> int:
    """Forget what happened more than 30 days ago, and what became of telling it; returns how much."""
    return len(await db.fetch(CLEAR, now - KEPT_FOR, limit))
