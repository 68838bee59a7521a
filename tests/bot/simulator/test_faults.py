import time

import pytest
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)

from tests.bot.simulator.conftest import Town


async def test_sends_are_told_to_wait_until_switched_off(town: Town):
    town.simulator.faults.retry_after = 7
    for _ in range(2):
        with pytest.raises(TelegramRetryAfter) as told:
            await town.bot.send_message(town.person.id, "x")
        assert told.value.retry_after == 7
    await town.bot.get_me()
    town.simulator.faults.retry_after = 0
    await town.bot.send_message(town.person.id, "at last")
    assert [message["text"] for message in town.person.messages] == ["/start", "at last"]


async def test_a_lost_answer_leaves_its_message_behind(town: Town):
    town.simulator.faults.lose_answers = 1
    await town.bot.send_chat_action(town.person.id, "typing")
    with pytest.raises(TelegramNetworkError):
        await town.bot.send_message(town.person.id, "lost and there")
    await town.bot.send_message(town.person.id, "next")
    assert [message["text"] for message in town.person.messages] == ["/start", "lost and there", "next"]


async def test_a_refused_send_uses_up_no_lost_answer(town: Town):
    town.simulator.faults.lose_answers = 1
    with pytest.raises(Exception, match="chat not found"):
        await town.bot.send_message(1, "x")
    assert town.simulator.faults.lose_answers == 1


async def test_a_broken_proxy_answers_html_and_does_nothing(town: Town):
    town.simulator.faults.server_errors = 1
    with pytest.raises(ClientDecodeError):
        await town.bot.send_message(town.person.id, "x")
    assert len(town.person.messages) == 1
    await town.bot.send_message(town.person.id, "y")


async def test_a_revoked_token_is_told_everywhere(town: Town):
    town.simulator.faults.unauthorized = True
    with pytest.raises(TelegramUnauthorizedError):
        await town.bot.get_updates()
    with pytest.raises(TelegramUnauthorizedError):
        await town.bot.send_message(town.person.id, "x")


async def test_so_many_sends_meet_somebody_who_has_blocked_the_bot(town: Town):
    town.simulator.faults.blocked = 1
    await town.bot.send_chat_action(town.person.id, "typing")
    with pytest.raises(TelegramForbiddenError):
        await town.bot.send_message(town.person.id, "x")
    await town.bot.send_message(town.person.id, "y")
    assert [message["text"] for message in town.person.messages] == ["/start", "y"]


async def test_a_slow_messenger_answers_late(town: Town):
    town.simulator.faults.slow = 1
    began = time.monotonic()
    await town.bot.send_message(town.person.id, "late")
    assert time.monotonic() - began >= 1


async def test_the_journal_is_bounded(town: Town, monkeypatch):
    monkeypatch.setattr("bot.simulator.telegram.api.MOST_CALLS", 3)
    for number in range(5):
        await town.bot.send_message(town.person.id, str(number))
    assert [fields["text"] for _, fields in town.simulator.calls] == ["2", "3", "4"]
