"""The till and somebody who is not registered: the sale is kept, and credited when they are.

They scan a link into the shop's chat, or name their phone; the page that shows the link turns into the good news.
"""

from datetime import timedelta

import aiohttp_session
from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.chat_links import chat_links, drawn
from admin_web.chats import CHANNELS
from admin_web.forms import Form, id_in, read_form
from admin_web.i18n import gettext
from admin_web.keys import SHOP, now
from admin_web.render import go_to, is_htmx, page
from admin_web.serving import NEW_PHONE, working_at
from admin_web.words import REASONS
from loyalty.clock import business_date
from loyalty.customers.queries import customer
from loyalty.errors import Invalid, LoyaltyError, NotFound
from loyalty.ids import new_key
from loyalty.money import parse_amount
from loyalty.receipts.actions.waiting import keep_waiting_sale, withdraw_waiting_sale
from loyalty.receipts.queries.waiting import WaitingSaleView, waiting_sale
from loyalty.receipts.rules.waiting import WaitingState
from loyalty.shop.rules import LocationView
from loyalty.staff.rules import Permission

PAYLOAD = "j_"
"""What stands before the token in the link; the chat knows it by this."""
LIVE_FOR = timedelta(minutes=10)
"""So long the page asks whether they have come; nobody stands at the till for longer."""
ENOUGH = 286
"""The answer that ends htmx's asking again and again."""


@requires(Permission.CASHIER_USE)
async def show_sum(request: web.Request) -> web.Response:
    """GET /cashier/join: ask how much it is. The phone is the one that was just not found, if one was."""
    place = await working_at(request)
    if place is None:
        return await go_to(request, "/cashier")
    return await _sum_page(request, place, Form({"key": new_key()}))


@requires(Permission.CASHIER_USE)
async def show_button(request: web.Request) -> web.Response:
    """POST /cashier/join/sum: the button for the sum typed so far; nothing is kept."""
    place = await working_at(request)
    if place is None:
        return await go_to(request, "/cashier")
    return await _sum_page(request, place, await read_form(request), block="keep")


@requires(Permission.CASHIER_USE)
async def keep(request: web.Request) -> web.Response:
    """POST /cashier/join: keep the sale. The same press again keeps nothing twice."""
    place = await working_at(request)
    if place is None:
        return await go_to(request, "/cashier")
    form, phone = await read_form(request), await _phone(request)
    try:
        total = parse_amount(form.value("total"), request[SHOP].exponent, field="total")
        if form.value("shown") != str(total) or not await _can_be_found(request, phone):
            # The button was pressed before it could state the sum just typed: show the new one, keep nothing.
            return await _sum_page(request, place, form, block="keep", status=422)
        sale = await keep_waiting_sale(
            place.id, form.value("key"), total, phone=phone, actor=actor_of(request), now=now(request)
        )
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        return await _sum_page(request, place, form, block="keep", status=422)
    return await go_to(request, f"/cashier/join/{sale.id}")


@requires(Permission.CASHIER_USE)
async def show(request: web.Request) -> web.Response:
    """GET /cashier/join/{id}?in=: the link to scan; with ?part, asked every few seconds, only what has changed."""
    place, sale = await _sale(request)
    is_waiting, asks_on = sale.state is WaitingState.WAITING, now(request) < sale.created_at + LIVE_FOR
    if "part" in request.query and is_htmx(request) and is_waiting and asks_on:
        return web.Response(status=204)
    links = (
        await chat_links(request, PAYLOAD + sale.token) if is_waiting and sale.staff_id == staff_of(request).id else {}
    )
    chosen = request.query.get("in", "")
    shown_in = chosen if chosen in links else next(iter(links), "")
    return page(
        request,
        "cashier/join_done.html",
        block="state",
        status=ENOUGH if is_htmx(request) else 200,
        place=place,
        sale=sale,
        state=sale.state.value,
        asks_on=is_waiting and asks_on,
        person=await customer(sale.customer_id) if sale.customer_id is not None else None,
        last_day=business_date(sale.expires_at - sale.expires_at.resolution, place.time_zone),
        code=drawn(links[shown_in]) if shown_in else None,
        shown_in=shown_in,
        messengers=[(name, gettext(CHANNELS[name])) for name in links],
        why=_why(sale.reason),
    )


@requires(Permission.CASHIER_USE)
async def take_back(request: web.Request) -> web.Response:
    """POST /cashier/join/{id}/withdraw: nobody has come for it yet. Safe to press twice."""
    _, sale = await _sale(request)
    await withdraw_waiting_sale(sale.id, actor=actor_of(request), now=now(request))
    return await go_to(request, f"/cashier/join/{sale.id}")


async def _sum_page(
    request: web.Request, place: LocationView, form: Form, *, block: str | None = None, status: int = 200
) -> web.Response:
    """The sum screen, or its button, for the sum typed so far."""
    phone = await _phone(request)
    return page(
        request,
        "cashier/join.html",
        block=block,
        status=status,
        place=place,
        phone=phone,
        form=form,
        total=_typed(request, form),
        can_be_found=await _can_be_found(request, phone),
    )


def _typed(request: web.Request, form: Form) -> int:
    """The sum typed so far; 0 before there is one, with a note of what is wrong with it."""
    if not form.value("total").strip():
        return 0
    try:
        return parse_amount(form.value("total"), request[SHOP].exponent, field="total")
    except Invalid as error:
        form.refuse(error)
        return 0


async def _sale(request: web.Request) -> tuple[LocationView, WaitingSaleView]:
    """A sale kept at the place where this person works. Raises NotFound("waiting_sale")."""
    place, sale = await working_at(request), await waiting_sale(id_in(request))
    if place is None or sale.location_id != place.id:
        raise NotFound("waiting_sale")
    return place, sale


async def _phone(request: web.Request) -> str | None:
    phone: str | None = (await aiohttp_session.get_session(request)).get(NEW_PHONE)
    return phone


async def _can_be_found(request: web.Request, phone: str | None) -> bool:
    """Whether its customer could ever come for a sale: by their phone, or by a link into a chat."""
    return phone is not None or await chat_links(request, PAYLOAD) != {}


def _why(reason: str | None) -> str:
    """Why it could not be credited, for reasons that are whole sentences without their figures."""
    sentence = REASONS.get(reason or "", "")
    return gettext(sentence) if sentence and "%(" not in sentence else ""


ROUTES = (
    web.get("/cashier/join", show_sum),
    web.post("/cashier/join/sum", show_button),
    web.post("/cashier/join", keep),
    web.get("/cashier/join/{id}", show),
    web.post("/cashier/join/{id}/withdraw", take_back),
)
