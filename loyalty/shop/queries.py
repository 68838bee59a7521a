"""Reads of the chain: its settings, its locations, the programme in force."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from loyalty.db import Row, fetch, fetch_row, fetch_value, from_json
from loyalty.errors import NotFound
from loyalty.shop.rules import Hours, LocationView, Programme, ShopView


@dataclass(frozen=True, slots=True)
class ProgrammeVersion:
    """A version of the programme: what it says, from when, and who made it when (None: the first migration)."""

    id: int
    effective_from: datetime
    programme: Programme
    created_at: datetime
    staff_name: str | None


@dataclass(frozen=True, slots=True)
class UsedIds:
    """The highest ids of tiers and rules in any version, and of the versions themselves."""

    tier: int
    rule: int
    version: int


async def shop() -> ShopView:
    """The chain's settings. The first migration wrote the row, so it is always there."""
    row = await fetch_row("SELECT name, currency, exponent, region, language, time_zone FROM shop")
    assert row is not None
    return ShopView(**row)


# Index: fiscal_drive_location.
LOCATION = """
    SELECT id, name, address, time_zone, burns_without_code, is_open, hours,
        ARRAY(SELECT fn FROM fiscal_drive WHERE location_id = location.id ORDER BY fn) AS fiscal_drives
    FROM location
"""


async def locations(*, only_open: bool = False) -> list[LocationView]:
    """All locations by name, those that sell before those that closed; only the former on demand."""
    which = "WHERE is_open" if only_open else ""
    return [_location_view(row) for row in await fetch(f"{LOCATION} {which} ORDER BY is_open DESC, name, id")]


async def location(location_id: int) -> LocationView:
    """One location, open or closed. Raises NotFound("location")."""
    row = await fetch_row(f"{LOCATION} WHERE id = $1", location_id)
    if row is None:
        raise NotFound("location")
    return _location_view(row)


async def programme_at(now: datetime) -> Programme:
    """The programme in force at `now`: the newest version whose beginning is not ahead of it."""
    body: str | None = await fetch_value(IN_FORCE.format(now="$1"), now)
    if body is None:
        raise NotFound("programme")
    return programme_of(body)


@lru_cache(maxsize=32)
def programme_of(body: str) -> Programme:
    """The programme that `IN_FORCE` found. Read once for the many who ask: it changes when somebody saves another."""
    return Programme.from_body(from_json(body))


IN_FORCE = "SELECT body FROM programme WHERE effective_from <= {now} ORDER BY effective_from DESC, id DESC LIMIT 1"


# A handful of rows: every version there ever was.
VERSIONS = """
    SELECT p.id, p.effective_from, p.body, p.created_at, s.name AS staff_name
    FROM programme p LEFT JOIN staff_member s ON s.id = p.staff_id ORDER BY p.effective_from DESC, p.id DESC
"""
USED_IDS = """
    SELECT coalesce(max((tier->>'id')::int), 0) AS tier,
        (SELECT coalesce(max((rule->>'id')::int), 0) FROM programme,
            jsonb_array_elements(coalesce(body->'rules', '[]')) rule) AS rule,
        (SELECT max(id) FROM programme) AS version
    FROM programme, jsonb_array_elements(body->'tiers') tier
"""


async def programme_versions() -> list[ProgrammeVersion]:
    """All versions, the last to come into force first."""
    return [
        ProgrammeVersion(
            row["id"],
            row["effective_from"],
            Programme.from_body(from_json(row["body"])),
            row["created_at"],
            row["staff_name"],
        )
        for row in await fetch(VERSIONS)
    ]


async def used_ids() -> UsedIds:
    """The highest ids that any version has used, and the newest version's own."""
    row = await fetch_row(USED_IDS)
    assert row is not None
    return UsedIds(**row)


async def names_programme(version_id: int) -> bool:
    """Whether a receipt was earned by this version. Asked like `has_receipts`; without an index, for it is rare."""
    return bool(await fetch_value("SELECT EXISTS (SELECT FROM receipt WHERE programme_id = $1)", version_id))


async def has_receipts() -> bool:
    """Whether anything was ever sold. The table belongs to a room above: asked in SQL, nothing is imported."""
    return bool(await fetch_value("SELECT EXISTS (SELECT FROM receipt)"))


async def has_customers() -> bool:
    """Whether anybody is registered. Asked like `has_receipts`."""
    return bool(await fetch_value("SELECT EXISTS (SELECT FROM customer)"))


def _location_view(row: Row) -> LocationView:
    hours = from_json(row["hours"])
    told = {"hours": Hours.from_body(hours) if hours else None, "fiscal_drives": tuple(row["fiscal_drives"])}
    return LocationView(**{**row, **told})
