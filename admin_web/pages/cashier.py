"""The till: find the customer, enter the sum, take the money. One decision a screen.

Whom a cashier serves, and the code they showed, is kept in the session, not in the address: ids cannot be walked
through, nor codes made up. Every sale has a key made with its page, so pressing again after a lost answer credits
nothing twice.
"""

from dataclasses import dataclass, replace

import aiohttp_session
from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.card_codes import held_card
from admin_web.forms import Form, id_in, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import SHOP, now
from admin_web.navigation import NavItem
from admin_web.pages.cashier_segments import chips_at_till
from admin_web.reach import places_for
from admin_web.render import go_to, page
from admin_web.serving import (
    ASKED,
    CANDIDATES_SHOWN,
    CODE_STEP,
    LOCATION,
    NEW_PHONE,
    OLD_CODE,
    SERVING,
    Served,
    begin_search,
    proof_of,
    served_at_till,
    working_at,
    workplace,
)
from admin_web.words import reason_text
from loyalty.bonuses.queries import HoldView, hold
from loyalty.clock import business_date
from loyalty.customers.actions.profile import add_customer
from loyalty.customers.queries import (
    CANDIDATES,
    customer,
    find_by_card_number,
    find_by_last_digits,
    find_by_phone,
)
from loyalty.customers.rules import Via, is_card_number, normalise_phone, profile_from
from loyalty.errors import Invalid, LoyaltyError, NotFound, Refused
from loyalty.ids import new_key
from loyalty.money import floor_to_step, money_of, parse_amount
from loyalty.receipts.actions.refunds import undo_receipt
from loyalty.receipts.actions.sales import record_receipt
from loyalty.receipts.actions.waiting import credit_waiting_sales
from loyalty.receipts.queries import receipt, refund_of, till
from loyalty.receipts.rules.refunds import UNDO_WINDOW
from loyalty.receipts.rules.sales import Presence, Quote, ReceiptDraft, ReceiptSource, Till, presence_of, quote
from loyalty.shop.queries import location
from loyalty.shop.rules import LocationView
from loyalty.staff.rules import Permission

NAV = NavItem("cashier", "/cashier", "wallet", mark("Cashier page"), "sales", Permission.CASHIER_USE, in_bar=True)


@dataclass(frozen=True, slots=True)
class Offer:
    """What the sum screen shows for a sum: the tiles to burn by, and the button. `burn` is the chosen tile.

    can_ask: nothing proves yet that the customer is there, and their tap in the chat could. asks: the button asks.
    """

    quote: Quote
    tiles: list[int]
    burn: int
    can_ask: bool

    @property
    def asks(self) -> bool:
        return self.can_ask and self.burn > 0


@requires(Permission.CASHIER_USE)
async def show_find(request: web.Request) -> web.Response:
    """GET /cashier: ask who it is."""
    await begin_search(request)
    place = await working_at(request)
    if place is None:
        return page(
            request, "cashier/location.html", places=await places_for(staff_of(request), only_open=True), place=None
        )
    return page(request, "cashier/find.html", place=place, form=Form())


@requires(Permission.CASHIER_USE)
async def choose_location(request: web.Request) -> web.Response:
    """POST /cashier/location: where this person works today, of the locations that their rights are for."""
    form = await read_form(request)
    wanted = form.value("location")
    place = await location(int(wanted) if is_id(wanted) and len(wanted) <= 9 else 0)
    mine = staff_of(request).location_ids
    if mine is not None and place.id not in mine:
        raise NotFound("location")
    if not place.is_open:
        raise Refused("location_is_closed")
    session = await aiohttp_session.get_session(request)
    session[LOCATION] = place.id
    return await go_to(request, "/cashier")


@requires(Permission.CASHIER_USE)
async def find(request: web.Request) -> web.Response:
    """POST /cashier/find: the code of a card or its QR, a phone or its last four digits, a card number."""
    form = await read_form(request)
    session = await begin_search(request)
    place = await working_at(request)
    if place is None:
        return await go_to(request, "/cashier")
    digits = "".join(char for char in form.value("who") if char.isdecimal() and char.isascii())
    try:
        card = await held_card(request, digits)
    except Refused as refused:
        return _find_again(request, place, form, refused)
    if card is not None:
        session[CODE_STEP] = card.proof.step if card.proof else OLD_CODE
        return await _serve(request, card.customer_id)
    if len(digits) == 4:
        found = await find_by_last_digits(digits)
        if found:
            session[CANDIDATES_SHOWN] = [candidate.id for candidate in found]
            shown = found[:CANDIDATES]
            return page(request, "cashier/candidates.html", place=place, candidates=shown, more=len(found) > CANDIDATES)
        form.errors["who"] = _("Nobody's phone ends with these digits.")
        return page(request, "cashier/find.html", status=422, place=place, form=form)
    if is_card_number(digits) and (owner := await find_by_card_number(digits)):
        return await _serve(request, owner)
    try:
        phone = normalise_phone(form.value("who"), request[SHOP].region)
    except Invalid:
        form.errors["who"] = _("Type the code of the card, the whole phone, its last 4 digits, or the card number.")
        return page(request, "cashier/find.html", status=422, place=place, form=form)
    if owner := await find_by_phone(phone):
        return await _serve(request, owner)
    session[NEW_PHONE] = phone
    return page(request, "cashier/new.html", place=place, form=Form(), phone=phone)


@requires(Permission.CASHIER_USE)
async def choose(request: web.Request) -> web.Response:
    """POST /cashier/choose: one of the candidates that were shown."""
    form = await read_form(request)
    session = await aiohttp_session.get_session(request)
    wanted = form.value("customer")
    if not is_id(wanted) or int(wanted) not in session.get(CANDIDATES_SHOWN, []):
        raise NotFound("customer")
    return await _serve(request, int(wanted))


@requires(Permission.CASHIER_USE)
async def register(request: web.Request) -> web.Response:
    """POST /cashier/register: a new customer with the phone that was just not found."""
    form = await read_form(request)
    session = await aiohttp_session.get_session(request)
    place, phone = await working_at(request), session.get(NEW_PHONE)
    if place is None or phone is None:
        return await go_to(request, "/cashier")
    chain = request[SHOP]
    try:
        profile = profile_from(
            name=form.value("name"),
            phone=phone,
            language=chain.language,
            home_location_id=place.id,
            region=chain.region,
            today=business_date(now(request), chain.time_zone),
        )
        person = await add_customer(profile, via=Via.CASHIER, actor=actor_of(request), now=now(request))
        # What they bought before is theirs at once; without this line the schedule would see to it in a minute.
        await credit_waiting_sales(person.id, now=now(request))
    except LoyaltyError as error:
        form.refuse(error)
        return page(request, "cashier/new.html", status=422, place=place, form=form, phone=phone)
    return await _serve(request, person.id)


@requires(Permission.CASHIER_USE)
async def show_sale(request: web.Request) -> web.Response:
    """GET /cashier/sale: ask how much it is."""
    served = await served_at_till(request)
    if served is None:
        return await go_to(request, "/cashier")
    return await sale_page(request, served, Form({"key": new_key()}))


@requires(Permission.CASHIER_USE)
async def show_quote(request: web.Request) -> web.Response:
    """POST /cashier/quote: tiles, earnings and the button for the sum typed so far; nothing moves."""
    served = await served_at_till(request)
    if served is None:
        return await go_to(request, "/cashier")
    return await sale_page(request, served, await read_form(request), block="quote")


@requires(Permission.CASHIER_USE)
async def take(request: web.Request) -> web.Response:
    """POST /cashier/sale: record it. The limit of the burn is computed again, whatever the page showed."""
    session = await aiohttp_session.get_session(request)
    location_id, serving = workplace(session, staff_of(request)), session.get(SERVING)
    if location_id is None or serving is None:
        return await go_to(request, "/cashier")
    form = await read_form(request)
    try:
        total = parse_amount(form.value("total"), request[SHOP].exponent, field="total")
        agreed = await _agreed(session, form, serving)
        if agreed is None and form.value("shown") != str(total):
            # The button was pressed before it could state the sum just typed: show the new one, take nothing.
            return await _sale_again(request, form)
        recorded = await record_receipt(
            ReceiptDraft(
                ReceiptSource.TILL,
                location_id,
                form.value("key"),
                serving,
                total,
                agreed.amount if agreed else _burn(form),
                proof=proof_of(serving, session.get(CODE_STEP)),
                hold_id=agreed.id if agreed else None,
            ),
            actor=actor_of(request),
            now=now(request),
        )
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        return await _sale_again(request, form)
    # The customer stays served until the next search: the answer may be lost, and the button pressed again.
    again = "?again=1" if recorded.repeated else ""
    return await go_to(request, f"/cashier/receipts/{recorded.receipt_id}{again}")


@requires(Permission.CASHIER_USE)
async def show_done(request: web.Request) -> web.Response:
    """GET /cashier/receipts/{id}: what to take, the new balance, undo while it can be. Only one's own receipts."""
    sale = await receipt(id_in(request))
    if sale.staff_id != staff_of(request).id or sale.kind != "sale":
        raise NotFound("receipt")
    person = await customer(sale.customer_id)
    seconds_left = int((sale.at + UNDO_WINDOW - now(request)).total_seconds())
    return page(
        request,
        "cashier/done.html",
        place=await location(sale.location_id),
        sale=sale,
        person=person,
        refund=await refund_of(sale.id),
        seconds_left=max(0, seconds_left),
        key=f"undo-{sale.id}",
        chips=await chips_at_till(request, sale),
        again=bool(request.query.get("again")),
    )


@requires(Permission.CASHIER_USE)
async def take_back(request: web.Request) -> web.Response:
    """POST /cashier/receipts/{id}/undo: one's own sale, within five minutes. Safe to press twice."""
    receipt_id = id_in(request)
    try:
        await undo_receipt(receipt_id, key=f"undo-{receipt_id}", actor=actor_of(request), now=now(request))
    except Refused as refused:
        if refused.reason != "already_refunded":
            raise
    return await go_to(request, f"/cashier/receipts/{receipt_id}")


async def _serve(request: web.Request, customer_id: int) -> web.Response:
    session = await aiohttp_session.get_session(request)
    session[SERVING] = customer_id
    return await go_to(request, "/cashier/sale")


def _find_again(request: web.Request, place: LocationView, form: Form, refused: Refused) -> web.Response:
    """The search with what is wrong with the code, and an empty field: a scanner types the next one into it."""
    form.values.pop("who", None)
    form.errors["who"] = reason_text(refused)
    wait = refused.details.get("wait")
    response = page(request, "cashier/find.html", status=429 if wait else 422, place=place, form=form)
    if wait:
        response.headers["Retry-After"] = str(wait)
    return response


async def _agreed(session: aiohttp_session.Session, form: Form, serving: int) -> HoldView | None:
    """What the customer has agreed to in the chat, when this sale is about it: as the base knows it, not the page."""
    asked = session.get(ASKED)
    if not form.value("agreed") or not asked or form.value("agreed") != str(asked[0]):
        return None
    question = await hold(asked[0])
    return question if question.customer_id == serving else None


def _burn(form: Form) -> int:
    """The burn that the pressed tile stands for. Raises Invalid("burn")."""
    burn = form.value("burn")
    if not is_id(burn):
        raise Invalid("burn", "not_a_number")
    return int(burn)


async def _sale_again(request: web.Request, form: Form) -> web.Response:
    """The sum screen with what is wrong, or with the sum just typed; nothing was taken."""
    served = await served_at_till(request)
    if served is None:
        return await go_to(request, "/cashier")
    return await sale_page(request, served, form, block="quote", status=422)


async def sale_page(
    request: web.Request, served: Served, form: Form, *, block: str | None = None, status: int = 200
) -> web.Response:
    """The sum screen, or its lower part, for the sum typed so far."""
    at_till = await till(served.person.id, served.place.id, now=now(request), proof=served.proof)
    presence = presence_of(at_till, served.proof, now(request))
    return page(
        request,
        "cashier/sale.html",
        block=block,
        status=status,
        place=served.place,
        person=served.person,
        tier=at_till.programme.tier(at_till.tier_id),
        discount_bp=at_till.discount_bp,
        form=form,
        offer=_offer(request, at_till, served, form),
        has_code=served.code_step is not None,
        code_counts=presence is Presence.CODE,
        code_used=at_till.code_used,
        needs_presence=presence is None,
        burn_worth=lambda burn: money_of(burn, at_till.programme.bonus_value),
    )


def _offer(request: web.Request, at_till: Till, served: Served, form: Form) -> Offer | None:
    """What to show for the sum typed; None before there is one, with a note of what is wrong with it."""
    if not form.value("total").strip():
        return None
    try:
        total = parse_amount(form.value("total"), request[SHOP].exponent, field="total")
    except Invalid as error:
        form.refuse(error)
        return None
    if not total:
        return None
    draft = served.draft(total)
    can_ask = presence_of(at_till, served.proof, now(request)) is None and at_till.account_id is not None
    if can_ask:
        # As it will be once the customer has said yes.
        at_till = replace(at_till, burns_without_code=True)
    try:
        most = quote(at_till, draft, now=now(request)).burn_limit
    except Refused as error:
        form.refuse(error)
        return None
    step = at_till.programme.bonus_step
    tiles = [0, floor_to_step(most // 2, step), most]
    wanted = form.value("burn")
    # The same tile stays chosen while the sum grows: "half" and "the most" are intents, not numbers.
    chosen = form.value("tile")
    burn = tiles[int(chosen)] if chosen in {"0", "1", "2"} else (int(wanted) if is_id(wanted) else 0)
    burn = burn if burn in tiles else 0
    try:
        sale = quote(at_till, replace(draft, burn=burn), now=now(request))
    except Refused as error:
        form.refuse(error)
        return None
    return Offer(sale, tiles, burn, can_ask=can_ask)


ROUTES = (
    web.get("/cashier", show_find),
    web.post("/cashier/location", choose_location),
    web.post("/cashier/find", find),
    web.post("/cashier/choose", choose),
    web.post("/cashier/register", register),
    web.get("/cashier/sale", show_sale),
    web.post("/cashier/quote", show_quote),
    web.post("/cashier/sale", take),
    web.get("/cashier/receipts/{id}", show_done),
    web.post("/cashier/receipts/{id}/undo", take_back),
)
