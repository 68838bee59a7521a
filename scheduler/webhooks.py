"""Telling other programs what happens: signed calls to their addresses, out into the internet alone."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

import aiohttp
import structlog
from prometheus_client import Counter

from bot.loops import end, for_ever
from loyalty.bell import Bell
from loyalty.webhooks.actions.deliveries import lease_deliveries, settle
from loyalty.webhooks.rules import AT_ONCE, Leased, Outcome, Trouble, endpoint_secret, may_call, outcome_of, signature

TOPIC = "webhooks"
CALL_SECONDS = 10.0
DRAIN_SECONDS = 11.0
IDLE_SECONDS = 4.0
"""Connections are kept less long than receivers keep them, so that none is closed under a call."""

TOLD = Counter("regulars_events_told_total", "Events told to other programs, by what became of a call", ["outcome"])
log = structlog.get_logger(__name__)


class AddressInsideError(OSError):
    """The name stands for an address that is not to be called."""

    def __init__(self) -> None:
        super().__init__("an address inside")


class Deliverer:
    """Tells what is due. Any number may run, in any number of processes: each delivery is one's at a time."""

    def __init__(self, session: aiohttp.ClientSession, key: bytes, bell: Bell, clock: Callable[[], datetime]) -> None:
        self._session = session
        self._key = key
        self._bell = bell
        self._clock = clock
        self._under_way: set[asyncio.Task[None]] = set()

    async def deliver_due(self) -> None:
        """Begin to tell what is due, then wait for more."""
        while await self.begin_due():
            pass
        await self._bell.wait(TOPIC)

    async def begin_due(self) -> int:
        """Take as many deliveries as there are free hands; returns how many."""
        free = AT_ONCE - len(self._under_way)
        if free <= 0:
            return 0
        leased = await lease_deliveries(limit=free, now=self._clock())
        for delivery in leased:
            task = asyncio.create_task(self._deliver(delivery))
            self._under_way.add(task)
            task.add_done_callback(self._done)
        return len(leased)

    async def drain(self) -> None:
        """Let calls under way end."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=DRAIN_SECONDS)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        # A hand is free, and the endpoint's next delivery may go.
        self._bell.nudge(TOPIC)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("webhook not settled", kind=type(error).__name__)

    async def _deliver(self, delivery: Leased) -> None:
        outcome = await self._call(delivery)
        TOLD.labels(outcome.trouble or "done").inc()
        state = await settle(delivery, outcome, now=self._clock())
        if outcome.trouble is not None:
            log.warning(
                "webhook failed",
                endpoint=delivery.endpoint_id,
                delivery=delivery.id,
                trouble=outcome.trouble.value,
                status=outcome.status,
                state=state,
            )

    async def _call(self, delivery: Leased) -> Outcome:
        """One call. Of the answer only its status is looked at: its words may be personal."""
        body = delivery.event.body()
        secret = endpoint_secret(self._key, delivery.endpoint_id, delivery.salt)
        headers = {
            "Content-Type": "application/json",
            "Regulars-Event": delivery.event.type,
            "Regulars-Delivery": str(delivery.id),
            "Regulars-Signature": signature(secret, self._clock(), body),
        }
        try:
            # A redirect could lead inside, and would carry the body to somebody else.
            async with self._session.post(delivery.url, data=body, headers=headers, allow_redirects=False) as answer:
                return outcome_of(answer.status)
        except TimeoutError:
            return Outcome(trouble=Trouble.TIMEOUT)
        except aiohttp.ClientSSLError:
            return Outcome(trouble=Trouble.NOT_TRUSTED)
        except aiohttp.ClientConnectorError as error:
            is_inside = isinstance(error.os_error, AddressInsideError)
            return Outcome(trouble=Trouble.ADDRESS_INSIDE if is_inside else Trouble.NO_CONNECTION)
        except (aiohttp.ClientError, OSError, ValueError):
            return Outcome(trouble=Trouble.NO_ANSWER)


@asynccontextmanager
async def calling_out(*, allow_local: bool) -> AsyncIterator[aiohttp.ClientSession]:
    """Connections to receivers. Where a name leads is judged by the very address that is then connected to."""
    connector = aiohttp.TCPConnector(
        limit=0, keepalive_timeout=IDLE_SECONDS, socket_factory=partial(_socket_to, allow_local=allow_local)
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=CALL_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "Regulars"},
        auto_decompress=False,
    ) as session:
        yield session


def _socket_to(address: aiohttp.AddrInfoType, *, allow_local: bool) -> socket.socket:
    family, kind, protocol, _, where = address
    if not may_call(str(where[0]), allow_local=allow_local):
        raise AddressInsideError
    return socket.socket(family=family, type=kind, proto=protocol)


@asynccontextmanager
async def delivering(
    key: bytes, bell: Bell, clock: Callable[[], datetime], *, allow_local: bool
) -> AsyncIterator[None]:
    """Tell what is due while inside; on leaving, calls under way may end."""
    async with calling_out(allow_local=allow_local) as session:
        deliverer = Deliverer(session, key, bell, clock)
        loops = [asyncio.create_task(for_ever("webhooks", deliverer.deliver_due))]
        try:
            yield
        finally:
            await end(loops, bell)
            await deliverer.drain()
