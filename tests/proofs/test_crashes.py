"""Processes killed outright: in the middle of a turn, at any moment, in the middle of sending; others take over."""

import asyncio
from functools import partial
from random import Random

import pytest

from bot.dialogs.base import said
from bot.sender import IN_FLIGHT
from bot.simulator import Person
from loyalty import db
from loyalty.clock import system_now
from loyalty.conversations.actions.outbox import queue_service
from loyalty.customers.actions.accounts import know_account, link_account
from loyalty.staff.rules import COMMAND
from scheduler.leader import LEADER_LOCK
from tests.bot.conftest import until, until_sql
from tests.builders import a_customer
from tests.proofs.conftest import (
    COMMANDS,
    WAY_IN,
    Guest,
    all_is_said,
    assert_nothing_is_lost_or_doubled,
    sized,
)

pytestmark = pytest.mark.prove


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(("started", "messenger_account", "INSERT INTO messenger_account"), id="meeting somebody"),
        pytest.param(("birthday", "incoming_update", "INSERT INTO incoming_update"), id="keeping an update"),
        pytest.param(("birthday", "customer", "INSERT INTO customer ("), id="writing the customer"),
        pytest.param(("birthday", "bonus_entry", "INSERT INTO bonus_entry"), id="giving the welcome bonus"),
        pytest.param(("birthday", "message", "WITH closed AS"), id="saving the turn"),
    ],
)
async def test_a_bot_killed_in_the_middle_of_a_turn_loses_nothing_and_doubles_nothing(processes, newcomer, hold, place):
    step, table, statement = place
    guest = Guest(newcomer())
    await processes.start_some(2, "bot", "worker")
    before, after = WAY_IN[: WAY_IN.index(step)], WAY_IN[WAY_IN.index(step) + 1 :]
    for earlier in before:
        await guest.take(earlier)
    await guest.is_asked_for(step)
    async with hold(f"LOCK TABLE {table} IN SHARE MODE"):
        await guest.take(step)
        victim = (await processes.standing_at(statement))[0]
        await victim.kill()
    await processes.bury(victim)
    for later in after:
        await guest.take(later)
    guest.write("/balance")
    await all_is_said([guest])
    await assert_nothing_is_lost_or_doubled([guest], processes)


async def test_an_update_whose_acknowledgement_was_cut_off_comes_again_and_is_taken_once(
    processes, newcomer, wire, simulator
):
    guest = Guest(newcomer())
    [victim] = await processes.start_some(1, "bot", "worker")
    for step in WAY_IN[:-1]:
        await guest.take(step)
    await guest.is_asked_for("birthday")
    wire.cuts_acknowledgement = True
    await guest.take("birthday")
    await wire.cut.wait()
    await victim.kill()
    await processes.bury(victim)
    await processes.start_some(1, "bot", "worker")
    await until(lambda: not simulator.telegram.exchange.updates.pending)
    assert wire.handed[guest.updates[-1]] == 2
    guest.write("/balance")
    await all_is_said([guest])
    await assert_nothing_is_lost_or_doubled([guest], processes)


async def test_a_call_that_a_kill_left_unanswered_comes_again_and_is_taken_once(
    environment, processes, newcomer, hold, simulator
):
    environment |= {
        "TELEGRAM_MODE": "webhook",
        "TELEGRAM_WEBHOOK_SECRET": "fit-for-proofs-only",
        "REGULARS_PUBLIC_URL": f"http://127.0.0.1:{environment['REGULARS_PORT']}",
    }
    guest = Guest(newcomer())
    [victim] = await processes.start_some(1, "bot", "worker")
    for step in WAY_IN[:-1]:
        await guest.take(step)
    await guest.is_asked_for("birthday")
    async with hold("LOCK TABLE incoming_update IN SHARE MODE"):
        await guest.take("birthday")
        assert await processes.standing_at("INSERT INTO incoming_update") == [victim]
        await victim.kill()
    await processes.bury(victim)
    # Whatever the dead one's statement has done meanwhile, the messenger heard of nothing.
    assert [update["update_id"] for update in simulator.telegram.exchange.updates.pending] == guest.updates[-1:]
    await processes.start_some(1, "bot", "worker")
    guest.write("/balance")
    await all_is_said([guest])
    assert "getUpdates" not in [name for name, _ in simulator.calls]
    await assert_nothing_is_lost_or_doubled([guest], processes)


async def test_whenever_processes_are_killed_everybody_comes_in_once_and_reads_every_answer(processes, newcomer, wire):
    chance = Random(20_260_310)
    kills, commands = sized(2, 25), sized(3, 8)
    guests = [Guest(newcomer()) for _ in range(sized(4, 40))]
    acts = len(guests) * (len(WAY_IN) + commands)
    portion = acts // (kills + 1)
    # The guests do so much between two kills and no more, so that every kill meets work.
    strength = asyncio.Semaphore(0)

    async def visit(guest: Guest) -> None:
        for step in WAY_IN:
            await guest.is_asked_for(step)
            await strength.acquire()
            await guest.take(step)
        for number in range(commands):
            await strength.acquire()
            guest.write(COMMANDS[number % len(COMMANDS)])

    def encourage(many: int) -> None:
        for _ in range(many):
            strength.release()

    pair = await processes.start_some(2, "bot", "worker")
    async with asyncio.TaskGroup() as visits:
        for guest in guests:
            visits.create_task(visit(guest))
        for number in range(kills):
            for process in pair:
                await process.has_started()
            encourage(portion)
            # Every act leads to a call at least. A moment later, so that it is not always the moment of a call.
            moment = wire.calls + chance.randint(1, portion)
            await until(partial(wire.has_carried, moment))
            await asyncio.sleep(chance.uniform(0, 0.03))
            victim = pair[number % 2]
            await victim.kill()
            pair[number % 2] = await processes.start("bot", "worker")
            await processes.bury(victim)
        encourage(acts - kills * portion)
    await all_is_said(guests)
    await assert_nothing_is_lost_or_doubled(guests, processes)


async def an_account_of(person: Person) -> int:
    """A customer's account, to which the bot may write."""
    person.started = True
    customer = await a_customer()
    account = await know_account(
        "telegram", str(person.id), name="Мария", username=None, language="ru", now=system_now()
    )
    await link_account(account.id, customer.id, actor=COMMAND, now=system_now())
    return account.id


async def test_what_a_killed_worker_was_sending_is_sent_again_and_nothing_else_is(processes, newcomer, wire, database):
    people = [newcomer() for _ in range(sized(120, 300))]
    accounts = [await an_account_of(person) for person in people]
    victim, _ = await processes.start_some(2, "worker")
    wire.withholds_answers = True
    for account in accounts:
        content = said("Спасибо за покупку").content
        await queue_service(account, "receipt", content, dedupe_key=f"proof:{account}", now=system_now())
    await until(lambda: wire.withheld >= 2 * IN_FLIGHT)
    under_way = {str(person.id) for person in people if person.messages}
    begun = await database.fetch(
        "SELECT a.address FROM message m JOIN messenger_account a ON a.id = m.account_id WHERE m.status = 'sending'"
    )
    assert {row["address"] for row in begun} == under_way
    assert len(begun) == wire.withheld == 2 * IN_FLIGHT
    await victim.kill()
    await processes.bury(victim)
    in_doubt = {
        row["address"]
        for row in await database.fetch(
            "SELECT a.address FROM message m JOIN messenger_account a ON a.id = m.account_id WHERE m.id = ANY($1)",
            victim.in_doubt,
        )
    }
    assert len(in_doubt) == IN_FLIGHT
    wire.let_go()
    await until_sql("SELECT NOT EXISTS (SELECT FROM message WHERE status IN ('queued', 'leased', 'sending'))")
    assert await db.fetch("SELECT status, count(*) FROM message GROUP BY status") == [
        {"status": "sent", "count": len(people)}
    ]
    assert {str(person.id): len(person.messages) for person in people} == {
        str(person.id): 2 if str(person.id) in in_doubt else 1 for person in people
    }
    assert processes.errors() == []


LEADERS = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND ((classid::bigint << 32) | objid::bigint) = $1
"""
STANDING_FOR_LEADER = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'regulars lock'
    AND state = 'idle'
"""


async def an_old_update(number: int) -> None:
    """A duty of the leader: its body is to be emptied."""
    await db.execute(
        "INSERT INTO incoming_update (source, external_id, position, chat, body, state, received_at, done_at)"
        " VALUES ('telegram:1', $1::text, $1::text::bigint, '1', 'words', 'done', now() - interval '8 days', now())",
        str(number),
    )


async def test_of_two_schedulers_one_leads_and_when_it_is_killed_the_other_does_its_duties(processes, database):
    await an_old_update(1)
    pair = await processes.start_some(2, "scheduler")
    await until(lambda: any(process.has_said("leading") for process in pair))
    # Both have asked for the lock.
    await until(lambda: database.fetchval(f"SELECT ({STANDING_FOR_LEADER}) = 2"))
    await until_sql("SELECT body IS NULL FROM incoming_update")
    [leader] = [process for process in pair if process.has_said("leading")]
    [other] = [process for process in pair if process is not leader]
    assert await database.fetchval(LEADERS, LEADER_LOCK) == 1
    await an_old_update(2)
    await leader.kill()
    await until(lambda: other.has_said("leading"))
    await until_sql("SELECT NOT EXISTS (SELECT FROM incoming_update WHERE body IS NOT NULL)")
    assert await database.fetchval(LEADERS, LEADER_LOCK) == 1
    assert processes.errors() == []
