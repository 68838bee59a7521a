"""News of conversations as they happen: which have changed, and nothing of what was said."""

import asyncio

from aiohttp import web
from redis.exceptions import RedisError

from admin_web.auth import requires
from admin_web.keys import BELL, STOPPING
from admin_web.middleware import dress
from admin_web.sessions import still_counts
from loyalty.bell import EVERYTHING, Ear
from loyalty.conversations.actions.staff import WAKE
from loyalty.db import OUTAGES
from loyalty.staff.rules import Permission, may

# How soon a stream ends after its person was signed out, lost the right or left.
CHECK_SECONDS = 5.0
COMMENT_SECONDS = 15.0
GATHER_SECONDS = 0.3
RETRY_MILLISECONDS = 2000
LATER_MILLISECONDS = 60_000
ALL = "*"
ENDS: tuple[type[BaseException], ...] = (*OUTAGES, RedisError)
"""What ends a stream before its time."""


@requires(Permission.MESSAGES_READ)
async def show_events(request: web.Request) -> web.StreamResponse:
    """GET /conversations/events: a line of accounts, "17,23" or "*", each time their conversations have changed.

    What the page then shows it asks for as always; whose rights end with locations hears no numbers, which may be of
    others. Where no bell hangs it ends at once.
    """
    bell = request.app.get(BELL)
    if bell is None:
        return web.Response(text=f"retry: {LATER_MILLISECONDS}\n\n", content_type="text/event-stream")
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    dress(request, response)
    with bell.heard(WAKE) as ear:
        await response.prepare(request)
        try:
            await response.write(f"retry: {RETRY_MILLISECONDS}\n\n".encode())
            await _tell(request, response, ear)
        except ENDS:
            # The browser has left, or whoever may hear cannot be found out: it comes again by itself.
            pass
    return response


async def _tell(request: web.Request, response: web.StreamResponse, ear: Ear) -> None:
    """Pass on what is heard, until there is nobody to tell or nobody who may hear."""
    clock = asyncio.get_running_loop().time
    said_at = clock()
    while not request.app[STOPPING].is_set() and not _has_left(request):
        heard = await ear.wait(CHECK_SECONDS)
        person = await still_counts(request)
        if request.app[STOPPING].is_set() or person is None or not may(person.role, Permission.MESSAGES_READ):
            return
        if heard:
            said_at = clock()
            line = ALL if person.location_ids is not None else _line(heard)
            await response.write(f"data: {line}\n\n".encode())
            # A rush of news is told together.
            await asyncio.sleep(GATHER_SECONDS)
        elif clock() - said_at >= COMMENT_SECONDS:
            said_at = clock()
            await response.write(b": still here\n\n")


def _has_left(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _line(heard: set[str]) -> str:
    return ALL if EVERYTHING in heard else ",".join(sorted(heard))


ROUTES = (web.get("/conversations/events", show_events),)
