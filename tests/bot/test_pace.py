"""One pace for all processes. Nothing here waits for a clock to be right: what is granted is never too much."""

import asyncio
import time

import pytest
from redis.asyncio import Redis

from bot.pace import Bucket, Limits, Pace

SOURCE = "telegram:4242"


@pytest.fixture
async def redis(settings, database):
    client = Redis.from_url(settings.redis_url.get_secret_value())
    await client.flushdb()
    yield client
    await client.aclose()


async def test_four_senders_share_one_rate(redis):
    senders = [Pace(redis, SOURCE, Limits(100)) for _ in range(4)]
    granted: list[float] = []

    async def take(pace: Pace) -> None:
        while len(granted) < 150:
            grant = await pace.take(5)
            granted.extend([time.monotonic()] * grant.count)
            await asyncio.sleep(grant.wait)

    began = time.monotonic()
    await asyncio.gather(*(take(pace) for pace in senders))
    # However late it is looked at: so many tokens are only there after so much time, but for the one and the reserve.
    for number, at in enumerate(granted):
        assert number <= (at - began) * 100 + 3
    worst = max(sum(at <= other < at + 1 for other in granted) for at in granted)
    assert worst <= 102


async def test_what_is_not_used_is_given_back(redis):
    pace = Pace(redis, SOURCE, Limits(1))
    assert (await pace.take(10)).count == 1
    assert (await pace.take(10)).count == 0
    await pace.give_back(1)
    assert (await pace.take(10)).count == 1


async def test_without_a_limit_everything_goes(redis):
    pace = Pace(redis, SOURCE, Limits(0))
    assert (await pace.take(50)).count == 50
    assert await pace.take_in_chats(["1", "2"]) == {"1": 0, "2": 0}


async def test_a_chat_takes_a_short_burst_and_then_one_at_a_time_whoever_sends(redis):
    limits = Limits(0, chat_seconds=60, chat_burst=3)
    first, second = Pace(redis, SOURCE, limits), Pace(redis, SOURCE, limits)
    assert [(await pace.take_in_chats(["7"]))["7"] for pace in (first, second, first)] == [0, 0, 0]
    waits = await second.take_in_chats(["7", "8"])
    assert 50 < waits["7"] <= 60
    assert waits["8"] == 0


async def test_two_accounts_of_ours_have_a_pace_each(redis):
    assert (await Pace(redis, SOURCE, Limits(1)).take(1)).count == 1
    assert (await Pace(redis, "whatsapp:1", Limits(1)).take(1)).count == 1


async def test_without_redis_each_sender_keeps_its_share_and_campaigns_wait():
    nowhere = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.2)
    pace = Pace(nowhere, SOURCE, Limits(10, chat_seconds=60, chat_burst=2))
    pace.live = 5
    first = await pace.take(50)
    assert (first.count, first.is_shared) == (1, False)
    # A fifth of ten a second: the next one is half a second away, less what a late taker may be late.
    assert 0 < first.wait <= 0.5
    assert (await pace.take(50)).count == 0
    assert [(await pace.take_in_chats(["7"]))["7"] > 0 for _ in range(3)] == [False, False, True]
    await nowhere.aclose()


def test_a_bucket_saves_up_no_more_than_its_tolerance():
    bucket, second = Bucket(), 1_000_000
    assert bucket.take(0, second, 0, 10) == (1, second)
    assert bucket.take(second // 2, second, 0, 10) == (0, second // 2)
    assert bucket.take(100 * second, second, 2 * second, 10)[0] == 3
