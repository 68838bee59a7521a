"""The client base at size: `python -m tests.bench.client_base [customers] [--keep DIR]`, a million by default.

The base is the fast seed's. Each look of ours stands beside the limit measured in the same run: the same thing asked by
hand, in the shortest SQL that somebody who knows the tables would write for this very question. Then the panel's own
pages about all this, through HTTP. With --keep the base stays in DIR for the next run; with --database it is one that
was seeded before.
"""

import asyncio
import statistics
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from time import perf_counter
from typing import Any

from loyalty import db
from loyalty.customers.rules import parse_search
from loyalty.office.actions.duplicates import look_for_duplicates_nightly
from loyalty.office.queries.duplicates import duplicates
from loyalty.office.queries.timeline import timeline
from loyalty.segments.filters import checked
from loyalty.segments.queries.base import Look, base_count, base_page, base_totals
from loyalty.segments.queries.finding import Cursor
from loyalty.segments.rules.trees import tree_from
from loyalty.shop.queries import locations
from tests.bench._looks import COMBINATIONS, COUNTED, FILTER_LOOKS, ORDERS, SEARCHES, Asked, marks
from tests.bench._panel import p95, page_times, signed_in
from tests.bench._shop import BenchShop, fast_arguments, fast_shop, web_process

REPEATS = 7
OWED_RATIO, OWED_MS = 2.0, 150.0
TOO_QUICK_MS = 5.0
"""A look that takes no longer is not weighed against the hand-written one: what both do besides is most of it."""
SHOWN = ("name", "phone", "messengers", "categories", "tier", "visits", "sold", "balance", "last_visit")
CARD_TABS = ("", "?tab=bonuses", "?tab=receipts", "?tab=timeline", "?tab=appointments", "?tab=messengers")
PAGES = ("/segments", "/segments/1", "/categories", "/label-rules", "/customers/deleted", "/customers/duplicates")
NOW = datetime.now(UTC)

# By hand: fifty rows of the facts in order, joined to their profiles.
PAGE = """
SELECT c.id, c.name, c.phone, page.* FROM (SELECT f.* FROM customer_facts f WHERE NOT f.is_hidden AND {where}
    ORDER BY {order} DESC, f.customer_id DESC LIMIT 51) page JOIN customer c ON c.id = page.customer_id
"""
FOUND = """
SELECT c.id, c.name, c.phone, page.* FROM (SELECT f.* FROM ({found}) p JOIN customer_facts f USING (customer_id)
    WHERE NOT f.is_hidden ORDER BY f.last_visit_at DESC, f.customer_id DESC LIMIT 51) page
JOIN customer c ON c.id = page.customer_id
"""
THERE = """
(EXISTS (SELECT FROM customer c WHERE c.id = f.customer_id AND c.home_location_id = {place})
OR EXISTS (SELECT FROM customer_location p WHERE p.customer_id = f.customer_id AND p.location_id = {place}))
"""
SUMS = """
SELECT count(*), sum(f.sold), sum(f.paid), sum(f.balance) FROM customer_facts f WHERE NOT f.is_hidden AND {where}
"""
SOMEBODY = """
SELECT c.id, c.phone, c.card_number FROM customer c JOIN customer_facts f ON f.customer_id = c.id
WHERE NOT f.is_hidden AND f.receipts BETWEEN 20 AND 40 ORDER BY c.id DESC LIMIT 1
"""


class Figures:
    """What was measured; the worst of it is told in the end."""

    def __init__(self) -> None:
        self.ratios: list[tuple[float, float, str]] = []
        self.slow: list[tuple[float, str]] = []

    async def beside(
        self, words: str, ours: Callable[[], Awaitable[Any]], by_hand: Callable[[], Awaitable[Any]] | None
    ) -> None:
        """Print a line: by hand, ours, ours at worst, and how they stand to each other."""
        limit = (await _timed(by_hand))[0] if by_hand is not None else None
        middle, worst = await _timed(ours)
        self.slow.append((middle, words))
        if limit is not None and middle > TOO_QUICK_MS:
            self.ratios.append((middle / limit, middle, words))
        told = f"{limit:8.1f} {middle:8.1f} {worst:8.1f} {middle / limit:6.1f}" if limit else f"{'':8} {middle:8.1f}"
        print(f"{words:<38} {told}", flush=True)

    def conclude(self) -> None:
        """What is dearer than owed."""
        self.ratios.sort(reverse=True)
        print("\ntimes as long as by hand, the worst:")
        for ratio, middle, words in self.ratios[:8]:
            print(f"  {words:<36} {ratio:6.1f} {middle:8.1f} ms{'  over' if ratio > OWED_RATIO else ''}")
        over = [f"{words} {middle:.0f}" for middle, words in sorted(self.slow, reverse=True) if middle > OWED_MS]
        print(f"queries over {OWED_MS:.0f} ms: {', '.join(over) or 'none'}\n")


async def _timed(work: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """Median and worst milliseconds, after one warm-up."""
    await work()
    times = []
    for _ in range(REPEATS):
        began = perf_counter()
        await work()
        times.append((perf_counter() - began) * 1000)
    return statistics.median(times), max(times)


def _look(filter_: str = "", order: str = "last_visit", search: str = "") -> Look:
    return Look(search=parse_search(search, "RU"), tree=checked(tree_from(filter_)), order=order)


def _shown(asked: Look, after: Cursor | None = None) -> Callable[[], Awaitable[Any]]:
    return partial(base_page, asked, columns=SHOWN, now=NOW, after=after)


def _by_hand(sql: str, **parts: str) -> Callable[[], Awaitable[Any]]:
    return partial(db.fetch_planned, sql.format(**parts))


async def measure(looks: list[Asked], somebody: db.Row) -> None:
    """At the queries."""
    customers = await db.fetch_value("SELECT count(*) FROM customer")
    print(f"{customers:,} customers; ms: by hand, ours (median and worst of {REPEATS}), ours to by hand")
    figures = Figures()
    for order, sql in ORDERS.items():
        await figures.beside(f"by {order}", _shown(_look(order=order)), _by_hand(PAGE, where="true", order=sql))
    middle = await db.fetch_value("SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY sold) FROM customer_facts")
    after, where = (
        Cursor(middle, customers // 2, customers // 2),
        f"(f.sold, f.customer_id) < ({middle}, {customers // 2})",
    )
    await figures.beside(
        "by sold, from the middle", _shown(_look(order="sold"), after), _by_hand(PAGE, where=where, order="f.sold")
    )
    for one in looks:
        by_hand = _by_hand(PAGE, where=one.by_hand, order=ORDERS[one.order])
        await figures.beside(one.words, _shown(_look(one.filter, one.order)), by_hand)
    for place in await locations():
        by_hand = _by_hand(PAGE, where=THERE.format(place=place.id), order="f.last_visit_at")
        await figures.beside(f"base of {place.name}", _shown(replace(_look(), locations=(place.id,))), by_hand)
    for words, text, found in SEARCHES:
        by_hand = _by_hand(FOUND, found=_with(found, somebody))
        await figures.beside(f"search: {words}", _shown(_look(search=_with(text, somebody))), by_hand)
    for one in (Asked("everybody", "", "true"), *(look for look in looks if look.words in COUNTED)):
        asked = _look(one.filter)
        await figures.beside(
            f"sums: {one.words}", partial(base_totals, asked, now=NOW), _by_hand(SUMS, where=one.by_hand)
        )
        await figures.beside("  up to a thousand", partial(base_count, asked, now=NOW), None)
    await figures.beside("timeline", partial(timeline, somebody["id"], with_words=True), None)
    began = perf_counter()
    await look_for_duplicates_nightly(now=NOW)
    print(f"{'a night looks for duplicates':<38} {'':8} {(perf_counter() - began) * 1000:8.1f}")
    await figures.beside("duplicates", duplicates, None)
    figures.conclude()


def _with(text: str, somebody: db.Row) -> str:
    return text.replace("{phone}", somebody["phone"]).replace("{card}", somebody["card_number"])


async def through_http(address: str, looks: list[Asked], somebody: db.Row) -> None:
    """The panel's own pages about all this, one after the other: from the request to the whole answer."""
    paths = [(f"by {order}", f"/customers?sort={order}&dir=desc") for order in ORDERS]
    paths += [(one.words, f"/customers?f={one.filter}&sort={one.order}&dir=desc") for one in looks]
    paths += [
        (f"search: {words}", f"/customers?q={_with(text, somebody).replace('+', '%2B')}") for words, text, _ in SEARCHES
    ]
    paths += [(f"card {tab}", f"/customers/{somebody['id']}{tab}") for tab in CARD_TABS]
    paths += [(path, path) for path in PAGES]
    every: list[float] = []
    slow: list[tuple[float, str]] = []
    print(f"{'through HTTP':<38} {'p50':>8} {'p95':>8}")
    async with signed_in(address) as session:
        for words, path in paths:
            _, times = await page_times(session, path, REPEATS)
            every += times
            slow.append((statistics.median(times), words))
            print(f"{words:<38} {statistics.median(times):8.1f} {p95(times):8.1f}", flush=True)
    over = [f"{words} {middle:.0f}" for middle, words in sorted(slow, reverse=True) if middle > OWED_MS]
    print(f"{'all pages':<38} {statistics.median(every):8.1f} {p95(every):8.1f}")
    print(f"pages over {OWED_MS:.0f} ms: {', '.join(over) or 'none'}")


async def _run(shop: BenchShop) -> None:
    await db.open_database(f"{shop.database_url}?command_timeout=900")
    await db.migrate()  # one that was kept may be of yesterday
    known = await marks()
    looks = [look.with_marks(known) for look in (*FILTER_LOOKS, *COMBINATIONS)]
    somebody = await db.fetch_row(SOMEBODY)
    assert somebody is not None
    await measure(looks, somebody)
    await db.close_database()
    with web_process(shop) as (address, _):
        await through_http(address, looks, somebody)


def main() -> None:
    with fast_shop(fast_arguments("The client base at size.", 1_000_000).parse_args()) as shop:
        asyncio.run(_run(shop))


if __name__ == "__main__":
    main()
