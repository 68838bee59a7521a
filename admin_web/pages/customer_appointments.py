"""Appointments of one person: a tab of their card, one more by hand, and what became of each."""

import re
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from babel import dates

from admin_web.auth import actor_of, requires, staff_of
from admin_web.forms import Form, id_in, is_id, read_form
from admin_web.i18n import READER, mark
from admin_web.i18n import gettext as _
from admin_web.keys import SHOP, now
from admin_web.reach import places_for
from admin_web.render import go_to, page
from loyalty.bookings.actions.appointments import change_appointment, record_appointment
from loyalty.bookings.queries import (
    AppointmentView,
    ServiceView,
    appointment,
    appointments_of,
    services,
    team_members,
    visiting,
)
from loyalty.bookings.rules import AppointmentDraft, Changes, Door, Source, State, local_moment
from loyalty.clock import business_date
from loyalty.customers.queries import CustomerView, customer
from loyalty.errors import Invalid, LoyaltyError, NotFound
from loyalty.ids import new_key
from loyalty.money import parse_amount
from loyalty.shop.rules import LocationView
from loyalty.staff.rules import Permission
from loyalty.wording import locale

STATES = {
    State.PLANNED: (mark("planned"), "acc"),
    State.CAME: (mark("came"), "good"),
    State.NO_SHOW: (mark("did not come"), "warn"),
    State.CANCELLED: (mark("cancelled"), ""),
}
"""State -> (its name, the tint of its badge)."""
SOURCES = {Source.ONLINE: mark("Online"), Source.PHONE: mark("By phone"), Source.WALK_IN: mark("Without booking")}
ACTS = {
    State.CAME: (mark("Came"), "check"),
    State.NO_SHOW: (mark("Did not come"), "user-x"),
    State.CANCELLED: (mark("Cancel"), "x"),
    State.PLANNED: (mark("Back to planned"), "undo-2"),
}
"""State that a button leads to -> (its words, its icon)."""
DONE = {
    State.CAME: mark("Noted: the customer came."),
    State.NO_SHOW: mark("Noted: the customer did not come."),
    State.CANCELLED: mark("The appointment is cancelled."),
    State.PLANNED: mark("The appointment is planned again."),
}
SHOWN_OPEN = 8
_TIME = re.compile(r"[0-2][0-9]:[0-5][0-9]")


async def appointments_panel(request: web.Request, person: CustomerView) -> dict[str, Any]:
    """What `customers/_appointments.html` shows."""
    found, following = await appointments_of(person.id, before=_place(request.query.get("before", "")))
    mine = staff_of(request).location_ids
    return {
        "visiting": await visiting(person.id),
        "appointments": [
            (one, _local_time(one), _acts(one, now(request)) if mine is None or one.location_id in mine else [])
            for one in found
        ],
        "states": {state: (_(name), tint) for state, (name, tint) in STATES.items()},
        "sources": {source: _(name) for source, name in SOURCES.items()},
        "act_names": {state: (_(name), icon) for state, (name, icon) in ACTS.items()},
        "following_appointment": f"{following[0].isoformat()}~{following[1]}" if following else None,
    }


def _acts(one: AppointmentView, at: datetime) -> list[State]:
    """What can be said of an appointment by one tap: nobody can have come before its day."""
    if one.state != State.PLANNED:
        return [State.PLANNED]
    if one.business_date > business_date(at, one.time_zone):
        return [State.CANCELLED]
    return [State.CAME, State.NO_SHOW, State.CANCELLED]


def _local_time(one: AppointmentView) -> str:
    """The time of day where it is."""
    local = one.starts_at.astimezone(ZoneInfo(one.time_zone))
    return dates.format_time(local, "HH:mm", locale=locale(READER.get().language))


def _place(text: str) -> tuple[datetime, int] | None:
    """A place from an address; one that nobody made is the beginning."""
    moment, _tilde, number = text.partition("~")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (at, int(number)) if is_id(number) and at.tzinfo is not None else None


@requires(Permission.BOOKINGS_MANAGE)
async def show_new(request: web.Request) -> web.Response:
    """GET /customers/{id}/appointments/new: the form of one by hand; a dialog for htmx."""
    person = await customer(id_in(request))
    places = await places_for(staff_of(request), only_open=True)
    preferred = (staff_of(request).location_id, person.home_location_id)
    there = next((str(one) for one in preferred if one in {place.id for place in places}), "")
    today = business_date(now(request), request[SHOP].time_zone)
    values = {"key": new_key(), "location_id": there, "day": str(today), "source": Source.PHONE.value}
    return await _new_page(request, Form(values | {"state": State.PLANNED.value}), person, places)


@requires(Permission.BOOKINGS_MANAGE)
async def add(request: web.Request) -> web.Response:
    """POST /customers/{id}/appointments/new. The form's key makes a second click harmless."""
    form, person = await read_form(request), await customer(id_in(request))
    places = await places_for(staff_of(request), only_open=True)
    draft = await _draft(request, form, person, places)
    if draft is not None:
        try:
            await record_appointment(draft, door=Door.PANEL, actor=actor_of(request), now=now(request))
        except NotFound:
            raise
        except Invalid as error:
            # The form has the day and the time apart.
            field = "day" if error.field == "starts_at" else error.field
            form.refuse(Invalid(field, error.reason, **error.details))
        except LoyaltyError as error:
            form.refuse(error)
        else:
            return await go_to(request, _tab(person.id), say=_("The appointment is added."))
    return await _new_page(request, form, person, places, status=422)


async def _draft(
    request: web.Request, form: Form, person: CustomerView, places: list[LocationView]
) -> AppointmentDraft | None:
    """The appointment in the form, or None with the form saying what is wrong."""
    zones = {str(place.id): place.time_zone for place in places}
    chosen = form.choice("location_id", zones)
    form.text("day", required=True)
    day, at = form.day("day"), _time(form)
    state, source = form.choice("state", list(State)), form.choice("source", list(Source))
    member = form.choice("team_member_id", ["", *(str(one.id) for one in await team_members())])
    tips = 0
    try:
        tips = parse_amount(form.value("tips"), request[SHOP].exponent, field="tips") if form.text("tips") else 0
    except Invalid as error:
        form.refuse(error)
    if not form.ok or day is None or at is None:
        return None
    return AppointmentDraft(
        int(chosen),
        local_moment(day, at, zones[chosen]),
        person.id,
        state=State(state),
        source=Source(source),
        team_member_id=int(member) if member else None,
        service_ids=tuple(one.id for one in await services() if form.checked(f"service-{one.id}")),
        tips=tips,
        external_id=f"panel-{form.value('key')[:50] or new_key()}",
    )


def _time(form: Form) -> time | None:
    text = form.text("time", required=True)
    try:
        if _TIME.fullmatch(text):
            return time.fromisoformat(text)
    except ValueError:
        pass
    if text:
        form.refuse(Invalid("time", "not_a_time"))
    return None


async def _new_page(
    request: web.Request, form: Form, person: CustomerView, places: list[LocationView], *, status: int = 200
) -> web.Response:
    team = [one for one in await team_members() if one.archived_at is None]
    return page(
        request,
        "customers/appointment.html",
        block="form" if request.method == "POST" else "dialog",
        status=status,
        form=form,
        person=person,
        places=[(str(place.id), place.name) for place in places],
        team=[("", "—"), *((str(one.id), " · ".join(filter(None, (one.name, one.position)))) for one in team)],
        services=await _offered(form),
        states=[(state.value, _(name)) for state, (name, _tint) in STATES.items()],
        sources=[(source.value, _(name)) for source, name in SOURCES.items()],
    )


async def _offered(form: Form) -> list[tuple[str, list[ServiceView], bool]]:
    """(category, its services in use, whether it stands open): a few stand open all, of many those with a choice."""
    found = [one for one in await services() if one.archived_at is None]
    groups: dict[str, list[ServiceView]] = {}
    for one in found:
        groups.setdefault(one.category_name or _("Without a category"), []).append(one)
    return [
        (name, ones, len(found) <= SHOWN_OPEN or any(form.checked(f"service-{one.id}") for one in ones))
        for name, ones in groups.items()
    ]


@requires(Permission.BOOKINGS_MANAGE)
async def change_state(request: web.Request) -> web.Response:
    """POST /customers/{id}/appointments/{appointment}/{state}: at once, with an Undo by the state it had."""
    customer_id, appointment_id = id_in(request), id_in(request, "appointment")
    known = await appointment(appointment_id)
    mine = staff_of(request).location_ids
    if known.customer_id != customer_id or (mine is not None and known.location_id not in mine):
        raise web.HTTPNotFound
    state = State(request.match_info["state"])
    changes = Changes(frozenset({"state"}), state=state)
    await change_appointment(appointment_id, changes, actor=actor_of(request), now=now(request))
    undo_url = f"/customers/{customer_id}/appointments/{appointment_id}/{known.state}"
    undo = undo_url if known.state != state else None
    return await go_to(request, _tab(customer_id), say=_(DONE[state]), undo_url=undo)


def _tab(customer_id: int) -> str:
    return f"/customers/{customer_id}?tab=appointments"


ROUTES = (
    web.get("/customers/{id}/appointments/new", show_new),
    web.post("/customers/{id}/appointments/new", add),
    web.post(
        "/customers/{id}/appointments/{appointment}/{state:" + "|".join(State) + "}",
        change_state,
    ),
)
