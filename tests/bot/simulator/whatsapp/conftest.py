"""WhatsApp's stand-in on a loopback port, with an app that listens to it and speaks to it in plain HTTP."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.simulator import Business, Simulator
from bot.simulator.whatsapp.messenger import WhatsApp
from bot.simulator.whatsapp.people import Person
from tests.bot.simulator.conftest import TOKEN, serve

SECRET = "an app secret"
PHONE = "+79165550101"


@dataclass
class App:
    """What the app hears: bodies that were signed rightly, and the single changes of them in their order."""

    status: int = 200
    verify_token: str = "a verify token"
    tries: int = 0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def changes(self) -> list[dict[str, Any]]:
        return [change for body in self.bodies for entry in body["entry"] for change in entry["changes"]]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [one for change in self.changes for one in change["value"].get("messages", [])]

    @property
    def statuses(self) -> list[dict[str, Any]]:
        return [one for change in self.changes for one in change["value"].get("statuses", [])]

    def build(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.get("/hook", self.answer), web.post("/hook", self.take)])
        return app

    async def answer(self, request: web.Request) -> web.Response:
        self.tries += 1
        if request.query.get("hub.verify_token") != self.verify_token or request.query["hub.mode"] != "subscribe":
            return web.Response(status=403)
        return web.Response(text=request.query["hub.challenge"])

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.tries += 1
        wanted = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        if request.headers.get("X-Hub-Signature-256") != wanted:
            return web.Response(status=403)
        if self.status == 200:
            self.bodies.append(json.loads(body))
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
class City:
    """A running simulator, the app, its line to the Graph API, and somebody who has written."""

    simulator: Simulator
    app: App
    url: str
    http: aiohttp.ClientSession
    person: Person

    @property
    def whatsapp(self) -> WhatsApp:
        return self.simulator.whatsapp

    @property
    def api(self) -> str:
        return f"{self.url}/simulator/whatsapp/v25.0"

    async def call(self, path: str, body: Any = None, *, method: str = "POST", token: str = "right") -> tuple[int, Any]:
        """Speak to the Graph API: (status, answer)."""
        headers = {"Authorization": f"Bearer {token}"}
        how: dict[str, Any] = {"data": body} if isinstance(body, aiohttp.FormData) else {"json": body}
        async with self.http.request(method, f"{self.api}/{path}", headers=headers, **how) as answer:
            return answer.status, await answer.json()

    async def send(self, content: dict[str, Any], *, to: str | None = None, **more: Any) -> tuple[int, Any]:
        """Send a message to the person."""
        whom = {"to": to or self.person.wa_id}
        return await self.call("1000000/messages", {"messaging_product": "whatsapp", **whom, **content, **more})

    async def upload(self, data: bytes, mime: str = "image/png", name: str = "a.png") -> tuple[int, Any]:
        form = aiohttp.FormData({"messaging_product": "whatsapp", "type": mime})
        form.add_field("file", data, content_type=mime, filename=name)
        return await self.call("1000000/media", form)


def text(body: str) -> dict[str, Any]:
    return {"type": "text", "text": {"body": body}}


def asking(*titles: str, body: str = "Which?") -> dict[str, Any]:
    """A message with reply buttons."""
    replies = [{"type": "reply", "reply": {"id": f"id-{title}", "title": title}} for title in titles]
    return {
        "type": "interactive",
        "interactive": {"type": "button", "body": {"text": body}, "action": {"buttons": replies}},
    }


def listing(*rows: dict[str, Any], label: str = "Choose") -> dict[str, Any]:
    """A message with a list."""
    action = {"button": label, "sections": [{"rows": list(rows)}]}
    return {"type": "interactive", "interactive": {"type": "list", "body": {"text": "Which?"}, "action": action}}


@pytest.fixture
async def open_city(free_port) -> AsyncIterator[Callable[..., Any]]:
    """Open a simulator with its app: `await open_city(store=path)`; closed after the test."""
    closers: list[Callable[[], Any]] = []

    async def open_one(*, app: App | None = None, **options: Any) -> City:
        app = app or App()
        app_runner, app_url = await serve(app.build())
        closers.append(app_runner.cleanup)
        business = Business(
            hook=f"{app_url}/hook", access_token="right", app_secret=SECRET, verify_token="a verify token"
        )
        simulator = Simulator(token=TOKEN, whatsapp=business, **options)
        root = web.Application()
        root.add_subapp("/simulator", simulator.build_app())
        runner, url = await serve(root)
        closers.append(runner.cleanup)
        http = aiohttp.ClientSession()
        closers.append(http.close)
        people = simulator.whatsapp.people()
        if people:
            return City(simulator, app, url, http, people[0])
        person = simulator.whatsapp.add_person(name="Anna Reed", phone=PHONE)
        person.send("Hello")
        await app.until(lambda: app.messages)
        return City(simulator, app, url, http, person)

    yield open_one
    for close in reversed(closers):
        await close()


@pytest.fixture
async def city(open_city) -> City:
    return await open_city()
