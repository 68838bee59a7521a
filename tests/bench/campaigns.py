"""A message to many at size: `python -m tests.bench.campaigns [customers] [--keep DIR]`, a hundred thousand by default.

Freezing the audience stands beside the limit measured in the same run, in turns: a bare INSERT … SELECT of as many rows
into the same table, each with the person's first account. Counting whom it reaches, as the draft's page does, stands
beside the shortest SQL that counts those with an account and a yes. Then feeding: what one feeder puts into an outbox
that takes everything, counting what became of it, the report beside the shortest SQL that compares what both groups
paid, and the pages through HTTP. The base is the fast seed's; --keep and --database are as in
`tests.bench.client_base`.
"""

import asyncio
import statistics
from collections.abc import Awaitable
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from loyalty import db
from loyalty.campaigns.actions.drafting import Chosen, add_draft
from loyalty.campaigns.actions.feeding import count, feed
from loyalty.campaigns.actions.starting import launch_campaign, start_campaign
from loyalty.campaigns.queries.reach import Manner, reach
from loyalty.campaigns.queries.report import count_report
from loyalty.campaigns.rules.drafts import CampaignDraft, acknowledgement
from loyalty.campaigns.rules.texts import Words
from loyalty.segments.filters import checked
from loyalty.segments.queries.audience import Audience
from loyalty.segments.queries.base import Look
from loyalty.segments.rules.trees import tree_from
from loyalty.staff.rules import COMMAND
from tests.bench._panel import p95, page_times, signed_in
from tests.bench._shop import BenchShop, fast_arguments, fast_shop, web_process

NOW = datetime.now(UTC)
CHANNELS = ("telegram", "whatsapp")
TEXTS = {"ru": "{first_name}, ждём вас на кофе", "en": "{first_name}, come in for a coffee"}
ROUNDS = 3
REPEATS = 20
OWED_RATIO, OWED_MS = 1.5, 150.0
AUDIENCES = {
    "reach: everybody": "",
    "reach: often here": "visits:between:10..",
    "reach: nobody": "visits:between:99999..",
}
BARE = """
INSERT INTO recipient (campaign_id, customer_id, state, account_id)
SELECT $1, f.customer_id, CASE WHEN a.id IS NULL THEN 'skipped' ELSE 'waiting' END, a.id
FROM customer_facts f LEFT JOIN (SELECT customer_id, min(id) AS id FROM messenger_account
        WHERE is_active AND takes_marketing GROUP BY 1) a USING (customer_id)
WHERE NOT f.is_hidden
"""
BY_HAND = """
SELECT count(DISTINCT a.customer_id) FROM messenger_account a JOIN customer_facts f USING (customer_id)
    JOIN LATERAL (SELECT granted FROM consent c WHERE c.customer_id = a.customer_id AND c.topic = 'marketing'
        ORDER BY id DESC LIMIT 1) said ON said.granted
WHERE a.is_active AND a.takes_marketing AND NOT f.is_hidden
"""
# As if it had been sent two weeks ago, and a tenth of them had been drawn not to get it.
LONG_AGO = "UPDATE campaign SET started_at = $2::timestamptz - INTERVAL '14 days', window_days = 14 WHERE id = $1"
SENT_LONG_AGO = """
UPDATE message SET created_at = $2::timestamptz - INTERVAL '14 days', sent_at = $2::timestamptz - INTERVAL '14 days'
WHERE id IN (SELECT message_id FROM recipient WHERE campaign_id = $1)
"""
DRAW = """
UPDATE recipient SET state = 'control', message_id = NULL
WHERE campaign_id = $1 AND state <> 'skipped' AND customer_id % 10 = 3
"""
COMPARE = """
SELECT r.state = 'control' AS is_control, count(*), sum(b.paid) FROM recipient r LEFT JOIN (
    SELECT customer_id, sum(CASE kind WHEN 'sale' THEN paid ELSE -paid END) AS paid FROM receipt
    WHERE at >= $2::timestamptz - INTERVAL '14 days' GROUP BY 1) b USING (customer_id)
WHERE r.campaign_id = $1 AND r.state <> 'skipped' GROUP BY 1
"""
SEND_ALL = "UPDATE message SET status = 'sent', sent_at = now() WHERE status = 'queued' AND priority = 2"


PATIENCE_SECONDS = 900


async def campaign_to(audience: Chosen, number: int) -> int:
    """A campaign of these people that has been launched and has not begun; its id."""
    draft = CampaignDraft("Bench", Words(TEXTS))
    campaign_id = await add_draft(draft, audience, key=f"bench-{NOW:%s}-{number}", actor=COMMAND, now=NOW)
    await launch_campaign(campaign_id, acknowledgement("en"), working=CHANNELS, actor=COMMAND, now=NOW)
    return campaign_id


async def bare(campaign_id: int) -> float:
    """Seconds that a bare INSERT … SELECT takes."""
    seconds, _ = await seconds_of(db.execute(BARE, campaign_id))
    await db.execute("DELETE FROM recipient WHERE campaign_id = $1", campaign_id)
    await db.fetch_patiently(PATIENCE_SECONDS, "VACUUM recipient")
    return seconds


async def seconds_of(work: Awaitable[Any]) -> tuple[float, Any]:
    """How long it took, and what came of it."""
    began = perf_counter()
    result = await work
    return perf_counter() - began, result


async def freezing() -> int:
    """Freeze a campaign of everybody, round by round beside the bare INSERT; returns the last one."""
    limits, ours, ids = [], [], []
    for number in range(ROUNDS):
        ids.append(await campaign_to(Chosen(), number))
        limits.append(await bare(ids[-1]))
        spent, begun = await seconds_of(start_campaign(ids[-1], now=NOW))
        assert begun
        ours.append(spent)
    limit, spent = statistics.median(limits), statistics.median(ours)
    print(f"a bare INSERT … SELECT   {limit:6.2f} s")
    print(f"freezing                 {spent:6.2f} s {spent / limit:5.2f} of it, owed {OWED_RATIO}")
    return ids[-1]


async def counting() -> None:
    """Whom it reaches, as it is told before it is sent, of everybody and of fewer."""
    by_hand, _ = await seconds_of(db.fetch_patiently(PATIENCE_SECONDS, BY_HAND))
    for words, filter_ in AUDIENCES.items():
        tree = checked(tree_from(filter_))
        spent, found = await seconds_of(reach(Audience(Look(tree=tree)), Manner(), working=CHANNELS, now=NOW))
        told = f"{spent / by_hand:5.2f} of {by_hand:.2f} s by hand" if not filter_ else ""
        print(f"{words:<24} {spent:6.2f} s {told} {found.reached:,} of {found.total:,}")


async def feeding(campaign_id: int) -> None:
    """Into an outbox that takes everything."""
    fed, spent = 0, 0.0
    while True:
        took, some = await seconds_of(feed(campaign_id, now=NOW))
        spent += took
        if not some:
            break
        fed += some
        await db.execute(SEND_ALL)
    print(f"feeding                  {fed / spent:8,.0f} a second, {fed:,} in all")
    took, _ = await seconds_of(count(campaign_id, now=NOW))
    print(f"counting what became     {took:6.2f} s")


async def reporting(campaign_id: int) -> None:
    """What came of it, as the duty counts it."""
    await db.execute(LONG_AGO, campaign_id, NOW)
    await db.execute(SENT_LONG_AGO, campaign_id, NOW)
    await db.execute(DRAW, campaign_id)
    await db.fetch_patiently(PATIENCE_SECONDS, "VACUUM ANALYZE recipient")
    await db.fetch_patiently(PATIENCE_SECONDS, "VACUUM ANALYZE message")
    by_hand, _ = await seconds_of(db.fetch_patiently(PATIENCE_SECONDS, COMPARE, campaign_id, NOW))
    spent, report = await seconds_of(count_report(campaign_id, now=NOW))
    receipts = await db.fetch_value("SELECT count(*) FROM receipt")
    messages = await db.fetch_value("SELECT count(*) FROM message")
    print(f"comparing both groups by hand {by_hand:.2f} s: {report.people:,} and {report.control:,} people,"
          f" {report.bought:,} bought, beside {receipts:,} receipts and {messages:,} messages")  # fmt: skip
    print(f"the whole report         {spent:6.2f} s {spent / by_hand:5.2f} of that comparison")


async def through_http(address: str, campaign_id: int) -> None:
    """The pages that one looks at."""
    print(f"{'ms through HTTP':<38} {'p50':>8} {'p95':>8}  owed {OWED_MS:.0f}")
    async with signed_in(address) as session:
        for path in ("/campaigns", f"/campaigns/{campaign_id}", "/campaigns/new", "/automations", "/surveys"):
            _, times = await page_times(session, path, REPEATS)
            print(f"{path.replace(str(campaign_id), 'N'):<38} {statistics.median(times):8.1f} {p95(times):8.1f}")


async def _run(shop: BenchShop) -> None:
    await db.open_database(f"{shop.database_url}?command_timeout={PATIENCE_SECONDS}")
    await db.migrate()  # one that was kept may be of yesterday
    await counting()
    campaign_id = await freezing()
    await feeding(campaign_id)
    await reporting(campaign_id)
    with web_process(shop) as (address, _):
        await through_http(address, campaign_id)
    await db.close_database()


def main() -> None:
    with fast_shop(fast_arguments("A message to many at size.", 100_000).parse_args()) as shop:
        asyncio.run(_run(shop))


if __name__ == "__main__":
    main()
