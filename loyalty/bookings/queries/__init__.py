"""Reading bookings: who serves, with what, one appointment, a customer's, a page of all."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from loyalty import db
from loyalty.errors import NotFound

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class TeamMemberView:
    """Somebody who serves. `location_id` None: everywhere. `archived_at`: not any more."""

    id: int
    name: str
    position: str
    location_id: int | None
    external_id: str | None
    created_at: datetime
    archived_at: datetime | None


@dataclass(frozen=True, slots=True)
class CategoryView:
    """A group of services. `services`: how many of those in use."""

    id: int
    name: str
    external_id: str | None
    services: int
    created_at: datetime
    archived_at: datetime | None


@dataclass(frozen=True, slots=True)
class ServiceView:
    """Something that is done for customers."""

    id: int
    name: str
    category_id: int | None
    category_name: str | None
    external_id: str | None
    created_at: datetime
    archived_at: datetime | None


@dataclass(frozen=True, slots=True)
class AppointmentView:
    """A booked time. Tips in minor units; `business_date` is its local day in `time_zone`, the location's."""

    id: int
    customer_id: int
    location_id: int
    location_name: str
    time_zone: str
    team_member_id: int | None
    team_member_name: str | None
    starts_at: datetime
    ends_at: datetime | None
    business_date: date
    state: str
    source: str
    tips: int
    external_id: str | None
    created_at: datetime
    created_via: str
    updated_at: datetime
    service_ids: Sequence[int]
    service_names: Sequence[str]


@dataclass(frozen=True, slots=True)
class Visiting:
    """How somebody comes: visits are days at a location, the epoch means never, tips are in minor units."""

    visits: int
    locations: int
    first_visit_at: datetime
    last_visit_at: datetime
    next_booking_at: datetime
    tips: int


@dataclass(frozen=True, slots=True)
class AppointmentFilters:
    """Which appointments: of a customer, at a location, beginning from `since` until before `until`.

    `location_ids`: only at these, because whoever asks sees no others. `updated_since`: changed from then on; the page
    is in the order of changes then, else in that of beginnings.
    """

    customer_id: int | None = None
    location_id: int | None = None
    location_ids: Collection[int] | None = None
    since: datetime | None = None
    until: datetime | None = None
    updated_since: datetime | None = None


# A few hundred of each at most: they are read whole.
TEAM = "SELECT id, name, position, location_id, external_id, created_at, archived_at FROM team_member"
SERVICES = """
    SELECT s.id, s.name, s.category_id, c.name AS category_name, s.external_id, s.created_at, s.archived_at
    FROM service s LEFT JOIN service_category c ON c.id = s.category_id
"""
CATEGORIES = """
    SELECT c.id, c.name, c.external_id, c.created_at, c.archived_at,
        (SELECT count(*) FROM service WHERE category_id = c.id AND archived_at IS NULL) AS services
    FROM service_category c
"""

APPOINTMENT = """
    SELECT a.id, a.customer_id, a.location_id, l.name AS location_name, l.time_zone, a.team_member_id,
        m.name AS team_member_name, a.starts_at, a.ends_at, a.business_date, a.state, a.source, a.tips, a.external_id,
        a.created_at, a.created_via, a.updated_at, coalesce(done.ids, '{}') AS service_ids,
        coalesce(done.names, '{}') AS service_names
    FROM appointment a JOIN location l ON l.id = a.location_id LEFT JOIN team_member m ON m.id = a.team_member_id,
        LATERAL (SELECT array_agg(s.id ORDER BY s.id) AS ids, array_agg(s.name ORDER BY s.id) AS names
            FROM appointment_service part JOIN service s ON s.id = part.service_id
            WHERE part.appointment_id = a.id) done
"""


VISITING = """
    SELECT visits, locations, first_visit_at, last_visit_at, next_booking_at, tips FROM customer_facts
    WHERE customer_id = $1
"""


async def team_members() -> list[TeamMemberView]:
    """All by name, archived ones last."""
    rows = await db.fetch(f"{TEAM} ORDER BY archived_at IS NOT NULL, lower(name), id")
    return [TeamMemberView(**row) for row in rows]


async def team_member(member_id: int) -> TeamMemberView:
    """One of them, archived or not. Raises NotFound("team_member")."""
    return TeamMemberView(**await _one(f"{TEAM} WHERE id = $1", member_id, "team_member"))


async def services() -> list[ServiceView]:
    """All by category and name, those of none and archived ones last."""
    rows = await db.fetch(f"{SERVICES} ORDER BY s.archived_at IS NOT NULL, lower(c.name), lower(s.name), s.id")
    return [ServiceView(**row) for row in rows]


async def service(service_id: int) -> ServiceView:
    """One of them, archived or not. Raises NotFound("service")."""
    return ServiceView(**await _one(f"{SERVICES} WHERE s.id = $1", service_id, "service"))


async def service_categories() -> list[CategoryView]:
    """All by name, archived ones last."""
    rows = await db.fetch(f"{CATEGORIES} ORDER BY c.archived_at IS NOT NULL, lower(c.name), c.id")
    return [CategoryView(**row) for row in rows]


async def service_category(category_id: int) -> CategoryView:
    """One of them, archived or not. Raises NotFound("service_category")."""
    return CategoryView(**await _one(f"{CATEGORIES} WHERE c.id = $1", category_id, "service_category"))


async def appointment(appointment_id: int) -> AppointmentView:
    """One appointment. Raises NotFound("appointment")."""
    return AppointmentView(**await _one(f"{APPOINTMENT} WHERE a.id = $1", appointment_id, "appointment"))


async def appointments_of(
    customer_id: int, *, before: tuple[datetime, int] | None = None
) -> tuple[list[AppointmentView], tuple[datetime, int] | None]:
    """A customer's appointments, the latest first, PAGE_ROWS at most, and where the next page begins.

    Index: appointment_customer.
    """
    params: list[Any] = [customer_id, PAGE_ROWS + 1]
    place = ""
    if before is not None:
        place, params = "AND (a.starts_at, a.id) < ($3, $4)", [*params, *before]
    rows = await db.fetch(
        f"{APPOINTMENT} WHERE a.customer_id = $1 {place} ORDER BY a.starts_at DESC, a.id DESC LIMIT $2", *params
    )
    found = [AppointmentView(**row) for row in rows[:PAGE_ROWS]]
    return found, (found[-1].starts_at, found[-1].id) if len(rows) > PAGE_ROWS else None


async def visiting(customer_id: int) -> Visiting:
    """How somebody comes. Raises NotFound("customer")."""
    return Visiting(**await _one(VISITING, customer_id, "customer"))


async def appointment_page(
    filters: AppointmentFilters, *, after: tuple[datetime, int] | None = None, limit: int = PAGE_ROWS
) -> tuple[list[AppointmentView], bool]:
    """A page of appointments, and whether there are more; the next begins at the last row's moment and id.

    A change may be saved some seconds after its moment: whoever keeps a copy begins the next round a little earlier
    than the last one began. Indexes: appointment_updated in the order of changes; appointment_customer or
    appointment_starts in that of beginnings.
    """
    column = "a.starts_at" if filters.updated_since is None else "a.updated_at"
    asked = (
        ("a.customer_id = {}", filters.customer_id),
        ("a.location_id = {}", filters.location_id),
        ("a.location_id = ANY({}::int[])", list(filters.location_ids) if filters.location_ids is not None else None),
        ("a.starts_at >= {}", filters.since),
        ("a.starts_at < {}", filters.until),
        ("a.updated_at >= {}", filters.updated_since),
    )
    params: list[Any] = [value for _, value in asked if value is not None]
    where = [text for text, value in asked if value is not None]
    conditions = [text.format(f"${number}") for number, text in enumerate(where, 1)]
    if after is not None:
        params += after
        conditions.append(f"({column}, a.id) > (${len(params) - 1}::timestamptz, ${len(params)}::bigint)")
    params.append(limit + 1)
    condition = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = await db.fetch(f"{APPOINTMENT} {condition} ORDER BY {column}, a.id LIMIT ${len(params)}", *params)
    return [AppointmentView(**row) for row in rows[:limit]], len(rows) > limit


async def _one(sql: str, id_: int, noun: str) -> db.Row:
    row = await db.fetch_row(sql, id_)
    if row is None:
        raise NotFound(noun)
    return row
