"""What becomes of a message, whoever learns it: the sender from an answer, the intake from a messenger's report."""

from datetime import datetime, timedelta

import structlog

from bot.channels.base import (
    Away,
    Channel,
    ChatRateLimited,
    OptedOut,
    Progress,
    RateLimited,
    Rejected,
    SendError,
    TemplateRefused,
    Unauthorized,
    Unreachable,
    WindowClosed,
)
from loyalty import db
from loyalty.conversations.actions import delivery
from loyalty.conversations.actions.progress import note_progress
from loyalty.conversations.queries.reported import sms_named
from loyalty.conversations.queries.sending import template_for
from loyalty.conversations.rules import Leased, PauseReason, Status, Tried, chat_pause, retry_pause
from loyalty.customers.actions.accounts import set_account_active, set_topics
from loyalty.staff.rules import Actor, ActorKind

REVOKED_PAUSE_SECONDS = 60.0

log = structlog.get_logger(__name__)


async def note(channel: Channel, news: Progress, now: datetime) -> None:
    """Keep what a messenger reports of a message of ours."""
    reference = news.reference
    if reference is None and news.address is None:
        reference = await sms_named(news.external_id)
        if reference is None:
            return
    if news.status is not Status.FAILED:
        await note_progress(
            channel.name, news.address, news.external_id, news.status, reference=reference, at=news.at or now
        )
        return
    message = await delivery.tried(reference, channel.name) if reference is not None else None
    if message is not None:
        await settle(channel, message, news.error or Rejected("rejected"), now)


async def settle(channel: Channel, message: Tried, error: SendError, now: datetime) -> None:
    """Decide what a message does that was not taken: wait, go elsewhere, be tried again, or fail.

    Whoever leased it speaks of their call; otherwise the messenger reports of an earlier one.
    """
    match error:
        case RateLimited() | Unauthorized():
            await _wait_for_account(channel, message, error, now)
        case ChatRateLimited():
            await _wait(message, error.reason, now, chat_pause(error.retry_after, message.attempts))
        case WindowClosed() if await template_for(message.kind, message.language, {}) is not None:
            # They last wrote longer ago than we believed: the template goes next.
            await _wait(message, error.reason, now, timedelta())
        case WindowClosed() | Unreachable() | OptedOut() | Rejected() | TemplateRefused():
            await _fail(channel, message, error, now)
        case _ if not isinstance(message, Leased):
            # It did not arrive, and the messenger cannot say why.
            await _wait(message, error.reason, now, retry_pause(message.attempts))
        case _:
            await delivery.settle_unknown(message, error.reason, now=now)


async def _wait_for_account(channel: Channel, message: Tried, error: RateLimited | Unauthorized, now: datetime) -> None:
    """Nothing goes through our account for a while: not the message's fault."""
    if isinstance(error, RateLimited):
        reason, seconds = PauseReason.AWAY if isinstance(error, Away) else PauseReason.RATE, error.retry_after
        log.warning("nothing goes out", channel=channel.name, reason=error.reason, seconds=seconds)
    else:
        reason, seconds = PauseReason.UNAUTHORIZED, REVOKED_PAUSE_SECONDS
        log.critical("token not accepted", channel=channel.name, reason=error.reason)
    until = await delivery.pause_channel(channel.source, reason, seconds=seconds, now=now)
    await delivery.settle_postponed(message.id, error.reason, until=until, is_reported=_is_reported(message))


async def _wait(message: Tried, reason: str, now: datetime, pause: timedelta | None) -> None:
    """Try this message again after a pause; after too many tries it has failed."""
    if pause is None or retry_pause(message.attempts) is None:
        await delivery.settle_failed(message.id, reason, now=now, is_reported=_is_reported(message))
        return
    await delivery.settle_postponed(
        message.id, reason, until=now + pause, is_counted=True, is_reported=_is_reported(message)
    )


@db.use_case
async def _fail(channel: Channel, message: Tried, error: SendError, now: datetime) -> None:
    """It never arrives there; the account takes nothing more when that is why, or none of this is true."""
    if isinstance(error, Unreachable):
        await set_account_active(message.account_id, is_active=False, reason=error.reason, now=now)
    elif isinstance(error, OptedOut):
        await set_topics(message.account_id, marketing=False, actor=Actor(ActorKind.CUSTOMER), now=now)
    else:
        log.warning("message rejected", channel=channel.name, message=message.id, reason=error.reason)
    await delivery.settle_failed(message.id, error.reason, now=now, is_reported=_is_reported(message))


def _is_reported(message: Tried) -> bool:
    return not isinstance(message, Leased)
