"""Two bot processes on the same chat at the same time, with the same updates arriving more than once."""

import asyncio

import pytest

from bot.channels.telegram import arrived
from loyalty import db
from loyalty.clock import system_now
from loyalty.conversations.actions.arrivals import store_updates
from tests.proofs.conftest import (
    COMMANDS,
    SOURCE,
    Guest,
    all_is_said,
    assert_came_in_once,
    assert_nothing_is_lost_or_doubled,
    sized,
)

pytestmark = pytest.mark.prove


async def test_two_bots_on_one_chat_take_each_update_once_and_in_its_order(processes, newcomer, hold, simulator, wire):
    guest = Guest(newcomer())
    await processes.start_some(2, "bot", "worker")
    # Both are to stand before the chat at once, whatever else they hold.
    async with hold("LOCK TABLE conversation IN ACCESS EXCLUSIVE MODE"):
        guest.rush()
        guest.write(*(f"{COMMANDS[number % len(COMMANDS)]} {number}" for number in range(sized(20, 200) - 6)))
        # The same updates arrive by three ways: from the messenger, and twice beside it.
        same = [arrived(update) for update in simulator.telegram.exchange.updates.pending]
        assert len(same) == len(guest.updates)
        now = system_now()
        await asyncio.gather(store_updates(SOURCE, same, now=now), store_updates(SOURCE, same[::-1], now=now))
        await processes.standing_at("JOIN conversation", many=2)
    await all_is_said([guest])
    await assert_nothing_is_lost_or_doubled([guest], processes)
    assert set(guest.updates) == set(wire.handed)
    heard = await db.fetch("SELECT content->>'text' AS text FROM message WHERE direction = 'in' ORDER BY id")
    written = [message.get("text", "") for message in guest.person.messages if message["outgoing"]]
    assert [row["text"] or "" for row in heard] == written
    closed = await db.fetch("SELECT done_at FROM incoming_update ORDER BY position")
    assert closed == sorted(closed, key=lambda row: row["done_at"])
    sent = await db.fetch("SELECT external_id::int AS number FROM message WHERE direction = 'out' ORDER BY id")
    assert sent == sorted(sent, key=lambda row: row["number"])


async def test_an_update_that_arrives_before_the_turn_of_a_younger_one_is_saved_goes_first(processes, newcomer, hold):
    guest = Guest(newcomer())
    await processes.start_some(2, "bot", "worker")
    for step in ("started", "language", "terms", "offers", "phone"):
        await guest.take(step)
    await guest.is_asked_for("name")
    number = guest.leave_out_a_number()
    async with hold("LOCK TABLE conversation IN ACCESS EXCLUSIVE MODE"):
        # The answer to a question that was not asked yet.
        guest.write("24.08.1991")
        await processes.standing_at("JOIN conversation", many=2)
        late = arrived(guest.late_update(number, "Мария Соколова"))
        assert await store_updates(SOURCE, [late], now=system_now()) == 1
    await all_is_said([guest])
    await assert_nothing_is_lost_or_doubled([guest], processes)


# The answer to the update that is stored next, written by somebody else: whoever writes it stands at the end of
# saving the turn, when the update is closed and the session is written, and nothing is committed.
SAME_ANSWER = """
INSERT INTO message (account_id, channel, direction, kind, content, status, priority, dedupe_key, created_at, attempts)
SELECT a.id, a.channel, 'out', 'text', '{}', 'cancelled', 0, 'turn:' || last_value + 1 || ':0', now(), 0
FROM messenger_account a, incoming_update_id_seq
"""


async def test_an_update_that_arrives_late_waits_for_the_turn_under_way_and_sees_what_it_did(processes, newcomer, hold):
    guest = Guest(newcomer())
    await processes.start_some(1, "bot", "worker")
    for step in ("started", "language", "terms", "offers", "phone"):
        await guest.take(step)
    await guest.is_asked_for("name")
    number = guest.leave_out_a_number()
    async with hold(SAME_ANSWER):
        await guest.take("name")
        await processes.standing_at("WITH closed AS")
        late = arrived(guest.late_update(number, "Мария"))
        assert await store_updates(SOURCE, [late], now=system_now()) == 1
        # A process that knows nothing of the turn under way takes the older update first.
        await processes.start_some(1, "bot", "worker")
        await processes.standing_at("", many=2)
    await guest.take("birthday")
    await all_is_said([guest])
    await assert_came_in_once(guest)
    assert await db.fetch("SELECT state, count(*) FROM incoming_update GROUP BY state") == [
        {"state": "done", "count": len(guest.updates)}
    ]
    assert processes.errors() == []
