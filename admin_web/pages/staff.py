"""People of the panel: who they are, invitations, roles."""

from aiohttp import web

from admin_web import choices
from admin_web.auth import actor_of, requires
from admin_web.forms import Form, form_of, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import REDIS, SETTINGS, SHOP, now
from admin_web.navigation import NavItem
from admin_web.render import go_to, page
from admin_web.sessions import forget_sessions
from admin_web.words import role_hint, role_name
from loyalty.customers.rules import normalise_phone
from loyalty.errors import LoyaltyError
from loyalty.office.actions.leaving import shut_account
from loyalty.shop.queries import locations
from loyalty.staff.actions import enable, end_sessions, invite, reset_password, update_staff
from loyalty.staff.queries import StaffView, staff_list, staff_member
from loyalty.staff.rules import Permission, Role

PATH = "/settings/staff"
NAV = NavItem("staff", PATH, "id-card", mark("Staff"), "settings", Permission.STAFF_MANAGE)
CHAIN, SOME = "chain", "some"
"""What somebody's rights are for: everything, or the locations that are ticked."""
ROLES = (Role.CASHIER, Role.SUPPORT, Role.ANALYST, Role.MARKETER, Role.OWNER)


@requires(Permission.STAFF_MANAGE)
async def show_list(request: web.Request) -> web.Response:
    """GET /settings/staff."""
    places = {place.id: place.name for place in await locations()}
    return page(request, "staff/list.html", people=await staff_list(), places=places)


@requires(Permission.STAFF_MANAGE)
async def show_invite(request: web.Request) -> web.Response:
    """GET /settings/staff/invite; `?role=` chooses one beforehand."""
    role = request.query.get("role", "")
    return await _edit(request, form_of({"role": role if role in list(Role) else Role.CASHIER, "reach": CHAIN}), None)


@requires(Permission.STAFF_MANAGE)
async def send_invite(request: web.Request) -> web.Response:
    """POST /settings/staff/invite: the account is there, the link is shown once."""
    form = await read_form(request)
    role, place_id, phone = _read(request, form)
    reach = await _reach(form)
    if form.ok:
        try:
            token = await invite(
                form.value("email"),
                form.value("name"),
                role,
                place_id,
                phone,
                location_ids=reach,
                actor=actor_of(request),
                now=now(request),
            )
        except LoyaltyError as error:
            form.refuse(error)
        else:
            return _show_link(request, token, form.text("name"))
    return await _edit(request, form, None, block="form", status=422)


@requires(Permission.STAFF_MANAGE)
async def show_one(request: web.Request) -> web.Response:
    """GET /settings/staff/{id}."""
    person = await _person(request)
    values = {"name": person.name, "role": person.role, "location_id": person.location_id, "phone": person.phone}
    reach = {f"reach-{place_id}": "on" for place_id in person.location_ids or ()}
    return await _edit(request, form_of({**values, "reach": SOME if reach else CHAIN, **reach}), person)


@requires(Permission.STAFF_MANAGE)
async def save(request: web.Request) -> web.Response:
    """POST /settings/staff/{id}."""
    form = await read_form(request)
    person = await _person(request)
    role, place_id, phone = _read(request, form)
    reach = await _reach(form)
    if form.ok:
        try:
            await update_staff(
                person.id,
                name=form.value("name"),
                role=role,
                location_id=place_id,
                location_ids=reach,
                phone=phone,
                actor=actor_of(request),
                now=now(request),
            )
        except LoyaltyError as error:
            form.refuse(error)
        else:
            return await go_to(request, PATH, say=_("Saved"))
    return await _edit(request, form, person, block="form", status=422)


@requires(Permission.STAFF_MANAGE)
async def reset(request: web.Request) -> web.Response:
    """POST /settings/staff/{id}/reset: a new link, shown once."""
    person = await _person(request)
    token = await reset_password(person.id, actor=actor_of(request), now=now(request))
    return _show_link(request, token, person.name)


@requires(Permission.STAFF_MANAGE)
async def shut(request: web.Request) -> web.Response:
    """POST /settings/staff/{id}/disable: at once, with an Undo."""
    person = await _person(request)
    await shut_account(person.id, actor=actor_of(request), now=now(request))
    await forget_sessions(request.app[REDIS], person.id)
    return await go_to(request, PATH, say=_("The account is disabled"), undo_url=f"{PATH}/{person.id}/enable")


@requires(Permission.STAFF_MANAGE)
async def sign_out(request: web.Request) -> web.Response:
    """POST /settings/staff/{id}/sign-out: every browser of theirs, for a lost phone."""
    person = await _person(request)
    await end_sessions(person.id, actor=actor_of(request), now=now(request))
    await forget_sessions(request.app[REDIS], person.id)
    return await go_to(request, f"{PATH}/{person.id}", say=_("Signed out everywhere"))


@requires(Permission.STAFF_MANAGE)
async def open_again(request: web.Request) -> web.Response:
    """POST /settings/staff/{id}/enable."""
    person = await _person(request)
    await enable(person.id, actor=actor_of(request), now=now(request))
    return await go_to(request, PATH, say=_("The account is enabled"))


async def _person(request: web.Request) -> StaffView:
    return await staff_member(int(request.match_info["id"]))


def _read(request: web.Request, form: Form) -> tuple[Role, int | None, str | None]:
    """Role, location and phone of the form; what is wrong is noted in it."""
    role = Role(form.choice("role", [role.value for role in ROLES]))
    place_id = form.number("location_id")
    phone = None
    if typed := form.text("phone"):
        try:
            phone = normalise_phone(typed, request[SHOP].region)
        except LoyaltyError as error:
            form.refuse(error)
    return role, place_id, phone


async def _reach(form: Form) -> list[int] | None:
    """The locations that rights end with; None for the whole chain, whatever else is ticked."""
    if form.choice("reach", (SOME, CHAIN)) == CHAIN:
        return None
    return [place.id for place in await locations() if form.checked(f"reach-{place.id}")]


def _show_link(request: web.Request, token: str, name: str) -> web.Response:
    link = f"{request.app[SETTINGS].public_url}/join/{token}"
    return page(request, "staff/link.html", block="form", link=link, name=name)


async def _edit(
    request: web.Request, form: Form, person: StaffView | None, *, block: str | None = None, status: int = 200
) -> web.Response:
    kept = {person.location_id, *(person.location_ids or ())} if person is not None else set()
    known = [place for place in await locations() if place.is_open or place.id in kept]
    places: choices.Options = [(str(place.id), place.name) for place in known]
    return page(
        request,
        "staff/edit.html",
        block=block,
        status=status,
        form=form,
        person=person,
        url=request.path,
        roles=[(role.value, f"{role_name(role)} — {role_hint(role)}") for role in ROLES],
        places=[("", _("Any location")), *places],
        reaches=[(CHAIN, _("The whole chain")), (SOME, _("Only some locations"))],
        limits=known,
    )


ROUTES = (
    web.get(PATH, show_list),
    web.get(f"{PATH}/invite", show_invite),
    web.post(f"{PATH}/invite", send_invite),
    web.get(PATH + r"/{id:\d{1,9}}", show_one),
    web.post(PATH + r"/{id:\d{1,9}}", save),
    web.post(PATH + r"/{id:\d{1,9}}/reset", reset),
    web.post(PATH + r"/{id:\d{1,9}}/sign-out", sign_out),
    web.post(PATH + r"/{id:\d{1,9}}/disable", shut),
    web.post(PATH + r"/{id:\d{1,9}}/enable", open_again),
)
