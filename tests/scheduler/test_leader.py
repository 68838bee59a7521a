import asyncio
from collections.abc import MutableMapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs

from loyalty.bonuses.queries import account
from loyalty.clock import system_now
from scheduler import leader
from scheduler.jobs import JOBS, Job
from scheduler.leader import LEADER_LOCK, leading
from tests.builders import a_customer, a_programme

pytestmark = pytest.mark.usefixtures("database")


class Duty:
    """Notes who runs it and when; may take its time."""

    def __init__(self, seconds: float = 0) -> None:
        self.begun = 0
        self.ended = 0
        self.seconds = seconds
        self.called = asyncio.Event()

    async def __call__(self, now: datetime) -> int:
        self.begun += 1
        self.called.set()
        await asyncio.sleep(self.seconds)
        self.ended += 1
        return 0


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The same code with a shorter pulse."""
    monkeypatch.setattr(leader, "PULSE_SECONDS", 0.05)


async def begun(duty: Duty) -> None:
    await asyncio.wait_for(duty.called.wait(), 10)


async def told(logged: list[MutableMapping[str, Any]], event: str, kind: str, times: int = 1) -> None:
    async with asyncio.timeout(10):
        while [(record["event"], record.get("kind")) for record in logged].count((event, kind)) < times:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_of_two_processes_one_leads_and_the_other_takes_over(database_url):
    first, second = Duty(), Duty()
    async with AsyncExitStack() as others:
        leave_first = AsyncExitStack()
        await leave_first.enter_async_context(leading(database_url, (Job("d", 1, first),), system_now))
        await begun(first)
        await others.enter_async_context(leading(database_url, (Job("d", 1, second),), system_now))
        await asyncio.sleep(0.5)
        assert second.begun == 0
        await leave_first.aclose()
        await begun(second)


async def test_a_leader_whose_connection_dies_stops_and_stands_again(database, database_url):
    duty = Duty()
    async with leading(database_url, (Job("d", 1, duty),), system_now):
        await begun(duty)
        duty.called.clear()
        killed = await database.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory'"
            " AND ((classid::bigint << 32) | objid::bigint) = $1"
            # Another worker of this run may have a leader of its own.
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            LEADER_LOCK,
        )
        assert killed == 1
        await begun(duty)


async def test_a_leader_that_the_server_turns_away_leads_again_once_it_may(database, database_url, worker_number):
    role = f"candidate_{worker_number}"
    await database.execute(f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN PASSWORD 'first'")
    address = urlsplit(database_url)
    url = address._replace(netloc=f"{role}:first@{address.hostname}:{address.port}").geturl()
    duty = Duty()
    with capture_logs() as logged:
        async with leading(url, (Job("d", 1, duty),), system_now):
            await begun(duty)
            await database.execute(f"ALTER ROLE {role} PASSWORD 'second'")
            await database.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", role)
            await told(logged, "leader lock refused", "InvalidPasswordError")
            duty.called.clear()
            await database.execute(f"ALTER ROLE {role} PASSWORD 'first'")
            await begun(duty)


async def test_a_candidate_outlasts_a_server_that_is_starting():
    """A real server says it for too short a while to be met in time, so this one says nothing else."""

    async def be_starting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        said = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"
        writer.write(b"E" + (4 + len(said)).to_bytes(4, "big") + said)
        writer.close()

    server = await asyncio.start_server(be_starting, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with capture_logs() as logged:
        async with server, leading(f"postgres://a:b@127.0.0.1:{port}/c?sslmode=disable", (), system_now):
            await told(logged, "leader lock out of reach", "CannotConnectNowError", times=2)


async def test_a_job_under_way_is_waited_for(database_url):
    duty = Duty(seconds=0.4)
    async with leading(database_url, (Job("d", 1, duty),), system_now):
        await begun(duty)
    assert (duty.begun, duty.ended) == (1, 1)


async def test_a_failing_job_does_not_stop_the_others(database_url):
    async def fail(now: datetime) -> int:
        raise RuntimeError("+79161234567")

    duty = Duty()
    async with leading(database_url, (Job("bad", 1, fail), Job("good", 1, duty)), system_now):
        await begun(duty)


async def test_the_leader_writes_the_entries_of_expired_bonuses(database_url):
    await a_programme(lifetime_months=1)
    person = await a_customer(bonuses=100_00)
    later = system_now() + timedelta(days=4000)
    async with leading(database_url, JOBS, lambda: later):
        for _ in range(100):
            if (await account(person.id, now=later)).expired:
                break
            await asyncio.sleep(0.05)
    assert (await account(person.id, now=later)).expired == 100_00
