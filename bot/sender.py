"""Sending what lies in the outbox: replies, service messages, campaigns, by one way for all."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog
from prometheus_client import Counter
from redis.asyncio import Redis

from bot.cards import open_face, open_invitation, refresh_due
from bot.channels.base import Channel, File, Filled, Outgoing, SendError
from bot.loops import end, for_ever
from bot.media import fetch_due
from bot.outcomes import settle
from bot.pace import Limits, Pace
from loyalty import db
from loyalty.bell import LOOK_EVERY_SECONDS, Bell, Ear
from loyalty.conversations.actions import delivery
from loyalty.conversations.content import INVITATION, Content
from loyalty.conversations.queries.sending import attachment, manners, template_for, template_like, template_named
from loyalty.conversations.rules import LEASE, SENDING, WANTED_NOWHERE, Leased, Manners, Priority, night_ends, refusal

IN_FLIGHT = 50
"""Calls under way at once: as many messages may be in doubt when a worker is killed."""
AHEAD = 50
"""Messages that lie ready beside them while hands come free, so that one that does has something to do."""
FEW_HANDS = 20
SOON_SECONDS = 1.0
"""How long a message may lie ready: what was judged before is judged anew, by whoever has a free hand."""
MOMENT_SECONDS = 0.005
DRAIN_SECONDS = 10.0
NOT_DRAWN_PAUSE = timedelta(seconds=10)
LONGEST_WAIT_SECONDS = 0.5
REDIS_SECONDS = 0.5
PATIENCE_SECONDS = 0.5
NAME_LENGTH = 160

SENT = Counter("regulars_messages_total", "Messages by what became of a try to send them", ["channel", "outcome"])
log = structlog.get_logger(__name__)


class Sender:
    """The worker of one channel. Any number may run, in any number of processes."""

    def __init__(
        self,
        channel: Channel,
        pace: Pace,
        *,
        card_key: bytes,
        stop_link: Callable[[int], str],
        bell: Bell,
        ear: Ear,
        clock: Callable[[], datetime],
    ) -> None:
        self._channel = channel
        self._pace = pace
        self._card_key = card_key
        self._stop_link = stop_link
        self._bell = bell
        self._ear = ear
        self._clock = clock
        self._name = delivery.new_sender()
        self._under_way: set[asyncio.Task[None]] = set()
        self._ready: list[_Ready] = []
        self._accepted: list[tuple[int, str, datetime]] = []
        self._exchange: asyncio.Task[None] | None = None
        self._freed_at = -SOON_SECONDS
        self._enough = asyncio.Event()
        self._unheard: list[datetime] = []
        self._manners: Manners | None = None
        self._attachment: tuple[int, File | None] = (0, None)

    async def send_due(self) -> None:
        """Begin to send what is due, then wait for more."""
        pause: float | None = 0.0
        while pause is not None:
            await asyncio.sleep(pause)
            pause = await self._lease()
        await self._ear.wait(LOOK_EVERY_SECONDS)

    async def pulse(self) -> None:
        """Say that this sender is alive, learn how many share the pace and how the shop writes; wait for a second."""
        self._pace.live = await delivery.pulse(self._name, self._channel.source, now=self._clock())
        self._manners = await manners()
        await self._bell.wait(f"pulse:{self._name}")

    async def drain(self) -> None:
        """Put back what lies ready, and let calls under way end."""
        ready, self._ready = self._ready, []
        await delivery.release(_held(ready))
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while pending := [*self._under_way, *([self._exchange] if self._exchange else [])]:
                    await asyncio.wait(pending)
        await delivery.fall_silent(self._name)

    async def _lease(self) -> float | None:
        """Make ready as many messages as there are places and tokens; returns in how many seconds to look again.

        None: not before something happens. Tokens are taken for what goes at once, so that whatever is more urgent by
        then goes before.
        """
        if self._manners is None:
            # Before the first message: another night than the shop's would hold it up.
            self._manners = await manners()
        if self._unheard:
            await delivery.release_unheard(self._channel.source, self._unheard)
            self._unheard.clear()
        await self._put_back_late()
        flows = time.monotonic() - self._freed_at < SOON_SECONDS
        free = self._free_hands() + (AHEAD if flows else 0) - len(self._ready)
        if free < (FEW_HANDS if flows else 1):
            # Places that come free one after the other are filled together; each of them looks again.
            return None
        grant = await self._pace.take(free)
        if not grant.count:
            return min(grant.wait, LONGEST_WAIT_SECONDS)
        least = Priority.BULK if grant.is_shared else Priority.SERVICE
        now = self._clock()
        leased: list[Leased] | None = None
        ready: list[_Ready] = []
        try:
            leased = await delivery.lease_messages(
                self._channel.source, limit=grant.count, now=now, least=least, cap=self._manners.cap
            )
            ready = await self._sorted_out(leased, self._manners)
        except BaseException:
            # No call was made: nobody needs to wait until the leases lapse.
            if leased is None:
                self._unheard = [at for at in self._unheard if at > now - LEASE] + [now]
            else:
                held = [(message.id, message.attempts) for message in leased]
                self._start(_patiently(partial(delivery.release, held)))
            raise
        finally:
            await self._pace.give_back(grant.count - len(ready))
        self._ready = sorted([*self._ready, *ready], key=_urgency)
        self._proceed()
        return 0 if leased else None

    async def _put_back_late(self) -> None:
        """Leave to others what no hand of ours came free for: the messenger may be slow to us alone."""
        late = time.monotonic() - SOON_SECONDS
        held = _held([one for one in self._ready if one.at < late])
        if not held:
            return
        self._ready = [one for one in self._ready if one.at >= late]
        try:
            await delivery.release(held)
        except BaseException:
            self._start(_patiently(partial(delivery.release, held)))
            raise

    def _proceed(self) -> None:
        """Have what was accepted written down, and free hands begin with what lies ready."""
        if self._exchange is None and (self._accepted or (self._ready and self._free_hands())):
            self._exchange = asyncio.create_task(self._settle_and_begin())
            self._exchange.add_done_callback(self._proceeded)

    def _free_hands(self) -> int:
        """A hand is free when it is written down what became of its call: no more than all hands are in doubt."""
        return IN_FLIGHT - len(self._under_way) - len(self._accepted)

    def _are_enough(self) -> bool:
        """Whether a commit is worth it: the other hands go on calling meanwhile."""
        return IN_FLIGHT - len(self._under_way) >= FEW_HANDS

    async def _settle_and_begin(self) -> None:
        """Commit what was accepted together with the beginning of the next calls, and make these."""
        if not self._are_enough():
            # Hands that come free one after the other are settled and filled together.
            self._enough.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(MOMENT_SECONDS):
                    await self._enough.wait()
        await self._put_back_late()
        done = self._accepted[:]
        free = self._free_hands() + len(done)
        some, self._ready = self._ready[:free], self._ready[free:]
        try:
            ids = [one.message.id for one in some]
            units = [self._channel.units(one.outgoing) for one in some]
            now = self._clock()
            begun = await delivery.settle_and_begin(done, ids, self._channel.source, units=units, now=now)
        except BaseException:
            self._start(_patiently(partial(delivery.release, _held(some))))
            raise
        del self._accepted[: len(done)]
        for one in some:
            if one.message.id in begun:
                self._start(self._deliver(one.message, one.outgoing))

    def _proceeded(self, task: asyncio.Task[None]) -> None:
        self._exchange = None
        if not task.cancelled() and (error := task.exception()) is not None:
            complain = log.warning if isinstance(error, db.OUTAGES) else log.error
            complain("messages not settled", kind=type(error).__name__, count=len(self._accepted))
            # Only this process knows what was accepted; after the time of a call others decide without it.
            ends = self._clock() - SENDING
            self._accepted = [one for one in self._accepted if one[2] > ends]
            self._start(asyncio.sleep(PATIENCE_SECONDS))
        else:
            self._proceed()
        self._ear.nudge()

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._freed_at = time.monotonic()
        if self._are_enough():
            self._enough.set()
        self._proceed()
        # The chat's next message may go now, and a place is free.
        self._ear.nudge()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("message not settled", kind=type(error).__name__)

    async def _sorted_out(self, leased: Sequence[Leased], manners: Manners) -> list["_Ready"]:
        """Those that are to be sent now; the others are settled."""
        now = self._clock()
        going: list[tuple[Leased, Outgoing]] = []
        for message in leased:
            if (reason := refusal(message, manners.cap)) is not None:
                # What the person does not want is wanted nowhere.
                await delivery.settle_failed(message.id, reason, falls_back=reason not in WANTED_NOWHERE, now=now)
                self._count(reason)
            elif message.quiet_zone and (morning := night_ends(now, message.quiet_zone, manners.quiet)):
                await delivery.settle_postponed(message.id, "quiet_hours", until=morning)
                self._count("quiet_hours")
            elif (outgoing := await self._drawn(message)) is not None:
                going.append((message, outgoing))
        waits = await self._pace.take_in_chats([message.address for message, _ in going])
        for message, _ in going:
            if wait := waits[message.address]:
                await delivery.settle_postponed(message.id, "chat_pace", until=now + timedelta(seconds=wait))
                self._count("chat_pace")
        at = time.monotonic()
        return [_Ready(message, outgoing, at) for message, outgoing in going if not waits[message.address]]

    async def _drawn(self, message: Leased) -> Outgoing | None:
        """What is sent of a message; None for one that cannot be sent now, which is settled or stays leased."""
        try:
            content, file = await self._content(message)
            template = await self._template(message)
        except SendError as error:
            log.warning("picture not drawn", channel=self._channel.name, reason=error.reason)
            self._count("not_drawn")
            await delivery.settle_postponed(message.id, error.reason, until=self._clock() + NOT_DRAWN_PAUSE)
            return None
        is_answerable = message.topic != "marketing" or self._channel.capabilities.hears
        stop_url = "" if is_answerable else self._stop_link(message.account_id)
        outgoing = Outgoing(
            message.id, message.address, message.language, content, message.alias, file, stop_url=stop_url
        )
        if template is not None:
            return replace(outgoing, template=template)
        if message.content.template or self._is_window_closed(message):
            reason = "template" if message.content.template else "window_closed"
            await delivery.settle_failed(message.id, reason, now=self._clock())
            self._count(reason)
            return None
        return outgoing

    async def _content(self, message: Leased) -> tuple[Content, File | None]:
        """The words, with the picture that shows this moment's card or the customer's link, or the attachment."""
        content, customer_id = message.content, message.customer_id
        if content.attachment:
            return content, await self._file(content.attachment)
        if customer_id is None or not content.picture:
            return content, None
        if content.picture == INVITATION:
            face = await open_invitation(self._channel, customer_id, content)
        else:
            can_edit = self._channel.capabilities.can_edit
            face = await open_face(self._card_key, customer_id, message.language, self._clock(), can_edit=can_edit)
        return face.content, File(face.picture, "image/png", "card.png")

    async def _file(self, attachment_id: int) -> File | None:
        """An attachment; the last one is remembered, because a campaign sends one to everybody."""
        if self._attachment[0] != attachment_id:
            found = await attachment(attachment_id)
            self._attachment = (attachment_id, File(found.body, found.mime, found.name) if found else None)
        return self._attachment[1]

    async def _template(self, message: Leased) -> Filled | None:
        values = message.content.values
        if message.content.template:
            found = await template_named(message.content.template, values)
        elif self._is_window_closed(message):
            stand_in, language = message.content.stand_in, message.language
            found = await (
                template_like(stand_in, language, values) if stand_in else template_for(message.kind, language, values)
            )
        else:
            return None
        return Filled(found.name, found.language, found.values) if found else None

    def _is_window_closed(self, message: Leased) -> bool:
        hours = self._channel.capabilities.window_hours
        if not hours:
            return False
        if message.reason == "window_closed" or message.heard_at is None:
            return True
        return message.heard_at <= self._clock() - timedelta(hours=hours)

    async def _deliver(self, message: Leased, outgoing: Outgoing) -> None:
        """Make the call. Whatever is not settled here is recovered when its time is over."""
        try:
            external_id = await self._channel.send(outgoing)
        except SendError as error:
            refused, now = error, self._clock()
            await _patiently(lambda: settle(self._channel, message, refused, now))
            self._count("not_sent")
        else:
            self._accepted.append((message.id, _short(external_id), self._clock()))
            self._count("sent")

    def _count(self, outcome: str) -> None:
        SENT.labels(self._channel.name, outcome).inc()


@dataclass(frozen=True, slots=True)
class _Ready:
    """A message that is leased, drawn and judged, and since when."""

    message: Leased
    outgoing: Outgoing
    at: float


def _urgency(ready: _Ready) -> tuple[int, int]:
    return ready.message.priority, ready.message.id


def _short(name: str) -> str:
    """A messenger's name for a message as far as the table can hold it."""
    return name.encode(errors="replace").decode().replace("\0", "")[:NAME_LENGTH]


def _held(ready: Sequence[_Ready]) -> list[tuple[int, int]]:
    return [(one.message.id, one.message.attempts) for one in ready]


async def _patiently(work: Callable[[], Awaitable[object]]) -> None:
    """Have it written down, as soon as the base is there: only this process knows it.

    After the time in which a call is believed to be under way, others decide without it.
    """
    ends = time.monotonic() + SENDING.total_seconds()
    while True:
        try:
            await work()
        except db.OUTAGES:
            if time.monotonic() > ends:
                raise
            await asyncio.sleep(PATIENCE_SECONDS)
        else:
            return


async def _recover(bell: Bell, clock: Callable[[], datetime]) -> None:
    """Put back what dead workers held, queue what is due by now, then wait for a second."""
    put_back = await delivery.recover_lapsed(now=clock())
    if put_back:
        log.warning("messages recovered", count=put_back)
    if await delivery.queue_delayed(now=clock()) or put_back:
        db.wake("messages")
    await bell.wait("recovering")


@asynccontextmanager
async def sending(
    channels: Sequence[Channel],
    limits: Mapping[str, Limits],
    redis_url: str,
    *,
    card_key: bytes,
    stop_link: Callable[[int], str],
    bell: Bell,
    clock: Callable[[], datetime],
) -> AsyncIterator[None]:
    """Send, keep open cards fresh and fetch files while inside; on leaving, calls under way may end.

    `limits`: of each channel, by its name. `stop_link`: by which an account ends advertising that cannot answer STOP.
    """
    redis = Redis.from_url(redis_url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS)
    ears = ExitStack()
    work: list[tuple[str, Callable[[], Awaitable[None]]]] = [("recovering", partial(_recover, bell, clock))]
    senders = []
    for channel in channels:
        pace = Pace(redis, channel.source, limits[channel.name])
        ear = ears.enter_context(bell.heard("messages"))
        sender = Sender(channel, pace, card_key=card_key, stop_link=stop_link, bell=bell, ear=ear, clock=clock)
        senders.append(sender)
        work.append(("sending", sender.send_due))
        work.append(("pulse", sender.pulse))
        work.append(("cards", partial(refresh_due, channel, card_key, bell, clock)))
        work.append(("media", partial(fetch_due, channel, bell, clock)))
    loops = [asyncio.create_task(for_ever(name, step)) for name, step in work]
    try:
        yield
    finally:
        await end(loops, bell)
        await asyncio.gather(*(sender.drain() for sender in senders))
        ears.close()
        await redis.aclose()
