"""Updates in a flood, some of them twice and in any order, at bots that are killed."""

import asyncio
import hashlib
import hmac
import json
from collections import Counter
from functools import partial
from random import Random
from typing import Any

import aiohttp
import pytest

from loyalty import db
from tests.bot.conftest import until
from tests.proofs.conftest import Processes, sized

SECRET = "fit-for-proofs-only"
PHONE_NUMBER_ID = "1000000"
CALLERS = 24
pytestmark = pytest.mark.prove


def telegram_call(number: int, chat: int) -> tuple[dict[str, str], bytes]:
    """An update of somebody who has not registered: each is answered by the first question."""
    person = {"id": 5_000_000 + chat, "is_bot": False, "first_name": f"Guest {chat}"}
    message = {
        "message_id": number,
        "date": 1_770_000_000 + number,
        "chat": {"id": person["id"], "type": "private"},
        "from": person,
        "text": f"Message {number}",
    }
    body = json.dumps({"update_id": number, "message": message}).encode()
    return {"X-Telegram-Bot-Api-Secret-Token": SECRET}, body


def whatsapp_call(number: int, chat: int) -> tuple[dict[str, str], bytes]:
    """The same in a signed webhook of Meta's, with a report of some other message beside it."""
    sender = f"7917{chat:07d}"
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550001111", "phone_number_id": PHONE_NUMBER_ID},
        "contacts": [{"profile": {"name": f"Guest {chat}"}, "wa_id": sender}],
        "messages": [
            {
                "from": sender,
                "id": f"wamid.{number}",
                "timestamp": str(1_770_000_000 + number),
                "type": "text",
                "text": {"body": f"Message {number}"},
            }
        ],
    }
    entry = {"id": "2000000", "changes": [{"field": "messages", "value": value}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={signature}"}, body


CALLS = {"telegram": telegram_call, "whatsapp": whatsapp_call}


async def deliver(caller: aiohttp.ClientSession, url: str, call: tuple[dict[str, str], bytes]) -> None:
    """As a messenger does: again and again, until it is taken. A bot that is killed takes nothing."""
    headers, body = call
    while True:
        try:
            async with caller.post(url, data=body, headers=headers) as answer:
                if answer.status == 200:
                    return
                assert answer.status == 503, await answer.text()
        except (aiohttp.ClientError, TimeoutError):
            pass
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("channel", list(CALLS))
async def test_what_was_acknowledged_is_stored_once_and_handled_once(environment, processes: Processes, channel):
    chance = Random(20_261_122)
    many, chats, kills = sized(300, 5_000), sized(30, 250), sized(2, 20)
    environment |= {
        "TELEGRAM_MODE": "webhook",
        "TELEGRAM_WEBHOOK_SECRET": SECRET,
        "REGULARS_PUBLIC_URL": f"http://127.0.0.1:{environment['REGULARS_PORT']}",
        "WHATSAPP_ACCESS_TOKEN": "made-up",
        "WHATSAPP_PHONE_NUMBER_ID": PHONE_NUMBER_ID,
        "WHATSAPP_APP_SECRET": SECRET,
        "WHATSAPP_VERIFY_TOKEN": "made-up",
        "WHATSAPP_API_URL": environment["TELEGRAM_API_URL"],
    }
    url = f"{environment['REGULARS_PUBLIC_URL']}/webhooks/{channel}"
    numbers = list(range(1, many + 1))
    # One of ten comes twice, and nothing comes in its order.
    coming = numbers + chance.sample(numbers, many // 10)
    chance.shuffle(coming)
    acknowledged: Counter[int] = Counter()

    async def call_all(caller: aiohttp.ClientSession) -> None:
        while coming:
            number = coming.pop()
            await deliver(caller, url, CALLS[channel](number, number % chats))
            acknowledged[number] += 1

    def is_reached(moment: int) -> bool:
        return acknowledged.total() >= moment or not coming

    bot = await processes.start("bot")
    await bot.has_started()
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as caller,
        asyncio.TaskGroup() as calling,
    ):
        for _ in range(CALLERS):
            calling.create_task(call_all(caller))
        for _ in range(kills):
            await until(partial(is_reached, acknowledged.total() + chance.randint(1, many // (kills + 1))))
            await bot.kill()
            bot = await processes.start("bot")
            await bot.has_started()
    await until(lambda: db.fetch_value("SELECT NOT EXISTS (SELECT FROM incoming_update WHERE state = 'new')"))
    assert sorted(acknowledged) == numbers
    stored = await db.fetch("SELECT state, count(*) AS many FROM incoming_update GROUP BY 1")
    assert [(row["state"], row["many"]) for row in stored] == [("done", many)]
    heard = await db.fetch_value(
        "SELECT count(DISTINCT content->>'text') = count(*) AND count(*) = $1 FROM message WHERE direction = 'in'", many
    )
    assert heard
    answered = await db.fetch_value(
        "SELECT count(DISTINCT split_part(dedupe_key, ':', 2)) FROM message WHERE direction = 'out'"
    )
    assert answered == many
    known = "SELECT count(*) FROM messenger_account WHERE channel IN ('telegram', 'whatsapp')"
    assert await db.fetch_value(known) == chats
    # Of those of a chat that waited together none went before an older one.
    assert processes.errors() == []
