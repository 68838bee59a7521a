"""What may not get into a log."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from regulars.logs import AccessLogger, configure_logging


@pytest.fixture
def logged() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The records written so far."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging(stream=stream, terminal=False)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def broken() -> None:
    raise ValueError("duplicate key\nDETAIL:  Key (phone)=(+79990001122) already exists.")


def test_personal_keys_lose_their_value(logged):
    structlog.get_logger("a").info("made", customer_id=7, phone="+79990001122", person={"Email": "a@b.c", "points": 3})
    logging.getLogger("b").warning("sent", extra={"text": "hello", "campaign_id": 4})
    first, second = logged()
    assert (first["customer_id"], first["phone"]) == (7, "[dropped]")
    assert first["person"] == {"Email": "[dropped]", "points": 3}
    assert (second["campaign_id"], second["text"]) == (4, "[dropped]")


def test_values_quoted_by_the_base_are_dropped(logged):
    try:
        broken()
    except ValueError:
        logging.getLogger("b").exception("failed")
    (record,) = logged()
    assert "+7999" not in json.dumps(record)
    assert "duplicate key" in record["exception"]


def test_the_pool_tells_of_an_outage_in_one_line(logged):
    try:
        broken()
    except ValueError:
        logging.getLogger("asyncpg.pool").warning("Failed to restore the pool", exc_info=True)
    (record,) = logged()
    assert record["kind"] == "ValueError"
    assert "exception" not in record


async def test_a_request_is_logged_by_its_route(logged):
    async def show(_request: web.Request) -> web.Response:
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_get("/invite/{token}", show)
    server = TestServer(app)
    await server.start_server(access_log_class=AccessLogger)
    async with TestClient(server) as client:
        await client.get("/invite/hushhush?phone=79990001122")
        await client.get("/nothing/79990001122")
    records = [record for record in logged() if record["event"] == "request"]
    assert [(record["route"], record["status"]) for record in records] == [("/invite/{token}", 200), ("(unknown)", 404)]
    assert "79990001122" not in json.dumps(records)
