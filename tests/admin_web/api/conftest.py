"""A program that calls the panel from outside: no cookies, no browser's headers, a key."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from admin_web.app import build_app
from admin_web.keys import CLOCK
from loyalty.settings import Settings
from loyalty.staff.actions import add_key
from loyalty.staff.rules import COMMAND, Scope
from tests.admin_web.conftest import START, Clock, Panel

MakeKey = Callable[..., Awaitable[str]]


@pytest.fixture
def make_key(database: Any) -> MakeKey:
    """Make a key; its text."""

    async def make(*scopes: Scope, locations: Collection[int] | None = None, name: str = "Till") -> str:
        return await add_key(name, scopes or tuple(Scope), locations, actor=COMMAND, now=START)

    return make


@pytest.fixture
async def server(database: Any, settings: Settings, clock: Clock) -> AsyncIterator[Panel]:
    """The real application; nobody says who calls."""
    app = await build_app(settings.model_copy(update={"api_rate": 10_000}))
    app[CLOCK] = clock.now
    async with TestClient(TestServer(app), headers={"Accept-Language": "en"}) as client:
        yield client


class Api:
    """Calls with one key."""

    def __init__(self, server: Panel, key: str) -> None:
        self.server = server
        self.headers = {"Authorization": f"Bearer {key}"}

    async def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        headers = self.headers | more.pop("headers", {})
        return await self.server.request(method, f"/api/v1{path}", json=body, headers=headers, **more)

    async def get(self, path: str, *, status: int = 200, **query: Any) -> Any:
        answer = await self("GET", path, params=query)
        assert answer.status == status, await answer.text()
        return await answer.json(content_type=None)

    async def post(self, path: str, body: Any, *, status: int) -> Any:
        answer = await self("POST", path, body)
        assert answer.status == status, await answer.text()
        return await answer.json(content_type=None)


@pytest.fixture
async def api(server: Panel, make_key: MakeKey) -> Api:
    """A program that may do everything."""
    return Api(server, await make_key())


@pytest.fixture
def program(server: Panel, make_key: MakeKey) -> Callable[..., Awaitable[Api]]:
    """A program with some scopes and locations."""

    async def make(*scopes: Scope, **more: Any) -> Api:
        return Api(server, await make_key(*scopes, **more))

    return make
