"""What WhatsApp's error codes mean to the sender. The same codes come as answers to a call and later, in a status.

Judged by code alone: titles are for people, and change. Source: developers.facebook.com, Error codes.
"""

from collections.abc import Callable, Mapping

from bot.channels.base import (
    ChatRateLimited,
    OptedOut,
    RateLimited,
    Rejected,
    SendError,
    TemplateRefused,
    Unanswered,
    Unauthorized,
    Unreachable,
    WindowClosed,
)
from bot.channels.reading import at, whole, words

# The throughput of a number is counted by the second; what hit it will have passed.
THROUGHPUT_SECONDS = 5.0
# The allowances of an app and of an account are counted by the hour: knocking sooner only uses them up.
ALLOWANCE_SECONDS = 60.0
# WhatsApp holds us for a spammer; that does not pass in a moment, and each try counts against us.
SPAM_SECONDS = 600.0
# One message in six seconds to one person, as the limit of a pair says.
PAIR_SECONDS = 6.0

Made = Callable[[str, float | None], SendError]


def _as(kind: type[SendError], reason: str) -> Made:
    return lambda text, _told: kind(reason, text)


def _paused(kind: type[RateLimited | ChatRateLimited], seconds: float) -> Made:
    return lambda _text, told: kind(told if told is not None else seconds)


REFUSED = _as(Rejected, "rejected")
LOST = _as(Unanswered, "no_answer")
TEMPLATE = _as(TemplateRefused, "template")
# An operator must act, and every message would meet the same: none of them is to fail for it.
TOKEN = _as(Unauthorized, "unauthorized")
LOCKED = _as(Unauthorized, "locked")
NO_NUMBER = _as(Unauthorized, "number")

MEANINGS: Mapping[int, Made] = {
    # Who we are.
    0: TOKEN,
    3: TOKEN,
    10: TOKEN,
    190: TOKEN,
    131005: TOKEN,
    33: NO_NUMBER,
    131037: NO_NUMBER,
    131045: NO_NUMBER,
    133010: NO_NUMBER,
    368: LOCKED,
    131031: LOCKED,
    131042: _as(Unauthorized, "payment"),
    # How much we send.
    4: _paused(RateLimited, ALLOWANCE_SECONDS),
    80007: _paused(RateLimited, ALLOWANCE_SECONDS),
    130429: _paused(RateLimited, THROUGHPUT_SECONDS),
    131048: _paused(RateLimited, SPAM_SECONDS),
    131057: _paused(RateLimited, ALLOWANCE_SECONDS),
    131056: _paused(ChatRateLimited, PAIR_SECONDS),
    # Whom we write to.
    131021: REFUSED,
    131026: _as(Unreachable, "gone"),
    131030: _as(Rejected, "not_allowed"),
    470: _as(WindowClosed, "window_closed"),
    131047: _as(WindowClosed, "window_closed"),
    131049: _as(Rejected, "per_user_cap"),
    131050: _as(OptedOut, "opted_out"),
    130472: _as(Rejected, "per_user_cap"),
    130497: _as(Rejected, "country"),
    # What we write.
    100: REFUSED,
    131008: REFUSED,
    131009: REFUSED,
    131051: REFUSED,
    131052: _as(Rejected, "media"),
    131053: _as(Rejected, "media"),
    # Nobody knows what became of it.
    1: LOST,
    2: LOST,
    131000: LOST,
    131016: LOST,
    133004: LOST,
}
TEMPLATE_CODES = range(132000, 133000)
PERMISSION_CODES = range(200, 300)


def meaning(code: int, text: str = "", retry_after: float | None = None) -> SendError | None:
    """The error that a code stands for; None for one that nobody knows. `text` is for the operator's log."""
    made = MEANINGS.get(code)
    if made is None and code in TEMPLATE_CODES:
        made = TEMPLATE
    if made is None and code in PERMISSION_CODES:
        made = TOKEN
    return made(_told(code, text), retry_after) if made is not None else None


def answered(status: int, body: object, retry_after: float | None = None) -> SendError:
    """The error of a call that was answered with this status and, where it was JSON, this body."""
    error = at(body, "error")
    code, text = whole(at(error, "code")), words(at(error, "error_data", "details") or at(error, "message"), 300)
    if status == 429 and code not in MEANINGS:
        return RateLimited(retry_after if retry_after is not None else ALLOWANCE_SECONDS)
    if code is not None and (known := meaning(code, text, retry_after)) is not None:
        return known
    if status >= 500 or not isinstance(body, dict):
        # A proxy's page, or theirs: the message may have been taken before.
        return Unanswered("no_answer", f"HTTP {status}")
    if status == 401:
        return Unauthorized("unauthorized", _told(code, text))
    return Rejected("rejected", _told(code, text))


def reported(errors: object) -> SendError:
    """The error of a status "failed"; of several the first counts."""
    error = at(errors, 0)
    code, text = whole(at(error, "code")), words(at(error, "error_data", "details") or at(error, "title"), 300)
    known = meaning(code, text) if code is not None else None
    return known or Rejected("rejected", _told(code, text))


def _told(code: int | None, text: str) -> str:
    return f"{code} {text}".strip() if code is not None else text
