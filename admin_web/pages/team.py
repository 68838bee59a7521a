"""Who serves customers, with what: the team, services and their categories, as appointments name them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.forms import Form, form_of, id_in, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import now
from admin_web.navigation import NavItem
from admin_web.render import go_to, page
from loyalty.bookings.actions import team
from loyalty.bookings.queries import (
    service,
    service_categories,
    service_category,
    services,
    team_member,
    team_members,
)
from loyalty.bookings.rules import (
    NAME_LENGTH,
    POSITION_LENGTH,
    SERVICE_NAME_LENGTH,
    CategoryDraft,
    ServiceDraft,
    TeamMemberDraft,
)
from loyalty.errors import LoyaltyError, NotFound
from loyalty.shop.queries import locations
from loyalty.staff.rules import Permission

PATH = "/settings/team"
NAV = NavItem("team", PATH, "calendar-check", mark("Team and services"), "settings", Permission.SHOP_MANAGE)


@dataclass(frozen=True, slots=True)
class _Kind:
    """One of the three kinds of things here. fields: what its form holds; `draft` is made of them."""

    noun: str
    new: str
    archived: str
    restored: str
    name_length: int
    fields: tuple[str, ...]
    draft: Callable[..., Any]
    read: Callable[[int], Awaitable[Any]]
    add: Callable[..., Awaitable[tuple[int, bool]]]
    change: Callable[..., Awaitable[None]]


KINDS = {
    "members": _Kind(
        "team_member",
        mark("Somebody new in the team"),
        mark("Archived. Appointments keep the name."),
        mark("Back in the team."),
        NAME_LENGTH,
        ("name", "position", "location_id"),
        TeamMemberDraft,
        team_member,
        team.add_team_member,
        team.change_team_member,
    ),
    "services": _Kind(
        "service",
        mark("New service"),
        mark("The service is archived."),
        mark("The service is in use again."),
        SERVICE_NAME_LENGTH,
        ("name", "category_id"),
        ServiceDraft,
        service,
        team.add_service,
        team.change_service,
    ),
    "categories": _Kind(
        "service_category",
        mark("New category of services"),
        mark("The category is archived. Its services stay."),
        mark("The category is in use again."),
        NAME_LENGTH,
        ("name",),
        CategoryDraft,
        service_category,
        team.add_service_category,
        team.change_service_category,
    ),
}


@requires(Permission.SHOP_MANAGE)
async def show(request: web.Request) -> web.Response:
    """GET /settings/team."""
    return page(
        request,
        "team/list.html",
        members=await team_members(),
        services=await services(),
        categories=await service_categories(),
        places={place.id: place.name for place in await locations()},
    )


@requires(Permission.SHOP_MANAGE)
async def show_new(request: web.Request) -> web.Response:
    """GET /settings/team/{kind}/new."""
    return await _edit(request, Form(), None)


@requires(Permission.SHOP_MANAGE)
async def add(request: web.Request) -> web.Response:
    """POST /settings/team/{kind}/new."""
    form, kind = await read_form(request), _kind(request)
    values = await _values(form, kind)
    if form.ok:
        try:
            await kind.add(kind.draft(**values), actor=actor_of(request), now=now(request))
        except LoyaltyError as error:
            form.refuse(error)
        else:
            return await go_to(request, PATH, say=_("Added."))
    return await _edit(request, form, None, block="form", status=422)


@requires(Permission.SHOP_MANAGE)
async def show_one(request: web.Request) -> web.Response:
    """GET /settings/team/{kind}/{id}."""
    kind = _kind(request)
    known = await kind.read(id_in(request))
    return await _edit(request, form_of({name: getattr(known, name) for name in kind.fields}), known)


@requires(Permission.SHOP_MANAGE)
async def save(request: web.Request) -> web.Response:
    """POST /settings/team/{kind}/{id}."""
    form, kind = await read_form(request), _kind(request)
    known = await kind.read(id_in(request))
    values = await _values(form, kind)
    if form.ok:
        try:
            await kind.change(known.id, actor=actor_of(request), now=now(request), **values)
        except NotFound:
            raise
        except LoyaltyError as error:
            form.refuse(error)
        else:
            return await go_to(request, PATH, say=_("Saved"))
    return await _edit(request, form, known, block="form", status=422)


@requires(Permission.SHOP_MANAGE)
async def archive(request: web.Request) -> web.Response:
    """POST /settings/team/{kind}/{id}/archive: at once, with an Undo."""
    kind, id_ = _kind(request), id_in(request)
    await team.archive(kind.noun, id_, actor=actor_of(request), now=now(request))
    undo_url = f"{PATH}/{request.match_info['kind']}/{id_}/restore"
    return await go_to(request, PATH, say=_(kind.archived), undo_url=undo_url)


@requires(Permission.SHOP_MANAGE)
async def restore(request: web.Request) -> web.Response:
    """POST /settings/team/{kind}/{id}/restore."""
    kind = _kind(request)
    await team.restore(kind.noun, id_in(request), actor=actor_of(request), now=now(request))
    return await go_to(request, PATH, say=_(kind.restored))


def _kind(request: web.Request) -> _Kind:
    return KINDS[request.match_info["kind"]]


async def _values(form: Form, kind: _Kind) -> dict[str, Any]:
    """What the form says, by the fields of the kind."""
    values: dict[str, Any] = {"name": form.value("name")}
    if "position" in kind.fields:
        values["position"] = form.value("position")
    for name in set(kind.fields) & {"location_id", "category_id"}:
        chosen = form.choice(name, [value for value, _text in await _choices(name, form.value(name))])
        values[name] = int(chosen) if chosen else None
    return values


async def _choices(name: str, chosen: str) -> list[tuple[str, str]]:
    """What a field offers: none, what is in use, and what was chosen before."""
    if name == "location_id":
        return [("", _("Everywhere")), *((str(place.id), place.name) for place in await locations())]
    offered = [one for one in await service_categories() if one.archived_at is None or str(one.id) == chosen]
    return [("", _("None")), *((str(one.id), one.name) for one in offered)]


async def _edit(
    request: web.Request, form: Form, known: Any, *, block: str | None = None, status: int = 200
) -> web.Response:
    kind = _kind(request)
    names = [name for name in ("location_id", "category_id") if name in kind.fields]
    return page(
        request,
        "team/edit.html",
        block=block,
        status=status,
        form=form,
        known=known,
        url=request.path,
        title=known.name if known else _(kind.new),
        fields=kind.fields,
        choices={name: await _choices(name, form.value(name)) for name in names},
        name_length=kind.name_length,
        position_length=POSITION_LENGTH,
    )


ANY_KIND = PATH + "/{kind:" + "|".join(KINDS) + "}"
ROUTES = (
    web.get(PATH, show),
    web.get(f"{ANY_KIND}/new", show_new),
    web.post(f"{ANY_KIND}/new", add),
    web.get(ANY_KIND + r"/{id:\d{1,9}}", show_one),
    web.post(ANY_KIND + r"/{id:\d{1,9}}", save),
    web.post(ANY_KIND + r"/{id:\d{1,9}}/archive", archive),
    web.post(ANY_KIND + r"/{id:\d{1,9}}/restore", restore),
)
