"""Handing over a file of customers: piece by piece, so that no process ever holds the whole of it."""

from urllib.parse import quote

from aiohttp import web

from admin_web.middleware import dress
from loyalty.db import OUTAGES
from loyalty.office.actions.exports import Taken
from loyalty.office.exporting import MIMES
from loyalty.office.queries.exports import pieces_of


async def hand_over(request: web.Request, taken: Taken) -> web.StreamResponse:
    """The file as an attachment. Where it ends too early the connection breaks, so that nobody takes a half for it."""
    name = f"{taken.name}.{taken.format.value}"
    plain = f"customers-{taken.id}.{taken.format.value}"
    response = web.StreamResponse(
        headers={
            "Content-Type": MIMES[taken.format],
            # Source: RFC 6266, 4.3; RFC 8187
            "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        }
    )
    response.content_length = taken.size
    dress(request, response)
    await response.prepare(request)
    given = 0
    try:
        async for piece in pieces_of(taken.id):
            await response.write(piece)
            given += len(piece)
        if given == taken.size:
            await response.write_eof()
            return response
    except OUTAGES:
        # Whoever took it has left, or the base has.
        pass
    if request.transport is not None:
        request.transport.abort()
    return response
