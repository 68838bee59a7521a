import asyncio

import pytest

from bot.simulator import Business, Simulator
from tests.bot.simulator.conftest import TOKEN
from tests.bot.simulator.whatsapp.conftest import App, City, text


async def test_the_app_is_asked_whether_it_is_itself_before_anything_is_told(open_city):
    app = App(verify_token="not this one")
    opened = asyncio.create_task(open_city(app=app))
    while app.tries < 2:  # noqa: ASYNC110 - the app refuses, so there is nothing to wait for
        await asyncio.sleep(0.01)
    assert app.bodies == []
    app.verify_token = "a verify token"
    city = await opened
    assert city.app.messages[0]["text"] == {"body": "Hello"}


async def test_a_message_tells_who_wrote_it_and_to_which_number(city: City):
    value = city.app.changes[0]["value"]
    assert city.app.changes[0]["field"] == "messages"
    assert city.app.bodies[0]["object"] == "whatsapp_business_account"
    assert city.app.bodies[0]["entry"][0]["id"] == "2000000"
    assert value["metadata"] == {"display_phone_number": "447400000000", "phone_number_id": "1000000"}
    person = city.person
    assert value["contacts"] == [{"profile": {"name": "Anna Reed"}, "wa_id": "79165550101", "user_id": person.user_id}]
    assert (value["messages"][0]["from"], value["messages"][0]["from_user_id"]) == ("79165550101", person.user_id)


async def test_somebody_without_a_phone_is_told_by_their_user_id_alone(city: City):
    hidden = city.whatsapp.add_person(name="Nobody", phone=None, user_id="RU.123")
    hidden.send("hi")
    await city.app.until(lambda: len(city.app.messages) == 2)
    value = city.app.changes[-1]["value"]
    assert value["contacts"] == [{"profile": {"name": "Nobody"}, "user_id": "RU.123"}]
    assert "from" not in value["messages"][0]
    assert value["messages"][0]["from_user_id"] == "RU.123"


async def test_before_user_ids_there_was_the_number_alone(city: City):
    older = city.whatsapp.add_person(name="Older", phone="+79165550102", user_id=None)
    older.send("hi")
    await city.app.until(lambda: len(city.app.messages) == 2)
    value = city.app.changes[-1]["value"]
    assert value["contacts"] == [{"profile": {"name": "Older"}, "wa_id": "79165550102"}]
    assert "from_user_id" not in value["messages"][0]


async def test_what_is_not_taken_comes_again_in_order_and_several_in_one_body(city: City):
    city.app.status = 500
    tries = city.app.tries
    for number in range(3):
        city.person.send(str(number))
    await city.send(text("answer"))
    city.person.stop_offers()
    while city.app.tries < tries + 2:  # noqa: ASYNC110 - nothing is heard meanwhile
        await asyncio.sleep(0.01)
    assert len(city.app.bodies) == 1
    city.app.status = 200
    await city.app.until(lambda: city.app.changes[-1]["field"] == "user_preferences")
    assert [message["text"]["body"] for message in city.app.messages[1:]] == ["0", "1", "2"]
    assert [status["status"] for status in city.app.statuses] == ["sent", "delivered"]
    # All came together: neighbours share a change, changes share entries.
    assert len(city.app.bodies) == 2
    assert [len(entry["changes"]) for entry in city.app.bodies[1]["entry"]] == [2, 1]
    assert len(city.app.bodies[1]["entry"][0]["changes"][0]["value"]["contacts"]) == 1


async def test_any_body_can_be_delivered_signed_forged_or_unsigned(city: City):
    body = {"object": "whatsapp_business_account", "entry": [], "text": "ё"}
    assert await city.whatsapp.deliver(body) == 200
    assert city.app.bodies[-1] == body
    assert await city.whatsapp.deliver(body, signed=False) == 403
    assert await city.whatsapp.deliver(b"{}", signature="sha256=00") == 403


def test_only_this_machine_is_called():
    for address in ("https://example.com/hook", "http://10.0.0.1/", "ftp://127.0.0.1/", "http://localhost.evil.test"):
        with pytest.raises(ValueError, match="this machine only"):
            Simulator(token=TOKEN, whatsapp=Business(hook=address))


async def test_statuses_rise_and_bring_our_own_number_back(city: City):
    await city.send(text("x"), biz_opaque_callback_data="17")
    await city.app.until(lambda: len(city.app.statuses) == 2)
    city.person.read()
    await city.app.until(lambda: len(city.app.statuses) == 3)
    assert [status["status"] for status in city.app.statuses] == ["sent", "delivered", "read"]
    assert {status["biz_opaque_callback_data"] for status in city.app.statuses} == {"17"}
    assert {status["recipient_user_id"] for status in city.app.statuses} == {city.person.user_id}
    city.whatsapp.hold_statuses = True
    city.person.read()
    assert city.whatsapp.held == []


async def test_statuses_are_held_and_released_in_any_order(city: City):
    city.whatsapp.hold_statuses = True
    await city.send(text("x"))
    city.person.read()
    held = city.whatsapp.held
    assert [status["status"] for status in held] == ["sent", "delivered", "read"]
    city.whatsapp.release(reversed(held))
    await city.app.until(lambda: len(city.app.statuses) == 3)
    assert [status["status"] for status in city.app.statuses] == ["read", "delivered", "sent"]
    assert city.whatsapp.held == []


async def test_whoever_blocks_the_business_just_does_not_get_it(city: City):
    city.person.block()
    await city.send(text("x"))
    await city.app.until(lambda: city.app.statuses)
    assert [status["status"] for status in city.app.statuses] == ["sent"]
    assert len(city.person.messages) == 1


async def test_everything_is_still_there_after_a_restart(open_city, tmp_path):
    path = tmp_path / "chats.json"
    before = await open_city(store=path)
    await before.send(text("kept"))
    before.app.status = 500
    before.person.send("not taken yet")
    await before.simulator.close()
    after = await open_city(store=path)
    assert [message["text"] for message in after.person.messages] == ["Hello", "kept", "not taken yet"]
    await after.app.until(lambda: any(one["text"]["body"] == "not taken yet" for one in after.app.messages))
    assert after.person.window_is_open
