import time

import aiohttp
import pytest

from tests.bot.simulator.whatsapp.conftest import City, text
from tests.bot.simulator.whatsapp.test_templates import approved, filled


async def failure(city: City):
    """The one failure the app hears of."""
    statuses = await city.app.until(lambda: [one for one in city.app.statuses if one["status"] == "failed"])
    assert len(statuses) == 1
    return statuses[0]


async def test_outside_of_the_window_nothing_but_a_template_arrives(city: City):
    await approved(city)
    city.person.let_a_day_pass()
    status, answer = await city.send(text("too late"), biz_opaque_callback_data="9")
    assert status == 200
    failed = await failure(city)
    assert (failed["id"], failed["biz_opaque_callback_data"]) == (answer["messages"][0]["id"], "9")
    assert failed["errors"][0]["code"] == 131047
    # Failures name whom the call named, and nobody's profile.
    assert (failed["recipient_id"], "recipient_user_id" in failed) == ("79165550101", False)
    assert "contacts" not in city.app.changes[-1]["value"]
    assert (await city.send(filled("Anna", "5")))[0] == 200
    assert [message.get("text") for message in city.person.messages] == ["Hello", "Hello Anna, you have 5 bonuses."]
    city.person.send("back")
    await city.send(text("in time"))
    assert city.person.messages[-1]["text"] == "in time"


async def test_a_clock_put_ahead_closes_the_window_for_everyone(city: City):
    city.whatsapp.faults.hours_ahead = 23
    assert city.person.window_is_open
    city.whatsapp.faults.hours_ahead = 24
    assert not city.person.window_is_open


async def test_what_comes_by_a_webhook_may_come_with_the_answer(city: City):
    city.whatsapp.faults.errors_at_once = True
    city.person.let_a_day_pass()
    status, answer = await city.send(text("too late"))
    assert (status, answer["error"]["code"]) == (400, 131047)


async def test_whoever_stopped_offers_gets_no_marketing_but_the_rest(city: City):
    await approved(city)
    await approved(city, name="news", category="UTILITY")
    city.person.stop_offers()
    await city.send(filled("Anna", "5"))
    assert (await failure(city))["errors"][0]["code"] == 131050
    await city.send(filled("Anna", "5", name="news"))
    await city.send(text("and this"))
    assert len(city.person.messages) == 3


async def test_a_stranger_and_an_undeliverable_message_fail_alike(city: City):
    await city.send(text("x"), to="79990001122")
    assert (await failure(city))["errors"][0]["code"] == 131026
    city.whatsapp.faults.undeliverable = 1
    await city.send(text("x"))
    await city.app.until(lambda: len(city.app.statuses) == 2)
    await city.send(text("y"))
    assert [message["text"] for message in city.person.messages] == ["Hello", "y"]


async def test_silent_numbers_take_messages_that_nobody_reads(open_city):
    city = await open_city(silent_numbers={"79990001122"})
    await city.send(text("x"), to="+7 999 000-11-22", biz_opaque_callback_data="3")
    await city.app.until(lambda: len(city.app.statuses) == 2)
    assert [one["status"] for one in city.app.statuses] == ["sent", "delivered"]


async def test_too_much_for_the_number_or_for_one_person_is_refused(city: City):
    city.whatsapp.faults.retry_after = 4
    status, answer = await city.send(text("x"))
    assert (status, answer["error"]["code"]) == (429, 130429)
    city.whatsapp.faults.retry_after = 0
    city.whatsapp.faults.pair_rate = 1
    status, answer = await city.send(text("x"))
    assert (status, answer["error"]["code"]) == (400, 131056)
    assert (await city.send(text("x")))[0] == 200


async def test_a_wrong_missing_or_revoked_token_is_refused_everywhere(city: City):
    status, answer = await city.call("1000000", method="GET", token="wrong")
    assert (status, answer["error"]["code"]) == (401, 190)
    city.whatsapp.faults.unauthorized = True
    assert (await city.send(text("x")))[1]["error"]["code"] == 190
    async with city.http.post(f"{city.api}/1000000/messages", json={}) as refused:
        assert (refused.status, (await refused.json())["error"]["code"]) == (401, 104)


async def test_a_lost_answer_leaves_its_message_behind_and_a_broken_proxy_none(city: City):
    city.whatsapp.faults.lose_answers = 1
    with pytest.raises(aiohttp.ClientError):
        await city.send(text("lost and there"))
    city.whatsapp.faults.server_errors = 1
    with pytest.raises(aiohttp.ContentTypeError):
        await city.send(text("x"))
    await city.send(text("next"))
    assert [message["text"] for message in city.person.messages] == ["Hello", "lost and there", "next"]


async def test_a_slow_messenger_answers_late(city: City):
    city.whatsapp.faults.slow = 1
    began = time.monotonic()
    await city.send(text("late"))
    assert time.monotonic() - began >= 1
