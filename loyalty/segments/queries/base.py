"""The client base: a page of it, its sums, and why somebody is in it. How a page is found is in `finding`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.clock import business_date
from loyalty.customers.queries import matching, reach
from loyalty.customers.rules import Search, SearchKind
from loyalty.segments.filters import Context, compile_tree, filter_of, segment_ids
from loyalty.segments.queries.columns import COLUMNS
from loyalty.segments.queries.finding import AT_LEAST, FEW, SUMS, Cursor, Query, Totals, Wanted, find
from loyalty.segments.rules.trees import EVERYBODY, Condition, Group, from_body
from loyalty.shop.queries import shop

PAGE_ROWS = 50
DEFAULT_ORDER = "last_visit"


@dataclass(frozen=True, slots=True)
class Look:
    """Whom of the base somebody looks at, and in which order.

    by_phone False: digits find cards only, for those who may not see phones and must not guess them either.
    locations: only those who belong to one of these or have been there; None for the whole chain.
    """

    search: Search | None = None
    tree: Group = EVERYBODY
    order: str = DEFAULT_ORDER
    descending: bool = True
    by_phone: bool = True
    locations: tuple[int, ...] | None = None

    @property
    def is_everybody(self) -> bool:
        """Nothing is asked of anybody."""
        return self.search is None and not self.tree.parts and self.locations is None


@dataclass(frozen=True, slots=True)
class BasePage:
    """Some rows of the base, and the ways on.

    rows: by the names of the columns' SQL, each with id, name and phone. totals None: so many that they are counted
    after the page; `at_least` are known meanwhile. are_rare: so few that even counting to a thousand takes as long.
    """

    rows: list[db.Row]
    first: int
    totals: Totals | None
    at_least: int
    previous: Cursor | None
    following: Cursor | None
    are_rare: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition and whether somebody meets it. found: what they have, where that says more."""

    condition: Condition
    holds: bool
    found: Any


# Person by person: an order is walked past many who are there. The few of a small location are taken at once instead,
# along customer_home_location and the primary key of customer_location: a walk would hardly meet them.
AT_LOCATIONS = reach.reached("f.customer_id", "{0}")
THERE = """
    SELECT home.id FROM customer home WHERE home.home_location_id = ANY({0}::int[])
    UNION ALL SELECT been.customer_id FROM customer_location been
    WHERE been.location_id = ANY({0}::int[]) AND been.visits > 0
"""
HOW_MANY_THERE = f"SELECT count(*) FROM (SELECT FROM ({THERE.format('$1')}) there LIMIT {FEW + 1}) few"

BY_NAME = "EXISTS (SELECT FROM customer c WHERE c.id = f.customer_id AND {0})"
# Whoever has the number of a card that was merged means the card it became.
BY_NUMBER = "f.customer_id IN (SELECT coalesce(c.merged_into_id, c.id) FROM customer c WHERE {0})"


async def base_page(
    look: Look,
    *,
    columns: Iterable[str],
    now: datetime,
    after: Cursor | None = None,
    before: Cursor | None = None,
    rows: int = PAGE_ROWS,
) -> BasePage:
    """A page of the base by keyset: no page is dearer than the first.

    Give `after` or `before` from a former page, or neither for the first one. `columns`: keys of COLUMNS. The tree must
    be checked.
    """
    query = await _query(look, now)
    backwards = before is not None
    wanted = Wanted(COLUMNS[look.order].order, look.descending != backwards, after or before, rows + 1)
    known = await find(query, wanted, is_everybody=look.is_everybody)
    more, found = len(known.rows) > rows, known.rows[:rows]
    if backwards:
        found.reverse()
    first = _first_position(after, before, len(found))
    has_previous = more if backwards else after is not None
    has_following = True if backwards else more
    return BasePage(
        rows=await _shown([row["id"] for row in found], columns),
        first=first,
        totals=known.totals,
        are_rare=known.are_rare,
        at_least=max(known.at_least, first + len(found) - 1 + has_following),
        previous=_cursor(found[0], first) if found and has_previous else None,
        following=_cursor(found[-1], first + len(found) - 1) if found and has_following else None,
    )


async def base_totals(look: Look, *, now: datetime) -> Totals:
    """How many are found, and what they have together, exactly. A million take a tenth of a second and more."""
    query = await _query(look, now)
    row = await db.fetch_planned(f"SELECT {SUMS} FROM customer_facts f WHERE {query.condition}", *query.params)
    return Totals(**row[0])


async def base_count(look: Look, *, now: datetime, at_most: int = AT_LEAST) -> int:
    """How many are found, counted up to `at_most` + 1."""
    query = await _query(look, now)
    found = f"SELECT FROM customer_facts f WHERE {query.condition} LIMIT {at_most + 1}"
    row = await db.fetch_planned(f"SELECT count(*) AS count FROM ({found}) found", *query.params)
    return int(row[0]["count"])


async def base_ids(look: Look, *, now: datetime, after_id: int = 0, limit: int | None = None) -> list[int]:
    """Ids of those who are found, rising."""
    query = await _query(look, now)
    place = f"f.customer_id > {query.add(after_id)}::bigint"
    sql = f"SELECT f.customer_id AS id FROM customer_facts f WHERE {place} AND {query.condition} ORDER BY 1"
    rows = await db.fetch_planned(f"{sql} LIMIT {int(limit)}" if limit is not None else sql, *query.params)
    return [row["id"] for row in rows]


async def base_statement(look: Look, *, marked: Group | None = None, now: datetime) -> tuple[str, list[Any]]:
    """A statement that selects `id` of everybody who is found, and its parameters, to stand in another one.

    marked: it selects `is_marked`, too: whether they meet this tree.
    """
    query = await _query(look, now, marked or EVERYBODY)
    mark = f", {query.mark} AS is_marked" if marked is not None else ""
    return f"SELECT f.customer_id AS id{mark} FROM customer_facts f WHERE {query.condition}", query.params


async def reasons(customer_id: int, tree: Group, *, now: datetime) -> list[Reason]:
    """Each condition of a tree, in order, and whether this customer meets it."""
    conditions = list(tree.conditions)
    if not conditions:
        return []
    context = await context_for([tree], now)
    selects = []
    for index, condition in enumerate(conditions):
        one = filter_of(condition)
        selects.append(f"({one.sql(condition, context)}) AS holds_{index}")
        if one.evidence is not None:
            selects.append(f"{one.evidence} AS found_{index}")
    place = context.add(customer_id)
    row = await db.fetch_row(
        f"SELECT {', '.join(selects)} FROM customer_facts f WHERE f.customer_id = {place}::bigint", *context.params
    )
    if row is None:
        return []
    return [
        Reason(condition, row[f"holds_{index}"], row.get(f"found_{index}"))
        for index, condition in enumerate(conditions)
    ]


async def which_hold(customer_id: int, trees: Sequence[Group], *, now: datetime) -> list[bool]:
    """Whether a customer meets each of these trees, in their order; asked in one statement. Hidden ones meet none."""
    if not trees:
        return []
    context = await context_for(trees, now)
    asked = ", ".join(f"({compile_tree(tree, context)}) AS holds_{index}" for index, tree in enumerate(trees))
    place = context.add(customer_id)
    row = await db.fetch_row(
        f"SELECT {asked} FROM customer_facts f WHERE f.customer_id = {place}::bigint AND NOT f.is_hidden",
        *context.params,
    )
    return [bool(row and row[f"holds_{index}"]) for index in range(len(trees))]


async def context_for(trees: Sequence[Group], now: datetime) -> Context:
    """What conditions are asked under now, with the trees of every segment that they lead to."""
    zone = (await shop()).time_zone
    context = Context(now, business_date(now, zone), zone, compile_tree)
    known: dict[int, Group] = {}
    missing = segment_ids(trees)
    looked_up: set[int] = set()
    # Each round goes one segment deeper; what was looked up once is not again.
    while missing:
        looked_up |= missing
        rows = await db.fetch(
            "SELECT id, conditions FROM segment WHERE id = ANY($1::int[]) AND conditions IS NOT NULL", list(missing)
        )
        fresh = {row["id"]: from_body(json.loads(row["conditions"])) for row in rows}
        known |= fresh
        missing = segment_ids(fresh.values()) - looked_up
    context.segments = known
    return context


async def _query(look: Look, now: datetime, marked: Group = EVERYBODY) -> Query:
    """The look in SQL. Who is hidden is in no look."""
    found, params = await matching(look.search, by_phone=look.by_phone)
    trees = [tree for tree in (look.tree, marked) if tree.parts]
    context = await context_for(trees, now) if trees else Context(now, now.date(), "UTC", compile_tree)
    context.params += params
    parts = ["NOT f.is_hidden"]
    if found:
        parts.append((BY_NAME if look.search and look.search.kind is SearchKind.NAME else BY_NUMBER).format(found))
    if look.tree.parts:
        parts.append(f"({compile_tree(look.tree, context)})")
    if look.locations is not None:
        places = list(look.locations)
        are_few = await db.fetch_value(HOW_MANY_THERE, places) <= FEW
        there = f"f.customer_id IN ({THERE})" if are_few else AT_LOCATIONS
        parts.append(there.format(context.add(places)))
    mark = f"({compile_tree(marked, context)})" if marked.parts else "true"
    return Query(" AND ".join(parts), look.tree, context, mark)


async def _shown(ids: list[int], columns: Iterable[str]) -> list[db.Row]:
    """What is read of these people, in their order."""
    return read_rows(await db.fetch(rows_statement(columns), ids))


def rows_statement(columns: Iterable[str]) -> str:
    """A statement that reads columns of the people whose ids are $1, in their order; `read_rows` takes its rows."""
    selects = ["c.id", "c.name", "c.phone", *(COLUMNS[key].select for key in columns if COLUMNS[key].select)]
    return (
        f"SELECT {', '.join(dict.fromkeys(selects))} FROM unnest($1::bigint[]) WITH ORDINALITY place (id, number)"
        " JOIN customer c ON c.id = place.id JOIN customer_facts f ON f.customer_id = c.id ORDER BY place.number"
    )


def read_rows(rows: list[db.Row]) -> list[db.Row]:
    """Rows of `rows_statement` as pages and files take them."""
    for row in rows:
        if isinstance(row.get("categories"), str):
            row["categories"] = json.loads(row["categories"])
    return rows


def _first_position(after: Cursor | None, before: Cursor | None, rows: int) -> int:
    """The number of the page's first row, counted from one."""
    if after is not None:
        return after.before + 1
    if before is not None:
        return max(1, before.before - rows)
    return 1


def _cursor(row: Mapping[str, Any], position: int) -> Cursor:
    """The place of a row: rows after it follow `position`, rows before it precede it."""
    value = row["sort_value"]
    return Cursor(value.isoformat() if isinstance(value, datetime) else value, row["id"], position)
