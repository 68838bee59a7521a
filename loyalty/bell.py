"""Waking: after a commit the writer rings, and whoever waits for that kind of work looks at once.

Through Redis to other processes, directly within this one. A lost ring costs a second and nothing else, because
everybody who waits also looks by themselves: the tables are the truth.

A topic may say what it is about behind a colon ("conversations:17"): workers are woken by its name alone, ears are
told the rest.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from loyalty import db

CHANNEL = "regulars:wake"
LOOK_EVERY_SECONDS = 1.0
RECONNECT_SECONDS = 1.0
SILENCE_SECONDS = 2.0
SILENCES = 2
"""So often in a row nothing came, not even the answer to a ping."""
PUBLISH_EVERY_SECONDS = 0.01
MOST_HEARD = 100
"""An ear that heard of more than this since it last asked has heard of everything."""
EVERYTHING = ""

log = structlog.get_logger(__name__)


class Ear:
    """One of many who hear a topic. What is heard is kept until it is asked for."""

    def __init__(self) -> None:
        self._heard: set[str] = set()
        self._event = asyncio.Event()

    def hear(self, about: str) -> None:
        """It rang, about this; EVERYTHING when it was not said about what."""
        self._heard.add(about)
        if len(self._heard) > MOST_HEARD:
            self._heard = {EVERYTHING}
        self._event.set()

    def nudge(self) -> None:
        """End the waiting, with nothing heard."""
        self._event.set()

    async def wait(self, seconds: float) -> set[str]:
        """What it rang about since this was last asked; nothing when so many seconds passed in silence."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()
        heard, self._heard = self._heard, set()
        return heard


class Bell:
    """One for each process: hears what this process and others commit."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._events: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._ears: dict[str, set[Ear]] = defaultdict(set)
        self._unheard: set[str] = set()
        self._publishing: asyncio.Task[None] | None = None

    def ring(self, topic: str) -> None:
        """There is work of this kind. Rings that come while an earlier one is on its way go together."""
        self._wake(topic)
        self._unheard.add(topic)
        if self._publishing is None or self._publishing.done():
            self._publishing = asyncio.get_running_loop().create_task(self._publish())

    def nudge(self, topic: str) -> None:
        """Wake whoever waits in this process alone."""
        self._events[topic].set()

    def nudge_all(self) -> None:
        """Wake everybody who waits in this process."""
        for event in self._events.values():
            event.set()
        for ears in self._ears.values():
            for ear in ears:
                ear.nudge()

    async def wait(self, topic: str) -> None:
        """Until it rings for this topic, a second at most. One waiter a topic."""
        event = self._events[topic]
        try:
            async with asyncio.timeout(LOOK_EVERY_SECONDS):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            event.clear()

    @contextmanager
    def heard(self, topic: str) -> Iterator[Ear]:
        """An ear for this topic while inside; any number may listen."""
        ear = Ear()
        self._ears[topic].add(ear)
        try:
            yield ear
        finally:
            self._ears[topic].discard(ear)

    def _wake(self, topic: str) -> None:
        name, _, about = topic.partition(":")
        self._events[name].set()
        for ear in self._ears[name]:
            ear.hear(about)

    async def _publish(self) -> None:
        while self._unheard:
            topics, self._unheard = self._unheard, set()
            try:
                await self._redis.publish(CHANNEL, "\n".join(topics))
            except (RedisError, OSError):
                log.debug("wake-up not published", topics=len(topics))
            # In a rush of commits the other processes are woken often enough.
            await asyncio.sleep(PUBLISH_EVERY_SECONDS)

    async def fall_silent(self) -> None:
        """Wait until what was rung has been published."""
        if self._publishing is not None:
            await self._publishing

    async def listen(self) -> None:
        """Hear the other processes, for ever; without Redis, try again each second."""
        while True:
            try:
                async with self._redis.pubsub() as subscription:
                    await subscription.subscribe(CHANNEL)
                    await self._hear(subscription)
            except (RedisError, OSError, TimeoutError):
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _hear(self, subscription: PubSub) -> None:
        """Hear until the line says nothing for too long: one that is cut in the middle would be silent for ever."""
        silences = 0
        while silences < SILENCES:
            heard = await subscription.get_message(timeout=SILENCE_SECONDS)
            if heard is None:
                silences += 1
                await subscription.ping()
                continue
            silences = 0
            if heard["type"] == "message":
                for topic in heard["data"].decode().split("\n"):
                    self._wake(topic)


@asynccontextmanager
async def hung(redis_url: str) -> AsyncIterator[Bell]:
    """A bell that rings for every commit of this process and hears those of the others."""
    redis = Redis.from_url(redis_url, socket_connect_timeout=2, socket_timeout=2)
    bell = Bell(redis)
    hearing = asyncio.create_task(bell.listen())
    db.listeners.append(bell.ring)
    try:
        yield bell
    finally:
        db.listeners.remove(bell.ring)
        while not hearing.done():
            # Once may not be enough: a cancellation that meets a timeout of the client is taken for the timeout.
            hearing.cancel()
            await asyncio.wait([hearing], timeout=0.2)
        await bell.fall_silent()
        await redis.aclose()
