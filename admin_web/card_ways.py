"""Where an address of a card leads: one that was merged to the card that it is now, an erased one to what is left."""

import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from admin_web.keys import STAFF
from admin_web.reach import cards_open_to
from admin_web.render import go_to, page
from loyalty.customers.queries import customer
from loyalty.office.queries.merges import way_of
from loyalty.staff.rules import Permission, may

CARD = re.compile(r"/customers/(\d{1,18})(/.*)?")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def lead(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lead requests about a merged card on, and show what is left of an erased one; all others go their way."""
    found = CARD.fullmatch(request.path)
    person = request.get(STAFF)
    if found is None or person is None or not may(person.role, Permission.CUSTOMERS_READ):
        return await handler(request)
    customer_id = int(found[1])
    if customer_id not in await cards_open_to(person, [customer_id]):
        # What is not theirs is not there, and leads nowhere.
        return await handler(request)
    survivor_id, is_erased = await way_of(customer_id)
    if survivor_id is not None:
        # What was to be written is not: whoever wrote it looks at the card that it is now, and decides.
        rest = found[2] or "" if request.method == "GET" else ""
        query = f"?{request.query_string}" if request.query_string and request.method == "GET" else ""
        return await go_to(request, f"/customers/{survivor_id}{rest}{query}")
    if not is_erased:
        return await handler(request)
    if found[2] or request.method != "GET":
        raise web.HTTPNotFound
    return page(request, "customers/erased.html", person=await customer(customer_id))
