"""Sending what lies in the outbox: replies, service messages, later campaigns, by one way for all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

import structlog
from prometheus_client import Counter

from bot.cards import open_face, open_invitation, refresh_due
from bot.channels.base import Channel, File, Outgoing, RateLimited, Rejected, SendError, Unauthorized, Unreachable
from bot.loops import end, for_ever
from bot.media import fetch_due
from loyalty.bell import Bell
from loyalty.conversations.actions import outbox
from loyalty.conversations.content import INVITATION, Content
from loyalty.conversations.rules import Leased, PauseReason, refusal
from loyalty.customers.actions.accounts import set_account_active

IN_FLIGHT = 50
"""Calls under way at once: as many messages may be in doubt when a worker is killed."""
DRAIN_SECONDS = 10.0
REVOKED_PAUSE_SECONDS = 60.0

SENT = Counter("regulars_messages_total", "Messages by what became of a try to send them", ["channel", "outcome"])
log = structlog.get_logger(__name__)


class Sender:
    """The worker of one channel. Any number may run, in any number of processes."""

    def __init__(self, channel: Channel, card_key: bytes, bell: Bell, clock: Callable[[], datetime]) -> None:
        self._channel = channel
        self._card_key = card_key
        self._bell = bell
        self._clock = clock
        self._topic = "messages"
        self._under_way: set[asyncio.Task[None]] = set()

    async def send_due(self) -> None:
        """Begin to send what is due, then wait for more."""
        while await self._lease():
            pass
        await self._bell.wait(self._topic)

    async def drain(self) -> None:
        """Let calls under way end."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=DRAIN_SECONDS)

    async def _lease(self) -> int:
        """Take as many messages as there are free hands."""
        free = IN_FLIGHT - len(self._under_way)
        if free <= 0 or await outbox.paused_until(self._channel.source, now=self._clock()) is not None:
            return 0
        leased = await outbox.lease_messages(self._channel.name, limit=free, now=self._clock())
        for message in leased:
            task = asyncio.create_task(self._deliver(message))
            self._under_way.add(task)
            task.add_done_callback(self._done)
        return len(leased)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        # The chat's next message may go now, and a hand is free.
        self._bell.nudge(self._topic)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("message not settled", kind=type(error).__name__)

    async def _deliver(self, message: Leased) -> None:
        outcome = await self._try(message)
        SENT.labels(self._channel.name, outcome).inc()

    async def _drawn(self, message: Leased) -> tuple[Content, bytes | None]:
        """What is sent of a message, with the picture that shows this moment's card or the customer's link."""
        content, customer_id = message.content, message.customer_id
        if customer_id is None or not content.picture:
            return content, None
        if content.picture == INVITATION:
            face = await open_invitation(self._channel, customer_id, content)
        else:
            face = await open_face(self._card_key, customer_id, message.language, self._clock())
        return face.content, face.picture

    async def _try(self, message: Leased) -> str:
        """One try; returns what became of it. Whatever is not settled here is recovered when its lease lapses."""
        channel, clock = self._channel, self._clock
        if (reason := refusal(message)) is not None:
            await outbox.settle_failed(message.id, reason)
            return reason
        try:
            content, picture = await self._drawn(message)
        except SendError as error:
            log.warning("picture not drawn", channel=channel.name, reason=error.reason)
            return "not_drawn"
        if not await outbox.begin_sending(message.id, now=clock()):
            return "lease_lost"
        try:
            external_id = await channel.send(_outgoing(message, content, picture))
        except RateLimited as error:
            until = await outbox.pause_channel(channel.source, PauseReason.RATE, seconds=error.retry_after, now=clock())
            await outbox.settle_postponed(message.id, error.reason, until=until)
            log.warning("rate limited", channel=channel.name, seconds=error.retry_after)
        except Unauthorized as error:
            until = await outbox.pause_channel(
                channel.source, PauseReason.UNAUTHORIZED, seconds=REVOKED_PAUSE_SECONDS, now=clock()
            )
            await outbox.settle_postponed(message.id, error.reason, until=until)
            log.critical("token not accepted", channel=channel.name)
        except Unreachable as error:
            await outbox.settle_failed(message.id, error.reason)
            await set_account_active(message.account_id, is_active=False, reason=error.reason, now=clock())
        except Rejected as error:
            await outbox.settle_failed(message.id, error.reason)
            log.warning("message rejected", channel=channel.name, message=message.id)
        except SendError as error:
            await outbox.settle_unknown(message, error.reason, now=clock())
        else:
            await outbox.settle_sent(message.id, external_id, now=clock())
            return "sent"
        return "not_sent"


def _outgoing(message: Leased, content: Content, picture: bytes | None) -> Outgoing:
    file = File(picture, "image/png", "card.png") if picture is not None else None
    return Outgoing(message.id, message.address, message.language, content, message.alias, file)


async def _recover(bell: Bell, clock: Callable[[], datetime]) -> None:
    """Put back what dead workers held, then wait for a second."""
    if put_back := await outbox.recover_lapsed(now=clock()):
        log.warning("messages recovered", count=put_back)
        bell.nudge("messages")
    await bell.wait("recovering")


@asynccontextmanager
async def sending(
    channels: list[Channel], card_key: bytes, bell: Bell, clock: Callable[[], datetime]
) -> AsyncIterator[None]:
    """Send, keep open cards fresh and fetch files while inside; on leaving, calls under way may end."""
    senders = [Sender(channel, card_key, bell, clock) for channel in channels]
    work: list[tuple[str, Callable[[], Awaitable[None]]]] = [("recovering", partial(_recover, bell, clock))]
    for sender, channel in zip(senders, channels, strict=True):
        work.append(("sending", sender.send_due))
        work.append(("cards", partial(refresh_due, channel, card_key, bell, clock)))
        work.append(("media", partial(fetch_due, channel, bell, clock)))
    loops = [asyncio.create_task(for_ever(name, step)) for name, step in work]
    try:
        yield
    finally:
        await end(loops, bell)
        await asyncio.gather(*(sender.drain() for sender in senders))
