"""Real servers for every test: one PostgreSQL and one Valkey for the whole run, a database for each worker.

The process that begins the run starts the servers in a folder of its own, migrates one template database, and
hands the addresses to its workers; a worker clones the template. A test that asks for `database` begins with
the rows of a fresh installation and nothing else.
"""

import asyncio
import ipaddress
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import asyncpg
import hypothesis
import pytest
import redis.asyncio
from argon2 import PasswordHasher

from loyalty.settings import Settings
from regulars.embedded import Addresses, EmbeddedServers

ROOT = Path(__file__).parents[1]
TEMPLATE = "regulars_template"
# Tables that keep their rows from test to test.
KEPT_TABLES = ("tortoise_migrations",)
SECRET_KEY = "0123456789-fit-for-tests-only-ABCDEF"

hypothesis.settings.register_profile("house", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("house")


class Servers:
    """The pair of this run, started when first asked for."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._servers: EmbeddedServers | None = None
        self._addresses: Addresses | None = None

    def addresses(self) -> Addresses:
        if self._addresses is None:
            self._folder = Path(tempfile.mkdtemp(prefix="regulars-test-"))
            self._servers = EmbeddedServers(self._folder / "servers", fsync=False)
            self._folder.chmod(0o711)
            addresses = self._addresses = self._servers.start()
            in_own_loop(lambda: make_template(addresses.database_url))
            # What is deleted between tests stays where it is, and rows come in the order in which they were written.
            in_own_loop(lambda: command(addresses.database_url, "ALTER SYSTEM SET autovacuum = off"))
            in_own_loop(lambda: command(addresses.database_url, "SELECT pg_reload_conf()"))
        return self._addresses

    def stop(self) -> None:
        if self._servers is not None:
            self._servers.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


servers_of_this_run = Servers()


def pytest_configure(config: pytest.Config) -> None:
    """A worker gets the addresses from the process that began the run."""
    given = getattr(config, "workerinput", {}).get("addresses")
    if given is not None:
        servers_of_this_run._addresses = Addresses(**given)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Called where the run began, for each of its workers."""
    node.workerinput["addresses"] = asdict(servers_of_this_run.addresses())


def pytest_unconfigure() -> None:
    servers_of_this_run.stop()


def in_own_loop(work: Callable[[], Awaitable[Any]]) -> None:
    """Run to the end in a thread and loop of its own, so that the loop of the tests stays untouched."""

    async def main() -> None:
        await work()

    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, main()).result()


def other_database(url: str, name: str) -> str:
    """The same server, another database."""
    return url.rpartition("/")[0] + "/" + name


async def make_template(url: str) -> None:
    """One migrated database, to be cloned; its rows (the shop itself) lie beside it in schema `fresh`."""
    await command(url, f'CREATE DATABASE "{TEMPLATE}"')
    if not (ROOT / "migrations" / "__init__.py").exists():
        return
    from loyalty.db import close_database, migrate, open_database

    template = other_database(url, TEMPLATE)
    await open_database(template)
    try:
        await migrate()
    finally:
        await close_database()
    await command(template, "CREATE SCHEMA fresh")
    connection = await asyncpg.connect(template)
    try:
        for table in await tables(connection):
            if await connection.fetchval(f'SELECT EXISTS (SELECT FROM public."{table}")'):
                await connection.execute(f'CREATE TABLE fresh."{table}" AS TABLE public."{table}"')
    finally:
        await connection.close()


async def command(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def tables(connection: asyncpg.Connection, schema: str = "public") -> list[str]:
    rows = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relispartition ORDER BY relname",
        schema,
    )
    return [row["relname"] for row in rows if row["relname"] not in KEPT_TABLES]


# More of a table than this is thrown away file by file; what a usual test leaves is deleted, a hundred times faster.
MANY_BYTES = 2**20


async def refresh(connection: asyncpg.Connection) -> None:
    """Back to the rows of a fresh installation; touches only tables that hold any."""
    names = await tables(connection)
    if not names:
        return
    question = " UNION ALL ".join(
        f"""(SELECT '{name}' AS name, pg_total_relation_size('"{name}"') AS size FROM public."{name}" LIMIT 1)"""
        for name in names
    )
    used = {row["name"]: row["size"] for row in await connection.fetch(question)}
    restored = await tables(connection, "fresh")
    async with connection.transaction():
        # A test that left a transaction open is named by this error instead of hanging the run. The append-only
        # tables refuse to forget, and keys to lose what they point to; as a replica the session runs no such trigger.
        await connection.execute("SET LOCAL lock_timeout = '10s'; SET LOCAL session_replication_role = replica")
        if max(used.values(), default=0) > MANY_BYTES:
            listed = ", ".join(f'public."{name}"' for name in used)
            await connection.execute(f"TRUNCATE {listed} RESTART IDENTITY CASCADE")
        else:
            await connection.execute("; ".join(f'DELETE FROM public."{name}"' for name in used))
        await connection.execute(
            "SELECT setval(format('%I.%I', schemaname, sequencename), start_value, false) FROM pg_sequences"
            " WHERE schemaname = 'public' AND last_value IS NOT NULL AND sequencename NOT LIKE 'tortoise_migrations%'"
        )
        for name in restored:
            await connection.execute(
                f'INSERT INTO public."{name}" OVERRIDING SYSTEM VALUE SELECT * FROM fresh."{name}"'
            )
            # Ids go on after the restored rows, as they would after the migration that wrote them.
            sequence = await connection.fetchval("SELECT pg_get_serial_sequence($1, 'id')", f'public."{name}"')
            if sequence is not None:
                await connection.execute(f'SELECT setval($1, (SELECT max(id) FROM public."{name}"))', sequence)


# ------------------------------------------------------------------------------------------- fixtures


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> None:
    """Argon2 at its cheapest: tests ask when a password is right, not how long it takes to find out."""
    from loyalty.staff import actions

    actions._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    actions._NOBODYS_HASH = actions._HASHER.hash("nobody's")


@pytest.fixture(scope="session")
def servers() -> Addresses:
    """The servers of this run; the role is a superuser, the named database is empty."""
    return servers_of_this_run.addresses()


@pytest.fixture(scope="session")
def worker_number(request: pytest.FixtureRequest) -> int:
    """0 without workers, else 1, 2, …"""
    name = getattr(request.config, "workerinput", {}).get("workerid", "")
    return int(name.removeprefix("gw")) + 1 if name else 0


@pytest.fixture(scope="session")
def make_database(servers: Addresses) -> Callable[[str], str]:
    """Make a migrated database of that name and answer its URL; it goes with the run."""

    def make(name: str) -> str:
        in_own_loop(lambda: command(servers.database_url, f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}"'))
        return other_database(servers.database_url, name)

    return make


@pytest.fixture(scope="session")
def database_url(make_database: Callable[[str], str], worker_number: int) -> str:
    """This worker's own database, migrated. Its rows are whatever the last test left; see `database`."""
    return make_database(f"worker_{worker_number}")


@pytest.fixture(scope="session")
async def opened_database(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    from loyalty.db import close_database, open_database

    await open_database(database_url)
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()
    await close_database()


@pytest.fixture
async def database(opened_database: asyncpg.Connection) -> asyncpg.Connection:
    """`loyalty.db` is open on a base as it is right after installing; a raw connection to look with."""
    await refresh(opened_database)
    return opened_database


@pytest.fixture(scope="session")
def redis_address(servers: Addresses, worker_number: int) -> str:
    """This worker's own number in Valkey; what lies there is whatever the last test left."""
    return servers.redis_url.replace("db=0", f"db={worker_number}")


@pytest.fixture
async def redis_url(redis_address: str) -> str:
    """This worker's own number in Valkey, emptied."""
    client = redis.asyncio.from_url(redis_address)
    await client.flushdb()
    await client.aclose()
    return redis_address


@pytest.fixture
def free_port() -> int:
    """A loopback port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def settings(database_url: str, redis_url: str, free_port: int, tmp_path: Path) -> Settings:
    """As the front step would hand them over, for this worker's database and Valkey."""
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        secret_key=SECRET_KEY,
        home=tmp_path,
        port=free_port,
        trusted_proxies=(ipaddress.ip_network("127.0.0.1"),),
    )


@pytest.fixture(scope="session")
def chromium() -> Iterator[str]:
    """Path of the browser. Without one the test is skipped; under CI it fails."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            yield path
            return
    if os.environ.get("CI"):
        pytest.fail("no chromium: apt-get install chromium")
    pytest.skip("no chromium: apt-get install chromium")
