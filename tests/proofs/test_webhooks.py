"""Two workers tell a program of the shop what happens; one is killed in the middle of its calls."""

import asyncio
import json
from collections import Counter

import pytest
from aiohttp import web

from loyalty import db
from loyalty.clock import system_now
from loyalty.staff.rules import COMMAND
from loyalty.webhooks.actions.endpoints import add_endpoint
from loyalty.webhooks.rules import AT_ONCE_EACH, Topic
from tests.bot.conftest import until, until_sql
from tests.builders import a_customer
from tests.proofs.conftest import sized

pytestmark = pytest.mark.prove

ENDPOINTS = 4


async def test_a_killed_worker_loses_no_event_and_doubles_only_its_calls_under_way(processes, database):
    heard: Counter[tuple[str, str]] = Counter()
    may_answer = asyncio.Event()

    async def take(request: web.Request) -> web.Response:
        heard[request.path, json.loads(await request.read())["id"]] += 1
        await may_answer.wait()
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/{name}", take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    for number in range(ENDPOINTS):
        url = f"http://127.0.0.1:{port}/{number}"
        await add_endpoint("Shop", url, [Topic.CUSTOMER], allow_local=True, actor=COMMAND, now=system_now())
    one, other = [await processes.start("worker", REGULARS_WEBHOOK_LOCAL="true") for _ in range(2)]
    await one.has_started()
    await other.has_started()
    many = sized(20, 200)
    for _ in range(many):
        await a_customer()
    await until(lambda: len(heard) == ENDPOINTS * AT_ONCE_EACH)
    await one.kill()
    held = [row["id"] for row in await db.fetch("SELECT id FROM webhook_delivery WHERE state = 'leased'")]
    assert len(held) == ENDPOINTS * AT_ONCE_EACH
    may_answer.set()
    # What the living one held is settled at once; the rest was the dead one's. Its minute passes.
    await asyncio.sleep(1)
    lapse = "UPDATE webhook_delivery SET leased_until = now() - interval '1 second'"
    await db.execute(f"{lapse} WHERE state = 'leased' AND id = ANY($1)", held)
    await until_sql("SELECT NOT EXISTS (SELECT FROM webhook_delivery WHERE state <> 'done')")
    assert len(heard) == ENDPOINTS * many
    assert sum(heard.values()) - len(heard) <= ENDPOINTS * AT_ONCE_EACH
    assert max(heard.values()) <= 2
    assert processes.errors() == []
    await runner.cleanup()
