"""The client base from its first row to its last, in its order, a part at a time: only that part is held."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.segments.queries.base import AT_LOCATIONS, Look, base_statement, read_rows, rows_statement
from loyalty.segments.queries.columns import COLUMNS

PART_SECONDS = 600.0
"""Sorting a million takes seconds; a busy server gets more."""
AMONG = "SELECT f.customer_id AS id FROM customer_facts f WHERE f.customer_id = ANY($1::bigint[]) AND NOT f.is_hidden"
# The facts are joined once more, so that whatever finds people may stand inside.
IN_ORDER = """
SELECT f.customer_id AS id FROM ({found}) found JOIN customer_facts f ON f.customer_id = found.id {joined}
ORDER BY {value} {direction}, f.customer_id {direction}
"""
COUNT = "SELECT count(*) AS count FROM ({found}) found"


async def count_of(look: Look, chosen: Sequence[int] | None, *, now: datetime) -> int:
    """How many are found, or of those chosen are in the base, exactly."""
    found, params = await _found(look, chosen, now)
    return int((await db.fetch_planned(COUNT.format(found=found), *params))[0]["count"])


async def whole_base(
    look: Look, chosen: Sequence[int] | None, *, columns: Sequence[str], rows: int, now: datetime
) -> AsyncGenerator[list[db.Row], None]:
    """Everybody who is found, or who was chosen, in the look's order, all as they are when this begins.

    Rows are those of a page: by the names of the columns' SQL, each with id, name and phone. Of those chosen, nobody
    whom the look's locations leave out. The tree must be checked. Close it when it is left early.
    """
    found, params = await _found(look, chosen, now)
    order = COLUMNS[look.order].order
    assert order is not None
    statement = IN_ORDER.format(
        found=found,
        joined="JOIN customer c ON c.id = f.customer_id" if order.on_profile else "",
        value=order.sql,
        direction="DESC" if look.descending else "ASC",
    )
    read = rows_statement(columns)
    async with (
        db.snapshot() as base,
        aclosing(base.in_parts(statement, *params, rows=rows, seconds=PART_SECONDS)) as parts,
    ):
        async for part in parts:
            yield read_rows(await base.fetch(read, [row["id"] for row in part]))


async def _found(look: Look, chosen: Sequence[int] | None, now: datetime) -> tuple[str, list[Any]]:
    if chosen is None:
        return await base_statement(look, now=now)
    if look.locations is None:
        return AMONG, [list(chosen)]
    return f"{AMONG} AND {AT_LOCATIONS.format('$2')}", [list(chosen), list(look.locations)]
