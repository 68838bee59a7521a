"""Updates that arrive by webhook, acknowledged when durable, beside the same server without a database.

The limit is a bare aiohttp handler that reads the body and answers 200. Ours checks the secret, parses the
update, commits it with those that arrived meanwhile, and answers. 64 connections from a process of its own.
"""

import asyncio
import gc
import statistics
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from bot.channels.base import Hook
from bot.channels.telegram import TelegramChannel
from bot.intake import Intake
from bot.webhooks import PREFIX, Webhooks
from loyalty import db
from loyalty.bell import hung
from loyalty.clock import system_now
from tests.bench._caller import CONNECTIONS, SECRET
from tests.bench._shop import PORT, BenchShop, seeded_shop

UPDATES = 10_000
ROUNDS = 5


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", PORT).start()
    yield
    await runner.cleanup()


async def bare(request: web.Request) -> web.Response:
    await request.read()
    return web.Response()


async def called(path: str, first: int) -> float:
    """How many a second were answered."""
    command = ["-m", "tests.bench._caller", str(PORT), path, str(first), str(UPDATES)]
    caller = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    said, _ = await caller.communicate()
    if caller.returncode:
        sys.exit("a call was not answered with 200")
    return float(said)


async def measure(shop: BenchShop) -> None:
    await db.open_database(shop.database_url)
    channel = TelegramChannel("1:benchmark", "http://127.0.0.1:9", Hook("https://club.example.com", SECRET))
    webhooks = Webhooks((channel.name,))
    app = web.Application()
    app.router.add_post("/bare", bare)
    app.add_subapp(PREFIX, webhooks.build_app())
    figures: dict[str, list[float]] = {"bare": [], "durable": []}
    async with hung(shop.redis_url) as bell, serving(app):
        with webhooks.listening(channel, Intake(channel, bell, system_now).store):
            gc.collect()
            gc.freeze()
            for number in range(ROUNDS):
                figures["bare"].append(await called("/bare", 1))
                figures["durable"].append(await called(f"{PREFIX}/telegram", 1 + number * UPDATES))
    kept = await db.fetch_value("SELECT count(*) FROM incoming_update WHERE source = $1", channel.source)
    commits = await db.fetch_value(
        "SELECT count(DISTINCT xmin::text) FROM incoming_update WHERE source = $1", channel.source
    )
    await channel.close()
    await db.close_database()
    if kept != ROUNDS * UPDATES:
        sys.exit(f"{kept} of {ROUNDS * UPDATES} updates kept")
    report(figures, kept / commits)


def report(figures: Mapping[str, Sequence[float]], together: float) -> None:
    print(f"updates a second, median of {ROUNDS} rounds of {UPDATES}, {CONNECTIONS} connections, fsync on")
    for name, words in (
        ("bare", "no database: aiohttp reads the body and answers"),
        ("durable", "webhook: checked, parsed, committed, answered"),
    ):
        values = figures[name]
        print(f"  {words:<54} {statistics.median(values):7.0f}  ({min(values):.0f}–{max(values):.0f})")
    pairs = [ours / limit for ours, limit in zip(figures["durable"], figures["bare"], strict=True)]
    print(f"  webhook : no database  {statistics.median(pairs):.2f} (pairs {min(pairs):.2f}–{max(pairs):.2f})")
    print(f"  {together:.0f} updates a commit")


def main() -> None:
    with seeded_shop(30) as shop:
        asyncio.run(measure(shop))


if __name__ == "__main__":
    main()
