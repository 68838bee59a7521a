"""Reads of segments: all of them with their sizes, who is in one, which ones somebody is in."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from loyalty.customers.queries import reach
from loyalty.db import Row, fetch, fetch_planned, fetch_row, from_json
from loyalty.errors import NotFound
from loyalty.segments.filters import compile_tree, segment_ids
from loyalty.segments.queries.base import context_for, which_hold
from loyalty.segments.rules.trees import Condition, Group, from_body

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class SegmentView:
    """A segment. `archived_at`: nobody is added any more.

    size: how many customers are in it; of one with conditions how many were when they were last counted, None before.
    conditions: whoever meets them is in it; None for one that is filled by hand.
    """

    id: int
    name: str
    description: str
    is_at_till: bool
    is_exclusion: bool
    size: int | None
    created_at: datetime
    archived_at: datetime | None
    conditions: Group | None


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
    SELECT s.id, s.name, s.description, s.is_at_till, s.is_exclusion, s.created_at, s.archived_at, s.conditions,
        CASE WHEN s.conditions IS NULL THEN coalesce(sizes.size, 0) ELSE (SELECT size FROM segment_size
            WHERE segment_id = s.id ORDER BY day DESC LIMIT 1) END AS size
    FROM segment s LEFT JOIN (SELECT segment_id, count(*) AS size FROM segment_member GROUP BY 1) sizes
        ON sizes.segment_id = s.id
    ORDER BY s.archived_at IS NOT NULL, lower(s.name), s.id
"""
ONE = """
    SELECT id, name, description, is_at_till, is_exclusion, created_at, archived_at, conditions,
        CASE WHEN conditions IS NULL THEN (SELECT count(*) FROM segment_member WHERE segment_id = segment.id)
            ELSE (SELECT size FROM segment_size WHERE segment_id = segment.id ORDER BY day DESC LIMIT 1) END AS size
    FROM segment WHERE id = $1
"""
# Index: the primary key of segment_member, backwards.
MEMBERS = f"""
    SELECT m.customer_id, c.name, c.phone, c.card_number, m.added_at, p.name AS staff_name
    FROM segment_member m JOIN customer c ON c.id = m.customer_id LEFT JOIN staff_member p ON p.id = m.staff_id
    WHERE m.segment_id = $1 AND ($2::bigint IS NULL OR m.customer_id < $2) AND {reach.within("m.customer_id", "$4")}
    ORDER BY m.customer_id DESC LIMIT $3
"""
# Index: segment_member_customer, or its primary key; the segments themselves are a handful.
CHIPS = """
    SELECT s.id, s.name, m.customer_id IS NOT NULL AS is_in
    FROM segment s LEFT JOIN segment_member m ON m.segment_id = s.id AND m.customer_id = $1
    WHERE s.archived_at IS NULL AND s.conditions IS NULL AND (s.is_at_till OR NOT $2::bool) ORDER BY lower(s.name), s.id
"""


async def segments() -> list[SegmentView]:
    """All segments by name, archived ones last."""
    return [_view(row) for row in await fetch(SEGMENTS)]


async def segment(segment_id: int) -> SegmentView:
    """One segment, archived or not. Raises NotFound("segment")."""
    row = await fetch_row(ONE, segment_id)
    if row is None:
        raise NotFound("segment")
    return _view(row)


async def sizes_within(ids: Sequence[int], location_ids: Collection[int], *, now: datetime) -> dict[int, int]:
    """How many of each segment these locations reach now. One pass over those they reach, for all segments together."""
    if not ids:
        return {}
    trees = [Group(parts=(Condition("segment", "any", str(one)),)) for one in ids]
    context = await context_for(trees, now)
    counted = ", ".join(
        f"count(*) FILTER (WHERE {compile_tree(tree, context)}) AS size_{index}" for index, tree in enumerate(trees)
    )
    places = context.add(list(location_ids))
    [row] = await fetch_planned(
        f"SELECT {counted} FROM customer_facts f WHERE NOT f.is_hidden AND {reach.reached('f.customer_id', places)}",
        *context.params,
    )
    return {one: row[f"size_{index}"] for index, one in enumerate(ids)}


async def sizes_of(segment_id: int, *, days: int = 90) -> list[tuple[date, int]]:
    """(day, size) of a segment's last days on which it was counted, oldest first."""
    rows = await fetch(
        "SELECT day, size FROM segment_size WHERE segment_id = $1 ORDER BY day DESC LIMIT $2", segment_id, days
    )
    return [(row["day"], row["size"]) for row in reversed(rows)]


async def segments_asking_for(segment_id: int) -> list[tuple[int, str]]:
    """(id, name) of living segments whose conditions ask for this one."""
    views = [one for one in await segments() if one.conditions is not None and one.archived_at is None]
    return [(one.id, one.name) for one in views if one.conditions and segment_id in segment_ids([one.conditions])]


async def met_by(customer_id: int, *, now: datetime) -> list[tuple[int, str]]:
    """(id, name) of living segments whose conditions this customer meets, by name: all asked at once."""
    views = [one for one in await segments() if one.conditions is not None and one.archived_at is None]
    trees = [one.conditions for one in views if one.conditions is not None]
    answers = await which_hold(customer_id, trees, now=now)
    return [(one.id, one.name) for one, holds in zip(views, answers, strict=True) if holds]


def _view(row: Row) -> SegmentView:
    kept = from_json(row["conditions"])
    return SegmentView(**(row | {"conditions": from_body(kept) if kept is not None else None}))


async def members(
    segment_id: int, *, within: Collection[int] | None = None, before_id: int | None = None
) -> tuple[list[MemberView], int | None]:
    """Who is in a segment, the newest cards first, PAGE_ROWS at most, and where the next page begins.

    within: only those whom these locations reach, None for all.
    """
    rows = await fetch(MEMBERS, segment_id, before_id, PAGE_ROWS + 1, None if within is None else list(within))
    found = [MemberView(**row) for row in rows[:PAGE_ROWS]]
    return found, found[-1].customer_id if len(rows) > PAGE_ROWS else None


async def chips(customer_id: int, *, at_till: bool = False) -> list[Chip]:
    """Segments filled by hand, by name, and whether the customer is in each; on demand only those of the till."""
    return [Chip(**row) for row in await fetch(CHIPS, customer_id, at_till)]
