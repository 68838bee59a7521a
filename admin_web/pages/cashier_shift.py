"""The shift of whoever stands at the till: what they sold and gave back today, receipt by receipt."""

from aiohttp import web

from admin_web.auth import requires, staff_of
from admin_web.keys import now
from admin_web.render import go_to, page
from admin_web.serving import working_at
from loyalty.clock import business_date
from loyalty.receipts.queries import shift
from loyalty.staff.rules import Permission


@requires(Permission.CASHIER_USE)
async def show(request: web.Request) -> web.Response:
    """GET /cashier/shift: today, by the clock of the location."""
    place = await working_at(request)
    if place is None:
        return await go_to(request, "/cashier")
    today = business_date(now(request), place.time_zone)
    done = await shift(staff_of(request).id, place.id, today)
    return page(request, "cashier/shift.html", place=place, shift=done, today=today)


ROUTES = (web.get("/cashier/shift", show),)
