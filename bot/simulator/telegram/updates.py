"""The queue of updates for the bot: kept until confirmed by an offset or delivered to its webhook."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from bot.simulator.bell import Bell
from bot.simulator.telegram.faults import Refusal

MOST_KEPT = 10_000
LONGEST_POLL_SECONDS = 50
# Telegram sends these only to bots that name them.
ON_REQUEST = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


class UpdateQueue:
    """Updates in the order of their ids, which keep rising over restarts."""

    def __init__(self) -> None:
        self.pending: deque[dict[str, Any]] = deque(maxlen=MOST_KEPT)
        self.next_id = int(time.time() * 1000)
        self.allowed: frozenset[str] = frozenset()
        self.bell = Bell()
        self.closing = False
        # When the bot last asked, and whether it waits for an answer right now.
        self.polled_at = 0.0
        self._poll: asyncio.Future[None] | None = None

    def push(self, update: dict[str, Any], *, kind: str | None = None) -> int:
        """Queue an update under the next id and answer the id; a kind the bot did not ask for is dropped."""
        number = self.next_id
        self.next_id += 1
        if kind is None or self._wanted(kind):
            self.pending.append({**update, "update_id": number})
            self.bell.ring()
        return number

    def _wanted(self, kind: str) -> bool:
        return kind in self.allowed if self.allowed else kind not in ON_REQUEST

    def allow(self, kinds: list[str] | None) -> None:
        """Which kinds to keep from now on; None keeps the last answer, an empty list means the usual ones."""
        if kinds is not None:
            self.allowed = frozenset(kinds)

    def confirm(self, before: int) -> None:
        """Forget updates with smaller ids."""
        while self.pending and self.pending[0]["update_id"] < before:
            self.pending.popleft()

    @property
    def is_polled(self) -> bool:
        """Whether a getUpdates waits now or ended within ten seconds."""
        return self._poll is not None or time.monotonic() - self.polled_at < 10

    async def poll(self, offset: int, limit: int, seconds: int, is_there: Callable[[], bool]) -> list[dict[str, Any]]:
        """What getUpdates answers; `is_there` tells whether the bot still waits. A later poll ends it with 409."""
        if offset < 0:
            while len(self.pending) > -offset:
                self.pending.popleft()
        else:
            self.confirm(offset)
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)
        mine = self._poll = asyncio.get_running_loop().create_future()
        try:
            await self._until_something(mine, min(max(seconds, 0), LONGEST_POLL_SECONDS), is_there)
            return list(self.pending)[: min(max(limit, 1), 100)]
        finally:
            if self._poll is mine:
                self._poll = None
            self.polled_at = time.monotonic()

    async def _until_something(self, mine: asyncio.Future[None], seconds: int, is_there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + seconds
        while not self.pending and not self.closing and is_there() and (left := deadline - time.monotonic()) > 0:
            ring = self.bell.next_ring()
            try:
                # A bot that was killed does not say so: look each second.
                await asyncio.wait((mine, ring), timeout=min(left, 1), return_when=asyncio.FIRST_COMPLETED)
            finally:
                ring.cancel()
            if mine.done():
                message = "terminated by other getUpdates request; make sure that only one bot instance is running"
                raise Refusal(message, 409)
