"""A message to many, fed by schedulers that are killed and that meet, and stopped while it is fed."""

import asyncio

import pytest

from loyalty import db
from loyalty.campaigns.actions.feeding import count, feed
from loyalty.campaigns.actions.running import cancel_campaign, pause_campaign, resume_campaign
from loyalty.campaigns.queries.campaigns import campaign
from loyalty.campaigns.rules.drafts import CampaignDraft
from loyalty.campaigns.rules.texts import Words
from loyalty.clock import system_now
from loyalty.staff.rules import COMMAND
from tests.bot.conftest import until_sql
from tests.builders import a_campaign
from tests.proofs.conftest import sized
from tests.proofs.test_bulk import MANY_PEOPLE

pytestmark = pytest.mark.prove
PEOPLE = 120
FED = "SELECT NOT EXISTS (SELECT FROM recipient WHERE state = 'waiting')"
# Of everybody one message, which their row names.
ONCE = """
SELECT count(*) = $1 AND count(DISTINCT m.customer_id) = $1 AND bool_and(r.message_id = m.id AND r.state = 'queued')
FROM message m LEFT JOIN recipient r ON r.customer_id = m.customer_id WHERE m.kind = 'bulk'
"""


async def begun(people: int) -> int:
    """A campaign for so many made-up people."""
    await db.execute(MANY_PEOPLE, people)
    return await begun_for_all()


async def begun_for_all() -> int:
    draft = CampaignDraft("", Words({"en": "Hello", "ru": "Привет"}))
    return await a_campaign(draft, working=("telegram",), now=system_now())


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(("message", "INSERT INTO message"), id="queueing the messages"),
        pytest.param(("recipient", "UPDATE recipient"), id="marking the recipients"),
        pytest.param(("campaign", "UPDATE campaign SET place"), id="keeping the place"),
    ],
)
async def test_a_scheduler_killed_while_it_feeds_a_campaign_misses_nobody_and_writes_to_nobody_twice(
    processes, hold, place
):
    table, statement = place
    await begun(PEOPLE)
    async with hold(f"LOCK TABLE {table} IN SHARE MODE"):
        await processes.start_some(1, "scheduler")
        [victim] = await processes.standing_at(statement)
        await victim.kill()
    await processes.bury(victim)
    await processes.start_some(1, "scheduler")
    await until_sql(FED)
    assert await db.fetch_value(ONCE, PEOPLE)
    assert processes.errors() == []


async def test_feeders_that_meet_write_to_everybody_once(database):
    people = sized(150, 450)
    campaign_id = await begun(people)
    fed = await asyncio.gather(*[feed(campaign_id, now=system_now()) for _ in range(4)])
    assert sum(fed) == people
    assert await db.fetch_value(ONCE, people)


async def test_stopping_beside_the_feeder_leaves_nothing_in_the_outbox(database):
    await db.execute(MANY_PEOPLE, 30)
    for _ in range(sized(5, 40)):
        campaign_id = await begun_for_all()
        acts = [pause_campaign, resume_campaign, pause_campaign, cancel_campaign]
        await asyncio.gather(feed(campaign_id, now=system_now()), acts[0](campaign_id, actor=COMMAND, now=system_now()))
        assert await queued() == 0
        for act in acts[1:]:
            await asyncio.gather(feed(campaign_id, now=system_now()), act(campaign_id, actor=COMMAND, now=system_now()))
        assert await queued() == 0
        await count(campaign_id, now=system_now())
        view = await campaign(campaign_id)
        assert (view.cancelled, view.settled, view.queued) == (30, 30, 0)


async def queued() -> int:
    found: int = await db.fetch_value("SELECT count(*) FROM message WHERE status IN ('queued', 'delayed')")
    return found
