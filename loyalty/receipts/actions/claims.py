"""Fiscal receipts that customers send: claimed once by whoever is first, and credited when they are borne out."""

from datetime import datetime

from loyalty import db, wording
from loyalty.bonuses.actions.manual import refuse_own_account
from loyalty.clock import business_date, start_of_day
from loyalty.conversations.actions.outbox import tell_customer
from loyalty.conversations.kinds.claim_refused import WHY
from loyalty.conversations.queries.recipients import recipient_of
from loyalty.customers.actions.moving import hold_cards
from loyalty.customers.actions.profile import lock_customer
from loyalty.errors import Conflict, Invalid, NotFound, Refused
from loyalty.money import MAX_MINOR
from loyalty.receipts.actions.sales import record_receipt
from loyalty.receipts.queries.claims import (
    Claim,
    FiscalReportView,
    claim,
    claim_by_key,
    credited_by_key,
    known_of,
    looks_credited,
)
from loyalty.receipts.rules.claims import (
    BY_HAND,
    FREED_BY_REPORT,
    ClaimSource,
    ClaimState,
    Evidence,
    FiscalQr,
    Refusal,
    check_claim,
    why_wait,
)
from loyalty.receipts.rules.sales import FiscalKey, ReceiptDraft, ReceiptSource, check_fiscal
from loyalty.shop.queries import programme_at, shop
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor, ActorKind

SENDER = Actor(ActorKind.CUSTOMER)

INSERT = """
INSERT INTO fiscal_claim (customer_id, fn, i, fp, total, sold_at, source, media_id, location_id, state, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting', $10) ON CONFLICT (fn, i, fp) DO NOTHING RETURNING id
"""


@db.use_case
async def claim_receipt(
    customer_id: int,
    qr: FiscalQr,
    *,
    source: ClaimSource,
    media_id: int | None = None,
    actor: Actor,
    now: datetime,
) -> tuple[Claim, bool]:
    """Claim a fiscal receipt for a customer; what can be decided without a person is decided at once.

    Returns the claim as it stands, and whether it is new: the same customer may send the same receipt again.
    Raises NotFound("customer"), Refused("claimed_by_another" | "fiscal_receipt_was_credited" | "claims_of_day")
    and what `check_claim` refuses.
    """
    await lock_customer(customer_id)
    seen = await claim_by_key(qr.key)
    if seen is not None:
        if seen.customer_id != customer_id:
            raise Refused("claimed_by_another")
        return seen, False
    credited = await credited_by_key(qr.key)
    if credited is not None:
        raise Refused("fiscal_receipt_was_credited" if credited[1] == customer_id else "claimed_by_another")
    known = await known_of(qr.key)
    location_id = known.report_location or known.drive_location
    sold_at = qr.sold_at(known.zone)
    programme = await programme_at(now)
    check_claim(qr, sold_at, programme, is_ours=location_id is not None, now=now)
    await _check_day_of(customer_id, programme.claims_day, now)
    claim_id = await db.fetch_value(
        INSERT, customer_id, qr.key.fn, qr.key.i, qr.key.fp, qr.total, sold_at, source.value, media_id, location_id, now
    )
    if claim_id is None:
        # Two people at once: the other's claim was committed while we waited for its key.
        raise Refused("claimed_by_another")
    await write_journal(
        actor, "claim.made", subject_kind="claim", subject_id=claim_id, now=now, customer=customer_id, via=source.value
    )
    await _decide(await claim(claim_id), actor=actor, now=now)
    return await claim(claim_id), True


@db.use_case
async def approve_claim(claim_id: int, location_id: int | None, *, actor: Actor, now: datetime) -> Claim:
    """Credit what waits or was refused, as a person decided. One that is credited stays as it is.

    location_id: where it was sold, for a cash register that is not known. Raises NotFound("claim"),
    Invalid("location", "required"), Refused("own_account") and what `record_receipt` refuses.
    """
    found = await _locked(claim_id)
    if found.receipt_id is not None:
        return found
    await refuse_own_account(found.customer_id, actor)
    place = location_id or found.location_id
    if place is None:
        raise Invalid("location", "required")
    await _credit(found, place, actor=actor, now=now)
    return await claim(claim_id)


@db.use_case
async def refuse_claim(claim_id: int, reason: str, *, actor: Actor, now: datetime) -> Claim:
    """Refuse what waits, and tell its customer why. One that is refused stays as it is.

    `reason` is one of BY_HAND. Raises NotFound("claim"), Invalid("reason", "unknown_choice"),
    Refused("claim_was_credited" | "own_account").
    """
    if reason not in list(BY_HAND):
        raise Invalid("reason", "unknown_choice")
    found = await _locked(claim_id)
    if found.receipt_id is not None:
        raise Refused("claim_was_credited")
    await refuse_own_account(found.customer_id, actor)
    if found.state is ClaimState.WAITING:
        await _refuse(found, Refusal(reason), actor=actor, now=now)
    return await claim(claim_id)


REPORT = """
INSERT INTO fiscal_report (fn, i, fp, location_id, total, sold_at, api_key_id, created_at)
SELECT $1, $2, $3, id, $5, $6, $7, $8 FROM location WHERE id = $4
ON CONFLICT (fn, i, fp) DO NOTHING RETURNING id
"""
REPORTED = "SELECT id, location_id, total, sold_at, created_at FROM fiscal_report WHERE fn = $1 AND i = $2 AND fp = $3"


async def report_fiscal_receipt(
    key: FiscalKey, *, location_id: int, total: int, sold_at: datetime, actor: Actor, now: datetime
) -> tuple[FiscalReportView, bool]:
    """Keep what a till or provider tells of a fiscal receipt, and decide on the claim that waits for it.

    Returns the report, and whether it is new: the same again changes nothing. Raises Invalid for a field,
    NotFound("location"), Conflict("key_was_used") for another sum, time or location of the same receipt.
    """
    check_fiscal(key)
    if not 0 < total <= MAX_MINOR:
        raise Invalid("total", "must_be_positive" if total <= 0 else "too_large")
    report, is_new = await _keep_report(key, location_id, total, sold_at, actor=actor, now=now)
    waiting = await claim_by_key(key)
    if waiting is not None and waiting.state is ClaimState.WAITING:
        # Its own transaction, for the customer is locked first. If we die before it, the scheduler comes by.
        await _settle(waiting.id, actor=actor, now=now)
    return report, is_new


@db.use_case
async def _keep_report(
    key: FiscalKey, location_id: int, total: int, sold_at: datetime, *, actor: Actor, now: datetime
) -> tuple[FiscalReportView, bool]:
    numbers = (key.fn, key.i, key.fp)
    kept = await db.fetch_value(REPORT, *numbers, location_id, total, sold_at, actor.api_key_id, now)
    row = await db.fetch_row(REPORTED, *numbers)
    if row is None:
        raise NotFound("location")
    report = FiscalReportView(key=key, **row)
    if (report.location_id, report.total, report.sold_at) != (location_id, total, sold_at):
        raise Conflict("key_was_used")
    return report, kept is not None


# Index: fiscal_claim_waiting. What was reported, or has become one of our cash registers, is looked at once more: its
# reason is another one after that.
SETTLED = """
SELECT c.id FROM fiscal_claim c WHERE c.state = 'waiting' AND (
    EXISTS (SELECT FROM receipt r WHERE r.kind = 'sale' AND r.fiscal_fn = c.fn AND r.fiscal_i = c.i
        AND r.fiscal_fp = c.fp)
    OR c.reason = ANY($2::text[]) AND EXISTS (SELECT FROM fiscal_report r
        WHERE r.fn = c.fn AND r.i = c.i AND r.fp = c.fp)
    OR c.reason = 'unknown_drive' AND EXISTS (SELECT FROM fiscal_drive d WHERE d.fn = c.fn))
ORDER BY c.id LIMIT $1
"""


async def settle_claims(*, actor: Actor, now: datetime, limit: int) -> int:
    """Decide on waiting claims of which more is known by now; returns how many. One transaction a claim."""
    due = await db.fetch(SETTLED, limit, [reason.value for reason in FREED_BY_REPORT])
    for row in due:
        await _settle(row["id"], actor=actor, now=now)
    return len(due)


@db.use_case
async def _settle(claim_id: int, *, actor: Actor, now: datetime) -> None:
    found = await _locked(claim_id)
    if found.state is ClaimState.WAITING:
        await _decide(found, actor=actor, now=now)


async def _locked(claim_id: int) -> Claim:
    """The claim as it is behind the lock of its customer, which everybody takes who changes it.

    Read again, because the customer's card may have become another one meanwhile.
    """
    known = await claim(claim_id)
    while True:
        await hold_cards([known.customer_id])
        again = await claim(claim_id)
        if again.customer_id == known.customer_id:
            return again
        known = again


async def _decide(waiting: Claim, *, actor: Actor, now: datetime) -> None:
    """Settle a waiting claim by what is known, or say why it needs a person."""
    credited = await credited_by_key(waiting.key)
    if credited is not None:
        receipt_id, customer_id = credited
        if customer_id == waiting.customer_id:
            await _close(waiting, ClaimState.MATCHED, receipt_id, waiting.location_id, actor=actor, now=now)
        else:
            await _refuse(waiting, Refusal.CREDITED_TO_ANOTHER, actor=actor, now=now)
        return
    known = await known_of(waiting.key)
    location_id = known.report_location or known.drive_location
    similar = location_id is not None and await looks_credited(location_id, waiting.total, waiting.sold_at)
    reason: str | None = why_wait(
        Evidence(waiting.total, location_id, known.reported, similar), await programme_at(now)
    )
    if reason is None and location_id is not None:
        try:
            await _credit(waiting, location_id, actor=actor, now=now)
        except (Refused, Conflict) as refused:
            reason = refused.reason
        else:
            return
    await db.execute(
        "UPDATE fiscal_claim SET reason = $2, location_id = $3 WHERE id = $1", waiting.id, reason, location_id
    )


async def _credit(found: Claim, location_id: int, *, actor: Actor, now: datetime) -> None:
    """Record the sale. Nothing is written when that is refused."""
    key = found.key
    draft = ReceiptDraft(
        ReceiptSource.CHAT,
        location_id,
        f"{key.fn}-{key.i}-{key.fp}",
        found.customer_id,
        found.total,
        # What is printed is what was paid: a discount is off it already.
        discounts_applied=True,
        fiscal=key,
        sold_at=found.sold_at,
    )
    # The sale is its customer's: it is in no colleague's shift. Who approved it stands on the claim.
    recorded = await record_receipt(draft, actor=SENDER, now=now)
    await _close(found, ClaimState.APPROVED, recorded.receipt_id, location_id, actor=actor, now=now)


async def _close(
    found: Claim, state: ClaimState, receipt_id: int, location_id: int | None, *, actor: Actor, now: datetime
) -> None:
    await db.execute(
        "UPDATE fiscal_claim SET state = $2, receipt_id = $3, location_id = $4, staff_id = $5, decided_at = $6,"
        " reason = NULL WHERE id = $1",
        found.id,
        state.value,
        receipt_id,
        location_id,
        actor.staff_id,
        now,
    )
    await write_journal(
        actor, f"claim.{state.value}", subject_kind="claim", subject_id=found.id, now=now, receipt=receipt_id
    )


async def _refuse(found: Claim, reason: Refusal, *, actor: Actor, now: datetime) -> None:
    await db.execute(
        "UPDATE fiscal_claim SET state = 'refused', reason = $2, staff_id = $3, decided_at = $4 WHERE id = $1",
        found.id,
        reason.value,
        actor.staff_id,
        now,
    )
    await write_journal(actor, "claim.refused", subject_kind="claim", subject_id=found.id, now=now, reason=reason.value)
    recipient = await recipient_of(found.customer_id, "claim_refused")
    if recipient is None:
        return
    language = recipient.language
    chain, why = await shop(), WHY[reason.value]
    values = {
        "total": wording.money(found.total, chain.currency, chain.exponent, language),
        "day": wording.day(business_date(found.sold_at, chain.time_zone), language),
        "why": why.get(language, why["en"]),
    }
    await tell_customer(recipient, values, dedupe_key=f"claim_refused:{found.id}", now=now)


async def _check_day_of(customer_id: int, limit: int, now: datetime) -> None:
    """Raise Refused("claims_of_day") when the customer has sent as many as a day allows. 0: any number."""
    if not limit:
        return
    zone = (await shop()).time_zone
    begins = start_of_day(business_date(now, zone), zone)
    # Index: fiscal_claim_customer.
    sent = await db.fetch_value(
        "SELECT count(*) FROM fiscal_claim WHERE customer_id = $1 AND created_at >= $2", customer_id, begins
    )
    if sent >= limit:
        raise Refused("claims_of_day", limit=limit)
