"""What the pool does when lines to the base end or fall silent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from loyalty import db
from tests.bot.conftest import until
from tests.proofs.relay import Relay
from tests.proofs.test_outages import postgres_of

POOL = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'regulars'"
WATCHES = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'regulars watch'"


@pytest.fixture
async def relay(database_url) -> AsyncIterator[Relay]:
    relay = Relay(postgres_of(database_url)[0])
    await relay.open()
    yield relay
    await relay.close()


@pytest.fixture
async def watch(database, database_url, relay) -> AsyncIterator[None]:
    """Looks after this process's pool, over a line of its own that passes the relay."""
    watching = asyncio.create_task(db.Watch(postgres_of(database_url)[1] % relay.port).keep())
    await until(lambda: database.fetchval(f"SELECT EXISTS ({WATCHES})"))
    yield
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def pids(database, which: str) -> set[int]:
    return {row["pid"] for row in await database.fetch(which)}


async def test_a_line_of_the_watch_that_ends_costs_nobody_else_theirs(database, watch, relay):
    ours, [before] = await pids(database, POOL), await pids(database, WATCHES)
    # It ends while an answer is waited for.
    relay.fall_silent()
    await asyncio.sleep(1.5 * db.PULSE_SECONDS)
    await relay.cut()
    await relay.mend()
    await until(lambda: database.fetchval(f"SELECT count(*) = 1 AND bool_and(pid <> {before}) FROM ({WATCHES}) one"))
    await asyncio.sleep(db.PULSE_SECONDS)
    assert ours <= await pids(database, POOL)
    assert await db.fetch_value("SELECT 1") == 1


async def test_what_was_opened_since_the_base_is_back_is_kept(database, watch, relay):
    old = await pids(database, POOL)
    await relay.cut()
    await asyncio.sleep(1.5 * db.PULSE_SECONDS)
    await relay.mend()
    # Some of these go over lines from before, the others open one.
    under_way = asyncio.gather(
        *(db.fetch_value("SELECT pg_backend_pid() FROM pg_sleep(2)") for _ in range(8)), return_exceptions=True
    )
    await until(lambda: database.fetchval(f"SELECT count(*) = 8 FROM ({POOL} AND state = 'active') one"))
    told = [answer for answer in await under_way if not isinstance(answer, db.OUTAGES)]
    assert len(told) >= 8 - len(old)
    assert old.isdisjoint(told)


async def test_after_a_silence_what_was_open_before_is_given_up(database, watch, relay):
    under_way = asyncio.create_task(db.fetch_value("SELECT pg_sleep(30)"))
    await until(lambda: database.fetchval("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query ~ '^SELECT pg_sl')"))
    relay.fall_silent()
    await asyncio.sleep(db.ANSWERS_WITHIN_SECONDS + db.PULSE_SECONDS)
    await relay.mend()
    with pytest.raises(db.OUTAGES):
        await asyncio.wait_for(under_way, 10)
    assert await db.fetch_value("SELECT 1") == 1
