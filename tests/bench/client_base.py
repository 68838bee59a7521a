"""The client base at size: `python -m tests.bench.client_base [customers]`, a million by default.

Each look of ours stands beside the limit measured in the same run: the same thing asked by hand, in the shortest SQL
that somebody who knows the tables would write for this very question. Rows are made in SQL: names of ten by six words,
sums, days and labels scattered.
"""

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import aiohttp

from loyalty import db
from loyalty.customers.rules import parse_search
from loyalty.segments.filters import checked
from loyalty.segments.queries.base import Cursor, Look, base_count, base_page, base_totals
from loyalty.segments.rules.trees import tree_from
from loyalty.staff.actions import accept_invitation, invite
from loyalty.staff.rules import COMMAND, Role
from regulars.embedded import EmbeddedServers
from tests.bench._shop import BenchShop, web_process

REPEATS = 9
OWNER, PASSWORD = "owner@bench.example", "coffee-for-benchmarks"
SHOWN = ("name", "phone", "messengers", "categories", "tier", "visits", "sold", "balance", "last_visit")
NOW = datetime.now(UTC)

ROWS = """
INSERT INTO location (id, name, address, time_zone, burns_without_code, is_open, created_at)
    SELECT i, 'Place ' || i, '', 'Europe/Moscow', false, true, now() FROM generate_series(1, 50) i;
INSERT INTO category (id, name, color, created_at) SELECT i, 'C' || i, 'blue', now() FROM generate_series(1, 10) i;
INSERT INTO team_member (id, name, position, created_at) SELECT i, 'T' || i, '', now() FROM generate_series(1, 200) i;
INSERT INTO customer (id, name, phone, email, card_number, gender, birthday, language, home_location_id, created_at,
    created_via, updated_at)
SELECT i, (ARRAY['Мария','Анна','Ольга','Елена','Иван','Олег','Тарас','Max','Їжак','Zoe'])[1 + (i * 7) % 10] || ' ' ||
    (ARRAY['Соколова','Кузнецов','Петров','Шевченко','Novak','Лебедев'])[1 + (i * 13) % 6] || ' ' ||
    substr(md5(i::text), 1, 4),
    '+79' || lpad(((i::bigint * 7368787) % 1000000000)::text, 9, '0'),
    CASE WHEN i % 3 = 0 THEN 'p' || i || '@mail.example' END,
    lpad(((i::bigint * 7368787 + 1234567) % 100000000)::text, 8, '0'), (ARRAY['f', 'm', NULL])[1 + i % 3],
    date '1960-01-01' + ((i::bigint * 7919) % 18000)::int,
    (ARRAY['ru', 'ru', 'uk', 'en'])[1 + i % 4], 1 + (i * 31) % 50,
    now() - (i || ' minutes')::interval, (ARRAY['telegram', 'cashier', 'panel', 'import'])[1 + (i / 7) % 4], now()
FROM generate_series(1, $1::int) i;
INSERT INTO customer_facts (customer_id, created_at, sold, paid, receipts, visits, first_visit_at, last_visit_at,
    balance, debt, earned, burnt, expired, tier_id, birthday_code, discount_bp, telegram, whatsapp, next_booking_at,
    locations)
SELECT i, now() - (i || ' minutes')::interval, (i * 37) % 5000000, (i * 37) % 5000000, i % 50, i % 50,
    now() - ((i * 31) % 900000 || ' minutes')::interval,
    now() - ((i * 17) % 900000 || ' minutes')::interval,
    (i * 11) % 300000, 0, 0, 0, 0, i % 3, extract(month FROM c.birthday) * 100 + extract(day FROM c.birthday),
    CASE WHEN i % 20 = 0 THEN 500 ELSE 0 END, i % 5 < 2, i % 7 = 0,
    CASE WHEN i % 100 = 0 THEN now() + (i % 60 || ' days')::interval ELSE '1970-01-01+00' END, 2
FROM generate_series(1, $1::int) i JOIN customer c ON c.id = i;
INSERT INTO customer_category (category_id, customer_id, added_at)
    SELECT 1 + i % 10, i, now() FROM generate_series(1, $1::int, 3) i;
INSERT INTO customer_location (location_id, customer_id, visits, last_visit_at)
    SELECT 1 + (i + k * 7) % 50, i, 1, now() FROM generate_series(1, $1::int) i, generate_series(0, 1) k;
INSERT INTO customer_team_member (team_member_id, customer_id, visits, last_visit_at)
    SELECT 1 + i % 200, i, 1, now() FROM generate_series(1, $1::int, 2) i
"""
TABLES = (
    "customer", "customer_facts", "customer_category", "customer_location", "customer_team_member",
)  # fmt: skip

# By hand: fifty rows of the facts in order, joined to their profiles.
PAGE = """
SELECT c.id, c.name, c.phone, page.* FROM (SELECT f.* FROM customer_facts f WHERE {where}
    ORDER BY {order} DESC, f.customer_id DESC LIMIT 51) page JOIN customer c ON c.id = page.customer_id
"""
TAKEN = """
SELECT c.id, c.name, c.phone, page.* FROM (SELECT f.* FROM {found} JOIN customer_facts f USING (customer_id)
    WHERE {where} ORDER BY f.last_visit_at DESC, f.customer_id DESC LIMIT 51) page
JOIN customer c ON c.id = page.customer_id
"""
NAMED = "SELECT id AS customer_id FROM customer WHERE {0}"
OF_CATEGORY = "EXISTS (SELECT FROM customer_category p WHERE p.category_id = 3 AND p.customer_id = f.customer_id)"
SERVED = "(SELECT customer_id FROM customer_team_member WHERE team_member_id = 7) p"
GENDER = "EXISTS (SELECT FROM customer c WHERE c.id = f.customer_id AND c.gender = 'f')"

# (what it is, filter, order, by hand)
PAGES = (
    *(
        (f"first page by {order}", "", order, PAGE.format(where="true", order=column))
        for order, column in (("last_visit", "f.last_visit_at"), ("sold", "f.sold"), ("created", "f.created_at"))
    ),
    ("spent from", "sold:between:4000000..", "last_visit",
        PAGE.format(where="f.sold >= 4000000", order="f.last_visit_at")),
    ("spent from, a few", "sold:between:4999000..", "last_visit",
        PAGE.format(where="f.sold >= 4999000", order="f.last_visit_at")),
    ("last visit in 30 days", "last_visit:in:last-30", "sold",
        PAGE.format(where="f.last_visit_at > now() - interval '30 days'", order="f.sold")),
    ("category", "category:any:3", "last_visit", PAGE.format(where=OF_CATEGORY, order="f.last_visit_at")),
    ("gender", "gender:any:f", "last_visit", PAGE.format(where=GENDER, order="f.last_visit_at")),
    ("served by", "served_by:any:7", "last_visit", TAKEN.format(found=SERVED, where="true")),
    ("birthday soon", "birthday:soon:14", "last_visit",
        PAGE.format(where="f.birthday_code BETWEEN {0} AND {1}", order="f.last_visit_at")),
    ("can be written to", "reachable:any:telegram", "balance", PAGE.format(where="f.telegram", order="f.balance")),
    ("next booking in 14 days", "next_booking:in:next-14", "last_visit", PAGE.format(
        where="f.next_booking_at > now() AND f.next_booking_at < now() + interval '14 days'", order="f.last_visit_at")),
    ("three: and", "sold:between:2000000..,last_visit:in:last-90,gender:any:f", "last_visit", PAGE.format(
        where=f"f.sold >= 2000000 AND f.last_visit_at > now() - interval '90 days' AND {GENDER}",
        order="f.last_visit_at")),
    ("three: and, or, not", "any(category:any:3,balance:between:290000..),none(tier:any:2)", "last_visit", PAGE.format(
        where=f"({OF_CATEGORY} OR f.balance >= 290000) AND f.tier_id <> 2", order="f.last_visit_at")),
    ("three: rare", "category:any:3,served_by:any:7,visits:between:20..", "last_visit", TAKEN.format(
        found=SERVED, where=f"f.visits >= 20 AND {OF_CATEGORY}")),
)  # fmt: skip
SEARCHES = (
    ("phone, whole", "{phone}", NAMED.format("phone = '{phone}'")),
    ("phone, a fragment", "73687", NAMED.format("phone LIKE '%73687%' OR card_number LIKE '73687%'")),
    ("phone, last four", "8525", NAMED.format("reverse(phone) LIKE '5258%' OR card_number LIKE '8525%'")),
    ("name, rare", "їжак novak a1f", NAMED.format(
        "search_name LIKE '%ижак%' AND search_name LIKE '%novak%' AND search_name LIKE '%a1f%'")),
    ("name, every sixtieth", "мария соколова", NAMED.format(
        "search_name LIKE '%мария%' AND search_name LIKE '%соколова%'")),
    ("name, every tenth", "мария", NAMED.format("search_name LIKE '%мария%'")),
)  # fmt: skip
COUNTS = (
    ("everybody", "", "true"),
    ("spent from", "sold:between:4000000..", "f.sold >= 4000000"),
    ("category", "category:any:3", OF_CATEGORY),
    ("three: and, or, not", "any(category:any:3,balance:between:290000..),none(tier:any:2)",
        f"({OF_CATEGORY} OR f.balance >= 290000) AND f.tier_id <> 2"),
)  # fmt: skip
SUMS = "SELECT count(*), sum(f.sold), sum(f.paid), sum(f.balance) FROM customer_facts f WHERE {0}"


async def timed(work: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """Median and worst milliseconds, after one warm-up."""
    await work()
    times = []
    for _ in range(REPEATS):
        began = perf_counter()
        await work()
        times.append((perf_counter() - began) * 1000)
    return statistics.median(times), max(times)


async def beside(words: str, ours: Callable[[], Awaitable[Any]], by_hand: Callable[[], Awaitable[Any]]) -> None:
    limit, _ = await timed(by_hand)
    middle, worst = await timed(ours)
    print(f"{words:<34} {limit:8.1f} {middle:8.1f} {worst:8.1f} {middle / limit:6.1f}", flush=True)


def look(filter_: str = "", order: str = "last_visit", search: str = "") -> Look:
    return Look(search=parse_search(search, "RU"), tree=checked(tree_from(filter_)), order=order)


def shown(asked: Look, after: Cursor | None = None) -> Callable[[], Awaitable[Any]]:
    return partial(base_page, asked, columns=SHOWN, now=NOW, after=after)


async def measure(url: str, customers: int) -> None:
    await db.open_database(f"{url}?command_timeout=900")
    await db.migrate()
    for statement in ROWS.split(";"):
        await db.execute(statement, *([customers] if "$1" in statement else []))
    for table in TABLES:
        await db.execute(f"VACUUM ANALYZE {table}")
    phone = await db.fetch_value("SELECT phone FROM customer WHERE id = $1", customers // 2)
    today, later = NOW.date(), NOW.date().toordinal() + 14
    codes = [day.month * 100 + day.day for day in (today, today.fromordinal(later))]
    print(f"{customers:,} customers; milliseconds: by hand, ours (median and worst of {REPEATS}), ours to by hand")
    for words, filter_, order, sql in PAGES:
        await beside(words, shown(look(filter_, order)), partial(db.fetch_planned, sql.format(*codes)))
    middle = customers // 2
    by_hand = PAGE.format(where=f"(f.sold, f.customer_id) < (2500000, {middle})", order="f.sold")
    after = Cursor(2_500_000, middle, middle)
    await beside("a page in the middle", shown(look(order="sold"), after=after), partial(db.fetch_planned, by_hand))
    for words, text, found in SEARCHES:
        by_hand = TAKEN.format(found=f"({found.format(phone=phone)}) p", where="true")
        await beside(words, shown(look(search=text.format(phone=phone))), partial(db.fetch_planned, by_hand))
    for words, filter_, where in COUNTS:
        asked = look(filter_)
        by_hand = SUMS.format(where)
        await beside(f"sums: {words}", partial(base_totals, asked, now=NOW), partial(db.fetch_planned, by_hand))
        median, worst = await timed(partial(base_count, asked, now=NOW))
        print(f"{'  up to a thousand':<34} {'':>8} {median:8.1f} {worst:8.1f}")
    token = await invite(OWNER, "Owner", Role.OWNER, None, actor=COMMAND, now=NOW)
    await accept_invitation(token, PASSWORD, now=NOW)
    await db.close_database()


async def through_http(address: str) -> None:
    """The panel's own pages about all this, one after the other: from the request to the whole answer."""
    headers = {"Sec-Fetch-Site": "same-origin"}
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address without a name
    every: list[float] = []
    print(f"{'through HTTP':<34} {'median':>8} {'worst':>8}")
    async with aiohttp.ClientSession(address, headers=headers, cookie_jar=jar) as session:
        async with session.post("/login", data={"email": OWNER, "password": PASSWORD}):
            pass
        asked = [(words, f"f={filter_}&sort={order}&dir=desc") for words, filter_, order, _ in PAGES]
        asked += [(words, f"q={text}") for words, text, _ in SEARCHES[1:]]
        for words, query in asked:
            times = []
            for _number in range(REPEATS + 1):
                began = perf_counter()
                async with session.get(f"/customers?{query}") as answer:
                    await answer.read()
                    assert answer.status == 200, (query, answer.status)
                times.append((perf_counter() - began) * 1000)
            every += times[1:]
            print(f"{words:<34} {statistics.median(times[1:]):8.1f} {max(times[1:]):8.1f}", flush=True)
    print(f"{'p95 of all of them':<34} {sorted(every)[len(every) * 95 // 100]:8.1f}")


def main() -> None:
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as home:
        Path(home).chmod(0o711)
        servers = EmbeddedServers(Path(home) / "servers")
        addresses = servers.start()
        try:
            asyncio.run(measure(addresses.database_url, customers))
            shop = BenchShop(addresses.database_url, addresses.redis_url, servers.postgres_bin)
            with web_process(shop) as (address, _):
                asyncio.run(through_http(address))
        finally:
            servers.stop()


if __name__ == "__main__":
    main()
