"""The panel's pages through HTTP, as an owner who has signed in asks for them, one after the other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

import aiohttp

from regulars.seed import DEMO_LOGINS


@asynccontextmanager
async def signed_in(address: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A session of the demo's owner at this address."""
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address without a name
    async with aiohttp.ClientSession(address, headers={"Sec-Fetch-Site": "same-origin"}, cookie_jar=jar) as session:
        email, password, _ = DEMO_LOGINS[0]
        async with session.post("/login", data={"email": email, "password": password}):
            pass
        yield session


async def page_times(session: aiohttp.ClientSession, path: str, times: int) -> tuple[list[float], list[float]]:
    """Milliseconds to the first byte of the answer and to its last, so many times after one that warms up."""
    asked = [await _asked(session, path) for _ in range(times + 1)][1:]
    return [first for first, _ in asked], [whole for _, whole in asked]


def p95(times: list[float]) -> float:
    """What nineteen of twenty do not exceed."""
    return sorted(times)[int(len(times) * 0.95)]


async def _asked(session: aiohttp.ClientSession, path: str) -> tuple[float, float]:
    began = perf_counter()
    async with session.get(path) as answer:
        first = perf_counter()
        await answer.read()
        assert answer.status == 200, (path, answer.status)
    return (first - began) * 1000, (perf_counter() - began) * 1000
