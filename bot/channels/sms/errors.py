"""What a gateway's answers mean to the sender. Judged by the status alone: what it says is of its own making."""

from bot.channels.base import RateLimited, Rejected, SendError, Unanswered, Unauthorized

RATE_SECONDS = 60.0


def answered(status: int, retry_after: float | None) -> SendError:
    """The error of a call that was answered with this status."""
    told = f"HTTP {status}"
    if status in (401, 403):
        return Unauthorized("unauthorized", told)
    if status == 402:
        return Unauthorized("balance", told)
    if status == 429:
        return RateLimited(retry_after if retry_after is not None else RATE_SECONDS)
    if 300 <= status < 400:
        # Every message would meet the same, and a POST that follows is no POST any more.
        return Unauthorized("address", told)
    if 400 <= status < 500 and status != 408:
        return Rejected("rejected", told)
    # The gateway's trouble, or a proxy's before it: the message may have been taken.
    return Unanswered("no_answer", told)
