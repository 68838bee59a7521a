"""How the page's script and the simulator talk: small JSON, and only from the page itself."""

from typing import Any

from aiohttp import hdrs, web
from yarl import URL


async def read(request: web.Request) -> dict[str, Any]:
    """The JSON object that a page of ours sent; requests of other sites are refused."""
    check_origin(request)
    try:
        body = await request.json() if request.can_read_body else {}
    except ValueError:
        raise web.HTTPBadRequest from None
    return body if isinstance(body, dict) else {}


async def read_file(request: web.Request, most_bytes: int) -> bytes:
    """The body as it is; raises HTTPRequestEntityTooLarge above so many bytes."""
    check_origin(request)
    return await request.clone(client_max_size=most_bytes).read()


def check_origin(request: web.Request) -> None:
    """Refuse what another site's page sends: by Sec-Fetch-Site, by Origin where the browser tells no more."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        is_ours = site in {"same-origin", "none"}
    else:
        is_ours = URL(request.headers.get(hdrs.ORIGIN, "")).authority == request.host
    if not is_ours:
        raise web.HTTPForbidden


def done(**facts: Any) -> web.Response:
    """The small yes."""
    return web.json_response({"ok": True, **facts})


def refused(reason: str, **facts: Any) -> web.Response:
    """The small no; the page has words for the reason."""
    return web.json_response({"ok": False, "reason": reason, **facts}, status=422)
