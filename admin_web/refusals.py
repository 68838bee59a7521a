"""What a person sees when something cannot be done: a page, a toast or JSON, by what asked.

Faults of ours are logged with the place in the code and the request's id, never with the exception's own
words: those may quote a row.
"""

import traceback
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web
from redis.exceptions import RedisError

from admin_web.i18n import gettext, mark
from admin_web.keys import REQUEST_ID
from admin_web.reach import OnlyForTheChain
from admin_web.render import is_htmx, page, toast
from admin_web.words import reason_text
from loyalty.db import OUTAGES
from loyalty.errors import Conflict, Invalid, LoyaltyError, NotFound, Refused

log = structlog.get_logger(__name__)

STATUSES: dict[type[LoyaltyError], int] = {NotFound: 404, Invalid: 422, Refused: 409, Conflict: 409}

TITLES = {
    400: mark("This request cannot be read"),
    401: mark("Sign in first"),
    403: mark("This is not for you to open"),
    404: mark("There is nothing here"),
    405: mark("This cannot be done here"),
    409: mark("This cannot be done"),
    413: mark("This is too big"),
    422: mark("Something is wrong in what was sent"),
    500: mark("Something broke on our side"),
    503: mark("Not available for a moment"),
}

TEXTS = {
    400: mark("Go back, reload the page and try again."),
    401: mark("Your session has ended."),
    403: mark("Your role does not include it. An owner can change that."),
    404: mark("The address may be mistyped, or what was here is gone."),
    405: mark("Go back, reload the page and try again."),
    413: mark("At most one megabyte can be sent at once."),
    500: mark("Nothing was saved by this click. Try again; if it happens again, tell whoever looks after the server."),
    503: mark("A server we need does not answer. Wait a minute and reload the page; nothing is lost."),
}

ONLY_FOR_THE_CHAIN = mark(
    "It concerns the whole chain, and your rights are for some locations. An owner can change that."
)

ICONS = {403: "lock", 404: "search-x", 503: "cloud-off", 500: "triangle-alert"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What to say about an error. `reason` is a code for programs."""

    status: int
    title: str
    text: str
    reason: str
    field: str | None = None
    details: dict[str, Any] | None = None


def refuse(request: web.Request, error: Exception) -> web.Response:
    """The answer to an error, in the form the client takes."""
    refusal = _refusal(request, error)
    if refusal.status >= 500:
        log_fault(request, error, refusal.status)
    if _wants_json(request):
        return web.json_response({"error": _body(request, refusal)}, status=refusal.status)
    if is_htmx(request):
        # The target keeps what it shows; the words come as a toast.
        response = web.Response(status=refusal.status, headers={"HX-Reswap": "none"})
        return toast(response, refusal.text or refusal.title, kind="bad")
    response = page(
        request,
        "refused.html",
        status=refusal.status,
        refusal=refusal,
        symbol=ICONS.get(refusal.status, "circle-alert"),
        request_id=request.get(REQUEST_ID, ""),
    )
    if isinstance(error, web.HTTPMethodNotAllowed):
        response.headers["Allow"] = error.headers["Allow"]
    return response


def is_unreadable(request: web.Request, error: Exception) -> bool:
    """The body did not come as it should: it is not encoded as its header says, or whoever sent it has hung up.

    Who is gone reads no answer, and it is no fault of ours.
    """
    return isinstance(error, web.RequestPayloadError) or error is request.content.exception()


def _refusal(request: web.Request, error: Exception) -> Refusal:
    if isinstance(error, LoyaltyError):
        status = next((number for kind, number in STATUSES.items() if isinstance(error, kind)), 409)
        field = error.field if isinstance(error, Invalid) else None
        return Refusal(status, _title(status), reason_text(error), error.reason, field, error.details)
    if isinstance(error, OnlyForTheChain):
        return Refusal(error.status, _title(error.status), gettext(ONLY_FOR_THE_CHAIN), "only_for_the_chain")
    if isinstance(error, web.HTTPException):
        status, reason = error.status, error.reason.lower().replace(" ", "_")
    elif is_unreadable(request, error):
        status, reason = 400, "bad_request"
    elif isinstance(error, (RedisError, *OUTAGES)):
        status, reason = 503, "not_available"
    else:
        status, reason = 500, "internal"
    return Refusal(status, _title(status), gettext(TEXTS.get(status, "")), reason)


def _title(status: int) -> str:
    return gettext(TITLES.get(status, TITLES[500] if status >= 500 else TITLES[400]))


def _wants_json(request: web.Request) -> bool:
    accepted = request.headers.get("Accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def _body(request: web.Request, refusal: Refusal) -> dict[str, Any]:
    body = {"reason": refusal.reason, "message": refusal.text or refusal.title}
    body |= {"request_id": request.get(REQUEST_ID, "")}
    optional = {"field": refusal.field, "details": refusal.details or None}
    return body | {name: value for name, value in optional.items() if value is not None}


def log_fault(request: web.Request, error: Exception, status: int) -> None:
    """Write a fault down with the place in the code and the request's id."""
    resource = request.match_info.route.resource
    log.error(
        "fault",
        status=status,
        request_id=request.get(REQUEST_ID, ""),
        route=resource.canonical if resource is not None else "(unknown)",
        kind=type(error).__name__,
        place=[
            f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)[-6:]
        ],
    )
