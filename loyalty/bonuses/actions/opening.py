"""Balances that people bring along from another program: lots with dates of their own, for many people at once.

Each function joins a transaction that holds the customers and keeps a journal of its own. Nobody is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.bonuses.actions.crediting import STANDS, Credit, credit_many
from loyalty.bonuses.rules import Kind, LotDates, Source, manual_lot_dates
from loyalty.clock import business_date
from loyalty.shop.queries import programme_at, shop
from loyalty.staff.rules import Actor

EVENT = "opening_balance"
UNDONE_EVENT = "opening_undone"


@dataclass(frozen=True, slots=True)
class OpeningLot:
    """Bonuses of somebody, in hundredths. key: unique over all imports.

    activates_at None: spendable at once. expires_at None: by the programme's term for bonuses by hand, from now on.
    """

    customer_id: int
    amount: int
    key: str
    activates_at: datetime | None = None
    expires_at: datetime | None = None


def operation_of(key: str) -> str:
    """What the entry of an opening balance is called."""
    return f"opening:{key}"


async def credit_opening(lots: Sequence[OpeningLot], *, actor: Actor, now: datetime) -> None:
    """Credit opening balances, in this order; each repays its owner's debt first.

    A key that was used is a unique violation: whoever brings the same in twice looks before.
    """
    if not lots:
        return
    programme, zone = await programme_at(now), (await shop()).time_zone
    term = manual_lot_dates(programme, now, zone).expires_at
    given = [
        Credit(
            lot.customer_id,
            lot.amount,
            operation_of(lot.key),
            LotDates(lot.activates_at or now, lot.expires_at or term),
        )
        for lot in lots
    ]
    await credit_many(given, event=EVENT, source=Source.OPENING, actor=actor, now=now)


# Only what nobody has touched: not spent, not expired, not set aside for a sale, not repaying a debt. The customer of
# an entry may have become another card, and the lot with them: that one is touched, too.
WHOLE = """
SELECT e.id, e.customer_id, e.operation_id, l.id AS lot_id, l.amount, l.expires_at
FROM bonus_entry e JOIN bonus_lot l ON l.entry_id = e.id
WHERE e.operation_id = ANY($1::text[]) AND e.customer_id = ANY($2::bigint[]) AND l.remaining = l.amount
    AND (l.expires_at IS NULL OR l.expires_at > $3)
    AND NOT EXISTS (SELECT FROM hold_lot p JOIN hold h ON h.id = p.hold_id
        WHERE p.lot_id = l.id AND h.state IN ('asked', 'held') AND h.expires_at > $3)
ORDER BY e.id
"""
TAKE_BACK = """
WITH part AS (
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[])
        WITH ORDINALITY part (customer_id, amount, balance, operation_id, entry_id, lot_id, number)
), entry AS (
    INSERT INTO bonus_entry (customer_id, amount, balance_after, kind, event, operation_id, corrects_id, actor_kind,
        staff_id, at, business_date)
    SELECT customer_id, -amount, balance, $7, $8, operation_id, entry_id, $9, $10::int, $11::timestamptz, $12::date
    FROM part ORDER BY number RETURNING id, operation_id
), taken AS (
    INSERT INTO bonus_allocation (entry_id, lot_id, amount)
    SELECT entry.id, part.lot_id, part.amount FROM part JOIN entry USING (operation_id) ORDER BY part.number
), spent AS (
    UPDATE bonus_lot SET remaining = 0 FROM part WHERE bonus_lot.id = part.lot_id
), facts AS (
    UPDATE customer_facts f SET balance = f.balance - total.amount, earned = f.earned - total.amount
    FROM (SELECT customer_id, sum(amount)::bigint AS amount FROM part GROUP BY 1) total
    WHERE f.customer_id = total.customer_id
), event AS (
    INSERT INTO webhook_event (key, type, data, at, is_spread)
    SELECT gen_random_uuid(), 'balance.changed', jsonb_build_object('entry_id', entry.id, 'customer_id',
        part.customer_id, 'kind', $7, 'event', $8, 'amount', -part.amount, 'balance', part.balance), $11, false
    FROM part JOIN entry USING (operation_id)
    WHERE EXISTS (SELECT FROM webhook_endpoint WHERE is_active AND topics @> '["balance"]')
    ORDER BY part.number
)
SELECT count(*) FROM entry
"""


async def undo_opening(keys: Sequence[str], held: Sequence[int], *, actor: Actor, now: datetime) -> set[str]:
    """Take opening balances back that are whole, by entries that name them; the keys of those. Others stay.

    held: the customers whom the caller holds, none other of whom is touched. Not twice for one key.
    """
    names = {operation_of(key): key for key in keys}
    rows = await db.fetch(WHOLE, list(names), list(held), now)
    if not rows:
        return set()
    zone = (await shop()).time_zone
    ids = sorted({row["customer_id"] for row in rows})
    stand = {row["customer_id"]: row["balance"] for row in await db.fetch(STANDS, ids)}
    balances = []
    for row in rows:
        stand[row["customer_id"]] -= row["amount"]
        balances.append(stand[row["customer_id"]])
    await db.execute(
        TAKE_BACK,
        [row["customer_id"] for row in rows],
        [row["amount"] for row in rows],
        balances,
        [f"opening_undone:{names[row['operation_id']]}" for row in rows],
        [row["id"] for row in rows],
        [row["lot_id"] for row in rows],
        Kind.REVERSE_EARN.value,
        UNDONE_EVENT,
        actor.kind.value,
        actor.staff_id,
        now,
        business_date(now, zone),
    )
    db.wake("webhooks")
    return {names[row["operation_id"]] for row in rows}


# By the index on a customer's entries without a receipt; whether one was taken back, by the unique one on its name.
HAD = """
EXISTS (SELECT FROM (SELECT {customer} AS id UNION ALL
        SELECT m.id FROM customer m WHERE m.merged_into_id = {customer}) card,
    LATERAL (SELECT operation_id FROM bonus_entry
        WHERE customer_id = card.id AND receipt_id IS NULL AND event = 'opening_balance'
        ORDER BY at OFFSET 0) e
    WHERE e.operation_id NOT LIKE {mine} AND NOT EXISTS (SELECT FROM bonus_entry u
        WHERE u.operation_id = 'opening_undone:' || substr(e.operation_id, length('opening:') + 1)))
"""


def had_opening(customer: str, mine: str) -> str:
    """SQL: whether a customer (an expression) has an opening balance by an operation that is not like `mine`."""
    return HAD.format(customer=customer, mine=mine)
