"""Keys of other programs: made, looked at, revoked. The text of a key is shown once, when it is made."""

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.forms import Form, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import now
from admin_web.navigation import NavItem
from admin_web.render import go_to, page
from admin_web.words import SCOPE_NAMES
from loyalty.errors import LoyaltyError
from loyalty.shop.queries import locations
from loyalty.staff.actions import add_key, revoke_key
from loyalty.staff.queries import api_key, api_keys
from loyalty.staff.rules import Permission, Scope

PATH = "/settings/keys"
NAV = NavItem("api_keys", PATH, "key-round", mark("API keys"), "settings", Permission.KEYS_MANAGE)


@requires(Permission.KEYS_MANAGE)
async def show_list(request: web.Request) -> web.Response:
    """GET /settings/keys."""
    places = {place.id: place.name for place in await locations()}
    return page(request, "api_keys/list.html", keys=await api_keys(), places=places, scope_names=_scope_names())


@requires(Permission.KEYS_MANAGE)
async def show_new(request: web.Request) -> web.Response:
    """GET /settings/keys/new."""
    return await _edit(request, Form())


@requires(Permission.KEYS_MANAGE)
async def add(request: web.Request) -> web.Response:
    """POST /settings/keys/new: the key is there, its text is shown once."""
    form = await read_form(request)
    scopes = [scope for scope in Scope if form.checked(f"scope-{scope}")]
    chosen = [place.id for place in await locations() if form.checked(f"location-{place.id}")]
    try:
        key = await add_key(form.value("name"), scopes, chosen or None, actor=actor_of(request), now=now(request))
    except LoyaltyError as error:
        form.refuse(error)
        return await _edit(request, form, block="form", status=422)
    return page(request, "api_keys/made.html", block="form", key=key, name=form.text("name"))


@requires(Permission.KEYS_MANAGE)
async def show_one(request: web.Request) -> web.Response:
    """GET /settings/keys/{id}."""
    return page(
        request,
        "api_keys/detail.html",
        key=await api_key(int(request.match_info["id"])),
        places=await locations(),
        scope_names=_scope_names(),
    )


@requires(Permission.KEYS_MANAGE)
async def revoke(request: web.Request) -> web.Response:
    """POST /settings/keys/{id}/revoke: for good."""
    await revoke_key(int(request.match_info["id"]), actor=actor_of(request), now=now(request))
    return await go_to(request, PATH, say=_("The key is revoked"))


async def _edit(request: web.Request, form: Form, *, block: str | None = None, status: int = 200) -> web.Response:
    return page(
        request,
        "api_keys/new.html",
        block=block,
        status=status,
        form=form,
        scopes=_scope_names(),
        places=await locations(only_open=True),
    )


def _scope_names() -> dict[Scope, str]:
    return {scope: _(name) for scope, name in SCOPE_NAMES.items()}


ROUTES = (
    web.get(PATH, show_list),
    web.get(f"{PATH}/new", show_new),
    web.post(f"{PATH}/new", add),
    web.get(PATH + r"/{id:\d{1,9}}", show_one),
    web.post(PATH + r"/{id:\d{1,9}}/revoke", revoke),
)
