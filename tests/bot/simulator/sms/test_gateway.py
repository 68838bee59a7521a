import asyncio

import aiohttp
import pytest

from bot.simulator.sms.parts import parts_of
from tests.bot.simulator.sms.conftest import NUMBER, Line


async def test_a_message_lies_in_the_inbox_of_its_number_and_is_reported_delivered(line: Line):
    status, answer = await line.send(text="Начислено 12 бонусов.")
    assert status == 200
    told = await line.sms.phone(NUMBER).wait_for(lambda message: True)
    assert (told["text"], told["sender"], told["parts"]) == ("Начислено 12 бонусов.", "LADNO", 1)
    report = await line.hearer.until(lambda: line.hearer.reports)
    assert report == [{"id": answer["id"], "status": "delivered"}]


async def test_a_report_comes_again_while_the_app_cannot_take_it(line: Line):
    line.hearer.status = 503
    await line.send()
    await line.hearer.until(lambda: line.hearer.tries > 1)
    assert line.sms.status(line.sms.phone(NUMBER))["hint"] == "reports_fail"
    line.hearer.status = 200
    assert len(await line.hearer.until(lambda: line.hearer.reports)) == 1


async def test_a_report_that_is_forbidden_is_given_up(line: Line):
    line.hearer.status = 403
    await line.send()
    await line.hearer.until(lambda: line.hearer.tries)
    line.hearer.status = 200
    _, answer = await line.send(text="Next")
    assert [one["id"] for one in await line.hearer.until(lambda: line.hearer.reports)] == [answer["id"]]


async def test_a_phone_that_is_off_gets_nothing_and_fails_later(line: Line):
    line.sms.phone(NUMBER).is_unreachable = True
    assert (await line.send())[0] == 200
    assert (await line.hearer.until(lambda: line.hearer.reports))[0]["status"] == "failed"
    assert line.sms.shown(line.sms.phone(NUMBER).messages[0])["failed"] is True


async def test_addresses_beyond_this_machine_are_never_called(line: Line):
    assert (await line.send(callback="https://example.com/hook"))[0] == 200
    assert not line.sms.reports.pending


@pytest.mark.parametrize("fields", [{"to": "12"}, {"to": "8 (916) 555"}, {"text": ""}, {"text": "я" * 671}])
async def test_what_no_phone_could_get_is_refused(line: Line, fields):
    status, answer = await line.send(**fields)
    assert status in {400, 422}
    assert set(answer) == {"error"}
    assert not line.sms.chats()


async def test_nobody_sends_without_the_token(line: Line):
    assert (await line.send(token="wrong"))[0] == 401
    assert not line.sms.chats()


async def test_a_revoked_token_is_refused_until_it_is_given_back(line: Line):
    line.sms.faults.unauthorized = True
    assert (await line.send())[0] == 401
    line.sms.faults.unauthorized = False
    assert (await line.send())[0] == 200


async def test_too_many_are_told_how_long_to_wait(line: Line):
    line.sms.faults.retry_after = 7
    headers = {"Authorization": "Bearer right"}
    body = {"to": NUMBER, "text": "Hello"}
    async with line.http.post(f"{line.url}/simulator/sms/send", json=body, headers=headers) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")


async def test_counted_faults_are_over_when_they_were_met(line: Line):
    line.sms.faults.blocked = 1
    line.sms.faults.server_errors = 1
    assert [(await line.send())[0] for _ in range(3)] == [502, 422, 200]


async def test_an_accepted_message_may_fail_later(line: Line):
    line.sms.faults.undeliverable = 1
    for _ in range(2):
        await line.send()
    reports = await line.hearer.until(lambda: len(line.hearer.reports) == 2 and line.hearer.reports)
    assert [report["status"] for report in reports] == ["failed", "delivered"]


async def test_a_message_arrives_though_its_answer_is_lost(line: Line):
    line.sms.faults.lose_answers = 1
    with pytest.raises(aiohttp.ClientError):
        await line.send()
    assert len(line.sms.phone(NUMBER).messages) == 1


async def test_slow_answers_take_their_time(line: Line):
    line.sms.faults.slow = 1
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await line.send()


async def test_the_inbox_survives_a_restart(open_line, tmp_path):
    first = await open_line(store=tmp_path / "chats.json")
    await first.send()
    conversation = first.sms.phone(NUMBER)
    conversation.is_unreachable = True
    await first.simulator.close()
    again = (await open_line(store=tmp_path / "chats.json")).sms.phone(NUMBER)
    assert (again.id, again.is_unreachable) == (conversation.id, True)
    assert [message["text"] for message in again.messages] == ["Hello"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("я" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        # Each part has room for 33 of them: a half of one never ends a part.
        ("😀" * 67, 3),
    ],
)
def test_parts_are_counted_as_the_air_counts_them(text, parts):
    assert parts_of(text) == parts
