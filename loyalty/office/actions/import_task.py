"""An import as those who work on it need it, and what they write down in the end of each transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.office.importing import ImportState, Kind, RowState, Settings, settings_from
from loyalty.staff.rules import Actor, ActorKind

LOCK_SPACE = 0x494D_504F  # "IMPO"
TRY_LOCK = "SELECT pg_try_advisory_xact_lock($1::int, $2::int)"
LOCK = "SELECT pg_advisory_xact_lock($1::int, $2::int)"
TASK = """
SELECT i.id, i.kind, i.state, i.settings, i.place, i.staff_id, p.phone, i.undone_by_id, u.phone AS undone_by_phone
FROM file_import i LEFT JOIN staff_member p ON p.id = i.staff_id LEFT JOIN staff_member u ON u.id = i.undone_by_id
WHERE i.id = $1
"""
# By the primary key.
NEXT = """
SELECT number, cells, expected, reason, field, details, customer_id FROM file_import_row
WHERE import_id = $1 AND number > $2 ORDER BY number LIMIT $3
"""
EXPECT = """
UPDATE file_import_row r SET expected = part.expected, reason = part.reason, field = part.field,
    details = part.details::jsonb, customer_id = part.customer_id
FROM unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])
    part (number, expected, reason, field, details, customer_id)
WHERE r.import_id = $1 AND r.number = part.number
"""
MARK = """
UPDATE file_import_row r SET state = part.state, reason = part.reason, field = part.field,
    details = part.details::jsonb, customer_id = part.customer_id, before = part.before::jsonb
FROM unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[])
    part (number, state, reason, field, details, customer_id, before)
WHERE r.import_id = $1 AND r.number = part.number
"""
COUNT = """
UPDATE file_import SET place = $2, added = added + $3, changed = changed + $4, same = same + $5, refused = refused + $6
WHERE id = $1
"""
KEEP = "UPDATE file_import SET settings = $2::jsonb, place = $3 WHERE id = $1"
ALL_SECONDS = 300
COUNTED = (RowState.ADDED, RowState.CHANGED, RowState.SAME, RowState.REFUSED)


@dataclass(frozen=True, slots=True)
class Task:
    """An import under way. actor: who does what is being done."""

    id: int
    kind: Kind
    state: ImportState
    settings: Settings
    place: int
    actor: Actor
    now: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file. details: what it says, once it was read, and whose first line is another one."""

    number: int
    cells: Sequence[str]
    expected: RowState | None
    reason: str | None
    field: str | None
    details: Mapping[str, Any]
    customer_id: int | None

    @property
    def head(self) -> int | None:
        """The number of the first line about the same person; None for that one itself."""
        head: int | None = self.details.get("head")
        return head


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became, or would become, of a line. before: what was there, for an undo."""

    number: int
    state: RowState | None
    reason: str | None = None
    field: str | None = None
    details: Mapping[str, Any] | None = None
    customer_id: int | None = None
    before: Mapping[str, Any] | None = None


async def fetch_all_of_it(sql: str, task: Task) -> None:
    """Run a statement over all lines of an import, by its id and the line that names the columns.

    The statistics know nothing yet of what was written a moment ago: with nested loops, which are chosen for a few
    lines, ten thousand would take seconds and a hundred thousand minutes.
    """
    await db.execute("SET LOCAL enable_nestloop = off")
    await db.fetch_patiently(ALL_SECONDS, sql, task.id, task.settings.header)
    await db.execute("SET LOCAL enable_nestloop = on")


async def hold_import(import_id: int, *, patiently: bool = True) -> bool:
    """Hold an import until the transaction ends: nobody works on it meanwhile. False: somebody else does."""
    held = await db.fetch_value(LOCK if patiently else TRY_LOCK, LOCK_SPACE, import_id)
    return patiently or bool(held)


async def task_of(import_id: int, *, now: datetime) -> Task | None:
    """An import that is held; None when there is none."""
    row = await db.fetch_row(TASK, import_id)
    if row is None:
        return None
    state = ImportState(row["state"])
    who = ("undone_by_id", "undone_by_phone") if state is ImportState.UNDOING else ("staff_id", "phone")
    actor = Actor(ActorKind.STAFF, row[who[0]], row[who[1]]) if row[who[0]] else Actor(ActorKind.COMMAND)
    settings = settings_from(db.from_json(row["settings"]))
    return Task(row["id"], Kind(row["kind"]), state, settings, row["place"], actor, now)


async def next_lines(task: Task, limit: int) -> list[Line]:
    """The next lines behind where it stands, by their numbers."""
    return [_line(row) for row in await db.fetch(NEXT, task.id, task.place, limit)]


async def expect(task: Task, outcomes: Sequence[Outcome]) -> None:
    """Keep what was read out of lines, or would become of them."""
    await db.execute(
        EXPECT,
        task.id,
        [one.number for one in outcomes],
        [one.state.value if one.state else None for one in outcomes],
        [one.reason for one in outcomes],
        [one.field for one in outcomes],
        [db.to_json(one.details) if one.details else None for one in outcomes],
        [one.customer_id for one in outcomes],
    )


async def mark(task: Task, outcomes: Sequence[Outcome]) -> None:
    """Keep what became of lines, in the transaction that did it."""
    await db.execute(
        MARK,
        task.id,
        [one.number for one in outcomes],
        [one.state.value if one.state else None for one in outcomes],
        [one.reason for one in outcomes],
        [one.field for one in outcomes],
        [db.to_json(one.details) if one.details else None for one in outcomes],
        [one.customer_id for one in outcomes],
        [db.to_json(one.before) if one.before else None for one in outcomes],
    )


async def count(task: Task, outcomes: Sequence[Outcome]) -> None:
    """Keep how far it is, and how many lines came to what."""
    numbers = [sum(one.state is state for one in outcomes) for state in COUNTED]
    await db.execute(COUNT, task.id, outcomes[-1].number, *numbers)


async def keep(task: Task, settings: Settings, place: int) -> None:
    """Keep where a dry run is."""
    await db.execute(KEEP, task.id, db.to_json(settings.to_body()), place)


def _line(row: db.Row) -> Line:
    return Line(
        row["number"],
        db.from_json(row["cells"]),
        RowState(row["expected"]) if row["expected"] else None,
        row["reason"],
        row["field"],
        db.from_json(row["details"]) or {},
        row["customer_id"],
    )
