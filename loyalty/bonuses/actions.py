"""Moving bonuses: manual credit and debit, gifts, expiry. Each movement is an entry that is never changed."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loyalty import db, wording
from loyalty.bonuses.queries import open_lots
from loyalty.bonuses.rules import (
    Kind,
    Lot,
    LotDates,
    Source,
    Taken,
    allocate,
    available,
    earned_lot_dates,
    gift_lot_dates,
)
from loyalty.clock import business_date
from loyalty.conversations.actions.outbox import queue_service, recipient_of, service_content
from loyalty.customers.actions import lock_customer
from loyalty.customers.rules import clean_text
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.money import MAX_MINOR
from loyalty.shop.queries import programme_at, shop
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

COMMENT_LENGTH = 500


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

    operation_id: unique over the ledger; posting it twice is a unique violation, so look before.
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
    debt: int = 0
    location_id: int | None = None
    receipt_id: int | None = None
    corrects_id: int | None = None
    comment: str | None = None


# One statement: the facts, the entry, its lot, what it took and gave back. The caller holds the customer.
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
    SELECT $1, id, $16::bigint, $16 - $20::bigint, $17::timestamptz, $18::timestamptz, $19::text
    FROM entry WHERE $16 > 0 RETURNING id, entry_id
), repaid AS (
    INSERT INTO bonus_allocation (entry_id, lot_id, amount) SELECT entry_id, id, $20 FROM lot WHERE $20 > 0
), taken AS (
    INSERT INTO bonus_allocation (entry_id, lot_id, amount)
    SELECT entry.id, part.lot_id, part.amount FROM entry, unnest($14::bigint[], $15::bigint[]) part (lot_id, amount)
), spent AS (
    UPDATE bonus_lot SET remaining = remaining - part.amount
    FROM unnest($14, $15) part (lot_id, amount) WHERE bonus_lot.id = part.lot_id
), comment AS (
    INSERT INTO bonus_entry_comment (entry_id, text) SELECT id, $21::text FROM entry WHERE $21::text IS NOT NULL
)
SELECT entry.id, facts.balance FROM entry, facts
"""


async def post(posting: Posting) -> tuple[int, int]:
    """Write one entry; returns its id and the balance after it. The caller has locked the customer."""
    lot = posting.lot
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
        lot.amount if lot else 0,
        lot.dates.activates_at if lot else None,
        lot.dates.expires_at if lot else None,
        lot.source.value if lot else None,
        lot.repaid if lot else 0,
        posting.comment,
    )
    assert row is not None, "post() needs a locked customer"
    return row["id"], row["balance"]


@db.use_case
async def adjust(customer_id: int, amount: int, comment: str, *, key: str, actor: Actor, now: datetime) -> int:
    """Credit (amount > 0) or debit (amount < 0) by hand, with a reason in words; returns the balance after it.

    A credit lives as long as an earned bonus and repays debt first; a debit takes no more than is available.
    The same `key` again changes nothing and returns the same balance. Raises Invalid("amount"),
    Invalid("comment"), Refused("not_enough_bonuses", available=...), NotFound("customer"),
    Refused("own_account").
    """
    words = clean_text(comment)
    if not words:
        raise Invalid("comment", "required")
    if len(words) > COMMENT_LENGTH:
        raise Invalid("comment", "too_long", limit=COMMENT_LENGTH)
    programme, chain = await programme_at(now), await shop()
    if not amount or abs(amount) > MAX_MINOR:
        raise Invalid("amount", "must_be_positive" if not amount else "too_large")
    if amount % programme.bonus_step:
        raise Invalid("amount", "not_a_step", step=programme.bonus_step)
    await lock_customer(customer_id)
    operation_id = f"adjust:{key}"
    seen = await db.fetch_value("SELECT balance_after FROM bonus_entry WHERE operation_id = $1", operation_id)
    if seen is not None:
        return int(seen)
    await _refuse_own_account(customer_id, actor)
    lot, taken, debt = None, [], 0
    if amount > 0:
        debt = -min(amount, await _debt(customer_id))
        lot = NewLot(amount, earned_lot_dates(programme, now, chain.time_zone), Source.MANUAL, repaid=-debt)
    else:
        lots = await open_lots(customer_id)
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
            chain.time_zone,
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
    await _tell_adjustment(customer_id, amount, balance, operation_id, now)
    return balance


async def _tell_adjustment(customer_id: int, amount: int, balance: int, operation_id: str, now: datetime) -> None:
    """Tell the customer, where they can be told. The reason stays inside: colleagues wrote it for colleagues."""
    recipient = await recipient_of(customer_id)
    if recipient is None:
        return
    account_id, language = recipient
    kind = "bonuses_credited" if amount > 0 else "bonuses_debited"
    values = {
        "amount": wording.bonuses_in_words(abs(amount), language),
        "balance": wording.bonuses_in_words(max(0, balance), language),
    }
    await queue_service(account_id, kind, service_content(kind, language, values), dedupe_key=operation_id, now=now)


async def person_hash(customer_id: int) -> str:
    """Who this is, for bonuses given once: a keyed hash of the phone, or of the id where there is no phone.

    It is the same again when the person was erased and comes back, and under any secret of the environment: its
    key lies in the base, with the hashes.
    """
    row = await db.fetch_row("SELECT c.phone, s.person_key FROM customer c, shop s WHERE c.id = $1", customer_id)
    if row is None:
        raise NotFound("customer")
    return hmac.new(row["person_key"], (row["phone"] or f"customer {customer_id}").encode(), "sha256").hexdigest()


@db.use_case
async def grant_welcome(customer_id: int, *, actor: Actor, now: datetime) -> int:
    """Give the welcome bonus, once per person for ever; returns what was given, 0 when it was given before."""
    programme, chain = await programme_at(now), await shop()
    if not programme.welcome_bonus:
        return 0
    await lock_customer(customer_id)
    person = await person_hash(customer_id)
    given = await db.fetch_value(
        "SELECT id FROM once_only_bonus WHERE person = $1 AND kind = 'welcome' AND period = ''", person
    )
    if given is not None:
        return 0
    amount = programme.welcome_bonus
    debt = -min(amount, await _debt(customer_id))
    dates = gift_lot_dates(programme.welcome_lifetime_days, now, chain.time_zone)
    entry_id, _ = await post(
        Posting(
            customer_id,
            amount,
            Kind.GRANT,
            "welcome",
            f"welcome:{person}",
            actor,
            now,
            chain.time_zone,
            lot=NewLot(amount, dates, Source.WELCOME, repaid=-debt),
            debt=debt,
        )
    )
    await db.execute(
        "INSERT INTO once_only_bonus (person, kind, period, entry_id) VALUES ($1, 'welcome', '', $2)",
        person,
        entry_id,
    )
    return amount


# Index: bonus_lot_expiring.
DUE = """
    SELECT DISTINCT customer_id FROM bonus_lot WHERE remaining > 0 AND expires_at <= $1
    ORDER BY customer_id LIMIT $2
"""
EXPIRED_LOTS = """
    SELECT id, remaining, activates_at, expires_at FROM bonus_lot
    WHERE customer_id = $1 AND remaining > 0 AND expires_at <= $2 ORDER BY expires_at, id
"""


async def expire_due(*, actor: Actor, now: datetime, limit: int = 500) -> int:
    """Write the entries of lots whose time is over, for at most `limit` customers; returns how many lots.

    Nothing depends on when it runs: what has expired could not be spent anyway. Safe to run twice, or by two
    processes at once. One transaction a customer.
    """
    zone = (await shop()).time_zone
    lots = 0
    for row in await db.fetch(DUE, now, limit):
        lots += await _expire_customer(row["customer_id"], zone, actor=actor, now=now)
    return lots


@db.use_case
async def _expire_customer(customer_id: int, zone: str, *, actor: Actor, now: datetime) -> int:
    await lock_customer(customer_id)
    # Read after the lock: a burn that was ahead of us may have emptied the lot.
    lots = [Lot(**row) for row in await db.fetch(EXPIRED_LOTS, customer_id, now)]
    for lot in lots:
        assert lot.expires_at is not None
        await post(
            Posting(
                customer_id,
                -lot.remaining,
                Kind.EXPIRE,
                "expiry",
                f"expire:{lot.id}",
                actor,
                now,
                zone,
                taken=[Taken(lot.id, lot.remaining)],
            )
        )
    return len(lots)


async def _debt(customer_id: int) -> int:
    debt: int = await db.fetch_value("SELECT debt FROM customer_facts WHERE customer_id = $1", customer_id)
    return debt


async def _refuse_own_account(customer_id: int, actor: Actor) -> None:
    """Nobody moves bonuses on an account with their own phone."""
    if actor.phone is None:
        return
    phone = await db.fetch_value("SELECT phone FROM customer WHERE id = $1", customer_id)
    if phone == actor.phone:
        raise Refused("own_account")
