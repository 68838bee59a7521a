"""Going on with imports: some lines in a transaction, and where it stands in the same one.

Whoever works on an import holds its lock until the transaction ends; whoever pauses, cancels or undoes it waits for
that. A worker that dies has done nothing of its last lines: the next one takes them.
"""

import time
from datetime import datetime

from loyalty import db
from loyalty.office.actions import import_bookings
from loyalty.office.actions.import_checking import check_some
from loyalty.office.actions.import_people import run_some
from loyalty.office.actions.import_reading import read_file
from loyalty.office.actions.import_task import Task, hold_import, task_of
from loyalty.office.actions.import_undoing import undo_some
from loyalty.office.importing import KEPT_FOR, WORKING, ImportState, Kind
from loyalty.staff.actions import write_journal

WORK_SECONDS = 4.0
"""So long a worker goes on at a time; those who end a process wait for it."""
# Of some hundred rows.
DUE = "SELECT id FROM file_import WHERE state = ANY($1::text[]) ORDER BY id"
FINISH = """
UPDATE file_import SET state = 'done', finished_at = $2, read_until = $3 WHERE id = $1 AND state = 'running'
RETURNING added, changed, same, refused
"""
UNDONE = "UPDATE file_import SET state = 'undone' WHERE id = $1 AND state = 'undoing'"
LEFT = "SELECT count(*) FROM file_import_row WHERE import_id = $1 AND state IN ('added', 'changed')"
# Words that nobody needs any more: what was read of a file, what was there before, and files that nobody went on with.
FORGET = """
WITH late AS (
    SELECT id FROM file_import WHERE read_until <= $1 AND state NOT IN ('running', 'undoing', 'checking', 'reading')
    ORDER BY id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
), emptied AS (
    UPDATE file_import_row r SET cells = '[]', details = NULL, before = NULL FROM late WHERE r.import_id = late.id
)
UPDATE file_import i SET read_until = NULL, body = NULL,
    state = CASE WHEN state IN ('mapping', 'checked', 'paused') THEN 'cancelled' ELSE state END
FROM late WHERE i.id = late.id RETURNING i.id
"""


async def work_due(*, now: datetime, seconds: float = WORK_SECONDS) -> int:
    """Go on with every import that is under way, by turns, for some seconds; returns how many lines were done."""
    until, worked = time.monotonic() + seconds, 0
    while due := [row["id"] for row in await db.fetch(DUE, sorted(state.value for state in WORKING))]:
        step = 0
        for import_id in due:
            step += await work(import_id, now=now)
            if time.monotonic() >= until:
                return worked + step
        if not step:
            break
        worked += step
    return worked


@db.use_case
async def work(import_id: int, *, patiently: bool = False, now: datetime) -> int:
    """Do the next part of an import; returns how many lines. 0: it waits for a person, is over, or is worked on.

    patiently: wait for whoever else works on it.
    """
    if not await hold_import(import_id, patiently=patiently):
        return 0
    task = await task_of(import_id, now=now)
    if task is None or task.state not in WORKING:
        return 0
    match task.state:
        case ImportState.READING:
            await read_file(task.id, task.kind, now=now)
            return 1
        case ImportState.CHECKING:
            return await (check_some(task) if _is_of_people(task) else import_bookings.check_some(task))
        case ImportState.RUNNING:
            done = await (run_some(task) if _is_of_people(task) else import_bookings.run_some(task))
            return done or await _finish(task)
        case _:
            done = await (undo_some(task) if _is_of_people(task) else import_bookings.undo_some(task))
            return done or await _finish_undo(task)


async def forget_due(*, now: datetime, limit: int = 20) -> int:
    """Empty the lines of imports whose time is over; returns of how many imports. Safe twice."""
    return len(await db.fetch(FORGET, now, limit))


def _is_of_people(task: Task) -> bool:
    return task.kind is Kind.CUSTOMERS


async def _finish(task: Task) -> int:
    counts = await db.fetch_row(FINISH, task.id, task.now, task.now + KEPT_FOR)
    assert counts is not None, "whoever works on an import holds it"
    await write_journal(
        task.actor, "file_import.finished", subject_kind="file_import", subject_id=task.id, now=task.now, **counts
    )
    return 0


async def _finish_undo(task: Task) -> int:
    await db.execute(UNDONE, task.id)
    left = await db.fetch_value(LEFT, task.id)
    await write_journal(
        task.actor, "file_import.undone", subject_kind="file_import", subject_id=task.id, now=task.now, left=left
    )
    return 0
