"""Reading people: one of them, a few by a cashier's hint, a page of the base."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from loyalty import db
from loyalty.customers.rules import MESSENGERS, Search, SearchKind
from loyalty.errors import NotFound

PAGE_ROWS = 50
FEW = 2_000
"""Up to so many found, their ids are sorted; beyond, the sort index is walked until a page is full."""
EXACT_COUNT = 10_000
"""A base or result up to this size is counted with the page; a larger one after it."""
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


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of several people a cashier may mean: enough to choose by, and no more."""

    id: int
    name: str
    phone: str | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two rows: the sort value and id of the row beside it, and how many rows lie before."""

    value: str | int
    id: int
    before: int


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """Rows first..last of a sorted base, and the ways on. `total` None: more than EXACT_COUNT, count it after."""

    rows: list[CustomerView]
    first: int
    total: int | None
    sold: int | None
    balance: int | None
    previous: Cursor | None
    following: Cursor | None


@dataclass(frozen=True, slots=True)
class Totals:
    """The filtered set in numbers."""

    count: int
    sold: int
    balance: int


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
    f.tier_until, f.discount_bp, c.deleted_at
"""

ONE = f"SELECT {COLUMNS} FROM customer c JOIN customer_facts f ON f.customer_id = c.id WHERE c.id = $1"

# Sort key -> (expression, its type, the table it is read from). Each is served by an index on (expression, id):
# customer_name_order, customer_facts_created, _last_visit, _sold, _visits, _balance.
SORTS = {
    "name": ("lower(c.name)", "text", "customer c", "c.id"),
    "created": ("f.created_at", "timestamptz", "customer_facts f", "f.customer_id"),
    "last_visit": ("f.last_visit_at", "timestamptz", "customer_facts f", "f.customer_id"),
    "sold": ("f.sold", "bigint", "customer_facts f", "f.customer_id"),
    "visits": ("f.visits", "bigint", "customer_facts f", "f.customer_id"),
    "balance": ("f.balance", "bigint", "customer_facts f", "f.customer_id"),
}
DEFAULT_SORT = "last_visit"

# Whether the base has more than $1 people. The statistics answer at once; a base never analysed is looked at.
IS_LARGE = """
SELECT CASE WHEN reltuples >= 0 THEN reltuples > $1::int
    ELSE EXISTS (SELECT FROM customer_facts OFFSET $1::int LIMIT 1) END
FROM pg_class WHERE oid = 'customer_facts'::regclass
"""

TOTALS_OF_ALL = (
    "SELECT count(*) AS count, coalesce(sum(sold), 0)::bigint AS sold, coalesce(sum(balance), 0)::bigint AS balance"
    " FROM customer_facts"
)


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
    """The card that this one has become; itself, if it was not merged into another. Raises NotFound("customer")."""
    found: int | None = await db.fetch_value(f"{WHOSE} WHERE id = $1", customer_id)
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


async def customer_page(
    search: Search | None,
    *,
    sort: str,
    descending: bool,
    after: Cursor | None = None,
    before: Cursor | None = None,
    by_phone: bool = True,
) -> CustomerPage:
    """A page of the base, PAGE_ROWS long, by keyset: no page is dearer than the first.

    `sort` is a key of SORTS. Give `after` or `before` from a former page, or neither for the first one.
    `by_phone` False: digits find cards only, for those who may not see phones and must not guess them either.
    """
    condition, params = await matching(search, by_phone=by_phone)
    few: list[int] | None = None
    if condition:
        found = await db.fetch(f"SELECT c.id FROM customer c WHERE {condition} LIMIT {FEW + 1}", *params)
        few = [row["id"] for row in found] if len(found) <= FEW else None
        if few is not None:
            condition, params = "", []
    backwards = before is not None
    rows = await _rows(condition, params, few, sort=sort, descending=descending != backwards, place=after or before)
    more, rows = len(rows) > PAGE_ROWS, rows[:PAGE_ROWS]
    if backwards:
        rows.reverse()
    first = _first_position(after, before, len(rows))
    totals = await _totals_if_quick(few, searching=bool(condition))
    has_previous = more if backwards else after is not None
    has_following = True if backwards else more
    return CustomerPage(
        rows=[CustomerView(**{name: row[name] for name in row if name != "sort_value"}) for row in rows],
        first=first,
        total=totals.count if totals else None,
        sold=totals.sold if totals else None,
        balance=totals.balance if totals else None,
        previous=_cursor(rows[0], first) if rows and has_previous else None,
        following=_cursor(rows[-1], first + len(rows) - 1) if rows and has_following else None,
    )


async def totals(search: Search | None, *, by_phone: bool = True) -> Totals:
    """The filtered set, counted exactly; at a million without a search it takes a tenth of a second."""
    condition, params = await matching(search, by_phone=by_phone)
    if not condition:
        row = await db.fetch_row(TOTALS_OF_ALL)
    else:
        row = await db.fetch_row(
            f"{TOTALS_OF_ALL} WHERE customer_id IN (SELECT c.id FROM customer c WHERE {condition})", *params
        )
    assert row is not None
    return Totals(**row)


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
    """The way in, first step first."""
    rows = await db.fetch(
        "SELECT step, via, at FROM registration_step WHERE customer_id = $1 ORDER BY at, id", customer_id
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


async def _rows(
    condition: str,
    params: Sequence[Any],
    few: list[int] | None,
    *,
    sort: str,
    descending: bool,
    place: Cursor | None,
) -> list[db.Row]:
    """PAGE_ROWS + 1 rows from a place on: the inner query touches one table, the rest is joined to its rows."""
    expression, type_, table, key = SORTS[sort]
    values, where = list(params), [condition] if condition else []
    if condition and "f." in key:
        where = [f"EXISTS (SELECT FROM customer c WHERE c.id = {key} AND {condition})"]
    if few is not None:
        values.append(few)
        where.append(f"{key} = ANY(${len(values)}::bigint[])")
    if place is not None:
        values += [str(place.value), place.id]
        sign = "<" if descending else ">"
        where.append(f"({expression}, {key}) {sign} (${len(values) - 1}::text::{type_}, ${len(values)}::bigint)")
    order = "DESC" if descending else "ASC"
    sql = f"""
        SELECT {COLUMNS}, page.sort_value FROM (
            SELECT {key} AS id, {expression} AS sort_value FROM {table}
            {"WHERE " + " AND ".join(where) if where else ""}
            ORDER BY {expression} {order}, {key} {order} LIMIT {PAGE_ROWS + 1}
        ) page JOIN customer c ON c.id = page.id JOIN customer_facts f ON f.customer_id = page.id
        ORDER BY page.sort_value {order}, page.id {order}
    """
    return await db.fetch(sql, *values)


async def _totals_if_quick(few: list[int] | None, *, searching: bool) -> Totals | None:
    """Totals that cost next to nothing, or None when they are better counted after the page."""
    if few is not None:
        row = await db.fetch_row(f"{TOTALS_OF_ALL} WHERE customer_id = ANY($1::bigint[])", few)
    elif searching or await db.fetch_value(IS_LARGE, EXACT_COUNT):
        return None
    else:
        row = await db.fetch_row(TOTALS_OF_ALL)
    return Totals(**row) if row else None


def _first_position(after: Cursor | None, before: Cursor | None, rows: int) -> int:
    """The number of the page's first row, counted from one."""
    if after is not None:
        return after.before + 1
    if before is not None:
        return max(1, before.before - rows)
    return 1


def _cursor(row: db.Row, position: int) -> Cursor:
    """The place of a row: rows after it follow `position`, rows before it precede it."""
    value = row["sort_value"]
    return Cursor(value.isoformat() if isinstance(value, datetime) else value, row["id"], position)
