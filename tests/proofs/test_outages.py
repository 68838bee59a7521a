"""PostgreSQL and Valkey go away, in two ways, and come back: nobody has to start anything of ours again."""

import asyncio
import time
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, unquote, urlsplit

import aiohttp
import pytest

from tests.bot.conftest import bot_message
from tests.proofs.conftest import WAY_IN, Guest, all_is_said, assert_nothing_is_lost_or_doubled, sized
from tests.proofs.relay import Relay

pytestmark = pytest.mark.prove
# Scaled down, the rest of the tests run beside it.
HEALTHY_WITHIN_SECONDS = sized(30, 10)


def postgres_of(url: str) -> tuple[str | tuple[str, int], str]:
    """Where the server listens, and the address of the same base through a port that is to be filled in."""
    parts = urlsplit(url)
    host = unquote(dict(parse_qsl(parts.query)).get("host", parts.hostname or "127.0.0.1"))
    port = parts.port or 5432
    target: str | tuple[str, int] = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)
    return target, f"postgres://{parts.username}:{parts.password or ''}@127.0.0.1:%d{parts.path}"


def valkey_of(url: str) -> tuple[str | tuple[str, int], str]:
    """The same for Valkey."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        number = dict(parse_qsl(parts.query)).get("db", "0")
        return parts.path, f"redis://127.0.0.1:%d/{number}"
    return (parts.hostname or "127.0.0.1", parts.port or 6379), f"redis://127.0.0.1:%d{parts.path}"


@pytest.fixture
async def lines(environment) -> AsyncIterator[dict[str, Relay]]:
    """The lines to both servers, by the name of the setting that leads there."""
    opened = {}
    for name, read in (("DATABASE_URL", postgres_of), ("REDIS_URL", valkey_of)):
        target, address = read(environment[name])
        opened[name] = relay = Relay(target)
        await relay.open()
        environment[name] = address % relay.port
    yield opened
    for relay in opened.values():
        await relay.close()


OUTAGES = [(server, way) for server in ("DATABASE_URL", "REDIS_URL") for way in ("cut", "silent")]


async def test_what_was_away_is_back_and_so_are_we(environment, lines, processes, newcomer):
    guest = Guest(newcomer())
    [process] = await processes.start_some(1)
    for step in WAY_IN:
        await guest.take(step)
    await guest.person.wait_for(bot_message("Добро пожаловать"))
    health = f"http://127.0.0.1:{environment['REGULARS_PORT']}/health/ready"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as browser:

        async def is_healthy() -> bool:
            try:
                async with browser.get(health) as answer:
                    return answer.status == 200
            except (aiohttp.ClientError, TimeoutError):
                return False

        for server, way in OUTAGES * sized(1, 3):
            line = lines[server]
            assert await is_healthy()
            if way == "cut":
                await line.cut()
            else:
                line.fall_silent()
            guest.write("/balance")
            await asyncio.sleep(sized(4, 15))
            assert not await is_healthy()
            await line.mend()
            back = time.monotonic()
            while not await is_healthy():
                assert time.monotonic() - back < HEALTHY_WITHIN_SECONDS, (server, way)
                await asyncio.sleep(0.1)
            guest.write("/settings")
            await asyncio.wait_for(all_is_said([guest]), HEALTHY_WITHIN_SECONDS - (time.monotonic() - back))
    assert process.is_alive()
    await assert_nothing_is_lost_or_doubled([guest], processes)
