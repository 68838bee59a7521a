"""Making one card of two: whom to look for, both side by side, the way back; and cards that look like one person's."""

from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.chats import CHANNELS
from admin_web.forms import id_in
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import SHOP, now
from admin_web.navigation import NavItem
from admin_web.render import go_to, page
from loyalty.customers.queries import customer
from loyalty.customers.rules import parse_search
from loyalty.office.actions.merging import merge_cards, undo_merge
from loyalty.office.queries.duplicates import duplicates
from loyalty.office.queries.merges import UNDONE_WITHIN_DAYS, others_found, preview_of
from loyalty.staff.rules import Permission, may

PATH = "/customers/duplicates"
NAV = NavItem("duplicates", PATH, "merge", mark("Duplicates"), "customers", Permission.CUSTOMERS_MERGE)
BY = {
    "phone": mark("the same phone in a messenger"),
    "email": mark("the same e-mail"),
    "name": mark("the same name and birthday"),
    "username": mark("the same name in a messenger"),
}
GIFTS = {
    "welcome": mark("Welcome bonus"),
    "birthday": mark("Birthday bonus"),
    "invited": mark("Came by an invitation"),
}


@requires(Permission.CUSTOMERS_MERGE)
async def show_duplicates(request: web.Request) -> web.Response:
    """GET /customers/duplicates: pairs of cards that may be one person's."""
    return page(
        request,
        "merges/duplicates.html",
        found=await duplicates(within=staff_of(request).location_ids),
        reasons={key: _(text) for key, text in BY.items()},
    )


@requires(Permission.CUSTOMERS_MERGE)
async def show_search(request: web.Request) -> web.Response:
    """GET /customers/{id}/merge?q=: which other card is the same person's."""
    person = await customer(id_in(request))
    text = request.query.get("q", "")
    search = parse_search(text, request[SHOP].region)
    reader = staff_of(request)
    sees_phones = may(reader.role, Permission.PHONES_READ)
    return page(
        request,
        "merges/search.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        person=person,
        search=text,
        found=await others_found(search, person.id, by_phone=sees_phones, within=reader.location_ids),
    )


@requires(Permission.CUSTOMERS_MERGE)
async def show_preview(request: web.Request) -> web.Response:
    """GET /customers/{id}/merge/{other}: what becomes of both when {id} stays and {other} goes into it."""
    preview = await preview_of(id_in(request), id_in(request, "other"), now=now(request))
    return page(
        request,
        "merges/preview.html",
        preview=preview,
        gifts=[(_(GIFTS[event]), amount) for event, amount in preview.gifts],
        channel_names={channel: _(name) for channel, name in CHANNELS.items()},
        days=UNDONE_WITHIN_DAYS,
    )


@requires(Permission.CUSTOMERS_MERGE)
async def merge(request: web.Request) -> web.Response:
    """POST /customers/{id}/merge/{other}. A second press finds it done."""
    survivor_id = id_in(request)
    merge_id = await merge_cards(id_in(request, "other"), survivor_id, actor=actor_of(request), now=now(request))
    said, undo_url = _("The cards are one now."), f"/merges/{merge_id}/undo"
    return await go_to(request, f"/customers/{survivor_id}", say=said, undo_url=undo_url)


@requires(Permission.CUSTOMERS_MERGE)
async def undo(request: web.Request) -> web.Response:
    """POST /merges/{id}/undo: two cards again."""
    merged_id = await undo_merge(id_in(request), actor=actor_of(request), now=now(request))
    return await go_to(request, f"/customers/{merged_id}", say=_("The cards are taken apart."))


ROUTES = (
    web.get(PATH, show_duplicates),
    web.get(r"/customers/{id:\d+}/merge", show_search),
    web.get(r"/customers/{id:\d+}/merge/{other:\d+}", show_preview),
    web.post(r"/customers/{id:\d+}/merge/{other:\d+}", merge),
    web.post(r"/merges/{id:\d+}/undo", undo),
)
