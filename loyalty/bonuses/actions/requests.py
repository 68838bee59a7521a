"""Credits by hand that are too large for one person: asked for by one colleague, given by another."""

from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.bonuses.actions.manual import check_amount, check_comment, refuse_own_account, write_adjustment
from loyalty.bonuses.queries import CreditRequestView, credit_request
from loyalty.bonuses.rules import RequestState
from loyalty.customers.actions.moving import hold_cards
from loyalty.customers.actions.profile import lock_customer
from loyalty.errors import Conflict, Invalid, Refused
from loyalty.shop.queries import programme_at
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor, ActorKind


@db.use_case
async def ask_credit(
    customer_id: int, amount: int, comment: str, *, key: str, actor: Actor, now: datetime
) -> CreditRequestView:
    """Ask a second person to credit `amount` hundredths of a bonus; nothing moves before their word.

    The same key and body gives the request as it stands now. Raises Invalid("amount" | "comment"),
    NotFound("customer"), Refused("own_account"), Conflict("key_was_used").
    """
    words = check_comment(comment)
    if amount < 0:
        raise Invalid("amount", "must_be_positive")
    check_amount(amount, await programme_at(now))
    await lock_customer(customer_id)
    await refuse_own_account(customer_id, actor)
    request_id = await db.fetch_value(
        "INSERT INTO credit_request (customer_id, amount, comment, key, staff_id, state, created_at)"
        " VALUES ($1, $2, $3, $4, $5, 'waiting', $6) ON CONFLICT (key) DO NOTHING RETURNING id",
        customer_id,
        amount,
        words,
        key,
        actor.staff_id,
        now,
    )
    if request_id is None:
        seen = await credit_request(await db.fetch_value("SELECT id FROM credit_request WHERE key = $1", key))
        if (seen.customer_id, seen.amount, seen.comment, seen.staff_id) != (customer_id, amount, words, actor.staff_id):
            raise Conflict("key_was_used")
        return seen
    await _note(request_id, customer_id, "credit.asked", actor=actor, now=now, amount=amount)
    return await credit_request(request_id)


@db.use_case
async def approve_credit(request_id: int, *, actor: Actor, now: datetime) -> CreditRequestView:
    """Give what another colleague asked for; in the ledger it stands as theirs who asked. Twice is once.

    Raises NotFound("credit_request"), Refused("own_request" | "own_account" | "request_is_closed").
    """
    request = await _locked(request_id)
    if request.state is RequestState.APPROVED:
        return request
    if request.state is not RequestState.WAITING:
        raise Refused("request_is_closed")
    if request.staff_id == actor.staff_id:
        raise Refused("own_request")
    await refuse_own_account(request.customer_id, actor)
    asker = Actor(ActorKind.STAFF, request.staff_id)
    entry_id, _balance = await write_adjustment(
        request.customer_id,
        request.amount,
        request.comment,
        await programme_at(now),
        operation_id=f"adjust:request:{request.id}",
        actor=asker,
        now=now,
    )
    await _decide(request, RequestState.APPROVED, entry_id, actor=actor, now=now)
    return await credit_request(request_id)


@db.use_case
async def refuse_credit(request_id: int, *, actor: Actor, now: datetime) -> CreditRequestView:
    """Decline another colleague's request, or take one's own back. Twice is once.

    Raises NotFound("credit_request"), Refused("request_is_closed") once it was given.
    """
    request = await _locked(request_id)
    if request.state is RequestState.APPROVED:
        raise Refused("request_is_closed")
    if request.state is RequestState.WAITING:
        state = RequestState.WITHDRAWN if request.staff_id == actor.staff_id else RequestState.REFUSED
        await _decide(request, state, None, actor=actor, now=now)
    return await credit_request(request_id)


async def _locked(request_id: int) -> CreditRequestView:
    """The request as it stands once its customer is locked: two colleagues may answer at once.

    Read again, because the customer's card may have become another one meanwhile.
    """
    known = await credit_request(request_id)
    while True:
        await hold_cards([known.customer_id])
        again = await credit_request(request_id)
        if again.customer_id == known.customer_id:
            return again
        known = again


async def _decide(
    request: CreditRequestView, state: RequestState, entry_id: int | None, *, actor: Actor, now: datetime
) -> None:
    await db.execute(
        "UPDATE credit_request SET state = $2, entry_id = $3, decided_by_id = $4, decided_at = $5 WHERE id = $1",
        request.id,
        state.value,
        entry_id,
        actor.staff_id,
        now,
    )
    acts = {
        RequestState.APPROVED: "credit.approved",
        RequestState.REFUSED: "credit.declined",
        RequestState.WITHDRAWN: "credit.withdrawn",
    }
    await _note(request.id, request.customer_id, acts[state], actor=actor, now=now, amount=request.amount)


async def _note(request_id: int, customer_id: int, action: str, *, actor: Actor, now: datetime, **details: Any) -> None:
    await write_journal(
        actor, action, subject_kind="customer", subject_id=customer_id, now=now, request=request_id, **details
    )
