"""Writing down what has expired, and warning of what will."""

from datetime import datetime, timedelta

from loyalty import db, wording
from loyalty.bonuses.actions.posting import Posting, post
from loyalty.bonuses.rules import DAY_BEGINS, DAY_ENDS, Kind, Lot, Taken
from loyalty.clock import business_date, end_of_day
from loyalty.conversations.kinds.said import service_content
from loyalty.conversations.queries.recipients import first_name, own_texts, place_for
from loyalty.customers.actions.profile import lock_customer
from loyalty.shop.queries import programme_at, shop
from loyalty.staff.rules import Actor

# Index: bonus_lot_expiring.
DUE = """
    SELECT DISTINCT customer_id FROM bonus_lot WHERE remaining > 0 AND expires_at <= $1
    ORDER BY customer_id LIMIT $2
"""
# A lot of which a live hold keeps something waits for the hold's end: it may be spent until then.
EXPIRED_LOTS = """
    SELECT id, remaining, activates_at, expires_at FROM bonus_lot
    WHERE customer_id = $1 AND remaining > 0 AND expires_at <= $2 AND NOT EXISTS (
        SELECT FROM hold JOIN hold_lot part ON part.hold_id = hold.id
        WHERE part.lot_id = bonus_lot.id AND hold.state = 'held' AND hold.expires_at > $2)
    ORDER BY expires_at, id
"""


async def expire_due(*, actor: Actor, now: datetime, limit: int = 500) -> int:
    """Write the entries of lots whose time is over, for at most `limit` customers; returns how many lots.

    Nothing depends on when it runs: what has expired could not be spent anyway. Safe to run twice, or by two
    processes at once. One transaction a customer.
    """
    zone = (await shop()).time_zone
    lots = 0
    for row in await db.fetch(DUE, now, limit):
        lots += await _expire_customer(row["customer_id"], zone, actor=actor, now=now)
    return lots


@db.use_case
async def _expire_customer(customer_id: int, zone: str, *, actor: Actor, now: datetime) -> int:
    await lock_customer(customer_id)
    # Read after the lock: a burn that was ahead of us may have emptied the lot.
    lots = [Lot(**row) for row in await db.fetch(EXPIRED_LOTS, customer_id, now)]
    for lot in lots:
        assert lot.expires_at is not None
        await post(
            Posting(
                customer_id,
                -lot.remaining,
                Kind.EXPIRE,
                "expiry",
                f"expire:{lot.id}",
                actor,
                now,
                zone,
                taken=[Taken(lot.id, lot.remaining)],
            )
        )
    return len(lots)


# Whom to warn, in one reading. A lot is warned of when a message of its own last day was written, or one of a later
# day after the lot could be spent: each message tells of all lots up to its day. People are written to by day, in
# the zone of their home location. Indexes: bonus_lot_expiring, messenger_account_customer, message's dedupe key.
TO_WARN = f"""
WITH lot AS (
    SELECT customer_id, remaining, activates_at,
        ((expires_at AT TIME ZONE $2) - INTERVAL '1 microsecond')::date AS day
    FROM bonus_lot WHERE remaining > 0 AND activates_at <= $1 AND expires_at > $1 AND expires_at < $3
), lots AS (
    SELECT customer_id, sum(remaining)::bigint AS total, min(day) AS soonest,
        sum(remaining) FILTER (WHERE day = first_day)::bigint AS amount,
        max(day) FILTER (WHERE NOT EXISTS (SELECT FROM message m
            WHERE m.dedupe_key = 'expiring:' || customer_id || ':' || day
            UNION ALL SELECT FROM message m, generate_series(day + 1, $4::date, INTERVAL '1 day') later (day)
                WHERE m.dedupe_key = 'expiring:' || customer_id || ':' || later.day::date
                AND m.created_at >= lot.activates_at)) AS unwarned
    FROM (SELECT *, min(day) OVER (PARTITION BY customer_id) AS first_day FROM lot) lot GROUP BY customer_id
)
SELECT lots.customer_id, lots.total, lots.soonest, lots.amount, lots.unwarned, account.id AS account_id, account.texts,
    c.language, c.name
FROM lots JOIN customer c ON c.id = lots.customer_id LEFT JOIN location home ON home.id = c.home_location_id,
    LATERAL ({place_for("expiring", "c.id", "a.id, t.texts")}) account
WHERE unwarned IS NOT NULL
    AND extract(hour FROM $1::timestamptz AT TIME ZONE coalesce(home.time_zone, $2)) BETWEEN $5::int AND $6::int - 1
ORDER BY lots.customer_id LIMIT $7
"""
WARN = """
INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, dedupe_key,
    created_at, due_at, attempts)
SELECT a.id, warned.customer_id, a.channel, 'out', 'expiring', warned.content, 'queued', 1, warned.key, $5, $5, 0
FROM unnest($1::bigint[], $2::bigint[], $3::jsonb[], $4::text[]) warned (account_id, customer_id, content, key)
    JOIN messenger_account a ON a.id = warned.account_id
ON CONFLICT (dedupe_key) DO NOTHING RETURNING id
"""


@db.use_case
async def warn_of_expiry(*, now: datetime, limit: int = 500) -> int:
    """Tell at most `limit` customers what will expire within the programme's days; returns how many were told.

    Once for each day on which something expires, one message for all lots of the days ahead, by day. What a hold
    keeps counts as well: it may come back. Safe to run twice, or by two processes at once.
    """
    programme, chain = await programme_at(now), await shop()
    if not programme.expiry_warning_days:
        return 0
    zone = chain.time_zone
    last = business_date(now, zone) + timedelta(days=programme.expiry_warning_days)
    horizon = end_of_day(last, zone) + timedelta(microseconds=1)
    rows = await db.fetch(TO_WARN, now, zone, horizon, last, DAY_BEGINS, DAY_ENDS, limit)
    if not rows:
        return 0
    contents = [
        service_content("expiring", row["language"], _expiring(row), own_texts(row["texts"])).to_body() for row in rows
    ]
    warned = await db.fetch(
        WARN,
        [row["account_id"] for row in rows],
        [row["customer_id"] for row in rows],
        [db.to_json(content) for content in contents],
        [f"expiring:{row['customer_id']}:{row['unwarned'].isoformat()}" for row in rows],
        now,
    )
    db.wake("messages")
    return len(warned)


def _expiring(row: db.Row) -> dict[str, str]:
    language = row["language"]
    return {
        "first_name": first_name(row["name"]),
        "amount": wording.bonuses_in_words(row["amount"], language),
        "until": wording.day(row["soonest"], language),
        "total": wording.bonuses_in_words(row["total"], language) if row["total"] > row["amount"] else "",
    }
