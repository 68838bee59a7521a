"""Everything below /api/: errors become problem details, whatever raised them."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from admin_web.api.problems import refuse

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
API_PATHS = "/api/"


@web.middleware
async def api_door(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error below /api/ in the form for programs, addresses that do not exist included."""
    if not request.path.startswith(API_PATHS):
        return await handler(request)
    try:
        return await handler(request)
    except web.HTTPException as way_on:
        if way_on.status < 400:
            raise
        return await refuse(request, way_on)
    except Exception as error:  # noqa: BLE001  nothing may reach the client as a traceback
        return await refuse(request, error)
