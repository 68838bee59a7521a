"""The shift of whoever stands at the till: what they sold and gave back today, receipt by receipt."""

from aiohttp import web

from admin_web.auth import requires, staff_of
from admin_web.keys import now
from admin_web.render import go_to, page
from admin_web.serving import working_at
from loyalty.clock import business_date, end_of_day, start_of_day
from loyalty.receipts.queries import shift
from loyalty.receipts.queries.waiting import kept_in_shift
from loyalty.staff.rules import Permission


@requires(Permission.CASHIER_USE)
async def show(request: web.Request) -> web.Response:
    """GET /cashier/shift: today, by the clock of the location."""
    place = await working_at(request)
    if place is None:
        return await go_to(request, "/cashier")
    today = business_date(now(request), place.time_zone)
    who = staff_of(request).id
    day = start_of_day(today, place.time_zone), end_of_day(today, place.time_zone)
    return page(
        request,
        "cashier/shift.html",
        place=place,
        today=today,
        shift=await shift(who, place.id, today),
        kept=await kept_in_shift(who, place.id, *day),
    )


ROUTES = (web.get("/cashier/shift", show),)
