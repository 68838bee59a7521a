"""The way to PostgreSQL: opening, transactions, plain SQL, migrations.

Rooms use the ORM for single rows and `fetch*` for statements written by hand. Inside `transaction()` both run
on its connection. Do not start tasks inside one: they would outlive the connection they inherited.
"""

import asyncio
import functools
import json
import re
import socket
import time
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg
from tortoise import Tortoise
from tortoise.context import require_context
from tortoise.exceptions import DBConnectionError, IntegrityError, OperationalError
from tortoise.migrations.executor import MigrationExecutor
from tortoise.transactions import in_transaction

P = ParamSpec("P")
T = TypeVar("T")
Row = dict[str, Any]

MODELS = (
    "loyalty.shop.models",
    "loyalty.staff.models",
    "loyalty.webhooks.models",
    "loyalty.customers.models",
    "loyalty.tasks.models",
    "loyalty.conversations.models",
    "loyalty.bonuses.models",
    "loyalty.receipts.models",
    "loyalty.bookings.models",
    "loyalty.segments.models",
    "loyalty.surveys.models",
    "loyalty.campaigns.models",
    "loyalty.office.models",
)
APP = {"models": list(MODELS), "default_connection": "default", "migrations": "migrations"}
MIGRATION_LOCK = 0x5245_4755_4C41_5253  # "REGULARS"
RETRIES = 3


async def _leave_as_it_is(_: object) -> None:
    """What the pool does to a connection that comes back, its open transaction already rolled back.

    The default asks the server to forget settings, listeners and advisory locks that we never set on pooled
    connections: one round trip more for every statement outside a transaction.
    """


_known: "weakref.WeakKeyDictionary[asyncpg.Connection[asyncpg.Record], float]" = weakref.WeakKeyDictionary()
"""The connections of the pool, and when each was opened."""
ALIVE_SECONDS = 5


async def _know(connection: Any) -> None:
    """What the pool does to a new connection. The kernel gives up on one whose packets nobody takes any more."""
    _known[connection] = time.monotonic()
    _know_line(connection)


def _know_line(connection: Any) -> None:
    keep_alive(connection._transport.get_extra_info("socket"))  # noqa: SLF001  asyncpg has no other way to it


def keep_alive(line: Any) -> None:
    """Let the kernel notice within some seconds that nobody is at the other end of a connection."""
    if line is None or line.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEP_ALIVE.items():
        line.setsockopt(socket.IPPROTO_TCP, name, value)


KEEP_ALIVE = {
    socket.TCP_KEEPIDLE: 2,
    socket.TCP_KEEPINTVL: 1,
    socket.TCP_KEEPCNT: 3,
    socket.TCP_USER_TIMEOUT: ALIVE_SECONDS * 1000,
}


def orm_config(url: str) -> dict[str, Any]:
    """Tortoise's configuration for the base at `url` (postgres://user:password@host:port/name?pool options).

    Options of the URL: `minsize`, `maxsize` (pool, default 2 and 12), `command_timeout` (s, default 30),
    `connect_timeout` (s, default 5), `sslmode`. The zone is UTC whatever the server says.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    credentials: dict[str, Any] = {
        "host": unquote(options.get("host", parts.hostname or "127.0.0.1")),
        "port": parts.port or 5432,
        "user": unquote(parts.username or "postgres"),
        "password": unquote(parts.password or ""),
        "database": parts.path.lstrip("/") or "postgres",
        "minsize": int(options.get("minsize", 2)),
        "maxsize": int(options.get("maxsize", 12)),
        "timeout": float(options.get("connect_timeout", 5)),
        "command_timeout": float(options.get("command_timeout", 30)),
        "statement_cache_size": int(options.get("statement_cache_size", 200)),
        "reset": _leave_as_it_is,
        "init": _know,
        "server_settings": {
            "timezone": "UTC",
            "application_name": options.get("application_name", "regulars"),
            # Compiling a plan takes longer than any page of ours may.
            "jit": "off",
        },
    }
    if sslmode := options.get("sslmode"):
        credentials["ssl"] = sslmode
    return {
        "connections": {"default": {"engine": "tortoise.backends.asyncpg", "credentials": credentials}},
        "apps": {"loyalty": APP},
        "use_tz": True,
        "timezone": "UTC",
    }


TORTOISE_ORM = orm_config("postgres://localhost/regulars")
"""For Tortoise's command line, which writes migrations from the models without a server."""


OUTAGES: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # What the driver's pool says of a connection that was lost and given up while a statement was under way.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    DBConnectionError,
)
"""Errors that say nothing about what was asked, only that the server could not do it now."""


UNFIT: tuple[type[BaseException], ...] = (OperationalError, IntegrityError)
"""Errors that say that the base cannot keep what it was given, however often."""


def lacks_rights(error: BaseException) -> bool:
    """Whether an error says that the role may not do what was asked."""
    # The ORM wraps some of the driver's errors.
    return any(isinstance(one, asyncpg.InsufficientPrivilegeError) for one in (error, error.__cause__))


async def open_database(url: str) -> None:
    """Open the pool of this process. Raises OSError or asyncpg's errors when the server does not answer."""
    await Tortoise.init(config=orm_config(url), _enable_global_fallback=True)
    await fetch_value("SELECT 1")


def why_not_opened(url: str, refused: Exception) -> str:
    """One line for whoever set `url` about what `open_database` raised: its server and why, never its password."""
    parts = urlsplit(url)
    # Some errors, timeouts above all, have no words.
    reason = " ".join(str(refused).split()) or type(refused).__name__
    return f"The base at DATABASE_URL cannot be opened: {parts.hostname}:{parts.port or 5432}: {reason}"


async def close_database() -> None:
    """Close the pool; connections in use get ten seconds. Not inside a transaction."""
    await Tortoise.close_connections()


@asynccontextmanager
async def transaction() -> AsyncIterator[None]:
    """One transaction at READ COMMITTED; nested, a savepoint. Lock first, read in another statement."""
    async with in_transaction("default"):
        yield


def use_case(action: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Run an action as one transaction, and once more when the server chose it as a deadlock's victim.

    Nothing was committed in that case, so the second try sees the world anew. A use case called inside
    another joins it and leaves trying again to the outermost.
    """

    @functools.wraps(action)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        if in_use_case():
            return await action(*args, **kwargs)
        for attempt in range(RETRIES):
            topics: set[str] = set()
            token = _woken.set(topics)
            try:
                async with in_transaction("default"):
                    result = await action(*args, **kwargs)
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                if attempt + 1 == RETRIES:
                    raise
                await asyncio.sleep(0.02 * 2**attempt)
            else:
                for topic in topics:
                    _tell(topic)
                return result
            finally:
                _woken.reset(token)
        raise AssertionError("unreachable: the last attempt returns or raises")

    return run


listeners: list[Callable[[str], None]] = []
"""Called with a topic after the commit of what woke it. For those who would else look only each second."""
_woken: ContextVar[set[str] | None] = ContextVar("woken", default=None)


def wake(topic: str) -> None:
    """Tell the listeners that there is work ("updates", "messages"): after the commit of the open use case.

    Lost wake-ups cost a second and nothing else: whoever listens also looks by itself.
    """
    topics = _woken.get()
    if topics is None:
        _tell(topic)
    else:
        topics.add(topic)


def _tell(topic: str) -> None:
    for listener in listeners:
        listener(topic)


def in_use_case() -> bool:
    """Whether a transaction of this task is open."""
    return hasattr(_connection(), "_finalized")


class Statement:
    """A long statement whose parameters have names: `:name` in the text becomes `$n`, the same name the same n."""

    def __init__(self, text: str) -> None:
        self.names: list[str] = []
        self.sql = _NAMED.sub(self._number, text)

    def _number(self, match: re.Match[str]) -> str:
        if match[1] not in self.names:
            self.names.append(match[1])
        return f"${self.names.index(match[1]) + 1}"

    async def row(self, values: Mapping[str, Any]) -> Row | None:
        """Run it with a value for each name; the first row, or None."""
        return await fetch_row(self.sql, *[values[name] for name in self.names])


_NAMED = re.compile(r"(?<!:):([a-z_]+)")  # not the type after a cast


async def fetch(sql: str, *params: Any) -> list[Row]:
    """All rows of a statement, INSERT ... RETURNING too, as dictionaries."""
    try:
        async with _connection().acquire_connection() as raw:
            return [dict(row) for row in await raw.fetch(sql, *params)]
    # As the ORM does, without the layers between.
    except asyncpg.IntegrityConstraintViolationError as error:
        raise IntegrityError(error) from error
    except (asyncpg.SyntaxOrAccessError, asyncpg.DataError) as error:
        raise OperationalError(error) from error


async def fetch_planned(sql: str, *params: Any, seconds: float | None = None) -> list[Row]:
    """As `fetch`, for a statement whose best plan hangs on its values: it is planned for these, each time.

    seconds: for one that may take longer than the pool's `command_timeout`.
    """
    try:
        async with _connection().acquire_connection() as raw:
            statement = await raw.prepare(sql)
            return [dict(row) for row in await statement.fetch(*params, timeout=seconds)]
    except (asyncpg.SyntaxOrAccessError, asyncpg.DataError) as error:
        raise OperationalError(error) from error


async def fetch_row(sql: str, *params: Any) -> Row | None:
    """The first row, or None."""
    rows = await fetch(sql, *params)
    return rows[0] if rows else None


async def fetch_value(sql: str, *params: Any) -> Any:
    """The first column of the first row, or None."""
    row = await fetch_row(sql, *params)
    return next(iter(row.values())) if row else None


async def fetch_patiently(seconds: float, sql: str, *params: Any) -> list[Row]:
    """As `fetch`, for a statement that may take longer than the pool's `command_timeout`."""
    async with _connection().acquire_connection() as raw:
        return [dict(row) for row in await raw.fetch(sql, *params, timeout=seconds)]


async def execute(sql: str, *params: Any) -> None:
    """Run a statement whose rows nobody needs."""
    await fetch(sql, *params)


async def copy_rows(table: str, columns: list[str], records: list[tuple[Any, ...]]) -> None:
    """COPY records into a table: about a hundred thousand rows a second. Inside `transaction()` or alone."""
    async with _connection().acquire_connection() as raw:
        await raw.copy_records_to_table(table, columns=columns, records=records)


class Snapshot:
    """The base as it was at one moment. What is asked here stands apart from any transaction of the task."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    async def fetch(self, sql: str, *params: Any) -> list[Row]:
        """All rows of a statement that only reads."""
        return [dict(row) for row in await self._raw.fetch(sql, *params)]

    async def in_parts(self, sql: str, *params: Any, rows: int, seconds: float) -> AsyncGenerator[list[Row], None]:
        """The rows of a statement, so many at a time, however many there are; each part within so many seconds."""
        statement = await self._raw.prepare(sql)
        found = await statement.cursor(*params, timeout=seconds)
        while part := await found.fetch(rows, timeout=seconds):
            yield [dict(row) for row in part]


@asynccontextmanager
async def snapshot() -> AsyncIterator[Snapshot]:
    """Look at the base as it is now, for as long as this lasts. Dead rows wait meanwhile, so let it be minutes."""
    async with (
        _connection().acquire_connection() as raw,
        raw.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield Snapshot(raw)


@asynccontextmanager
async def alone(space: int, key: int) -> AsyncIterator[bool]:
    """Hold an advisory lock without a transaction; False when somebody else holds it. It ends with its process."""
    async with _connection().acquire_connection() as raw:
        if not await raw.fetchval("SELECT pg_try_advisory_lock($1::int, $2::int)", space, key):
            yield False
            return
        try:
            yield True
        finally:
            try:
                await raw.execute("SELECT pg_advisory_unlock($1::int, $2::int)", space, key)
            except BaseException:
                # The pool would hand it on with the lock.
                raw.terminate()
                raise


async def migrate() -> list[str]:
    """Bring the open base to this version; returns the names applied now, in order.

    Two processes may call it at once: one migrates, the other waits. The lock is polled, because a blocking
    pg_advisory_lock would hold a snapshot that CREATE INDEX CONCURRENTLY waits for.
    """
    connection = _connection()
    async with connection.acquire_connection() as raw:
        while not await raw.fetchval("SELECT pg_try_advisory_lock($1)", MIGRATION_LOCK):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        try:
            executor = MigrationExecutor(connection, {"loyalty": APP})
            before = set(await _applied(raw))
            await executor.migrate()
            return [name for name in await _applied(raw) if name not in before]
        finally:
            await raw.execute("SELECT pg_advisory_unlock($1)", MIGRATION_LOCK)


async def is_migrated() -> bool:
    """Whether the open base has every migration of this version."""
    connection = _connection()
    loader = MigrationExecutor(connection, {"loyalty": APP}).loader
    loader.load_disk()
    async with connection.acquire_connection() as raw:
        return {key.name for key in loader.disk_migrations} <= set(await _applied(raw))


async def knows_cyrillic() -> bool:
    """Whether Cyrillic letters are letters to the open base: those who search would else not find them.

    How letters change their case may come from elsewhere; trigrams go by the character type alone.
    """
    known: bool = await fetch_value(
        "SELECT lower('Я') = 'я' AND datctype NOT IN ('C', 'POSIX') FROM pg_database WHERE datname = current_database()"
    )
    return known


async def _applied(raw: Any) -> list[str]:
    """Names of the migrations on record, oldest first; none before the first."""
    if not await raw.fetchval("SELECT to_regclass('tortoise_migrations') IS NOT NULL"):
        return []
    return [row["name"] for row in await raw.fetch("SELECT name FROM tortoise_migrations ORDER BY name")]


PULSE_SECONDS = 1.0
ANSWERS_WITHIN_SECONDS = 3.0


class Watch:
    """Looks after the pool: when the base was out of reach and is back, connections from before are given up.

    They may never answer, and nobody would know: a line that is cut in the middle says nothing, and a statement waits
    for its time-out. Whoever waits on one gets an error of OUTAGES. A line that ends is no such sign: whoever had one
    that ended, heard so.
    """

    def __init__(self, url: str) -> None:
        self._config = orm_config(url)["connections"]["default"]["credentials"]
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def keep(self) -> None:
        """Look each second, for ever."""
        away_at: float | None = None
        try:
            while True:
                looked_at = time.monotonic()
                if not await self._answers():
                    away_at = looked_at
                elif away_at is not None:
                    # Not those that were opened since: somebody was quicker than we to see that it is back.
                    for connection in [one for one, opened_at in _known.items() if opened_at < away_at]:
                        _cut(connection)
                    away_at = None
                await asyncio.sleep(PULSE_SECONDS)
        finally:
            self._let_go()

    async def _answers(self) -> bool:
        """Whether the base answers, over a line of our own, which is a new one after it did not."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
                if not await self._line_answers():
                    self._let_go()
                    self._connection = await _connect(self._config, {"application_name": "regulars watch"})
        except asyncpg.InsufficientResourcesError:
            # Full, and therefore there.
            return True
        except Exception:  # noqa: BLE001  whatever the driver makes of a line that breaks, it is no answer
            self._let_go()
            # A process that did not get its turn for seconds says nothing about the base.
            return time.monotonic() - began > ANSWERS_WITHIN_SECONDS + PULSE_SECONDS
        return True

    async def _line_answers(self) -> bool:
        if self._connection is None:
            return False
        try:
            await self._connection.execute("SELECT 1")
        except Exception:  # noqa: BLE001  whatever the driver makes of a line that ended
            return False
        return True

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


def _cut(connection: Any) -> None:
    """End a connection as if its line had broken: whoever waits on it hears so, and the pool gets it back from them.

    `terminate()` would hand it back to the pool beneath their hands, and they would stumble over what is left of it.
    """
    if not connection.is_closed():
        connection._transport.abort()  # noqa: SLF001  asyncpg has no other way to it


async def _connect(config: Mapping[str, Any], server: Mapping[str, str]) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection outside of the pool."""
    connection = await asyncpg.connect(
        host=config["host"],
        port=config["port"],
        user=config["user"],
        password=config["password"],
        database=config["database"],
        timeout=min(config["timeout"], ANSWERS_WITHIN_SECONDS),
        ssl=config.get("ssl"),
        server_settings=dict(server),
    )
    _know_line(connection)
    return connection


class ServerLock:
    """A lock that one process of an installation holds: an advisory lock on a connection of its own.

    PostgreSQL frees it when the connection ends, however that happens; the keepalives let the server notice
    within some ten seconds that a holder's machine is gone. Not through a pooler that shares connections.
    """

    def __init__(self, url: str, key: int) -> None:
        self._config = orm_config(url)["connections"]["default"]["credentials"]
        self._key = key
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def take(self) -> bool:
        """Try to become the holder; false while another process is."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await _connect(
                self._config,
                {
                    "application_name": "regulars lock",
                    "tcp_keepalives_idle": "5",
                    "tcp_keepalives_interval": "2",
                    "tcp_keepalives_count": "3",
                },
            )
        taken: bool = await self._connection.fetchval("SELECT pg_try_advisory_lock($1)", self._key, timeout=5)
        return taken

    async def is_held(self, *, within: float) -> bool:
        """Whether the connection that holds the lock answers within so many seconds."""
        if self._connection is None or self._connection.is_closed():
            return False
        try:
            await self._connection.execute("SELECT 1", timeout=within)
        except Exception:  # noqa: BLE001  whatever the driver makes of a connection that breaks, it is no answer
            return False
        return True

    async def release(self) -> None:
        """Let go of the lock, or of a connection that no longer answers; never fails."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            await connection.close(timeout=2)
        except Exception:  # noqa: BLE001  closed politely or not, the server frees the lock
            connection.terminate()


_ENCODER = json.JSONEncoder(ensure_ascii=False, default=str)


def to_json(value: Any) -> str:
    """JSON for a jsonb parameter; dates and other scalars as text."""
    return _ENCODER.encode(value)


def from_json(value: Any) -> Any:
    """What a jsonb column of a plain statement holds."""
    return json.loads(value) if isinstance(value, str | bytes) else value


def _connection() -> Any:
    """The connection of this task: the transaction's inside one, the pool outside."""
    return require_context().connections.get("default")
