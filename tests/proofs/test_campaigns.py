"""A message to many, fed by schedulers that are killed and that meet, and stopped while it is fed."""

import asyncio
import socket
from datetime import time, timedelta
from functools import partial
from random import Random

import pytest

from bot.sender import IN_FLIGHT
from loyalty import db
from loyalty.campaigns.actions.drafting import add_draft
from loyalty.campaigns.actions.feeding import count, feed
from loyalty.campaigns.actions.running import cancel_campaign, pause_campaign, resume_campaign
from loyalty.campaigns.actions.starting import launch_campaign
from loyalty.campaigns.queries.campaigns import campaign
from loyalty.campaigns.rules.drafts import CampaignDraft, Terms, Timing, acknowledgement
from loyalty.campaigns.rules.repeating import weekly
from loyalty.campaigns.rules.states import CampaignState
from loyalty.campaigns.rules.texts import Words
from loyalty.clock import system_now
from loyalty.office.queries.verify import verify
from loyalty.staff.rules import COMMAND
from tests.bot.conftest import until, until_sql
from tests.builders import EVERYBODY, a_campaign
from tests.proofs.conftest import sized
from tests.proofs.sink import Sink, listening_at
from tests.proofs.test_bulk import MANY_PEOPLE

pytestmark = pytest.mark.prove
PEOPLE = 120
ZONE = "Europe/Moscow"
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


async def test_a_campaign_begins_once_though_the_leader_dies_at_the_second_it_is_due(processes):
    await db.execute(MANY_PEOPLE, 50)
    words, now = Words({"en": "Hello", "ru": "Привет"}), system_now()
    pair = await processes.start_some(2, "scheduler")
    await until(lambda: any(process.has_said("leading") for process in pair))
    [leader] = [process for process in pair if process.has_said("leading")]
    due = now + timedelta(seconds=20)
    once = await a_campaign(CampaignDraft("", words, timing=Timing(starts_at=due, zone=ZONE)), now=now)
    daily = Timing(repeat=weekly([1, 2, 3, 4, 5, 6, 7], time(10)), zone=ZONE)
    series = await a_campaign(CampaignDraft("", words, timing=daily), now=now)
    due = system_now() + timedelta(seconds=1.5)
    await db.execute("UPDATE campaign SET starts_at = $1 WHERE state = 'scheduled'", due)
    await asyncio.sleep((due - system_now()).total_seconds() + Random(7).uniform(0, 0.3))
    await leader.kill()
    await processes.bury(leader)
    await until_sql("SELECT bool_and(state <> 'scheduled' OR starts_at > now()) FROM campaign")
    assert await db.fetch_value("SELECT count(*) FROM campaign WHERE series_id = $1", series) == 1
    begun = """
        SELECT count(*) FROM recipient
        WHERE campaign_id = $1 OR campaign_id IN (SELECT id FROM campaign WHERE series_id = $2)
    """
    assert await db.fetch_value(begun, once, series) == 100
    started = "SELECT count(*) FROM journal_entry WHERE action = 'campaign.started'"
    assert await db.fetch_value(started) == 2
    assert processes.errors() == []


def plan(chat: int) -> str:
    """Of a hundred people one has blocked us, of two nobody learns whether it reached them, one is slow."""
    return {7: "blocked", 21: "lost", 35: "bad gateway", 49: "slow"}.get(chat % 100, "")


# What its page says of a campaign is what its rows say.
COUNTERS = """
SELECT c.total = count(*) AND c.skipped = count(*) FILTER (WHERE r.state = 'skipped')
    AND c.control = count(*) FILTER (WHERE r.state = 'control')
    AND c.sent = count(*) FILTER (WHERE m.status = 'sent') AND c.failed = count(*) FILTER (WHERE m.status = 'failed')
    AND c.unknown = count(*) FILTER (WHERE m.status = 'unknown') AND c.queued + c.cancelled = 0
FROM campaign c JOIN recipient r ON r.campaign_id = c.id LEFT JOIN message m ON m.id = r.message_id
GROUP BY c.id
"""
# Everybody whose message went out, or may have, has its bonus once; nobody else has any.
BONUSES = """
SELECT count(*) FROM recipient r LEFT JOIN message m ON m.id = r.message_id
    LEFT JOIN bonus_entry e ON e.operation_id = 'campaign:' || r.campaign_id || ':' || r.customer_id
WHERE (e.id IS NOT NULL) <> coalesce(m.status IN ('sent', 'unknown'), false)
"""
ONE_EACH = "SELECT count(*) FROM message m JOIN recipient r ON r.customer_id = m.customer_id AND r.message_id <> m.id"
OVER = "SELECT state = 'finished' AND NOT EXISTS (SELECT FROM recipient WHERE state = 'due') FROM campaign"


async def test_whoever_is_killed_a_campaign_misses_nobody_and_writes_and_gives_to_nobody_twice(
    environment, processes, database
):
    chance = Random(20_261_123)
    many, kills = sized(600, 20_000), sized(3, 20)
    await db.execute(MANY_PEOPLE, many)
    await db.execute("DELETE FROM consent WHERE customer_id % 40 = 3")
    sink = Sink(plan)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment |= {
        "TELEGRAM_API_URL": f"http://127.0.0.1:{port}",
        "TELEGRAM_RATE": "0",
        "TELEGRAM_CHAT_SECONDS": "0",
    }
    async with listening_at(sink, port):
        terms = Terms(control_bp=1_000, bonus=10_00, bonus_days=14)
        draft = CampaignDraft("", Words({"en": "Hello", "ru": "Привет"}), terms=terms)
        campaign_id = await add_draft(draft, EVERYBODY, key="1", actor=COMMAND, now=system_now())
        said = acknowledgement("en")
        await launch_campaign(campaign_id, said, working=("telegram",), actor=COMMAND, now=system_now())
        parts = ("worker", "worker", "scheduler", "scheduler")
        crowd = [(part, await processes.start(part)) for part in parts]
        for _ in range(kills):
            part, victim = crowd.pop(0)
            await victim.has_started()
            moment = min(sink.calls + chance.randint(1, many // (kills + 1)), many * 3 // 4)
            await until(partial(has_gone_on, sink, campaign_id, moment))
            await asyncio.sleep(chance.uniform(0, 0.2))
            await victim.kill()
            crowd.append((part, await processes.start(part)))
            await processes.bury(victim)
        await until(partial(is_over, campaign_id))
    # Nobody was written to twice, and nobody of those who are kept to compare with at all.
    assert set(sink.taken.values()) == {1}
    assert await db.fetch_value(ONE_EACH) == 0
    assert await db.fetch_value("SELECT count(*) FROM message") == (await campaign(campaign_id)).reached
    assert await db.fetch_value(COUNTERS)
    assert await db.fetch_value(BONUSES) == 0
    lost = await db.fetch_value("SELECT count(*) FROM message WHERE reason = 'answer_lost'")
    assert lost <= IN_FLIGHT * kills
    view = await campaign(campaign_id)
    assert many // 20 < view.control < many // 5
    assert processes.errors() == []
    assert [one.describe() for one in (await verify(now=system_now())).differences if "campaign" in one.check] == []


async def has_gone_on(sink: Sink, campaign_id: int, moment: int) -> bool:
    await go_on(campaign_id)
    return sink.calls >= moment


async def is_over(campaign_id: int) -> bool:
    await go_on(campaign_id)
    return bool(await db.fetch_value(OVER))


async def go_on(campaign_id: int) -> None:
    """Where so much went wrong that it stands still, somebody has a look and lets it go on."""
    if (await campaign(campaign_id)).state is CampaignState.PAUSED:
        await resume_campaign(campaign_id, actor=COMMAND, now=system_now())
