"""The SMS gateway's stand-in on a loopback port, with an app that sends by it and hears its reports."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.simulator import Gateway, Simulator
from bot.simulator.sms.inbox import SmsInbox
from tests.bot.simulator.conftest import TOKEN, serve

NUMBER = "+79165550101"


@dataclass
class Hearer:
    """What the app hears; `status` is its answer."""

    status: int = 200
    tries: int = 0
    reports: list[dict[str, Any]] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        self.tries += 1
        if self.status == 200:
            self.reports.append(await request.json())
        self.heard.set()
        return web.Response(status=self.status)

    async def until(self, found: Callable[[], Any]) -> Any:
        """Wait until something was heard."""
        async with asyncio.timeout(5):
            while not (there := found()):
                self.heard.clear()
                await self.heard.wait()
        return there


@dataclass
class Line:
    """A running simulator, and the app at its gateway."""

    simulator: Simulator
    hearer: Hearer
    url: str
    callback: str
    http: aiohttp.ClientSession

    @property
    def sms(self) -> SmsInbox:
        return self.simulator.sms

    async def send(self, *, token: str = "right", **fields: Any) -> tuple[int, Any]:
        """Send a message to the number: (status, answer)."""
        body = {"to": NUMBER, "text": "Hello", "sender": "LADNO", "id": "7", "callback": self.callback, **fields}
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.post(f"{self.url}/simulator/sms/send", json=body, headers=headers) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await (answer.json() if is_json else answer.text())


@pytest.fixture
async def open_line() -> AsyncIterator[Callable[..., Awaitable[Line]]]:
    """Open a simulator of its own: `await open_line(store=path)`; closed after the test."""
    async with AsyncExitStack() as stack:

        async def open_one(**options: Any) -> Line:
            hearer, app = Hearer(), web.Application()
            app.add_routes([web.post("/hook", hearer.take)])
            runner, app_url = await serve(app)
            stack.push_async_callback(runner.cleanup)
            simulator = Simulator(token=TOKEN, sms=Gateway("right"), **options)
            root = web.Application()
            root.add_subapp("/simulator", simulator.build_app())
            runner, url = await serve(root)
            stack.push_async_callback(runner.cleanup)
            http = await stack.enter_async_context(aiohttp.ClientSession())
            return Line(simulator, hearer, url, f"{app_url}/hook", http)

        yield open_one


@pytest.fixture
async def line(open_line: Callable[..., Awaitable[Line]]) -> Line:
    return await open_line()
