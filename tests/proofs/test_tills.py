"""Tills at the API while processes die, answers get lost and everybody wants the same bonuses."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from loyalty import db
from loyalty.clock import system_now
from loyalty.staff.actions import add_key
from loyalty.staff.rules import COMMAND, Scope
from tests.bot.conftest import until
from tests.builders import a_customer, a_location, assert_books_agree
from tests.proofs.conftest import Process, Processes, sized

pytestmark = pytest.mark.prove
PATIENCE = 90.0


@dataclass
class Tills:
    """A shop's tills, and the web processes they talk to."""

    processes: Processes
    key: str
    location: int
    ports: list[int]
    session: aiohttp.ClientSession
    alive: dict[int, Process] = field(default_factory=dict)

    async def open(self, **more: str) -> None:
        for port in self.ports:
            await self.open_one(port, **more)

    async def open_one(self, port: int, **more: str) -> None:
        settings = {"REGULARS_PORT": str(port), "REGULARS_API_RATE": "60000", **more}
        self.alive[port] = await self.processes.start("web", **settings)
        await until(lambda: self._is_ready(port))

    async def send(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send until an answer comes that is one: a lost line and a server that is not there are none."""
        async with asyncio.timeout(PATIENCE):
            while True:
                url = f"http://127.0.0.1:{random.choice(self.ports)}/api/v1{path}"
                try:
                    async with self.session.post(url, json=body) as answer:
                        said = await answer.json(content_type=None)
                        if answer.status < 500:
                            return answer.status, said
                        assert answer.status == 503, said
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(random.uniform(0.01, 0.1))

    async def sell(self, customer_id: int, external_id: str, **more: Any) -> tuple[int, dict[str, Any]]:
        body = {"external_id": external_id, "location_id": self.location, "customer_id": customer_id, "total": 1000_00}
        return await self.send("/receipts", {**body, **more})

    async def _is_ready(self, port: int) -> bool:
        assert self.alive[port].is_alive(), self.alive[port].log.read_text()
        try:
            async with self.session.get(f"http://127.0.0.1:{port}/health/ready") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False


def free_ports() -> list[int]:
    """Two loopback ports that nobody listened on a moment ago."""
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in (one, other)]


@pytest.fixture
async def tills(processes) -> AsyncIterator[Tills]:
    location = await a_location()
    key = await add_key("Till", {Scope.RECEIPTS_WRITE}, None, actor=COMMAND, now=system_now())
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers={"Authorization": f"Bearer {key}"}) as session:
        yield Tills(processes, key, location, free_ports(), session)


async def test_the_same_receipt_sent_at_once_to_two_processes_is_recorded_once(tills):
    await tills.open()
    person = await a_customer()
    answers = await asyncio.gather(*(tills.sell(person.id, "till-1") for _ in range(sized(60, 1000))))
    assert sorted({status for status, _ in answers}) == [200, 201]
    assert sum(status == 201 for status, _ in answers) == 1
    assert len({str(sorted(said.items())) for _, said in answers}) == 1
    assert await db.fetch_value("SELECT count(*) FROM receipt") == 1
    await assert_books_agree(now=system_now())


async def test_fifty_spenders_at_two_processes_spend_a_balance_once(tills):
    await tills.open()
    person = await a_customer(bonuses=500_00)
    await db.execute("UPDATE bonus_lot SET activates_at = '2020-01-01', expires_at = NULL")
    # What a sale earns is spent too, as far as whole burns of it go: none of it here.
    await db.execute("""UPDATE programme SET body = body || '{"activation_delay_days": 14}'""")
    answers = await asyncio.gather(*(tills.sell(person.id, f"till-{number}", burn=50_00) for number in range(50)))
    assert sorted(status for status, _ in answers) == [201] * 10 + [409] * 40
    assert {said["reason"] for status, said in answers if status == 409} == {"burn_over_limit"}
    assert await db.fetch_value("SELECT burnt FROM customer_facts") == 500_00
    await assert_books_agree(now=system_now())


async def test_answers_of_the_base_that_get_lost_lose_and_double_nothing(tills):
    people = [await a_customer() for _ in range(5)]
    many = sized(60, 2000)
    async with lossy_line(tills.processes._environment["DATABASE_URL"]) as line:
        await tills.open(DATABASE_URL=line.url)
        line.loses = 0.05
        waiting = iter(range(many))
        said: dict[str, dict[str, Any]] = {}

        async def till() -> None:
            for number in waiting:
                name = f"till-{number}"
                status, said[name] = await tills.sell(people[number % len(people)].id, name)
                assert status in (200, 201), said[name]

        await asyncio.gather(*(till() for _ in range(12)))
        assert line.lost >= many // 20
    assert_each_is_recorded_once(said, await recorded())
    await assert_books_agree(now=system_now())


async def test_a_web_process_killed_under_load_loses_and_doubles_nothing(tills):
    await tills.open()
    people = [await a_customer() for _ in range(5)]
    said: dict[str, dict[str, Any]] = {}
    is_over = asyncio.Event()

    async def till(number: int) -> None:
        sold = 0
        while not is_over.is_set():
            sold += 1
            name = f"till-{number}-{sold}"
            status, said[name] = await tills.sell(random.choice(people).id, name)
            assert status in (200, 201), said[name]

    selling = [asyncio.create_task(till(number)) for number in range(8)]
    for number in range(sized(3, 30)):
        await asyncio.sleep(random.uniform(0.05, 0.6))
        port = tills.ports[number % 2]
        await tills.alive[port].kill()
        await tills.open_one(port)
    is_over.set()
    await asyncio.gather(*selling)
    assert_each_is_recorded_once(said, await recorded())
    await assert_books_agree(now=system_now())


async def recorded() -> dict[str, int]:
    return {row["external_id"]: row["id"] for row in await db.fetch("SELECT external_id, id FROM receipt")}


def assert_each_is_recorded_once(said: dict[str, dict[str, Any]], kept: dict[str, int]) -> None:
    assert len(kept) == len(said)
    assert kept == {name: answer["id"] for name, answer in said.items()}


class LossyLine:
    """A line to the base that carries what is asked and now and then loses what is answered."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self.url = ""
        self.loses = 0.0
        self.lost = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self._target.port is not None
        away_reader, away_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        is_cut = False

        async def ask() -> None:
            nonlocal is_cut
            asked = 0
            while chunk := await reader.read(65536):
                asked += 1
                # Not the greeting and the password: there is nothing to lose in them.
                is_cut = is_cut or (asked > 6 and random.random() < self.loses)
                away_writer.write(chunk)
                await away_writer.drain()

        async def answer() -> None:
            while chunk := await away_reader.read(65536):
                if is_cut:
                    # The statement has run and is committed; nobody will hear of it.
                    self.lost += 1
                    return
                writer.write(chunk)
                await writer.drain()

        tasks = [asyncio.create_task(ask()), asyncio.create_task(answer())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            writer.transport.abort()
            away_writer.transport.abort()


@asynccontextmanager
async def lossy_line(url: str) -> AsyncIterator[LossyLine]:
    line = LossyLine(url)
    server = await asyncio.start_server(line.carry, "127.0.0.1", 0)
    parts = urlsplit(url)
    port = server.sockets[0].getsockname()[1]
    line.url = parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{port}").geturl()
    try:
        yield line
    finally:
        server.close()
