"""The fast seed at size, and ended in the middle: all of it or nothing."""

import asyncio
import signal
import sys

import pytest

from loyalty import db
from loyalty.clock import system_now
from tests.bot.conftest import until_sql
from tests.builders import assert_books_agree
from tests.conftest import ROOT
from tests.proofs.conftest import sized
from tests.regulars.test_migrations import SCHEMA, schema_of

pytestmark = [pytest.mark.prove, pytest.mark.timeout(900)]
CUSTOMERS, LIVES = sized(1_500, 50_000), sized(250, 5_000)
FILL = """
import asyncio, sys
from loyalty.clock import system_now
from loyalty.db import open_database
from regulars.seed.fast import seed_fast

async def main(url, customers, lives):
    await open_database(url)
    await seed_fast(int(customers), now=system_now(), report=lambda words: print(words, flush=True), lives=int(lives))

asyncio.run(main(*sys.argv[1:]))
"""
# Of one that was killed the server finishes the statement that it is at.
LEFT = """
SELECT NOT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE d.datname = current_database() AND l.mode = 'AccessExclusiveLock')
"""


async def test_a_fast_seed_that_is_ended_leaves_nothing_and_the_next_one_is_whole(database, database_url):
    for word, end in ((f" of {CUSTOMERS - 6} customers", signal.SIGINT), ("Index 30 ", signal.SIGKILL)):
        process = await begun(database_url, word)
        process.send_signal(end)
        await process.communicate()
        assert process.returncode == -end
        await until_sql(LEFT)
        assert await db.fetch_value("SELECT count(*) FROM customer") == 0
    process = await begun(database_url, "Vacuuming")
    await process.communicate()
    assert process.returncode == 0
    assert await db.fetch_value("SELECT count(*) FROM customer") == CUSTOMERS
    assert schema_of(database_url).splitlines() == SCHEMA.read_text().splitlines()
    await assert_books_agree(now=system_now())


async def begun(url: str, word: str) -> asyncio.subprocess.Process:
    """A fast seed, once it has said a line with this word."""
    # Whoever starts the tests in the background of a shell has them, and their children, deaf to Ctrl-C.
    heard = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler){FILL}"
    command = (sys.executable, "-c", heard, url, str(CUSTOMERS), str(LIVES))
    streams = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.STDOUT}
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, **streams)  # type: ignore[arg-type]
    assert process.stdout is not None
    said = []
    while word not in (line := (await process.stdout.readline()).decode()):
        said.append(line)
        assert line, f"it ended before {word}: {''.join(said)}"
    return process
