"""Places that sell."""

from dataclasses import asdict

from aiohttp import web

from admin_web import choices
from admin_web.auth import actor_of, requires
from admin_web.forms import Form, form_of, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import SHOP, now
from admin_web.navigation import NavItem
from admin_web.render import go_to, page
from loyalty.errors import LoyaltyError
from loyalty.shop.actions import add_location, close_location, reopen_location, update_location
from loyalty.shop.queries import location, locations
from loyalty.shop.rules import LocationView
from loyalty.staff.rules import Permission

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
            actor=actor_of(request),
            now=now(request),
        )
    except LoyaltyError as error:
        form.refuse(error)
        return _edit(request, form, None, block="form", status=422)
    return await go_to(request, PATH, say=_("The location is added"))


@requires(Permission.SHOP_MANAGE)
async def show_one(request: web.Request) -> web.Response:
    """GET /settings/locations/{id}."""
    place = await location(int(request.match_info["id"]))
    values = asdict(place) | {"burns_without_code": "1" if place.burns_without_code else ""}
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
            actor=actor_of(request),
            now=now(request),
        )
    except LoyaltyError as error:
        form.refuse(error)
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
