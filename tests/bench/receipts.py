"""How many sales a second: through the till's page, in the process, by the ORM, and what PostgreSQL alone can do.

Run as `python -m tests.bench.receipts`. Everything is measured in one run, in turns, on one base with fsync on:
pgbench replays the statements that a sale of ours sends, with 8 clients; the ORM writes the same rows with calls.
"""

import asyncio
import random
import re
import statistics
import subprocess
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

import aiohttp

from loyalty import db
from loyalty.bonuses.models import BonusEntry, BonusLot
from loyalty.clock import system_now
from loyalty.customers.models import CustomerFacts
from loyalty.ids import new_key
from loyalty.receipts import queries
from loyalty.receipts.actions import sales
from loyalty.receipts.models import Receipt
from loyalty.receipts.rules import ReceiptDraft, ReceiptSource
from loyalty.staff.rules import COMMAND
from regulars.seed import DEMO_LOGINS
from tests.bench._shop import BenchShop, cpu_seconds, seeded_shop, web_process

CUSTOMERS = 4_000
CLIENTS = 8
SECONDS = 4.0
ROUNDS = 5
SALES_A_CUSTOMER = 10


async def for_a_while(work: Callable[[int], Awaitable[None]], seconds: float) -> float:
    """Calls a second of `work` by CLIENTS tasks."""
    done, end = 0, perf_counter() + seconds

    async def client(number: int) -> None:
        nonlocal done
        while perf_counter() < end:
            await work(number)
            done += 1

    began = perf_counter()
    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return done / (perf_counter() - began)


async def one_sale(_: int) -> None:
    """The action itself."""
    draft = ReceiptDraft(ReceiptSource.API, 1, new_key(), random.randint(1, CUSTOMERS), 350_00)
    await sales.record_receipt(draft, actor=COMMAND, now=system_now())


async def one_sale_by_orm(_: int) -> None:
    """The same rows the way an ORM is commonly used: lock, create, create, create, save. No rules, no journal."""
    customer_id, now = random.randint(1, CUSTOMERS), system_now()
    async with db.transaction():
        facts = await CustomerFacts.select_for_update().get(customer_id=customer_id)
        receipt = await Receipt.create(
            kind="sale",
            source="import",
            location_id=1,
            external_id=new_key(),
            customer_id=customer_id,
            total=350_00,
            paid=350_00,
            burnt=0,
            earned=17_00,
            awards=[],
            at=now,
            business_date=now.date(),
            body_hash="",
            answer={},
        )
        facts.balance += 17_00
        entry = await BonusEntry.create(
            customer_id=customer_id,
            amount=17_00,
            balance_after=facts.balance,
            kind="earn",
            event="receipt",
            operation_id=new_key(),
            actor_kind="command",
            location_id=1,
            receipt_id=receipt.id,
            at=now,
            business_date=now.date(),
        )
        await BonusLot.create(
            customer_id=customer_id,
            entry_id=entry.id,
            amount=17_00,
            remaining=17_00,
            activates_at=now,
            source="receipt",
        )
        facts.sold += 350_00
        facts.paid += 350_00
        facts.receipts += 1
        facts.earned += 17_00
        facts.last_visit_at = now
        await facts.save(update_fields=["balance", "sold", "paid", "receipts", "earned", "last_visit_at"])


async def phones() -> list[str]:
    return [row["phone"] for row in await db.fetch("SELECT phone FROM customer ORDER BY id LIMIT 3000")]


class Tills:
    """CLIENTS cashiers, each with a session, pressing "Take" as fast as they are answered."""

    def __init__(self, base: str, numbers: list[str]) -> None:
        self.base = base
        self.numbers = numbers
        self.sessions: list[aiohttp.ClientSession] = []
        self.pressed = [0] * CLIENTS

    async def sign_in(self) -> None:
        email, password, _ = next(login for login in DEMO_LOGINS if login[2] == "cashier")
        for _number in range(CLIENTS):
            jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address without a name
            session = aiohttp.ClientSession(self.base, headers={"Sec-Fetch-Site": "same-origin"}, cookie_jar=jar)
            async with session.post("/login", data={"email": email, "password": password}) as answer:
                assert "/login" not in str(answer.url), "the cashier could not sign in"
            self.sessions.append(session)

    async def sell(self, number: int) -> None:
        session = self.sessions[number]
        if self.pressed[number] % SALES_A_CUSTOMER == 0:
            async with session.post("/cashier/find", data={"who": random.choice(self.numbers)}) as answer:
                assert answer.url.path == "/cashier/sale", answer.url
        self.pressed[number] += 1
        sale = {"key": new_key(), "total": "350", "shown": "35000", "burn": "0"}
        async with session.post("/cashier/sale", data=sale, allow_redirects=False) as answer:
            assert answer.status == 303, answer.status
            assert answer.headers["Location"].startswith("/cashier/receipts/")

    async def close(self) -> None:
        for session in self.sessions:
            await session.close()


def replay_script() -> str:
    """Our statements with pgbench's variables in the places of parameters: lock, look, ids, write."""
    now, day = "now()", "current_date"
    record = {
        1: ":receipt_id::bigint", 2: "'api'::text", 3: "1", 4: "('r' || :receipt_id::text)", 5: ":customer::bigint",
        6: "35000::bigint", 7: "35000::bigint", 8: "0::bigint", 9: "1700::bigint",
        10: "'[{\"rule\":\"tier_percent\",\"base\":35000,\"rate_bp\":500,\"bonuses\":1750}]'", 11: "NULL::text",
        12: "NULL::int", 13: now, 14: day, 15: "repeat('a', 64)", 16: "'{\"receipt_id\":1,\"total\":35000}'",
        17: "0", 18: "0::bigint", 19: "0", 20: ":burn_id::bigint", 21: "'command'::text", 22: "'{}'::bigint[]",
        23: "'{}'::bigint[]", 24: ":earn_id::bigint", 25: ":lot_id::bigint", 26: now,
        27: "(now() + INTERVAL '1 year')", 28: "'1970-01-01+00'::timestamptz", 29: ":balance::bigint", 30: "0",
        31: "NULL", 32: "NULL", 33: "NULL",
    }  # fmt: skip
    lines = [
        f"\\set customer random(1, {CUSTOMERS})",
        "BEGIN;",
        "SELECT customer_id FROM customer_facts WHERE customer_id = :customer::bigint FOR NO KEY UPDATE;",
        filled(sales.LOOK, {1: "'api'", 2: "1", 3: "'none'"}) + " \\gset",
        filled(queries.TILL, {1: ":customer::bigint", 2: "1", 3: now, 4: "NULL"}) + " \\gset",
        filled(sales.RECORD, record) + ";",
        "COMMIT;",
    ]
    return "\n".join(" ".join(line.split()) for line in lines)


def filled(sql: str, values: dict[int, str]) -> str:
    return re.sub(r"\$(\d+)", lambda match: values[int(match[1])], sql)


def pgbench(shop: BenchShop, script: Path) -> float:
    """Transactions a second of the replay."""
    command = [str(shop.postgres_bin / "pgbench"), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "1"]
    done = subprocess.run(
        [*command, "-T", str(int(SECONDS)), "-f", script, shop.database_url],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert found, done.stderr[-2000:]
    return float(found[1])


async def wal_per_sale() -> float:
    """Bytes of WAL a sale, once the pages are in their checkpoint's log."""
    began, rounds = await db.fetch_value("SELECT pg_current_wal_lsn()::text"), 200
    for _number in range(rounds):
        await asyncio.gather(*(one_sale(client) for client in range(CLIENTS)))
    written = await db.fetch_value("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), $1::text::pg_lsn)", began)
    return float(written) / (rounds * CLIENTS)


async def measure(shop: BenchShop, base: str, pid: int, script: Path) -> None:
    await db.open_database(shop.database_url)
    tills = Tills(base, await phones())
    await tills.sign_in()
    await for_a_while(tills.sell, 1.0)
    figures: dict[str, list[float]] = {"http": [], "pgbench": [], "action": [], "orm": []}
    cpu = sold = 0.0
    for _ in range(ROUNDS):
        before, pressed = cpu_seconds(pid), sum(tills.pressed)
        figures["http"].append(await for_a_while(tills.sell, SECONDS))
        cpu, sold = cpu + cpu_seconds(pid) - before, sold + sum(tills.pressed) - pressed
        figures["pgbench"].append(await asyncio.to_thread(pgbench, shop, script))
        figures["action"].append(await for_a_while(one_sale, SECONDS))
        figures["orm"].append(await for_a_while(one_sale_by_orm, SECONDS))
    await tills.close()
    wal = await wal_per_sale()
    await db.close_database()
    middle = {name: statistics.median(values) for name, values in figures.items()}
    print(f"sales a second at {CLIENTS} clients, median of {ROUNDS} rounds of {SECONDS:.0f} s, fsync on")
    for name, words in (
        ("pgbench", "pgbench replaying our statements (the limit)"),
        ("http", "through the till's page over HTTP"),
        ("action", "record_receipt in the process"),
        ("orm", "the same rows by typical ORM calls in the process"),
    ):
        low, high = min(figures[name]), max(figures[name])
        print(f"  {words:<52} {middle[name]:7.0f}  ({low:.0f}–{high:.0f})")
    pairs = [ours / limit for ours, limit in zip(figures["http"], figures["pgbench"], strict=True)]
    print(f"  HTTP : limit    {statistics.median(pairs):.2f} (pairs {min(pairs):.2f}–{max(pairs):.2f})")
    print(f"  action : limit  {middle['action'] / middle['pgbench']:.2f}")
    print(f"  HTTP : ORM      {middle['http'] / middle['orm']:.2f}")
    print(f"  CPU of the web process a sale {cpu / sold * 1000:.2f} ms; WAL a sale {wal / 1000:.1f} kB")


def main() -> None:
    with seeded_shop(CUSTOMERS) as shop, web_process(shop) as (base, pid), tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "sale.sql"
        script.write_text(replay_script())
        asyncio.run(measure(shop, base, pid, script))


if __name__ == "__main__":
    main()
