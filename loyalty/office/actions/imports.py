"""Files that are brought in: keeping one, saying what its columns are, letting it be done, stopping it, taking it back.

Each use case is one transaction. What takes long is done by `import_work`, a part at a time.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from loyalty import db
from loyalty.customers.actions.categories import add_category
from loyalty.customers.labels import COLORS, CategoryDraft, next_color
from loyalty.customers.rules import clean_text
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.office.actions.import_task import Task, hold_import, task_of
from loyalty.office.actions.import_work import work
from loyalty.office.importing import (
    AT_ONCE,
    AT_ONCE_BYTES,
    FILE_BYTES,
    FILE_NAME_LENGTH,
    KEPT_FOR,
    OVER,
    ImportState,
    Kind,
    Options,
    Pass,
)
from loyalty.office.importing.columns import NEEDED, TARGETS
from loyalty.segments.actions.segments import add_segment
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

WAITING_AT_MOST = 20
NEEDS = {
    (Kind.CUSTOMERS, "phone"): "needs_a_key",
    (Kind.APPOINTMENTS, "phone"): "needs_a_phone",
    (Kind.APPOINTMENTS, "starts_at"): "needs_a_time",
}
"""Why a mapping will not do, by the first of those of which one must be there."""
KEEP = """
INSERT INTO file_import (key, kind, file_name, size, body, state, settings, total, added, changed, same, refused, place,
    staff_id, created_at, resumed_at, resumed_from, read_until)
VALUES ($1, $2, $3, $4, $5, 'reading', '{}', 0, 0, 0, 0, 0, 0, $6, $7::timestamptz, $7, 0, $8)
ON CONFLICT (key) DO NOTHING RETURNING id
"""
# Of some hundred rows.
READING = "SELECT count(*) FROM file_import WHERE state = 'reading'"
CHECK = """
UPDATE file_import SET state = 'checking', settings = $2::jsonb, place = $3, added = 0, changed = 0, same = 0,
    refused = 0, total = $5, resumed_at = $4, resumed_from = 0 WHERE id = $1
"""
BLANK = """
UPDATE file_import_row SET expected = NULL, reason = NULL, field = NULL, details = NULL, customer_id = NULL
WHERE import_id = $1
"""
LINES = "SELECT count(*) FROM file_import_row WHERE import_id = $1 AND number > $2"
START = """
UPDATE file_import SET state = 'running', place = $2, added = 0, changed = 0, same = 0, refused = 0, resumed_at = $3,
    resumed_from = 0 WHERE id = $1
"""
MOVE = """
UPDATE file_import SET state = $2::varchar,
    resumed_at = CASE WHEN $2::varchar = 'running' THEN $3::timestamptz ELSE resumed_at END,
    resumed_from = CASE WHEN $2::varchar = 'running' THEN added + changed + same + refused ELSE resumed_from END,
    finished_at = CASE WHEN $2::varchar = 'cancelled' THEN $3::timestamptz ELSE finished_at END,
    read_until = CASE WHEN $2::varchar = 'cancelled' THEN $4::timestamptz ELSE read_until END, body = NULL
WHERE id = $1
"""
UNDO = """
UPDATE file_import SET state = 'undoing', place = 2147483647, undone_at = $2::timestamptz, undone_by_id = $3,
    resumed_at = $2 WHERE id = $1
"""
USED_COLORS = "SELECT color FROM category WHERE archived_at IS NULL"


# What a dry run expected is nothing that an import has done.
NOTHING_DONE = "UPDATE file_import SET added = 0, changed = 0, same = 0, refused = 0 WHERE id = $1"
BEFORE_A_RUN = frozenset({ImportState.MAPPING, ImportState.CHECKING, ImportState.CHECKED})


@db.use_case
async def keep_file(kind: Kind, name: str, body: bytes, *, key: str, actor: Actor, now: datetime) -> int:
    """Keep a file that was sent; returns its import. It is read later. The same key keeps it once.

    Raises Invalid("file", "file_is_empty" | "file_too_large"), Refused("too_many_files_wait").
    """
    if not body:
        raise Invalid("file", "file_is_empty")
    if len(body) > FILE_BYTES:
        raise Invalid("file", "file_too_large", limit=FILE_BYTES // 2**20)
    shown = clean_text(name[-400:])[-FILE_NAME_LENGTH:] or "—"
    import_id: int | None = await db.fetch_value(
        KEEP, f"form:{key}", kind.value, shown, len(body), body, actor.staff_id, now, now + KEPT_FOR
    )
    if import_id is None:
        return int(await db.fetch_value("SELECT id FROM file_import WHERE key = $1", f"form:{key}"))
    if await db.fetch_value(READING) > WAITING_AT_MOST:
        raise Refused("too_many_files_wait", limit=WAITING_AT_MOST)
    await _note("file_import.sent", import_id, actor=actor, now=now, kind=kind.value, bytes=len(body))
    return import_id


@db.use_case
async def check(
    import_id: int, mapping: Sequence[str], options: Options, *, header: int | None = None, actor: Actor, now: datetime
) -> None:
    """Say what the columns are, and begin the dry run. Again after one: it begins anew.

    header: the number of the line that names them; 0 for none, None as it was found. Raises NotFound("file_import"),
    Refused("import_is_not_open"), Invalid("mapping-N", "unknown_choice" | "target_is_taken"),
    Invalid("mapping", "needs_a_key" | "needs_a_phone" | "needs_a_time") when something is missing.
    """
    task = await _held(import_id, now=now)
    if task.state not in {ImportState.MAPPING, ImportState.CHECKED, ImportState.CHECKING}:
        raise Refused("import_is_not_open")
    first = task.settings.header if header is None else header
    chosen = _checked(task.kind, mapping, len(task.settings.columns))
    settings = replace(task.settings, mapping=chosen, options=options, header=first, stage=Pass.PARSE, made={})
    await db.execute(BLANK, import_id)
    total = await db.fetch_value(LINES, import_id, first)
    await db.execute(CHECK, import_id, db.to_json(settings.to_body()), first, now, total)
    await _note("file_import.checked", import_id, actor=actor, now=now, lines=total)


@db.use_case
async def start(import_id: int, *, actor: Actor, now: datetime) -> None:
    """Let a file be done after its dry run; labels that it needs are made. Twice is once.

    Raises NotFound("file_import"), Refused("import_is_not_open" | "nothing_to_import"), and what making a label raises.
    """
    task = await _held(import_id, now=now)
    if task.state is ImportState.RUNNING:
        return
    if task.state is not ImportState.CHECKED:
        raise Refused("import_is_not_open")
    row = await db.fetch_row("SELECT added + changed AS work, total FROM file_import WHERE id = $1", import_id)
    assert row is not None, "it is held"
    if not row["work"]:
        raise Refused("nothing_to_import")
    await _make_labels(task, now)
    await db.execute(START, import_id, task.settings.header, now)
    await _note("file_import.started", import_id, actor=actor, now=now, kind=task.kind.value, lines=row["total"])


@db.use_case
async def pause(import_id: int, *, actor: Actor, now: datetime) -> None:
    """Let an import stand still; what it is doing this moment is done first. Twice is once.

    Raises NotFound("file_import"), Refused("import_is_over").
    """
    if await _moved(import_id, {ImportState.RUNNING}, ImportState.PAUSED, now):
        await _note("file_import.paused", import_id, actor=actor, now=now)


@db.use_case
async def resume(import_id: int, *, actor: Actor, now: datetime) -> None:
    """Let an import go on where it stood. Twice is once. Raises like `pause`."""
    if await _moved(import_id, {ImportState.PAUSED}, ImportState.RUNNING, now):
        await _note("file_import.resumed", import_id, actor=actor, now=now)


@db.use_case
async def cancel(import_id: int, *, actor: Actor, now: datetime) -> None:
    """End an import before it is through; what it has changed stays, and can be undone. Twice is once.

    Raises like `pause`.
    """
    if await _moved(import_id, BEFORE_A_RUN | {ImportState.RUNNING, ImportState.PAUSED}, ImportState.CANCELLED, now):
        await _note("file_import.cancelled", import_id, actor=actor, now=now)


@db.use_case
async def undo(import_id: int, *, actor: Actor, now: datetime) -> None:
    """Begin to take back what an import has changed, where nothing came of it since. Twice is once.

    Raises NotFound("file_import"), Refused("import_runs"), Refused("nothing_to_undo") when it changed nobody,
    Refused("import_undo_is_over", days=...) when what was there before is forgotten.
    """
    task = await _held(import_id, now=now)
    if task.state in {ImportState.UNDOING, ImportState.UNDONE}:
        return
    if task.state not in OVER:
        raise Refused("import_runs")
    row = await db.fetch_row("SELECT added + changed AS done, read_until FROM file_import WHERE id = $1", import_id)
    assert row is not None, "it is held"
    if row["read_until"] is None or row["read_until"] <= now:
        raise Refused("import_undo_is_over", days=KEPT_FOR.days)
    if not row["done"] or not await _has_changed(import_id):
        raise Refused("nothing_to_undo")
    await db.execute(UNDO, import_id, now, actor.staff_id)
    await _note("file_import.undo_started", import_id, actor=actor, now=now)


async def finish(import_id: int, *, now: datetime) -> None:
    """Do what is due of a small file now, beside the worker that may have taken it; a large one is left to workers."""
    row = await db.fetch_row("SELECT state, size, total FROM file_import WHERE id = $1", import_id)
    while row is not None:
        is_small = row["size"] <= AT_ONCE_BYTES if row["state"] == ImportState.READING else row["total"] <= AT_ONCE
        if not is_small or not await work(import_id, patiently=True, now=now):
            return
        row = await db.fetch_row("SELECT state, size, total FROM file_import WHERE id = $1", import_id)
        if row is not None and row["state"] == ImportState.MAPPING:
            return


def _checked(kind: Kind, mapping: Sequence[str], columns: int) -> tuple[str, ...]:
    """What each column is. Raises Invalid."""
    chosen = tuple(mapping)[:columns] + ("",) * (columns - len(mapping))
    for index, key in enumerate(chosen):
        if key and key not in TARGETS[kind]:
            raise Invalid(f"mapping-{index}", "unknown_choice")
        if key and key in chosen[:index]:
            raise Invalid(f"mapping-{index}", "target_is_taken")
    for group in NEEDED[kind]:
        if not set(group) & set(chosen):
            raise Invalid("mapping", NEEDS[kind, group[0]])
    return chosen


async def _make_labels(task: Task, now: datetime) -> None:
    used = [row["color"] for row in await db.fetch(USED_COLORS)]
    for name in task.settings.made.get("categories", ()):
        used.append(next_color(used) if used else COLORS[1])
        try:
            await add_category(CategoryDraft(name, used[-1]), actor=task.actor, now=now)
        except Invalid as error:
            if error.reason != "label_taken":
                raise
    for name in task.settings.made.get("segments", ()):
        try:
            await add_segment(SegmentDraft(name), actor=task.actor, now=now)
        except Invalid as error:
            if error.reason != "name_taken":
                raise


async def _has_changed(import_id: int) -> bool:
    return bool(
        await db.fetch_value(
            "SELECT EXISTS (SELECT FROM file_import_row WHERE import_id = $1 AND state IN ('added', 'changed'))",
            import_id,
        )
    )


async def _held(import_id: int, *, now: datetime) -> Task:
    """An import that nobody works on until the transaction ends."""
    await hold_import(import_id)
    task = await task_of(import_id, now=now)
    if task is None:
        raise NotFound("file_import")
    return task


async def _moved(
    import_id: int, from_: frozenset[ImportState] | set[ImportState], to: ImportState, now: datetime
) -> bool:
    """Bring an import into another state; False when it is in it already."""
    state = (await _held(import_id, now=now)).state
    if state is to:
        return False
    if state not in from_:
        raise Refused("import_is_over")
    await db.execute(MOVE, import_id, to.value, now, now + KEPT_FOR)
    if state in BEFORE_A_RUN:
        await db.execute(NOTHING_DONE, import_id)
    return True


async def _note(action: str, import_id: int, *, actor: Actor, now: datetime, **details: object) -> None:
    await write_journal(actor, action, subject_kind="file_import", subject_id=import_id, now=now, **details)
