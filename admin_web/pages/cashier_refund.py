"""A refund at the till: the number on the receipt, then all of it, some of its lines, or a sum."""

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.forms import Form, id_in, read_form
from admin_web.i18n import gettext as _
from admin_web.keys import SHOP, now
from admin_web.render import go_to, page
from admin_web.serving import working_at
from loyalty.customers.queries import customer
from loyalty.errors import Invalid, LoyaltyError, NotFound
from loyalty.ids import new_key
from loyalty.money import parse_amount
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.receipts.queries import ReceiptView, lines_of, receipt, sale_by_number
from loyalty.receipts.rules.refunds import LineRefund
from loyalty.receipts.rules.sales import KEY_LENGTH, ReceiptSource
from loyalty.receipts.rules.waiting import id_of
from loyalty.shop.rules import LocationView
from loyalty.staff.rules import Permission


@requires(Permission.CASHIER_USE)
async def show_find(request: web.Request) -> web.Response:
    """GET /cashier/refund: ask for the number."""
    place = await working_at(request)
    if place is None:
        return await go_to(request, "/cashier")
    return page(request, "cashier/refund_find.html", place=place, form=Form())


@requires(Permission.CASHIER_USE)
async def find(request: web.Request) -> web.Response:
    """POST /cashier/refund: the short number that we show, of a sale that waits too, or the till's own."""
    place = await working_at(request)
    if place is None:
        return await go_to(request, "/cashier")
    form = await read_form(request)
    number = form.value("number").strip().lstrip("№#").strip()
    sale = await sale_by_number(place.id, number) if number.isprintable() and 0 < len(number) <= KEY_LENGTH else None
    if sale is None and (waiting := id_of(number)) is not None:
        return await go_to(request, f"/cashier/join/{waiting}")
    if sale is None:
        form.errors["number"] = _("There is no receipt with this number here.")
        return page(request, "cashier/refund_find.html", status=422, place=place, form=form)
    return await go_to(request, f"/cashier/refund/{sale.id}")


@requires(Permission.CASHIER_USE)
async def show(request: web.Request) -> web.Response:
    """GET /cashier/refund/{id}: what can be taken back."""
    place, sale = await _sale(request)
    return await _page(request, place, sale, Form({"key": new_key(), "amount": "", "what": "all"}))


@requires(Permission.CASHIER_USE)
async def take_back(request: web.Request) -> web.Response:
    """POST /cashier/refund/{id}: take it back once, however often it is pressed."""
    place, sale = await _sale(request)
    form = await read_form(request)
    try:
        amount, lines = _wanted(request, form)
        done = await refund_receipt(
            sale.id,
            amount,
            lines=lines,
            key=f"refund-{form.value('key')[: KEY_LENGTH - 7]}",
            source=ReceiptSource.TILL,
            actor=actor_of(request),
            now=now(request),
        )
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        return await _page(request, place, sale, form, status=422)
    return await go_to(request, f"/cashier/refund/{sale.id}/done/{done.receipt_id}")


@requires(Permission.CASHIER_USE)
async def show_done(request: web.Request) -> web.Response:
    """GET /cashier/refund/{id}/done/{refund}: the money to give back."""
    place, sale = await _sale(request)
    refund = await receipt(id_in(request, "refund"))
    if refund.original_id != sale.id:
        raise NotFound("receipt")
    return page(
        request,
        "cashier/refund_done.html",
        place=place,
        sale=sale,
        refund=refund,
        person=await customer(sale.customer_id),
        to_give=refund.paid - refund.kept_back,
    )


def _wanted(request: web.Request, form: Form) -> tuple[int | None, list[LineRefund]]:
    """What the form asks to take back. Raises Invalid("amount" | "lines")."""
    what = form.choice("what", ("all", "sum", "lines"))
    if what == "sum":
        return parse_amount(form.value("amount"), request[SHOP].exponent, field="amount"), []
    if what == "lines":
        ticked = [name.removeprefix("line-") for name in form.values if name.startswith("line-")]
        lines = [LineRefund(int(number)) for number in ticked if number.isascii() and number.isdigit()]
        if not lines:
            raise Invalid("lines", "required")
        return None, lines
    return None, []


async def _sale(request: web.Request) -> tuple[LocationView, ReceiptView]:
    """A sale of the place where this person works. Raises NotFound("receipt")."""
    place = await working_at(request)
    sale = await receipt(id_in(request))
    if place is None or sale.location_id != place.id or sale.kind != "sale":
        raise NotFound("receipt")
    return place, sale


async def _page(
    request: web.Request, place: LocationView, sale: ReceiptView, form: Form, *, status: int = 200
) -> web.Response:
    return page(
        request,
        "cashier/refund.html",
        status=status,
        place=place,
        sale=sale,
        person=await customer(sale.customer_id),
        lines=await lines_of(sale.id),
        left=sale.total - sale.refunded,
        form=form,
    )


ROUTES = (
    web.get("/cashier/refund", show_find),
    web.post("/cashier/refund", find),
    web.get("/cashier/refund/{id}", show),
    web.post("/cashier/refund/{id}", take_back),
    web.get("/cashier/refund/{id}/done/{refund}", show_done),
)
