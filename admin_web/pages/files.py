"""The link in a letter by which its reader takes a file: without signing in, for as long as the file is kept."""

from dataclasses import replace

from aiohttp import web

from admin_web.auth import public
from admin_web.downloads import hand_over
from admin_web.export_words import FORMATS, size_text
from admin_web.i18n import READER
from admin_web.i18n import gettext as _
from admin_web.keys import SETTINGS, SHOP, now
from admin_web.render import page
from loyalty.errors import LoyaltyError, NotFound, Refused
from loyalty.office.actions.exports import may_take_by_link, take_by_link
from loyalty.office.exporting import PATH, file_key, opening_of
from loyalty.office.queries.exports import ExportView, export
from loyalty.staff.rules import Actor, ActorKind

GONE, FORBIDDEN, UNKNOWN = 410, 403, 404
STATUSES = {"export": UNKNOWN, "file_has_expired": GONE, "file_is_gone": GONE, "file_is_not_ready": UNKNOWN}


@public
async def show(request: web.Request) -> web.Response:
    """GET /files/{token}: takes nothing, since mail programs open links on their own; a button does."""
    try:
        view = await _file(request)
        await may_take_by_link(view, now=now(request))
    except (NotFound, Refused) as error:
        return _refused(request, error)
    size, format_ = size_text(view.size), _(FORMATS[view.format])
    return page(request, "exports/file.html", export=view, reason="", size=size, format=format_)


@public
async def take(request: web.Request) -> web.StreamResponse:
    """POST /files/{token}: the file itself; that it was taken is written down."""
    try:
        view = await _file(request)
        taken = await take_by_link(view.id, actor=Actor(ActorKind.STAFF), now=now(request))
    except (NotFound, Refused) as error:
        return _refused(request, error)
    return await hand_over(request, taken)


def _refused(request: web.Request, error: LoyaltyError) -> web.Response:
    """Which it is, and nothing more: not what the file was, nor whose."""
    status = STATUSES.get(error.reason, FORBIDDEN)
    reason = error.reason if error.reason in STATUSES else "file_is_not_yours"
    return page(request, "exports/file.html", status=status, export=None, reason=reason)


async def _file(request: web.Request) -> ExportView:
    """The file of the link; the page speaks the language of whoever asked for it.

    Raises NotFound for a link that is not ours, Refused("file_has_expired").
    """
    secret = request.app[SETTINGS].secret_key
    assert secret is not None
    opening = opening_of(file_key(secret.get_secret_value()), request.match_info["token"])
    if opening is None:
        raise NotFound("export")
    view = await export(opening.export_id)
    READER.set(replace(READER.get(), language=view.language, time_zone=request[SHOP].time_zone))
    if opening.until <= now(request).timestamp():
        raise Refused("file_has_expired")
    return view


ROUTES = (
    web.get(PATH + "/{token}", show),
    web.post(PATH + "/{token}", take),
)
