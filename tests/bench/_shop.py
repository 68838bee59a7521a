"""A seeded shop on servers of its own, with fsync on, for the benchmarks."""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

from loyalty import db
from loyalty.clock import system_now
from regulars.embedded import EmbeddedServers
from regulars.seed import seed
from regulars.seed.fast import seed_fast

SECRET_KEY = "0123456789-fit-for-benchmarks-only-AB"
PORT = 18_431


@dataclass(frozen=True, slots=True)
class BenchShop:
    """Where the shop lives. `postgres_bin` has pgbench."""

    database_url: str
    redis_url: str
    postgres_bin: Path


@contextmanager
def seeded_shop(customers: int) -> Iterator[BenchShop]:
    """Servers in a temporary home, migrated and seeded; gone afterwards."""
    with _home() as home:
        servers = EmbeddedServers(home / "servers")
        addresses = servers.start()
        try:
            asyncio.run(_fill(addresses.database_url, customers))
            yield BenchShop(addresses.database_url, addresses.redis_url, servers.postgres_bin)
        finally:
            servers.stop()


def fast_arguments(description: str, customers: int) -> argparse.ArgumentParser:
    """The command line of a benchmark on the fast seed's base: what `fast_shop` reads."""
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("customers", nargs="?", type=int, default=customers)
    arguments.add_argument("--keep", type=Path, help="a folder that the base stays in for the next run")
    arguments.add_argument("--database", help="the address of a base that `regulars seed --fast` has filled")
    return arguments


@contextmanager
def fast_shop(asked: argparse.Namespace) -> Iterator[BenchShop]:
    """A shop of the fast seed in the folder that is kept, or in a temporary one; or the base that is named."""
    with _home(asked.keep) as home:
        servers = EmbeddedServers(home / "servers")
        addresses = servers.start()
        try:
            finished = home / "seeded"
            if asked.database is None and not finished.exists():
                asyncio.run(_fill_fast(addresses.database_url, asked.customers))
                finished.touch()
            yield BenchShop(asked.database or addresses.database_url, addresses.redis_url, servers.postgres_bin)
        finally:
            servers.stop()


@contextmanager
def web_process(shop: BenchShop, port: int = PORT) -> Iterator[tuple[str, int]]:
    """The panel as a process of its own: its address and pid."""
    environment = {
        **os.environ,
        "DATABASE_URL": shop.database_url,
        "REDIS_URL": shop.redis_url,
        "REGULARS_SECRET_KEY": SECRET_KEY,
        "REGULARS_PORT": str(port),
        # One key sends all of them here; a till of a shop sends one in a few seconds.
        "REGULARS_API_RATE": "65535",
    }
    command = [str(Path(sys.executable).with_name("regulars")), "run", "web"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(f"http://127.0.0.1:{port}/health/ready", process)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far. Source: proc(5), stat."""
    values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _home(kept: Path | None = None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as home:
        Path(home).chmod(0o711)
        yield Path(home)


async def _fill_fast(url: str, customers: int) -> None:
    await db.open_database(url)
    await db.migrate()
    await seed_fast(customers, now=system_now(), report=lambda words: print(f"  {words}", flush=True))
    await db.close_database()


async def _fill(url: str, customers: int) -> None:
    await db.open_database(url)
    await db.migrate()
    await seed(customers, now=system_now(), report=lambda _: None)
    await db.execute("UPDATE location SET burns_without_code = true")
    await db.execute("VACUUM ANALYZE")
    await db.close_database()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = perf_counter() + 60
    while perf_counter() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            if process.poll() is not None:
                break
            sleep(0.1)
    raise SystemExit("the server did not come up")
