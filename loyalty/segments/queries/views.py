"""Reading what people keep of the base's table: their columns, and their saved views."""

from dataclasses import dataclass
from datetime import datetime

from loyalty.db import fetch, fetch_value, from_json


@dataclass(frozen=True, slots=True)
class SavedViewView:
    """A look at the base that somebody keeps. query: of its address. is_own: the reader made it."""

    id: int
    name: str
    query: str
    is_shared: bool
    is_own: bool
    staff_name: str
    created_at: datetime


VIEWS = """
    SELECT v.id, v.name, v.query, v.is_shared, v.staff_id = $1 AS is_own, s.name AS staff_name, v.created_at
    FROM saved_view v JOIN staff_member s ON s.id = v.staff_id WHERE v.staff_id = $1 OR v.is_shared
    ORDER BY v.staff_id <> $1, lower(v.name), v.id
"""


async def saved_views(staff_id: int) -> list[SavedViewView]:
    """A person's own views, then those that others share, by name."""
    return [SavedViewView(**row) for row in await fetch(VIEWS, staff_id)]


async def table_layout(staff_id: int) -> list[tuple[str, bool]] | None:
    """The columns as this person wants them: (key, is pinned) in order; None for who never said."""
    kept = await fetch_value("SELECT columns FROM table_layout WHERE staff_id = $1", staff_id)
    return [(str(key), bool(pinned)) for key, pinned in from_json(kept)] if kept is not None else None
