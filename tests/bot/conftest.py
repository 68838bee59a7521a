"""A bot that really talks: its channel is aiogram, its messenger the simulator on HTTP, its base real."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from inspect import isawaitable
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.app import limits_of, open_channels
from bot.intake import listening
from bot.sender import sending
from bot.simulator import Person, Simulator
from bot.webhooks import Webhooks
from loyalty import db
from loyalty.bell import hung
from loyalty.clock import system_now
from loyalty.conversations.actions.messaging import set_manners
from loyalty.conversations.rules import Manners, Quiet
from loyalty.conversations.stopping import stop_links
from loyalty.customers.rules import code_key
from loyalty.shop.actions import update_shop
from loyalty.staff.rules import COMMAND
from tests.conftest import SECRET_KEY

CARD_KEY = code_key(SECRET_KEY)
TOKEN = "4242:simulated-token"
PHONES = iter(f"+7917{number:07d}" for number in range(1000, 9_999_999))


@dataclass
class Clock:
    """The wall clock, which a test may put forward."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return system_now() + self.ahead


def bot_message(text: str) -> Callable[[dict[str, Any]], bool]:
    """A message whose text or caption holds `text`."""
    return lambda message: text in message.get("text", message.get("caption", ""))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def simulator(free_port) -> AsyncIterator[Simulator]:
    """The messenger, listening."""
    simulator = Simulator(token=TOKEN)
    app = web.Application()
    app.add_subapp("/simulator", simulator.build_app())
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", free_port).start()
    yield simulator
    await runner.cleanup()


@pytest.fixture
def bot_settings(settings, free_port):
    return settings.model_copy(
        update={
            "telegram_bot_token": SecretStr(TOKEN),
            "telegram_api_url": f"http://127.0.0.1:{free_port}/simulator/telegram",
            "telegram_rate": 0,
            "telegram_chat_seconds": 0,
        }
    )


@pytest.fixture
async def shop(database) -> None:
    await update_shop(
        name="Ладно, кофе",
        currency="RUB",
        region="RU",
        language="ru",
        time_zone="Europe/Moscow",
        actor=COMMAND,
        now=system_now(),
    )
    # Whatever the hour at which the tests run, nothing waits for the morning.
    await set_manners(Manners(Quiet(0, 0)), now=system_now())


@pytest.fixture
async def live_bot(shop, simulator, bot_settings, clock) -> AsyncIterator[None]:
    """Receiving, taking turns and sending, in this process."""
    async with talking(bot_settings, clock):
        yield


@asynccontextmanager
async def talking(settings, clock, webhooks: Webhooks | None = None) -> AsyncIterator[None]:
    """A bot at work, by polling or through `webhooks`."""
    async with AsyncExitStack() as stack:
        bell = await stack.enter_async_context(hung(settings.redis_url.get_secret_value()))
        channels = open_channels(settings)
        for channel in channels:
            stack.push_async_callback(channel.close)
        url = settings.database_url.get_secret_value()
        await stack.enter_async_context(listening(channels, url, bell, clock, webhooks))
        redis_url = settings.redis_url.get_secret_value()
        await stack.enter_async_context(
            sending(
                channels,
                limits_of(settings),
                redis_url,
                card_key=CARD_KEY,
                stop_link=stop_links(CARD_KEY, settings.public_url),
                bell=bell,
                clock=clock,
            )
        )
        yield


@pytest.fixture
def newcomer(simulator) -> Callable[..., Person]:
    def arrive(first_name: str = "Мария", *, phone: str | None = None, language: str = "ru", **more: Any) -> Person:
        return simulator.add_person(first_name=first_name, phone=phone or next(PHONES), language_code=language, **more)

    return arrive


def buttons_of(message: dict[str, Any]) -> dict[str, str]:
    """The buttons under a message: label -> data."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return {button["text"]: button["callback_data"] for row in rows for button in row}


async def tap(person: Person, message: dict[str, Any], label: str) -> None:
    """Press a button by its label."""
    person.tap(message["message_id"], buttons_of(message)[label])


async def register(
    person: Person,
    *,
    name: str = "Мария Соколова",
    birthday: str = "24.08.1991",
    invited_with: str = "",
    came_for: str = "",
) -> dict[str, Any]:
    """The way in, in Russian; returns the message that welcomes."""
    person.start(f"r_{invited_with}" if invited_with else f"j_{came_for}" if came_for else "")
    await tap(person, await person.wait_for(bot_message("На каком языке")), "Русский")
    await tap(person, await person.wait_for(bot_message("Вы согласны?")), "Согласен")
    await tap(person, await person.wait_for(bot_message("Можно писать вам об акциях")), "Да")
    await person.wait_for(bot_message("Поделитесь номером"))
    person.share_contact()
    await person.wait_for(bot_message("Как вас зовут?"))
    person.send(name)
    question = await person.wait_for(bot_message("Когда у вас день рождения?"))
    if birthday:
        person.send(birthday)
    else:
        await tap(person, question, "Пропустить")
    return await person.wait_for(bot_message("Добро пожаловать"))


def said_to(person: Person, text: str) -> list[dict[str, Any]]:
    """What the bot has said so far that holds `text`."""
    return [message for message in person.messages if not message["outgoing"] and bot_message(text)(message)]


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that happens beside the test; the test's own timeout bounds it."""
    while not (await found if isawaitable(found := condition()) else found):  # noqa: ASYNC110  no event tells of it
        await asyncio.sleep(0.02)


async def until_sql(question: str) -> None:
    """Wait until the base answers yes."""
    await until(lambda: db.fetch_value(question))
