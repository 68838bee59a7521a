"""A message to many at size: `python -m tests.bench.campaigns [customers]`, a hundred thousand by default.

Counting whom it reaches and freezing the audience stand beside the limit measured in the same run: the shortest SQL
that copies those with an account and a yes. Then feeding: what one feeder puts into an outbox that takes everything,
counting what became of it, and the report, beside the shortest SQL that compares what both groups paid. The base is
the fast seed's.
"""

import asyncio
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from loyalty import db
from loyalty.campaigns.actions.drafting import Chosen, add_draft
from loyalty.campaigns.actions.feeding import count, feed
from loyalty.campaigns.actions.starting import launch_campaign, start_campaign
from loyalty.campaigns.queries.reach import Manner, reach
from loyalty.campaigns.queries.report import count_report
from loyalty.campaigns.rules.drafts import CampaignDraft, acknowledgement
from loyalty.campaigns.rules.texts import Words
from loyalty.segments.queries.audience import Audience
from loyalty.staff.rules import COMMAND
from regulars.embedded import EmbeddedServers
from regulars.seed.fast import seed_fast

NOW = datetime.now(UTC)
CHANNELS = ("telegram", "whatsapp")
TEXTS = {"ru": "{first_name}, ждём вас на кофе", "en": "{first_name}, come in for a coffee"}
BY_HAND = """
CREATE TEMPORARY TABLE chosen AS
SELECT f.customer_id, min(a.id) AS account_id FROM customer_facts f
    JOIN messenger_account a ON a.customer_id = f.customer_id AND a.is_active AND a.takes_marketing
    JOIN LATERAL (SELECT granted FROM consent c WHERE c.customer_id = f.customer_id AND c.topic = 'marketing'
        ORDER BY id DESC LIMIT 1) said ON said.granted
WHERE NOT f.is_hidden GROUP BY 1
"""
# As if it had begun two weeks ago, and a tenth of them had been drawn not to get it.
LONG_AGO = "UPDATE campaign SET started_at = $2::timestamptz - INTERVAL '14 days', window_days = 14 WHERE id = $1"
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


async def measure(url: str, customers: int) -> None:
    await db.open_database(f"{url}?command_timeout=900")
    await db.migrate()
    await seed_fast(customers, now=NOW, report=lambda _: None)
    began = perf_counter()
    await db.execute(BY_HAND)
    by_hand = perf_counter() - began
    began = perf_counter()
    found = await reach(Audience(), Manner(), working=CHANNELS, now=NOW)
    counted = perf_counter() - began
    print(f"{found.total:,} customers, {found.reached:,} reached; by hand {by_hand:.2f} s")
    print(f"counting whom it reaches {counted:6.2f} s {counted / by_hand:5.1f} of by hand")
    draft = CampaignDraft("Bench", Words(TEXTS))
    campaign_id = await add_draft(draft, Chosen(), key="bench", actor=COMMAND, now=NOW)
    await launch_campaign(campaign_id, acknowledgement("en"), working=CHANNELS, actor=COMMAND, now=NOW)
    began = perf_counter()
    await start_campaign(campaign_id, now=NOW)
    frozen = perf_counter() - began
    print(f"freezing                 {frozen:6.2f} s {frozen / by_hand:5.1f} of by hand")
    fed, spent = 0, 0.0
    while True:
        began = perf_counter()
        some = await feed(campaign_id, now=NOW)
        spent += perf_counter() - began
        if not some:
            break
        fed += some
        await db.execute(SEND_ALL)
    print(f"feeding                  {fed / spent:8,.0f} a second, {fed:,} in all")
    began = perf_counter()
    await count(campaign_id, now=NOW)
    print(f"counting what became     {perf_counter() - began:6.2f} s")
    await db.execute(LONG_AGO, campaign_id, NOW)
    await db.execute(DRAW, campaign_id)
    await db.fetch_patiently(900, "VACUUM ANALYZE recipient, message")
    began = perf_counter()
    await db.fetch_patiently(900, COMPARE, campaign_id, NOW)
    by_hand = perf_counter() - began
    began = perf_counter()
    report = await count_report(campaign_id, now=NOW)
    spent = perf_counter() - began
    receipts = await db.fetch_value("SELECT count(*) FROM receipt")
    print(f"comparing both groups by hand {by_hand:.2f} s: {report.people:,} and {report.control:,} people,"
          f" {report.bought:,} bought, beside {receipts:,} receipts")  # fmt: skip
    print(f"the whole report         {spent:6.2f} s {spent / by_hand:5.1f} of that comparison")
    await db.close_database()


def main() -> None:
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as home:
        Path(home).chmod(0o711)
        servers = EmbeddedServers(Path(home) / "servers")
        addresses = servers.start()
        try:
            asyncio.run(measure(addresses.database_url, customers))
        finally:
            servers.stop()


if __name__ == "__main__":
    main()
