"""Making the files of customers that were asked for: one at a time, read in one moment, written by another process.

Whoever makes a file holds its lock. Nothing of it is kept before it is whole, so a worker that dies leaves a file that
the next one begins anew.
"""

import asyncio
import pickle
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from loyalty import db
from loyalty.customers.rules import parse_search
from loyalty.office.actions.exports import ERASING_LOCK
from loyalty.office.exporting import (
    ATTEMPTS,
    KEPT_FOR,
    NOT_MADE,
    PIECE_BYTES,
    ROWS_AT_ONCE,
    FileFormat,
    FileWords,
    Sheet,
    link_mark,
)
from loyalty.office.letters import FileIsReady
from loyalty.segments.filters import checked
from loyalty.segments.queries.base import DEFAULT_ORDER, Look
from loyalty.segments.queries.columns import COLUMNS
from loyalty.segments.queries.whole import whole_base
from loyalty.segments.rules.trees import tree_from
from loyalty.shop.queries import programme_at, shop
from loyalty.staff.actions import write_journal
from loyalty.staff.letters import queue_letter
from loyalty.staff.rules import JOB

LOCK_SPACE = 0x4558_504F  # "EXPO"
TOLD_EVERY_SECONDS = 1.0

# Index: file_export_waiting.
DUE = "SELECT id FROM file_export WHERE state IN ('queued', 'running') ORDER BY id"
CLAIM = """
UPDATE file_export SET state = 'running', rows = 0, attempts = attempts + 1
WHERE id = $1 AND state IN ('queued', 'running') AND attempts < $2
RETURNING id, look, chosen, format, columns, words, location_ids, shows_phones, language, email, staff_id, created_at
"""
GIVE_UP = """
UPDATE file_export SET state = 'failed', failure = $3, finished_at = $4
WHERE id = $1 AND state IN ('queued', 'running') AND attempts >= $2 RETURNING id
"""
PROGRESS = "UPDATE file_export SET rows = $2 WHERE id = $1 AND state = 'running' RETURNING id"
HOLD = "SELECT id FROM file_export WHERE id = $1 AND state = 'running' FOR NO KEY UPDATE"
PIECE = "INSERT INTO file_export_piece (export_id, number, body) VALUES ($1, $2, $3)"
DONE = """
UPDATE file_export SET state = 'done', rows = $2, size = $3, finished_at = $4::timestamptz, expires_at = $5::timestamptz
WHERE id = $1
"""


class NotWritten(Exception):
    """The process that writes the file has ended before its time."""


@dataclass(frozen=True, slots=True)
class Making:
    """A file to make: whom, as what, for whom. began: when, by this process's own clock."""

    id: int
    look: Look
    chosen: tuple[int, ...] | None
    sheet: Sheet
    email: str
    staff_id: int | None
    asked_at: datetime
    now: datetime
    began: float

    @property
    def time(self) -> datetime:
        """Now: it takes minutes."""
        return self.now + timedelta(seconds=time.monotonic() - self.began)


async def make_due(*, now: datetime) -> int:
    """Make the oldest file that waits and that nobody makes; returns how many were made, one or none."""
    for row in await db.fetch(DUE):
        async with db.alone(LOCK_SPACE, row["id"]) as is_ours:
            if is_ours and await _make(row["id"], now):
                return 1
    return 0


async def _make(export_id: int, now: datetime) -> bool:
    row = await _claim(export_id, now)
    if row is None:
        return False
    making = await _making(row, now)
    async with _writer() as writer:
        rows = await _hand_over(making, writer)
        if rows is None:
            return False
        assert writer.stdout is not None
        # The file is made whole before its first byte comes, which takes as long as it takes.
        first = await _piece(writer.stdout)
        return await _keep(making, rows, first, writer)


@db.use_case
async def _claim(export_id: int, now: datetime) -> db.Row | None:
    """Begin a file; None when it is over, or was begun too often. What is read for it is read after this.

    An erasure under way is waited for: one that begins later finds the file, and ends it.
    """
    await db.execute("SELECT pg_advisory_xact_lock_shared($1)", ERASING_LOCK)
    row = await db.fetch_row(CLAIM, export_id, ATTEMPTS)
    if row is None and await db.fetch_value(GIVE_UP, export_id, ATTEMPTS, NOT_MADE, now) is not None:
        await write_journal(JOB, "export.failed", subject_kind="export", subject_id=export_id, now=now)
    return row


async def _making(row: db.Row, now: datetime) -> Making:
    house, asked_at = await shop(), row["created_at"]
    said, chosen, places = (db.from_json(row[name]) for name in ("look", "chosen", "location_ids"))
    key = said.get("sort", "")
    look = Look(
        search=parse_search(said.get("q", ""), house.region),
        tree=checked(tree_from(said.get("f", ""))),
        order=key if key in COLUMNS and COLUMNS[key].order else DEFAULT_ORDER,
        descending=said.get("dir") != "asc",
        by_phone=row["shows_phones"],
        locations=None if places is None else tuple(places),
    )
    sheet = Sheet(
        format=FileFormat(row["format"]),
        columns=tuple(db.from_json(row["columns"])),
        words=FileWords.from_body(db.from_json(row["words"])),
        tiers={tier.id: tier.name for tier in (await programme_at(now)).tiers},
        shows_phones=row["shows_phones"],
        language=row["language"],
        time_zone=house.time_zone,
        exponent=house.exponent,
    )
    whom = None if chosen is None else tuple(chosen)
    return Making(row["id"], look, whom, sheet, row["email"], row["staff_id"], asked_at, now, time.monotonic())


@asynccontextmanager
async def _writer() -> AsyncIterator[asyncio.subprocess.Process]:
    """The process that writes; it clears away what it wrote when it is told to end, or when nobody speaks to it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "loyalty.office.writing",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=PIECE_BYTES,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        # What it has said may stand in its way.
        await process.communicate()


async def _hand_over(making: Making, writer: asyncio.subprocess.Process) -> int | None:
    """Read the base and have it written; returns how many rows, or None when nobody wants the file any more."""
    rows, told_at = 0, time.monotonic()
    await _say(writer, making.sheet)
    # Periods mean what they meant when it was asked for.
    reading = whole_base(
        making.look, making.chosen, columns=making.sheet.columns, rows=ROWS_AT_ONCE, now=making.asked_at
    )
    async with aclosing(reading) as parts:
        async for part in parts:
            await _say(writer, part)
            rows += len(part)
            if time.monotonic() - told_at >= TOLD_EVERY_SECONDS:
                told_at = time.monotonic()
                if await db.fetch_value(PROGRESS, making.id, rows) is None:
                    return None
    await _say(writer, None)
    return rows


async def _say(writer: asyncio.subprocess.Process, what: object) -> None:
    assert writer.stdin is not None
    writer.stdin.write(pickle.dumps(what, protocol=pickle.HIGHEST_PROTOCOL))
    try:
        await writer.stdin.drain()
    except (BrokenPipeError, ConnectionResetError) as error:
        raise NotWritten from error


@db.use_case
async def _keep(making: Making, rows: int, first: bytes, writer: asyncio.subprocess.Process) -> bool:
    """Keep the file in pieces, and write to its asker, in one transaction; False when it was withdrawn meanwhile."""
    if await db.fetch_value(HOLD, making.id) is None:
        return False
    assert writer.stdout is not None
    piece, size, number = first, 0, 0
    while piece:
        await db.execute(PIECE, making.id, number, piece)
        size, number = size + len(piece), number + 1
        piece = await _piece(writer.stdout)
    if await writer.wait() or not size:
        raise NotWritten
    expires_at = making.time + KEPT_FOR
    await db.execute(DONE, making.id, rows, size, making.time, expires_at)
    if making.email and making.staff_id is not None:
        await _write_letter(making, making.staff_id, rows, expires_at)
    await write_journal(
        JOB, "export.made", subject_kind="export", subject_id=making.id, now=making.time, customers=rows, size=size
    )
    return True


async def _piece(source: asyncio.StreamReader) -> bytes:
    """The next piece, whole but for the last one; empty at the end."""
    try:
        return await source.readexactly(PIECE_BYTES)
    except asyncio.IncompleteReadError as end:
        return end.partial


async def _write_letter(making: Making, staff_id: int, rows: int, expires_at: datetime) -> None:
    phones = ("shown" if making.sheet.shows_phones else "masked") if "phone" in making.sheet.columns else ""
    letter = FileIsReady(
        language=making.sheet.language,
        found_by=making.sheet.words.found_by,
        rows=rows,
        phones=phones,
        link=link_mark(making.id, expires_at),
        until=expires_at,
        time_zone=making.sheet.time_zone,
    )
    await queue_letter(staff_id, key=f"export:{making.id}", subject=letter.subject, text=letter.text, now=making.time)
