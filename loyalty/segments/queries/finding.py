"""Finding a page of the client base.

A page is found in one of two ways, and the planner's estimate of how many people the conditions fit says which one is
tried first. Many: the order is walked from the page's place, so far and no further, until the page is full. Few: all of
them are taken, which also counts them, and then sorted. An estimate is never shown, and may be wrong by a hundred
times: a walk that is not full at its end goes over to taking all, and taking all stops when there are too many. Where
taking reads the whole base, a short walk is tried before it: who is rare in one way is often first in another. A walk
goes along the stretches of its order alone in which somebody can fit.
"""

import json
from dataclasses import dataclass, replace
from typing import Any

from loyalty import db
from loyalty.segments.filters import Context
from loyalty.segments.queries.columns import Order
from loyalty.segments.queries.stretches import stretches
from loyalty.segments.rules.trees import Group

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
class Found:
    """The rows of a page (id, sort_value), the totals if they came with it, how many there are at least.

    are_rare: counting even a thousand of them would read the whole base.
    """

    rows: list[db.Row]
    totals: Totals | None = None
    at_least: int = 0
    are_rare: bool = False


@dataclass(slots=True)
class Query:
    """A look in SQL: the condition on `customer_facts f`, which is `tree` and more, and one more condition beside it.

    context: it was put into SQL under this one, which has its parameters.
    """

    condition: str
    tree: Group
    context: Context
    mark: str = "true"

    @property
    def params(self) -> list[Any]:
        """Of all that is in SQL already."""
        return self.context.params

    def add(self, value: Any) -> str:
        """Put a parameter on the list; its place in the SQL."""
        return self.context.add(value)

    def copy(self) -> "Query":
        """One to which a statement adds what is its own."""
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows of those found: the order and its direction, from a place on, so many."""

    order: Order | None
    descending: bool
    place: Cursor | None
    rows: int

    @property
    def direction(self) -> str:
        return "DESC" if self.descending else "ASC"

    def beyond(self, value: str, key: str, query: Query) -> str:
        """SQL: the row lies beyond the place."""
        assert self.order is not None
        if self.place is None:
            return "true"
        sign = "<" if self.descending else ">"
        sort_value, id_ = query.add(str(self.place.value)), query.add(self.place.id)
        return f"({value}, {key}) {sign} ({sort_value}::text::{self.order.type}, {id_}::bigint)"


async def find(query: Query, wanted: Wanted, *, is_everybody: bool) -> Found:
    """The rows of a page and what came to be known with them."""
    size = await db.fetch_value(SIZE, SMALL)
    if size <= SMALL:
        return await _take(query, wanted, limit=None)
    assert wanted.order is not None
    if is_everybody and wanted.order.index:
        rows = await _walk(query, wanted, SHORTEST_WALK)
        return Found(rows if len(rows) == wanted.rows else await _walk_far(query, wanted, size), at_least=AT_LEAST)
    if not wanted.order.index:
        return Found(await _sort(query, wanted))
    expected, cost = await _estimate(query)
    are_many = expected > size / MANY
    if are_many:
        steps, at_most = max(SHORTEST_WALK, int(PATIENCE * wanted.rows * size / expected)), LONG_WALK
    else:
        # What was typed is found along indexes of its own, however the planner weighs them.
        steps = at_most = int(cost / STEP_COST) if query.tree.parts else 0
    rows, walked = await _walk_on(query, wanted, steps, at_most) if steps >= SHORTEST_WALK else ([], 0)
    if len(rows) == wanted.rows:
        return Found(rows, are_rare=not are_many)
    if are_many and walked >= LONG_WALK:
        # Where the planner was so wrong about how many they are, it is wrong about how to take them, too.
        return Found(await _sort(query, wanted), are_rare=True)
    taken = await _take(query, wanted, limit=FEW)
    if taken.totals is not None:
        return taken
    return Found(await _walk_far(query, wanted, size, rows if walked >= LONG_WALK else None), at_least=FEW)


async def _walk_on(query: Query, wanted: Wanted, steps: int, at_most: int) -> tuple[list[db.Row], int]:
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


async def _walk_far(query: Query, wanted: Wanted, size: int, rows: list[db.Row] | None = None) -> list[db.Row]:
    """Walk on; where even that does not fill a page, the base is read whole. The size is an estimate, too.

    rows: of a walk as long, if there was one.
    """
    if rows is None:
        rows = await _walk(query, wanted, LONG_WALK)
    if len(rows) < wanted.rows and size > LONG_WALK // 2:
        rows = await _sort(query, wanted)
    return rows


async def _estimate(query: Query) -> tuple[float, float]:
    """How many the planner believes are found, and what it believes finding them costs.

    Good for one condition, a guess for several.
    """
    rows = await db.fetch_planned(
        f"EXPLAIN (FORMAT JSON) SELECT FROM customer_facts f WHERE {query.condition}", *query.params
    )
    [plan] = json.loads(rows[0]["QUERY PLAN"])
    return float(plan["Plan"]["Plan Rows"]), float(plan["Plan"]["Total Cost"])


async def _walk(query: Query, wanted: Wanted, steps: int) -> list[db.Row]:
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


async def _take(query: Query, wanted: Wanted, *, limit: int | None) -> Found:
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
        return Found([], at_least=limit)
    totals = Totals(**{name: rows[0][name] for name in ("count", "sold", "paid", "balance")})
    return Found([row for row in rows if row["id"] is not None], totals, count)


async def _sort(query: Query, wanted: Wanted) -> list[db.Row]:
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
