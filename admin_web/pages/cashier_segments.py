"""Segments at the till: after a sale the cashier gives or takes those that the owner allows there."""

from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.forms import id_in, is_id, read_form
from admin_web.keys import now
from admin_web.render import go_to, is_htmx, page
from loyalty.clock import business_date
from loyalty.errors import NotFound, Refused
from loyalty.receipts.queries import ReceiptView, receipt
from loyalty.segments.actions.segments import add_member, remove_member
from loyalty.segments.queries.segments import Chip, chips
from loyalty.shop.queries import location
from loyalty.staff.rules import Permission


@requires(Permission.CASHIER_USE)
async def toggle(request: web.Request) -> web.Response:
    """POST /cashier/receipts/{id}/segments: `give` or `take` names one; the same press twice changes nothing more.

    Of one's own sale that stands, until the day of its location ends.
    """
    sale = await receipt(id_in(request))
    if sale.staff_id != staff_of(request).id or sale.kind != "sale" or sale.refunded == sale.total:
        raise NotFound("receipt")
    if not await _is_of_today(request, sale):
        raise Refused("shift_is_over")
    form = await read_form(request)
    act, wanted = (add_member, form.value("give")) if form.value("give") else (remove_member, form.value("take"))
    if not is_id(wanted) or len(wanted) > 9:
        raise NotFound("segment")
    await act(int(wanted), sale.customer_id, at_till=True, actor=actor_of(request), now=now(request))
    if not is_htmx(request):
        return await go_to(request, f"/cashier/receipts/{sale.id}")
    return page(request, "cashier/_segments.html", sale=sale, chips=await chips(sale.customer_id, at_till=True))


async def chips_at_till(request: web.Request, sale: ReceiptView) -> list[Chip]:
    """The segments that may be given after this sale; none once its day is over or it was taken back."""
    if sale.refunded == sale.total or not await _is_of_today(request, sale):
        return []
    return await chips(sale.customer_id, at_till=True)


async def _is_of_today(request: web.Request, sale: ReceiptView) -> bool:
    zone = (await location(sale.location_id)).time_zone
    return business_date(sale.at, zone) == business_date(now(request), zone)


ROUTES = (web.post("/cashier/receipts/{id}/segments", toggle),)
