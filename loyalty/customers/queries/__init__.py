"""Reading people: one of them, a few by a cashier's hint, a page of the base."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from loyalty import db
from loyalty.customers.rules import MESSENGERS, Search, SearchKind
from loyalty.errors import NotFound

PAGE_ROWS = 50
CANDIDATES = 6


@dataclass(frozen=True, slots=True)
class CustomerView:
    """A person with their facts. Money in minor units, bonuses in hundredths; the epoch means never.

    updated_at: of the profile, not of the facts. tier_until: the tier was set by hand, and lasts until then.
    deleted_at: somebody took them out of the base then.
    """

    id: int
    name: str
    phone: str | None
    phone_verified_at: datetime | None
    email: str | None
    card_number: str
    gender: str | None
    birthday: date | None
    language: str
    home_location_id: int | None
    created_at: datetime
    updated_at: datetime
    created_via: str
    created_by_id: int | None
    sold: int
    paid: int
    receipts: int
    visits: int
    first_visit_at: datetime
    last_visit_at: datetime
    balance: int
    debt: int
    earned: int
    burnt: int
    expired: int
    tier_id: int
    tier_until: datetime | None
    discount_bp: int
    deleted_at: datetime | None
    merged_into_id: int | None = None
    erased_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of several people a cashier may mean: enough to choose by, and no more."""

    id: int
    name: str
    phone: str | None


@dataclass(frozen=True, slots=True)
class NoteView:
    """A colleague's note. `deleted_at`: hidden, and can be taken back."""

    id: int
    text: str
    staff_id: int
    staff_name: str
    created_at: datetime
    edited_at: datetime | None


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of a registration."""

    step: str
    via: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ConsentView:
    """The newest word of a customer about a topic."""

    topic: str
    granted: bool
    source: str
    text_version: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MessengerAccountView:
    """An account in a messenger. `customer_id` None: nobody registered.

    alias: another name the messenger has for it. phone: one that the messenger vouches for. is_active False: nothing
    arrives there, because of `inactive_reason` (blocked, gone). takes_…: what may be written there, by topic.
    """

    id: int
    channel: str
    address: str
    customer_id: int | None
    name: str
    username: str | None
    language: str
    is_active: bool
    is_default: bool
    created_at: datetime
    linked_at: datetime | None
    alias: str | None
    phone: str | None
    inactive_reason: str | None
    inactive_at: datetime | None
    takes_service: bool
    takes_marketing: bool
    takes_surveys: bool


IS_MESSENGER = "channel NOT IN ('sms', 'email')"
"""SQL: whether an account is one in which its person talks with us."""
ACCOUNT_COLUMNS = """
    id, channel, address, customer_id, name, username, language, is_active, is_default, created_at, linked_at, alias,
    phone, inactive_reason, inactive_at, takes_service, takes_marketing, takes_surveys
"""

COLUMNS = """
    c.id, c.name, c.phone, c.phone_verified_at, c.email, c.card_number, c.gender, c.birthday, c.language,
    c.home_location_id, c.created_at, c.updated_at, c.created_via, c.created_by_id, f.sold, f.paid, f.receipts,
    f.visits, f.first_visit_at, f.last_visit_at, f.balance, f.debt, f.earned, f.burnt, f.expired, f.tier_id,
    f.tier_until, f.discount_bp, c.deleted_at, c.merged_into_id, c.erased_at
"""

ONE = f"SELECT {COLUMNS} FROM customer c JOIN customer_facts f ON f.customer_id = c.id WHERE c.id = $1"

# Whoever looks for a merged card means the one it became.
WHOSE = "SELECT coalesce(merged_into_id, id) FROM customer"


async def customer(customer_id: int) -> CustomerView:
    """One person. Raises NotFound("customer")."""
    row = await db.fetch_row(ONE, customer_id)
    if row is None:
        raise NotFound("customer")
    return CustomerView(**row)


# Index: customer_updated.
UPDATED = f"""
SELECT {COLUMNS} FROM customer c JOIN customer_facts f ON f.customer_id = c.id
WHERE (c.updated_at, c.id) > ($1::timestamptz, $2::bigint) ORDER BY c.updated_at, c.id LIMIT $3
"""


async def customers_updated(
    since: datetime, after_id: int = 0, *, limit: int = PAGE_ROWS
) -> tuple[list[CustomerView], bool]:
    """Profiles changed from `since` on, in the order of their changes, and whether there are more.

    The next page begins at the last row's `updated_at` and id. A change may be saved some seconds after its moment:
    whoever keeps a copy of the base begins the next round a little earlier than the last one began.
    """
    rows = await db.fetch(UPDATED, since, after_id, limit + 1)
    return [CustomerView(**row) for row in rows[:limit]], len(rows) > limit


async def birthday_is_fixed(customer_id: int) -> bool:
    """Whether the customer has corrected their birthday already, which they may once."""
    return bool(await db.fetch_value("SELECT birthday_changes > 0 FROM customer WHERE id = $1", customer_id))


async def present_card(customer_id: int) -> int:
    """The card that this one has become; itself, if it was not merged into another.

    Raises NotFound("customer"), also for somebody who was erased.
    """
    found: int | None = await db.fetch_value(f"{WHOSE} WHERE id = $1 AND erased_at IS NULL", customer_id)
    if found is None:
        raise NotFound("customer")
    return found


async def find_by_referral_code(code: str) -> int | None:
    """Whose invitation this is, in whatever case it was typed."""
    found: int | None = await db.fetch_value(f"{WHOSE} WHERE referral_code = $1", code.upper())
    return found


async def find_by_phone(phone: str) -> int | None:
    """The customer with this E.164 phone."""
    found: int | None = await db.fetch_value(f"{WHOSE} WHERE phone = $1", phone)
    return found


async def find_by_card_number(number: str) -> int | None:
    """The customer with this card."""
    found: int | None = await db.fetch_value(f"{WHOSE} WHERE card_number = $1", number)
    return found


async def find_by_last_digits(digits: str) -> list[Candidate]:
    """People whose phone ends so, those who came last first: at most CANDIDATES + 1, to tell that there are more.

    Index: customer_phone_reversed.
    """
    rows = await db.fetch(
        "SELECT p.id, p.name, c.phone FROM customer c JOIN customer p ON p.id = coalesce(c.merged_into_id, c.id)"
        " JOIN customer_facts f ON f.customer_id = p.id"
        " WHERE reverse(c.phone) LIKE $1 ORDER BY f.last_visit_at DESC, p.id LIMIT $2",
        digits[::-1] + "%",
        CANDIDATES + 1,
    )
    return [Candidate(**row) for row in rows]


FOLD = """
SELECT word, romanize_name(word) AS roman FROM regexp_split_to_table(fold_name($1), ' ') word WHERE word <> ''
"""


async def matching(search: Search | None, *, by_phone: bool = True) -> tuple[str, list[Any]]:
    """The condition on `customer c` for a search, with its parameters from $1 on; empty for no search.

    Each word of a name stands somewhere in it, in either alphabet; one of a letter or two begins a word of it.
    Indexes: customer_search_trigrams, _phone_trigrams, _phone_reversed, _card_number_prefix,
    _email_prefix; a whole phone meets the unique one.
    """
    if search is None:
        return "", []
    text = search.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    if search.kind is SearchKind.NAME:
        return _named(await db.fetch(FOLD, search.text))
    if search.kind is SearchKind.EMAIL:
        return "lower(c.email) LIKE $1", [f"{text}%"]
    if not by_phone:
        return "c.card_number LIKE $1", [f"{text}%"]
    if search.kind is SearchKind.LAST_DIGITS:
        return "(reverse(c.phone) LIKE $1 OR c.card_number LIKE $2)", [f"{text[::-1]}%", f"{text}%"]
    phones = "c.phone LIKE $2" if search.phone is None else "c.phone = $2"
    return f"(c.card_number LIKE $1 OR {phones})", [f"{text}%", search.phone or f"%{text}%"]


def _named(words: Sequence[db.Row]) -> tuple[str, list[Any]]:
    conditions, params = [], []
    for row in words:
        patterns = {f"%{word}%" if len(word) > 2 else f"% {word}%" for word in (row["word"], row["roman"]) if word}
        likes = []
        for pattern in sorted(patterns):
            params.append(pattern)
            likes.append(f"c.search_name LIKE ${len(params)}")
        conditions.append(f"({' OR '.join(likes)})")
    return " AND ".join(conditions) or "false", params


async def notes(customer_id: int) -> list[NoteView]:
    """Notes about a customer, newest first."""
    rows = await db.fetch(
        "SELECT n.id, n.text, n.staff_id, s.name AS staff_name, n.created_at, n.edited_at"
        " FROM note n JOIN staff_member s ON s.id = n.staff_id"
        " WHERE n.customer_id = $1 AND n.deleted_at IS NULL ORDER BY n.id DESC LIMIT 200",
        customer_id,
    )
    return [NoteView(**row) for row in rows]


async def registration_steps(customer_id: int) -> list[StepView]:
    """The way in, first step first; of cards that became this one, too. Index: registration_step_customer."""
    rows = await db.fetch(
        "SELECT step, via, at FROM registration_step"
        " WHERE customer_id IN (SELECT $1::bigint UNION ALL SELECT id FROM customer WHERE merged_into_id = $1)"
        " ORDER BY at, id",
        customer_id,
    )
    return [StepView(**row) for row in rows]


async def consents(customer_id: int) -> list[ConsentView]:
    """The newest word on each topic. Index: consent_customer."""
    rows = await db.fetch(
        "SELECT DISTINCT ON (topic) topic, granted, source, text_version, at FROM consent"
        " WHERE customer_id = $1 ORDER BY topic, id DESC",
        customer_id,
    )
    return [ConsentView(**row) for row in rows]


async def messenger_account(account_id: int) -> MessengerAccountView:
    """One messenger account. Raises NotFound("account")."""
    row = await db.fetch_row(f"SELECT {ACCOUNT_COLUMNS} FROM messenger_account WHERE id = $1", account_id)
    if row is None:
        raise NotFound("account")
    return MessengerAccountView(**row)


async def accounts_of(customer_id: int) -> list[MessengerAccountView]:
    """A person's messengers, the default one first. Index: messenger_account_customer."""
    return [place for place in await places_of(customer_id) if place.channel in MESSENGERS]


async def places_of(customer_id: int) -> list[MessengerAccountView]:
    """Everywhere a person can be written to: their messengers, the default one first, then their phone and e-mail."""
    rows = await db.fetch(
        f"SELECT {ACCOUNT_COLUMNS} FROM messenger_account WHERE customer_id = $1"
        f" ORDER BY {IS_MESSENGER} DESC, is_default DESC, channel = 'sms' DESC, id",
        customer_id,
    )
    return [MessengerAccountView(**row) for row in rows]


async def visited_locations(customer_id: int) -> list[tuple[int, int]]:
    """(location, visits), the most visited first. Index: customer_location_customer."""
    rows = await db.fetch(
        "SELECT location_id, visits FROM customer_location WHERE customer_id = $1 AND visits > 0"
        " ORDER BY visits DESC, location_id",
        customer_id,
    )
    return [(row["location_id"], row["visits"]) for row in rows]
