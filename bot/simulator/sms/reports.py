"""What became of an SMS, told to the address that came with it, each until it is taken or refused."""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Callable
from typing import Any

import aiohttp

from bot.simulator.bell import Bell
from bot.simulator.loopback import is_loopback

DELIVERY_SECONDS = 0.4
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 3.0
ANSWER_SECONDS = 30

Report = dict[str, Any]
"""`{"callback": an address, "id": of the SMS, "status": its new state}`."""


class Reports:
    """Reports in their order. Addresses beyond this machine are called by nobody."""

    def __init__(self, taken: Callable[[], None]) -> None:
        # Called after every report that was taken.
        self._taken = taken
        self.pending: deque[Report] = deque()
        self.is_failing = False
        self._bell = Bell()
        self._task: asyncio.Task[None] | None = None

    def push(self, callback: str, name: str, status: str) -> None:
        """Tell it soon."""
        if is_loopback(callback):
            self.pending.append({"callback": callback, "id": name, "status": status})
            self._bell.ring()

    def start(self) -> None:
        """Deliver from now on."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._deliver())

    async def stop(self) -> None:
        """End delivery; what is not taken stays queued."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _deliver(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS)) as session:
            while True:
                if not self.pending:
                    await self._bell.wait()
                    # A phone takes its time; a report must not overtake the answer to the sending either.
                    await asyncio.sleep(DELIVERY_SECONDS)
                    continue
                if await self._tell(session):
                    pause = FIRST_PAUSE_SECONDS
                else:
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _tell(self, session: aiohttp.ClientSession) -> bool:
        """Whether the first report is done with: taken, or refused for good."""
        report = self.pending[0]
        body = json.dumps({"id": report["id"], "status": report["status"]})
        headers = {"Content-Type": "application/json"}
        try:
            async with session.post(report["callback"], data=body, headers=headers, allow_redirects=False) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError):
            status = 0
        self.is_failing = not 200 <= status < 300
        # Gateways give up where they are told that they are wrong.
        is_done = 200 <= status < 500
        if is_done:
            self.pending.popleft()
        self._taken()
        return is_done
