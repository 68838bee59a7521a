"""Sending beside aiogram's own Bot on the same sink: messages a second, in turns; and whether the rate stays.

The limit is aiogram's `send_message`, fifty calls at once, from a list in memory. Ours takes each message from the
outbox, commits that its call begins, calls through the same library, and commits what became of it. Then as many beside
aiogram-broadcaster, which keeps who is left in Redis. The pace is off: it is measured by itself, four processes that
share it through Redis.
"""

import asyncio
import gc
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count, pairwise
from pathlib import Path
from time import perf_counter, sleep

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram_broadcaster import Broadcaster
from aiogram_broadcaster.contents import TextContent
from aiogram_broadcaster.storages.redis import RedisStorage
from redis.asyncio import Redis

from bot.channels.telegram import TelegramChannel
from bot.pace import Limits, Pace
from bot.sender import IN_FLIGHT, sending
from loyalty import db
from loyalty.bell import hung
from loyalty.clock import system_now
from loyalty.conversations.actions.bulk import BulkMessage, queue_bulk
from loyalty.conversations.actions.messaging import set_manners
from loyalty.conversations.content import Content
from loyalty.conversations.rules import Manners, Quiet
from loyalty.customers.rules import Topic
from tests.bench._shop import PORT, BenchShop, seeded_shop
from tests.proofs.test_bulk import MANY_PEOPLE

TOKEN = "1:benchmark"
SINK = f"http://127.0.0.1:{PORT + 1}"
TEXT = "Good morning. The new menu is here: come and try it."
PEOPLE = 5_000
MANY = 10_000
ROUNDS = 5
KEPT = 10_000
LONG = 100_000
PARTS = 10
PACES = ((30, 10.0), (1_000, 10.0))
PROCESSES = 4
_runs = count(1)


@contextmanager
def sink() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, str(Path(__file__).with_name("_sink.py")), str(PORT + 1)])
    sleep(1)
    try:
        yield
    finally:
        process.kill()
        process.wait()


async def limit(bot: Bot) -> float:
    """aiogram alone."""
    chats = iter(range(MANY))

    async def send() -> None:
        for chat in chats:
            await bot.send_message(10**6 + chat, TEXT)

    began = perf_counter()
    await asyncio.gather(*(send() for _ in range(IN_FLIGHT)))
    return MANY / (perf_counter() - began)


async def broadcaster(bot: Bot, redis_url: str) -> float:
    """aiogram-broadcaster, which keeps after each message whom it still owes one."""
    storage = RedisStorage.from_url(redis_url)
    mailer = await Broadcaster(bot, storage=storage).create_mailer(
        range(10**6, 10**6 + KEPT), TextContent(text=TEXT), bot=bot
    )
    began = perf_counter()
    await mailer.start()
    rate = KEPT / (perf_counter() - began)
    await storage.redis.aclose()
    return rate


async def queue(accounts: Sequence[int], many: int) -> None:
    run = next(_runs)
    now = system_now()
    content = Content(text=TEXT)
    for first in range(0, many, PEOPLE):
        some = accounts[: min(PEOPLE, many - first)]
        copies = [BulkMessage(account, content, f"bench:{run}:{first}:{account}") for account in some]
        await queue_bulk(copies, topic=Topic.MARKETING, now=now)


async def sent_so_far(before: int) -> int:
    done: int = await db.fetch_value("SELECT count(*) FROM message WHERE id > $1 AND status = 'sent'", before)
    return done


async def ours(shop: BenchShop, channel: TelegramChannel, accounts: Sequence[int], many: int) -> list[float]:
    """Rates of each tenth, from the first to the last."""
    before: int = await db.fetch_value("SELECT coalesce(max(id), 0) FROM message")
    await queue(accounts, many)
    times = [perf_counter()]
    async with hung(shop.redis_url) as bell:
        limits = {channel.name: Limits(0)}
        async with sending(
            [channel], limits, shop.redis_url, card_key=b"x" * 32, stop_link=str, bell=bell, clock=system_now
        ):
            for part in range(1, PARTS + 1):
                while await sent_so_far(before) < many * part // PARTS:  # noqa: ASYNC110  they are sent beside
                    await asyncio.sleep(0.05)
                times.append(perf_counter())
    return [many / PARTS / (ends - begins) for begins, ends in pairwise(times)]


async def measure(shop: BenchShop) -> None:
    await db.open_database(shop.database_url)
    await db.execute(
        "UPDATE message SET status = 'cancelled', leased_until = NULL WHERE status IN ('queued', 'delayed')"
    )
    await set_manners(Manners(Quiet(0, 0)), now=system_now())
    # Cards beside those of the shop.
    people = MANY_PEOPLE.replace("to_char(number", "to_char(90000000 + number")
    accounts = [row["id"] for row in await db.fetch(people, PEOPLE)]
    channel = TelegramChannel(TOKEN, SINK)
    bot = Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(SINK), limit=IN_FLIGHT))
    figures: dict[str, list[float]] = {"limit": [], "ours": []}
    await limit(bot)
    await ours(shop, channel, accounts, MANY)
    gc.collect()
    gc.freeze()
    for _ in range(ROUNDS):
        figures["limit"].append(await limit(bot))
        figures["ours"].append(statistics.harmonic_mean(await ours(shop, channel, accounts, MANY)))
    report(figures)
    kept, theirs = (
        statistics.harmonic_mean(await ours(shop, channel, accounts, KEPT)),
        await broadcaster(bot, shop.redis_url),
    )
    print(f"  {KEPT} each: the outbox {kept:.0f}, aiogram-broadcaster {theirs:.0f}, {kept / theirs:.1f} times as many")
    parts = await ours(shop, channel, accounts, LONG)
    print(f"  {LONG} in a row, each tenth: {' '.join(f'{rate:.0f}' for rate in parts)}")
    print(f"  last tenth : first tenth  {parts[-1] / parts[0]:.2f}")
    await bot.session.close()
    await channel.close()
    await db.close_database()


def report(figures: Mapping[str, Sequence[float]]) -> None:
    print(f"messages a second, median of {ROUNDS} rounds of {MANY}, {IN_FLIGHT} calls at once, fsync on")
    for name, words in (("limit", "aiogram's Bot, from a list"), ("ours", "from the outbox, each outcome committed")):
        values = figures[name]
        print(f"  {words:<44} {statistics.median(values):7.0f}  ({min(values):.0f}–{max(values):.0f})")
    pairs = [mine / bare for mine, bare in zip(figures["ours"], figures["limit"], strict=True)]
    print(f"  outbox : aiogram's Bot  {statistics.median(pairs):.2f} (pairs {min(pairs):.2f}–{max(pairs):.2f})")


async def take(redis_url: str, rate: int, seconds: float) -> list[float]:
    """In one of the processes: take tokens as a sender does, and note when each was granted."""
    redis = Redis.from_url(redis_url)
    pace = Pace(redis, "telegram:bench", Limits(rate))
    granted: list[float] = []
    ends = perf_counter() + seconds
    while perf_counter() < ends:
        grant = await pace.take(IN_FLIGHT)
        now = perf_counter()
        granted.extend([now] * grant.count)
        await asyncio.sleep(grant.wait)
    await redis.aclose()
    return granted


def paces(redis_url: str) -> None:
    for rate, seconds in PACES:
        command = [sys.executable, "-m", "tests.bench.send", redis_url, str(rate), str(seconds)]
        takers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
        # The clock that perf_counter reads is the machine's: the processes' moments can be compared.
        granted = sorted(float(at) for taker in takers for at in taker.communicate()[0].split())
        begins, ends = granted[len(granted) // 10], granted[-len(granted) // 10]
        steady = [at for at in granted if begins <= at < ends]
        worst, first = 0, 0
        for number, at in enumerate(granted):
            while granted[first] <= at - 1:
                first += 1
            worst = max(worst, number - first + 1)
        print(
            f"  {PROCESSES} processes at {rate} a second: {len(steady) / (ends - begins):.2f}, worst second {worst}"
            f"  ({len(steady) / (ends - begins) / rate:.3f} of the rate)"
        )


def main() -> None:
    if len(sys.argv) > 1:
        url, rate, seconds = sys.argv[1:]
        print(*asyncio.run(take(url, int(rate), float(seconds))))
        return
    with seeded_shop(200) as shop, sink():
        asyncio.run(measure(shop))
        paces(shop.redis_url)


if __name__ == "__main__":
    main()
