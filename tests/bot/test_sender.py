"""What becomes of a message when the messenger refuses, is silent, or the worker dies."""

from datetime import timedelta
from functools import partial

import pytest

from bot.dialogs.base import said
from bot.sender import AHEAD, IN_FLIGHT
from bot.simulator import Person
from loyalty import db
from loyalty.bonuses.actions.manual import adjust
from loyalty.clock import system_now
from loyalty.conversations.actions import delivery, outbox
from loyalty.conversations.queries.recipients import recipient_of
from loyalty.conversations.rules import LEASE, SENDING, Leased, Priority
from loyalty.customers.actions.accounts import know_account, link_account
from loyalty.customers.queries import accounts_of, find_by_phone
from loyalty.ids import new_key
from loyalty.staff.rules import COMMAND
from tests.bot.conftest import bot_message, register, said_to, until, until_sql
from tests.builders import NOW, a_customer

SOURCE = "telegram:4242"


async def credit(customer_id: int, hundredths: int = 10_00) -> None:
    """A service message: bonuses by hand are told to their owner."""
    await adjust(customer_id, hundredths, "gift", key=new_key(), actor=COMMAND, now=system_now())


@pytest.fixture
async def maria(live_bot, newcomer):
    person = newcomer("Мария")
    await register(person)
    person.customer_id = await find_by_phone(person.phone)
    await until_sql(
        "SELECT NOT EXISTS (SELECT FROM message WHERE status IN ('queued', 'delayed', 'leased', 'sending'))"
    )
    return person


async def test_messages_of_a_chat_arrive_in_the_order_in_which_they_were_written(maria):
    for number in range(1, 21):
        await credit(maria.customer_id, number * 100)
    await maria.wait_for(lambda _: len(said_to(maria, "Вам начислили")) == 20)
    # For each of them the channel would charge; of what nobody tried it is not known.
    await until_sql("SELECT count(*) = 20 FROM message WHERE units = 1 AND kind = 'bonuses_credited'")
    amounts = [int(message["text"].split("\u00a0")[0].rsplit(" ", 1)[1]) for message in said_to(maria, "Вам начислили")]
    assert amounts == list(range(1, 21))


async def test_too_many_requests_pause_the_whole_token_and_nothing_is_lost_or_doubled(maria, simulator, clock):
    simulator.faults.retry_after = 600
    await credit(maria.customer_id)
    await until_sql("SELECT EXISTS (SELECT FROM channel_pause WHERE reason = 'rate')")
    await until_sql("SELECT status = 'delayed' FROM message ORDER BY id DESC LIMIT 1")
    paused = await db.fetch_row("SELECT reason, attempts, due_at FROM message ORDER BY id DESC LIMIT 1")
    assert paused is not None
    assert (paused["reason"], paused["attempts"]) == ("rate", 0)
    assert paused["due_at"] > system_now() + timedelta(seconds=500)
    simulator.faults.retry_after = 0
    tries = [name for name, _ in simulator.calls].count("sendMessage")
    await credit(maria.customer_id, 20_00)
    clock.ahead = timedelta(seconds=601)
    await maria.wait_for(bot_message("Вам начислили 20"))
    assert len(said_to(maria, "Вам начислили 10")) == 1
    assert [name for name, _ in simulator.calls].count("sendMessage") == tries + 2


async def test_a_service_message_whose_answer_was_lost_is_sent_again(maria, simulator, clock):
    simulator.faults.lose_answers = 1
    await credit(maria.customer_id)
    await maria.wait_for(bot_message("Вам начислили"))
    await until_sql("SELECT reason = 'no_answer' FROM message ORDER BY id DESC LIMIT 1")
    clock.ahead = timedelta(seconds=10)
    await until_sql("SELECT status = 'sent' FROM message ORDER BY id DESC LIMIT 1")
    assert len(said_to(maria, "Вам начислили")) == 2
    assert await db.fetch_value("SELECT attempts FROM message ORDER BY id DESC LIMIT 1") == 2


async def test_a_page_of_a_proxy_instead_of_an_answer_is_tried_again(maria, simulator, clock):
    def fails(times: int) -> bool:
        return simulator.faults.server_errors == times

    simulator.faults.server_errors = 3
    await credit(maria.customer_id)
    for left in (2, 1, 0):
        await until(partial(fails, left))
        clock.ahead += timedelta(seconds=90)
    await maria.wait_for(bot_message("Вам начислили"))


async def test_somebody_who_blocked_us_is_not_written_to_until_they_come_back(maria, simulator):
    maria.blocked = True
    await credit(maria.customer_id)
    await until_sql("SELECT NOT is_active FROM messenger_account WHERE channel = 'telegram'")
    await until_sql("SELECT status = 'failed' AND reason = 'blocked' FROM message ORDER BY id DESC LIMIT 1")
    tries = [name for name, _ in simulator.calls].count("sendMessage")
    await credit(maria.customer_id)
    assert not await db.fetch_value("SELECT EXISTS (SELECT FROM message WHERE status IN ('queued', 'delayed'))")
    assert [name for name, _ in simulator.calls].count("sendMessage") == tries
    maria.unblock()
    await until_sql("SELECT is_active FROM messenger_account WHERE channel = 'telegram'")
    await credit(maria.customer_id, 30_00)
    await maria.wait_for(bot_message("Вам начислили 30"))


async def test_a_revoked_token_pauses_everything_and_marks_nothing_as_failed(maria, simulator, clock):
    simulator.faults.unauthorized = True
    await credit(maria.customer_id)
    await until_sql("SELECT EXISTS (SELECT FROM channel_pause WHERE reason = 'unauthorized')")
    await until_sql("SELECT status = 'delayed' AND reason = 'unauthorized' FROM message ORDER BY id DESC LIMIT 1")
    simulator.faults.unauthorized = False
    clock.ahead = timedelta(minutes=2)
    await maria.wait_for(bot_message("Вам начислили"))


async def test_a_lease_whose_answer_was_lost_holds_nothing_up(maria, monkeypatch):
    lost: list[Leased] = []

    async def lease_and_lose(*args, **more):
        leased = await lease_messages(*args, **more)
        if leased and not lost:
            lost.extend(leased)
            raise ConnectionResetError
        return leased

    lease_messages = delivery.lease_messages
    monkeypatch.setattr(delivery, "lease_messages", lease_and_lose)
    await credit(maria.customer_id)
    await maria.wait_for(bot_message("Вам начислили"))
    assert len(lost) == 1
    await until_sql("SELECT status = 'sent' AND attempts = 1 FROM message ORDER BY id DESC LIMIT 1")


async def test_what_no_hand_is_free_for_is_left_to_other_workers(live_bot, newcomer, simulator):
    accounts = [await an_account(newcomer()) for _ in range(IN_FLIGHT + 1 + AHEAD)]
    await queue(accounts[0], "quick")
    await until_sql("SELECT status = 'sent' FROM message")
    simulator.faults.slow = 3
    async with db.transaction():
        for account in accounts[1:]:
            await queue(account, f"slow {account}")
    await until_sql(
        "SELECT ARRAY[count(*) FILTER (WHERE status = 'sending'), count(*) FILTER (WHERE status = 'queued')]"
        f" = ARRAY[{IN_FLIGHT}, {AHEAD}]::bigint[] FROM message"
    )
    await until_sql("SELECT bool_and(status = 'sent') FROM message")
    assert [name for name, _ in simulator.calls].count("sendMessage") == len(accounts)


# ------------------------------------------------------------------- the outbox alone, without a messenger


async def an_account(person: Person) -> int:
    """A customer's account, to which the bot may write."""
    person.started = True
    return await a_linked_account(str(person.id))


async def a_linked_account(address: str) -> int:
    customer = await a_customer()
    account = await know_account("telegram", address, name="Мария", username=None, language="ru", now=NOW)
    await link_account(account.id, customer.id, actor=COMMAND, now=NOW)
    return account.id


@pytest.fixture
async def account_id(shop) -> int:
    return await a_linked_account("77")


async def queue(account_id: int, key: str, priority: Priority = Priority.SERVICE) -> None:
    await outbox.queue_service(account_id, "receipt", said(key).content, dedupe_key=key, now=NOW)
    await db.execute("UPDATE message SET priority = $1 WHERE dedupe_key = $2", int(priority), key)


async def lease(now=NOW, limit=10) -> list[str]:
    return [message.content.text for message in await delivery.lease_messages("telegram:4242", limit=limit, now=now)]


async def test_one_message_of_a_chat_is_leased_at_a_time_and_nobody_else_gets_it(account_id):
    await queue(account_id, "first")
    await queue(account_id, "second")
    assert await lease() == ["first"]
    assert await lease() == []


async def test_replies_leave_before_service_messages_and_these_before_campaigns(account_id):
    await queue(account_id, "campaign", Priority.BULK)
    await queue(account_id, "service")
    await queue(account_id, "reply", Priority.REPLY)
    assert await lease() == ["reply", "service", "campaign"]


async def test_what_a_dead_worker_only_leased_is_due_again(account_id):
    await queue(account_id, "one")
    assert await lease() == ["one"]
    assert await delivery.recover_lapsed(now=NOW + LEASE / 2) == 0
    assert await delivery.recover_lapsed(now=NOW + LEASE * 2) == 1
    assert await lease(NOW + LEASE * 2) == ["one"]


@pytest.mark.parametrize(
    ("priority", "status"), [(Priority.REPLY, "queued"), (Priority.SERVICE, "queued"), (Priority.BULK, "unknown")]
)
async def test_a_call_that_a_dead_worker_had_begun_is_repeated_unless_it_was_a_campaign(account_id, priority, status):
    await queue(account_id, "one", priority)
    [message] = await delivery.lease_messages("telegram:4242", limit=1, now=NOW)
    assert await delivery.settle_and_begin([], [message.id], SOURCE, now=NOW)
    assert await delivery.recover_lapsed(now=NOW + SENDING * 2) == 1
    assert await db.fetch_row("SELECT status, reason FROM message") == {"status": status, "reason": "answer_lost"}


async def test_a_worker_that_was_too_slow_does_not_send_what_another_has_taken_over(account_id):
    await queue(account_id, "one")
    [message] = await delivery.lease_messages("telegram:4242", limit=1, now=NOW)
    later = NOW + LEASE * 2
    await delivery.recover_lapsed(now=later)
    [again] = await delivery.lease_messages("telegram:4242", limit=1, now=later)
    assert not await delivery.settle_and_begin([], [message.id], SOURCE, now=later + LEASE * 2)
    assert await delivery.settle_and_begin([], [again.id], SOURCE, now=later)
    await delivery.settle_and_begin([(again.id, "5", later)], [], SOURCE, now=later)
    await delivery.settle_failed(message.id, "late", now=later)
    assert await db.fetch_value("SELECT status FROM message") == "sent"


async def test_a_message_that_never_gets_an_answer_fails_in_the_end(account_id):
    await queue(account_id, "one")
    now, tries = NOW, 0
    while leased := await delivery.lease_messages("telegram:4242", limit=1, now=now):
        tries += 1
        await delivery.settle_and_begin([], [leased[0].id], SOURCE, now=now)
        await delivery.settle_unknown(leased[0], "no_answer", now=now)
        now += timedelta(hours=2)
        await delivery.queue_delayed(now=now)
    assert tries == 8
    assert await db.fetch_row("SELECT status, reason FROM message") == {"status": "failed", "reason": "no_answer"}


async def test_the_same_cause_speaks_once(account_id):
    await queue(account_id, "one")
    await queue(account_id, "one")
    assert await db.fetch_value("SELECT count(*) FROM message") == 1


async def test_a_person_with_two_accounts_is_written_to_at_the_default_one_that_works(account_id):
    [first] = await accounts_of(await db.fetch_value("SELECT customer_id FROM messenger_account WHERE is_default"))
    assert first.customer_id is not None
    second = await know_account("telegram", "78", name="Маша", username=None, language="ru", now=NOW)
    await link_account(second.id, first.customer_id, actor=COMMAND, now=NOW)
    assert (place := await recipient_of(first.customer_id, "receipt")) is not None
    assert place.account_id == first.id
    await db.execute("UPDATE messenger_account SET is_active = false WHERE id = $1", first.id)
    assert (place := await recipient_of(first.customer_id, "receipt")) is not None
    assert place.account_id == second.id
