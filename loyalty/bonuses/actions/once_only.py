"""Gifts that a person gets once: for ever, or once a period."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from loyalty import db, wording
from loyalty.bonuses.actions.posting import NewLot, Posting, debt_of, post
from loyalty.bonuses.rules import (
    KNOWN_DAYS,
    Kind,
    Source,
    birthdays_due,
    gift_lot_dates,
    is_known_in_time,
)
from loyalty.clock import birthday_in, business_date
from loyalty.conversations.actions.outbox import tell_customer
from loyalty.conversations.queries.recipients import recipient_of
from loyalty.customers.actions.profile import lock_customer
from loyalty.errors import NotFound
from loyalty.shop.queries import programme_at, shop
from loyalty.shop.rules import Programme
from loyalty.staff.rules import Actor


async def person_hash(customer_id: int) -> str:
    """Who this is, for bonuses given once: a keyed hash of the phone, or of the id where there is no phone.

    It is the same again when the person was erased and comes back, and under any secret of the environment: its
    key lies in the base, with the hashes.
    """
    row = await db.fetch_row("SELECT c.phone, s.person_key FROM customer c, shop s WHERE c.id = $1", customer_id)
    if row is None:
        raise NotFound("customer")
    return _hash(row["person_key"], row["phone"] or f"customer {customer_id}")


async def hashes_of(customer_ids: Sequence[int]) -> tuple[list[str], list[str]]:
    """(all that these cards are or were known by for gifts given once, those of them that are phones')."""
    rows = await db.fetch(
        "SELECT c.id, c.phone, s.person_key FROM customer c, shop s WHERE c.id = ANY($1::bigint[])", list(customer_ids)
    )
    phones = [_hash(row["person_key"], row["phone"]) for row in rows if row["phone"] is not None]
    return [*phones, *(_hash(row["person_key"], f"customer {row['id']}") for row in rows)], phones


def _hash(key: bytes, known_by: str) -> str:
    return hmac.new(key, known_by.encode(), "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class Gift:
    """A credit that nobody earned. `lifetime_days` 0 = for ever."""

    amount: int
    event: str
    operation_id: str
    source: Source
    lifetime_days: int


async def give(customer_id: int, gift: Gift, *, actor: Actor, now: datetime, zone: str) -> tuple[int, int]:
    """Post a gift, which repays debt first; returns its entry and the balance. The caller has locked the customer."""
    debt = -min(gift.amount, await debt_of(customer_id))
    dates = gift_lot_dates(gift.lifetime_days, now, zone)
    return await post(
        Posting(
            customer_id,
            gift.amount,
            Kind.GRANT,
            gift.event,
            gift.operation_id,
            actor,
            now,
            zone,
            lot=NewLot(gift.amount, dates, gift.source, repaid=-debt),
            debt=debt,
        )
    )


async def was_given(person: str, kind: str, period: str = "") -> bool:
    """Whether a person has had this gift in this period."""
    return bool(
        await db.fetch_value(
            "SELECT EXISTS (SELECT FROM once_only_bonus WHERE person = $1 AND kind = $2 AND period = $3)",
            person,
            kind,
            period,
        )
    )


async def remember(person: str, kind: str, period: str, entry_id: int) -> None:
    """Write the tombstone of a gift, in the transaction that gives it."""
    await db.execute(
        "INSERT INTO once_only_bonus (person, kind, period, entry_id) VALUES ($1, $2, $3, $4)",
        person,
        kind,
        period,
        entry_id,
    )


@db.use_case
async def grant_welcome(customer_id: int, *, actor: Actor, now: datetime) -> int:
    """Give the welcome bonus, once per person for ever; returns what was given, 0 when it was given before."""
    programme, chain = await programme_at(now), await shop()
    if not programme.welcome_bonus:
        return 0
    await lock_customer(customer_id)
    person = await person_hash(customer_id)
    if await was_given(person, "welcome"):
        return 0
    gift = Gift(
        programme.welcome_bonus, "welcome", f"welcome:{person}", Source.WELCOME, programme.welcome_lifetime_days
    )
    entry_id, _ = await give(customer_id, gift, actor=actor, now=now, zone=chain.time_zone)
    await remember(person, "welcome", "", entry_id)
    return gift.amount


@db.use_case
async def grant_thanks(customer_id: int, amount: int, *, actor: Actor, now: datetime) -> int:
    """Thank somebody for an answer, once a person for ever; returns what was given, 0 when it was given before.

    It lives as long as a welcome bonus.
    """
    if not amount:
        return 0
    programme, chain = await programme_at(now), await shop()
    await lock_customer(customer_id)
    person, operation_id = await person_hash(customer_id), f"survey:{customer_id}"
    seen = await db.fetch_value("SELECT id FROM bonus_entry WHERE operation_id = $1", operation_id)
    # By the customer too: a new phone makes another person of them.
    if seen is not None or await was_given(person, "survey"):
        return 0
    gift = Gift(amount, "survey", operation_id, Source.SURVEY, programme.welcome_lifetime_days)
    entry_id, _ = await give(customer_id, gift, actor=actor, now=now, zone=chain.time_zone)
    await remember(person, "survey", "", entry_id)
    return amount


# Whose gift is due and not given. Indexes: customer_facts_birthday, bonus_entry's operation_id.
DUE_BIRTHDAYS = """
SELECT c.id, due.day FROM unnest($1::smallint[], $2::date[]) due (code, day)
    JOIN customer_facts f ON f.birthday_code = due.code JOIN customer c ON c.id = f.customer_id
WHERE (coalesce(c.birthday_set_at, c.created_at) AT TIME ZONE $3)::date <= due.day - $4::int
    AND NOT EXISTS (SELECT FROM bonus_entry
        WHERE operation_id = 'birthday:' || c.id || ':' || extract(year FROM due.day))
ORDER BY c.id LIMIT $5
"""
BORN = "SELECT birthday, coalesce(birthday_set_at, created_at) AS known_since FROM customer WHERE id = $1"


async def grant_birthdays(*, actor: Actor, now: datetime, limit: int = 500) -> int:
    """Give the birthday gifts that are due, to at most `limit` customers; returns how many were given.

    Once a person and calendar year, from the start of the local day that the programme says until a week after the
    birthday, if the date was known two weeks before it. Safe to run twice, or by two processes at once. One
    transaction a customer.
    """
    programme, chain = await programme_at(now), await shop()
    if not programme.birthday_bonus:
        return 0
    due = birthdays_due(programme, business_date(now, chain.time_zone))
    codes, days = [code for code, _ in due], [day for _, day in due]
    given = 0
    for row in await db.fetch(DUE_BIRTHDAYS, codes, days, chain.time_zone, KNOWN_DAYS, limit):
        given += await _grant_birthday(row["id"], row["day"], programme, chain.time_zone, actor=actor, now=now)
    return given


@db.use_case
async def _grant_birthday(
    customer_id: int, day: date, programme: Programme, zone: str, *, actor: Actor, now: datetime
) -> int:
    """Whether the gift was given. Read after the lock: the date may have been corrected, the gift given."""
    await lock_customer(customer_id)
    born = await db.fetch_row(BORN, customer_id)
    if born is None or born["birthday"] is None or birthday_in(born["birthday"], day.year) != day:
        return 0
    person, year = await person_hash(customer_id), str(day.year)
    operation_id = f"birthday:{customer_id}:{year}"
    seen = await db.fetch_value("SELECT id FROM bonus_entry WHERE operation_id = $1", operation_id)
    # By the customer too: a new phone makes another person of them.
    if seen is not None or await was_given(person, "birthday", year):
        return 0
    if not is_known_in_time(born["known_since"], day, zone):
        return 0
    gift = Gift(programme.birthday_bonus, "birthday", operation_id, Source.BIRTHDAY, programme.birthday_lifetime_days)
    entry_id, balance = await give(customer_id, gift, actor=actor, now=now, zone=zone)
    await remember(person, "birthday", year, entry_id)
    await tell_gift(customer_id, gift, balance, now=now, zone=zone)
    return 1


async def tell_gift(customer_id: int, gift: Gift, balance: int, *, now: datetime, zone: str) -> None:
    """Tell the customer of a gift, where they can be told, in the words of its event."""
    recipient = await recipient_of(customer_id, gift.event)
    if recipient is None:
        return
    language = recipient.language
    last_day = business_date(now, zone) + timedelta(days=gift.lifetime_days)
    values = {
        "amount": wording.bonuses_in_words(gift.amount, language),
        "until": wording.day(last_day, language) if gift.lifetime_days else "",
        "balance": wording.bonuses_in_words(max(0, balance), language),
    }
    await tell_customer(recipient, values, dedupe_key=gift.operation_id, now=now)
