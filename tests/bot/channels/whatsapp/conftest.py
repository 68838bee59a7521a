"""A door for WhatsApp's calls: the real application, the real channel, the real base."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.channels.whatsapp import WhatsAppChannel
from bot.intake import Intake
from bot.webhooks import PREFIX, Webhooks
from loyalty.bell import hung
from loyalty.clock import system_now
from tests.bot.channels.whatsapp.payloads import PHONE_NUMBER_ID

APP_SECRET = "a-secret-of-the-app"
VERIFY_TOKEN = "what-meta-was-told"
URL = "/webhooks/whatsapp"


def signed(body: bytes, secret: str = APP_SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}


async def post(caller: TestClient, call: object, headers: dict[str, str] | None = None) -> int:
    """The status of a call that brings this, signed unless `headers` say otherwise."""
    body = call if isinstance(call, bytes) else json.dumps(call).encode()
    async with caller.post(URL, data=BytesIO(body), headers=signed(body) if headers is None else headers) as answer:
        return answer.status


@pytest.fixture
async def channel() -> AsyncIterator[WhatsAppChannel]:
    channel = WhatsAppChannel(
        access_token="token",
        phone_number_id=PHONE_NUMBER_ID,
        app_secret=APP_SECRET,
        verify_token=VERIFY_TOKEN,
        api_url="http://127.0.0.1:9",
    )
    yield channel
    await channel.close()


@pytest.fixture
def webhooks() -> Webhooks:
    return Webhooks(("whatsapp", "telegram"), patience=0.3)


@pytest.fixture
async def caller(webhooks) -> AsyncIterator[TestClient]:
    app = web.Application()
    app.add_subapp(PREFIX, webhooks.build_app())
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
async def intake(database, redis_url, channel) -> AsyncIterator[Intake]:
    async with hung(redis_url) as bell:
        yield Intake(channel, bell, system_now)


@pytest.fixture
def listening(webhooks, channel, intake):
    with webhooks.listening(channel, intake.store_now):
        yield
