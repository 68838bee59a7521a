"""Fiscal receipts that customers sent in the chat: looked at by people, credited or refused."""

from typing import Any

from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.claim_words import REFUSED, STATES, why_text
from admin_web.forms import Form, id_in, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import now
from admin_web.navigation import NavItem
from admin_web.reach import cards_open_to, places_for
from admin_web.render import go_to, is_htmx, page
from loyalty.errors import Invalid, LoyaltyError, NotFound
from loyalty.receipts.actions.claims import approve_claim, refuse_claim
from loyalty.receipts.queries.claims import ClaimView, claim_view, claims, claims_are_taken, claims_waiting
from loyalty.receipts.rules.claims import BY_HAND, ClaimState
from loyalty.staff.rules import Permission

PATH = "/claims"
NAV = NavItem("claims", PATH, "receipt-text", mark("Receipts from the chat"), "sales", Permission.CLAIMS_DECIDE)


@requires(Permission.CLAIMS_DECIDE)
async def show_list(request: web.Request) -> web.Response:
    """GET /claims?state=&beyond=: what waits, the longest waiting first; or what was decided, newest first."""
    wanted = request.query.get("state", "")
    state = ClaimState(wanted) if wanted in list(ClaimState) else ClaimState.WAITING
    beyond = request.query.get("beyond", "")
    mine = staff_of(request).location_ids
    found, following = await claims(state, within=mine, beyond=int(beyond) if is_id(beyond) else None)
    waiting = await claims_waiting(within=mine)
    here = f"{PATH}?state={state.value}"
    tabs = [
        (one.value, _(name), f"{PATH}?state={one.value}", waiting if one is ClaimState.WAITING else None)
        for one, (name, _tint) in STATES.items()
    ]
    return page(
        request,
        "claims/list.html",
        block="panel" if request.headers.get("HX-Target") == "tabpanel" else None,
        state=state,
        tabs=tabs,
        claims=[(view, why_text(view.claim.state, view.claim.reason), Form()) for view in found],
        following=f"{here}&beyond={following}" if following else None,
        first=here if beyond else None,
        is_taken=await claims_are_taken(now(request)),
        cards=await _cards(request, found),
        **await _choices(request),
    )


@requires(Permission.CLAIMS_DECIDE)
async def approve(request: web.Request) -> web.Response:
    """POST /claims/{id}/approve: credit it, at a chosen location where the cash register is unknown."""
    claim_id, form = id_in(request), await read_form(request)
    chosen = form.value("location")
    place_id = int(chosen) if is_id(chosen) else None
    try:
        if place_id is not None and all(place.id != place_id for place in await places_for(staff_of(request))):
            raise Invalid("location", "unknown_choice")
        await approve_claim(claim_id, place_id, actor=actor_of(request), now=now(request))
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        return await _again(request, claim_id, form, error)
    return await go_to(request, PATH, say=_("Credited. The customer is told."))


@requires(Permission.CLAIMS_DECIDE)
async def refuse(request: web.Request) -> web.Response:
    """POST /claims/{id}/refuse: the customer is told why."""
    claim_id, form = id_in(request), await read_form(request)
    try:
        await refuse_claim(claim_id, form.value("reason"), actor=actor_of(request), now=now(request))
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        return await _again(request, claim_id, form, error)
    return await go_to(request, PATH, say=_("Refused. The customer is told why."))


async def _again(request: web.Request, claim_id: int, form: Form, error: LoyaltyError) -> web.Response:
    """The claim with what is wrong; without scripts the whole page of the refusal."""
    if not is_htmx(request):
        raise error
    view: ClaimView = await claim_view(claim_id)
    why = why_text(view.claim.state, view.claim.reason)
    choices = await _choices(request) | {"cards": await _cards(request, [view])}
    return page(request, "claims/_claim.html", status=422, view=view, why=why, form=form, **choices)


async def _cards(request: web.Request, found: list[ClaimView]) -> set[int]:
    """Whose cards the reader may open, of those who sent a receipt or have one like it."""
    people = {view.claim.customer_id for view in found} | {view.similar.customer_id for view in found if view.similar}
    return await cards_open_to(staff_of(request), people)


async def _choices(request: web.Request) -> dict[str, Any]:
    return {
        "places": [(place.id, place.name) for place in await places_for(staff_of(request), only_open=True)],
        "refusals": [(reason.value, _(REFUSED[reason.value])) for reason in BY_HAND],
        "states": {state: (_(name), tint) for state, (name, tint) in STATES.items()},
    }


ROUTES = (
    web.get(PATH, show_list),
    web.post(PATH + "/{id}/approve", approve),
    web.post(PATH + "/{id}/refuse", refuse),
)
