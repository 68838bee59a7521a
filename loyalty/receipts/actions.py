"""Recording a sale once, and taking it back."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.bonuses.actions import NewLot, Posting, post
from loyalty.bonuses.queries import open_lots
from loyalty.bonuses.rules import (
    Kind,
    Lot,
    LotDates,
    Restore,
    Source,
    Taken,
    allocate,
    gift_lot_dates,
    restore,
    reverse,
    still_held,
)
from loyalty.customers.actions import lock_customer
from loyalty.customers.rules import NEVER
from loyalty.errors import Conflict, Refused
from loyalty.ids import fingerprint
from loyalty.receipts.queries import receipt, till
from loyalty.receipts.rules import (
    UNDO_WINDOW,
    Original,
    Presence,
    Quote,
    ReceiptDraft,
    Recorded,
    Till,
    Undone,
    check_draft,
    quote,
    undo,
)
from loyalty.shop.queries import programme_at
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

SEEN = "SELECT body_hash, answer FROM receipt WHERE source = $1 AND location_id = $2 AND external_id = $3"

# What the key was used for, if it was; and the ids of what will be written. They are taken before the write, so
# that the answer kept with the receipt can name it, and so that the burn comes before the earn in the ledger.
LOOK = """
SELECT seen.body_hash, seen.answer, nextval('receipt_id_seq') AS receipt_id,
    nextval('bonus_entry_id_seq') AS burn_id, nextval('bonus_entry_id_seq') AS earn_id,
    nextval('bonus_lot_id_seq') AS lot_id
FROM (SELECT) one LEFT JOIN receipt seen ON seen.source = $1 AND seen.location_id = $2 AND seen.external_id = $3
"""

# One statement writes the sale and all that follows from it, in the tables of three rooms: a round trip each
# would hold the customer's lock four times as long. Nothing is written when the key is taken.
RECORD = """
WITH sale AS (
    INSERT INTO receipt (id, kind, source, location_id, external_id, customer_id, total, paid, burnt, earned,
        refunded, awards, presence, staff_id, at, business_date, body_hash, answer)
    VALUES ($1::bigint, 'sale', $2::text, $3::int, $4::text, $5::bigint, $6::bigint, $7::bigint, $8::bigint,
        $9::bigint, 0, $10::jsonb, $11::text, $12::int, $13::timestamptz, $14::date, $15::text, $16::jsonb)
    ON CONFLICT (source, location_id, external_id) DO NOTHING RETURNING id
), facts AS (
    UPDATE customer_facts SET sold = sold + $6, paid = paid + $7, receipts = receipts + 1, visits = visits + $17::int,
        first_visit_at = CASE WHEN first_visit_at = $28::timestamptz THEN $13 ELSE least(first_visit_at, $13) END,
        last_visit_at = greatest(last_visit_at, $13), balance = balance - $8 + $9, debt = debt - $18::bigint,
        burnt = burnt + $8, earned = earned + $9, tier_id = $19::smallint
    FROM sale WHERE customer_id = $5
), burn AS (
    INSERT INTO bonus_entry (id, customer_id, amount, balance_after, kind, event, operation_id, actor_kind, staff_id,
        location_id, receipt_id, at, business_date)
    SELECT $20::bigint, $5, -$8, $29::bigint - $8, 'burn', 'receipt', 'burn:' || id, $21::text, $12, $3, id, $13, $14
    FROM sale WHERE $8 > 0 RETURNING id
), taken AS (
    INSERT INTO bonus_allocation (entry_id, lot_id, amount)
    SELECT burn.id, part.lot_id, part.amount FROM burn, unnest($22::bigint[], $23::bigint[]) part (lot_id, amount)
), spent AS (
    UPDATE bonus_lot SET remaining = remaining - part.amount
    FROM burn, unnest($22, $23) part (lot_id, amount) WHERE bonus_lot.id = part.lot_id
), earn AS (
    INSERT INTO bonus_entry (id, customer_id, amount, balance_after, kind, event, operation_id, actor_kind, staff_id,
        location_id, receipt_id, at, business_date)
    SELECT $24::bigint, $5, $9, $29 - $8 + $9, 'earn', 'receipt', 'earn:' || id, $21, $12, $3, id, $13, $14
    FROM sale WHERE $9 > 0 RETURNING id
), lot AS (
    INSERT INTO bonus_lot (id, customer_id, entry_id, amount, remaining, activates_at, expires_at, source)
    SELECT $25::bigint, $5, id, $9, $9 - $18, $26::timestamptz, $27::timestamptz, 'receipt' FROM earn
    RETURNING id, entry_id
), repaid AS (
    INSERT INTO bonus_allocation (entry_id, lot_id, amount) SELECT entry_id, id, $18 FROM lot WHERE $18 > 0
), place AS (
    INSERT INTO customer_location (location_id, customer_id, visits, last_visit_at) SELECT $3, $5, $17, $13 FROM sale
    ON CONFLICT (location_id, customer_id) DO UPDATE SET visits = customer_location.visits + EXCLUDED.visits,
        last_visit_at = greatest(customer_location.last_visit_at, EXCLUDED.last_visit_at)
), tier AS (
    INSERT INTO tier_change (customer_id, tier_id, previous_tier_id, receipt_id, reason, at)
    SELECT $5, $19, $30::smallint, id, 'threshold', $13 FROM sale WHERE $19 <> $30
), journal AS (
    INSERT INTO journal_entry (at, actor_kind, staff_id, action, subject_kind, subject_id, details)
    SELECT $13, $21, $12, 'receipt.recorded', 'receipt', id, '{}' FROM sale
)
SELECT id FROM sale
"""


@db.use_case
async def record_receipt(draft: ReceiptDraft, *, actor: Actor, now: datetime) -> Recorded:
    """Record a sale: earn on it, burn for it, count it, all or nothing.

    The till's key makes it safe to send twice: the same key and body gives the first answer, marked `repeated`.
    What may be burnt is computed again here, whatever a quote said. Raises Conflict("key_was_used") for the
    same key with another body, Invalid for a bad draft, NotFound("customer" | "location"),
    Refused("location_is_closed" | "own_account" | "burn_needs_presence" | "burn_not_a_step" | "burn_over_limit").
    """
    check_draft(draft)
    # Lock before reading lots: two tills may serve one card at once.
    await lock_customer(draft.customer_id)
    look = await db.fetch_row(LOOK, draft.source.value, draft.location_id, draft.external_id)
    assert look is not None
    if look["body_hash"] is not None:
        return _answer(look, draft.body_hash())
    at_till = await till(draft.customer_id, draft.location_id, now=now)
    _check_till(at_till, actor)
    sale = quote(at_till, total=draft.total, burn=draft.burn, now=now)
    recorded = await _write(draft, at_till, sale, look, actor=actor, now=now)
    if recorded is None:
        # Another customer's sale took the key meanwhile: the lock we hold did not keep it out.
        raise Conflict("key_was_used")
    return recorded


@db.use_case
async def refund_receipt(receipt_id: int, amount: int | None, *, key: str, actor: Actor, now: datetime) -> Recorded:
    """Take back `amount` minor units of a sale, or all that is left of it (None).

    Burnt bonuses return to their lots with their old dates; earned ones are taken from the sale's own lot, then
    from other lots, then as debt. A sale taken back wholly no longer counts as a purchase or a visit, and gives
    back the tier it brought. The same key and amount again gives the first answer.
    Raises NotFound("receipt"), Refused("not_a_sale" | "refund_over_original" | "already_refunded"),
    Invalid("amount"), Conflict("key_was_used").
    """
    sale = await receipt(receipt_id)
    if sale.kind != "sale":
        raise Refused("not_a_sale")
    await lock_customer(sale.customer_id)
    body_hash = fingerprint({"refund_of": receipt_id, "amount": amount})
    seen = await db.fetch_row(SEEN, sale.source, sale.location_id, key)
    if seen is not None:
        return _answer(seen, body_hash)
    original, own, burnt_lots = await _original(receipt_id)
    if original.refunded == original.total:
        raise Refused("already_refunded")
    programme = await programme_at(now)
    undone = undo(original, original.total - original.refunded if amount is None else amount, programme)
    zone = await db.fetch_value("SELECT time_zone FROM location WHERE id = $1", sale.location_id)
    refund_id = await db.fetch_value("SELECT nextval('receipt_id_seq')")
    balance = await db.fetch_value("SELECT balance FROM customer_facts WHERE customer_id = $1", sale.customer_id)
    answer = Recorded(
        refund_id,
        undone.amount,
        undone.pay_back,
        undone.restore,
        undone.reverse,
        balance + undone.restore - undone.reverse,
        None,
    )
    written = await db.fetch_value(
        REFUND,
        refund_id,
        receipt_id,
        key,
        undone.amount,
        undone.pay_back,
        undone.restore,
        undone.reverse,
        actor.staff_id,
        now,
        zone,
        body_hash,
        db.to_json(answer.to_answer()),
    )
    if written is None:
        raise Conflict("key_was_used")
    movement = _Movement(sale.customer_id, sale.location_id, refund_id, receipt_id, zone, actor, now)
    if undone.restore:
        back = restore(burnt_lots, undone.restore, now)
        await _restore(movement, undone, back, gift_lot_dates(programme.refund_grace_days, now, zone))
    if undone.reverse:
        await _reverse(movement, undone, own)
    await _uncount(movement, undone, whole=original.refunded + undone.amount == original.total)
    await write_journal(
        actor,
        "receipt.refunded",
        subject_kind="receipt",
        subject_id=receipt_id,
        now=now,
        amount=undone.amount,
    )
    return answer


@db.use_case
async def undo_receipt(receipt_id: int, *, key: str, actor: Actor, now: datetime) -> Recorded:
    """Take back one's own sale within five minutes of it. Raises Refused("undo_is_over" | "not_your_receipt")."""
    sale = await receipt(receipt_id)
    if sale.staff_id is None or sale.staff_id != actor.staff_id:
        raise Refused("not_your_receipt")
    if now - sale.at > UNDO_WINDOW:
        raise Refused("undo_is_over")
    return await refund_receipt(receipt_id, None, key=key, actor=actor, now=now)


# The refund is a receipt of its own, and the sale remembers how much of it is gone.
REFUND = """
WITH sale AS (
    UPDATE receipt SET refunded = refunded + $4::bigint WHERE id = $2::bigint RETURNING *
)
INSERT INTO receipt (id, kind, source, location_id, external_id, customer_id, original_id, total, paid, burnt, earned,
    refunded, awards, staff_id, at, business_date, body_hash, answer)
SELECT $1::bigint, 'refund', source, location_id, $3::text, customer_id, id, $4, $5::bigint, $6::bigint, $7::bigint,
    0, '[]', $8::int, $9::timestamptz, ($9::timestamptz AT TIME ZONE $10::text)::date, $11::text, $12::jsonb FROM sale
ON CONFLICT (source, location_id, external_id) DO NOTHING RETURNING id
"""

# What the sale moved and what refunds of it did so far; its own lot, and what of it expired.
ORIGINAL = """
SELECT r.total, r.paid, r.burnt, r.earned, r.refunded, undone.restored, undone.reversed, undone.paid_back,
    own.id AS lot_id, own.remaining, own.activates_at, own.expires_at,
    (SELECT coalesce(sum(a.amount), 0)::bigint FROM bonus_allocation a JOIN bonus_entry e ON e.id = a.entry_id
        WHERE a.lot_id = own.id AND e.kind = 'expire') AS expired
FROM receipt r
    CROSS JOIN LATERAL (SELECT coalesce(sum(burnt), 0)::bigint AS restored,
        coalesce(sum(earned), 0)::bigint AS reversed, coalesce(sum(paid), 0)::bigint AS paid_back
        FROM receipt WHERE original_id = r.id) undone
    LEFT JOIN bonus_entry e ON e.receipt_id = r.id AND e.kind = 'earn'
    LEFT JOIN bonus_lot own ON own.entry_id = e.id
WHERE r.id = $1
"""
BURNT_LOTS = """
SELECT l.id, l.remaining, l.activates_at, l.expires_at, a.amount
FROM bonus_entry e JOIN bonus_allocation a ON a.entry_id = e.id JOIN bonus_lot l ON l.id = a.lot_id
WHERE e.receipt_id = $1 AND e.kind = 'burn' ORDER BY a.id
"""

# A sale wholly taken back is no purchase and no visit any more.
UNCOUNT = """
WITH sale AS (SELECT * FROM receipt WHERE id = $1),
live AS (
    SELECT count(*) FILTER (WHERE r.location_id = sale.location_id AND r.business_date = sale.business_date)
            AS that_day,
        min(r.at) AS first, max(r.at) AS last, max(r.at) FILTER (WHERE r.location_id = sale.location_id) AS last_here
    FROM sale LEFT JOIN receipt r ON r.customer_id = sale.customer_id AND r.kind = 'sale' AND r.refunded < r.total
),
place AS (
    UPDATE customer_location SET visits = visits - (live.that_day = 0)::int,
        last_visit_at = coalesce(live.last_here, customer_location.last_visit_at)
    FROM sale, live
    WHERE customer_location.customer_id = sale.customer_id AND customer_location.location_id = sale.location_id
)
UPDATE customer_facts SET receipts = receipts - 1, visits = visits - (live.that_day = 0)::int,
    first_visit_at = coalesce(live.first, $2::timestamptz), last_visit_at = coalesce(live.last, $2)
FROM sale, live WHERE customer_facts.customer_id = sale.customer_id
"""


@dataclass(frozen=True, slots=True)
class _Movement:
    """Whose bonuses a refund moves, where and when: the same for each of its entries."""

    customer_id: int
    location_id: int
    refund_id: int
    sale_id: int
    zone: str
    actor: Actor
    now: datetime

    async def post(self, amount: int, kind: Kind, corrected: Kind, **details: Any) -> None:
        """Write one entry of the refund, naming the entry of the sale that it corrects."""
        corrects_id = await db.fetch_value(
            "SELECT id FROM bonus_entry WHERE receipt_id = $1 AND kind = $2", self.sale_id, corrected.value
        )
        await post(
            Posting(
                self.customer_id,
                amount,
                kind,
                "refund",
                f"{kind.value}:{self.refund_id}",
                self.actor,
                self.now,
                self.zone,
                location_id=self.location_id,
                receipt_id=self.refund_id,
                corrects_id=corrects_id,
                **details,
            )
        )


async def _restore(movement: _Movement, undone: Undone, back: Restore, grace: LotDates) -> None:
    """Give burnt bonuses back; what came from expired lots gets some days of grace."""
    lot = NewLot(back.as_new_lot, grace, Source.GRACE) if back.as_new_lot else None
    await movement.post(undone.restore, Kind.RESTORE_BURN, Kind.BURN, taken=back.to_lots, lot=lot)


async def _reverse(movement: _Movement, undone: Undone, own_id: int | None) -> None:
    """Take earned bonuses back. Lots are read now, with what the refund has just restored to them."""
    lots = await open_lots(movement.customer_id)
    own = next((lot for lot in lots if lot.id == own_id), None)
    reversal = reverse(own, lots, undone.reverse, movement.now)
    await movement.post(-undone.reverse, Kind.REVERSE_EARN, Kind.EARN, taken=reversal.taken, debt=reversal.debt)


async def _uncount(movement: _Movement, undone: Undone, *, whole: bool) -> None:
    """Take the refund off the facts; with the whole sale its visit goes, and the tier that it brought."""
    await db.execute(
        "UPDATE customer_facts SET sold = sold - $2, paid = paid - $3 WHERE customer_id = $1",
        movement.customer_id,
        undone.amount,
        undone.pay_back,
    )
    if not whole:
        return
    await db.execute(UNCOUNT, movement.sale_id, NEVER)
    change = await db.fetch_row(
        "SELECT tier_id, previous_tier_id, receipt_id FROM tier_change WHERE customer_id = $1 ORDER BY id DESC LIMIT 1",
        movement.customer_id,
    )
    if change is None or change["receipt_id"] != movement.sale_id:
        return
    at_till = await till(movement.customer_id, movement.location_id, now=movement.now)
    earned_again = at_till.programme.tier_for(at_till.window_paid)
    if earned_again.threshold >= at_till.programme.tier(change["tier_id"]).threshold:
        return
    before = at_till.programme.tier(change["previous_tier_id"])
    tier = max(earned_again, before, key=lambda tier: tier.threshold)
    await db.execute(
        "WITH facts AS (UPDATE customer_facts SET tier_id = $2::smallint WHERE customer_id = $1::bigint)"
        " INSERT INTO tier_change (customer_id, tier_id, previous_tier_id, receipt_id, reason, at)"
        " VALUES ($1, $2, $3, $4, 'refund', $5)",
        movement.customer_id,
        tier.id,
        change["tier_id"],
        movement.refund_id,
        movement.now,
    )


async def _original(receipt_id: int) -> tuple[Original, int | None, list[tuple[Lot, int]]]:
    """The sale as a refund sees it, its own lot, and what it still holds of the lots it burnt."""
    row = await db.fetch_row(ORIGINAL, receipt_id)
    assert row is not None
    numbers = ("total", "paid", "burnt", "earned", "refunded", "restored", "reversed", "paid_back", "expired")
    original = Original(**{name: row[name] for name in numbers})
    burnt = [
        (Lot(part["id"], part["remaining"], part["activates_at"], part["expires_at"]), part["amount"])
        for part in await db.fetch(BURNT_LOTS, receipt_id)
    ]
    return original, row["lot_id"], still_held(burnt, original.restored)


def _check_till(at_till: Till, actor: Actor) -> None:
    if not at_till.is_open:
        raise Refused("location_is_closed")
    if actor.phone is not None and actor.phone == at_till.customer_phone:
        raise Refused("own_account")


def _answer(row: db.Row, body_hash: str) -> Recorded:
    """The first answer under this key. Raises Conflict when it answered another body."""
    if row["body_hash"] != body_hash:
        raise Conflict("key_was_used")
    return Recorded.from_answer(json.loads(row["answer"]))


async def _write(
    draft: ReceiptDraft, at_till: Till, sale: Quote, ids: db.Row, *, actor: Actor, now: datetime
) -> Recorded | None:
    """Write the sale under `ids`; None when its key was taken meanwhile."""
    taken: list[Taken] = allocate(at_till.lots, sale.burn, now)
    pending = sale.earn and sale.dates.activates_at > now
    recorded = Recorded(
        receipt_id=ids["receipt_id"],
        total=sale.total,
        paid=sale.pay,
        burnt=sale.burn,
        earned=sale.earn,
        balance=sale.balance_after,
        spendable_from=sale.dates.activates_at.isoformat() if pending else None,
    )
    written = await db.fetch_value(
        RECORD,
        ids["receipt_id"],
        draft.source.value,
        draft.location_id,
        draft.external_id,
        draft.customer_id,
        sale.total,
        sale.pay,
        sale.burn,
        sale.earn,
        db.to_json([award.snapshot() for award in sale.awards]),
        Presence.RELAXED.value if sale.burn else None,
        actor.staff_id,
        now,
        at_till.business_date,
        draft.body_hash(),
        db.to_json(recorded.to_answer()),
        int(not at_till.visited),
        sale.repaid,
        sale.tier_after.id,
        ids["burn_id"],
        actor.kind.value,
        [part.lot_id for part in taken],
        [part.amount for part in taken],
        ids["earn_id"],
        ids["lot_id"],
        sale.dates.activates_at,
        sale.dates.expires_at,
        NEVER,
        at_till.balance,
        at_till.tier_id,
    )
    return recorded if written else None
