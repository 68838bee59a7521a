"""Bringing in a file at size: `python -m tests.bench.imports [lines] [customers there]`, a hundred thousand into ten.

From the press of each button to the end of the last lines, by one worker: reading, the dry run, the run, the same file
again, the undo. Beside each the lines a second, and the most memory that this process has had; the process that reads
has its own limit.
"""

import asyncio
import io
import resource
import sys
import tempfile
from collections.abc import Awaitable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import xlsxwriter

from loyalty import db
from loyalty.office.actions.import_work import work_due
from loyalty.office.actions.imports import check, keep_file, start, undo
from loyalty.office.importing import Kind, Options, settings_from
from loyalty.staff.actions import accept_invitation, invite
from loyalty.staff.rules import COMMAND, Actor, Role
from regulars.embedded import EmbeddedServers
from regulars.seed.fast import seed_fast

NOW = datetime.now(UTC)
HEAD = (
    "Name", "Phone", "E-mail", "Birthday", "Gender", "Category", "Segment", "Balance", "Earned on", "Expires on",
    "Note",
)  # fmt: skip
NAMES = ("Anna Belova", "Boris Petrov", "Мария Соколова", "Олег Котов", "Vera Ivanova")


def line(number: int) -> tuple[str, ...]:
    """Somebody new, with a category or two, a segment and an opening balance."""
    return (
        NAMES[number % len(NAMES)],
        f"+7900{number:07d}",
        f"p{number}@example.com",
        f"{number % 28 + 1:02d}.{number % 12 + 1:02d}.{1950 + number % 50}",
        "fm"[number % 2],
        ("VIP", "Office", "VIP, Office", "")[number % 4],
        ("Tea", "Coffee", "")[number % 3],
        str(number % 50 * 10),
        "15.01.2026",
        "31.12.2030",
        "Likes tea" if number % 20 == 0 else "",
    )


def workbook(lines: int) -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"constant_memory": True})
    sheet = book.add_worksheet()
    for number, row in enumerate([HEAD, *(line(one) for one in range(lines))]):
        sheet.write_row(number, 0, row)
    book.close()
    return target.getvalue()


def megabytes(who: int) -> int:
    return resource.getrusage(who).ru_maxrss // 1024


async def timed(words: str, lines: int, step: Awaitable[object]) -> None:
    """One step and the work it asks for."""
    began = perf_counter()
    await step
    await work_due(now=NOW, seconds=3600)
    seconds = perf_counter() - began
    row = await db.fetch_row("SELECT state, added, changed, same, refused FROM file_import ORDER BY id DESC LIMIT 1")
    counts = " ".join(f"{value:>7,}" if isinstance(value, int) else f"{value:<9}" for value in (row or {}).values())
    memory = (megabytes(resource.RUSAGE_SELF), megabytes(resource.RUSAGE_CHILDREN))
    print(
        f"{words:<10} {counts} {seconds:8.1f} s {lines / seconds:9,.0f}/s {memory[0]:6} MB {memory[1]:6} MB", flush=True
    )


async def bring_in(body: bytes, key: str, lines: int, actor: Actor) -> int:
    """Reading and the dry run."""
    kept = asyncio.ensure_future(keep_file(Kind.CUSTOMERS, "bench.xlsx", body, key=key, actor=actor, now=NOW))
    await timed("read", lines, kept)
    known = settings_from(
        db.from_json(await db.fetch_value("SELECT settings FROM file_import ORDER BY id DESC LIMIT 1"))
    )
    assert "opening" in known.mapping, known.mapping
    options = Options(date_order=known.options.date_order, make_missing=True)
    await timed("dry run", lines, check(kept.result(), known.mapping, options, actor=actor, now=NOW))
    return kept.result()


async def measure(url: str, lines: int, customers: int) -> None:
    await db.open_database(f"{url}?command_timeout=900")
    await db.migrate()
    await seed_fast(customers, now=NOW, report=lambda _: None)
    token = await invite("bench@example.com", "Bench", Role.OWNER, None, actor=COMMAND, now=NOW)
    actor = (await accept_invitation(token, "a long enough word", now=NOW)).actor
    body = workbook(lines)
    print(f"{lines:,} lines, {len(body) / 2**20:.1f} MB; this process {megabytes(resource.RUSAGE_SELF)} MB before")
    import_id = await bring_in(body, "first", lines, actor)
    await timed("run", lines, start(import_id, actor=actor, now=NOW))
    await bring_in(body, "again", lines, actor)
    await timed("undo", lines, undo(import_id, actor=actor, now=NOW))
    await db.close_database()


def main() -> None:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    customers = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as home:
        Path(home).chmod(0o711)
        servers = EmbeddedServers(Path(home) / "servers")
        addresses = servers.start()
        try:
            asyncio.run(measure(addresses.database_url, lines, customers))
        finally:
            servers.stop()


if __name__ == "__main__":
    main()
