"""A messenger that takes messages and keeps count of them, with a plan of what goes wrong for whom."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

RETRY_AFTER = 2


@dataclass
class Sink:
    """Telegram's side of sending. `taken`: how often each chat got a message; `told`: to how many calls we said so.

    plan: chat -> what happens to it: "blocked", "flood" (once, for everybody), "bad gateway" and "lost" (it is taken,
    and nobody hears), "slow". pauses: when the account was told to wait, and until when.
    """

    plan: Callable[[int], str]
    taken: Counter[int] = field(default_factory=Counter)
    told: Counter[int] = field(default_factory=Counter)
    calls: int = 0
    flooded: set[int] = field(default_factory=set)
    pauses: list[tuple[float, float]] = field(default_factory=list)

    def build_app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/bot{token}/{method}", self._call)
        return app

    async def _call(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["method"] != "sendMessage":
            return web.json_response({"ok": True, "result": True})
        fields = await request.json()
        self.calls += 1
        chat = int(str(fields["chat_id"]))
        fault = self.plan(chat)
        if fault == "blocked":
            return self._refuse(403, "Forbidden: bot was blocked by the user")
        if fault == "flood" and chat not in self.flooded:
            self.flooded.add(chat)
            self.pauses.append((time.time(), time.time() + RETRY_AFTER))
            return self._refuse(429, "Too Many Requests: retry after 2", {"retry_after": RETRY_AFTER})
        self.taken[chat] += 1
        if fault == "slow":
            await asyncio.sleep(0.3)
        if fault == "bad gateway":
            return web.Response(status=502, text="<html>", content_type="text/html")
        if fault == "lost":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        self.told[chat] += 1
        message = {"message_id": self.calls, "date": 0, "chat": {"id": chat, "type": "private"}, "text": "x"}
        return web.json_response({"ok": True, "result": message})

    @staticmethod
    def _refuse(code: int, description: str, parameters: dict[str, int] | None = None) -> web.Response:
        body = {"ok": False, "error_code": code, "description": description, "parameters": parameters or {}}
        return web.json_response(body, status=code)


@asynccontextmanager
async def listening_at(sink: Sink, port: int) -> AsyncIterator[None]:
    """The sink, answering at this port while inside."""
    runner = web.AppRunner(sink.build_app(), shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield
    await runner.cleanup()
