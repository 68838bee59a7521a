"""Files of customers made by workers that are killed and that meet, and while somebody in them is erased."""

import asyncio
import csv
import io
from random import Random

import pytest

from loyalty import db
from loyalty.clock import system_now
from loyalty.office.actions.erasure import erase_customer
from loyalty.office.actions.export_work import make_due
from loyalty.office.actions.exports import Wish, ask_export
from loyalty.office.exporting import FileFormat, FileWords
from loyalty.office.queries.exports import pieces_of
from loyalty.segments.queries.base import Look
from loyalty.staff.rules import COMMAND, Actor
from tests.bot.conftest import until, until_sql
from tests.builders import a_cashier, a_customer, a_programme
from tests.proofs.conftest import sized

pytestmark = pytest.mark.prove
ALL_MADE = "SELECT NOT EXISTS (SELECT FROM file_export WHERE state IN ('queued', 'running'))"


async def some(number: int) -> list[str]:
    """The names of so many customers, in order."""
    return [(await a_customer(name=f"Customer {index:05}")).name for index in range(number)]


async def asked(key: str, actor: Actor = COMMAND) -> int:
    wish = Wish(
        look=Look(),
        chosen=None,
        said={"sort": "name", "dir": "asc"},
        format=FileFormat.CSV,
        columns=("name",),
        words=FileWords("Base", {}, {}, ""),
        shows_phones=True,
        language="en",
        email="x@example.com",
    )
    return await ask_export(wish, key=key, actor=actor, now=system_now())


async def names_in(export_id: int) -> list[str]:
    body = b"".join([piece async for piece in pieces_of(export_id)])
    return [line[0] for line in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""))][1:]


async def assert_whole_and_once(exports: list[int], people: list[str], letters: int) -> None:
    for export_id in exports:
        assert await names_in(export_id) == people
        row = await db.fetch_row(
            "SELECT state, rows, size, (SELECT sum(length(body)) FROM file_export_piece WHERE export_id = $1) AS kept"
            " FROM file_export WHERE id = $1",
            export_id,
        )
        assert row is not None
        assert (row["state"], row["rows"], row["size"]) == ("done", len(people), row["kept"])
    assert await db.fetch_value("SELECT count(*) FROM staff_letter") == letters
    assert await db.fetch_value("SELECT count(*) FROM journal_entry WHERE action = 'export.made'") == len(exports)


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(("file_export", "UPDATE file_export SET state = 'running'"), id="beginning"),
        pytest.param(("file_export_piece", "INSERT INTO file_export_piece"), id="keeping a piece"),
        pytest.param(("staff_letter", "INSERT INTO staff_letter"), id="writing the letter"),
    ],
)
async def test_a_worker_killed_in_the_middle_of_a_file_leaves_nothing_and_the_next_makes_it_once(
    processes, hold, place
):
    table, statement = place
    await a_programme()
    actor, people = await a_cashier(), await some(30)
    export_id = await asked("1", actor)
    async with hold(f"LOCK TABLE {table} IN SHARE MODE"):
        await processes.start_some(1, "scheduler")
        [victim] = await processes.standing_at(statement)
        await victim.kill()
    await processes.bury(victim)
    assert await db.fetch_value("SELECT count(*) FROM file_export_piece") == 0
    await processes.start_some(1, "scheduler")
    await until_sql(ALL_MADE)
    await assert_whole_and_once([export_id], people, letters=1)
    assert processes.errors() == []


async def test_whenever_workers_are_killed_each_file_is_made_once(processes, monkeypatch):
    random = Random(22)
    await a_programme()
    people = await some(sized(300, 3_000))
    exports = [await asked(str(number)) for number in range(sized(3, 12))]
    # However often these are begun.
    await db.execute("UPDATE file_export SET attempts = -1000")
    for _ in range(sized(3, 25)):
        [victim] = await processes.start_some(1, "scheduler")
        await asyncio.sleep(random.uniform(0.0, 2.0))
        await victim.kill()
        await processes.bury(victim)
    await processes.start_some(2, "scheduler")
    await until_sql(ALL_MADE)
    await assert_whole_and_once(exports, people, letters=0)


async def test_workers_that_meet_make_each_file_once(database):
    await a_programme()
    people = await some(40)
    exports = [await asked(str(number)) for number in range(6)]

    async def work() -> None:
        while not await db.fetch_value(ALL_MADE):
            await make_due(now=system_now())
            await asyncio.sleep(0)

    await asyncio.gather(*(work() for _ in range(3)))
    await assert_whole_and_once(exports, people, letters=0)
    # Nor did two of them work for one file.
    assert await db.fetch_value("SELECT max(attempts) FROM file_export") == 1


async def test_a_file_that_begins_while_somebody_is_erased_does_not_hold_them(database, hold):
    """It was asked for after the erasure had looked for files, and would read the base before that is committed."""
    await a_programme()
    await some(2)
    person = await a_customer(name="Zoe")
    export_id = await asked("1")
    await db.execute("UPDATE file_export SET state = 'expired'")
    async with hold("LOCK TABLE webhook_event IN SHARE MODE"):
        await db.execute(
            "INSERT INTO webhook_endpoint (name, url, topics, salt, is_active, given_up, created_at)"
            " VALUES ('x', 'https://x.example', '[\"customers\"]', 'x', true, 0, now())"
        )
        erasing: asyncio.Future[None] = asyncio.ensure_future(
            erase_customer(person.id, actor=COMMAND, now=system_now())
        )
        await until_sql(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'webhook_event')"
        )
        await db.execute("UPDATE file_export SET state = 'queued'")
        making = asyncio.create_task(make_due(now=system_now()))
        waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
        await until(lambda: making.done() or db.fetch_value(waits))
    await erasing
    assert await making == 1
    assert await names_in(export_id) == ["Customer 00000", "Customer 00001"]
