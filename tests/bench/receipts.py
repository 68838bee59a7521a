"""How many receipts a second: through the till's API, in the process, by the ORM, and what PostgreSQL alone can do.

Run as `python -m tests.bench.receipts`. Everything is measured in one run, in turns, on one base with fsync on, with
a rule of every kind switched on and three lines a receipt. pgbench replays the statements that a receipt of ours sends,
captured from one that was recorded; the ORM writes the rows of a plain receipt with calls. Spread over the customers
and on one hot customer, with 1, 8 and 16 clients.
"""

import asyncio
import random
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import aiohttp

from loyalty import db
from loyalty.bonuses.models import BonusEntry, BonusLot
from loyalty.clock import system_now
from loyalty.customers.models import CustomerFacts
from loyalty.ids import new_key
from loyalty.receipts.actions.sales import RECORD, record_receipt
from loyalty.receipts.models import Receipt
from loyalty.receipts.queries import TILL
from loyalty.receipts.rules.sales import Line, ReceiptDraft, ReceiptSource
from loyalty.shop.queries import programme_at
from loyalty.staff.actions import add_key
from loyalty.staff.rules import COMMAND, Scope
from regulars.seed import DEMO_LOGINS
from tests.bench._basket import LINES, TOTAL, with_all_rules
from tests.bench._shop import PORT, BenchShop, cpu_seconds, seeded_shop, web_process

CUSTOMERS = 4_000
CLIENTS = (1, 8, 16)
USUAL = 8
SECONDS = 3.0
ROUNDS = 3
SALES_A_CUSTOMER = 10
BOTH = (PORT, PORT + 1)
SPREAD, HOT = (1, CUSTOMERS), (7, 7)


async def for_a_while(work: Callable[[int], Awaitable[None]], clients: int, seconds: float) -> float:
    """Calls a second of `work` by so many tasks."""
    done, end = 0, perf_counter() + seconds

    async def client(number: int) -> None:
        nonlocal done
        while perf_counter() < end:
            await work(number)
            done += 1

    began = perf_counter()
    await asyncio.gather(*(client(number) for number in range(clients)))
    return done / (perf_counter() - began)


async def one_sale(_: int) -> None:
    """The action itself."""
    lines = tuple(Line(**line) for line in LINES)  # type: ignore[arg-type]
    draft = ReceiptDraft(ReceiptSource.API, 1, new_key(), random.randint(*SPREAD), TOTAL, lines=lines)
    await record_receipt(draft, actor=COMMAND, now=system_now())


async def one_sale_by_orm(_: int) -> None:
    """The same rows the way an ORM is commonly used: lock, create, create, create, save. No rules, no journal."""
    customer_id, now = random.randint(*SPREAD), system_now()
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
    """USUAL cashiers, each with a session, pressing "Take" as fast as they are answered."""

    def __init__(self, base: str, numbers: list[str]) -> None:
        self.base = base
        self.numbers = numbers
        self.sessions: list[aiohttp.ClientSession] = []
        self.pressed = [0] * USUAL

    async def sign_in(self) -> None:
        email, password, _ = next(login for login in DEMO_LOGINS if login[2] == "cashier")
        for _number in range(USUAL):
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


async def captured() -> list[tuple[str, list[Any]]]:
    """The statements of one receipt with their parameters, as they went to PostgreSQL."""
    sent: list[tuple[str, list[Any]]] = []
    fetch = db.fetch

    async def listening(sql: str, *params: Any) -> list[db.Row]:
        sent.append((sql, list(params)))
        return await fetch(sql, *params)

    # Rooms call `fetch_row` and its like, and these `fetch`, by the module's name.
    db.fetch = listening
    try:
        await one_sale(0)
    finally:
        db.fetch = fetch
    return sent


def replay(sent: list[tuple[str, list[Any]]], customers: tuple[int, int]) -> str:
    """A pgbench script of them: parameters become literals, and what differs by receipt comes from variables."""
    (look, look_params), (record, record_params) = sent
    assert (look, record) == (TILL, RECORD.sql), "a receipt is these two statements"
    of_record = dict(zip(RECORD.names, record_params, strict=True))
    customer, key = of_record["customer_id"], of_record["external_id"]
    varied = {customer: ":customer::bigint", key: "('r' || :unique::text)"}
    by_name = {
        "version": ":version::text",
        "balance": ":balance::bigint",
        "tier_before": ":tier_id::smallint",
        "tier_after": ":tier_id::smallint",
    }
    look_values = [varied.get(value) or literal(value) for value in look_params]
    record_values = [
        by_name.get(name) or varied.get(of_record[name] if isinstance(of_record[name], int | str) else None)
        or literal(of_record[name])
        for name in RECORD.names
    ]  # fmt: skip
    lines = [
        f"\\set customer random({customers[0]}, {customers[1]})",
        "\\set unique random(1, 9000000000000000)",
        filled(look, look_values) + " \\gset",
        filled(record, record_values) + ";",
    ]
    return "\n".join(" ".join(re.sub(r"--.*", "", line).split()) for line in lines)


def filled(sql: str, values: list[str]) -> str:
    plain = "\n".join(line.partition("--")[0] for line in sql.splitlines())
    return re.sub(r"\$(\d+)", lambda match: values[int(match[1]) - 1], plain)


def literal(value: Any) -> str:
    """A parameter as SQL, with its type."""
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).lower()
        case int():
            return f"{value}::bigint"
        case datetime():
            return f"'{value.isoformat()}'::timestamptz"
        case date():
            return f"'{value.isoformat()}'::date"
        case list():
            kind = "text" if value and isinstance(value[0], str) else "bigint"
            return "'{" + ",".join(f'"{one}"' if kind == "text" else str(one) for one in value) + "}'::" + f"{kind}[]"
    return "'" + str(value).replace("'", "''") + "'::text"


def pgbench(shop: BenchShop, script: Path, clients: int) -> float:
    """Receipts a second of the replay."""
    command = [str(shop.postgres_bin / "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "1"]
    done = subprocess.run(
        [*command, "-T", str(int(SECONDS)), "-f", script, shop.database_url],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert found, done.stderr[-2000:]
    return float(found[1])


async def through_the_api(
    key: str, clients: int, customers: tuple[int, int], seconds: float = SECONDS, *, ports: tuple[int, ...] = (PORT,)
) -> float:
    """Receipts a second over HTTP, from a process of their own."""
    named = ",".join(map(str, ports))
    command = [sys.executable, "-m", "tests.bench._till", named, str(clients), str(seconds), *map(str, customers)]
    process = await asyncio.create_subprocess_exec(*command, env={"TILL_KEY": key}, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    assert process.returncode == 0, "the tills broke"
    return float(printed)


async def wal_per_sale() -> float:
    """Bytes of WAL a receipt, once the pages are in their checkpoint's log."""
    began, rounds = await db.fetch_value("SELECT pg_current_wal_lsn()::text"), 200
    for _number in range(rounds):
        await asyncio.gather(*(one_sale(client) for client in range(USUAL)))
    written = await db.fetch_value("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), $1::text::pg_lsn)", began)
    return float(written) / (rounds * USUAL)


async def prepare() -> str:
    """All rules on; a key of a till."""
    body = db.to_json(with_all_rules(await programme_at(system_now())).to_body())
    await db.execute("UPDATE programme SET body = $1::jsonb", body)
    return await add_key("Till", frozenset({Scope.RECEIPTS_WRITE}), None, actor=COMMAND, now=system_now())


Figures = dict[tuple[str, int], list[float]]


async def measure(shop: BenchShop, base: str, pid: int, folder: Path) -> None:
    await db.open_database(shop.database_url)
    key = await prepare()
    sent = await captured()
    for name, customers in (("spread", SPREAD), ("hot", HOT)):
        (folder / name).write_text(replay(sent, customers))
    tills = Tills(base, await phones())
    await tills.sign_in()
    await for_a_while(tills.sell, USUAL, 1.0)
    await through_the_api(key, USUAL, SPREAD, 1.0, ports=BOTH)
    figures: Figures = {}
    cpu = sold = 0.0
    for _ in range(ROUNDS):
        for clients in CLIENTS:
            before = cpu_seconds(pid)
            speed = await through_the_api(key, clients, SPREAD)
            cpu, sold = cpu + cpu_seconds(pid) - before, sold + speed * SECONDS
            keep(figures, "api", clients, speed)
            keep(figures, "api, two", clients, await through_the_api(key, clients, SPREAD, ports=BOTH))
            keep(figures, "limit", clients, await asyncio.to_thread(pgbench, shop, folder / "spread", clients))
            keep(figures, "api, hot", clients, await through_the_api(key, clients, HOT))
            keep(figures, "limit, hot", clients, await asyncio.to_thread(pgbench, shop, folder / "hot", clients))
            keep(figures, "orm", clients, await for_a_while(one_sale_by_orm, clients, SECONDS))
            keep(figures, "action", clients, await for_a_while(one_sale, clients, SECONDS))
        keep(figures, "page", USUAL, await for_a_while(tills.sell, USUAL, SECONDS))
    await tills.close()
    wal = await wal_per_sale()
    await db.close_database()
    report(figures)
    print(f"  CPU of the web process a receipt {cpu / sold * 1000:.2f} ms; WAL a receipt {wal / 1000:.1f} kB")


def keep(figures: Figures, name: str, clients: int, speed: float) -> None:
    figures.setdefault((name, clients), []).append(speed)


WORDS = {
    "limit": "pgbench replaying our statements (the limit)",
    "api": "through the API over HTTP, one web process",
    "api, two": "through the API over HTTP, two web processes",
    "action": "record_receipt in the process",
    "orm": "a plain receipt by typical ORM calls in the process",
    "limit, hot": "one hot customer: pgbench",
    "api, hot": "one hot customer: through the API",
    "page": "through the till's page over HTTP",
}


def report(figures: Figures) -> None:
    print(f"receipts a second, median of {ROUNDS} rounds of {SECONDS:.0f} s, every rule on, fsync on")
    print(f"  {'clients':<54}" + "".join(f"{clients:>8}" for clients in CLIENTS))
    for name, words in WORDS.items():
        middles = [figures.get((name, clients)) for clients in CLIENTS]
        print(f"  {words:<54}" + "".join(f"{statistics.median(one):8.0f}" if one else f"{'':8}" for one in middles))
    for ours, limit in (
        ("api", "limit"),
        ("api, two", "limit"),
        ("api", "orm"),
        ("api, two", "orm"),
        ("api, hot", "limit, hot"),
        ("page", "limit"),
    ):
        ratios = [pairs(figures, ours, limit, clients) for clients in CLIENTS]
        print(f"  {f'{ours} : {limit}':<54}" + "".join(f"{one:>8}" for one in ratios))


def pairs(figures: Figures, ours: str, limit: str, clients: int) -> str:
    """The median of the rounds' ratios."""
    if (ours, clients) not in figures:
        return ""
    rounds = zip(figures[ours, clients], figures[limit, clients], strict=True)
    return f"{statistics.median(one / other for one, other in rounds):.2f}"


def main() -> None:
    with (
        seeded_shop(CUSTOMERS) as shop,
        web_process(shop, BOTH[0]) as (base, pid),
        web_process(shop, BOTH[1]),
        tempfile.TemporaryDirectory() as folder,
    ):
        asyncio.run(measure(shop, base, pid, Path(folder)))


if __name__ == "__main__":
    main()
