"""Waking: after a commit the writer rings, and whoever waits for that kind of work looks at once.

Through Redis to other processes, directly within this one. A lost ring costs a second and nothing else, because
everybody who waits also looks by themselves: the tables are the truth.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from loyalty import db

CHANNEL = "regulars:wake"
LOOK_EVERY_SECONDS = 1.0
RECONNECT_SECONDS = 1.0
PUBLISH_EVERY_SECONDS = 0.01

log = structlog.get_logger(__name__)


class Bell:
    """One for each process: hears what this process and others commit."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._events: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._unheard: set[str] = set()
        self._publishing: asyncio.Task[None] | None = None

    def ring(self, topic: str) -> None:
        """There is work of this kind. Rings that come while an earlier one is on its way go together."""
        self._events[topic].set()
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

    async def _publish(self) -> None:
        while self._unheard:
            topics, self._unheard = self._unheard, set()
            for topic in topics:
                try:
                    await self._redis.publish(CHANNEL, topic)
                except (RedisError, OSError):
                    log.debug("wake-up not published", topic=topic)
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
                async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
                    await subscription.subscribe(CHANNEL)
                    async for heard in subscription.listen():
                        topic = heard["data"]
                        self._events[topic.decode() if isinstance(topic, bytes) else topic].set()
            except (RedisError, OSError):
                await asyncio.sleep(RECONNECT_SECONDS)


@asynccontextmanager
async def hung(redis_url: str) -> AsyncIterator[Bell]:
    """A bell that rings for every commit of this process and hears those of the others."""
    redis = Redis.from_url(redis_url, socket_connect_timeout=2)
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
