"""Counting visits anew. A sale counts its own in its one statement; whatever is rarer comes here."""

from datetime import date, datetime, timedelta

from loyalty import db
from loyalty.clock import business_date
from loyalty.customers.rules import NEVER
from loyalty.receipts.queries.visits import YEAR_DAYS, frequency, visits
from loyalty.shop.queries import shop
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor
from loyalty.webhooks.actions.deliveries import tell
from loyalty.webhooks.rules import EventType

# Indexes: receipt_customer, appointment_customer, customer_location_customer.
RECOUNT = f"""
WITH visit AS MATERIALIZED ({visits("customer_id = ANY($1::bigint[])")}
), place AS MATERIALIZED (
    SELECT customer_id, location_id, count(DISTINCT day) AS visits, max(at) AS last FROM visit GROUP BY 1, 2
), kept AS (
    INSERT INTO customer_location AS known (location_id, customer_id, visits, last_visit_at)
    SELECT location_id, customer_id, visits, last FROM place
    ON CONFLICT (location_id, customer_id) DO UPDATE
    SET visits = EXCLUDED.visits, last_visit_at = EXCLUDED.last_visit_at
    WHERE (known.visits, known.last_visit_at) IS DISTINCT FROM (EXCLUDED.visits, EXCLUDED.last_visit_at)
), gone AS (
    DELETE FROM customer_location known WHERE customer_id = ANY($1) AND NOT EXISTS (SELECT FROM place
        WHERE place.customer_id = known.customer_id AND place.location_id = known.location_id)
), whole AS (
    SELECT customer_id, sum(visits) AS visits, count(*) AS locations FROM place GROUP BY 1
), span AS (
    SELECT customer_id, min(at) AS first, max(at) AS last, count(DISTINCT day) FILTER (WHERE day > $2::date) AS days,
        min(day) FILTER (WHERE day > $2) AS first_on, max(day) FILTER (WHERE day > $2) AS last_on
    FROM visit GROUP BY 1
)
UPDATE customer_facts SET visits = coalesce(whole.visits, 0), locations = coalesce(whole.locations, 0),
    first_visit_at = coalesce(span.first, $3::timestamptz), last_visit_at = coalesce(span.last, $3),
    year_days = coalesce(span.days, 0), year_first_on = coalesce(span.first_on, DATE '1970-01-01'),
    year_last_on = coalesce(span.last_on, DATE '1970-01-01'),
    frequency = coalesce({frequency("span.days", "span.first_on", "span.last_on")}, 0)
FROM unnest($1) one (id) LEFT JOIN whole ON whole.customer_id = one.id LEFT JOIN span ON span.customer_id = one.id
WHERE customer_facts.customer_id = one.id
"""


async def recount_visits(*customer_ids: int, now: datetime) -> None:
    """Count again, from sales and appointments, when and where these customers were: totals, places, the last year.

    Joins the caller's transaction, which holds their locks.
    """
    await db.execute(RECOUNT, list(customer_ids), await _before_the_year(now), NEVER)


async def bring_back(customer_id: int, *, actor: Actor, now: datetime) -> None:
    """Show somebody in the base again who was deleted from it: they are a customer after all.

    Joins the caller's transaction, which holds the customer's lock. Twice is once.
    """
    if await db.fetch_value(BRING_BACK, customer_id, now) is not None:
        await write_journal(actor, "customer.restored", subject_kind="customer", subject_id=customer_id, now=now)
        await tell(EventType.CUSTOMER_UPDATED, {"customer_id": customer_id, "fields": ["deleted_at"]}, now=now)


BRING_BACK = """
WITH person AS (
    UPDATE customer SET deleted_at = NULL, deleted_by_id = NULL, updated_at = $2::timestamptz
    WHERE id = $1::bigint AND deleted_at IS NOT NULL AND merged_into_id IS NULL AND erased_at IS NULL RETURNING id
)
UPDATE customer_facts SET is_hidden = false FROM person WHERE customer_id = person.id RETURNING customer_id
"""

# A walk along the key from where the last batch ended. Whom another process has in hand is looked at the next time.
OUT_OF_YEAR = """
SELECT customer_id FROM customer_facts WHERE customer_id > $1 AND year_days > 0 AND year_first_on <= $2
ORDER BY customer_id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED
"""
BATCH = 500


async def roll_years(*, now: datetime) -> int:
    """Take days out of the last year that lie before it by now; returns whose year changed.

    The year's days change by time alone once a night. All customers are walked through, a transaction a batch; the
    second walk of a day finds nobody. Safe to run twice at once.
    """
    done = after = 0
    while True:
        rolled = await _roll_some(after, now=now)
        done += len(rolled)
        if len(rolled) < BATCH:
            return done
        after = rolled[-1]


@db.use_case
async def _roll_some(after: int, *, now: datetime) -> list[int]:
    due = [row["customer_id"] for row in await db.fetch(OUT_OF_YEAR, after, await _before_the_year(now), BATCH)]
    if due:
        await recount_visits(*due, now=now)
    return due


async def _before_the_year(now: datetime) -> date:
    """The last day that does not belong to the last year any more, by the shop's calendar."""
    return business_date(now, (await shop()).time_zone) - timedelta(days=YEAR_DAYS)
