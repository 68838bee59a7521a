"""Messengers that call us: who is let in, what is kept, and when it is acknowledged."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from itertools import count

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from bot.channels.base import Hook
from bot.channels.telegram import TelegramChannel
from bot.channels.telegram import channel as telegram
from bot.intake import Intake
from bot.webhooks import PREFIX, Webhooks
from loyalty import db
from loyalty.bell import hung
from loyalty.clock import system_now
from loyalty.conversations.rules import Arrived
from loyalty.settings import TelegramMode
from tests.bot.conftest import TOKEN, bot_message, register, talking, until, until_sql

SECRET = "correct-horse_battery-staple"
WITH_SECRET = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
NUMBERS = count(1)
THE_WRITER_STANDS_STILL = (
    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'relation' AND datname = current_database())"
)

END_THEM = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE wait_event = 'relation' AND datname = current_database()"
)


@pytest.fixture
def webhooks() -> Webhooks:
    return Webhooks(("telegram",), patience=0.3)


@pytest.fixture
async def caller(webhooks) -> AsyncIterator[TestClient]:
    """Whoever calls us, before the door."""
    app = web.Application()
    app.add_subapp(PREFIX, webhooks.build_app())
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
def called_settings(bot_settings, caller):
    return bot_settings.model_copy(
        update={
            "public_url": str(caller.make_url("/")).rstrip("/"),
            "telegram_mode": TelegramMode.WEBHOOK,
            "telegram_webhook_secret": SecretStr(SECRET),
        }
    )


@pytest.fixture
async def channel(called_settings) -> AsyncIterator[TelegramChannel]:
    hook = Hook("https://club.example.com/webhooks/telegram", SECRET)
    channel = TelegramChannel(TOKEN, called_settings.telegram_api_url, hook)
    yield channel
    await channel.close()


@pytest.fixture
async def intake(database, redis_url, channel) -> AsyncIterator[Intake]:
    async with hung(redis_url) as bell:
        yield Intake(channel, bell, system_now)


@pytest.fixture
def listening(webhooks, channel, intake):
    with webhooks.listening(channel, intake.store_now):
        yield


def a_text(**more) -> dict:
    number = next(NUMBERS)
    chat = {"id": 7_000_000 + number, "type": "private", "first_name": "Мария"}
    message = {"message_id": number, "date": 0, "chat": chat, "from": {**chat, "is_bot": False}, "text": "Баланс"}
    return {"update_id": number, "message": message, **more}


async def post(caller: TestClient, update: object, headers: dict[str, str] | None = None) -> int:
    body = update if isinstance(update, bytes) else json.dumps(update).encode()
    async with caller.post(
        "/webhooks/telegram", data=body, headers=WITH_SECRET if headers is None else headers
    ) as answer:
        return answer.status


async def stored() -> int:
    return await db.fetch_value("SELECT count(*) FROM incoming_update")


@asynccontextmanager
async def nothing_can_be_stored(database_url: str) -> AsyncIterator[None]:
    """Writers of updates stand still meanwhile."""
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE incoming_update IN EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


@pytest.mark.usefixtures("shop")
async def test_a_registration_goes_through_the_webhook_as_by_polling(
    simulator, called_settings, clock, webhooks, newcomer
):
    async with talking(called_settings, clock, webhooks):
        maria = newcomer("Мария")
        await register(maria)
        maria.send("Баланс")
        await maria.wait_for(bot_message("На карте"))
    called = [name for name, _ in simulator.calls]
    assert "getUpdates" not in called
    asked = next(fields for name, fields in simulator.calls if name == "setWebhook")
    assert asked["url"] == f"{called_settings.public_url}/webhooks/telegram"
    assert asked["secret_token"] == SECRET
    assert set(asked["allowed_updates"]) == {"message", "callback_query", "my_chat_member", "channel_post"}
    assert await db.fetch_value("SELECT bool_and(state = 'done') FROM incoming_update")


async def test_a_webhook_that_another_program_took_away_is_set_again(simulator, called_settings, channel, monkeypatch):
    monkeypatch.setattr(telegram, "CHECK_HOOK_SECONDS", 0.05)
    channel._hook = Hook("http://127.0.0.1:9/webhooks/telegram", SECRET)

    def times_set() -> int:
        return [name for name, _ in simulator.calls].count("setWebhook")

    async def store(_) -> None:
        raise AssertionError("nothing is fetched while Telegram calls us")

    keeping = asyncio.create_task(channel.receive(store))
    await until(lambda: times_set() == 1)
    simulator.telegram.webhook.url = ""
    await until(lambda: times_set() == 2)
    assert simulator.telegram.webhook.url == "http://127.0.0.1:9/webhooks/telegram"
    keeping.cancel()
    await asyncio.wait([keeping])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Telegram-Bot-Api-Secret-Token": ""},
        {"X-Telegram-Bot-Api-Secret-Token": SECRET[:-1]},
        {"X-Telegram-Bot-Api-Secret-Token": SECRET + " x"},
        {"X-Telegram-Bot-Api-Secret-Token": "тайна"},
        {"X-Telegram-Bot-Api-Secret-Token": "\udcff\udcfe"},
        {"Authorization": SECRET},
    ],
)
async def test_whoever_does_not_know_the_secret_is_turned_away(listening, caller, headers):
    assert await post(caller, a_text(), headers) == 403
    assert await stored() == 0


async def test_without_a_secret_of_ours_nobody_is_let_in(webhooks, caller, intake, channel):
    channel._hook = None
    with webhooks.listening(channel, intake.store_now):
        for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": ""}, WITH_SECRET):
            assert await post(caller, a_text(), headers) == 403
    assert await stored() == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b'{"update_id": 1', "body"),
        (b"\xff\xfe\xfd", "body"),
        (b"[" * 100_000, "body"),
        (b"[1]", "body"),
        (b"null", "body"),
        (b"{}", "update_id"),
        (b'{"update_id": "1"}', "update_id"),
        (b'{"update_id": true}', "update_id"),
        (b'{"update_id": 1.0}', "update_id"),
        (b'{"update_id": -1}', "update_id"),
        (b'{"update_id": 9223372036854775808}', "update_id"),
        (b'{"update_id": ' + b"9" * 5_000 + b"}", "body"),
    ],
)
async def test_what_is_no_update_is_refused_with_the_field(listening, caller, body, field):
    async with caller.post("/webhooks/telegram", data=body, headers=WITH_SECRET) as answer:
        assert answer.status == 400
        assert (await answer.json())["field"] == field
    assert await stored() == 0


async def test_other_doors_methods_and_sizes_are_refused(listening, caller):
    async with caller.post("/webhooks/viber", data=b"{}", headers=WITH_SECRET) as answer:
        assert answer.status == 404
    async with caller.get("/webhooks/telegram", headers=WITH_SECRET) as answer:
        assert answer.status == 405
    large = BytesIO(b'{"update_id": 1, "x": "' + b"x" * 2**20 + b'"}')
    async with caller.post("/webhooks/telegram", data=large, headers=WITH_SECRET) as answer:
        assert answer.status == 413
    squeezed = gzip.compress(b'{"update_id": 1, "x": "' + b"x" * 2**22 + b'"}')
    assert await post(caller, squeezed, {**WITH_SECRET, "Content-Encoding": "gzip"}) == 413
    assert await post(caller, b"no gzip", {**WITH_SECRET, "Content-Encoding": "gzip"}) == 400
    assert await stored() == 0


async def test_kinds_nobody_knows_are_kept_as_they_came(listening, caller):
    body = b'{"update_id": 5,  "shape_of_tomorrow": {"text": "\\ud83d \\u0000", "chat": {"id": 8}}}'
    assert await post(caller, body) == 200
    assert await post(caller, {"update_id": 6, "message": {"chat": {"id": 10**40}}}) == 200
    assert await post(caller, {"update_id": 7}) == 200
    rows = await db.fetch("SELECT external_id, source, chat, body, state FROM incoming_update ORDER BY 1")
    assert [(row["external_id"], row["chat"], row["state"]) for row in rows] == [
        ("5", "8", "new"),
        ("6", None, "new"),
        ("7", None, "new"),
    ]
    assert rows[0]["body"] == body
    assert rows[0]["source"] == "telegram:4242"


async def test_an_update_that_comes_again_is_acknowledged_and_kept_once(listening, caller):
    update = a_text()
    assert await asyncio.gather(*(post(caller, update) for _ in range(20))) == [200] * 20
    assert await post(caller, update) == 200
    assert await stored() == 1


async def test_an_update_is_acknowledged_only_when_it_is_committed(listening, caller, database_url):
    async with nothing_can_be_stored(database_url):
        posting = asyncio.create_task(post(caller, a_text()))
        await until_sql(THE_WRITER_STANDS_STILL)
        assert not posting.done()
    assert await posting == 200
    assert await stored() == 1


async def test_what_arrives_at_once_is_committed_together(listening, caller, database_url, intake):
    async with nothing_can_be_stored(database_url):
        posts = [asyncio.create_task(post(caller, a_text()))]
        await until_sql(THE_WRITER_STANDS_STILL)
        posts += [asyncio.create_task(post(caller, a_text())) for _ in range(49)]
        await until(lambda: len(intake._deliveries) == 49)
    assert await asyncio.gather(*posts) == [200] * 50
    assert await stored() == 50
    # The first had gone ahead; all who came while it was being written made one transaction.
    assert await db.fetch_value("SELECT count(DISTINCT xmin::text) FROM incoming_update") == 2


async def test_one_the_base_will_not_take_does_not_cost_the_others(intake, database_url):
    updates = [Arrived(str(number), number, "1", b"{}") for number in range(1, 30)]
    # No column holds these; what a channel has admitted holds neither.
    updates[17] = Arrived("80", 2**80, "1", b"{}")
    updates[23] = Arrived(str(24), 24, "a\x00b", b"{}")
    async with nothing_can_be_stored(database_url):
        storing = [asyncio.create_task(intake.store([updates[0]]))]
        await until_sql(THE_WRITER_STANDS_STILL)
        storing += [asyncio.create_task(intake.store([update])) for update in updates[1:]]
        await until(lambda: len(intake._deliveries) == 28)
    outcomes = await asyncio.gather(*storing, return_exceptions=True)
    assert [number for number, outcome in enumerate(outcomes) if outcome is not None] == [17, 23]
    assert await stored() == 27


async def test_a_base_that_is_away_is_said_at_once_and_costs_nothing(listening, caller, database, database_url):
    update = a_text()
    async with nothing_can_be_stored(database_url):
        posting = asyncio.create_task(caller.post("/webhooks/telegram", json=update, headers=WITH_SECRET))
        await until_sql(THE_WRITER_STANDS_STILL)
        await database.execute(END_THEM)
        async with await posting as answer:
            assert answer.status == 503
            assert answer.headers["Retry-After"] == "1"
    assert await post(caller, update) == 200
    assert await stored() == 1


async def test_what_was_fetched_waits_for_the_base(intake, database, database_url):
    async with nothing_can_be_stored(database_url):
        storing = asyncio.create_task(intake.store([Arrived(str(1), 1, "1", b"{}")]))
        await until_sql(THE_WRITER_STANDS_STILL)
        await database.execute(END_THEM)
        await until_sql(f"SELECT NOT ({THE_WRITER_STANDS_STILL})")
    await storing
    assert await stored() == 1


async def test_before_the_bot_is_there_messengers_are_told_to_come_again(caller, database):
    assert await post(caller, a_text()) == 503
    assert await stored() == 0


async def test_nothing_of_what_came_stands_in_the_log(listening, caller, capsys):
    await post(caller, a_text(update_id="Мария +79161234567"))
    await post(caller, a_text(), {"X-Telegram-Bot-Api-Secret-Token": "guessed-secret"})
    said = capsys.readouterr()
    for word in ("Мария", "7916", "guessed-secret", SECRET):
        assert word not in said.out + said.err
