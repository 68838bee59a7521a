"""Bonuses that nobody earned by buying, for many people in one statement: opening balances, gifts of a campaign.

Each function joins a transaction that holds the customers. Nobody is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.bonuses.rules import Kind, LotDates, Source
from loyalty.clock import business_date
from loyalty.shop.queries import shop
from loyalty.staff.rules import Actor


@dataclass(frozen=True, slots=True)
class Credit:
    """Bonuses of somebody, in hundredths. operation_id: what its entry is called, unique over the ledger."""

    customer_id: int
    amount: int
    operation_id: str
    dates: LotDates


STANDS = "SELECT customer_id, balance, debt FROM customer_facts WHERE customer_id = ANY($1::bigint[])"
# The balance after each entry, and what repays debt, are counted before: the caller holds the customers. Entries come
# in their order, for the chain of balances goes by their ids.
CREDIT = """
WITH part AS (
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[],
        $7::bigint[]) WITH ORDINALITY part (customer_id, amount, balance, operation_id, activates_at, expires_at,
        repaid, number)
), entry AS (
    INSERT INTO bonus_entry (customer_id, amount, balance_after, kind, event, operation_id, actor_kind, staff_id, at,
        business_date)
    SELECT customer_id, amount, balance, $8, $9, operation_id, $10, $11::int, $12::timestamptz, $13::date
    FROM part ORDER BY number RETURNING id, operation_id
), lot AS (
    INSERT INTO bonus_lot (customer_id, entry_id, amount, remaining, activates_at, expires_at, source)
    SELECT part.customer_id, entry.id, part.amount, part.amount - part.repaid, part.activates_at, part.expires_at, $14
    FROM part JOIN entry USING (operation_id) ORDER BY part.number RETURNING id, entry_id, amount - remaining AS repaid
), repaid AS (
    INSERT INTO bonus_allocation (entry_id, lot_id, amount) SELECT entry_id, id, repaid FROM lot WHERE repaid > 0
), facts AS (
    UPDATE customer_facts f SET balance = f.balance + total.amount, debt = f.debt - total.repaid,
        earned = f.earned + total.amount
    FROM (SELECT customer_id, sum(amount)::bigint AS amount, sum(repaid)::bigint AS repaid FROM part GROUP BY 1) total
    WHERE f.customer_id = total.customer_id
), event AS (
    INSERT INTO webhook_event (key, type, data, at, is_spread)
    SELECT gen_random_uuid(), 'balance.changed', jsonb_build_object('entry_id', entry.id, 'customer_id',
        part.customer_id, 'kind', $8, 'event', $9, 'amount', part.amount, 'balance', part.balance), $12, false
    FROM part JOIN entry USING (operation_id)
    WHERE EXISTS (SELECT FROM webhook_endpoint WHERE is_active AND topics @> '["balance"]')
    ORDER BY part.number
)
SELECT count(*) FROM entry
"""


async def credit_many(given: Sequence[Credit], *, event: str, source: Source, actor: Actor, now: datetime) -> None:
    """Credit these, in this order; each repays its owner's debt first. One customer may stand there several times.

    An operation that was done is a unique violation: whoever may do it twice looks before.
    """
    if not given:
        return
    ids = sorted({one.customer_id for one in given})
    stand = {row["customer_id"]: (row["balance"], row["debt"]) for row in await db.fetch(STANDS, ids)}
    balances, repaid = [], []
    for one in given:
        balance, debt = stand[one.customer_id]
        part = min(one.amount, debt)
        stand[one.customer_id] = (balance + one.amount, debt - part)
        balances.append(balance + one.amount)
        repaid.append(part)
    await db.execute(
        CREDIT,
        [one.customer_id for one in given],
        [one.amount for one in given],
        balances,
        [one.operation_id for one in given],
        [one.dates.activates_at for one in given],
        [one.dates.expires_at for one in given],
        repaid,
        Kind.GRANT.value,
        event,
        actor.kind.value,
        actor.staff_id,
        now,
        business_date(now, (await shop()).time_zone),
        source.value,
    )
    db.wake("webhooks")
