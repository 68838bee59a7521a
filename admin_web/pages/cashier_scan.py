"""The till's camera, for browsers that read no codes themselves: they send what it sees, and are told the text."""

from aiohttp import web

from admin_web.auth import requires, staff_of
from admin_web.barcodes import LARGEST, NotAFrame, code_in
from admin_web.keys import REDIS
from admin_web.throttle import may_scan
from loyalty.staff.rules import Permission


@requires(Permission.CASHIER_USE)
async def scan(request: web.Request) -> web.Response:
    """POST /cashier/scan: the text of the code in a JPEG, as JSON; 204 for none.

    400 for what is no such picture, 413 for a large one, 429 for more of them than a camera takes.
    """
    if (request.content_length or 0) > LARGEST:
        raise web.HTTPRequestEntityTooLarge(LARGEST, request.content_length or 0)
    if not await may_scan(request.app[REDIS], staff_of(request).id):
        raise web.HTTPTooManyRequests
    picture = await request.read()
    if len(picture) > LARGEST:
        raise web.HTTPRequestEntityTooLarge(LARGEST, len(picture))
    try:
        text = await code_in(picture)
    except NotAFrame:
        raise web.HTTPBadRequest from None
    return web.json_response({"text": text}) if text else web.Response(status=204)


ROUTES = (web.post("/cashier/scan", scan),)
