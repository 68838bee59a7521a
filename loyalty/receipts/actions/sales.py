"""Recording a sale once."""

import json
from datetime import datetime

from loyalty import db, wording
from loyalty.clock import business_date
from loyalty.conversations.actions.outbox import service_content
from loyalty.conversations.content import Content
from loyalty.customers.actions import lock_customer
from loyalty.customers.rules import NEVER
from loyalty.errors import Conflict, Refused
from loyalty.receipts.queries import receipt_by_key, till_for
from loyalty.receipts.rules import (
    Presence,
    Quote,
    ReceiptDraft,
    Recorded,
    Till,
    checked,
    quote,
)
from loyalty.staff.rules import Actor

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
        refunded, awards, presence, staff_id, at, business_date, body_hash, answer, discount, tier_id, programme_id,
        promo_code, fiscal_fn, fiscal_i, fiscal_fp, api_key_id)
    VALUES ($1::bigint, 'sale', $2::text, $3::int, $4::text, $5::bigint, $6::bigint, $7::bigint, $8::bigint,
        $9::bigint, 0, $10::jsonb, $11::text, $12::int, $13::timestamptz, $14::date, $15::text, $16::jsonb,
        $34::bigint, $30::smallint, $35::int, $36::text, $37::text, $38::bigint, $39::bigint, $40::int)
    ON CONFLICT DO NOTHING RETURNING id
), line AS (
    INSERT INTO receipt_line (receipt_id, position, name, sku, category, total, discount, burnt, earned)
    SELECT sale.id, part.position, part.name, part.sku, part.category, part.total, part.discount, part.burnt,
        part.earned
    FROM sale, unnest($41::text[], $42::text[], $43::text[], $44::bigint[], $45::bigint[], $46::bigint[],
        $47::bigint[]) WITH ORDINALITY part (name, sku, category, total, discount, burnt, earned, position)
), hold AS (
    UPDATE hold SET state = 'confirmed', receipt_id = sale.id, decided_at = $13 FROM sale
    WHERE hold.id = $48::bigint AND hold.state = 'held'
), facts AS (
    UPDATE customer_facts SET sold = sold + $6, paid = paid + $7, receipts = receipts + 1, visits = visits + $17::int,
        first_visit_at = CASE WHEN first_visit_at = $28::timestamptz THEN $13 ELSE least(first_visit_at, $13) END,
        last_visit_at = greatest(last_visit_at, $13), balance = balance - $8 + $9, debt = debt - $18::bigint,
        burnt = burnt + $8, earned = earned + $9, tier_id = $19::smallint,
        -- How long a tier stays is the sweep's business: it looks at a new one at once.
        tier_due_at = CASE WHEN $19 <> $30 THEN $13 ELSE tier_due_at END
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
    SELECT $5, $19, $30, id, 'threshold', $13 FROM sale WHERE $19 <> $30
), journal AS (
    INSERT INTO journal_entry (at, actor_kind, staff_id, api_key_id, action, subject_kind, subject_id, details)
    SELECT $13, $21, $12, $40, 'receipt.recorded', 'receipt', id, '{}' FROM sale
), code AS (
    INSERT INTO card_code_use (customer_id, step, receipt_id)
    SELECT $5, $31::bigint, id FROM sale WHERE $31::bigint IS NOT NULL
), message AS (
    INSERT INTO message (account_id, customer_id, direction, kind, content, status, priority, dedupe_key, created_at,
        due_at, attempts)
    SELECT $32::bigint, $5, 'out', 'receipt', $33::jsonb, 'queued', 1, 'receipt:' || id, $13, $13, 0
    FROM sale WHERE $32::bigint IS NOT NULL
)
SELECT id FROM sale
"""


@db.use_case
async def record_receipt(draft: ReceiptDraft, *, actor: Actor, now: datetime) -> Recorded:
    """Record a sale: earn on it, burn for it, count it, all or nothing.

    The till's key makes it safe to send twice: the same key and body gives the first answer, marked `repeated`.
    What may be burnt is computed again here, whatever a quote said; with `hold_id` the burn takes what was set
    aside, even when it has expired meanwhile, and the rest of the hold is free again.
    Raises Conflict("key_was_used") for the same key with another body, Invalid for a bad draft,
    NotFound("customer" | "location" | "hold"), Refused("location_is_closed" | "own_account" | "hold_of_another" |
    "hold_is_over" | "fiscal_receipt_was_credited") and what `quote` refuses.
    """
    draft = checked(draft)
    # Lock before reading lots: two tills may serve one card at once.
    await lock_customer(draft.customer_id)
    look = await db.fetch_row(LOOK, draft.source.value, draft.location_id, draft.external_id)
    assert look is not None
    if look["body_hash"] is not None:
        return answered(look, draft.body_hash())
    if draft.proof is not None and draft.proof.customer_id != draft.customer_id:
        raise Refused("burn_needs_presence")
    if draft.promo_code is not None:
        # One after the other: the code may have one use left, and two customers at two tills.
        await db.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"promo code {draft.promo_code}")
    at_till = await till_for(draft, now=now)
    check_till(at_till, actor)
    sale = quote(at_till, draft, now=now)
    recorded = await _write(draft, at_till, sale, look, actor=actor, now=now)
    if recorded is None:
        # Another customer's sale took the key meanwhile: the lock we hold did not keep it out.
        raise await _why_not(draft)
    return recorded


async def _why_not(draft: ReceiptDraft) -> Conflict | Refused:
    """Which of its keys kept a sale from being written."""
    if draft.fiscal is not None and await receipt_by_key(draft.source, draft.location_id, draft.external_id) is None:
        return Refused("fiscal_receipt_was_credited")
    return Conflict("key_was_used")


def check_till(at_till: Till, actor: Actor) -> None:
    """Raise Refused("location_is_closed" | "own_account") where nobody may be served."""
    if not at_till.is_open:
        raise Refused("location_is_closed")
    if actor.phone is not None and actor.phone == at_till.customer_phone:
        raise Refused("own_account")


async def _write(
    draft: ReceiptDraft, at_till: Till, sale: Quote, ids: db.Row, *, actor: Actor, now: datetime
) -> Recorded | None:
    """Write the sale under `ids`; None when one of its keys was taken meanwhile."""
    pending = sale.earn and sale.dates.activates_at > now
    recorded = Recorded(
        receipt_id=ids["receipt_id"],
        total=sale.total,
        paid=sale.pay,
        burnt=sale.burn,
        earned=sale.earn,
        balance=sale.balance_after,
        spendable_from=sale.dates.activates_at.isoformat() if pending else None,
        discount=sale.discount,
    )
    # A receipt that came without lines keeps none.
    lines = sale.lines if draft.lines else ()
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
        sale.presence.value if sale.presence and sale.burn else None,
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
        [part.lot_id for part in sale.taken],
        [part.amount for part in sale.taken],
        ids["earn_id"],
        ids["lot_id"],
        sale.dates.activates_at,
        sale.dates.expires_at,
        NEVER,
        at_till.balance,
        at_till.tier_id,
        _code_step(draft, at_till, sale),
        at_till.account_id,
        db.to_json(_told(at_till, sale, now).to_body()) if at_till.account_id else None,
        sale.discount,
        at_till.programme_id,
        draft.promo_code,
        draft.fiscal.fn if draft.fiscal else None,
        draft.fiscal.i if draft.fiscal else None,
        draft.fiscal.fp if draft.fiscal else None,
        actor.api_key_id,
        [part.line.name for part in lines],
        [part.line.sku for part in lines],
        [part.line.category for part in lines],
        [part.total for part in lines],
        [part.discount for part in lines],
        [part.burnt for part in lines],
        [part.earned for part in lines],
        draft.hold_id,
    )
    if written and at_till.account_id:
        db.wake("messages")
    return recorded if written else None


def _code_step(draft: ReceiptDraft, at_till: Till, sale: Quote) -> int | None:
    """The step of the code that pays for this burn: shown now, or when the bonuses were set aside."""
    if not sale.burn or sale.presence is not Presence.CODE:
        return None
    if at_till.held is not None:
        return at_till.held.code_step
    return draft.proof.step if draft.proof else None


def _told(at_till: Till, sale: Quote, now: datetime) -> Content:
    """What the customer is told of a sale, in their language."""
    language = at_till.language
    is_pending = sale.earn and sale.dates.activates_at > now
    first_day = wording.day(business_date(sale.dates.activates_at, at_till.zone), language)
    values = {
        "total": wording.money(sale.total, at_till.currency, at_till.exponent, language),
        "location": at_till.location_name,
        "burnt": wording.bonuses_in_words(sale.burn, language) if sale.burn else "",
        "earned": wording.bonuses_in_words(sale.earn, language) if sale.earn else "",
        "spendable_from": first_day if is_pending else "",
        "tier": sale.tier_after.name if sale.tier_after.id != at_till.tier_id else "",
        "balance": wording.bonuses_in_words(max(0, sale.balance_after), language),
    }
    return service_content("receipt", language, values)


def answered(row: db.Row, body_hash: str) -> Recorded:
    """The first answer under this key. Raises Conflict when it answered another body."""
    if row["body_hash"] != body_hash:
        raise Conflict("key_was_used")
    return Recorded.from_answer(json.loads(row["answer"]))
