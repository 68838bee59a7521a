"""News of conversations: who is told, of what, and when the telling ends."""

import asyncio
import sys

import pytest
from aiohttp.test_utils import TestClient, TestServer

from admin_web.app import build_app
from admin_web.keys import CLOCK
from admin_web.pages import conversation_events
from loyalty.bell import hung
from loyalty.conversations.actions import staff
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import START, send_login
from tests.builders import an_account

PATH = "/conversations/events"


@pytest.fixture
async def panel(database, settings, clock, redis_url, monkeypatch):
    """The panel with a bell, which looks often at who listens."""
    monkeypatch.setattr(conversation_events, "CHECK_SECONDS", 0.1)
    async with hung(redis_url) as bell:
        app = await build_app(settings, bell=bell)
        app[CLOCK] = clock.now
        headers = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "en"}
        async with TestClient(TestServer(app), headers=headers) as client:
            yield client


async def line(stream, *, within: float = 3) -> str:
    """The next line of news."""
    async with asyncio.timeout(within):
        while True:
            text = (await stream.content.readline()).decode()
            if not text:
                return "the end"
            if text.startswith("data: "):
                return text.removeprefix("data: ").strip()


@pytest.mark.parametrize("role", list(Role))
async def test_only_those_who_read_messages_are_told(panel, sign_in_as, role):
    await sign_in_as(role)
    async with panel.get(PATH) as answer:
        may = role in {Role.OWNER, Role.MARKETER, Role.SUPPORT}
        assert answer.status == (200 if may else 403)


async def test_nobody_is_told_who_has_not_signed_in(panel):
    answer = await panel.get(PATH, allow_redirects=False)
    assert answer.status == 303


async def test_an_act_is_told_as_its_account_and_nothing_more(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    account_id = await an_account(name="Секретное имя")
    async with panel.get(PATH) as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert stream.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in stream.headers["Content-Security-Policy"]
        await staff.write_to(account_id, "Секретные слова", key="k", actor=COMMAND, now=START)
        assert await line(stream) == str(account_id)


async def test_a_commit_of_another_process_is_told(panel, sign_in_as, redis_url):
    await sign_in_as(Role.SUPPORT)
    async with panel.get(PATH) as stream:
        await asyncio.sleep(0.1)
        command = (
            "import asyncio, sys\n"
            "from redis.asyncio import Redis\n"
            "from loyalty.bell import Bell\n"
            "async def main():\n"
            "    redis = Redis.from_url(sys.argv[1])\n"
            "    bell = Bell(redis)\n"
            "    bell.ring('conversations:123')\n"
            "    await bell.fall_silent()\n"
            "    await redis.aclose()\n"
            "asyncio.run(main())\n"
        )
        other = await asyncio.create_subprocess_exec(sys.executable, "-c", command, redis_url)
        assert await line(stream, within=15) == "123"
        assert await other.wait() == 0


async def test_it_ends_when_its_person_signs_out_elsewhere_too(panel, sign_in_as, database):
    person = await sign_in_as(Role.SUPPORT)
    async with panel.get(PATH) as stream:
        await panel.post("/logout")
        assert await line(stream) == "the end"
    await send_login(panel, person.email)
    async with panel.get(PATH) as stream:
        await database.execute("UPDATE staff_member SET role = 'cashier'")
        assert await line(stream) == "the end"


async def test_listening_keeps_no_session_alive(panel, sign_in_as, clock):
    await sign_in_as(Role.SUPPORT)
    async with panel.get(PATH) as stream:
        clock.move(days=8)
        assert await line(stream) == "the end"


async def test_a_process_that_ends_does_not_wait_for_those_who_listen(database, settings, clock, redis_url, hire):
    async with hung(redis_url) as bell:
        app = await build_app(settings, bell=bell)
        app[CLOCK] = clock.now
        client = TestClient(TestServer(app), headers={"Sec-Fetch-Site": "same-origin"})
        await client.start_server()
        person = await hire(Role.SUPPORT)
        await send_login(client, person.email)
        streams = [await client.get(PATH) for _ in range(5)]
        async with asyncio.timeout(30):
            await app.shutdown()
            for stream in streams:
                assert await line(stream) == "the end"
        await client.close()


async def test_without_a_bell_browsers_come_again_after_a_while(database, settings, clock, hire):
    app = await build_app(settings)
    app[CLOCK] = clock.now
    async with TestClient(TestServer(app), headers={"Sec-Fetch-Site": "same-origin"}) as client:
        person = await hire(Role.SUPPORT)
        await send_login(client, person.email)
        assert await (await client.get(PATH)).text() == "retry: 60000\n\n"
