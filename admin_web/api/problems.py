"""What a program is told when something cannot be done: problem details, always. Source: RFC 9457.

`reason` is the stable code to decide by; `title` and `detail` are words in the language of Accept-Language.
"""

from dataclasses import replace
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from redis.exceptions import RedisError

from admin_web.i18n import READER, Reader, choose_language, gettext, mark
from admin_web.keys import REQUEST_ID, now
from admin_web.refusals import STATUSES, is_unreadable, log_fault
from admin_web.refusals import TITLES as PANEL_TITLES
from admin_web.words import reason_text
from loyalty.db import OUTAGES
from loyalty.errors import Invalid, LoyaltyError
from loyalty.shop.queries import shop

CONTENT_TYPE = "application/problem+json"
DOCS = "/api/docs"
OUTAGE_SECONDS = 5

REASONS = {
    "bad_request": mark("This request cannot be read."),
    "internal": mark("Something broke on our side. Nothing was saved by this request; it is safe to send it again."),
    "key_is_missing": mark("Send the key of the program in the header: Authorization: Bearer rk_…"),
    "key_is_revoked": mark("This key is revoked."),
    "key_is_unknown": mark("There is no such key."),
    "location_is_not_yours": mark("This key may not speak for this location."),
    "method_not_allowed": mark("This cannot be done at this address; the header Allow names what can."),
    "not_available": mark("A server we need does not answer. It is safe to send the request again."),
    "not_found": mark("There is nothing at this address."),
    "not_json": mark("Send JSON, with the header Content-Type: application/json."),
    "scope_is_missing": mark("This key may not do that: it lacks the scope %(scope)s."),
    "too_big": mark("The body is too big: at most %(limit)s bytes."),
    "too_many_requests": mark("Too many requests by this key. Go on in %(wait)s s."),
    "unreadable_json": mark("The body is not JSON that can be read."),
}
"""What the door itself says; reasons of the house have their words in admin_web/words.py."""

TITLES = PANEL_TITLES | {
    401: mark("A key is needed"),
    403: mark("This key may not do that"),
    415: mark("This is not JSON"),
    429: mark("Too fast"),
}

CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_big", 503: "not_available"}

# Ways of pydantic to say no, as reasons of the house.
KINDS = {
    "extra_forbidden": "unknown_field",
    "missing": "required",
    "string_type": "not_a_text",
    "string_too_short": "required",
    "string_too_long": "too_long",
    "string_unicode": "odd_characters",
    "string_pattern_mismatch": "wrong_form",
    "too_short": "required",
    "too_long": "too_many",
    "enum": "unknown_choice",
    "literal_error": "unknown_choice",
    "bool_type": "not_a_boolean",
    "bool_parsing": "not_a_boolean",
    "timezone_aware": "not_a_moment",
    "less_than_equal": "too_large",
    "less_than": "too_large",
}


class Problem(BaseModel):
    """What went wrong. Decide by `status` and `reason`; show `detail` to people."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="Where the errors of this API are explained.", examples=["/api/docs#errors"])
    title: str = Field(description="What kind of problem it is, in words.")
    status: int = Field(description="The status of the answer.", examples=[409])
    detail: str = Field(description="What is wrong, for people, in the language of Accept-Language.")
    reason: str = Field(description="A stable code, for programs.", examples=["burn_over_limit"])
    field: str | None = Field(default=None, description="Which field is wrong, like `lines.0.total`.")
    details: dict[str, Any] | None = Field(default=None, description="Figures of the problem, like `limit`.")
    request_id: str = Field(description="Tell it to whoever looks after the server.")


class ApiProblem(Exception):
    """The door's own no. `details` are figures for the words."""

    def __init__(
        self,
        status: int,
        reason: str,
        *,
        field: str | None = None,
        headers: dict[str, str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.field = field
        self.headers = headers or {}
        self.details = details


def invalid_of(error: ValidationError) -> LoyaltyError | ApiProblem:
    """What pydantic found first, as the house says it; a body that is no JSON at all cannot be read."""
    first = error.errors(include_url=False, include_input=False)[0]
    kind, found = first["type"], first.get("ctx", {})
    if kind == "json_invalid":
        return ApiProblem(400, "unreadable_json")
    field = ".".join(str(part) for part in first["loc"]) or "body"
    if kind in ("too_long", "string_too_long"):
        return Invalid(field, KINDS[kind], limit=found["max_length"])
    if kind in ("greater_than", "greater_than_equal"):
        at_least = found.get("ge", 0)
        return Invalid(field, "must_be_positive" if at_least or kind == "greater_than" else "must_not_be_negative")
    if kind.startswith("int"):
        return Invalid(field, "not_a_whole_number")
    if kind.startswith("datetime"):
        return Invalid(field, "not_a_moment")
    if kind.startswith("date"):
        return Invalid(field, "not_a_date")
    # Our own validators name the reason themselves.
    return Invalid(field, KINDS.get(kind) or (kind if kind in OWN_KINDS else "wrong_type"))


OWN_KINDS = ("odd_characters", "not_a_moment", "nobody_named", "sum_or_lines")


async def refuse(request: web.Request, error: Exception) -> web.Response:
    """The answer to an error."""
    language = choose_language(browser=request.headers.get("Accept-Language", ""))
    READER.set(Reader(language=language, now=now(request)))
    headers: dict[str, str] = {}
    if isinstance(error, ApiProblem):
        status, headers = error.status, error.headers
        text = gettext(REASONS[error.reason])
        detail = text % error.details if "%(" in text else text
        reason, field, details = error.reason, error.field, error.details
    elif isinstance(error, LoyaltyError):
        status, detail = await _of_the_house(error)
        reason, details = error.reason, error.details
        field = error.field if isinstance(error, Invalid) else None
        if wait := details.get("wait"):
            status, headers = 429, {"Retry-After": str(wait)}
    else:
        status = _status_of(request, error)
        reason = CODES.get(status, "bad_request" if status < 500 else "internal")
        detail, field, details = gettext(REASONS[reason]), None, {}
        if isinstance(error, web.HTTPMethodNotAllowed):
            headers = {"Allow": error.headers["Allow"]}
        if status == 503:
            headers = {"Retry-After": str(OUTAGE_SECONDS)}
    if status >= 500:
        log_fault(request, error, status)
    problem = Problem(
        type=f"{DOCS}#errors",
        title=gettext(TITLES.get(status, TITLES[400])),
        status=status,
        detail=detail,
        reason=reason,
        field=field,
        details=details or None,
        request_id=request.get(REQUEST_ID, ""),
    )
    body = problem.model_dump_json(exclude_none=True).encode()
    return web.Response(body=body, status=status, headers={**headers, "Content-Type": CONTENT_TYPE})


async def _of_the_house(error: LoyaltyError) -> tuple[int, str]:
    """The status of an error, and its words: sums in them are in the shop's currency."""
    try:
        chain = await shop()
    except OUTAGES:
        pass
    else:
        READER.set(replace(READER.get(), currency=chain.currency, exponent=chain.exponent))
    status = next((number for kind, number in STATUSES.items() if isinstance(error, kind)), 409)
    return status, reason_text(error)


def _status_of(request: web.Request, error: Exception) -> int:
    if isinstance(error, web.HTTPException):
        return error.status
    if is_unreadable(request, error):
        return 400
    return 503 if isinstance(error, (RedisError, *OUTAGES)) else 500
