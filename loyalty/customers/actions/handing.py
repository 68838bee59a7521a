"""Rows that go from one card to another when two become one, and back: by table, remembered by their ids."""

from collections.abc import Mapping, Sequence

from loyalty import db


async def hand_over(tables: Sequence[str], from_id: int, to_id: int) -> dict[str, list[int]]:
    """Make every row of these tables that is one customer's another's; which rows those were, by table.

    The names are the caller's own constants. One statement for all of them; the caller holds both customers.
    """
    steps = ", ".join(
        f"{table}_rows AS (UPDATE {table} SET customer_id = $2 WHERE customer_id = $1 RETURNING id)" for table in tables
    )
    columns = ", ".join(f"ARRAY(SELECT id FROM {table}_rows ORDER BY 1) AS {table}" for table in tables)
    row = await db.fetch_row(f"WITH {steps} SELECT {columns}", from_id, to_id)
    assert row is not None
    return {table: ids for table, ids in row.items() if ids}


async def hand_back(
    remembered: Mapping[str, Sequence[int]], from_id: int, to_id: int, *, only: Mapping[str, str] | None = None
) -> None:
    """Take `hand_over` back: the rows it moved that are still there. only: by table, a condition in SQL that they meet.

    What came into being since stays where it is.
    """
    tables = [table for table, ids in remembered.items() if ids]
    if not tables:
        return
    steps = ", ".join(
        f"{table}_rows AS (UPDATE {table} SET customer_id = $2 WHERE customer_id = $1"
        f" AND id = ANY(${number}::bigint[]) AND ({(only or {}).get(table, 'true')}))"
        for number, table in enumerate(tables, 3)
    )
    await db.execute(f"WITH {steps} SELECT 1", from_id, to_id, *[list(remembered[table]) for table in tables])
