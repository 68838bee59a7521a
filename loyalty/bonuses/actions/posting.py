"""Writing one entry with its lots and facts. Each movement is an entry that is never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.bonuses.rules import Kind, LotDates, Source, Taken
from loyalty.clock import business_date
from loyalty.staff.rules import Actor


@dataclass(frozen=True, slots=True)
class NewLot:
    """The lot a credit makes. `repaid`: what of it goes to an old debt at once."""

    amount: int
    dates: LotDates
    source: Source
    repaid: int = 0


@dataclass(frozen=True, slots=True)
class Posting:
    """One entry to write, with the lots it takes from, gives back to, or makes.

    operation_id: unique over the ledger; posting it twice is a unique violation, so look before. more_lots: beside
    `lot`, in order.
    debt: change of the customer's debt. at: when it happened; zone: whose calendar dates it.
    """

    customer_id: int
    amount: int
    kind: Kind
    event: str
    operation_id: str
    actor: Actor
    at: datetime
    zone: str
    taken: Sequence[Taken] = ()
    lot: NewLot | None = None
    more_lots: Sequence[NewLot] = ()
    debt: int = 0
    location_id: int | None = None
    receipt_id: int | None = None
    corrects_id: int | None = None
    comment: str | None = None


# One statement: the facts, the entry, its lot, what it took and gave back, the event. The caller holds the customer.
POST = """
WITH facts AS (
    UPDATE customer_facts SET balance = balance + $2::bigint, debt = debt + $3::bigint,
        earned = earned + CASE WHEN $4::text IN ('earn', 'grant', 'reverse_earn') OR $4 = 'adjust' AND $2 > 0
            THEN $2 ELSE 0 END,
        burnt = burnt - CASE WHEN $4 IN ('burn', 'restore_burn') OR $4 = 'adjust' AND $2 < 0 THEN $2 ELSE 0 END,
        expired = expired - CASE WHEN $4 = 'expire' THEN $2 ELSE 0 END
    WHERE customer_id = $1::bigint RETURNING balance
), entry AS (
    INSERT INTO bonus_entry (customer_id, amount, balance_after, kind, event, operation_id, actor_kind, staff_id,
        location_id, receipt_id, corrects_id, at, business_date)
    SELECT $1, $2, balance, $4, $5::text, $6::text, $7::text, $8::int, $9::int, $10::bigint, $11::bigint,
        $12::timestamptz, $13::date FROM facts RETURNING id
), lot AS (
    INSERT INTO bonus_lot (customer_id, entry_id, amount, remaining, activates_at, expires_at, source)
    SELECT $1, entry.id, part.amount, part.amount - part.repaid, part.activates_at, part.expires_at, part.source
    FROM entry, unnest($16::bigint[], $17::timestamptz[], $18::timestamptz[], $19::text[], $20::bigint[])
        WITH ORDINALITY part (amount, activates_at, expires_at, source, repaid, number)
    ORDER BY part.number RETURNING id, entry_id, amount - remaining AS repaid
), repaid AS (
    INSERT INTO bonus_allocation (entry_id, lot_id, amount) SELECT entry_id, id, repaid FROM lot WHERE repaid > 0
), taken AS (
    INSERT INTO bonus_allocation (entry_id, lot_id, amount)
    SELECT entry.id, part.lot_id, part.amount FROM entry, unnest($14::bigint[], $15::bigint[]) part (lot_id, amount)
), spent AS (
    UPDATE bonus_lot SET remaining = remaining - part.amount
    FROM unnest($14, $15) part (lot_id, amount) WHERE bonus_lot.id = part.lot_id
), comment AS (
    INSERT INTO bonus_entry_comment (entry_id, text) SELECT id, $21::text FROM entry WHERE $21::text IS NOT NULL
), event AS (
    -- What a receipt moves is told with the receipt.
    INSERT INTO webhook_event (key, type, data, at, is_spread)
    SELECT gen_random_uuid(), 'balance.changed', jsonb_build_object('entry_id', entry.id, 'customer_id', $1,
        'kind', $4, 'event', $5, 'amount', $2, 'balance', facts.balance), $12, false
    FROM entry, facts
    WHERE $10 IS NULL AND EXISTS (SELECT FROM webhook_endpoint WHERE is_active AND topics @> '["balance"]')
)
SELECT entry.id, facts.balance, ARRAY(SELECT id FROM lot ORDER BY id) AS lots FROM entry, facts
"""


async def post(posting: Posting) -> tuple[int, int]:
    """Write one entry; returns its id and the balance after it. The caller has locked the customer."""
    entry_id, balance, _lots = await post_lots(posting)
    return entry_id, balance


async def post_lots(posting: Posting) -> tuple[int, int, list[int]]:
    """As `post`, with the lots that the entry made, in the order in which they were given."""
    lots = [*([posting.lot] if posting.lot else []), *posting.more_lots]
    row = await db.fetch_row(
        POST,
        posting.customer_id,
        posting.amount,
        posting.debt,
        posting.kind.value,
        posting.event,
        posting.operation_id,
        posting.actor.kind.value,
        posting.actor.staff_id,
        posting.location_id,
        posting.receipt_id,
        posting.corrects_id,
        posting.at,
        business_date(posting.at, posting.zone),
        [part.lot_id for part in posting.taken],
        [part.amount for part in posting.taken],
        [lot.amount for lot in lots],
        [lot.dates.activates_at for lot in lots],
        [lot.dates.expires_at for lot in lots],
        [lot.source.value for lot in lots],
        [lot.repaid for lot in lots],
        posting.comment,
    )
    assert row is not None, "post() needs a locked customer"
    if posting.receipt_id is None:
        db.wake("webhooks")
    return row["id"], row["balance"], row["lots"]


async def debt_of(customer_id: int) -> int:
    """What the customer owes, which later credits repay first. The caller has locked the customer."""
    debt: int = await db.fetch_value("SELECT debt FROM customer_facts WHERE customer_id = $1", customer_id)
    return debt
