"""The client base: a page of it, its sums, and why somebody is in it.

A page is found in one of two ways, and the planner's estimate of how many people the conditions fit says which one is
tried first. Many: the order is walked from the page's place, so far and no further, until the page is full. Few: all of
them are taken, which also counts them, and then sorted. An estimate is never shown, and may be wrong by a hundred
times: a walk that is not full at its end goes over to taking all, and taking all stops when there are too many. Where
taking reads the whole base, a short walk is tried before it: who is rare in one way is often first in another. A walk
goes along the stretches of its order alone in which somebody can fit.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.clock import business_date
from loyalty.customers.queries import matching, reach
from loyalty.customers.rules import Search, SearchKind
from loyalty.segments.filters import Context, compile_tree, filter_of, segment_ids
from loyalty.segments.queries.columns import COLUMNS, Order
from loyalty.segments.queries.stretches import stretches
from loyalty.segments.rules.trees import EVERYBODY, Condition, Group, from_body
from loyalty.shop.queries import shop

PAGE_ROWS = 50
SMALL = 20_000
"""A base up to this size is read whole with each page: that takes some ten milliseconds, and everything is exact."""
FEW = 2_000
"""Up to so many found are all taken and sorted."""
MANY = 100
"""Where one in so many should fit, a walk is tried first."""
PATIENCE = 4
"""So many times as far an order is walked as should be needed; a short walk is planned as one."""
SHORTEST_WALK = 500
SOME = 3
"""So many found on a walk that was too short tell how long the next one has to be."""
LONG_WALK = 30_000
"""So many people an order is walked for at most. Each lies somewhere else: the whole base is read in little more."""
STEP_COST = 8
"""A walk may cost an eighth of what the planner believes that taking all does, and costs one a step."""
AT_LEAST = 1_000
"""A count that would take its time is told as "so many and more" at first."""
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
class Cursor:
    """A place between two rows: the sort value and id of the row beside it, and how many rows lie before."""

    value: str | int
    id: int
    before: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Those who were found, in numbers: minor units and hundredths of bonuses."""

    count: int
    sold: int
    paid: int
    balance: int


@dataclass(frozen=True, slots=True)
class BasePage:
    """Some rows of the base, and the ways on.

    rows: by the names of the columns' SQL, each with id, name and phone. totals None: so many that they are counted
    after the page; `at_least` are known meanwhile.
    """

    rows: list[db.Row]
    first: int
    totals: Totals | None
    at_least: int
    previous: Cursor | None
    following: Cursor | None


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition and whether somebody meets it. found: what they have, where that says more."""

    condition: Condition
    holds: bool
    found: Any


@dataclass(slots=True)
class _Query:
    """A look in SQL: the condition on `customer_facts f`, which is `tree` and more, and one more condition beside it.

    context: it was put into SQL under this one, which has its parameters.
    """

    condition: str
    tree: Group
    context: Context
    mark: str = "true"

    @property
    def params(self) -> list[Any]:
        return self.context.params

    def add(self, value: Any) -> str:
        return self.context.add(value)

    def copy(self) -> "_Query":
        return replace(self, context=replace(self.context, params=list(self.params)))


# The statistics answer at once; a base that was never analysed is looked at.
SIZE = """
SELECT CASE WHEN reltuples >= 0 THEN reltuples::bigint
    ELSE (SELECT count(*) FROM (SELECT FROM customer_facts LIMIT $1::int + 1) found) END
FROM pg_class WHERE oid = 'customer_facts'::regclass
"""
SUMS = """
    count(*) AS count, coalesce(sum(f.sold), 0)::bigint AS sold, coalesce(sum(f.paid), 0)::bigint AS paid,
    coalesce(sum(f.balance), 0)::bigint AS balance
"""
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
    wanted = _Wanted(COLUMNS[look.order].order, look.descending != backwards, after or before, rows + 1)
    found, totals, at_least = await _find(query, wanted, is_everybody=look.is_everybody)
    more, found = len(found) > rows, found[:rows]
    if backwards:
        found.reverse()
    first = _first_position(after, before, len(found))
    has_previous = more if backwards else after is not None
    has_following = True if backwards else more
    return BasePage(
        rows=await _shown([row["id"] for row in found], columns),
        first=first,
        totals=totals,
        at_least=max(at_least, first + len(found) - 1 + has_following),
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


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which rows of those found: the order and its direction, from a place on, so many."""

    order: Order | None
    descending: bool
    place: Cursor | None
    rows: int

    @property
    def direction(self) -> str:
        return "DESC" if self.descending else "ASC"

    def beyond(self, value: str, key: str, query: _Query) -> str:
        """SQL: the row lies beyond the place."""
        assert self.order is not None
        if self.place is None:
            return "true"
        sign = "<" if self.descending else ">"
        sort_value, id_ = query.add(str(self.place.value)), query.add(self.place.id)
        return f"({value}, {key}) {sign} ({sort_value}::text::{self.order.type}, {id_}::bigint)"


async def _query(look: Look, now: datetime, marked: Group = EVERYBODY) -> _Query:
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
    return _Query(" AND ".join(parts), look.tree, context, mark)


async def _find(query: _Query, wanted: _Wanted, *, is_everybody: bool) -> tuple[list[db.Row], Totals | None, int]:
    """The rows of a page, the totals if they came with it, and how many there are at least."""
    size = await db.fetch_value(SIZE, SMALL)
    if size <= SMALL:
        return await _take(query, wanted, limit=None)
    assert wanted.order is not None
    if is_everybody and wanted.order.index:
        rows = await _walk(query, wanted, SHORTEST_WALK)
        return rows if len(rows) == wanted.rows else await _walk_far(query, wanted, size), None, AT_LEAST
    if not wanted.order.index:
        return await _sort(query, wanted), None, 0
    expected, cost = await _estimate(query)
    if expected > size / MANY:
        steps, at_most = max(SHORTEST_WALK, int(PATIENCE * wanted.rows * size / expected)), LONG_WALK
    else:
        # What was typed is found along indexes of its own, however the planner weighs them.
        steps = at_most = int(cost / STEP_COST) if query.tree.parts else 0
    rows, walked = await _walk_on(query, wanted, steps, at_most) if steps >= SHORTEST_WALK else ([], 0)
    if len(rows) == wanted.rows:
        return rows, None, 0
    taken = await _take(query, wanted, limit=FEW)
    if taken[1] is not None:
        return taken
    return await _walk_far(query, wanted, size, walked), None, FEW


async def _walk_on(query: _Query, wanted: _Wanted, steps: int, at_most: int) -> tuple[list[db.Row], int]:
    """Walk so many steps, and again as far as what was found on the way says, until the page is full or too far away.

    Returns the rows and how far it went; of a page that is not full nothing is known.
    """
    rows: list[db.Row] = []
    walked = 0
    while walked < steps <= at_most and len(rows) < wanted.rows:
        rows, walked = await _walk(query, wanted, steps), steps
        # What was found on the way is a better estimate; of too few nobody knows whether they are rare or farther on.
        steps = PATIENCE * steps * wanted.rows // len(rows) if len(rows) >= SOME else at_most
        steps = min(steps, at_most)
    return rows, walked


async def _walk_far(query: _Query, wanted: _Wanted, size: int, walked: int = 0) -> list[db.Row]:
    """Walk on; where even that does not fill a page, the base is read whole. The size is an estimate, too."""
    rows = await _walk(query, wanted, LONG_WALK) if walked < LONG_WALK else []
    if len(rows) < wanted.rows and size > LONG_WALK // 2:
        rows = await _sort(query, wanted)
    return rows


async def _estimate(query: _Query) -> tuple[float, float]:
    """How many the planner believes are found, and what it believes finding them costs.

    Good for one condition, a guess for several.
    """
    rows = await db.fetch_planned(
        f"EXPLAIN (FORMAT JSON) SELECT FROM customer_facts f WHERE {query.condition}", *query.params
    )
    [plan] = json.loads(rows[0]["QUERY PLAN"])
    return float(plan["Plan"]["Plan Rows"]), float(plan["Plan"]["Total Cost"])


async def _walk(query: _Query, wanted: _Wanted, steps: int) -> list[db.Row]:
    """The first rows along an index that fit, of the next `steps` people in it; fewer when it is left before."""
    assert wanted.order is not None
    query = query.copy()
    value, direction = wanted.order.sql, wanted.direction
    if wanted.order.on_profile:
        place = wanted.beyond(value, "c.id", query)
        order = f"ORDER BY {value} {direction}, c.id {direction}"
        sql = f"""
            SELECT path.id, path.sort_value
            FROM (SELECT c.id, {value} AS sort_value FROM customer c WHERE {place} {order} LIMIT {steps}) path
            JOIN customer_facts f ON f.customer_id = path.id WHERE {query.condition}
            ORDER BY path.sort_value {direction}, path.id {direction} LIMIT {wanted.rows}
        """
    else:
        place = wanted.beyond(value, "f.customer_id", query)
        order = f"ORDER BY {value} {direction}, f.customer_id {direction}"
        way = "SELECT * FROM customer_facts f WHERE {stretch} AND {place} {order} LIMIT {steps}"
        ways = [
            way.format(stretch=stretch, place=place, order=order, steps=steps)
            for stretch in stretches(query.tree, value, query.context) or ("true",)
        ]
        path = ways[0] if len(ways) == 1 else f"SELECT * FROM (({') UNION ALL ('.join(ways)})) f {order} LIMIT {steps}"
        sql = f"""
            SELECT f.customer_id AS id, {value} AS sort_value FROM ({path}) f
            WHERE {query.condition} {order} LIMIT {wanted.rows}
        """
    return await db.fetch_planned(sql, *query.params)


async def _take(query: _Query, wanted: _Wanted, *, limit: int | None) -> tuple[list[db.Row], Totals | None, int]:
    """All who fit, summed up and sorted; nobody, and no totals, when they are more than `limit`."""
    assert wanted.order is not None
    query = query.copy()
    place = wanted.beyond("sort_value", "id", query)
    joined = "JOIN customer c ON c.id = f.customer_id" if wanted.order.on_profile else ""
    stop = f"LIMIT {limit + 1}" if limit is not None else ""
    sql = f"""
        WITH f AS MATERIALIZED (
            SELECT f.customer_id AS id, f.sold, f.paid, f.balance, {wanted.order.sql} AS sort_value
            FROM customer_facts f {joined} WHERE {query.condition} {stop}
        ), sums AS (SELECT {SUMS} FROM f),
        page AS (SELECT id, sort_value FROM f WHERE {place}
            ORDER BY sort_value {wanted.direction}, id {wanted.direction} LIMIT {wanted.rows})
        SELECT page.id, page.sort_value, sums.* FROM sums LEFT JOIN page ON true
        ORDER BY page.sort_value {wanted.direction}, page.id {wanted.direction}
    """
    rows = await db.fetch_planned(sql, *query.params)
    count = rows[0]["count"]
    if limit is not None and count > limit:
        return [], None, limit
    totals = Totals(**{name: rows[0][name] for name in ("count", "sold", "paid", "balance")})
    return [row for row in rows if row["id"] is not None], totals, count


async def _sort(query: _Query, wanted: _Wanted) -> list[db.Row]:
    """The first rows of all who fit, however many they are: the base is read whole."""
    assert wanted.order is not None
    query = query.copy()
    value, direction = wanted.order.sql, wanted.direction
    place = wanted.beyond(value, "f.customer_id", query)
    if wanted.order.index:
        # Believing that it will soon be full, the planner would walk the index once more, from end to end.
        value = f"coalesce({value}, {value})"
    joined = "JOIN customer c ON c.id = f.customer_id" if wanted.order.on_profile else ""
    return await db.fetch_planned(
        f"SELECT f.customer_id AS id, {value} AS sort_value FROM customer_facts f {joined}"
        f" WHERE {place} AND {query.condition} ORDER BY {value} {direction}, f.customer_id {direction}"
        f" LIMIT {wanted.rows}",
        *query.params,
    )


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
