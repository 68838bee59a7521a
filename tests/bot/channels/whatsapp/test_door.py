"""WhatsApp calls us: who is let in, what is kept, and that no piece costs another."""

import asyncio
import json

import pytest

from loyalty import db
from tests.bot.channels.whatsapp.conftest import APP_SECRET, URL, VERIFY_TOKEN, post, signed
from tests.bot.channels.whatsapp.payloads import (
    ANNA,
    PHONE_NUMBER_ID,
    call,
    change,
    contact,
    every_kind,
    message,
    said,
    status,
    text,
)

KINDS = every_kind()
ASKED = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "1158201444"}


async def stored() -> int:
    return await db.fetch_value("SELECT count(*) FROM incoming_update")


async def test_every_kind_is_kept_and_taken(listening, caller, intake, shop):
    for body in KINDS.values():
        assert await post(caller, body) == 200
    assert await stored() == len(KINDS)
    for row in await db.fetch("SELECT id, source, position, chat, body FROM incoming_update ORDER BY position, id"):
        assert row["source"] == f"whatsapp:{PHONE_NUMBER_ID}"
        event = intake._channel.parse(row["body"])
        assert event is None or type(event).__name__ in {"Event", "Progress", "TemplateNews"}


async def test_several_of_everything_in_one_call_are_all_kept(listening, caller):
    def filled(number: int) -> dict:
        texts = [text(f"{number}.{one}") for one in range(4)]
        return change(contacts=[contact()], messages=texts, statuses=[status("sent"), status("read")])

    body = call(*(filled(number) for number in range(3)))
    body["entry"] += call(*(filled(number) for number in range(3, 5)))["entry"]
    assert await post(caller, body) == 200
    assert await stored() == 5 * 6
    rows = await db.fetch("SELECT body FROM incoming_update WHERE chat = $1 ORDER BY position, id", ANNA)
    told = [json.loads(row["body"])["message"]["text"]["body"] for row in rows]
    assert told == [f"{number}.{one}" for number in range(5) for one in range(4)]


async def test_what_comes_again_is_acknowledged_and_kept_once(listening, caller):
    first, second = said(text(), text()), said(text(), text())
    second["entry"].append(first["entry"][0])
    assert await asyncio.gather(*(post(caller, first) for _ in range(10))) == [200] * 10
    # What failed for a while comes together with what is new.
    assert await post(caller, second) == 200
    assert await stored() == 4
    for body in KINDS.values():
        assert await post(caller, body) == await post(caller, body) == 200
    assert await stored() == 4 + len(KINDS)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": "sha256="},
        {"X-Hub-Signature-256": "sha256=" + "0" * 64},
        {"X-Hub-Signature-256": signed(b"{}")["X-Hub-Signature-256"]},
        {"X-Hub-Signature-256": "тайна"},
        {"X-Hub-Signature-256": "sha256=\udcff\udcfe"},
        {"X-Hub-Signature": "sha1=0"},
        {"Authorization": APP_SECRET},
    ],
)
async def test_whoever_cannot_sign_is_turned_away(listening, caller, headers):
    assert await post(caller, said(text()), headers) == 403
    assert await stored() == 0


async def test_a_signature_of_other_bytes_or_another_secret_is_none(listening, caller):
    body = json.dumps(said(text())).encode()
    assert await post(caller, body, signed(body + b" ")) == 403
    assert await post(caller, body, signed(body, "another")) == 403
    bare = signed(body)["X-Hub-Signature-256"].removeprefix("sha256=")
    assert await post(caller, body, {"X-Hub-Signature-256": bare}) == 403
    assert await post(caller, body, signed(body)) == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b'{"entry": [', "body"),
        (b"\xff\xfe\xfd", "body"),
        (b"[" * 100_000, "body"),
        (b'{"entry": ' + b"[" * 100_000, "body"),
        (b"[1]", "body"),
        (b"null", "body"),
        (b"{}", "entry"),
        (b'{"entry": {}}', "entry"),
        (b'{"entry": "x"}', "entry"),
    ],
)
async def test_what_is_no_call_is_refused_with_the_field(listening, caller, body, field):
    async with caller.post(URL, data=body, headers=signed(body)) as answer:
        assert answer.status == 400
        assert (await answer.json())["field"] == field
    assert await stored() == 0


async def test_an_odd_piece_is_kept_and_costs_no_other(listening, caller):
    odd = ["words", None, 7, {}, {"id": {"a": 1}}, {"id": "a\x00b", "from": "\ud83d"}, {"timestamp": 10**5000}]
    bodies = (json.dumps([one]).encode() for one in odd[:-1])
    raw = b",".join([*(one[1:-1] for one in bodies), b'{"timestamp": ' + b"9" * 5000 + b"}"])
    good = json.dumps(text()).encode()
    whole = call(change(messages=["HERE"]), {"value": 5}, change(messages=[text()]))
    whole["entry"][0]["changes"].append("odd")
    assert await post(caller, json.dumps(whole).encode().replace(b'"HERE"', raw + b"," + good)) == 200
    assert await stored() == len(odd) + 1 + 2 + 1
    assert await db.fetch_value("SELECT count(*) FROM incoming_update WHERE chat = $1", ANNA) == 2


async def test_a_call_of_three_megabytes_is_taken_and_no_more(listening, caller):
    large = [message("text", text={"body": "я" * 400}, padding="x" * 2000) for _ in range(600)]
    assert await post(caller, said(*large)) == 200
    assert await stored() == 600
    assert await post(caller, b'{"entry": [], "x": "' + b"x" * 5 * 2**20 + b'"}') == 413
    # What others may send stays as it was.
    async with caller.post("/webhooks/telegram", data=b"{}") as answer:
        assert answer.status == 503


async def test_the_address_is_proven_ours_by_the_word_that_meta_was_told(listening, caller):
    async with caller.get(URL, params=ASKED) as answer:
        assert (answer.status, answer.content_type) == (200, "text/plain")
        assert await answer.text() == "1158201444"
    for wrong in (
        {"hub.verify_token": "guessed"},
        {"hub.verify_token": "тайна"},
        {"hub.verify_token": ""},
        {"hub.mode": "unsubscribe"},
        {"hub.mode": ""},
    ):
        async with caller.get(URL, params=ASKED | wrong) as answer:
            assert answer.status == 403
            assert "1158201444" not in await answer.text()
    async with caller.get(URL) as answer:
        assert answer.status == 403
    async with caller.put(URL, data=b"{}") as answer:
        assert answer.status == 405
    async with caller.get("/webhooks/telegram", params=ASKED) as answer:
        assert answer.status == 405


async def test_before_the_bot_is_there_whatsapp_is_told_to_come_again(caller, database):
    assert await post(caller, said(text())) == 503
    async with caller.get(URL, params=ASKED) as answer:
        assert answer.status == 503


async def test_nothing_of_what_came_stands_in_the_log(listening, caller, intake, shop, capsys):
    await post(caller, said(text("Баланс"), {"id": "wamid.x", "from": "79990001122"}))
    await post(caller, b'{"entry": "79990001122"}')
    await post(caller, said(text()), {"X-Hub-Signature-256": "guessed-signature"})
    await caller.get(URL, params=ASKED | {"hub.verify_token": "guessed-token"})
    heard = capsys.readouterr()
    for word in ("Анна", "Баланс", "7999000", ANNA, "guessed", APP_SECRET, VERIFY_TOKEN):
        assert word not in heard.out + heard.err
