"""Credits by hand that want two people: what colleagues ask for, to be given or declined by somebody else."""

from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.forms import id_in, is_id
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import now
from admin_web.navigation import NavItem
from admin_web.render import go_to, page
from loyalty.bonuses.actions.requests import approve_credit, refuse_credit
from loyalty.bonuses.queries import PAGE_ROWS, credit_requests
from loyalty.bonuses.rules import RequestState
from loyalty.staff.rules import Permission

PATH = "/credit-requests"
NAV = NavItem("credit_requests", PATH, "users", mark("Approvals"), "sales", Permission.BONUSES_ADJUST)

STATES = {
    RequestState.WAITING: (mark("Waits"), "warn"),
    RequestState.APPROVED: (mark("Approved"), "good"),
    RequestState.REFUSED: (mark("Declined"), "bad"),
    RequestState.WITHDRAWN: (mark("Taken back"), ""),
}
"""State -> (its name, the tint of its badge)."""


@requires(Permission.BONUSES_ADJUST)
async def show_list(request: web.Request) -> web.Response:
    """GET /credit-requests?answered=&before=: what waits, all of it on the first page; or what was answered."""
    answered = request.query.get("answered") == "1"
    before = request.query.get("before", "")
    mine = staff_of(request).location_ids
    found = await credit_requests(waiting=not answered, within=mine, before=int(before) if is_id(before) else None)
    shown = found[:PAGE_ROWS]
    kept = "answered=1&" if answered else ""
    return page(
        request,
        "credit_requests/list.html",
        block="panel" if request.headers.get("HX-Target") == "tabpanel" else None,
        requests=shown,
        answered=answered,
        is_later_page=bool(before),
        older=f"{PATH}?{kept}before={shown[-1].id}" if len(found) > PAGE_ROWS else None,
        states={state: (_(name), tint) for state, (name, tint) in STATES.items()},
        my_id=staff_of(request).id,
    )


@requires(Permission.BONUSES_ADJUST)
async def approve(request: web.Request) -> web.Response:
    """POST /credit-requests/{id}/approve: give it."""
    await approve_credit(id_in(request), actor=actor_of(request), now=now(request))
    return await go_to(request, PATH, say=_("Approved. The balance has changed."))


@requires(Permission.BONUSES_ADJUST)
async def decline(request: web.Request) -> web.Response:
    """POST /credit-requests/{id}/decline: another's request, or one's own."""
    await refuse_credit(id_in(request), actor=actor_of(request), now=now(request))
    return await go_to(request, PATH, say=_("Done. Nothing was credited."))


ROUTES = (
    web.get(PATH, show_list),
    web.post(PATH + "/{id}/approve", approve),
    web.post(PATH + "/{id}/decline", decline),
)
