"""Crediting and debiting by hand."""

from datetime import date, datetime

from loyalty import db, wording
from loyalty.bonuses.actions.posting import NewLot, Posting, debt_of, post
from loyalty.bonuses.queries import open_lots
from loyalty.bonuses.rules import Kind, Source, allocate, available, manual_lot_dates
from loyalty.clock import business_date
from loyalty.conversations.actions.outbox import tell_customer
from loyalty.conversations.actions.refusals import noting_refusals
from loyalty.conversations.queries.recipients import recipient_of
from loyalty.conversations.rules import Priority
from loyalty.customers.actions.profile import lock_customer
from loyalty.customers.rules import clean_text
from loyalty.errors import Invalid, Refused
from loyalty.money import MAX_MINOR
from loyalty.shop.queries import programme_at, shop
from loyalty.shop.rules import Programme
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

COMMENT_LENGTH = 500


async def adjust(
    customer_id: int,
    amount: int,
    comment: str,
    *,
    key: str,
    actor: Actor,
    now: datetime,
    priority: Priority = Priority.SERVICE,
) -> int:
    """Credit (amount > 0) or debit (amount < 0) by hand, with a reason in words; returns the balance after it.

    A credit can be spent at once and repays debt first; a debit takes no more than is available.
    The same `key` again changes nothing and returns the same balance. Raises Invalid("amount"),
    Invalid("comment"), NotFound("customer"), Refused("not_enough_bonuses", available=...),
    Refused("manual_credits_of_day", left=..., limit=...), Refused("needs_second_person", limit=...) for more than
    one colleague may give a customer in a day (see `ask_credit`), Refused("own_account").
    priority: of the word to the customer.
    """
    words = check_comment(comment)
    programme = await programme_at(now)
    check_amount(amount, programme)
    async with noting_refusals(customer_id, actor=actor, now=now):
        return await _adjust_in_turn(
            customer_id, amount, words, programme, key=key, actor=actor, now=now, priority=priority
        )


@db.use_case
async def _adjust_in_turn(
    customer_id: int,
    amount: int,
    words: str,
    programme: Programme,
    *,
    key: str,
    actor: Actor,
    now: datetime,
    priority: Priority,
) -> int:
    await lock_customer(customer_id)
    operation_id = f"adjust:{key}"
    seen = await db.fetch_value("SELECT balance_after FROM bonus_entry WHERE operation_id = $1", operation_id)
    if seen is not None:
        return int(seen)
    await refuse_own_account(customer_id, actor)
    if amount > 0:
        today = business_date(now, (await shop()).time_zone)
        await _check_alone(customer_id, actor, amount, programme, today)
        await _check_day_of(actor, amount, programme, today)
    _entry_id, balance = await write_adjustment(
        customer_id, amount, words, programme, operation_id=operation_id, actor=actor, now=now, priority=priority
    )
    return balance


async def write_adjustment(
    customer_id: int,
    amount: int,
    words: str,
    programme: Programme,
    *,
    operation_id: str,
    actor: Actor,
    now: datetime,
    priority: Priority = Priority.SERVICE,
) -> tuple[int, int]:
    """Write a movement by hand whose limits were looked at; the customer is locked. Returns (entry, balance after)."""
    zone = (await shop()).time_zone
    lot, taken, debt = None, [], 0
    if amount > 0:
        debt = -min(amount, await debt_of(customer_id))
        lot = NewLot(amount, manual_lot_dates(programme, now, zone), Source.MANUAL, repaid=-debt)
    else:
        lots = await open_lots(customer_id, now=now)
        if available(lots, now) < -amount:
            raise Refused("not_enough_bonuses", available=available(lots, now))
        taken = allocate(lots, -amount, now)
    entry_id, balance = await post(
        Posting(
            customer_id,
            amount,
            Kind.ADJUST,
            "manual",
            operation_id,
            actor,
            now,
            zone,
            taken=taken,
            lot=lot,
            debt=debt,
            comment=words,
        )
    )
    await write_journal(
        actor,
        "bonuses.credited" if amount > 0 else "bonuses.debited",
        subject_kind="customer",
        subject_id=customer_id,
        now=now,
        amount=amount,
        entry=entry_id,
    )
    await tell_adjustment(customer_id, amount, balance, operation_id, now=now, priority=priority)
    return entry_id, balance


def check_comment(comment: str) -> str:
    """The reason in words. Raises Invalid("comment")."""
    words = clean_text(comment)
    if not words:
        raise Invalid("comment", "required")
    if len(words) > COMMENT_LENGTH:
        raise Invalid("comment", "too_long", limit=COMMENT_LENGTH)
    return words


def check_amount(amount: int, programme: Programme) -> None:
    """Raise Invalid("amount") unless so much can be moved."""
    if not amount or abs(amount) > MAX_MINOR:
        raise Invalid("amount", "must_be_positive" if not amount else "too_large")
    if amount % programme.bonus_step:
        raise Invalid("amount", "not_a_step", step=programme.bonus_step)


# Index: bonus_entry_by_hand.
GIVEN_TO = """
    SELECT coalesce(sum(amount), 0)::bigint FROM bonus_entry
    WHERE staff_id = $1 AND business_date = $2 AND kind = 'adjust' AND amount > 0 AND customer_id = $3
"""


async def _check_alone(customer_id: int, actor: Actor, amount: int, programme: Programme, today: date) -> None:
    """Raise Refused("needs_second_person") for more than one colleague gives one customer in a day.

    What they gave before counts: a large credit is not made small by cutting it up.
    """
    if not programme.manual_credit_alone or actor.staff_id is None:
        return
    given = await db.fetch_value(GIVEN_TO, actor.staff_id, today, customer_id)
    if given + amount > programme.manual_credit_alone:
        raise Refused("needs_second_person", limit=programme.manual_credit_alone)


# Index: bonus_entry_by_hand.
GIVEN_TODAY = """
    SELECT coalesce(sum(amount), 0)::bigint FROM bonus_entry
    WHERE staff_id = $1 AND business_date = $2 AND kind = 'adjust' AND amount > 0
"""


async def _check_day_of(actor: Actor, amount: int, programme: Programme, today: date) -> None:
    """Raise Refused("manual_credits_of_day") when a colleague would credit more by hand than a day allows.

    Two credits of theirs to two customers at once may both pass: the limit is an alarm, not a lock.
    """
    if not programme.manual_credit_day or actor.staff_id is None:
        return
    given = await db.fetch_value(GIVEN_TODAY, actor.staff_id, today)
    if given + amount > programme.manual_credit_day:
        left = max(0, programme.manual_credit_day - given)
        raise Refused("manual_credits_of_day", left=left, limit=programme.manual_credit_day)


async def tell_adjustment(
    customer_id: int, amount: int, balance: int, operation_id: str, *, now: datetime, priority: Priority
) -> None:
    """Tell the customer, where they can be told. The reason stays inside: colleagues wrote it for colleagues."""
    recipient = await recipient_of(customer_id, "bonuses_credited" if amount > 0 else "bonuses_debited")
    if recipient is None:
        return
    language = recipient.language
    values = {
        "amount": wording.bonuses_in_words(abs(amount), language),
        "balance": wording.bonuses_in_words(max(0, balance), language),
    }
    await tell_customer(recipient, values, dedupe_key=operation_id, now=now, priority=priority)


async def refuse_own_account(customer_id: int, actor: Actor) -> None:
    """Nobody moves anything on an account with their own phone. Raises Refused("own_account")."""
    if actor.phone is None:
        return
    phone = await db.fetch_value("SELECT phone FROM customer WHERE id = $1", customer_id)
    if phone == actor.phone:
        raise Refused("own_account")
