"""What makes an appointment sound, what may follow what, and who serves with what. Pure."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from loyalty.clock import business_date
from loyalty.customers.rules import clean_text
from loyalty.errors import Invalid
from loyalty.ids import fingerprint
from loyalty.money import MAX_MINOR

NAME_LENGTH = 100
SERVICE_NAME_LENGTH = 200
POSITION_LENGTH = 100
KEY_LENGTH = 64
SERVICES_AT_MOST = 20
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=2 * 366)
"""Nobody books further ahead than about two years."""
LONGEST = timedelta(days=31)


class State(StrEnum):
    """What became of an appointment.

    Any may follow any: who books makes mistakes and corrects them. Somebody marked as absent was there, one marked as
    there was another, a cancelled time is taken again. What cannot be is told by the calendar: see `checked`.
    """

    PLANNED = "planned"
    CAME = "came"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


class Source(StrEnum):
    """How it was booked."""

    ONLINE = "online"
    PHONE = "phone"
    WALK_IN = "walk_in"


class Door(StrEnum):
    """By which door it came to us."""

    API = "api"
    IMPORT = "import"
    PANEL = "panel"


@dataclass(frozen=True, slots=True)
class Guest:
    """Who comes, for those who know no id: the phone in E.164, and the name for somebody whom we do not know yet."""

    phone: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class AppointmentDraft:
    """An appointment as a program, a file or a colleague tells of it; checked by `checked`.

    `external_id`: its key, unique in the location; None: nobody will send it again. One of `customer_id` and `guest`.
    Tips in minor units: they count when the customer came.
    """

    location_id: int
    starts_at: datetime
    customer_id: int | None = None
    guest: Guest | None = None
    ends_at: datetime | None = None
    state: State = State.PLANNED
    source: Source = Source.ONLINE
    team_member_id: int | None = None
    service_ids: tuple[int, ...] = ()
    tips: int = 0
    external_id: str | None = None

    def body_hash(self) -> str:
        """Tells another body under the same key."""
        body: dict[str, Any] = {
            "customer": self.customer_id,
            "phone": self.guest.phone if self.guest else None,
            "name": self.guest.name if self.guest else None,
            "starts_at": self.starts_at.astimezone(UTC).isoformat(),
            "ends_at": self.ends_at.astimezone(UTC).isoformat() if self.ends_at else None,
            "state": self.state.value,
            "source": self.source.value,
            "team_member": self.team_member_id,
            "services": sorted(self.service_ids),
            "tips": self.tips,
        }
        return fingerprint(body)


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to become of an appointment: only fields named in `fields` count."""

    fields: frozenset[str]
    state: State = State.PLANNED
    starts_at: datetime = EARLIEST
    ends_at: datetime | None = None
    team_member_id: int | None = None
    service_ids: tuple[int, ...] = ()
    tips: int = 0

    def over(self, known: AppointmentDraft) -> AppointmentDraft:
        """The appointment with the changes."""
        return replace(known, **{name: getattr(self, name) for name in self.fields})


@dataclass(frozen=True, slots=True)
class TeamMemberDraft:
    """Somebody who serves, as they are to be kept. `external_id`: in the program that books."""

    name: str
    position: str = ""
    location_id: int | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceDraft:
    """A service, as it is to be kept."""

    name: str
    category_id: int | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class CategoryDraft:
    """A group of services, as it is to be kept."""

    name: str
    external_id: str | None = None


def checked(draft: AppointmentDraft, zone: str, now: datetime) -> AppointmentDraft:
    """The draft as it is kept: its moments without seconds' fractions, its services once each, in order.

    Nobody came, or did not, before the local day of the appointment. Raises Invalid for the first wrong field.
    """
    if draft.external_id is not None:
        check_key(draft.external_id)
    if (draft.customer_id is None) == (draft.guest is None):
        raise Invalid("customer_id", "no_guest")
    starts_at, ends_at = _whole(draft.starts_at), _whole(draft.ends_at) if draft.ends_at else None
    if not EARLIEST <= starts_at <= now + AHEAD:
        raise Invalid("starts_at", "too_far_away")
    if ends_at is not None and not starts_at < ends_at <= starts_at + LONGEST:
        raise Invalid("ends_at", "ends_before_it_begins" if ends_at <= starts_at else "too_far_away")
    if draft.state in {State.CAME, State.NO_SHOW} and business_date(starts_at, zone) > business_date(now, zone):
        raise Invalid("state", "not_yet_begun")
    if not 0 <= draft.tips <= MAX_MINOR:
        raise Invalid("tips", "must_not_be_negative" if draft.tips < 0 else "too_large")
    services = tuple(sorted(set(draft.service_ids)))
    if len(services) > SERVICES_AT_MOST:
        raise Invalid("service_ids", "too_many", limit=SERVICES_AT_MOST)
    return replace(draft, starts_at=starts_at, ends_at=ends_at, service_ids=services)


def checked_member(draft: TeamMemberDraft) -> TeamMemberDraft:
    """The draft as it is kept. Raises Invalid("name" | "position" | "external_id")."""
    return TeamMemberDraft(
        _line("name", draft.name, NAME_LENGTH),
        _line("position", draft.position, POSITION_LENGTH, required=False),
        draft.location_id,
        _key(draft.external_id),
    )


def checked_service(draft: ServiceDraft) -> ServiceDraft:
    """The draft as it is kept. Raises Invalid("name" | "external_id")."""
    return ServiceDraft(_line("name", draft.name, SERVICE_NAME_LENGTH), draft.category_id, _key(draft.external_id))


def checked_category(draft: CategoryDraft) -> CategoryDraft:
    """The draft as it is kept. Raises Invalid("name" | "external_id")."""
    return CategoryDraft(_line("name", draft.name, NAME_LENGTH), _key(draft.external_id))


def check_key(key: str) -> None:
    """Raise Invalid("external_id") for what cannot be a key."""
    if not key or len(key) > KEY_LENGTH or not key.isprintable():
        raise Invalid("external_id", "not_a_key")


def local_moment(day: date, at: time, zone: str) -> datetime:
    """A wall-clock time at a place, in UTC; one that the clocks skip is as much later, of a repeated one the first."""
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)


def _key(key: str | None) -> str | None:
    if key is not None:
        check_key(key)
    return key


def _line(name: str, text: str, limit: int, *, required: bool = True) -> str:
    """A text on one line, without what cannot be seen."""
    cleaned = clean_text(text[: 20 * limit])
    if required and not cleaned:
        raise Invalid(name, "required")
    if len(cleaned) > limit:
        raise Invalid(name, "too_long", limit=limit)
    return cleaned


def _whole(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
