"""Files that were brought in as they stand, and what became, or would become, of each line."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.errors import NotFound
from loyalty.office.importing import OVER, WORKING, ImportState, Kind, RowState, Settings, settings_from

PAGE_ROWS = 50
SAMPLE = 5
AT_ONCE = 2_000
BEFORE_A_RUN = frozenset({ImportState.CHECKING, ImportState.CHECKED})
"""In these the counts and the outcomes are what is expected."""


@dataclass(frozen=True, slots=True)
class ImportView:
    """A file. failure: why it could not be read, as a code with numbers.

    total: its lines; the counts: what became of those it has been through, or is expected to. read_until: when its
    lines are forgotten.
    """

    id: int
    kind: Kind
    file_name: str
    size: int
    state: ImportState
    settings: Settings
    failure: str | None
    failure_details: Mapping[str, Any]
    total: int
    added: int
    changed: int
    same: int
    refused: int
    staff_name: str | None
    created_at: datetime
    resumed_at: datetime
    resumed_from: int
    finished_at: datetime | None
    undone_at: datetime | None
    undone_by_name: str | None
    read_until: datetime | None

    @property
    def worked(self) -> int:
        """How many lines it has been through."""
        return self.added + self.changed + self.same + self.refused

    @property
    def is_working(self) -> bool:
        """Whether somebody goes on with it by themselves."""
        return self.state in WORKING

    @property
    def can_start(self) -> bool:
        """Whether there is anything to do after the dry run."""
        return self.state is ImportState.CHECKED and self.added + self.changed > 0

    def can_undo(self, now: datetime) -> bool:
        """Whether something of it can be taken back."""
        is_known = self.read_until is not None and now < self.read_until
        return self.state in OVER and self.added + self.changed > 0 and is_known

    def pace(self, now: datetime) -> float:
        """Lines a second since it began or went on; 0 while nobody knows."""
        seconds = (now - self.resumed_at).total_seconds()
        return max(0, self.worked - self.resumed_from) / seconds if seconds > 0 else 0.0

    def seconds_left(self, now: datetime) -> int | None:
        """How long it goes on at this pace; None while nobody knows."""
        pace = self.pace(now)
        return round((self.total - self.worked) / pace) if pace and self.state is ImportState.RUNNING else None


@dataclass(frozen=True, slots=True)
class ImportLine:
    """A line of a file. cells: as they were read, or nothing once they are forgotten. field: which of them is meant."""

    number: int
    cells: Sequence[str]
    state: RowState
    reason: str | None
    field: str | None
    details: Mapping[str, Any]
    customer_id: int | None


IMPORTS = """
SELECT i.id, i.kind, i.file_name, i.size, i.state, i.settings, i.failure, i.failure_details, i.total, i.added,
    i.changed, i.same, i.refused, p.name AS staff_name, i.created_at, i.resumed_at, i.resumed_from, i.finished_at,
    i.undone_at, u.name AS undone_by_name, i.read_until
FROM file_import i LEFT JOIN staff_member p ON p.id = i.staff_id LEFT JOIN staff_member u ON u.id = i.undone_by_id
"""
# Both by the primary key.
ONE = f"{IMPORTS} WHERE i.id = $1"
PAGE = f"{IMPORTS} WHERE $1::int IS NULL OR i.id < $1 ORDER BY i.id DESC LIMIT $2"
# By the primary key, behind the line that names the columns.
LINES = """
SELECT number, cells, {outcome} AS state, reason, field, details, customer_id FROM file_import_row
WHERE import_id = $1 AND number > $2 AND ($3::text IS NULL OR {outcome} = $3) ORDER BY number LIMIT $4
"""
REASONS = """
SELECT reason, field, count(*) AS lines FROM file_import_row
WHERE import_id = $1 AND reason IS NOT NULL GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 20
"""
OUTCOMES = """
SELECT {outcome} AS state, count(*) AS lines FROM file_import_row WHERE import_id = $1 AND number > $2 GROUP BY 1
"""


async def file_import(import_id: int) -> ImportView:
    """One file. Raises NotFound("file_import")."""
    row = await db.fetch_row(ONE, import_id)
    if row is None:
        raise NotFound("file_import")
    return _view(row)


async def file_imports(*, before_id: int | None = None) -> tuple[list[ImportView], int | None]:
    """Files, the newest first, PAGE_ROWS at most, and where the next page begins."""
    rows = await db.fetch(PAGE, before_id, PAGE_ROWS + 1)
    found = [_view(row) for row in rows[:PAGE_ROWS]]
    return found, found[-1].id if len(rows) > PAGE_ROWS else None


async def sample(view: ImportView) -> list[ImportLine]:
    """The first lines of a file."""
    rows = await db.fetch(_lines(view), view.id, view.settings.header, None, SAMPLE)
    return [_line(row) for row in rows]


async def import_lines(
    view: ImportView, *, state: RowState | None = None, after: int = 0
) -> tuple[list[ImportLine], int | None]:
    """Lines by their numbers, PAGE_ROWS at most, and where the next page begins."""
    place = max(after, view.settings.header)
    rows = await db.fetch(_lines(view), view.id, place, state.value if state else None, PAGE_ROWS + 1)
    found = [_line(row) for row in rows[:PAGE_ROWS]]
    return found, found[-1].number if len(rows) > PAGE_ROWS else None


async def refused_lines(view: ImportView) -> AsyncIterator[ImportLine]:
    """All lines that were left out, some at a time."""
    place = view.settings.header
    while rows := await db.fetch(_lines(view), view.id, place, RowState.REFUSED.value, AT_ONCE):
        for row in rows:
            yield _line(row)
        place = rows[-1]["number"]


async def import_outcomes(view: ImportView) -> dict[RowState, int]:
    """How many lines came to what, or are expected to."""
    rows = await db.fetch(OUTCOMES.format(outcome=_outcome(view)), view.id, view.settings.header)
    return {RowState(row["state"]): row["lines"] for row in rows}


async def import_reasons(view: ImportView) -> list[tuple[str, str | None, int]]:
    """(reason, field, lines) of what was left out, or stays as it is; the most first."""
    return [(row["reason"], row["field"], row["lines"]) for row in await db.fetch(REASONS, view.id)]


def _outcome(view: ImportView) -> str:
    return "coalesce(expected, 'waiting')" if view.state in BEFORE_A_RUN else "state"


def _lines(view: ImportView) -> str:
    return LINES.format(outcome=_outcome(view))


def _line(row: db.Row) -> ImportLine:
    known = {
        "cells": db.from_json(row["cells"]),
        "details": db.from_json(row["details"]) or {},
        "state": RowState(row["state"]),
    }
    return ImportLine(**(row | known))


def _view(row: db.Row) -> ImportView:
    known = {
        "kind": Kind(row["kind"]),
        "state": ImportState(row["state"]),
        "settings": settings_from(db.from_json(row["settings"])),
        "failure_details": db.from_json(row["failure_details"]) or {},
    }
    return ImportView(**(row | known))
