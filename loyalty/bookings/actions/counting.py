"""What is counted of appointments: who served whom with what, tips, the next booking, and visits with sales together.

Counted anew from the appointments whenever one of them changes, so that no order of changes can matter.
"""

from datetime import datetime

from loyalty import db
from loyalty.bookings.queries.served import SERVED, by_service_category
from loyalty.customers.rules import NEVER
from loyalty.receipts.actions.visits import recount_visits


def _recount(noun: str) -> str:
    """The pairs of some customers with a noun. Indexes: appointment_customer, customer_<noun>_customer."""
    key = f"{noun}_id"
    return f"""
    WITH pair AS MATERIALIZED (
        SELECT customer_id, {key}, count(*) AS visits, max(at) AS last
        FROM ({SERVED[noun]("customer_id = ANY($1::bigint[])")}) served GROUP BY 1, 2
    ), gone AS (
        DELETE FROM customer_{noun} known WHERE customer_id = ANY($1) AND NOT EXISTS (SELECT FROM pair
            WHERE pair.customer_id = known.customer_id AND pair.{key} = known.{key})
    )
    INSERT INTO customer_{noun} AS known ({key}, customer_id, visits, last_visit_at)
    SELECT {key}, customer_id, visits, last FROM pair
    ON CONFLICT ({key}, customer_id) DO UPDATE SET visits = EXCLUDED.visits, last_visit_at = EXCLUDED.last_visit_at
    WHERE (known.visits, known.last_visit_at) IS DISTINCT FROM (EXCLUDED.visits, EXCLUDED.last_visit_at)
    """


PAIRS = tuple(_recount(noun) for noun in SERVED)
# Index: appointment_customer.
TOTALS = """
UPDATE customer_facts SET tips = coalesce(total.tips, 0), next_booking_at = coalesce(total.next, $3::timestamptz)
FROM unnest($1::bigint[]) one (id) LEFT JOIN (
    SELECT customer_id, sum(tips) FILTER (WHERE state = 'came')::bigint AS tips,
        min(starts_at) FILTER (WHERE state = 'planned' AND starts_at > $2::timestamptz) AS next
    FROM appointment WHERE customer_id = ANY($1) GROUP BY 1
) total ON total.customer_id = one.id
WHERE customer_facts.customer_id = one.id
"""
CATEGORIES_LOCK = 0x5345_5256_4943_4553  # "SERVICES"


async def recount_bookings(*customer_ids: int, now: datetime) -> None:
    """Count again all that the facts and pairs of these customers say of appointments and visits.

    For whoever changes, moves or imports appointments. Joins the caller's transaction, which holds the customers'
    locks.
    """
    # Which category a service belongs to must not change between our counting and our commit.
    await db.execute("SELECT pg_advisory_xact_lock_shared($1)", CATEGORIES_LOCK)
    for sql in PAIRS:
        await db.execute(sql, list(customer_ids))
    await db.execute(TOTALS, list(customer_ids), now, NEVER)
    await recount_visits(*customer_ids, now=now)


async def hold_categories() -> None:
    """Keep everybody else from counting until the transaction ends: a service is given another category."""
    await db.execute("SELECT pg_advisory_xact_lock($1)", CATEGORIES_LOCK)


async def recount_categories(category_ids: list[int]) -> None:
    """Count again who came for services of these categories, of all customers. After `hold_categories`."""
    await db.execute("DELETE FROM customer_service_category WHERE service_category_id = ANY($1::int[])", category_ids)
    await db.execute(OF_CATEGORIES, category_ids)


OF_CATEGORIES = f"""
INSERT INTO customer_service_category (service_category_id, customer_id, visits, last_visit_at)
SELECT service_category_id, customer_id, count(*), max(at)
FROM ({by_service_category("category_id = ANY($1::int[])")}) served GROUP BY 1, 2
"""

# Index: customer_facts_next_booking. Whom another process has in hand is looked at the next time.
PASSED = """
SELECT customer_id FROM customer_facts
WHERE next_booking_at > TIMESTAMPTZ '1970-01-01 00:00+00' AND next_booking_at <= $1
ORDER BY next_booking_at, customer_id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
"""


@db.use_case
async def pass_bookings(*, now: datetime, limit: int = 500) -> int:
    """Let the next booking of `limit` customers at most be the next one again, where it has begun; returns of how many.

    Safe to run twice, or by two processes at once.
    """
    due = [row["customer_id"] for row in await db.fetch(PASSED, now, limit)]
    if due:
        await db.execute(TOTALS, due, now, NEVER)
    return len(due)
