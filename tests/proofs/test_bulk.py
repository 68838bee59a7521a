"""A message to many, through a messenger with faults, by workers that are killed."""

import asyncio
import socket
from collections import Counter
from functools import partial
from random import Random

import pytest

from bot.sender import IN_FLIGHT
from loyalty import db
from loyalty.clock import system_now
from loyalty.conversations.actions.bulk import BulkMessage, queue_bulk
from loyalty.conversations.content import Content
from loyalty.customers.rules import Topic
from tests.bot.conftest import until
from tests.proofs.conftest import sized
from tests.proofs.sink import Sink, listening_at

pytestmark = pytest.mark.prove
MANY_PEOPLE = """
WITH person AS (
    INSERT INTO customer (name, card_number, language, created_at, updated_at, created_via)
    SELECT 'Guest', to_char(number, 'FM00000000'), 'ru', now(), now(), 'telegram'
    FROM generate_series(1, $1::int) number RETURNING id
), facts AS (
    INSERT INTO customer_facts (customer_id, created_at, first_visit_at, last_visit_at, sold, paid, receipts, visits,
        balance, debt, earned, burnt, expired, tier_id, birthday_code, telegram)
    SELECT id, now(), 'epoch', 'epoch', 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, true FROM person
), agreed AS (
    INSERT INTO consent (customer_id, topic, granted, source, text_version, at)
    SELECT id, 'marketing', true, 'telegram', '1', now() FROM person
)
INSERT INTO messenger_account (channel, address, customer_id, name, language, is_active, is_default, created_at)
SELECT 'telegram', (1000000 + row_number() OVER (ORDER BY id))::text, id, 'Guest', 'ru', true, true, now() FROM person
RETURNING id, address
"""
# What was begun, and when, by the base's clock; and when the account was paused until when.
NOTE_TIMES = """
CREATE TABLE watched.pause (at timestamptz, until timestamptz);
CREATE FUNCTION watched.note_pause() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO watched.pause VALUES (clock_timestamp(), NEW.paused_until);
    RETURN NULL;
END $$;
CREATE TRIGGER watched_pause AFTER INSERT OR UPDATE ON channel_pause FOR EACH ROW EXECUTE FUNCTION watched.note_pause();
CREATE TABLE watched.begun (at timestamptz, message_id bigint);
CREATE FUNCTION watched.note_begun() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO watched.begun VALUES (clock_timestamp(), NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER watched_begun AFTER UPDATE OF status ON message FOR EACH ROW
    WHEN (NEW.status = 'sending') EXECUTE FUNCTION watched.note_begun();
"""
FORGET_TIMES = """
DROP TRIGGER watched_begun ON message; DROP TRIGGER watched_pause ON channel_pause;
"""
# A call whose beginning was being committed while the pause was may still go out; one of a later moment may not.
BEGUN_IN_A_PAUSE = """
SELECT count(*) FROM watched.begun b JOIN watched.pause p
    ON b.at > p.at + interval '0.5 seconds' AND b.at < p.until - interval '0.1 seconds'
"""
BLOCKED_AND_ON = """
SELECT count(*) FROM message m JOIN messenger_account a ON a.id = m.account_id
WHERE m.reason = 'blocked' AND a.is_active
"""


def plan(chat: int) -> str:
    """Of a hundred people one has blocked us, one meets a flood, and so on."""
    return {7: "blocked", 21: "lost", 35: "bad gateway", 49: "slow", 63: "flood" if chat % 500 < 100 else ""}.get(
        chat % 100, ""
    )


async def test_nobody_is_missed_or_written_to_twice_whatever_is_killed(environment, processes, database, free_port):
    chance = Random(20_261_122)
    many, kills = sized(600, 10_000), sized(3, 20)
    await database.execute(NOTE_TIMES)
    accounts = await db.fetch(MANY_PEOPLE, many)
    addresses = {row["id"]: int(row["address"]) for row in accounts}
    sink = Sink(plan)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment |= {
        "TELEGRAM_API_URL": f"http://127.0.0.1:{port}",
        "TELEGRAM_RATE": "0",
        "TELEGRAM_CHAT_SECONDS": "0",
    }

    def is_reached(moment: int) -> bool:
        return sink.calls >= moment

    async with listening_at(sink, port):
        copies = [BulkMessage(account, Content(text="Hello"), f"bulk:1:{account}") for account in sorted(addresses)]
        assert await queue_bulk(copies, topic=Topic.MARKETING, now=system_now()) == many
        assert await queue_bulk(copies, topic=Topic.MARKETING, now=system_now()) == 0
        pair = await processes.start_some(2, "worker")
        for number in range(kills):
            for process in pair:
                await process.has_started()
            moment = min(sink.calls + chance.randint(1, many // (kills + 1)), many - many // 10)
            await until(partial(is_reached, moment))
            await asyncio.sleep(chance.uniform(0, 0.05))
            victim = pair[number % 2]
            await victim.kill()
            pair[number % 2] = await processes.start("worker")
            await processes.bury(victim)
        await until(
            lambda: db.fetch_value(
                "SELECT NOT EXISTS (SELECT FROM message WHERE status IN ('queued', 'delayed', 'leased', 'sending'))"
            )
        )
    rows = await db.fetch("SELECT account_id, status, reason FROM message")
    became = {addresses[row["account_id"]]: row for row in rows}
    assert len(rows) == len(became) == many
    # Whoever was taken was taken once: no campaign writes twice.
    assert set(sink.taken.values()) == {1}
    by_status = Counter(row["status"] for row in rows)
    assert set(by_status) <= {"sent", "failed", "unknown"}
    for chat, row in became.items():
        match row["status"]:
            case "sent":
                assert sink.told[chat] == 1
            case "failed":
                assert (plan(chat), row["reason"], sink.taken[chat]) == ("blocked", "blocked", 0)
            case "unknown":
                assert plan(chat) in {"lost", "bad gateway"} or row["reason"] == "answer_lost"
    lost = [row for row in rows if row["reason"] == "answer_lost"]
    assert len(lost) <= IN_FLIGHT * kills
    for process in processes.all:
        assert len(process.in_doubt) <= IN_FLIGHT
    # Everybody who is not shown as unknown, and has not blocked us, has it.
    assert all(sink.taken[chat] for chat, row in became.items() if row["status"] == "sent")
    assert sink.pauses
    assert await database.fetchval(BEGUN_IN_A_PAUSE) == 0
    # Whose answer was lost with its worker, nobody knows yet that they have blocked us.
    assert await database.fetchval(BLOCKED_AND_ON) == 0
    await database.execute(FORGET_TIMES)
    assert processes.errors() == []
