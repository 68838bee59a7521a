"""Reading cards that may become one, those that did, and what a merge would do."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.bonuses.queries import Account, account, gifts_twice
from loyalty.clock import business_date
from loyalty.customers.queries import CustomerView, accounts_of, consents, customer, matching, reach
from loyalty.customers.rules import Search
from loyalty.errors import NotFound, Refused
from loyalty.shop.queries import programme_at, shop
from loyalty.shop.rules import Programme

FOUND = 10


@dataclass(frozen=True, slots=True)
class MergeView:
    """A merge that holds: which card went into which, when, by whom; until when it can be taken back."""

    id: int
    survivor_id: int
    merged_id: int
    name: str
    card_number: str
    at: datetime
    staff_name: str | None
    until: datetime


@dataclass(frozen=True, slots=True)
class Side:
    """One of two cards, as people compare them. channels: its messengers. refused: topics its person said no to."""

    person: CustomerView
    account: Account
    tier_name: str
    channels: tuple[str, ...]
    refused: frozenset[str]
    notes: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a merge would do. gifts: (event, amount) of what both had and a person has once: taken back."""

    survivor: Side
    merged: Side
    gifts: tuple[tuple[str, int], ...]

    @property
    def balance(self) -> int:
        """Of both, less what is taken back, before what it may turn into debt."""
        return self.survivor.person.balance + self.merged.person.balance - sum(amount for _, amount in self.gifts)


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody who was looked for. Their phone may be masked where it is shown."""

    id: int
    name: str
    phone: str | None
    card_number: str


# Index: merge_survivor.
LIVE = """
SELECT m.id, m.survivor_id, m.merged_id, c.name, c.card_number, m.at, s.name AS staff_name,
    m.at + make_interval(days => $2) AS until
FROM merge m JOIN customer c ON c.id = m.merged_id LEFT JOIN staff_member s ON s.id = m.staff_id
WHERE m.survivor_id = $1 AND m.undone_at IS NULL ORDER BY m.id DESC
"""
UNDONE_WITHIN_DAYS = 30
"""So long after a merge can it be taken back."""


async def merges_into(customer_id: int) -> list[MergeView]:
    """Cards that went into this one and are still in it, the newest first."""
    return [MergeView(**row) for row in await db.fetch(LIVE, customer_id, UNDONE_WITHIN_DAYS)]


STATE = "SELECT merged_into_id, erased_at IS NOT NULL AS is_erased FROM customer WHERE id = $1"


async def way_of(customer_id: int) -> tuple[int | None, bool]:
    """(the card that this one was merged into, whether its person was erased). (None, False) for a card as any."""
    row = await db.fetch_row(STATE, customer_id)
    return (row["merged_into_id"], row["is_erased"]) if row else (None, False)


async def others_found(
    search: Search | None, besides: int, *, by_phone: bool, within: Collection[int] | None = None
) -> list[Found]:
    """People of the base who are looked for, FOUND at most, without the one whose card is open.

    within: only those whom these locations reach, None for all.
    """
    condition, params = await matching(search, by_phone=by_phone)
    if not condition:
        return []
    place = len(params) + 1
    rows = await db.fetch(
        "SELECT c.id, c.name, c.phone, c.card_number FROM customer c WHERE c.merged_into_id IS NULL"
        f" AND c.erased_at IS NULL AND c.id <> ${place} AND ({condition}) AND {reach.within('c.id', f'${place + 1}')}"
        f" ORDER BY lower(c.name), c.id LIMIT {FOUND}",
        *params,
        besides,
        None if within is None else list(within),
    )
    return [Found(**row) for row in rows]


async def preview_of(survivor_id: int, merged_id: int, *, now: datetime) -> Preview:
    """What making one card of two would do. Raises NotFound("customer"), Refused("card_was_merged")."""
    for one in (survivor_id, merged_id):
        led_to, is_erased = await way_of(one)
        if is_erased:
            raise NotFound("customer")
        if led_to is not None:
            raise Refused("card_was_merged", customer_id=led_to)
    programme = await programme_at(now)
    gifts = await gifts_twice(merged_id, survivor_id, business_date(now, (await shop()).time_zone).year)
    return Preview(
        await _side(survivor_id, programme, now),
        await _side(merged_id, programme, now),
        tuple((event, amount) for _, amount, event in gifts),
    )


# Index: note_customer.
NOTES = "SELECT count(*) FROM note WHERE customer_id = $1 AND deleted_at IS NULL"


async def _side(customer_id: int, programme: Programme, now: datetime) -> Side:
    person = await customer(customer_id)
    return Side(
        person,
        await account(customer_id, now=now),
        programme.tier(person.tier_id).name,
        tuple(one.channel for one in await accounts_of(customer_id)),
        frozenset(word.topic for word in await consents(customer_id) if not word.granted),
        await db.fetch_value(NOTES, customer_id),
    )
