"""What every request passes through, from the outside in: frame, origin check, session, who is asking."""

import secrets
from collections.abc import Awaitable, Callable
from time import perf_counter
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from admin_web.client import client_of
from admin_web.i18n import READER, Reader, choose_language
from admin_web.keys import REQUEST_ID, SETTINGS, SHOP, STAFF, WORK, now
from admin_web.metrics import count_request
from admin_web.refusals import refuse
from admin_web.render import LEFT, forget_toast, is_htmx, left_toast
from admin_web.sessions import who_is_signed_in
from loyalty.office.queries.work import work_for
from loyalty.shop.queries import shop

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Server": "Regulars",
}
HSTS = "max-age=31536000"
CAMERA_PATH = "/cashier"
"""Where the camera may be used: it reads cards at the till, and nothing elsewhere."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Neither sessions nor the shop's language concern these.
PLAIN_PATHS = ("/s/", "/health/", "/metrics", "/api/")
# Cookies count for nothing here, so another site's page can do nothing with them; mail programs say no origin.
KEY_PATHS = ("/api/", "/stop/")
WORTH_PACKING = 1024


@web.middleware
async def frame(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost: an id, an answer to every error, headers, figures."""
    started = perf_counter()
    request[REQUEST_ID] = secrets.token_hex(8)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request[REQUEST_ID])
    language = choose_language(request.cookies.get("lang"), browser=request.headers.get("Accept-Language", ""))
    READER.set(Reader(language=language, now=now(request)))
    try:
        response = await handler(request)
    except web.HTTPException as way_on:
        if way_on.status >= 400:
            response = refuse(request, way_on)
        else:
            dress(request, way_on)
            raise
    except Exception as error:  # noqa: BLE001  nothing may reach the client as a traceback
        response = refuse(request, error)
    # What was a stream has said how it looks, and took as long as somebody listened.
    if not response.prepared:
        dress(request, response)
        count_request(request, response.status, perf_counter() - started)
    return response


@web.middleware
async def same_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse writes that another site's page sent with our cookie.

    Browsers say where a request comes from in Sec-Fetch-Site; older ones only in Origin. A write with neither
    comes from no browser of ours.
    """
    needs_origin = request.method not in SAFE_METHODS and not request.path.startswith(KEY_PATHS)
    if needs_origin and not _is_ours(request):
        raise web.HTTPForbidden
    return await handler(request)


@web.middleware
async def reader(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Who is asking, in which language and zone they read."""
    if request.path.startswith(PLAIN_PATHS):
        return await handler(request)
    chain = request[SHOP] = await shop()
    person = await who_is_signed_in(request)
    if person is not None:
        request[STAFF] = person
    language = choose_language(
        person.language if person is not None else None,
        request.cookies.get("lang"),
        browser=request.headers.get("Accept-Language", ""),
        fallback=chain.language,
    )
    READER.set(
        Reader(
            language=language,
            time_zone=chain.time_zone,
            currency=chain.currency,
            exponent=chain.exponent,
            now=now(request),
        )
    )
    # A toast is shown by the page one lands on: not by a part of it, nor by a redirect on the way.
    is_page = request.method == "GET" and not is_htmx(request)
    if is_page and (left := await left_toast(request)):
        request[LEFT] = left
    if is_page and person is not None:
        request[WORK] = await work_for(person.id, within=person.location_ids, now=now(request))
    response = await handler(request)
    if LEFT in request and response.status < 300:
        await forget_toast(request)
    return response


def _is_ours(request: web.Request) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = urlsplit(request.headers.get("Origin", "")).netloc
    public = request.app[SETTINGS].public_url
    return bool(origin) and origin in {request.host, urlsplit(public).netloc}


def dress(request: web.Request, response: web.StreamResponse) -> None:
    """What every answer carries: an id, and what browsers may do with it."""
    headers = response.headers
    if request.path == CAMERA_PATH or request.path.startswith(f"{CAMERA_PATH}/"):
        headers.setdefault("Permissions-Policy", "camera=(self)")
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    headers["X-Request-ID"] = request[REQUEST_ID]
    headers.setdefault("Cache-Control", "no-store")
    if request.app[SETTINGS].public_url.startswith("https://") and client_of(request).is_secure:
        headers.setdefault("Strict-Transport-Security", HSTS)
    body_length = response.content_length or 0 if isinstance(response, web.Response) else 0
    if "Content-Encoding" not in headers and body_length >= WORTH_PACKING:
        headers["Vary"] = ", ".join(filter(None, (headers.get("Vary", ""), "Accept-Encoding")))
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            response.enable_compression(web.ContentCoding.gzip)
