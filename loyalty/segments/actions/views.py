"""Keeping columns and views of the base. Nothing of a customer changes, so the journal does not tell of it."""

from collections.abc import Sequence
from datetime import datetime

from loyalty.db import execute, fetch_row, fetch_value, to_json, use_case
from loyalty.errors import Invalid, NotFound
from loyalty.segments.queries.columns import COLUMNS
from loyalty.shop.rules import clean_line

NAME_LENGTH = 60
QUERY_LENGTH = 8_000
MOST_VIEWS = 100

ADD_VIEW = """
    INSERT INTO saved_view (staff_id, name, query, is_shared, created_at)
    SELECT $1::int, $2::text, $3, $4, $5
    WHERE (SELECT count(*) FROM saved_view WHERE staff_id = $1) < $6
        OR EXISTS (SELECT FROM saved_view WHERE staff_id = $1 AND lower(name) = lower($2))
    ON CONFLICT (staff_id, lower(name)) DO UPDATE SET query = EXCLUDED.query, is_shared = EXCLUDED.is_shared
    RETURNING id
"""


@use_case
async def keep_columns(staff_id: int, columns: Sequence[tuple[str, bool]]) -> None:
    """Remember a person's columns, (key, is pinned) in order.

    Raises Invalid("columns", "required" | "unknown_choice").
    """
    keys = [key for key, _ in columns]
    if not keys:
        raise Invalid("columns", "required")
    if len(set(keys)) < len(keys) or not COLUMNS.keys() >= set(keys):
        raise Invalid("columns", "unknown_choice")
    await execute(
        "INSERT INTO table_layout (staff_id, columns) VALUES ($1, $2::jsonb)"
        " ON CONFLICT (staff_id) DO UPDATE SET columns = EXCLUDED.columns",
        staff_id,
        to_json([[key, pinned] for key, pinned in columns]),
    )


@use_case
async def forget_columns(staff_id: int) -> None:
    """Show the table as it comes."""
    await execute("DELETE FROM table_layout WHERE staff_id = $1", staff_id)


@use_case
async def save_view(staff_id: int, name: str, query: str, *, is_shared: bool, now: datetime) -> int:
    """Keep a look at the base under a name; the same name again keeps the new look. Returns its id.

    Raises Invalid("name"), Invalid("query", "too_long"), Invalid("name", "too_many") for who has MOST_VIEWS.
    """
    name = clean_line("name", name, NAME_LENGTH)
    if len(query) > QUERY_LENGTH:
        raise Invalid("query", "too_long", limit=QUERY_LENGTH)
    view_id: int | None = await fetch_value(ADD_VIEW, staff_id, name, query, is_shared, now, MOST_VIEWS)
    if view_id is None:
        raise Invalid("name", "too_many", limit=MOST_VIEWS)
    return view_id


@use_case
async def remove_view(view_id: int, staff_id: int) -> tuple[str, str, bool]:
    """Forget a view of one's own. Returns its name, query and whether it was shared, so that it can be kept again.

    Raises NotFound("view").
    """
    row = await fetch_row(
        "DELETE FROM saved_view WHERE id = $1 AND staff_id = $2 RETURNING name, query, is_shared", view_id, staff_id
    )
    if row is None:
        raise NotFound("view")
    return row["name"], row["query"], row["is_shared"]
