"""The supervisor against real processes: its parent here is a Python of its own, so that it can be killed."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
import redis.asyncio

from regulars.embedded import (
    SOCKET_PATH_BYTES,
    Addresses,
    AlreadyRunning,
    CannotStart,
    EmbeddedServers,
    attach,
    is_running,
)
from regulars.servers import stored_secret_key

# A process that starts the servers of a root, says so, and waits to be killed.
PARENT = """
import sys, time
from pathlib import Path
from regulars.embedded import EmbeddedServers
servers = EmbeddedServers(Path(sys.argv[1]))
servers.start()
print(*servers.pids, flush=True)
time.sleep(600)
"""


@pytest.fixture
def root() -> Iterator[Path]:
    """Not pytest's own temporary folder: the servers' user could not enter that one when we are root."""
    folder = Path(tempfile.mkdtemp(prefix="regulars-embedded-"))
    folder.chmod(0o711)
    yield folder / "home"
    shutil.rmtree(folder)


@pytest.fixture
def parent(root: Path) -> Iterator[Callable[[], tuple[subprocess.Popen[str], list[int]]]]:
    started: list[subprocess.Popen[str]] = []
    servers: list[int] = []

    def start() -> tuple[subprocess.Popen[str], list[int]]:
        process = subprocess.Popen([sys.executable, "-c", PARENT, str(root)], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        pids = [int(pid) for pid in process.stdout.readline().split()]
        servers.extend(pids)
        return process, pids

    yield start
    for process in started:
        process.kill()
        process.communicate()
    wait_until(lambda: not any(alive(pid) for pid in servers))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)


async def count_up(addresses: Addresses | None) -> tuple[int, int]:
    """Leave a row and a count behind; answer how many there are."""
    assert addresses is not None
    connection = await asyncpg.connect(addresses.database_url)
    await connection.execute("CREATE TABLE IF NOT EXISTS visit (at timestamptz DEFAULT now())")
    await connection.execute("INSERT INTO visit DEFAULT VALUES")
    rows = await connection.fetchval("SELECT count(*) FROM visit")
    await connection.close()
    client = redis.asyncio.from_url(addresses.redis_url)
    count = await client.incr("visits")
    await client.aclose()
    return rows, count


async def test_data_survive_a_stop(root):
    servers = EmbeddedServers(root, fsync=False)
    for expected in (1, 2):
        addresses = servers.start()
        pids = servers.pids
        assert await count_up(addresses) == (expected, expected)
        servers.stop()
        assert not any(alive(pid) for pid in pids)
        assert not (root / "addresses").exists()


async def test_a_killed_parent_leaves_no_server_and_loses_no_row(root, parent):
    process, pids = parent()
    assert len(pids) == 2
    assert await count_up(attach(root)) == (1, 1)
    process.kill()
    process.wait()
    wait_until(lambda: not any(alive(pid) for pid in pids))
    servers = EmbeddedServers(root, fsync=False)
    try:
        assert await count_up(servers.start()) == (2, 2)
    finally:
        servers.stop()


async def test_a_killed_postmaster_is_recovered_from_at_the_next_start(root, parent):
    process, pids = parent()
    await count_up(attach(root))
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    # The parent has not reaped them: zombies, as in a container whose first process reaps nobody.
    wait_until(lambda: not any(alive(pid) for pid in pids))
    process.kill()
    process.wait()
    servers = EmbeddedServers(root, fsync=False)
    try:
        rows, _ = await count_up(servers.start())
    finally:
        servers.stop()
    assert rows == 2


async def test_a_pid_file_that_names_a_stranger_does_not_stop_a_start(root):
    servers = EmbeddedServers(root, fsync=False)
    servers.start()
    kept = (root / "postgres" / "18" / "data" / "postmaster.pid").read_text()
    servers.stop()
    lines = kept.splitlines()
    lines[0] = str(os.getpid())
    (root / "postgres" / "18" / "data" / "postmaster.pid").write_text("\n".join(lines) + "\n")
    try:
        assert await count_up(servers.start()) == (1, 1)
    finally:
        servers.stop()


async def test_ctrl_c_reaches_only_the_parent(root, parent):
    process, pids = parent()
    for pid in pids:
        assert os.getsid(pid) != os.getsid(process.pid)


async def test_a_second_process_is_refused_and_attaches(root, parent):
    parent()
    with pytest.raises(AlreadyRunning, match="already runs the servers"):
        EmbeddedServers(root, fsync=False).start()
    assert await count_up(attach(root)) == (1, 1)


def test_nobody_to_attach_to_is_none(root):
    assert attach(root) is None
    root.mkdir()
    (root / "lock").touch()
    (root / "addresses").write_text("{}")
    assert attach(root) is None


async def test_cyrillic_is_letters_to_the_base(root):
    servers = EmbeddedServers(root, fsync=False)
    try:
        connection = await asyncpg.connect(servers.start().database_url)
        await connection.execute("CREATE EXTENSION pg_trgm")
        assert await connection.fetchval("SELECT similarity('Иван Петров', 'иван петровв') > 0.7")
        assert await connection.fetchval("SELECT lower('ПРИВЕТ') = 'привет'")
        assert await connection.fetchval("SHOW timezone") == "UTC"
        await connection.close()
    finally:
        servers.stop()


def test_what_lies_in_the_home_is_closed_to_others(root):
    servers = EmbeddedServers(root, fsync=False)
    try:
        addresses = servers.start()
        assert "postgres://" not in repr(addresses)
        for closed in ("addresses", "postgres/18/password", "postgres/18/log", "valkey/valkey.conf", "valkey/log"):
            assert (root / closed).stat().st_mode & 0o077 == 0, closed
        for closed in ("postgres/18", "postgres/18/data", "valkey"):
            assert (root / closed).stat().st_mode & 0o077 == 0, closed
        assert root.stat().st_mode & 0o066 == 0
    finally:
        servers.stop()


def test_a_home_with_a_long_name_gets_its_socket_elsewhere(root):
    long = root / ("л" * 60)
    assert len(os.fsencode(long / "valkey" / "socket")) > SOCKET_PATH_BYTES
    servers = EmbeddedServers(long, fsync=False)
    try:
        address = Path(servers.start().redis_url.removeprefix("unix://").partition("?")[0])
        assert address.is_socket()
        assert address.parent.stat().st_mode & 0o077 == 0
    finally:
        servers.stop()
    assert not address.parent.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as somebody else")
def test_a_home_that_the_servers_user_cannot_enter_is_named(root):
    root.mkdir(mode=0o700)
    with pytest.raises(CannotStart, match=f"who may not enter {root}"):
        EmbeddedServers(root / "inner", fsync=False).start()
    assert root.stat().st_mode & 0o777 == 0o700


@pytest.fixture
def as_a_stranger() -> Iterator[None]:
    """Somebody to whom modes of files matter, also when we are root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def closed(root) -> Iterator[Path]:
    """A home that its user may not enter."""
    root.mkdir()
    (root / "lock").touch()
    root.chmod(0o000)
    yield root
    root.chmod(0o700)


@pytest.mark.parametrize("use", [stored_secret_key, attach, is_running])
def test_a_home_of_another_user_is_told(closed, as_a_stranger, use):
    with pytest.raises(CannotStart, match=rf"No permission for {closed}/.* Set REGULARS_HOME"):
        use(closed)


def test_a_home_that_is_no_folder_is_told(root):
    root.touch()
    for use in (stored_secret_key, attach, is_running):
        with pytest.raises(CannotStart, match=f"{root} cannot be used"):
            use(root)


def test_a_thread_may_not_start_them(root):
    refused: list[Exception] = []

    def start() -> None:
        try:
            EmbeddedServers(root).start()
        except RuntimeError as error:
            refused.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(refused[0])
