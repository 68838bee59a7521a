"""The overview at size: `python -m tests.bench.dashboard [customers] [--messages N] [--keep DIR]`, else a million.

The base is the fast seed's, with twenty messages a customer over two years written beside it. Each part of the figures
is counted as the duty does it, beside the same question in the shortest SQL by hand, as far as there is one; then the
page through HTTP, to its first byte and to its end, with figures that are kept and with none. --keep and --database are
as in `tests.bench.client_base`.
"""

import asyncio
import statistics
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from time import perf_counter
from typing import Any

from aiohttp import ClientSession

from loyalty import db
from loyalty.office.actions.dashboard import count_look
from loyalty.office.dashboard import STANDING, Look, Part, Preset, good_for, window_of
from loyalty.shop.queries import locations, shop
from tests.bench._panel import p95, page_times, signed_in
from tests.bench._shop import BenchShop, fast_arguments, fast_shop, web_process

MESSAGES_EACH = 20
REPEATS = 20
OWED_MS = 150.0
PERIODS = (Preset.TODAY, Preset.MONTH, Preset.YEAR)
PATIENCE_SECONDS = 3600

SOLD = """
SELECT count(DISTINCT customer_id), count(*), sum(total - refunded) FROM receipt
WHERE kind = 'sale' AND refunded < total AND business_date >= $1
"""
MOVED = "SELECT kind, sum(amount) FROM bonus_entry WHERE business_date >= $1 GROUP BY 1"
SENT = """
SELECT channel, status, count(*) FROM message WHERE direction = 'out' AND created_at >= $1::date GROUP BY 1, 2
"""
OWED = "SELECT date_trunc('month', expires_at), sum(remaining) FROM bonus_lot WHERE remaining > 0 GROUP BY 1"
FIFTHS = """
SELECT days, visits, count(*), sum(sold) FROM (SELECT sold, ntile(5) OVER (ORDER BY last_visit_at) AS days,
    ntile(5) OVER (ORDER BY visits) AS visits FROM customer_facts WHERE visits > 0 AND NOT is_hidden) fifths
GROUP BY 1, 2
"""
BY_HAND = {Part.SALES: SOLD, Part.BONUSES: MOVED, Part.MESSAGES: SENT, Part.OWED: OWED, Part.RFM: FIFTHS}

# In the order of time, as they would have come; by a clock that none of them has twice.
PLACES = """
CREATE TEMPORARY TABLE places AS
SELECT row_number() OVER () - 1 AS number, id, customer_id, channel FROM messenger_account WHERE customer_id IS NOT NULL
"""
WRITTEN = """
INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, topic, created_at,
    sent_at, delivered_at, read_at, reason, attempts)
SELECT p.id, p.customer_id, p.channel, 'out', CASE WHEN n % 3 = 0 THEN 'bulk' ELSE 'receipt' END,
    jsonb_build_object('text', 'Спасибо за покупку: ' || n), fate.status, 1,
    CASE WHEN n % 3 = 0 THEN 'marketing' ELSE 'service' END, told.at, told.at,
    CASE WHEN fate.status IN ('delivered', 'read') THEN told.at END, CASE WHEN fate.status = 'read' THEN told.at END,
    CASE WHEN fate.status = 'failed' THEN (ARRAY['blocked', 'window_closed', 'gone'])[1 + n % 3] END, 1
FROM generate_series(1, $1::bigint) n JOIN places p ON p.number = (n * 7919) % (SELECT count(*) FROM places)
    CROSS JOIN LATERAL (SELECT now() - INTERVAL '730 days' * (1 - n::float8 / $1) AS at) told
    CROSS JOIN LATERAL (SELECT CASE WHEN n % 23 = 0 THEN 'failed' WHEN p.channel <> 'whatsapp' THEN 'sent'
        WHEN n % 5 < 3 THEN 'read' ELSE 'delivered' END AS status) fate
ORDER BY n
"""
INDEXES = """
SELECT indexname AS name, indexdef AS sql FROM pg_indexes i WHERE tablename = 'message'
    AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conname = i.indexname)
"""


async def write_messages(count: int) -> None:
    """Fill the log of messages. Its indexes are made when all of them are there."""
    async with db.transaction():
        await db.execute("SELECT set_config('session_replication_role', 'replica', true)")
        await db.execute(f"SET LOCAL statement_timeout = '{PATIENCE_SECONDS}s'")
        await db.execute("SET LOCAL maintenance_work_mem = '256MB'")
        indexes = await db.fetch(INDEXES)
        for index in indexes:
            await db.execute(f"DROP INDEX {index['name']}")
        await db.execute(PLACES)
        await db.fetch_patiently(PATIENCE_SECONDS, "ANALYZE places")
        await db.fetch_patiently(PATIENCE_SECONDS, WRITTEN, count)
        for index in indexes:
            await db.fetch_patiently(PATIENCE_SECONDS, index["sql"])
    await db.fetch_patiently(PATIENCE_SECONDS, "VACUUM ANALYZE message")


async def measure() -> list[str]:
    """Count each part as the duty does, beside what one would ask by hand; returns the pages to open."""
    zone, now = (await shop()).time_zone, datetime.now(UTC)
    places = [place.id for place in await locations()]
    sizes = await db.fetch_row(
        "SELECT (SELECT count(*) FROM customer) AS customers, (SELECT count(*) FROM receipt) AS receipts,"
        " (SELECT count(*) FROM bonus_entry) AS entries, (SELECT count(*) FROM message) AS messages"
    )
    assert sizes is not None
    print(", ".join(f"{count:,} {name}" for name, count in sizes.items()))
    print(f"{'ms':<36} {'by hand':>9} {'ours':>9} {'good for':>10}")
    for period in PERIODS:
        for part in Part:
            for whose in (None, places[:1]):
                if part in STANDING and period is not PERIODS[0]:
                    continue
                sql = BY_HAND.get(part) if whose is None else None
                first = window_of(period, now, zone).first
                params = [] if part in STANDING else [first]
                by_hand = await _once(partial(db.fetch_patiently, PATIENCE_SECONDS, sql, *params)) if sql else None
                look = Look.of(part, period, whose)
                ours = await _once(partial(count_look, look, now=now, zone=zone))
                told = f"{by_hand:9.0f}" if by_hand is not None else f"{'':9}"
                kept = good_for(round(ours)).total_seconds()
                print(f"{look.key:<36} {told} {ours:9.0f} {max(60, kept) / 60:8.0f} m", flush=True)
    here = "" if len(places) < 2 else f"&location={places[0]}"
    return [f"/dashboard?period={period}{where}" for period in PERIODS for where in ("", here)]


async def _once(work: Callable[[], Awaitable[Any]]) -> float:
    began = perf_counter()
    await work()
    return (perf_counter() - began) * 1000


async def through_http(address: str, pages: list[str]) -> None:
    """The page, with all that is kept and with nothing."""
    async with signed_in(address) as session:
        print(f"{'through HTTP':<36} {'p50':>9} {'p95':>9}  first byte, whole page p95")
        every: list[float] = []
        for path in pages:
            every += await _pages(session, path, path)
        print(f"{'all pages, first byte':<36} {statistics.median(every):9.1f} {p95(every):9.1f}  owed {OWED_MS:.0f}")
        await db.execute("DELETE FROM dashboard_look")
        await _pages(session, "nothing kept yet", "/dashboard?period=90d")


async def _pages(session: ClientSession, words: str, path: str) -> list[float]:
    begun, whole = await page_times(session, path, REPEATS)
    print(f"{words:<36} {statistics.median(begun):9.1f} {p95(begun):9.1f}  {p95(whole):9.1f}", flush=True)
    return begun


async def _run(bench: BenchShop, messages: int) -> None:
    await db.open_database(f"{bench.database_url}?command_timeout=900")
    await db.migrate()  # one that was kept may be of yesterday
    there: int = await db.fetch_value("SELECT count(*) FROM message WHERE direction = 'out'")
    if there < messages:
        print(f"{messages - there:,} messages …", flush=True)
        await write_messages(messages - there)
    pages = await measure()
    with web_process(bench) as (address, _):
        await through_http(address, pages)
    await db.close_database()


def main() -> None:
    arguments = fast_arguments("The overview at size.", 1_000_000)
    arguments.add_argument("--messages", type=int, help="so many at least; twenty a customer by default")
    asked = arguments.parse_args()
    messages = asked.customers * MESSAGES_EACH if asked.messages is None else asked.messages
    with fast_shop(asked) as shop:
        asyncio.run(_run(shop, messages))


if __name__ == "__main__":
    main()
