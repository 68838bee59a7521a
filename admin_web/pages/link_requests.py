"""Accounts that may be somebody's: a phone was named in a chat without a proof, and people decide whose it is."""

from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.chats import CHANNELS
from admin_web.forms import id_in, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import now
from admin_web.navigation import NavItem
from admin_web.reach import cards_open_to
from admin_web.render import go_to, page
from loyalty.customers.queries.links import PAGE_ROWS, LinkRequestView, link_request, link_requests
from loyalty.customers.rules import LinkState
from loyalty.errors import Refused
from loyalty.office.actions.links import accept_link, refuse_link
from loyalty.staff.rules import Permission, may

PATH = "/link-requests"
NAV = NavItem("link_requests", PATH, "link", mark("Whose account"), "customers", Permission.CUSTOMERS_EDIT)

STATES = {
    LinkState.OPEN: (mark("Waits"), "warn"),
    LinkState.ACCEPTED: (mark("Was the same person"), "good"),
    LinkState.REFUSED: (mark("Was somebody else"), "bad"),
}
"""State -> (its name, the tint of its badge)."""


@requires(Permission.CUSTOMERS_EDIT)
async def show_list(request: web.Request) -> web.Response:
    """GET /link-requests?decided=&before=: what waits, the longest waiting first; or what was decided."""
    decided = request.query.get("decided") == "1"
    before = request.query.get("before", "")
    person = staff_of(request)
    found = await link_requests(
        is_open=not decided, within=person.location_ids, before=int(before) if is_id(before) else None
    )
    shown = found[:PAGE_ROWS]
    has_more = decided and len(found) > PAGE_ROWS
    return page(
        request,
        "link_requests/list.html",
        block="panel" if request.headers.get("HX-Target") == "tabpanel" else None,
        links=shown,
        cards=await cards_open_to(person, [one.owner_id for one in shown if one.owner_id is not None]),
        decided=decided,
        is_later_page=bool(before),
        older=f"{PATH}?decided=1&before={shown[-1].id}" if has_more else None,
        states={state: (_(name), tint) for state, (name, tint) in STATES.items()},
        channel_names={channel: _(name) for channel, name in CHANNELS.items()},
    )


@requires(Permission.CUSTOMERS_EDIT)
async def accept(request: web.Request) -> web.Response:
    """POST /link-requests/{id}/accept: the account goes to the customer's card."""
    back = await _back(request)
    try:
        await accept_link(id_in(request), actor=actor_of(request), now=now(request))
    except Refused as refused:
        asked = await link_request(id_in(request))
        if refused.reason != "cards_must_be_merged" or not await _may_merge(request, asked):
            raise
        # The account's card has a past of its own: what is to be decided is whether both cards are one.
        return await go_to(request, f"/customers/{asked.customer_id}/merge/{asked.owner_id}")
    return await go_to(request, back, say=_("Joined. The customer is told."))


@requires(Permission.CUSTOMERS_EDIT)
async def refuse(request: web.Request) -> web.Response:
    """POST /link-requests/{id}/refuse: the account keeps a card of its own."""
    back = await _back(request)
    await refuse_link(id_in(request), actor=actor_of(request), now=now(request))
    return await go_to(request, back, say=_("Kept apart. The customer is told."))


async def _may_merge(request: web.Request, asked: LinkRequestView) -> bool:
    """Whether this person may make one card of the two."""
    person, owner_id = staff_of(request), asked.owner_id
    return (
        owner_id is not None
        and may(person.role, Permission.CUSTOMERS_MERGE)
        and owner_id in await cards_open_to(person, [owner_id])
    )


async def _back(request: web.Request) -> str:
    """Where the form stood: on the card of a customer, or in the list."""
    card = (await read_form(request)).value("card")
    return f"/customers/{card}?tab=messengers" if is_id(card) else PATH


ROUTES = (
    web.get(PATH, show_list),
    web.post(PATH + "/{id}/accept", accept),
    web.post(PATH + "/{id}/refuse", refuse),
)
