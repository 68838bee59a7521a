"""The panel in this process: a client with cookies, a clock to set, people to sign in as."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from admin_web.app import build_app
from admin_web.keys import CLOCK
from loyalty.settings import Settings
from loyalty.staff.actions import accept_invitation, invite
from loyalty.staff.queries import StaffView
from loyalty.staff.rules import COMMAND, Role

PASSWORD = "a phrase to keep"
START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

Panel = TestClient[web.Request, web.Application]


class Clock:
    """Stands still until moved."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> datetime:
        return self.moment

    def move(self, **step: float) -> None:
        self.moment += timedelta(**step)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def panel(database: Any, settings: Settings, clock: Clock) -> AsyncIterator[Panel]:
    """Sends what a browser sends: where a request comes from, and which language is wanted."""
    app = await build_app(settings)
    app[CLOCK] = clock.now
    headers = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "en"}
    async with TestClient(TestServer(app), headers=headers) as client:
        yield client


@pytest.fixture
def hire(database: Any) -> Callable[..., Awaitable[StaffView]]:
    """Make an account that can sign in with PASSWORD."""

    async def make(role: Role = Role.OWNER, name: str = "Olga Kim", **more: Any) -> StaffView:
        email = more.pop("email", f"{role.value}@example.com")
        token = await invite(email, name, role, actor=COMMAND, now=START, **more)
        return await accept_invitation(token, PASSWORD, now=START)

    return make


@pytest.fixture
def sign_in_as(panel: Panel, hire: Callable[..., Awaitable[StaffView]]) -> Callable[..., Awaitable[StaffView]]:
    """Make an account and sign the client in."""

    async def enter(role: Role = Role.OWNER, **more: Any) -> StaffView:
        person = await hire(role, **more)
        await send_login(panel, person.email)
        return person

    return enter


async def send_login(panel: Panel, email: str, password: str = PASSWORD) -> Any:
    return await panel.post("/login", data={"email": email, "password": password}, allow_redirects=False)
