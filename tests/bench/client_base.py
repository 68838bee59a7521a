"""The client base at size: `python -m tests.bench.client_base [customers]`, a million by default.

Each page of ours stands beside the limit measured in the same run: the hand-written query of fifty rows by one
index, joined to their profiles. The rows are made in SQL: names of ten by six words, phones and sums scattered.
"""

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from loyalty import db
from loyalty.customers.queries import Cursor, customer_page, totals
from loyalty.customers.rules import parse_search
from regulars.embedded import EmbeddedServers

REPEATS = 9

PROFILES = """
INSERT INTO customer (id, name, phone, card_number, language, created_at, created_via, updated_at)
SELECT i, (ARRAY['Мария','Анна','Ольга','Елена','Иван','Олег','Тарас','Max','Їжак','Zoe'])[1 + (i * 7) % 10] || ' ' ||
    (ARRAY['Соколова','Кузнецов','Петров','Шевченко','Novak','Лебедев'])[1 + (i * 13) % 6] || ' ' ||
    substr(md5(i::text), 1, 4),
    '+79' || lpad(((i::bigint * 7368787) % 1000000000)::text, 9, '0'),
    lpad(((i::bigint * 7368787 + 1234567) % 100000000)::text, 8, '0'), 'ru', now() - (i || ' minutes')::interval,
    'panel', now()
FROM generate_series(1, $1::int) i
"""
FACTS = """
INSERT INTO customer_facts (customer_id, created_at, sold, paid, receipts, visits, first_visit_at, last_visit_at,
    balance, debt, earned, burnt, expired, tier_id, birthday_code)
SELECT i, now() - (i || ' minutes')::interval, (i * 37) % 5000000, (i * 37) % 5000000, i % 50, i % 50,
    now() - ((i * 31) % 900000 || ' minutes')::interval, now() - ((i * 17) % 900000 || ' minutes')::interval,
    (i * 11) % 300000, 0, 0, 0, 0, i % 3, 0
FROM generate_series(1, $1::int) i
"""
LIMIT = """
SELECT c.id, c.name, c.phone, c.card_number, c.created_at, page.* FROM (
    SELECT * FROM customer_facts ORDER BY sold DESC, customer_id DESC LIMIT 50) page
JOIN customer c ON c.id = page.customer_id
"""


async def timed(work: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """Median and worst milliseconds."""
    times = []
    for _ in range(REPEATS):
        began = perf_counter()
        await work()
        times.append((perf_counter() - began) * 1000)
    return statistics.median(times), max(times)


async def measure(url: str, customers: int) -> None:
    await db.open_database(f"{url}?command_timeout=900")
    await db.migrate()
    await db.execute(PROFILES, customers)
    await db.execute(FACTS, customers)
    await db.execute("VACUUM ANALYZE customer")
    await db.execute("VACUUM ANALYZE customer_facts")
    limit, worst = await timed(lambda: db.fetch(LIMIT))
    print(f"{customers:,} customers; milliseconds, median and worst of {REPEATS}, and the ratio to the limit")
    print(f"{'limit: fifty rows by one index, joined':<44} {limit:7.1f} {worst:7.1f}")

    async def show(words: str, work: Callable[[], Awaitable[Any]]) -> None:
        middle, slowest = await timed(work)
        print(f"{words:<44} {middle:7.1f} {slowest:7.1f} {middle / limit:6.1f}")

    for sort in ("sold", "last_visit", "name"):
        await show(f"first page by {sort}", lambda sort=sort: customer_page(None, sort=sort, descending=True))  # type: ignore[misc]
    deep = Cursor(2_500_000, customers // 2, customers // 2)
    await show("a page in the middle", lambda: customer_page(None, sort="sold", descending=True, after=deep))
    for text in ("+79123456789", "73687", "8525", "ан", "мария", "мария соколова", "їжак novak a1"):
        search = parse_search(text, "RU")
        await show(
            f"search {text!r}",
            lambda search=search: customer_page(search, sort="last_visit", descending=True),  # type: ignore[misc]
        )
    await show("sums of everybody (after the page)", lambda: totals(None))
    await show("sums of a common name (after the page)", lambda: totals(parse_search("мария", "RU")))
    await db.close_database()


def main() -> None:
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
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
