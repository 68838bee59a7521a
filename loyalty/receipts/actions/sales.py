"""Recording a sale once."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from loyalty import db, wording
from loyalty.clock import business_date
from loyalty.conversations.actions.refusals import noting_refusals
from loyalty.conversations.content import Content
from loyalty.conversations.kinds.said import service_content
from loyalty.conversations.queries.recipients import first_name
from loyalty.customers.actions.profile import lock_customer
from loyalty.customers.rules import NEVER
from loyalty.errors import Conflict, Refused
from loyalty.receipts.actions.visits import bring_back, recount_visits
from loyalty.receipts.queries import on_present_card, receipt_by_key, till_for
from loyalty.receipts.queries.visits import frequency
from loyalty.receipts.rules.sales import Presence, Quote, ReceiptDraft, Recorded, Till, check_card, checked, quote
from loyalty.staff.rules import Actor

# One statement writes the sale and all that follows from it, in the tables of four rooms. It begins by taking the
# customer's lock, and goes on only if the facts are still the version that the sale was computed from: whoever moves
# money, sets bonuses aside or changes what a sale decides on changes that row. Nothing is written when a key is taken.
DAYS = "(year_days + (:today > year_last_on)::int)"
RECORD = db.Statement(f"""
WITH customer AS MATERIALIZED (
    SELECT customer_id FROM customer_facts
    WHERE customer_id = :customer_id::bigint AND xmin = :version::text::xid FOR NO KEY UPDATE
), ids AS MATERIALIZED (
    -- The burn comes before the earn in the ledger.
    SELECT nextval('receipt_id_seq') AS receipt_id, nextval('bonus_entry_id_seq') AS burn_id,
        nextval('bonus_entry_id_seq') AS earn_id, nextval('bonus_lot_id_seq') AS lot_id FROM customer
), sale AS (
    INSERT INTO receipt (id, kind, source, location_id, external_id, customer_id, total, paid, burnt, earned,
        refunded, awards, presence, staff_id, at, business_date, body_hash, answer, discount, tier_id, programme_id,
        promo_code, fiscal_fn, fiscal_i, fiscal_fp, api_key_id)
    SELECT receipt_id, 'sale', :source::text, :location_id::int, :external_id::text, :customer_id, :total::bigint,
        :paid::bigint, :burnt::bigint, :earned::bigint, 0, :awards::jsonb, :presence::text, :staff_id::int,
        :now::timestamptz, :today::date, :body_hash::text,
        :answer::jsonb || jsonb_build_object('receipt_id', receipt_id), :discount::bigint, :tier_before::smallint,
        :programme_id::int, :promo_code::text, :fiscal_fn::text, :fiscal_i::bigint, :fiscal_fp::bigint,
        :api_key_id::int
    FROM ids ON CONFLICT DO NOTHING RETURNING id
), line AS (
    INSERT INTO receipt_line (receipt_id, position, name, sku, category, total, discount, burnt, earned)
    SELECT sale.id, part.position, part.name, part.sku, part.category, part.total, part.discount, part.burnt,
        part.earned
    FROM sale, unnest(:line_names::text[], :line_skus::text[], :line_categories::text[], :line_totals::bigint[],
        :line_discounts::bigint[], :line_burnts::bigint[], :line_earneds::bigint[])
        WITH ORDINALITY part (name, sku, category, total, discount, burnt, earned, position)
), hold AS (
    UPDATE hold SET state = 'confirmed', receipt_id = sale.id, decided_at = :now FROM sale
    WHERE hold.id = :hold_id::bigint AND hold.state = 'held'
), facts AS (
    UPDATE customer_facts SET sold = sold + :total, paid = paid + :paid, receipts = receipts + 1,
        visits = visits + :visits::int,
        first_visit_at = CASE WHEN first_visit_at = :never::timestamptz THEN :now ELSE least(first_visit_at, :now) END,
        last_visit_at = greatest(last_visit_at, :now), balance = balance - :burnt + :earned,
        locations = locations + (:visits > 0 AND NOT EXISTS (SELECT FROM customer_location known
            WHERE known.location_id = :location_id AND known.customer_id = :customer_id AND known.visits > 0))::int,
        -- Days that have left the year by now are the nightly walk's business.
        year_days = {DAYS}, year_last_on = greatest(year_last_on, :today),
        year_first_on = CASE WHEN year_days = 0 THEN :today ELSE year_first_on END,
        frequency = {frequency(DAYS, "year_first_on", "greatest(year_last_on, :today)")},
        debt = debt - :repaid::bigint, burnt = burnt + :burnt, earned = earned + :earned,
        tier_id = :tier_after::smallint,
        -- How long a tier stays is the sweep's business: it looks at a new one at once.
        tier_due_at = CASE WHEN :tier_after <> :tier_before THEN :now ELSE tier_due_at END
    FROM sale WHERE customer_id = :customer_id
), burn AS (
    INSERT INTO bonus_entry (id, customer_id, amount, balance_after, kind, event, operation_id, actor_kind, staff_id,
        location_id, receipt_id, at, business_date)
    SELECT burn_id, :customer_id, -:burnt, :balance::bigint - :burnt, 'burn', 'receipt', 'burn:' || id,
        :actor_kind::text, :staff_id, :location_id, id, :now, :today
    FROM sale, ids WHERE :burnt > 0 RETURNING id
), taken AS (
    INSERT INTO bonus_allocation (entry_id, lot_id, amount)
    SELECT burn.id, part.lot_id, part.amount
    FROM burn, unnest(:taken_lots::bigint[], :taken_amounts::bigint[]) part (lot_id, amount)
), spent AS (
    UPDATE bonus_lot SET remaining = remaining - part.amount
    FROM burn, unnest(:taken_lots, :taken_amounts) part (lot_id, amount) WHERE bonus_lot.id = part.lot_id
), earn AS (
    INSERT INTO bonus_entry (id, customer_id, amount, balance_after, kind, event, operation_id, actor_kind, staff_id,
        location_id, receipt_id, at, business_date)
    SELECT earn_id, :customer_id, :earned, :balance - :burnt + :earned, 'earn', 'receipt', 'earn:' || id,
        :actor_kind, :staff_id, :location_id, id, :now, :today
    FROM sale, ids WHERE :earned > 0 RETURNING id
), lot AS (
    INSERT INTO bonus_lot (id, customer_id, entry_id, amount, remaining, activates_at, expires_at, source)
    SELECT lot_id, :customer_id, id, :earned, :earned - :repaid, :activates_at::timestamptz,
        :expires_at::timestamptz, 'receipt'
    FROM earn, ids RETURNING id, entry_id
), repaid AS (
    INSERT INTO bonus_allocation (entry_id, lot_id, amount)
    SELECT entry_id, id, :repaid FROM lot WHERE :repaid > 0
), place AS (
    INSERT INTO customer_location (location_id, customer_id, visits, last_visit_at)
    SELECT :location_id, :customer_id, :visits, :now FROM sale
    ON CONFLICT (location_id, customer_id) DO UPDATE SET visits = customer_location.visits + EXCLUDED.visits,
        last_visit_at = greatest(customer_location.last_visit_at, EXCLUDED.last_visit_at)
), tier AS (
    INSERT INTO tier_change (customer_id, tier_id, previous_tier_id, receipt_id, reason, at)
    SELECT :customer_id, :tier_after, :tier_before, id, 'threshold', :now FROM sale
    WHERE :tier_after <> :tier_before
), journal AS (
    INSERT INTO journal_entry (at, actor_kind, staff_id, api_key_id, action, subject_kind, subject_id, details)
    SELECT :now, :actor_kind, :staff_id, :api_key_id, 'receipt.recorded', 'receipt', id, '{{}}' FROM sale
), code AS (
    INSERT INTO card_code_use (customer_id, step, receipt_id)
    SELECT :customer_id, :code_step::bigint, id FROM sale WHERE :code_step IS NOT NULL
), message AS (
    INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, dedupe_key,
        created_at, due_at, attempts)
    SELECT :account_id::bigint, :customer_id, :account_channel::text, 'out', 'receipt', :message::jsonb, 'queued', 1,
        'receipt:' || id, :now, :now, 0
    FROM sale WHERE :account_id IS NOT NULL
), event AS (
    INSERT INTO webhook_event (key, type, data, at, is_spread)
    SELECT gen_random_uuid(), 'receipt.recorded', jsonb_build_object('receipt_id', id, 'location_id', :location_id,
        'external_id', :external_id, 'customer_id', :customer_id, 'total', :total, 'discount', :discount,
        'paid', :paid, 'burnt', :burnt, 'earned', :earned, 'balance', :balance - :burnt + :earned), :now, false
    FROM sale WHERE EXISTS (SELECT FROM webhook_endpoint WHERE is_active AND topics @> '["receipt"]') RETURNING id
)
SELECT id, EXISTS (SELECT FROM event) AS is_told FROM sale
""")


async def record_receipt(draft: ReceiptDraft, *, actor: Actor, now: datetime) -> Recorded:
    """Record a sale: earn on it, burn for it, count it, all or nothing.

    The till's key makes it safe to send twice: the same key and body gives the first answer, marked `repeated`.
    What may be burnt is computed again here, whatever a quote said; with `hold_id` the burn takes what was set
    aside, even when it has expired meanwhile, and the rest of the hold is free again.
    Raises Conflict("key_was_used") for the same key with another body, Invalid for a bad draft,
    NotFound("customer" | "location" | "hold"), Refused("location_is_closed" | "own_account" | "hold_of_another" |
    "hold_is_over" | "fiscal_receipt_was_credited") and what `quote` refuses. Somebody who was deleted from the base is
    back in it; a sale to a card that has become another one is a sale to that one. Within another's transaction, which
    holds other locks, that is Refused("card_was_merged").
    """
    return await on_present_card(checked(draft), lambda one: _record_noted(one, actor=actor, now=now))


async def _record_noted(draft: ReceiptDraft, *, actor: Actor, now: datetime) -> Recorded:
    async with noting_refusals(draft.customer_id, draft.location_id, actor=actor, now=now):
        if draft.promo_code is None and draft.hold_id is None and not db.in_use_case():
            # Two statements and no open transaction between them: the second one writes nothing when the customer
            # has changed since the first, and then the sale takes its turn at the customer's lock.
            recorded = await _record(draft, actor=actor, now=now)
            if recorded is not None:
                return recorded
        return await _record_in_turn(draft, actor=actor, now=now)


@db.use_case
async def _record_in_turn(draft: ReceiptDraft, *, actor: Actor, now: datetime) -> Recorded:
    # Lock before reading lots: two tills may serve one card at once.
    await lock_customer(draft.customer_id)
    if draft.promo_code is not None:
        # One after the other: the code may have one use left, and two customers at two tills.
        await db.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"promo code {draft.promo_code}")
    recorded = await _record(draft, actor=actor, now=now)
    if recorded is None:
        # Another customer's sale has one of the keys: the lock we hold did not keep it out.
        raise await _why_not(draft)
    return recorded


async def _record(draft: ReceiptDraft, *, actor: Actor, now: datetime) -> Recorded | None:
    """Record a sale, or answer for its key again.

    None when the customer has changed, or a key was taken, meanwhile; and when more than the one statement is to be
    done, for which the sale must take its turn.
    """
    at_till = await till_for(draft, now=now)
    if at_till.seen is not None:
        return answered(*at_till.seen, draft.body_hash())
    if draft.proof is not None and draft.proof.customer_id != draft.customer_id:
        raise Refused("burn_needs_presence")
    check_till(at_till, actor)
    is_plain = not (at_till.is_late or at_till.is_deleted)
    if not is_plain and not db.in_use_case():
        return None
    recorded = await _write(draft, at_till, quote(at_till, draft, now=now), actor=actor, now=now)
    if recorded is not None and not is_plain:
        await _set_right(at_till, draft.customer_id, actor=actor, now=now)
    return recorded


async def _set_right(at_till: Till, customer_id: int, *, actor: Actor, now: datetime) -> None:
    """What is rare after a sale, and so not in its statement."""
    if at_till.is_late:
        # Nobody knows whether this day was counted: the statement compares with the last one alone.
        await recount_visits(customer_id, now=now)
    if at_till.is_deleted:
        await bring_back(customer_id, actor=actor, now=now)


async def _why_not(draft: ReceiptDraft) -> Conflict | Refused:
    """Which of its keys kept a sale from being written."""
    if draft.fiscal is not None and await receipt_by_key(draft.source, draft.location_id, draft.external_id) is None:
        return Refused("fiscal_receipt_was_credited")
    return Conflict("key_was_used")


def check_till(at_till: Till, actor: Actor) -> None:
    """Raise Refused("location_is_closed" | "own_account") and what `check_card` raises where nobody may be served."""
    check_card(at_till)
    if not at_till.is_open:
        raise Refused("location_is_closed")
    if actor.phone is not None and actor.phone == at_till.customer_phone:
        raise Refused("own_account")


async def _write(draft: ReceiptDraft, at_till: Till, sale: Quote, *, actor: Actor, now: datetime) -> Recorded | None:
    """Write the sale; None when nothing was written."""
    pending = sale.earn and sale.dates.activates_at > now
    recorded = Recorded(
        receipt_id=0,
        total=sale.total,
        paid=sale.pay,
        burnt=sale.burn,
        earned=sale.earn,
        balance=sale.balance_after,
        spendable_from=sale.dates.activates_at.isoformat() if pending else None,
        discount=sale.discount,
    )
    told = db.to_json(_told(at_till, sale, now).to_body()) if at_till.account_id else None
    written = await RECORD.row(
        {
            **_numbers(draft, at_till, sale),
            **_line_columns(draft, sale),
            "version": at_till.version,
            "now": now,
            "never": NEVER,
            "today": at_till.business_date,
            "actor_kind": actor.kind.value,
            "staff_id": actor.staff_id,
            "api_key_id": actor.api_key_id,
            "body_hash": draft.body_hash(),
            "answer": db.to_json(recorded.to_answer()),
            "account_id": at_till.account_id,
            "account_channel": at_till.account_channel,
            "message": told,
        }
    )
    if written is None:
        return None
    if at_till.account_id:
        db.wake("messages")
    if written["is_told"]:
        db.wake("webhooks")
    return replace(recorded, receipt_id=written["id"])


def _numbers(draft: ReceiptDraft, at_till: Till, sale: Quote) -> dict[str, Any]:
    """What the sale is and moves, by the names of the statement."""
    return {
        "source": draft.source.value,
        "location_id": draft.location_id,
        "external_id": draft.external_id,
        "customer_id": draft.customer_id,
        "total": sale.total,
        "paid": sale.pay,
        "burnt": sale.burn,
        "earned": sale.earn,
        "discount": sale.discount,
        "repaid": sale.repaid,
        "balance": at_till.balance,
        "visits": int(not at_till.visited),
        "tier_before": at_till.tier_id,
        "tier_after": sale.tier_after.id,
        "programme_id": at_till.programme_id,
        "awards": db.to_json([award.snapshot() for award in sale.awards]),
        "presence": sale.presence.value if sale.presence and sale.burn else None,
        "promo_code": draft.promo_code,
        "fiscal_fn": draft.fiscal.fn if draft.fiscal else None,
        "fiscal_i": draft.fiscal.i if draft.fiscal else None,
        "fiscal_fp": draft.fiscal.fp if draft.fiscal else None,
        "hold_id": draft.hold_id,
        "code_step": _code_step(draft, at_till, sale),
        "taken_lots": [part.lot_id for part in sale.taken],
        "taken_amounts": [part.amount for part in sale.taken],
        "activates_at": sale.dates.activates_at,
        "expires_at": sale.dates.expires_at,
    }


def _line_columns(draft: ReceiptDraft, sale: Quote) -> dict[str, Any]:
    """The lines by column; a receipt that came without lines keeps none."""
    lines = sale.lines if draft.lines else ()
    return {
        "line_names": [part.line.name for part in lines],
        "line_skus": [part.line.sku for part in lines],
        "line_categories": [part.line.category for part in lines],
        "line_totals": [part.total for part in lines],
        "line_discounts": [part.discount for part in lines],
        "line_burnts": [part.burnt for part in lines],
        "line_earneds": [part.earned for part in lines],
    }


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
    first_day = ""
    if sale.earn and sale.dates.activates_at > now:
        first_day = wording.day(business_date(sale.dates.activates_at, at_till.zone), language)
    values = {
        "first_name": first_name(at_till.customer_name),
        "total": wording.money(sale.total, at_till.currency, at_till.exponent, language),
        "location": at_till.location_name,
        "burnt": wording.bonuses_in_words(sale.burn, language) if sale.burn else "",
        "earned": wording.bonuses_in_words(sale.earn, language) if sale.earn else "",
        "spendable_from": first_day,
        "tier": sale.tier_after.name if sale.tier_after.id != at_till.tier_id else "",
        "balance": wording.bonuses_in_words(max(0, sale.balance_after), language),
    }
    return service_content("receipt", language, values, at_till.own_texts)


def answered(seen_hash: str, answer: str, body_hash: str) -> Recorded:
    """The first answer under a key. Raises Conflict when it answered another body."""
    if seen_hash != body_hash:
        raise Conflict("key_was_used")
    return Recorded.from_answer(json.loads(answer))
