"""A turn of the chat beside aiogram's bare no-op: updates a second, in turns, in one process.

The limit is aiogram's webhook with a handler that does nothing. Ours stores the update durably, runs the
step of a registered customer's dialog on the base, and queues the reply with the session. Sending is measured
apart: it waits for the network.
"""

import asyncio
import gc
import statistics
import sys
from collections.abc import Mapping, Sequence
from itertools import count
from time import perf_counter
from typing import Any

import aiohttp
import redis.asyncio
from aiogram import Bot, Dispatcher
from aiogram.types import Message
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web

from bot.channels.telegram import TelegramChannel, arrived
from bot.intake import Intake
from bot.loops import end, for_ever
from loyalty import db
from loyalty.bell import Bell
from loyalty.clock import system_now
from loyalty.conversations.queries import pending_chats
from loyalty.customers.actions.accounts import know_account, link_account
from loyalty.staff.rules import COMMAND
from tests.bench._shop import PORT, BenchShop, seeded_shop

TOKEN = "1:benchmark"
WEBHOOK = f"http://127.0.0.1:{PORT}/webhook"
CHATS = 200
BATCH = 100
ROUNDS = 5
TURNS = 2_000
TEXTS = ("Баланс", "История", "/menu", "Во сколько вы закрываетесь?")
_numbers = count(1)


def an_update(chat: int) -> dict[str, Any]:
    number = next(_numbers)
    person = {"id": chat, "is_bot": False, "first_name": "Мария", "last_name": "Соколова", "language_code": "ru"}
    return {
        "update_id": number,
        "message": {
            "message_id": number,
            "date": 1_772_000_000,
            "chat": {"id": chat, "type": "private", "first_name": "Мария", "last_name": "Соколова"},
            "from": person,
            "text": TEXTS[number % len(TEXTS)],
        },
    }


def some_updates(many: int) -> list[dict[str, Any]]:
    return [an_update(10**9 + number % CHATS) for number in range(many)]


async def no_op(bot: Bot, dispatcher: Dispatcher) -> float:
    """aiogram alone: parsed, dispatched, nothing done."""
    updates = some_updates(TURNS)
    began = perf_counter()
    for update in updates:
        await dispatcher.feed_raw_update(bot, update)
    return TURNS / (perf_counter() - began)


async def over_http(client: aiohttp.ClientSession) -> float:
    """The limit: aiogram's own webhook handler with that no-op, 64 connections."""
    waiting = iter(some_updates(TURNS))

    async def post() -> None:
        for update in waiting:
            async with client.post(WEBHOOK, json=update) as answer:
                assert answer.status == 200

    began = perf_counter()
    await asyncio.gather(*(post() for _ in range(64)))
    return TURNS / (perf_counter() - began)


async def turns(intake: Intake) -> float:
    """Ours, as polling delivers them: a hundred at a time, while the turns are taken beside."""
    updates = some_updates(TURNS)
    began = perf_counter()
    for first in range(0, TURNS, BATCH):
        await intake.store([arrived(update) for update in updates[first : first + BATCH]])
    while intake._chats or await pending_chats(intake._channel.source):  # noqa: ASYNC110  they are taken beside
        await asyncio.sleep(0.01)
    return TURNS / (perf_counter() - began)


async def stored(intake: Intake) -> float:
    """Only kept durably, ready to be acknowledged."""
    updates = some_updates(TURNS)
    began = perf_counter()
    for first in range(0, TURNS, BATCH):
        await intake.store([arrived(update) for update in updates[first : first + BATCH]])
    rate = TURNS / (perf_counter() - began)
    await db.execute("UPDATE incoming_update SET state = 'ignored' WHERE state = 'new'")
    return rate


async def people() -> None:
    """A registered customer for each chat."""
    owners = await db.fetch("SELECT id FROM customer ORDER BY id LIMIT $1", CHATS)
    for number, row in enumerate(owners):
        account = await know_account(
            "telegram", str(10**9 + number), name="Мария Соколова", username=None, language="ru", now=system_now()
        )
        await link_account(account.id, row["id"], actor=COMMAND, now=system_now())


async def measure(shop: BenchShop) -> None:
    await db.open_database(shop.database_url)
    await people()
    bell = Bell(redis.asyncio.Redis.from_url(shop.redis_url))
    channel = TelegramChannel(TOKEN, "http://127.0.0.1:9")
    intake = Intake(channel, bell, system_now)
    bot, dispatcher = Bot(TOKEN), Dispatcher()

    @dispatcher.message()
    async def nothing(_: Message) -> None:
        """The handler of the limit."""

    taking = asyncio.create_task(for_ever("turns", intake.take_turns))
    db.listeners.append(bell.ring)
    app = web.Application()
    SimpleRequestHandler(dispatcher, bot, handle_in_background=False).register(app, "/webhook")
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", PORT).start()
    client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    await turns(intake)
    gc.collect()
    gc.freeze()
    figures: dict[str, list[float]] = {"no_op": [], "over_http": [], "turns": [], "stored": []}
    for _ in range(ROUNDS):
        figures["no_op"].append(await no_op(bot, dispatcher))
        figures["over_http"].append(await over_http(client))
        figures["turns"].append(await turns(intake))
    await end([taking], bell)
    figures["stored"] = [await stored(intake) for _ in range(ROUNDS)]
    failed = await db.fetch_value(
        "SELECT count(*) FROM incoming_update WHERE source = $1 AND state IN ('failed', 'new')", channel.source
    )
    replies = await db.fetch_value("SELECT count(*) FROM message WHERE direction = 'out' AND status = 'queued'")
    await client.close()
    await runner.cleanup()
    await channel.close()
    await db.close_database()
    if failed or not replies:
        sys.exit(f"{failed} turns failed, {replies} replies")
    report(figures)


def report(figures: Mapping[str, Sequence[float]]) -> None:
    print(f"updates a second, median of {ROUNDS} rounds of {TURNS}, fsync on")
    for name, words in (
        ("no_op", "aiogram alone: parse, call a handler that does nothing"),
        ("over_http", "the same behind aiogram's webhook, 64 connections"),
        ("turns", "whole turns: stored, step run, reply queued"),
        ("stored", "stored only, 100 at a time"),
    ):
        values = figures[name]
        print(f"  {words:<54} {statistics.median(values):7.0f}  ({min(values):.0f}–{max(values):.0f})")
    pairs = [ours / limit for ours, limit in zip(figures["turns"], figures["over_http"], strict=True)]
    print(f"  turns : webhook no-op  {statistics.median(pairs):.2f} (pairs {min(pairs):.2f}–{max(pairs):.2f})")


def main() -> None:
    with seeded_shop(400) as shop:
        asyncio.run(measure(shop))


if __name__ == "__main__":
    main()
