"""A simulator in a thread with a loop of its own, beside the browser that looks at it."""

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any

from aiohttp import web
from playwright.sync_api import Page

from bot.simulator import Simulator


class Live(ABC):
    """Serves a simulator; what talks to it is the subclass's."""

    simulator: Simulator

    def __init__(self) -> None:
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._live()), daemon=True)

    def open(self) -> None:
        self._thread.start()
        assert self._ready.wait(20)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        assert not self._thread.is_alive()
        self._loop.close()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    @abstractmethod
    def talking(self) -> AbstractAsyncContextManager[None]:
        """Who answers the people, while inside."""

    def add_routes(self, root: web.Application) -> None:  # noqa: B027  most have nothing there
        """What stands beside the simulator on its port."""

    async def _live(self) -> None:
        root = web.Application()
        self.add_routes(root)
        root.add_subapp("/simulator", self.simulator.build_app())
        runner = web.AppRunner(root, access_log=None, shutdown_timeout=5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with self.talking():
            self._ready.set()
            await self._stop.wait()
        await runner.cleanup()

    @property
    def port(self) -> int:
        return 0


def check_targets(page: Page) -> None:
    """Everything to press is 44 px at least; links inside texts are exempt."""
    small = page.evaluate(
        "[...document.querySelectorAll('button, .inline a, textarea')].filter(e => e.offsetParent)"
        ".map(e => [e.textContent.trim() || e.ariaLabel, e.offsetWidth, e.offsetHeight])"
        ".filter(([, width, height]) => width < 44 || height < 44)"
    )
    assert small == []
