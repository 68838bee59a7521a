"""Bonuses of a campaign, given by schedulers that are killed at any step of it and by several at once."""

import asyncio

import pytest

from loyalty import db
from loyalty.campaigns.actions.granting import grant_due
from loyalty.clock import system_now
from loyalty.office.queries.verify import verify
from loyalty.staff.rules import JOB
from tests.bot.conftest import until_sql
from tests.loyalty.campaigns.frozen import a_campaign
from tests.proofs.conftest import sized
from tests.proofs.test_bulk import MANY_PEOPLE

pytestmark = pytest.mark.prove
GIFT = 25_00
# To everybody it was sent; of the bonus nothing is given yet.
SENT = """
WITH said AS (
    INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, topic,
        dedupe_key, created_at, due_at, sent_at, attempts)
    SELECT id, customer_id, channel, 'out', 'bulk', '{}', 'sent', 2, 'marketing', 'b' || id, $2, $2, $2, 1
    FROM messenger_account RETURNING id, account_id, customer_id
)
INSERT INTO recipient (campaign_id, customer_id, state, account_id, message_id)
SELECT $1, customer_id, 'due', account_id, id FROM said
"""
OVER = "SELECT NOT EXISTS (SELECT FROM recipient WHERE state = 'due')"
ONCE = """
SELECT count(*) = $2 AND count(DISTINCT e.customer_id) = $2 AND sum(e.amount) = $2 * $3::bigint
    AND bool_and(e.operation_id = 'campaign:' || $1::int || ':' || e.customer_id) FROM bonus_entry e
"""


async def sent_to(people: int) -> int:
    """A campaign that has just gone out to so many made-up people, each of whom is due a bonus."""
    await db.execute(MANY_PEOPLE, people)
    await db.execute("INSERT INTO conversation (account_id, session, last_message_at)"
                     " SELECT id, '{}', now() FROM messenger_account")  # fmt: skip
    campaign_id = await a_campaign(at=system_now(), bonus=GIFT, bonus_days=14)
    await db.execute(SENT, campaign_id, system_now())
    await db.execute("UPDATE campaign SET total = $2 WHERE id = $1", campaign_id, people)
    return campaign_id


async def assert_bonuses_agree() -> None:
    """The books know of these people little else."""
    proof = await verify(now=system_now())
    assert [one.describe() for one in proof.differences if "tier" not in one.check] == []


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(("customer_facts IN EXCLUSIVE", "SELECT customer_id FROM customer_facts"), id="taking the locks"),
        pytest.param(("bonus_entry IN SHARE", "WITH part AS"), id="writing the entries"),
        pytest.param(("recipient IN SHARE", "UPDATE recipient SET state = 'done'"), id="marking the recipients"),
    ],
)
async def test_a_scheduler_killed_while_it_gives_misses_nobody_and_gives_to_nobody_twice(processes, hold, place):
    table, statement = place
    people = 40
    campaign_id = await sent_to(people)
    async with hold(f"LOCK TABLE {table} MODE"):
        await processes.start_some(1, "scheduler")
        [victim] = await processes.standing_at(statement)
        await victim.kill()
    await processes.bury(victim)
    await processes.start_some(1, "scheduler")
    await until_sql(OVER)
    assert await db.fetch_value(ONCE, campaign_id, people, GIFT)
    assert processes.errors() == []
    await assert_bonuses_agree()


async def test_several_that_give_at_once_give_once(database):
    people = sized(450, 4_500)
    campaign_id = await sent_to(people)
    given = await asyncio.gather(*[grant_due(actor=JOB, now=system_now(), seconds=60.0) for _ in range(4)])
    assert sum(given) == people
    assert await db.fetch_value(ONCE, campaign_id, people, GIFT)
    await assert_bonuses_agree()
