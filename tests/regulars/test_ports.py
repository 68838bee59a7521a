"""What answers at the port, and which parts listen there."""

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from admin_web.app import build_app
from bot.webhooks import PREFIX, Webhooks
from loyalty.settings import Settings, TelegramMode
from regulars.ports import BODY_LIMIT, Beside, side_by_side
from regulars.processes import describe, needs_port, parts_named
from tests.conftest import in_own_loop

SECRET = "correct-horse_battery-staple"


async def test_the_panel_keeps_its_checks_beside_the_webhooks(database, settings):
    panel = await build_app(settings)
    app = side_by_side(panel, Beside({PREFIX: Webhooks(("telegram",), patience=0.1).build_app()}))
    async with TestClient(TestServer(app)) as client:
        answers = {}
        for path in ("/login", "/webhooks", "/webhooksome", "/nowhere", "/webhooks/viber"):
            async with client.get(path) as answer:
                answers[path] = (answer.status, "Content-Security-Policy" in answer.headers)
        async with client.post("/login", data={"email": "a"}, headers={"Sec-Fetch-Site": "cross-site"}) as answer:
            assert answer.status == 403
        async with client.post("/webhooks/telegram", data=b"{}") as answer:
            assert answer.status == 503
    assert answers == {
        "/login": (200, True),
        "/webhooks": (404, False),
        "/webhooksome": (404, True),
        "/nowhere": (404, True),
        "/webhooks/viber": (404, False),
    }


async def test_the_limit_of_a_body_is_the_ports(database, settings):
    async def length(request: web.Request) -> web.Response:
        return web.json_response(len(await request.read()))

    async def sent(limit: int, size: int) -> int:
        neighbour = web.Application()
        neighbour.router.add_post("/", length)
        app = side_by_side(await build_app(settings), Beside({"/beside": neighbour}, body_limit=limit))
        async with TestClient(TestServer(app)) as client, client.post("/beside/", data="x" * size) as answer:
            return answer.status

    assert await sent(BODY_LIMIT, 1_000_000) == 200
    assert await sent(1000, 1001) == 413


@pytest.mark.parametrize(
    ("mode", "listening"),
    [
        (TelegramMode.POLLING, {"web": True, "bot": False, "worker": False, "scheduler": False}),
        (TelegramMode.WEBHOOK, {"web": True, "bot": True, "worker": False, "scheduler": False}),
    ],
)
def test_only_parts_that_are_called_take_the_port(mode, listening):
    settings = Settings().model_copy(update={"telegram_mode": mode})
    assert {name: needs_port(settings, parts_named([name])) for name in listening} == listening


def test_parts_that_listen_nowhere_claim_no_address():
    settings = Settings()
    assert describe(settings, parts_named(["web", "worker"])) == f"Regulars serves at {settings.public_url}"
    assert describe(settings, parts_named(["worker", "bot"])) == "Regulars runs: bot, worker"
    called = settings.model_copy(update={"telegram_mode": TelegramMode.WEBHOOK})
    assert describe(called, parts_named(["bot"])) == f"Regulars serves at {settings.public_url}"


CALLED = {
    "TELEGRAM_BOT_TOKEN": "4242:made-up",
    "TELEGRAM_MODE": "webhook",
    "TELEGRAM_WEBHOOK_SECRET": SECRET,
    # Nobody is there: updates come and are kept all the same.
    "TELEGRAM_API_URL": "http://127.0.0.1:9",
}


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(("parts", "has_panel"), [(["bot"], False), (["web", "bot"], True)])
def test_a_called_bot_listens_with_the_panel_or_alone(environment, database_url, parts, has_panel):
    command = [sys.executable, "-m", "regulars", "run", *parts]
    process = subprocess.Popen(command, env=environment | CALLED, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    address = f"http://127.0.0.1:{environment['REGULARS_PORT']}"
    try:
        end = time.monotonic() + 30
        # Until the bot is loaded, the door says so.
        while (status := asked(f"{address}/webhooks/telegram", b'{"update_id": 7}')) in {0, 503}:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert status == 200
        assert asked(f"{address}/webhooks/telegram", b'{"update_id": 8}', secret="guess") == 403
        assert asked(f"{address}/health/ready") == 200
        assert asked(f"{address}/metrics") == 200
        assert asked(f"{address}/login") == (200 if has_panel else 404)
    finally:
        process.send_signal(signal.SIGTERM)
        _, logged = process.communicate(timeout=20)
    assert process.returncode == 0
    assert SECRET.encode() not in logged
    assert stored_in(database_url) == ["7"]


def stored_in(database_url: str) -> list[str]:
    found: list[str] = []

    async def look() -> None:
        connection = await asyncpg.connect(database_url)
        found.extend(await connection.fetchval("SELECT array_agg(external_id) FROM incoming_update"))
        await connection.close()

    in_own_loop(look)
    return found


def asked(url: str, body: bytes | None = None, *, secret: str = SECRET) -> int:
    """The status of an answer; 0 when nobody listens."""
    request = urllib.request.Request(url, data=body, headers={"X-Telegram-Bot-Api-Secret-Token": secret})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0
