"""Reads of segments: all of them with their sizes, who is in one, which ones somebody is in."""

from dataclasses import dataclass
from datetime import datetime

from loyalty.db import fetch, fetch_row
from loyalty.errors import NotFound

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class SegmentView:
    """A segment. `size`: how many customers are in it. `archived_at`: nobody is added any more."""

    id: int
    name: str
    description: str
    is_at_till: bool
    size: int
    created_at: datetime
    archived_at: datetime | None


@dataclass(frozen=True, slots=True)
class MemberView:
    """A customer in a segment. `staff_name` None: no person of the panel added them."""

    customer_id: int
    name: str
    phone: str | None
    card_number: str
    added_at: datetime
    staff_name: str | None


@dataclass(frozen=True, slots=True)
class Chip:
    """A segment as it is given and taken. `is_in`: the customer is in it."""

    id: int
    name: str
    is_in: bool


# The counts walk segment_member once; its primary key begins with the segment.
SEGMENTS = """
    SELECT s.id, s.name, s.description, s.is_at_till, coalesce(sizes.size, 0) AS size, s.created_at, s.archived_at
    FROM segment s LEFT JOIN (SELECT segment_id, count(*) AS size FROM segment_member GROUP BY 1) sizes
        ON sizes.segment_id = s.id
    ORDER BY s.archived_at IS NOT NULL, lower(s.name), s.id
"""
ONE = """
    SELECT id, name, description, is_at_till,
        (SELECT count(*) FROM segment_member WHERE segment_id = segment.id) AS size, created_at, archived_at
    FROM segment WHERE id = $1
"""
# Index: the primary key of segment_member, backwards.
MEMBERS = """
    SELECT m.customer_id, c.name, c.phone, c.card_number, m.added_at, p.name AS staff_name
    FROM segment_member m JOIN customer c ON c.id = m.customer_id LEFT JOIN staff_member p ON p.id = m.staff_id
    WHERE m.segment_id = $1 AND ($2::bigint IS NULL OR m.customer_id < $2) ORDER BY m.customer_id DESC LIMIT $3
"""
# Index: segment_member_customer, or its primary key; the segments themselves are a handful.
CHIPS = """
    SELECT s.id, s.name, m.customer_id IS NOT NULL AS is_in
    FROM segment s LEFT JOIN segment_member m ON m.segment_id = s.id AND m.customer_id = $1
    WHERE s.archived_at IS NULL AND (s.is_at_till OR NOT $2::bool) ORDER BY lower(s.name), s.id
"""


async def segments() -> list[SegmentView]:
    """All segments by name, archived ones last."""
    return [SegmentView(**row) for row in await fetch(SEGMENTS)]


async def segment(segment_id: int) -> SegmentView:
    """One segment, archived or not. Raises NotFound("segment")."""
    row = await fetch_row(ONE, segment_id)
    if row is None:
        raise NotFound("segment")
    return SegmentView(**row)


async def members(segment_id: int, *, before_id: int | None = None) -> tuple[list[MemberView], int | None]:
    """Who is in a segment, the newest cards first, PAGE_ROWS at most, and where the next page begins."""
    rows = await fetch(MEMBERS, segment_id, before_id, PAGE_ROWS + 1)
    found = [MemberView(**row) for row in rows[:PAGE_ROWS]]
    return found, found[-1].customer_id if len(rows) > PAGE_ROWS else None


async def chips(customer_id: int, *, at_till: bool = False) -> list[Chip]:
    """Segments in use by name, and whether the customer is in each; only those that cashiers may give, on demand."""
    return [Chip(**row) for row in await fetch(CHIPS, customer_id, at_till)]
