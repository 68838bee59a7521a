"""What can go wrong in a call, in the sender's terms."""

from typing import Any

import aiohttp
from aiogram.exceptions import (
    AiogramError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)

from bot.channels.base import RateLimited, Rejected, Unanswered, Unauthorized, Unreachable

GONE = ("chat not found", "user is deactivated", "peer_id_invalid", "user not found")
# A call that did not end in an answer that makes sense; among them HTML, as proxies give.
FAILED_CALL = (AiogramError, aiohttp.ClientError, TimeoutError, OSError)


async def called(call: Any) -> Any:
    """The answer of a call, with what can go wrong in the sender's terms."""
    try:
        return await call
    except TelegramRetryAfter as error:
        raise RateLimited(error.retry_after) from error
    except TelegramForbiddenError as error:
        raise Unreachable("blocked", error.message) from error
    except (TelegramUnauthorizedError, TelegramNotFound) as error:
        raise Unauthorized("unauthorized", error.message) from error
    except TelegramBadRequest as error:
        if any(words in error.message.lower() for words in GONE):
            raise Unreachable("gone", error.message) from error
        raise Rejected("rejected", error.message) from error
    except (TelegramServerError, TelegramNetworkError, TelegramConflictError) as error:
        raise Unanswered("no_answer", type(error).__name__) from error
    except TelegramAPIError as error:
        raise Rejected("rejected", error.message) from error
    except FAILED_CALL as error:
        # The call may have gone through.
        raise Unanswered("no_answer", type(error).__name__) from error
