"""Appointments of one person: a tab of their card, one more by hand, and what became of each."""

import re
from collections.abc import Collection
from dataclasses import replace
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
        except LoyaltyError as error:
            _refuse(form, error)
        else:
            return await go_to(request, _tab(person.id), say=_("The appointment is added."))
    return await _new_page(request, form, person, places, status=422)


@requires(Permission.BOOKINGS_MANAGE)
async def show_edit(request: web.Request) -> web.Response:
    """GET /customers/{id}/appointments/{appointment}/edit: its form; a dialog for htmx."""
    known = await _theirs(request)
    local = known.starts_at.astimezone(ZoneInfo(known.time_zone))
    exponent = request[SHOP].exponent
    values = {
        "day": str(local.date()),
        "time": f"{local:%H:%M}",
        "state": known.state,
        "team_member_id": str(known.team_member_id or ""),
        "tips": f"{known.tips / 10**exponent:.{exponent}f}" if known.tips else "",
        **{f"service-{one}": "1" for one in known.service_ids},
    }
    return await _edit_page(request, Form(values), known)


@requires(Permission.BOOKINGS_MANAGE)
async def edit(request: web.Request) -> web.Response:
    """POST /customers/{id}/appointments/{appointment}/edit: moved, it is as long as it was."""
    form, known = await read_form(request), await _theirs(request)
    changes = await _told(request, form, known.time_zone)
    if changes is not None:
        if known.ends_at is not None:
            ends_at = changes.starts_at + (known.ends_at - known.starts_at)
            changes = replace(changes, fields=changes.fields | {"ends_at"}, ends_at=ends_at)
        try:
            await change_appointment(known.id, changes, actor=actor_of(request), now=now(request))
        except LoyaltyError as error:
            _refuse(form, error)
        else:
            return await go_to(request, _tab(known.customer_id), say=_("The appointment is changed."))
    return await _edit_page(request, form, known, status=422)


def _refuse(form: Form, error: LoyaltyError) -> None:
    """Say in the form what is wrong. Raises NotFound on."""
    if isinstance(error, NotFound):
        raise error
    # The form has the day and the time apart.
    if isinstance(error, Invalid) and error.field == "starts_at":
        error = Invalid("day", error.reason, **error.details)
    form.refuse(error)


async def _theirs(request: web.Request) -> AppointmentView:
    """The appointment of the path, if it is this customer's and at a location of whoever asks. Raises HTTPNotFound."""
    known = await appointment(id_in(request, "appointment"))
    mine = staff_of(request).location_ids
    if known.customer_id != id_in(request) or (mine is not None and known.location_id not in mine):
        raise web.HTTPNotFound
    return known


async def _draft(
    request: web.Request, form: Form, person: CustomerView, places: list[LocationView]
) -> AppointmentDraft | None:
    """The appointment in the form, or None with the form saying what is wrong."""
    zones = {str(place.id): place.time_zone for place in places}
    chosen = form.choice("location_id", zones)
    source = form.choice("source", list(Source))
    changes = await _told(request, form, zones.get(chosen, request[SHOP].time_zone))
    if not form.ok or changes is None:
        return None
    draft = AppointmentDraft(
        int(chosen),
        changes.starts_at,
        person.id,
        source=Source(source),
        external_id=f"panel-{form.value('key')[:50] or new_key()}",
    )
    return changes.over(draft)


async def _told(request: web.Request, form: Form, zone: str) -> Changes | None:
    """What the form says of when, who, with what and what became of it; None with the form saying what is wrong."""
    form.text("day", required=True)
    day, at = form.day("day"), _time(form)
    state = form.choice("state", list(State))
    member = form.choice("team_member_id", ["", *(str(one.id) for one in await team_members())])
    tips = 0
    try:
        tips = parse_amount(form.value("tips"), request[SHOP].exponent, field="tips") if form.text("tips") else 0
    except Invalid as error:
        form.refuse(error)
    if not form.ok or day is None or at is None:
        return None
    return Changes(
        frozenset({"state", "starts_at", "team_member_id", "service_ids", "tips"}),
        state=State(state),
        starts_at=local_moment(day, at, zone),
        team_member_id=int(member) if member else None,
        service_ids=tuple(one.id for one in await services() if form.checked(f"service-{one.id}")),
        tips=tips,
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
    offered = [(str(place.id), place.name) for place in places]
    return await _page(request, form, person, status=status, known=None, places=offered)


async def _edit_page(request: web.Request, form: Form, known: AppointmentView, *, status: int = 200) -> web.Response:
    person = await customer(known.customer_id)
    return await _page(request, form, person, status=status, known=known, places=[])


async def _page(
    request: web.Request, form: Form, person: CustomerView, *, status: int, known: AppointmentView | None, **more: Any
) -> web.Response:
    """The form of a new one, or of one that is known. What is archived is offered where it was chosen."""
    team = [
        one for one in await team_members() if one.archived_at is None or (known and one.id == known.team_member_id)
    ]
    return page(
        request,
        "customers/appointment.html",
        block="form" if request.method == "POST" else "dialog",
        status=status,
        form=form,
        person=person,
        known=known,
        url=f"/customers/{person.id}/appointments/{f'{known.id}/edit' if known else 'new'}",
        team=[("", "—"), *((str(one.id), " · ".join(filter(None, (one.name, one.position)))) for one in team)],
        services=await _offered(form, known.service_ids if known else ()),
        states=[(state.value, _(name)) for state, (name, _tint) in STATES.items()],
        sources=[(source.value, _(name)) for source, name in SOURCES.items()],
        **more,
    )


async def _offered(form: Form, chosen: Collection[int]) -> list[tuple[str, list[ServiceView], bool]]:
    """(category, its services in use, whether it stands open): a few stand open all, of many those with a choice."""
    found = [one for one in await services() if one.archived_at is None or one.id in chosen]
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
    known = await _theirs(request)
    state = State(request.match_info["state"])
    changes = Changes(frozenset({"state"}), state=state)
    await change_appointment(known.id, changes, actor=actor_of(request), now=now(request))
    undo_url = f"/customers/{known.customer_id}/appointments/{known.id}/{known.state}"
    undo = undo_url if known.state != state else None
    return await go_to(request, _tab(known.customer_id), say=_(DONE[state]), undo_url=undo)


def _tab(customer_id: int) -> str:
    return f"/customers/{customer_id}?tab=appointments"


ROUTES = (
    web.get("/customers/{id}/appointments/new", show_new),
    web.post("/customers/{id}/appointments/new", add),
    web.get("/customers/{id}/appointments/{appointment}/edit", show_edit),
    web.post("/customers/{id}/appointments/{appointment}/edit", edit),
    web.post(
        "/customers/{id}/appointments/{appointment}/{state:" + "|".join(State) + "}",
        change_state,
    ),
)
