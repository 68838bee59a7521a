"""Who may open a page. Each handler says which permission it needs; nothing is open by default elsewhere."""

import functools
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from aiohttp import web

from admin_web.keys import STAFF
from admin_web.reach import check_reach
from admin_web.render import is_htmx
from loyalty.staff.queries import StaffView
from loyalty.staff.rules import Actor, Permission, may

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def requires(permission: Permission) -> Callable[[Handler], Handler]:
    """Open the handler only to those whose role has the permission, as far as their locations reach.

    Not signed in: to the sign-in page and back. Lacking: 403; a thing of other locations: 404 (`admin_web/reach.py`).
    """

    def wrap(handler: Handler) -> Handler:
        @functools.wraps(handler)
        async def guarded(request: web.Request) -> web.StreamResponse:
            person = request.get(STAFF)
            if person is None:
                return sign_in_first(request)
            if not may(person.role, permission):
                raise web.HTTPForbidden
            await check_reach(request, person)
            return await handler(request)

        guarded.needs = permission  # type: ignore[attr-defined]
        return guarded

    return wrap


def signed_in(handler: Handler) -> Handler:
    """Open the handler to everybody who has an account, as far as their locations reach."""

    @functools.wraps(handler)
    async def guarded(request: web.Request) -> web.StreamResponse:
        person = request.get(STAFF)
        if person is None:
            return sign_in_first(request)
        await check_reach(request, person)
        return await handler(request)

    guarded.needs = None  # type: ignore[attr-defined]
    return guarded


def public(handler: Handler) -> Handler:
    """Open the handler to the world, and say so."""
    handler.needs = None  # type: ignore[attr-defined]
    return handler


def sign_in_first(request: web.Request) -> web.Response:
    """To the sign-in page, and back to where one wanted to go if that was a page."""
    if is_htmx(request):
        return web.Response(status=401, headers={"HX-Redirect": "/login"})
    if request.method in ("GET", "HEAD"):
        return web.Response(status=303, headers={"Location": f"/login?next={quote(request.path_qs, safe='')}"})
    return web.Response(status=303, headers={"Location": "/login"})


def staff_of(request: web.Request) -> StaffView:
    """The person who asks; only in handlers that require a permission or a sign-in."""
    return request[STAFF]


def actor_of(request: web.Request) -> Actor:
    """The person who asks, as the one who acts."""
    return request[STAFF].actor


def safe_next(path: str) -> str:
    """A path of ours to go on to, or "/": a link must not lead away after signing in."""
    if path.startswith("/") and not path.startswith(("//", "/\\", "/login", "/logout")) and path.isprintable():
        return path
    return "/"
