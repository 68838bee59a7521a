"""Setting bonuses aside for a sale to come: with the card's code at once, without it after the customer's yes."""

from dataclasses import replace
from datetime import datetime, timedelta

from loyalty import db, wording
from loyalty.bonuses.queries import HoldView, hold, hold_by_key
from loyalty.bonuses.rules import HoldState, Taken, allocate, available, check_burn
from loyalty.conversations.actions.outbox import tell_customer
from loyalty.conversations.actions.refusals import noting_refusals
from loyalty.conversations.queries.recipients import recipient_of
from loyalty.customers.actions.profile import lock_customer
from loyalty.errors import Conflict, Invalid, NotFound, Refused
from loyalty.receipts.actions.sales import check_till
from loyalty.receipts.queries import on_present_card, till_for
from loyalty.receipts.rules.sales import Presence, Quote, ReceiptDraft, ReceiptSource, Till, checked, quote
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

ASK_LIFETIME = timedelta(minutes=2)
"""How long a question in the chat waits for its answer."""

# What is set aside changes what a sale may spend: the facts get a new version, so that a sale computed before it is
# computed again.
PLACE = """
WITH customer AS (
    UPDATE customer_facts SET tier_id = tier_id WHERE customer_id = $4
), new AS (
    INSERT INTO hold (source, location_id, external_id, customer_id, total, amount, state, presence, code_step,
        created_at, expires_at, staff_id, api_key_id, body_hash)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    ON CONFLICT (source, location_id, external_id) DO NOTHING RETURNING id
), lots AS (
    INSERT INTO hold_lot (hold_id, lot_id, amount)
    SELECT new.id, part.lot_id, part.amount FROM new, unnest($15::bigint[], $16::bigint[]) part (lot_id, amount)
)
SELECT id FROM new
"""

AGREE = """
WITH kept AS (
    UPDATE hold SET state = 'held', presence = $2, decided_at = $3, expires_at = $4 WHERE id = $1
    RETURNING id, customer_id
), customer AS (
    UPDATE customer_facts SET tier_id = tier_id FROM kept WHERE customer_facts.customer_id = kept.customer_id
)
INSERT INTO hold_lot (hold_id, lot_id, amount)
SELECT kept.id, part.lot_id, part.amount FROM kept, unnest($5::bigint[], $6::bigint[]) part (lot_id, amount)
"""


async def place_hold(draft: ReceiptDraft, *, ask: bool, actor: Actor, now: datetime) -> HoldView:
    """Set `draft.burn` aside for the sale of `draft`; the rest of the draft decides how much may be burnt on it.

    Presence is proved by the card's code, or a location's trust. With `ask` the customer is asked in their chat
    instead and has two minutes to say yes: the hold is `asked` and sets nothing aside before. A hold lives as long
    as the programme says; then it lapses. The draft's key makes it safe to send twice: the same key and body gives
    the hold as it stands now. Raises what `record_receipt` raises, Invalid("burn", "must_be_positive"),
    Refused("no_chat_to_ask").
    """
    draft = checked(draft)
    if not draft.burn:
        raise Invalid("burn", "must_be_positive")

    async def place(one: ReceiptDraft) -> HoldView:
        async with noting_refusals(one.customer_id, one.location_id, actor=actor, now=now):
            return await _place_in_turn(one, ask=ask, actor=actor, now=now)

    return await on_present_card(draft, place)


@db.use_case
async def _place_in_turn(draft: ReceiptDraft, *, ask: bool, actor: Actor, now: datetime) -> HoldView:
    await lock_customer(draft.customer_id)
    seen = await hold_by_key(draft.source.value, draft.location_id, draft.external_id)
    if seen is not None:
        return _same(seen, draft)
    if draft.proof is not None and draft.proof.customer_id != draft.customer_id:
        raise Refused("burn_needs_presence")
    at_till = await till_for(draft, now=now)
    check_till(at_till, actor)
    if ask:
        hold_id = await _ask(draft, at_till, actor=actor, now=now)
    else:
        sale = quote(at_till, draft, now=now)
        hold_id = await _place(draft, at_till, sale, actor=actor, now=now)
    if hold_id is None:
        raise Conflict("key_was_used")
    await _note(hold_id, draft.burn, "hold.asked" if ask else "hold.placed", actor=actor, now=now)
    return await hold(hold_id)


@db.use_case
async def decide_hold(hold_id: int, customer_id: int, *, agreed: bool, actor: Actor, now: datetime) -> HoldView:
    """The customer's answer in the chat. Yes sets the bonuses aside; twice is once; a late answer changes nothing.

    Raises NotFound("hold") for one of somebody else, Refused("hold_is_over") when it no longer waits,
    Refused("burn_over_limit") when the bonuses are gone meanwhile.
    """
    await lock_customer(customer_id)
    asked = await hold(hold_id)
    if asked.customer_id != customer_id:
        raise NotFound("hold")
    if asked.state is (HoldState.HELD if agreed else HoldState.DECLINED):
        return asked
    if asked.state is not HoldState.ASKED or now >= asked.expires_at:
        raise Refused("hold_is_over")
    if not agreed:
        await _close(hold_id, HoldState.DECLINED, now)
        await _note(hold_id, asked.amount, "hold.declined", actor=actor, now=now)
        return await hold(hold_id)
    draft = _draft(asked)
    at_till = await till_for(draft, now=now)
    lots = _set_aside(at_till, asked.amount, now)
    await db.execute(
        AGREE,
        hold_id,
        Presence.CHAT.value,
        now,
        now + timedelta(minutes=at_till.programme.hold_minutes),
        [part.lot_id for part in lots],
        [part.amount for part in lots],
    )
    await _note(hold_id, asked.amount, "hold.agreed", actor=actor, now=now)
    return await hold(hold_id)


@db.use_case
async def void_hold(hold_id: int, *, actor: Actor, now: datetime) -> HoldView:
    """Let the bonuses go; twice is once. Raises NotFound("hold"), Refused("hold_is_over") once it was confirmed."""
    before = await hold(hold_id)
    await lock_customer(before.customer_id)
    current = await hold(hold_id)
    if current.state is HoldState.CONFIRMED:
        raise Refused("hold_is_over")
    if current.state in {HoldState.ASKED, HoldState.HELD}:
        await _close(hold_id, HoldState.VOIDED, now)
        await _note(hold_id, current.amount, "hold.voided", actor=actor, now=now)
    return await hold(hold_id)


# Index: hold_lapsing.
LAPSED = """
    SELECT id, customer_id FROM hold WHERE state IN ('asked', 'held') AND expires_at <= $1
    ORDER BY customer_id, id LIMIT $2
"""


async def lapse_due(*, now: datetime, limit: int = 500) -> int:
    """Close the holds whose time is over, at most `limit`; returns how many.

    Nobody's money depends on when it runs: what has lapsed holds nothing back anyway. One transaction a hold.
    """
    due = await db.fetch(LAPSED, now, limit)
    for row in due:
        await _lapse(row["id"], row["customer_id"], now)
    return len(due)


@db.use_case
async def _lapse(hold_id: int, customer_id: int, now: datetime) -> None:
    # A sale that began in time may be spending it: wait for its end, and then leave what it confirmed alone.
    await lock_customer(customer_id)
    await db.execute(
        "UPDATE hold SET state = 'lapsed', decided_at = $2 WHERE id = $1 AND state IN ('asked', 'held')", hold_id, now
    )


async def _place(draft: ReceiptDraft, at_till: Till, sale: Quote, *, actor: Actor, now: datetime) -> int | None:
    """Write the hold with its lots; None when the key was taken meanwhile."""
    assert sale.presence is not None, "quote refuses a burn without presence"
    step = draft.proof.step if draft.proof and sale.presence is Presence.CODE else None
    hold_id: int | None = await db.fetch_value(
        PLACE,
        draft.source.value,
        draft.location_id,
        draft.external_id,
        draft.customer_id,
        sale.total,
        sale.burn,
        HoldState.HELD.value,
        sale.presence.value,
        step,
        now,
        now + timedelta(minutes=at_till.programme.hold_minutes),
        actor.staff_id,
        actor.api_key_id,
        draft.body_hash(),
        [part.lot_id for part in sale.taken],
        [part.amount for part in sale.taken],
    )
    return hold_id


async def _ask(draft: ReceiptDraft, at_till: Till, *, actor: Actor, now: datetime) -> int | None:
    """Write the question and send it; None when the key was taken meanwhile."""
    recipient = await recipient_of(draft.customer_id, "hold_asked")
    if recipient is None:
        raise Refused("no_chat_to_ask")
    sale = quote(_trusted(at_till), draft, now=now)
    hold_id: int | None = await db.fetch_value(
        PLACE,
        draft.source.value,
        draft.location_id,
        draft.external_id,
        draft.customer_id,
        sale.total,
        sale.burn,
        HoldState.ASKED.value,
        None,
        None,
        now,
        now + ASK_LIFETIME,
        actor.staff_id,
        actor.api_key_id,
        draft.body_hash(),
        [],
        [],
    )
    if hold_id is None:
        return None
    language = at_till.language
    values = {
        "amount": wording.bonuses_in_words(sale.burn, language),
        "total": wording.money(sale.total, at_till.currency, at_till.exponent, language),
        "location": at_till.location_name,
        "hold": str(hold_id),
    }
    await tell_customer(recipient, values, dedupe_key=f"hold:{hold_id}", now=now)
    return hold_id


def _trusted(at_till: Till) -> Till:
    """The till as it will be once the customer has said yes: presence is no question then."""
    return replace(at_till, burns_without_code=True)


def _set_aside(at_till: Till, amount: int, now: datetime) -> list[Taken]:
    """The lots for an amount agreed to. Raises Refused("burn_over_limit") when they hold less by now."""
    spendable = max(0, available(at_till.lots, now) - at_till.debt)
    check_burn(amount, spendable, at_till.programme.bonus_step)
    return allocate(at_till.lots, amount, now)


def _draft(asked: HoldView) -> ReceiptDraft:
    """What the till needs to be read for an answer."""
    return ReceiptDraft(
        ReceiptSource(asked.source), asked.location_id, asked.external_id, asked.customer_id, asked.total
    )


def _same(seen: HoldView, draft: ReceiptDraft) -> HoldView:
    """The hold made under this key. Raises Conflict when its body was another."""
    if seen.body_hash != draft.body_hash():
        raise Conflict("key_was_used")
    return seen


async def _close(hold_id: int, state: HoldState, now: datetime) -> None:
    await db.execute("UPDATE hold SET state = $2, decided_at = $3 WHERE id = $1", hold_id, state.value, now)


async def _note(hold_id: int, amount: int, action: str, *, actor: Actor, now: datetime) -> None:
    await write_journal(actor, action, subject_kind="hold", subject_id=hold_id, now=now, amount=amount)
