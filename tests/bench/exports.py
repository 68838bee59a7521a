"""Files of customers at size: `python -m tests.bench.exports [customers]`, a hundred thousand by default.

From the worker's first look at what waits until the file is whole in the base: how fast, how large, and how much memory
our process and the one that writes took at most. The limit is the writer alone: rows of the same base from memory into
a file. The base is the fast seed's.
"""

import argparse
import asyncio
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

from loyalty import db
from loyalty.office.actions.export_work import make_due
from loyalty.office.actions.exports import Wish, ask_export
from loyalty.office.exporting import CELLS, ROWS_AT_ONCE, FileFormat, FileWords, Sheet
from loyalty.office.queries.exports import export
from loyalty.office.writing import FOLDER, WRITERS, own_folder
from loyalty.segments.queries.base import Look, base_page
from loyalty.staff.rules import COMMAND
from regulars.embedded import EmbeddedServers
from regulars.seed.fast import seed_fast

NOW = datetime.now(UTC)
SHOWN = ("name", "phone", "messengers", "categories", "tier", "visits", "sold", "balance", "last_visit")
WORDS = FileWords("Client base", {}, {}, "")
OWED = 0.3
"""Of the writer's own pace."""
OWED_MIB = 200
MIB = 2**20


@dataclass
class Peaks:
    """Bytes at most: of this process, of the one that writes, and of what that one keeps on the disk meanwhile."""

    own: int = 0
    writer: int = 0
    disk: int = 0


@contextmanager
def watched() -> Iterator[Peaks]:
    """Look at memory and disk five times a second. Source: proc(5), status."""
    peaks, over = Peaks(), Event()
    Path("/proc/self/clear_refs").write_text("5")

    def look() -> None:
        while not over.wait(0.2):
            peaks.own = max(peaks.own, _peak(os.getpid()))
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    if b"loyalty.office.writing" in (process / "cmdline").read_bytes():
                        peaks.writer = max(peaks.writer, _peak(int(process.name)))
            with suppress(OSError):
                files = Path(tempfile.gettempdir()).glob(f"{FOLDER}*/*")
                peaks.disk = max(peaks.disk, sum(file.stat().st_size for file in files))

    thread = Thread(target=look)
    thread.start()
    try:
        yield peaks
    finally:
        over.set()
        thread.join()


def _peak(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


async def limit(format_: FileFormat, columns: tuple[str, ...], customers: int) -> float:
    """Rows a second of the writer alone."""
    rows = (await base_page(Look(), columns=columns, now=NOW, rows=ROWS_AT_ONCE)).rows
    sheet = Sheet(format_, columns, WORDS, {0: "Base"}, True, "en", "Europe/Moscow", 2)
    with own_folder() as folder:
        began = time.perf_counter()
        writer = WRITERS[format_](sheet, folder / "file")
        for _ in range(max(1, customers // len(rows))):
            writer.add(rows)
        writer.close()
        return customers / (time.perf_counter() - began)


async def measure(words: str, format_: FileFormat, columns: tuple[str, ...], customers: int) -> bool:
    """One file; whether it was as quick and small as it has to be."""
    alone = await limit(format_, columns, customers)
    wish = Wish(Look(), None, {}, format_, columns, WORDS, shows_phones=True, language="en", email="")
    export_id = await ask_export(wish, key=words, actor=COMMAND, now=NOW)
    with watched() as peaks:
        began = time.perf_counter()
        await make_due(now=NOW)
        seconds = time.perf_counter() - began
    view = await export(export_id)
    pace = view.rows / seconds
    print(
        f"{words:<14} {view.rows:>9,} {seconds:>8.1f} {pace:>9,.0f} {alone:>9,.0f} {pace / alone:>6.2f}"
        f" {view.size / MIB:>7.1f} {peaks.own / MIB:>6.0f} {peaks.writer / MIB:>6.0f} {peaks.disk / MIB:>7.0f}",
        flush=True,
    )
    await db.execute("DELETE FROM file_export_piece")
    return pace >= OWED * alone and max(peaks.own, peaks.writer) < OWED_MIB * MIB


async def _fill(url: str, customers: int) -> None:
    await db.open_database(f"{url}?command_timeout=900")
    await db.migrate()
    await seed_fast(customers, now=NOW, report=lambda _: None)
    await db.close_database()


def fill(url: str, customers: int) -> None:
    """In a process of its own, whose memory is not weighed."""
    asyncio.run(_fill(url, customers))


async def run(url: str, customers: int) -> bool:
    await db.open_database(url)
    head = ("rows", "seconds", "rows/s", "limit", "ratio", "MiB", "own", "writer", "disk")
    widths = (9, 8, 9, 9, 6, 7, 6, 6, 7)
    print(f"{'':<14}", *(f"{name:>{width}}" for name, width in zip(head, widths, strict=True)))
    done = [
        await measure("xlsx, 9 of 35", FileFormat.XLSX, SHOWN, customers),
        await measure("xlsx, all 35", FileFormat.XLSX, tuple(CELLS), customers),
        await measure("csv, 9 of 35", FileFormat.CSV, SHOWN, customers),
    ]
    await db.close_database()
    return all(done)


def main() -> None:
    arguments = argparse.ArgumentParser(description="Files of customers at size.")
    arguments.add_argument("customers", nargs="?", type=int, default=100_000)
    customers = arguments.parse_args().customers
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as home:
        Path(home).chmod(0o711)
        servers = EmbeddedServers(Path(home) / "servers")
        addresses = servers.start()
        try:
            filling = multiprocessing.get_context("spawn").Process(
                target=fill, args=(addresses.database_url, customers)
            )
            filling.start()
            filling.join()
            is_owed_met = asyncio.run(run(addresses.database_url, customers))
        finally:
            servers.stop()
    print(f"owed: {OWED} of the limit, {OWED_MIB} MiB: {'met' if is_owed_met else 'MISSED'}")


if __name__ == "__main__":
    main()
