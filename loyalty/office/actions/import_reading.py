"""Having a file read by a process of its own, and keeping its lines: all of them, or none."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.office.importing import Kind, Options, Settings
from loyalty.office.importing.columns import HEADER_WITHIN, Columns, guess, header_of, order_of
from loyalty.office.importing.reading import FRAME, UNPACKED_BYTES, Row, Unreadable

SECONDS = 180
"""So long a file may take."""
EXIT_SECONDS = 5
MODULE = "loyalty.office.importing.reading"
SLICE = 4 * 2**20
FRAME_AT_MOST = 16 * 2**20
PASSED_ON = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "SYSTEMROOT", "TMPDIR")
"""What the process may know of ours: no address of the base, no secret."""

PART = "SELECT substring(body FROM $2::int FOR $3::int) AS part FROM file_import WHERE id = $1"
# Whoever forgot the file meanwhile has changed its state.
READ = """
UPDATE file_import SET state = 'mapping', body = NULL, settings = $2::jsonb, total = $3, place = $4
WHERE id = $1 AND state = 'reading' RETURNING id
"""
FAILED = """
UPDATE file_import SET state = 'failed', body = NULL, failure = $2, failure_details = $3::jsonb, finished_at = $4
WHERE id = $1 AND state = 'reading'
"""


class _ForgottenError(Exception):
    """The file is not there any more."""


async def read_file(import_id: int, kind: Kind, *, now: datetime) -> None:
    """Read a file that was sent: its lines are kept, or why there are none. Joins a transaction that holds the import.

    Memory stays flat: the file goes to the process a piece at a time, the lines come back a batch at a time.
    """
    try:
        async with asyncio.timeout(SECONDS), db.transaction():
            await _keep_lines(import_id, kind)
    except Unreadable as refused:
        details = db.to_json(refused.details) if refused.details else None
        await db.execute(FAILED, import_id, refused.reason, details, now)
    except TimeoutError:
        await db.execute(FAILED, import_id, "file_takes_too_long", None, now)
    except _ForgottenError:
        return


async def _keep_lines(import_id: int, kind: Kind) -> None:
    columns, first, total = Columns(), list[Row](), 0
    header, names = 0, tuple[str, ...]()
    read_as: dict[str, Any] = {}
    async with aclosing(_batches(import_id, read_as)) as batches:
        async for batch in batches:
            if not first:
                first = batch[:HEADER_WITHIN]
                header, names = header_of(first, kind)
            records = [(import_id, number, db.to_json(cells)) for number, cells in batch]
            await db.copy_rows("file_import_row", ["import_id", "number", "cells"], records)
            for number, cells in batch:
                if number > header:
                    columns.look_at(cells)
                    total += 1
            # Others want their turn between two batches.
            await asyncio.sleep(0)
    if not total:
        raise Unreadable("file_is_empty")
    settings = Settings(
        read_as=read_as,
        header=header,
        columns=names + ("",) * (len(columns.all) - len(names)),
        mapping=guess(names, columns.all, kind),
        options=Options(date_order=order_of(columns.all)),
    )
    if await db.fetch_value(READ, import_id, db.to_json(settings.to_body()), total, header) is None:
        raise _ForgottenError


async def _batches(import_id: int, read_as: dict[str, Any]) -> AsyncGenerator[list[Row], None]:
    """The lines of a file by batches; read_as is filled in the end. Raises Unreadable."""
    last: dict[str, Any] | None = None
    async with _reader(import_id) as reader:
        while (frame := await _frame(reader)) is not None:
            if isinstance(frame, list):
                yield [(number, cells) for number, cells in frame]
            else:
                last = frame
    if last is None:
        # It met its limits, or what reads it did not survive it.
        raise Unreadable("file_is_too_large_inside", limit=UNPACKED_BYTES // 2**20)
    if "refused" in last:
        raise Unreadable(last["refused"], **last["details"])
    read_as.update(last["read_as"])


@asynccontextmanager
async def _reader(import_id: int) -> AsyncIterator[asyncio.StreamReader]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        MODULE,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
    )
    assert process.stdin is not None, "it was asked for"
    assert process.stdout is not None, "it was asked for"
    try:
        # It says nothing before it has all of the file.
        with suppress(BrokenPipeError, ConnectionResetError):
            await _pass_on(import_id, process.stdin)
        yield process.stdout
    finally:
        # What has said all is on its way out by itself; anything else is not asked.
        if process.returncode is None and not process.stdout.at_eof():
            process.kill()
        try:
            await asyncio.wait_for(process.wait(), EXIT_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _pass_on(import_id: int, pipe: asyncio.StreamWriter) -> None:
    place = 1
    while part := await db.fetch_value(PART, import_id, place, SLICE):
        pipe.write(part)
        await pipe.drain()
        place += len(part)
    pipe.close()
    await pipe.wait_closed()


async def _frame(reader: asyncio.StreamReader) -> Any:
    """The next thing that the process says; None when it has ended."""
    try:
        (size,) = FRAME.unpack(await reader.readexactly(FRAME.size))
        if size > FRAME_AT_MOST:
            return None
        return json.loads(await reader.readexactly(size))
    except asyncio.IncompleteReadError:
        return None
