"""How a gateway is called, what its answers mean, and what it tells afterwards: against a gateway on loopback."""

import json
from urllib.parse import parse_qs, parse_qsl, urlsplit
from xml.etree import ElementTree as ET

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.app import open_channels
from bot.channels.base import Outgoing, RateLimited, Rejected, SendError, Unanswered, Unauthorized
from bot.channels.sms import Callback
from bot.intake import Intake
from bot.webhooks import PREFIX, Webhooks
from loyalty import db
from loyalty.bell import hung
from loyalty.clock import system_now
from loyalty.conversations.content import Content
from loyalty.conversations.rules import Status
from tests.bot.channels.stands import HttpStand, serving, sms_channel, status
from tests.builders import a_customer, a_message

SECRET = "a-secret-for-callbacks"
NASTY = 'Скидка 10 % & "кофе" <b>\\ {id} {callback}\n+1 #2 😀 \x01'
ANNA = "+79165550101"
CALLBACK = Callback(SECRET, id_path="id", status_path="status", delivered=("delivered",), failed=("failed",))


@pytest.fixture
async def gateway():
    async with serving(HttpStand()) as stand:
        yield stand


async def sent(gateway, text: str = NASTY, *, path: str = "/send", **call) -> str:
    channel = sms_channel(f"{gateway.url}{path}", **call)
    try:
        return await channel.send(Outgoing(4711, ANNA, "ru", Content(text)))
    finally:
        await channel.close()


# ------------------------------------------------------------------------------------------------ calls


async def test_json_holds_every_value_as_it_is_and_none_is_looked_into(gateway):
    assert await sent(gateway, callback=CALLBACK) == "gw-1"
    [request] = gateway.calls
    assert json.loads(gateway.bodies[0]) == {
        "to": ANNA,
        "text": NASTY,
        "from": "Ladno",
        "ref": "4711",
        "report": f"https://club.example.com/webhooks/sms?key={SECRET}&ref=4711",
    }
    assert request.method == "POST"
    assert request.headers["Authorization"] == "Bearer a-token-of-the-gateway"
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"


async def test_each_part_of_a_text_is_charged_and_so_is_the_link_below_it(gateway):
    stop = "https://club.example.com/stop/2a-0123456789abcdef"
    words = {"а" * 70: 1, "а" * 71: 2, "a" * 160: 1, "a" * 161: 2, "а" * 2000: 10, "": 0}
    channel = sms_channel(f"{gateway.url}/send")
    try:
        for text, parts in words.items():
            assert channel.units(Outgoing(1, ANNA, "ru", Content(text))) == parts, text
        assert channel.units(Outgoing(1, ANNA, "ru", Content("а" * 70), stop_url=stop)) == 3
    finally:
        await channel.close()


async def test_a_form_holds_every_value_as_it_is(gateway):
    body = "phone={digits}&message={text}&sender={sender}"
    await sent(gateway, body=body, content_type="application/x-www-form-urlencoded")
    told = dict(parse_qsl(gateway.bodies[0].decode(), keep_blank_values=True))
    assert told == {"phone": "79165550101", "message": NASTY, "sender": "Ladno"}


async def test_xml_holds_what_xml_can_hold(gateway):
    body = '<sms to="{to}"><text>{text}</text></sms>'
    await sent(gateway, body=body, content_type="text/xml")
    told = ET.fromstring(gateway.bodies[0].decode())
    assert told.attrib == {"to": ANNA}
    assert told[0].text == NASTY.replace("\x01", "")


async def test_a_get_tells_everything_in_its_address(gateway):
    path = "/sms.php?login=shop&psw=%2Bx&phones={to}&mes={text}&id={id}"
    assert await sent(gateway, path=path, method="GET", id_path="", authorization="") == "4711"
    [request] = gateway.calls
    assert request.method == "GET"
    assert gateway.bodies == [b""]
    told = parse_qs(urlsplit(str(request.raw_path)).query, keep_blank_values=True)
    assert told == {"login": ["shop"], "psw": ["+x"], "phones": [ANNA], "mes": [NASTY], "id": ["4711"]}


async def test_a_message_without_words_is_not_sent(gateway):
    with pytest.raises(Rejected):
        await sent(gateway, "")
    assert gateway.calls == []


# ---------------------------------------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        (301, Unauthorized, "address"),
        (307, Unauthorized, "address"),
        (400, Rejected, "rejected"),
        (401, Unauthorized, "unauthorized"),
        (402, Unauthorized, "balance"),
        (403, Unauthorized, "unauthorized"),
        (404, Rejected, "rejected"),
        (408, Unanswered, "no_answer"),
        (422, Rejected, "rejected"),
        (500, Unanswered, "no_answer"),
        (503, Unanswered, "no_answer"),
    ],
)
async def test_what_the_status_of_an_answer_means(gateway, code, kind, reason):
    gateway.misbehaves = status(code, Location="/elsewhere")
    with pytest.raises(SendError) as caught:
        await sent(gateway)
    assert (type(caught.value), caught.value.reason) == (kind, reason)
    assert gateway.calls == []


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0", 1.0), ("999999", 3600.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 60.0), ("", 60.0)],
)
async def test_too_many_wait_as_long_as_is_asked_within_reason(gateway, header, seconds):
    gateway.misbehaves = status(429, Retry_After=header)
    with pytest.raises(RateLimited) as caught:
        await sent(gateway)
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    "body",
    [b"", b"OK", b"{}", b'{"messages": []}', b'{"messages": [{"id": ""}]}', b'{"error": 7}', b"[" * 100_000,
     b'{"messages": [{"id": "' + b"x" * 200 + b'"}]}', b" " * 300_000 + b'{"messages": [{"id": "late"}]}'],
)  # fmt: skip
async def test_a_yes_without_the_name_that_was_promised_is_a_no(gateway, body):
    gateway.answer = lambda _: web.Response(body=body)
    with pytest.raises(Rejected):
        await sent(gateway)


@pytest.mark.parametrize(("path", "name"), [("messages.0.id", "12345"), ("result", "77")])
async def test_the_gateways_name_may_be_a_number(gateway, path, name):
    gateway.answer = lambda _: web.json_response({"messages": [{"id": 12345}], "result": 77})
    assert await sent(gateway, id_path=path) == name


# ---------------------------------------------------------------------------------------------- reports


@pytest.fixture
async def channel():
    channel = sms_channel("http://127.0.0.1:9/send", callback=CALLBACK)
    yield channel
    await channel.close()


@pytest.fixture
async def door(database, redis_url, channel):
    """The address that the gateway calls; what it brings is stored and taken."""
    webhooks = Webhooks(("sms",), patience=0.3)
    app = web.Application()
    app.add_subapp(PREFIX, webhooks.build_app())
    async with hung(redis_url) as bell, TestClient(TestServer(app)) as caller:
        intake = Intake(channel, bell, system_now)
        with webhooks.listening(channel, intake.store_now):
            yield Door(caller, intake)


class Door:
    """Calls, and then takes what they brought."""

    def __init__(self, caller: TestClient, intake: Intake) -> None:
        self._caller = caller
        self._intake = intake

    async def get(self, **query: str) -> int:
        async with self._caller.get("/webhooks/sms", params={"key": SECRET, **query}) as answer:
            return answer.status

    async def post(self, body: object, **query: str) -> int:
        told = {"json": body} if isinstance(body, dict | list) else {"data": body}
        async with self._caller.post("/webhooks/sms", params={"key": SECRET, **query}, **told) as answer:
            return answer.status

    async def take(self) -> None:
        await self._intake.take_turns()
        await self._intake.drain()


async def an_sms(*, external_id: str | None = None, status: str = "sent") -> int:
    """An SMS of ours that the gateway took."""
    await a_customer(phone=ANNA)
    account_id = await db.fetch_value("SELECT id FROM messenger_account WHERE channel = 'sms'")
    number = await a_message(account_id, "Привет", status=status)
    await db.execute("UPDATE message SET external_id = $2 WHERE id = $1", number, external_id)
    return number


async def state(number: int) -> str:
    return await db.fetch_value("SELECT status FROM message WHERE id = $1", number)


async def stored() -> list[str]:
    return [row["state"] for row in await db.fetch("SELECT state FROM incoming_update ORDER BY id")]


@pytest.mark.parametrize("way", ["get", "form", "json", "list"])
async def test_a_gateway_tells_what_became_of_a_message_by_its_own_name_of_it(door, way):
    number = await an_sms(external_id="gw-9")
    told = {"id": "gw-9", "status": "DELIVERED", "phone": ANNA}
    if way == "get":
        assert await door.get(**told) == 200
    else:
        assert await door.post([told] if way == "list" else told if way == "json" else dict(told)) == 200
    if way == "form":
        assert await door.post(b"id=gw-9&status=delivered&phone=%2B79165550101") == 200
    await door.take()
    assert await state(number) == "delivered"
    assert set(await stored()) == {"done"}
    assert await db.fetch_value("SELECT delivered_at IS NOT NULL FROM message WHERE id = $1", number)


async def test_twice_is_once_and_late_is_no_news(door):
    number = await an_sms(external_id="gw-9")
    for _ in range(3):
        assert await door.post({"id": "gw-9", "status": "delivered"}) == 200
    assert await stored() == ["new"]
    await door.take()
    assert await door.post({"id": "gw-9", "status": "failed"}) == 200
    await door.take()
    assert await state(number) == "delivered"


async def test_our_own_number_in_the_address_tells_which_message_it_is_even_before_its_answer_came(door):
    number = await an_sms(status="sending")
    assert await door.post({"id": "gw-9", "status": "delivered"}, ref=str(number)) == 200
    await door.take()
    assert await db.fetch_row("SELECT status, external_id FROM message WHERE id = $1", number) == {
        "status": "delivered",
        "external_id": "gw-9",
    }


async def test_a_message_that_did_not_arrive_has_failed(door):
    number = await an_sms(external_id="gw-9")
    assert await door.get(id="gw-9", status="failed") == 200
    await door.take()
    assert await state(number) == "failed"


async def test_states_on_the_way_and_names_that_nobody_knows_change_nothing(door):
    number = await an_sms(external_id="gw-9")
    assert await door.get(id="gw-9", status="accepted") == 200
    assert await door.get(id="gw-10", status="delivered") == 200
    assert await door.get(id="gw-10", status="failed") == 200
    await door.take()
    assert await state(number) == "sent"
    assert "failed" not in await stored()


async def test_only_the_name_and_the_state_are_kept(door):
    assert await door.post({"id": "gw-9", "status": "delivered", "phone": ANNA, "text": "Привет"}, name="Анна") == 200
    body = await db.fetch_value("SELECT convert_from(body, 'UTF8') FROM incoming_update")
    assert json.loads(body) == {"id": "gw-9", "status": "delivered", "reference": None}


@pytest.mark.parametrize("key", ["", "wrong", SECRET[:-1], SECRET + "x", "тайна", "\x00"])
async def test_who_does_not_know_the_secret_is_turned_away(door, key):
    assert await door.get(key=key, id="gw-9", status="delivered") == 403
    assert await door.post({"id": "gw-9", "status": "delivered"}, key=key) == 403
    assert await stored() == []


async def test_without_a_secret_of_ours_nobody_is_let_in(door, channel):
    channel._callback = Callback("")
    assert await door.get(key="", id="gw-9", status="delivered") == 403


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"[1, null]", b"{}", b'{"id": null}', b'{"id": ["x"]}', b"\xff\xfe", b"[" * 50_000,
     b"&".join(b"a=1" for _ in range(500)), b'{"id": "' + b"x" * 500 + b'"}', b'{"id": "a\\u0000b"}x'],
)  # fmt: skip
async def test_what_is_no_report_is_refused_and_breaks_nothing(door, body):
    assert await door.post(body) == 400
    assert await stored() == []


async def test_odd_reports_are_kept_and_put_away(door):
    for told in ({"id": "\ud83d", "status": "delivered"}, {"id": 12, "status": 3}, {"id": "x", "status": {"a": 1}}):
        assert await door.post(json.dumps(told).encode()) == 200
    await door.take()
    assert set(await stored()) <= {"done", "ignored"}


def test_ways_to_the_fields_lead_into_objects_and_plain_names_with_dots_are_found():
    callback = Callback(SECRET, id_path="data.id", status_path="state", delivered=("1",), failed=("2",))
    channel = sms_channel("http://127.0.0.1:9", callback=callback)
    nested = channel.admit({}, {"key": SECRET}, b'{"data": {"id": 5}, "state": 1}')
    plain = channel.admit({}, {"key": SECRET, "data.id": "5", "state": "2"}, b"")
    told = [channel.parse(one.body) for one in (*nested, *plain)]
    assert [(one.external_id, one.status) for one in told if one] == [("5", Status.DELIVERED), ("5", Status.FAILED)]


async def test_the_settings_make_the_channel(settings, gateway):
    from pydantic import SecretStr

    chosen = {
        "sms_url": SecretStr(f"{gateway.url}/send"),
        "sms_body": SecretStr('{"to": "{digits}", "text": "{text}", "cb": "{callback}"}'),
        "sms_sender": "Ladno",
        "sms_callback_secret": SecretStr(SECRET),
        "public_url": "https://club.example.com",
    }
    [channel] = open_channels(settings.model_copy(update=chosen))
    assert channel.source == "sms:Ladno"
    await channel.send(Outgoing(5, ANNA, "ru", Content("Привет")))
    await channel.close()
    told = json.loads(gateway.bodies[0])
    assert told["cb"] == f"https://club.example.com/webhooks/sms?key={SECRET}&ref=5"
    assert told["to"] == "79165550101"
