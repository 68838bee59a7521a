"""Booked times: told of by the program that books, corrected, read back."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from admin_web.api.customers import NameText, PhoneText
from admin_web.api.fields import (
    STORABLE,
    CursorText,
    Id,
    In,
    LocationId,
    Moment,
    Money,
    NextCursor,
    Out,
    cursor_of,
    micros_of,
    numbers_of,
)
from admin_web.api.operations import Answer, Call, Operation
from admin_web.api.receipts import REPLAY
from admin_web.api.team import SmallId
from loyalty.bookings.actions.appointments import change_appointment, record_appointment
from loyalty.bookings.queries import AppointmentFilters, AppointmentView, appointment, appointment_page
from loyalty.bookings.rules import KEY_LENGTH, SERVICES_AT_MOST, AppointmentDraft, Changes, Door, Guest, Source, State
from loyalty.customers.rules import NEVER, normalise_phone
from loyalty.errors import Invalid, NotFound
from loyalty.shop.queries import shop
from loyalty.staff.rules import Scope

StateName = Annotated[
    Literal["planned", "came", "cancelled", "no_show"],
    Field(description="Any may follow any. `came` and `no_show` only from the local day of the appointment on."),
]
SourceName = Annotated[Literal["online", "phone", "walk_in"], Field(description="How it was booked.")]
Services = Annotated[tuple[SmallId, ...], Field(max_length=SERVICES_AT_MOST, description="Ids of services.")]
MemberId = Annotated[SmallId | None, Field(description="Who serves: an id of the team.")]
Tips = Annotated[Money, Field(description="Minor units; they count when the customer came.")]


class Appointment(Out):
    """A booked time."""

    id: int
    customer_id: int
    location_id: int
    team_member_id: int | None
    service_ids: list[int]
    starts_at: datetime
    ends_at: datetime | None
    business_date: date = Field(description="Its local day at the location. One that came is a visit of that day.")
    state: str
    source: str
    tips: int = Field(description="Minor units.")
    external_id: str | None
    created_at: datetime
    created_via: str = Field(description="api, import, or panel.")
    updated_at: datetime


class AppointmentPage(Out):
    """Some appointments, and where the next ones begin."""

    appointments: list[Appointment]
    next_cursor: NextCursor = None


class NewAppointment(In):
    """An appointment: whose, by `customer_id` or by `phone`, where, when, for what."""

    external_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=KEY_LENGTH,
            description="Its name in the program that books, unique in the location.",
            examples=["b-20451"],
        ),
        STORABLE,
    ]
    location_id: LocationId
    customer_id: Id | None = None
    phone: PhoneText | None = None
    name: Annotated[NameText | None, Field(description="Of somebody whose phone nobody has yet.")] = None
    starts_at: Moment
    ends_at: Moment | None = None
    state: StateName = "planned"
    source: SourceName = "online"
    team_member_id: MemberId = None
    service_ids: Services = ()
    tips: Tips = 0


class AppointmentChanges(In):
    """What is to be changed: only the fields that are sent. null empties a field that may be empty."""

    state: StateName = "planned"
    starts_at: Moment = NEVER
    ends_at: Moment | None = None
    team_member_id: MemberId = None
    service_ids: Services = ()
    tips: Tips = 0


class AppointmentsQuery(In):
    """Without `updated_since` the page is in the order of beginnings, with it in that of changes."""

    customer_id: Id | None = None
    location_id: LocationId | None = None
    since: Annotated[Moment | None, Field(description="Beginning then or later.")] = None
    until: Annotated[Moment | None, Field(description="Beginning before that.")] = None
    updated_since: Annotated[
        Moment | None,
        Field(
            description="Changed from this moment on. Begin each round a minute before the last one began: a change may"
            " be saved some seconds after its moment.",
            examples=["2026-11-22T09:00:00Z"],
        ),
    ] = None
    cursor: CursorText | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


async def create_appointment(call: Call) -> Answer:
    """Keep it, once for each external id of a location."""
    body: NewAppointment = call.body
    call.check_location(body.location_id)
    guest = None
    if body.phone is not None:
        guest = Guest(normalise_phone(body.phone, (await shop()).region), body.name or "")
    elif body.name is not None:
        raise Invalid("phone", "required")
    draft = AppointmentDraft(
        body.location_id,
        body.starts_at,
        body.customer_id,
        guest,
        body.ends_at,
        State(body.state),
        Source(body.source),
        body.team_member_id,
        body.service_ids,
        body.tips,
        body.external_id,
    )
    done = await record_appointment(draft, door=Door.API, actor=call.key.actor, now=call.now)
    found = view_of(done.appointment)
    if done.repeated:
        return Answer(found, headers=REPLAY)
    return Answer(found, status=201, headers={"Location": f"/api/v1/appointments/{found.id}"})


async def read_appointment(call: Call) -> Answer:
    """One by id."""
    return Answer(view_of(await _appointment(call)))


async def correct_appointment(call: Call) -> Answer:
    """Some fields of one."""
    known = await _appointment(call)
    sent: dict[str, Any] = call.body.model_dump(include=call.body.model_fields_set)
    if "state" in sent:
        sent["state"] = State(sent["state"])
    changes = Changes(frozenset(sent), **sent)
    return Answer(view_of(await change_appointment(known.id, changes, actor=call.key.actor, now=call.now)))


async def list_appointments(call: Call) -> Answer:
    """A page, in the order of beginnings or of changes."""
    query: AppointmentsQuery = call.query
    if query.location_id is not None:
        call.check_location(query.location_id)
    names = ("customer_id", "location_id", "since", "until", "updated_since")
    asked = {name: getattr(query, name) for name in names}
    filters = AppointmentFilters(**asked, location_ids=call.key.location_ids)
    after = None
    if query.cursor is not None:
        micros, after_id = numbers_of(query.cursor, 2)
        after = (NEVER + timedelta(microseconds=micros), after_id)
    rows, more = await appointment_page(filters, after=after, limit=query.limit)
    following = None
    if more:
        last = rows[-1].starts_at if query.updated_since is None else rows[-1].updated_at
        following = cursor_of(micros_of(last), rows[-1].id)
    return Answer(AppointmentPage(appointments=[view_of(row) for row in rows], next_cursor=following))


def view_of(one: AppointmentView) -> Appointment:
    """As programs see it."""
    same = {name: getattr(one, name) for name in Appointment.model_fields}
    return Appointment(**same | {"service_ids": list(one.service_ids)})


async def _appointment(call: Call) -> AppointmentView:
    """The appointment in the path, of a location that the key speaks for."""
    found = await appointment(call.id_in_path("appointment"))
    if not call.key.reaches(found.location_id):
        raise NotFound("appointment")
    return found


TAG = "Appointments"
OPERATIONS = (
    Operation(
        "POST",
        "/appointments",
        "create_appointment",
        "Record an appointment",
        "Once for each `external_id` of a location: the same body again is answered with the appointment as it is by"
        " now, with 200 and `Idempotent-Replay: true`. A `phone` that nobody has adds a customer with that `name`, who"
        " has agreed to nothing. One that came is a visit, together with the sales of its day.",
        create_appointment,
        {201: Appointment, 200: Appointment},
        TAG,
        scope=Scope.BOOKINGS_WRITE,
        body=NewAppointment,
        refusals={
            403: ("location_is_not_yours",),
            404: ("customer", "location"),
            409: ("key_was_used", "location_is_closed"),
        },
        example={
            "external_id": "b-20451",
            "location_id": 1,
            "phone": "+7 916 555-01-02",
            "name": "Maria Sokolova",
            "starts_at": "2026-11-25T15:00:00Z",
            "ends_at": "2026-11-25T16:30:00Z",
        },
    ),
    Operation(
        "GET",
        "/appointments",
        "list_appointments",
        "Read appointments",
        "Those at locations that this key speaks for, in pages: in the order of their beginnings, or, with"
        " `updated_since`, of their changes.",
        list_appointments,
        {200: AppointmentPage},
        TAG,
        scope=Scope.BOOKINGS_READ,
        query=AppointmentsQuery,
        refusals={403: ("location_is_not_yours",)},
        example="since=2026-11-25T00%3A00%3A00Z",
    ),
    Operation(
        "GET",
        "/appointments/{id}",
        "read_appointment",
        "Read an appointment",
        "One appointment as it is now.",
        read_appointment,
        {200: Appointment},
        TAG,
        scope=Scope.BOOKINGS_READ,
        refusals={404: ("appointment",)},
    ),
    Operation(
        "PATCH",
        "/appointments/{id}",
        "change_appointment",
        "Correct an appointment",
        "Changes the fields that are sent and leaves the others; the same again is nothing. This is how an appointment"
        " becomes one that came, was cancelled, or nobody showed up for, and how that is put right.",
        correct_appointment,
        {200: Appointment},
        TAG,
        scope=Scope.BOOKINGS_WRITE,
        body=AppointmentChanges,
        refusals={404: ("appointment", "customer")},
        example={"state": "came", "tips": 20000},
    ),
)
