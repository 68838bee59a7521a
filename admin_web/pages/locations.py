"""Places that sell: when they are open, and which cash registers stand there."""

from datetime import date

from aiohttp import web
from babel import dates

from admin_web import choices
from admin_web.auth import actor_of, requires
from admin_web.forms import Form, form_of, read_form
from admin_web.i18n import READER, mark
from admin_web.i18n import gettext as _
from admin_web.keys import SHOP, now
from admin_web.navigation import NavItem
from admin_web.render import go_to, page
from loyalty.errors import Invalid, LoyaltyError
from loyalty.shop.actions import add_location, close_location, reopen_location, update_location
from loyalty.shop.queries import location, locations
from loyalty.shop.rules import Hours, LocationView
from loyalty.staff.rules import Permission
from loyalty.wording import locale

PATH = "/settings/locations"
NAV = NavItem("locations", PATH, "store", mark("Locations"), "settings", Permission.SHOP_MANAGE)


@requires(Permission.SHOP_MANAGE)
async def show_list(request: web.Request) -> web.Response:
    """GET /settings/locations."""
    return page(request, "locations/list.html", locations=await locations())


@requires(Permission.SHOP_MANAGE)
async def show_new(request: web.Request) -> web.Response:
    """GET /settings/locations/new."""
    return _edit(request, form_of({"time_zone": request[SHOP].time_zone}), None)


@requires(Permission.SHOP_MANAGE)
async def add(request: web.Request) -> web.Response:
    """POST /settings/locations/new."""
    form = await read_form(request)
    try:
        await add_location(
            name=form.value("name"),
            address=form.value("address"),
            time_zone=form.value("time_zone"),
            hours=_hours(form),
            fiscal_drives=_drives(form),
            actor=actor_of(request),
            now=now(request),
        )
    except LoyaltyError as error:
        await _refuse(form, error)
        return _edit(request, form, None, block="form", status=422)
    return await go_to(request, PATH, say=_("The location is added"))


@requires(Permission.SHOP_MANAGE)
async def show_one(request: web.Request) -> web.Response:
    """GET /settings/locations/{id}."""
    place = await location(int(request.match_info["id"]))
    values: dict[str, object] = {name: getattr(place, name) for name in ("name", "address", "time_zone")}
    values["burns_without_code"] = "1" if place.burns_without_code else ""
    values["fiscal_drives"] = "\n".join(place.fiscal_drives)
    for number, day in enumerate(place.hours.days if place.hours else ()):
        values[f"opens-{number}"], values[f"closes-{number}"] = day or ("", "")
    return _edit(request, form_of(values), place)


@requires(Permission.SHOP_MANAGE)
async def save(request: web.Request) -> web.Response:
    """POST /settings/locations/{id}."""
    form = await read_form(request)
    place = await location(int(request.match_info["id"]))
    try:
        await update_location(
            place.id,
            name=form.value("name"),
            address=form.value("address"),
            time_zone=form.value("time_zone"),
            burns_without_code=form.checked("burns_without_code"),
            hours=_hours(form),
            fiscal_drives=_drives(form),
            actor=actor_of(request),
            now=now(request),
        )
    except LoyaltyError as error:
        await _refuse(form, error)
        return _edit(request, form, place, block="form", status=422)
    return await go_to(request, PATH, say=_("Saved"))


@requires(Permission.SHOP_MANAGE)
async def close(request: web.Request) -> web.Response:
    """POST /settings/locations/{id}/close: at once, with an Undo."""
    place_id = int(request.match_info["id"])
    await close_location(place_id, actor=actor_of(request), now=now(request))
    return await go_to(request, PATH, say=_("The location is closed"), undo_url=f"{PATH}/{place_id}/reopen")


@requires(Permission.SHOP_MANAGE)
async def reopen(request: web.Request) -> web.Response:
    """POST /settings/locations/{id}/reopen."""
    await reopen_location(int(request.match_info["id"]), actor=actor_of(request), now=now(request))
    return await go_to(request, PATH, say=_("The location is open again"))


def _hours(form: Form) -> Hours | None:
    """The hours in the form: a day without times is closed, a week without any was not told."""
    # Some browsers send seconds with a time of day.
    times = [(form.text(f"opens-{day}")[:5], form.text(f"closes-{day}")[:5]) for day in range(7)]
    days = tuple(day if any(day) else None for day in times)
    return Hours(days) if any(days) else None


def _drives(form: Form) -> list[str]:
    return form.value("fiscal_drives").splitlines()


async def _refuse(form: Form, error: LoyaltyError) -> None:
    """Note what is wrong; of a fiscal drive that is taken, where it stands."""
    if isinstance(error, Invalid) and error.reason == "drive_taken":
        other = await location(error.details["location_id"])
        form.errors[error.field] = _("Number %(drive)s belongs to another location: %(place)s.") % {
            "drive": error.details["drive"],
            "place": other.name,
        }
    else:
        form.refuse(error)


def _weekdays() -> list[tuple[str, str]]:
    """Days in the reader's language, Monday first: as a phone has room for them, and their whole names."""
    tongue = locale(READER.get().language)
    week = [date(2024, 1, day) for day in range(1, 8)]
    return [
        (dates.format_date(day, "ccc", locale=tongue), dates.format_date(day, "cccc", locale=tongue)) for day in week
    ]


def _edit(
    request: web.Request, form: Form, place: LocationView | None, *, block: str | None = None, status: int = 200
) -> web.Response:
    return page(
        request,
        "locations/edit.html",
        block=block,
        status=status,
        form=form,
        place=place,
        url=request.path,
        time_zones=choices.time_zones(),
        weekdays=_weekdays(),
    )


ROUTES = (
    web.get(PATH, show_list),
    web.get(f"{PATH}/new", show_new),
    web.post(f"{PATH}/new", add),
    web.get(PATH + r"/{id:\d{1,9}}", show_one),
    web.post(PATH + r"/{id:\d{1,9}}", save),
    web.post(PATH + r"/{id:\d{1,9}}/close", close),
    web.post(PATH + r"/{id:\d{1,9}}/reopen", reopen),
)
