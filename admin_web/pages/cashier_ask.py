"""The till without a code: the customer is asked in their chat, and says yes or no with one tap."""

import aiohttp_session
from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.forms import is_id, read_form
from admin_web.keys import SHOP, now
from admin_web.pages.cashier import sale_page
from admin_web.render import go_to, page
from admin_web.serving import ASKED, Served, served_at_till
from loyalty.bonuses.queries import HoldView, hold
from loyalty.bonuses.rules import HoldState
from loyalty.errors import Invalid, LoyaltyError, NotFound
from loyalty.money import money_of, parse_amount
from loyalty.receipts.actions.holds import place_hold, void_hold
from loyalty.shop.queries import programme_at
from loyalty.staff.rules import Permission

ENOUGH = 286
"""The answer that ends htmx's asking again and again."""


@requires(Permission.CASHIER_USE)
async def ask(request: web.Request) -> web.Response:
    """POST /cashier/ask: send the question. The same press again asks nothing twice: the sale's key names it."""
    served = await served_at_till(request)
    if served is None:
        return await go_to(request, "/cashier")
    form = await read_form(request)
    burn = form.value("burn")
    try:
        total = parse_amount(form.value("total"), request[SHOP].exponent, field="total")
        if form.value("shown") != str(total):
            return await sale_page(request, served, form, block="quote", status=422)
        if not is_id(burn):
            raise Invalid("burn", "not_a_number")
        # A question of its own each time: one that was declined may be asked anew with the same sale.
        draft = served.draft(total, key=f"{form.value('key')}-{burn}-{now(request).timestamp():.0f}", burn=int(burn))
        asked = await place_hold(draft, ask=True, actor=actor_of(request), now=now(request))
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        return await sale_page(request, served, form, block="quote", status=422)
    session = await aiohttp_session.get_session(request)
    session[ASKED] = [asked.id, form.value("total"), form.value("key")]
    return await go_to(request, "/cashier/ask")


@requires(Permission.CASHIER_USE)
async def show(request: web.Request) -> web.Response:
    """GET /cashier/ask: wait for the answer; asked again each second until there is one."""
    served = await served_at_till(request)
    asked = await _asked(request, served)
    if served is None or asked is None:
        return await go_to(request, "/cashier/sale")
    question, total, key = asked
    state = question.state
    if state in {HoldState.ASKED, HoldState.HELD} and now(request) >= question.expires_at:
        state = HoldState.LAPSED
    is_final = state is not HoldState.ASKED
    programme = await programme_at(now(request))
    return page(
        request,
        "cashier/ask.html",
        block="state",
        status=ENOUGH if is_final and "part" in request.query else 200,
        place=served.place,
        person=served.person,
        question=question,
        state=state.value,
        total=total,
        key=key,
        to_pay=question.total - money_of(question.amount, programme.bonus_value),
        seconds_left=max(0, int((question.expires_at - now(request)).total_seconds())),
    )


@requires(Permission.CASHIER_USE)
async def cancel(request: web.Request) -> web.Response:
    """POST /cashier/ask/cancel: take the question back, and go on without bonuses."""
    served = await served_at_till(request)
    asked = await _asked(request, served)
    if asked is not None:
        await void_hold(asked[0].id, actor=actor_of(request), now=now(request))
        (await aiohttp_session.get_session(request)).pop(ASKED, None)
    return await go_to(request, "/cashier/sale")


async def _asked(request: web.Request, served: Served | None) -> tuple[HoldView, str, str] | None:
    """The question of this cashier to the customer they serve, the total typed, the sale's key."""
    session = await aiohttp_session.get_session(request)
    kept = session.get(ASKED)
    if served is None or not kept:
        return None
    question = await hold(kept[0])
    if question.staff_id != staff_of(request).id or question.customer_id != served.person.id:
        return None
    return question, kept[1], kept[2]


ROUTES = (
    web.post("/cashier/ask", ask),
    web.get("/cashier/ask", show),
    web.post("/cashier/ask/cancel", cancel),
)
