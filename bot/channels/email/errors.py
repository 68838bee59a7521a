"""What a mail server's answers mean to the sender, by where in the talk they come.

Source: RFC 5321, 4.2.3; RFC 3463 for the codes with dots.
"""

import re
import ssl
from enum import Enum, auto

from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPNotSupported,
    SMTPResponseException,
)

from bot.channels.base import (
    Away,
    ChatRateLimited,
    RateLimited,
    Rejected,
    SendError,
    Unanswered,
    Unauthorized,
    Unreachable,
)

# Greylisting lets a message through that comes again after a while.
GREYLIST_SECONDS = 60.0
BUSY_SECONDS = 60.0
WITH_DOTS = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
FAILED_CALL = (SMTPException, TimeoutError, OSError)


class Stage(Enum):
    """How far a talk had come. From TEXT on the server may have taken the message."""

    HELLO = auto()
    FROM = auto()
    TO = auto()
    TEXT = auto()


def refused(error: Exception, stage: Stage) -> SendError:
    """The error of a talk that ended so. The server's words stay out of it: they quote addresses."""
    if isinstance(error, SMTPResponseException) and 400 <= error.code < 600:
        if isinstance(error, SMTPAuthenticationError) and error.code >= 500:
            return Unauthorized("unauthorized", str(error.code))
        return _answered(error.code, error.message, stage)
    told = type(error).__name__
    if stage is Stage.TEXT:
        return Unanswered("no_answer", told)
    if _is_certificate(error):
        return Unauthorized("tls", told)
    if stage is Stage.HELLO and (type(error) is SMTPException or isinstance(error, SMTPNotSupported)):
        # It offers no TLS, or no signing in: every message would meet the same.
        return Unauthorized("tls", told)
    return Away(told)


def _answered(code: int, text: str, stage: Stage) -> SendError:
    found = WITH_DOTS.match(text)
    dots = found[1] if found else ""
    told = f"{code} {dots}".strip()
    if code in (530, 534, 535, 538):
        return Unauthorized("unauthorized", told)
    if code == 421:
        return RateLimited(BUSY_SECONDS)
    if stage is Stage.HELLO:
        return Away(told, BUSY_SECONDS)
    if stage is Stage.FROM:
        return _of_sender(code, dots, told)
    if code < 500:
        return ChatRateLimited(GREYLIST_SECONDS)
    if dots in ("5.1.7", "5.1.8"):
        return Unauthorized("sender", told)
    if dots.startswith("5.1.") or dots == "5.2.1" or (not dots and stage is Stage.TO and code in (550, 551, 553)):
        return Unreachable("gone", told)
    return Rejected("rejected", told)


def _of_sender(code: int, dots: str, told: str) -> SendError:
    """Nobody was named yet whom it is for: the server speaks of us, or of how large the message is."""
    if code < 500:
        return RateLimited(BUSY_SECONDS)
    if code == 552 or dots == "5.3.4":
        return Rejected("rejected", told)
    return Unauthorized("sender", told)


def _is_certificate(error: Exception) -> bool:
    """Whether its certificate, or its not speaking TLS at all, is what ended it; a line that broke is neither."""
    cause = error.__cause__ if isinstance(error, SMTPConnectError) else error
    return isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError)
