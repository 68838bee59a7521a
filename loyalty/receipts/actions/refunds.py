"""Taking a sale back, wholly or in part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from loyalty import db, wording
from loyalty.bonuses.actions.posting import NewLot, Posting, post
from loyalty.bonuses.queries import lots_after, open_lots
from loyalty.bonuses.rules import (
    Kind,
    Lot,
    LotDates,
    Restore,
    Source,
    gift_lot_dates,
    restore,
    reverse,
    shortfall,
    still_held,
)
from loyalty.conversations.actions.outbox import tell_customer
from loyalty.conversations.queries.recipients import recipient_of
from loyalty.customers.actions.moving import hold_cards
from loyalty.errors import Conflict, Refused
from loyalty.ids import fingerprint
from loyalty.money import money_of
from loyalty.receipts.actions.sales import answered
from loyalty.receipts.actions.visits import recount_visits
from loyalty.receipts.queries import ReceiptView, lines_of, receipt, till
from loyalty.receipts.rules.refunds import UNDO_WINDOW, LineRefund, Original, OriginalLine, Undone, undo
from loyalty.receipts.rules.sales import ReceiptSource, Recorded, tier_progress
from loyalty.shop.queries import programme_at, shop
from loyalty.shop.rules import DebtPolicy, Programme
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

SEEN = "SELECT body_hash, answer FROM receipt WHERE source = $1 AND location_id = $2 AND external_id = $3"


@db.use_case
async def refund_receipt(
    receipt_id: int,
    amount: int | None,
    *,
    lines: Sequence[LineRefund] = (),
    key: str,
    source: ReceiptSource | None = None,
    actor: Actor,
    now: datetime,
) -> Recorded:
    """Take back `amount` minor units of a sale, all that is left of it (None), or some of its `lines`.

    Burnt bonuses return to their lots with their old dates; earned ones are taken from the sale's own lot, then
    from other lots; what no lot covers becomes debt, or is forgiven, or kept back by the till, as the programme
    says. A sale taken back wholly no longer counts as a purchase or a visit, and gives back the tier it brought.
    `key` is unique in the `source` (the sale's by default) and location; the same key and body again gives the
    first answer. Raises NotFound("receipt"), Invalid("amount" | "lines"), Conflict("key_was_used"),
    Refused("not_a_sale" | "refund_over_original" | "already_refunded").
    """
    sale = await _locked(receipt_id)
    if sale.kind != "sale":
        raise Refused("not_a_sale")
    door = source.value if source else sale.source
    body_hash = _body_hash(receipt_id, amount, lines)
    seen = await db.fetch_row(SEEN, door, sale.location_id, key)
    if seen is not None:
        return answered(seen["body_hash"], seen["answer"], body_hash)
    original, own_ids, burnt = await _original(receipt_id)
    if original.refunded == original.total:
        raise Refused("already_refunded")
    programme = await programme_at(now)
    undone = undo(original, amount, programme, lines=lines)
    lots = await open_lots(sale.customer_id, now=now)
    own = next((lot for lot in lots if lot.id in own_ids), None)
    missing = shortfall(own, lots, undone.reverse, undone.restore, now)
    forgiven = 0 if programme.debt_policy is DebtPolicy.DEBT else missing
    refund_id = await db.fetch_value("SELECT nextval('receipt_id_seq')")
    balance = await db.fetch_value("SELECT balance FROM customer_facts WHERE customer_id = $1", sale.customer_id)
    answer = Recorded(
        refund_id,
        undone.amount,
        undone.pay_back,
        undone.restore,
        undone.reverse - forgiven,
        balance + undone.restore - undone.reverse + forgiven,
        None,
        forgiven=forgiven,
        kept_back=_kept_back(programme, forgiven, undone),
    )
    zone = await db.fetch_value("SELECT time_zone FROM location WHERE id = $1", sale.location_id)
    written = await db.fetch_value(
        REFUND,
        refund_id,
        receipt_id,
        key,
        answer.total,
        answer.paid,
        answer.burnt,
        answer.earned,
        actor.staff_id,
        now,
        zone,
        body_hash,
        db.to_json(answer.to_answer()),
        door,
        answer.forgiven,
        answer.kept_back,
        actor.api_key_id,
        [position for position, _ in undone.lines],
        [part for _, part in undone.lines],
        answer.balance,
    )
    if written is None:
        raise Conflict("key_was_used")
    db.wake("webhooks")
    movement = _Movement(sale.customer_id, sale.location_id, refund_id, receipt_id, zone, actor, now)
    if answer.burnt:
        back = restore(burnt.held, answer.burnt, now)
        grace = gift_lot_dates(programme.refund_grace_days, now, zone)
        await _restore(movement, answer.burnt, back, grace, burnt.elsewhere)
    if answer.earned:
        await _reverse(movement, answer.earned, own_ids)
    await _uncount(movement, answer, whole=original.refunded + undone.amount == original.total)
    await write_journal(
        actor,
        "receipt.refunded",
        subject_kind="receipt",
        subject_id=receipt_id,
        now=now,
        amount=undone.amount,
    )
    await _tell_refund(sale, answer, now)
    return answer


async def _locked(receipt_id: int) -> ReceiptView:
    """The receipt behind its customer's lock: read again, because its card may have become another one meanwhile."""
    known = await receipt(receipt_id)
    while True:
        await hold_cards([known.customer_id])
        again = await receipt(receipt_id)
        if again.customer_id == known.customer_id:
            return again
        known = again


def _body_hash(receipt_id: int, amount: int | None, lines: Sequence[LineRefund]) -> str:
    """Tells another body under the same key."""
    body: dict[str, Any] = {"refund_of": receipt_id, "amount": amount}
    if lines:
        body["lines"] = [[line.position, line.amount] for line in lines]
    return fingerprint(body)


def _kept_back(programme: Programme, forgiven: int, undone: Undone) -> int:
    """Minor units that the till keeps for bonuses it cannot get back: never more than it is to return."""
    if programme.debt_policy is not DebtPolicy.CASH:
        return 0
    return min(undone.pay_back, money_of(forgiven, programme.bonus_value))


@db.use_case
async def undo_receipt(receipt_id: int, *, key: str, actor: Actor, now: datetime) -> Recorded:
    """Take back one's own sale within five minutes of it. Raises Refused("undo_is_over" | "not_your_receipt")."""
    sale = await receipt(receipt_id)
    if sale.staff_id is None or sale.staff_id != actor.staff_id:
        raise Refused("not_your_receipt")
    if now - sale.at > UNDO_WINDOW:
        raise Refused("undo_is_over")
    return await refund_receipt(receipt_id, None, key=key, actor=actor, now=now)


# The refund is a receipt of its own, and the sale and its lines remember how much of them is gone.
REFUND = """
WITH sale AS (
    UPDATE receipt SET refunded = refunded + $4::bigint WHERE id = $2::bigint RETURNING *
), refund AS (
    INSERT INTO receipt (id, kind, source, location_id, external_id, customer_id, original_id, total, paid, burnt,
        earned, refunded, awards, staff_id, at, business_date, body_hash, answer, forgiven, kept_back, api_key_id)
    SELECT $1::bigint, 'refund', $13::text, location_id, $3::text, customer_id, id, $4, $5::bigint, $6::bigint,
        $7::bigint, 0, '[]', $8::int, $9::timestamptz, ($9::timestamptz AT TIME ZONE $10::text)::date, $11::text,
        $12::jsonb, $14::bigint, $15::bigint, $16::int
    FROM sale ON CONFLICT (source, location_id, external_id) DO NOTHING RETURNING id
), part AS (
    SELECT * FROM unnest($17::smallint[], $18::bigint[]) part (position, amount)
), line AS (
    UPDATE receipt_line SET refunded = refunded + part.amount FROM part
    WHERE receipt_line.receipt_id = $2 AND receipt_line.position = part.position RETURNING receipt_line.*, part.amount
), kept AS (
    INSERT INTO receipt_line (receipt_id, position, name, sku, category, total, discount, burnt, earned)
    SELECT refund.id, line.position, line.name, line.sku, line.category, line.amount, 0, 0, 0 FROM refund, line
), event AS (
    INSERT INTO webhook_event (key, type, data, at, is_spread)
    SELECT gen_random_uuid(), 'receipt.refunded', jsonb_build_object('refund_id', refund.id, 'receipt_id', $2,
        'location_id', sale.location_id, 'external_id', $3, 'customer_id', sale.customer_id, 'total', $4, 'paid', $5,
        'burnt', $6, 'earned', $7, 'forgiven', $14, 'kept_back', $15, 'balance', $19::bigint), $9, false
    FROM refund, sale WHERE EXISTS (SELECT FROM webhook_endpoint WHERE is_active AND topics @> '["refund"]')
)
SELECT id FROM refund
"""

# What the sale moved and what refunds of it did so far; its own lot.
ORIGINAL = """
SELECT r.total, r.paid, r.burnt, r.earned, r.refunded, undone.restored, undone.reversed, undone.paid_back,
    r.customer_id, own.id AS lot_id
FROM receipt r
    CROSS JOIN LATERAL (SELECT coalesce(sum(burnt), 0)::bigint AS restored,
        coalesce(sum(earned + forgiven), 0)::bigint AS reversed, coalesce(sum(paid), 0)::bigint AS paid_back
        FROM receipt WHERE original_id = r.id) undone
    LEFT JOIN bonus_entry e ON e.receipt_id = r.id AND e.kind = 'earn'
    LEFT JOIN bonus_lot own ON own.entry_id = e.id
WHERE r.id = $1
"""
# Of lots on a card that became another one nothing can be refilled: their bonuses come back as lots with their dates.
EXPIRED = """
SELECT coalesce(sum(a.amount), 0)::bigint FROM bonus_allocation a JOIN bonus_entry e ON e.id = a.entry_id
WHERE a.lot_id = ANY($1::bigint[]) AND e.kind = 'expire'
"""
BURNT_LOTS = """
SELECT l.id, l.remaining, l.activates_at, l.expires_at, l.source, l.customer_id, a.amount
FROM bonus_entry e JOIN bonus_allocation a ON a.entry_id = e.id JOIN bonus_lot l ON l.id = a.lot_id
WHERE e.receipt_id = $1 AND e.kind = 'burn' ORDER BY a.id
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


async def _restore(
    movement: _Movement, amount: int, back: Restore, grace: LotDates, elsewhere: Mapping[int, NewLot]
) -> None:
    """Give burnt bonuses back; what came from expired lots gets some days of grace.

    elsewhere: lots of a card that became this one. What came from them is a lot of its own here, with their dates.
    """
    here = [part for part in back.to_lots if part.lot_id not in elsewhere]
    moved = [replace(elsewhere[part.lot_id], amount=-part.amount) for part in back.to_lots if part.lot_id in elsewhere]
    lot = NewLot(back.as_new_lot, grace, Source.GRACE) if back.as_new_lot else None
    await movement.post(amount, Kind.RESTORE_BURN, Kind.BURN, taken=here, lot=lot, more_lots=moved)


async def _reverse(movement: _Movement, amount: int, own_ids: Sequence[int]) -> None:
    """Take earned bonuses back. Lots are read now, with what the refund has just restored to them."""
    lots = await open_lots(movement.customer_id, now=movement.now)
    own = next((lot for lot in lots if lot.id in own_ids), None)
    reversal = reverse(own, lots, amount, movement.now)
    await movement.post(-amount, Kind.REVERSE_EARN, Kind.EARN, taken=reversal.taken, debt=reversal.debt)


async def _uncount(movement: _Movement, answer: Recorded, *, whole: bool) -> None:
    """Take the refund off the facts; with the whole sale its visit goes, and the tier that it brought.

    Whether the window still supports another tier is left to the sweep, which is asked to look at once.
    """
    await db.execute(
        "UPDATE customer_facts SET sold = sold - $2, paid = paid - $3,"
        " tier_due_at = CASE WHEN tier_id <> 0 THEN $4::timestamptz END WHERE customer_id = $1",
        movement.customer_id,
        answer.total,
        answer.paid,
        movement.now,
    )
    if not whole:
        return
    # A sale wholly taken back is no purchase any more; its visit stays when something else made it, too.
    await db.execute("UPDATE customer_facts SET receipts = receipts - 1 WHERE customer_id = $1", movement.customer_id)
    await recount_visits(movement.customer_id, now=movement.now)
    change = await db.fetch_row(
        "SELECT tier_id, previous_tier_id, receipt_id FROM tier_change WHERE customer_id = $1 ORDER BY id DESC LIMIT 1",
        movement.customer_id,
    )
    if change is None or change["receipt_id"] != movement.sale_id:
        return
    at_till = await till(movement.customer_id, movement.location_id, now=movement.now)
    earned_again = at_till.programme.tier_for(tier_progress(at_till))
    if earned_again.threshold >= at_till.programme.tier(change["tier_id"]).threshold:
        return
    before = at_till.programme.tier(change["previous_tier_id"])
    tier = max(earned_again, before, key=lambda tier: tier.threshold)
    await db.execute(
        "WITH facts AS (UPDATE customer_facts SET tier_id = $2::smallint,"
        " tier_due_at = CASE WHEN $2 <> 0 THEN $5::timestamptz END WHERE customer_id = $1::bigint)"
        " INSERT INTO tier_change (customer_id, tier_id, previous_tier_id, receipt_id, reason, at)"
        " VALUES ($1, $2, $3, $4, 'refund', $5)",
        movement.customer_id,
        tier.id,
        change["tier_id"],
        movement.refund_id,
        movement.now,
    )


@dataclass(frozen=True, slots=True)
class _Burnt:
    """What a sale still holds of the lots that it burnt, and the lots among them that are on another card than it."""

    held: list[tuple[Lot, int]]
    elsewhere: Mapping[int, NewLot]


async def _original(receipt_id: int) -> tuple[Original, list[int], _Burnt]:
    """The sale as a refund sees it, what its own lot is or became, and what it still holds of the lots it burnt."""
    row = await db.fetch_row(ORIGINAL, receipt_id)
    assert row is not None
    own_ids = [lot_id for _, lot_id in await lots_after([row["lot_id"]] if row["lot_id"] else [])]
    numbers = ("total", "paid", "burnt", "earned", "refunded", "restored", "reversed", "paid_back")
    lines = tuple(
        OriginalLine(line.position, line.total, line.burnt, line.earned, line.refunded)
        for line in await lines_of(receipt_id)
    )
    expired = await db.fetch_value(EXPIRED, own_ids)
    original = Original(**{name: row[name] for name in numbers}, expired=expired, lines=lines)
    parts = await db.fetch(BURNT_LOTS, receipt_id)
    burnt = [
        (Lot(part["id"], part["remaining"], part["activates_at"], part["expires_at"]), part["amount"]) for part in parts
    ]
    elsewhere = {
        part["id"]: NewLot(0, LotDates(part["activates_at"], part["expires_at"]), Source(part["source"]))
        for part in parts
        if part["customer_id"] != row["customer_id"]
    }
    return original, own_ids, _Burnt(still_held(burnt, original.restored), elsewhere)


async def _tell_refund(sale: ReceiptView, answer: Recorded, now: datetime) -> None:
    """Tell the customer what a refund moved, where they can be told."""
    recipient = await recipient_of(sale.customer_id, "receipt_refunded")
    if recipient is None:
        return
    language = recipient.language
    chain = await shop()
    values = {
        "total": wording.money(answer.total, chain.currency, chain.exponent, language),
        "location": sale.location_name,
        "restored": wording.bonuses_in_words(answer.burnt, language) if answer.burnt else "",
        "reversed": wording.bonuses_in_words(answer.earned, language) if answer.earned else "",
        "balance": wording.bonuses_in_words(max(0, answer.balance), language),
    }
    await tell_customer(recipient, values, dedupe_key=f"refund:{answer.receipt_id}", now=now)
