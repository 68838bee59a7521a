"""A stand-in for the part of the Graph API that the channel calls: it remembers what it was told, and can misbehave."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiohttp import web

from tests.bot.channels.whatsapp.payloads import PHONE_NUMBER_ID

TOKEN = "EAAG-made-up"
VERSION = "/v25.0"
Misbehaviour = Callable[[web.Request], Any]


@dataclass
class Graph:
    """Files by their name, messages as they came, and what goes wrong next."""

    url: str = ""
    display_number: str = "+7 495 000-11-22"
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    misbehaves: Misbehaviour | None = None
    templates: list[dict[str, Any]] = field(default_factory=list)
    told_size: int | None = None
    numbers: Any = field(default_factory=lambda: count(1))

    def build_app(self) -> web.Application:
        app = web.Application(client_max_size=20 * 2**20, middlewares=[self._check])
        app.router.add_post(f"{VERSION}/{PHONE_NUMBER_ID}/messages", self._take)
        app.router.add_post(f"{VERSION}/{PHONE_NUMBER_ID}/media", self._store)
        app.router.add_get(f"{VERSION}/{PHONE_NUMBER_ID}", self._number)
        app.router.add_get(f"{VERSION}/77/message_templates", self._templates)
        app.router.add_get(f"{VERSION}/{{media}}", self._media)
        app.router.add_get("/files/{media}", self._file)
        return app

    @web.middleware
    async def _check(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.calls.append(f"{request.method} {request.path}")
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return refused(190, status=401)
        if self.misbehaves is not None and (answer := await self.misbehaves(request)) is not None:
            return answer
        return await handler(request)

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json()
        assert body["messaging_product"] == "whatsapp"
        assert ("to" in body) != ("recipient" in body)
        self.messages.append(body)
        name = f"wamid.{next(self.numbers)}"
        return web.json_response({"messaging_product": "whatsapp", "messages": [{"id": name}]})

    async def _store(self, request: web.Request) -> web.Response:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        name = str(9000 + next(self.numbers))
        told = {"product": form["messaging_product"], "type": form["type"], "mime": file.content_type}
        self.files[name] = {**told, "name": file.filename, "body": file.file.read()}
        return web.json_response({"id": name})

    async def _number(self, request: web.Request) -> web.Response:
        assert request.query["fields"] == "display_phone_number"
        return web.json_response({"display_phone_number": self.display_number, "id": PHONE_NUMBER_ID})

    async def _templates(self, request: web.Request) -> web.Response:
        begin = int(request.query.get("after", "0"))
        end = begin + 2
        paging: dict[str, Any] = {"cursors": {"before": str(begin), "after": str(end)}}
        if end < len(self.templates):
            paging["next"] = f"{self.url}{VERSION}/77/message_templates?after={end}"
        return web.json_response({"data": self.templates[begin:end], "paging": paging})

    async def _media(self, request: web.Request) -> web.Response:
        file = self.files.get(request.match_info["media"])
        if file is None:
            return refused(100)
        url = f"{self.url}/files/{request.match_info['media']}?ext=1%2F2"
        size = self.told_size if self.told_size is not None else len(file["body"])
        return web.json_response({"url": url, "mime_type": file["mime"], "file_size": str(size)})

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["media"]]["body"])


def refused(code: object, *, status: int = 400, retry_after: str | None = None) -> web.Response:
    """An error as the Graph API tells it."""
    error = {"message": f"(#{code}) Title", "type": "OAuthException", "code": code, "fbtrace_id": "A1"}
    headers = {"Retry-After": retry_after} if retry_after is not None else None
    body = {"error": {**error, "error_data": {"messaging_product": "whatsapp", "details": "Why"}}}
    return web.Response(text=json.dumps(body), status=status, headers=headers, content_type="application/json")


@asynccontextmanager
async def serving(graph: Graph) -> AsyncIterator[None]:
    """The stand-in, listening on a port of its own."""
    runner = web.AppRunner(graph.build_app(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    graph.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield
    finally:
        await runner.cleanup()


def answers(response: Callable[[], web.StreamResponse], *, path: str = "") -> Misbehaviour:
    """Every call whose path ends so is answered like this."""

    async def answer(request: web.Request) -> web.StreamResponse | None:
        return response() if request.path.endswith(path) else None

    return answer


def cut(request: web.Request) -> None:
    """Break the line without an answer."""
    assert request.transport is not None
    request.transport.close()


async def never(_: web.Request) -> None:
    """No answer at all."""
    await asyncio.sleep(3600)
