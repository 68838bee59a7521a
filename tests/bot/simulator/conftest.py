"""The simulator on a loopback port, and bots that speak to it as to Telegram."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiohttp import web
from PIL import Image

from bot.simulator import Person, Simulator

TOKEN = "700000001:a-token-for-tests"


async def serve(app: web.Application, port: int = 0) -> tuple[web.AppRunner, str]:
    """Serve on loopback and answer the address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


@dataclass
class Town:
    """A running simulator, a bot and someone who has pressed Start.

    The bot is not typed: aiogram says Optional wherever Telegram may leave something out.
    """

    simulator: Simulator
    url: str
    bot: Any
    person: Person


@pytest.fixture
async def open_town() -> AsyncIterator[Callable[..., Awaitable[Town]]]:
    """Open a simulator of its own: `await open_town(store=path)`; closed after the test."""
    async with AsyncExitStack() as stack:

        async def open_one(**options: Any) -> Town:
            simulator = Simulator(token=TOKEN, **options)
            root = web.Application()
            root.add_subapp("/simulator", simulator.build_app())
            runner, url = await serve(root)
            stack.push_async_callback(runner.cleanup)
            bot = speak(url)
            stack.push_async_callback(hang_up, bot)
            person = simulator.people()[0] if simulator.people() else None
            if person is None:
                person = simulator.add_person(first_name="Ann", last_name="Reed", phone="+447400123456")
                person.start()
            return Town(simulator, url, bot, person)

        yield open_one


@pytest.fixture
async def town(open_town: Callable[..., Awaitable[Town]]) -> Town:
    return await open_town()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


def speak(url: str, token: str = TOKEN) -> Bot:
    """A bot of aiogram, as the product has it."""
    server = TelegramAPIServer.from_base(f"{url}/simulator/telegram")
    return Bot(token, session=AiohttpSession(api=server))


async def hang_up(bot: Bot) -> None:
    """Close the bot's connections without the pause that aiogram takes for encrypted ones."""
    assert isinstance(bot.session, AiohttpSession)
    if bot.session._session is not None:
        await bot.session._session.close()


def picture(side: int = 40, colour: str = "red", kind: str = "PNG") -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (side * 2, side), colour).save(drawn, kind)
    return drawn.getvalue()
