"""What arrives becomes turns: updates are stored first, then each chat's are taken in their order."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from random import shuffle

import structlog
from prometheus_client import Counter

from bot.channels.base import Channel, Elsewhere, Event, EventKind, Progress, SendError, TemplateNews
from bot.dialogs.base import Reply, said
from bot.dialogs.engine import COMMANDS_SHOWN, step_for
from bot.loops import cancelled, end, for_ever
from bot.outcomes import note
from bot.texts import say
from bot.webhooks import Webhooks
from loyalty import db
from loyalty.bell import Bell
from loyalty.conversations.actions.arrivals import close_update, ignore_update, store_updates
from loyalty.conversations.actions.links import keep_link
from loyalty.conversations.actions.templates import note_template
from loyalty.conversations.actions.turns import fail_turn, take_turn
from loyalty.conversations.queries import (
    FIRST_OF_CHAT,
    NEXT_OF_CHAT,
    PendingUpdate,
    oldest_updates,
    pending_chats,
    was_ignored_before,
)
from loyalty.conversations.rules import Arrived, Said

CHATS_AT_ONCE = 8
"""Chats whose turns are taken at once; each holds a connection of the pool."""
RETRY_SECONDS = 1.0
LOCK_ANSWERS_SECONDS = 3.0
DRAIN_SECONDS = 10.0

TURNS = Counter("regulars_turns_total", "Updates by what became of them", ["channel", "outcome"])
log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class _Delivery:
    """Updates that came together, and whoever waits for their being stored; nobody, once that is cancelled."""

    updates: Sequence[Arrived]
    stored: asyncio.Future[None]
    is_patient: bool

    def succeed(self) -> None:
        if not self.stored.done():
            self.stored.set_result(None)

    def fail(self, error: BaseException) -> None:
        if not self.stored.done():
            self.stored.set_exception(error)


class Intake:
    """The turns of one channel. Any number may run: a chat's row in the base keeps its order."""

    def __init__(self, channel: Channel, bell: Bell, clock: Callable[[], datetime]) -> None:
        self._channel = channel
        self._bell = bell
        self._clock = clock
        self._chats: dict[str | None, asyncio.Task[None]] = {}
        self._look_again: set[str | None] = set()
        self._hands = asyncio.Semaphore(CHATS_AT_ONCE)
        self._effects: set[asyncio.Task[None]] = set()
        self._deliveries: list[_Delivery] = []
        self._is_storing = False
        self._stopping = asyncio.Event()

    async def store(self, arrived: Sequence[Arrived]) -> None:
        """Keep updates, until the base has them: only then may they be acknowledged.

        Waits for a base that is away; who is cancelled meanwhile must not count on anything. Raises what is wrong
        with these updates alone.
        """
        await self._deliver(arrived, is_patient=True)

    async def store_now(self, arrived: Sequence[Arrived]) -> None:
        """The same for a messenger that comes again: raises one of db.OUTAGES for a base that is away."""
        await self._deliver(arrived, is_patient=False)

    def _deliver(self, arrived: Sequence[Arrived], *, is_patient: bool) -> asyncio.Future[None]:
        """Queue updates for the writer: those of concurrent callers are committed together. Done when they are."""
        delivery = _Delivery(arrived, asyncio.get_running_loop().create_future(), is_patient)
        self._deliveries.append(delivery)
        if not self._is_storing:
            self._is_storing = True
            self._later(self._store_deliveries())
        return delivery.stored

    async def _store_deliveries(self) -> None:
        """Commit what has come, and what comes meanwhile, one batch after another."""
        try:
            while self._deliveries:
                # Whoever is ready by now comes along.
                await asyncio.sleep(0)
                waiting = [one for one in self._deliveries if not one.stored.done()]
                self._deliveries.clear()
                try:
                    await self._store_together(waiting)
                except db.OUTAGES as error:
                    log.warning("updates not stored", kind=type(error).__name__)
                    for one in waiting:
                        if one.is_patient:
                            self._deliveries.append(one)
                        else:
                            one.fail(error)
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            self._is_storing = False

    async def _store_together(self, deliveries: Sequence[_Delivery]) -> None:
        try:
            updates = [update for one in deliveries for update in one.updates]
            await store_updates(self._channel.source, updates, now=self._clock())
        except db.OUTAGES:
            raise
        except Exception as error:  # noqa: BLE001  handed to whoever brought the updates
            if len(deliveries) == 1:
                deliveries[0].fail(error)
                return
            # One that the base will not take must not cost the others.
            for one in deliveries:
                await self._store_together([one])
        else:
            for one in deliveries:
                one.succeed()

    async def receive(self, lock: db.ServerLock) -> None:
        """Receive while holding the token's lock: of all processes one polls, or keeps the webhook."""
        try:
            if await lock.take():
                with suppress(SendError):
                    await self._channel.introduce(COMMANDS_SHOWN)
                with suppress(SendError):
                    # The till draws links into the chat, and asks no messenger.
                    await keep_link(self._channel.source, await self._channel.link(""), now=self._clock())
                await self._receive(lock)
        finally:
            await lock.release()
        if not self._stopping.is_set():
            await asyncio.sleep(RETRY_SECONDS)

    async def _receive(self, lock: db.ServerLock) -> None:
        receiving = asyncio.create_task(self._channel.receive(self.store))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            while not (receiving.done() or stopping.done()) and await lock.is_held(within=LOCK_ANSWERS_SECONDS):
                await asyncio.wait([receiving, stopping], timeout=RETRY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if receiving.done():
                receiving.result()
        finally:
            stopping.cancel()
            await cancelled(receiving)

    def stop_receiving(self) -> None:
        """Receive no more."""
        self._stopping.set()

    async def take_turns(self) -> None:
        """Begin the turns of every chat that has any, then wait for more."""
        found = list((await pending_chats(self._channel.source, self._chats)).items())
        # Not all processes are to begin with the same chats.
        shuffle(found)
        for chat, first in found:
            if chat in self._chats:
                self._look_again.add(chat)
            else:
                self._chats[chat] = asyncio.create_task(self._take_chat(chat, first))
        await self._bell.wait("updates")

    async def drain(self) -> None:
        """Let turns under way end."""
        under_way = {*self._chats.values(), *self._effects}
        if under_way:
            await asyncio.wait(under_way, timeout=DRAIN_SECONDS)

    async def _take_chat(self, chat: str | None, first: Sequence[PendingUpdate] = ()) -> None:
        """Take the turns of a chat: `first` are its oldest; those that may lie behind them are read here."""
        try:
            async with self._hands:
                for update in first:
                    await self.take(update, chat)
                if 0 < len(first) < FIRST_OF_CHAT:
                    return
                is_last = False
                while not is_last:
                    updates = await oldest_updates(self._channel.source, chat)
                    for update in updates:
                        await self.take(update, chat)
                    is_last = len(updates) < NEXT_OF_CHAT
        except db.OUTAGES as error:
            # Nothing was saved: the update is still there, and taken again in a moment.
            log.warning("turn put off", kind=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)
        except Exception as error:  # noqa: BLE001  another chat's turns must go on
            log.error("chat stopped", kind=type(error).__name__)  # noqa: TRY400  its words may quote a row
            await asyncio.sleep(RETRY_SECONDS)
        finally:
            del self._chats[chat]
            if chat in self._look_again and not self._stopping.is_set():
                # Something rang while this chat was busy: it may have come after the last look.
                self._look_again.discard(chat)
                self._chats[chat] = asyncio.create_task(self._take_chat(chat))

    async def take(self, update: PendingUpdate, chat: str | None) -> None:
        """Take one turn, and keep as failed what breaks its step. Raises only when the base is away."""
        try:
            event = self._channel.parse(update.body)
        except ValueError as error:
            await fail_turn(update, None, None, reason="unreadable", now=self._clock())
            self._count("unreadable", update, error)
            return
        if isinstance(event, Event):
            await self._converse(update, event)
        elif isinstance(event, Progress | TemplateNews):
            await self._note(update, event)
        elif event is None:
            await ignore_update(update.id, reason="not_ours", now=self._clock())
            TURNS.labels(self._channel.name, "ignored").inc()
        else:
            await self._go_away(update, event, chat)

    async def _converse(self, update: PendingUpdate, event: Event) -> None:
        decided: list[Reply] = []
        try:
            step = step_for(event, self._clock(), decided.append)
            taken = await take_turn(update, event.sender, step, now=self._clock())
        except db.OUTAGES:
            raise
        except Exception as error:  # noqa: BLE001  whatever a step does, the chat goes on
            await self._give_up(update, event, type(error).__name__)
            self._count("failed", update, error)
            decided = [Reply()]
        else:
            if not taken:
                return
            TURNS.labels(self._channel.name, "taken").inc()
        if event.kind is EventKind.BUTTON:
            reply = decided[-1]
            self._later(self._channel.answer_button(event, notice=reply.notice, remove=reply.removes_buttons))

    async def _give_up(self, update: PendingUpdate, event: Event, reason: str) -> None:
        """Mark an update as failed, in its chat where that can be done."""
        try:
            await fail_turn(update, event.sender, _sorry, reason=reason, now=self._clock())
        except db.OUTAGES:
            raise
        except Exception:  # noqa: BLE001  whatever is wrong with the chat, this update must not hold up the next
            await fail_turn(update, None, None, reason=reason, now=self._clock())

    async def _note(self, update: PendingUpdate, news: Progress | TemplateNews) -> None:
        """Keep what the messenger tells of what we sent, or of a template; it may say so again."""
        try:
            if isinstance(news, Progress):
                await note(self._channel, news, self._clock())
            else:
                await note_template(news.name, news.language, news.status, news.reason, now=self._clock())
        except db.OUTAGES:
            raise
        except Exception as error:  # noqa: BLE001  one message's news must not hold up those of others
            await fail_turn(update, None, None, reason=type(error).__name__, now=self._clock())
            self._count("failed", update, error)
            return
        await close_update(update.id, now=self._clock())
        TURNS.labels(self._channel.name, "noted").inc()

    async def _go_away(self, update: PendingUpdate, where: Elsewhere, chat: str | None) -> None:
        """A group or a channel: one hint, no personal data, leave."""
        is_first = not await was_ignored_before(self._channel.source, chat or where.chat, update.position)
        if await ignore_update(update.id, reason="elsewhere", now=self._clock()):
            hint = "\n\n".join(say(language, "group.hint") for language in ("en", "ru", "uk"))
            self._later(self._channel.leave(where.chat, hint if is_first and where.can_write else ""))
            TURNS.labels(self._channel.name, "elsewhere").inc()

    def _later(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Work beside the next turns that leaving waits for."""
        task = asyncio.create_task(work)
        self._effects.add(task)
        task.add_done_callback(self._effects.discard)
        return task

    def _count(self, outcome: str, update: PendingUpdate, error: Exception) -> None:
        TURNS.labels(self._channel.name, outcome).inc()
        # Without the error's words: they may quote what people wrote.
        log.error("turn failed", outcome=outcome, update=update.id, kind=type(error).__name__)


def _sorry(language: str) -> Said:
    return said(say(language, "failed"))


def lock_key(source: str) -> int:
    """The advisory lock of the poller of one account of ours."""
    return 0x706F_6C6C_0000_0000 | zlib.crc32(source.encode())


@asynccontextmanager
async def listening(
    channels: list[Channel],
    database_url: str,
    bell: Bell,
    clock: Callable[[], datetime],
    webhooks: Webhooks | None = None,
) -> AsyncIterator[None]:
    """Receive, through `webhooks` where there are any, and take turns while inside; on leaving, turns under way end."""
    intakes = [Intake(channel, bell, clock) for channel in channels]
    work: list[tuple[str, Callable[[], Awaitable[None]]]] = []
    for intake, channel in zip(intakes, channels, strict=True):
        lock = db.ServerLock(database_url, lock_key(channel.source))
        work.append(("turns", intake.take_turns))
        work.append(("receiving", partial(intake.receive, lock)))
    loops = [asyncio.create_task(for_ever(name, step)) for name, step in work]
    try:
        with ExitStack() as called:
            if webhooks is not None:
                for intake, channel in zip(intakes, channels, strict=True):
                    called.enter_context(webhooks.listening(channel, intake.store_now))
            yield
    finally:
        for intake in intakes:
            intake.stop_receiving()
        await end(loops, bell)
        await asyncio.gather(*(intake.drain() for intake in intakes))
