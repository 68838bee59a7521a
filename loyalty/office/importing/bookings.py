"""A line of a file of appointments: what it says, checked. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from loyalty.bookings.rules import NAME_LENGTH, SERVICE_NAME_LENGTH, AppointmentDraft, Guest, Source, State, checked
from loyalty.customers.rules import clean_name, normalise_phone
from loyalty.errors import Invalid
from loyalty.ids import fingerprint
from loyalty.money import parse_amount
from loyalty.office.importing import Options
from loyalty.office.importing.cells import day_in, moment_in, names_in, one_of, time_in

STATES = {
    **dict.fromkeys(
        ("planned", "booked", "confirmed", "new", "запланирован", "запланирована", "записан", "ожидание",
         "подтвержден", "подтверждён", "запланований", "заплановано", "очікування", "підтверджений"),
        State.PLANNED,
    ),
    **dict.fromkeys(
        ("came", "done", "completed", "arrived", "visited", "пришел", "пришёл", "пришла", "завершен", "завершён",
         "выполнен", "прийшов", "прийшла", "завершено", "виконано"),
        State.CAME,
    ),
    **dict.fromkeys(
        ("cancelled", "canceled", "отменен", "отменён", "отменена", "отмена", "скасований", "скасовано"),
        State.CANCELLED,
    ),
    **dict.fromkeys(
        ("no show", "no-show", "no_show", "absent", "не пришел", "не пришёл", "не пришла", "неявка", "не прийшов",
         "не прийшла", "неявка"),
        State.NO_SHOW,
    ),
}  # fmt: skip
SOURCES = {
    **dict.fromkeys(("online", "site", "app", "онлайн", "сайт", "приложение", "застосунок"), Source.ONLINE),
    **dict.fromkeys(("phone", "call", "телефон", "звонок", "дзвінок"), Source.PHONE),
    **dict.fromkeys(("walk in", "walk-in", "walk_in", "без записи", "с улицы", "без запису"), Source.WALK_IN),
}
LONGEST_MINUTES = 31 * 24 * 60
FIELDS = {"customer_id": "phone", "service_ids": "services", "team_member_id": "team_member", "location_id": "location"}
"""Fields of an appointment, by what a file calls them."""


@dataclass(frozen=True, slots=True)
class BookingGround:
    """What lines are read against. places: (id, zone) by name in small letters; the others ids by name likewise."""

    options: Options
    region: str
    exponent: int
    today: date
    now: datetime
    places: Mapping[str, tuple[int, str]]
    team: Mapping[str, int]
    services: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Booking:
    """What a line says. Who serves and with what by their names; the key is the line's own or made of what it says."""

    external_id: str
    location_id: int
    zone: str
    phone: str
    name: str
    starts_at: datetime
    ends_at: datetime | None
    state: State
    source: Source
    team_member: str
    services: tuple[str, ...]
    tips: int

    def to_body(self) -> dict[str, Any]:
        """As it is kept between a dry run and the run."""
        return {
            "external_id": self.external_id,
            "location_id": self.location_id,
            "zone": self.zone,
            "phone": self.phone,
            "name": self.name,
            "starts_at": self.starts_at.isoformat(),
            "ends_at": self.ends_at.isoformat() if self.ends_at else None,
            "state": self.state.value,
            "source": self.source.value,
            "team_member": self.team_member,
            "services": list(self.services),
            "tips": self.tips,
        }

    def draft(self, ground: BookingGround) -> AppointmentDraft:
        """The appointment it asks for; names that nobody has yet are left out."""
        return AppointmentDraft(
            self.location_id,
            self.starts_at,
            guest=Guest(self.phone, self.name),
            ends_at=self.ends_at,
            state=self.state,
            source=self.source,
            team_member_id=ground.team.get(self.team_member.casefold()),
            service_ids=tuple(
                ground.services[name.casefold()] for name in self.services if name.casefold() in ground.services
            ),
            tips=self.tips,
            external_id=self.external_id,
        )


def booking_from(body: Mapping[str, Any]) -> Booking:
    """What `to_body` kept."""
    ends_at = datetime.fromisoformat(body["ends_at"]) if body["ends_at"] else None
    return Booking(
        **{
            **body,
            "starts_at": datetime.fromisoformat(body["starts_at"]),
            "ends_at": ends_at,
            "state": State(body["state"]),
            "source": Source(body["source"]),
            "services": tuple(body["services"]),
        }
    )


def booking_of(cells: Mapping[str, str], ground: BookingGround) -> Booking:
    """What a line says. Raises Invalid(target, reason) for the first cell that is wrong."""
    if "phone" not in cells:
        raise Invalid("phone", "required")
    phone = normalise_phone(cells["phone"], ground.region)
    name = clean_name(cells["name"]) if "name" in cells else ""
    location_id, zone = _place(cells, ground)
    starts_at = _starts_at(cells, ground, zone)
    ends_at = _ends_at(cells, ground, zone, starts_at)
    team = names_in(cells.get("team_member", ""), "team_member", NAME_LENGTH)
    services = names_in(cells.get("services", ""), "services", SERVICE_NAME_LENGTH)
    if len(team) > 1:
        raise Invalid("team_member", "too_many", limit=1)
    for field, names, known in (("team_member", team, ground.team), ("services", services, ground.services)):
        if not ground.options.make_missing and any(one.casefold() not in known for one in names):
            raise Invalid(field, "unknown_label")
    said = one_of(cells["state"], "state", STATES) if "state" in cells else _state_by(starts_at, ground)
    booking = Booking(
        external_id=cells.get("external_id", "").strip(),
        location_id=location_id,
        zone=zone,
        phone=phone,
        name=name,
        starts_at=starts_at,
        ends_at=ends_at,
        state=said,
        source=one_of(cells["source"], "source", SOURCES) if "source" in cells else Source.PHONE,
        team_member=team[0] if team else "",
        services=tuple(services),
        tips=parse_amount(cells["tips"], ground.exponent, field="tips") if "tips" in cells else 0,
    )
    return _sound(booking, ground)


def _sound(booking: Booking, ground: BookingGround) -> Booking:
    """The line with a key, if the appointment it asks for can be. Raises Invalid."""
    body = booking.to_body()
    if not booking.external_id:
        # The same time of the same person with the same colleague is the same appointment, however often it is sent.
        known_by = {"phone": booking.phone, "starts_at": body["starts_at"], "team_member": booking.team_member}
        body["external_id"] = f"file:{fingerprint(known_by)[:40]}"
    keyed = booking_from(body)
    try:
        checked(keyed.draft(ground), booking.zone, ground.now)
    except Invalid as error:
        raise Invalid(FIELDS.get(error.field, error.field), error.reason, **error.details) from None
    return keyed


def _place(cells: Mapping[str, str], ground: BookingGround) -> tuple[int, str]:
    """Where it is; a shop with one location need not say."""
    if "location" in cells:
        return one_of(cells["location"], "location", dict(ground.places))
    if len(ground.places) != 1:
        raise Invalid("location", "required")
    return next(iter(ground.places.values()))


def _starts_at(cells: Mapping[str, str], ground: BookingGround, zone: str) -> datetime:
    order = ground.options.date_order
    if "starts_at" in cells:
        wall = moment_in(cells["starts_at"], "starts_at", order, today=ground.today)
    elif "day" not in cells:
        raise Invalid("day", "required")
    elif "time" in cells:
        day = day_in(cells["day"], "day", order, today=ground.today)
        wall = datetime.combine(day, time_in(cells["time"], "time"))
    else:
        wall = moment_in(cells["day"], "day", order, today=ground.today)
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _ends_at(cells: Mapping[str, str], ground: BookingGround, zone: str, starts_at: datetime) -> datetime | None:
    if "ends_at" in cells:
        text, day = cells["ends_at"], starts_at.astimezone(ZoneInfo(zone)).date()
        if ":" in text and not any(sign in text for sign in "-/ "):
            wall = datetime.combine(day, time_in(text, "ends_at"))
        else:
            wall = moment_in(text, "ends_at", ground.options.date_order, today=ground.today)
        return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    if "duration" in cells:
        said = cells["duration"].split()[0]
        if ":" in said:
            span = time_in(said, "duration")
            minutes = span.hour * 60 + span.minute
        elif said.isascii() and said.isdigit() and len(said) < 6:
            minutes = int(said)
        else:
            raise Invalid("duration", "not_a_number")
        if not 0 < minutes <= LONGEST_MINUTES:
            raise Invalid("duration", "not_a_number")
        return starts_at + timedelta(minutes=minutes)
    return None


def _state_by(starts_at: datetime, ground: BookingGround) -> State:
    """A line that does not say is of what is to come, or of somebody who came."""
    return State.PLANNED if starts_at > ground.now else State.CAME
