"""Files of customers as they stand, who took them, and their pieces."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.errors import NotFound
from loyalty.office.exporting import UNDER_WAY, Contents, ExportState, FileFormat, FileWords, Taker
from loyalty.staff.queries import StaffView
from loyalty.staff.rules import Permission, may

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class ExportView:
    """A file. look: the search, the filter and the order. chosen: how many were ticked; None for all found.

    rows: written so far, or in it; size in bytes. failure: why there is none, as a code. letter: the state of the
    letter with its link; None where none was written. downloads: how often it was taken.
    """

    id: int
    look: Mapping[str, str]
    chosen: int | None
    format: FileFormat
    columns: tuple[str, ...]
    words: FileWords
    location_ids: tuple[int, ...] | None
    shows_phones: bool
    language: str
    email: str
    state: ExportState
    failure: str | None
    total: int
    rows: int
    size: int
    staff_id: int | None
    staff_name: str | None
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None
    letter: str | None
    downloads: int

    @property
    def is_under_way(self) -> bool:
        """Whether it is being made, or waits for that."""
        return self.state in UNDER_WAY

    @property
    def is_awaited(self) -> bool:
        """Whether something of it will soon be different: it is being made, or its letter is on its way."""
        return self.is_under_way or self.letter in {"queued", "leased"}

    def can_be_taken(self, now: datetime) -> bool:
        """Whether there is a file."""
        return self.state is ExportState.DONE and self.expires_at is not None and now < self.expires_at

    @property
    def has_phones(self) -> bool:
        """Whether phones stand in it as they are."""
        return self.shows_phones and "phone" in self.columns

    @property
    def contents(self) -> Contents:
        """What it shows, and whose it is."""
        return Contents(self.staff_id, self.has_phones, self.location_ids)


@dataclass(frozen=True, slots=True)
class Download:
    """One time that somebody took a file. staff_name None: whoever had the link."""

    export_id: int
    staff_name: str | None
    by_link: bool
    at: datetime


EXPORTS = """
SELECT e.id, e.look, jsonb_array_length(e.chosen) AS chosen, e.format, e.columns, e.words, e.location_ids,
    e.shows_phones, e.language, e.email, e.state, e.failure, e.total, e.rows, e.size, e.staff_id, p.name AS staff_name,
    e.created_at, e.finished_at, e.expires_at, l.state AS letter,
    (SELECT count(*) FROM file_download d WHERE d.export_id = e.id) AS downloads
FROM file_export e LEFT JOIN staff_member p ON p.id = e.staff_id LEFT JOIN staff_letter l ON l.key = 'export:' || e.id
"""
ONE = f"{EXPORTS} WHERE e.id = $1"
# Indexes: the primary key; of one person, file_export_staff.
PAGE = f"""{EXPORTS} WHERE ($1::int IS NULL OR e.staff_id = $1) AND ($2::int IS NULL OR e.id < $2)
ORDER BY e.id DESC LIMIT $3"""
# Index: file_download_export.
DOWNLOADS = """
SELECT d.export_id, p.name AS staff_name, d.by_link, d.at
FROM file_download d LEFT JOIN staff_member p ON p.id = d.staff_id
WHERE d.export_id = ANY($1::int[]) ORDER BY d.id DESC LIMIT $2
"""
MOST_DOWNLOADS = 500
PIECE = "SELECT body FROM file_export_piece WHERE export_id = $1 AND number = $2"


async def export(export_id: int) -> ExportView:
    """One file. Raises NotFound("export")."""
    row = await db.fetch_row(ONE, export_id)
    if row is None:
        raise NotFound("export")
    return _view(row)


async def exports(*, staff_id: int | None, before_id: int | None = None) -> tuple[list[ExportView], int | None]:
    """Files, the newest first, PAGE_ROWS at most, and where the next page begins. staff_id: only that person's."""
    rows = await db.fetch(PAGE, staff_id, before_id, PAGE_ROWS + 1)
    found = [_view(row) for row in rows[:PAGE_ROWS]]
    return found, found[-1].id if len(rows) > PAGE_ROWS else None


async def downloads_of(export_ids: Sequence[int]) -> dict[int, list[Download]]:
    """Who took these files, the last one first."""
    found: dict[int, list[Download]] = {export_id: [] for export_id in export_ids}
    for row in await db.fetch(DOWNLOADS, list(export_ids), MOST_DOWNLOADS):
        found[row["export_id"]].append(Download(**row))
    return found


async def pieces_of(export_id: int) -> AsyncIterator[bytes]:
    """The bytes of a file, one piece at a time. It ends early when the file is withdrawn meanwhile."""
    number = 0
    while (body := await db.fetch_value(PIECE, export_id, number)) is not None:
        yield body
        number += 1


def taker_of(person: StaffView) -> Taker:
    """Somebody of the panel as who wants a file, with the rights they have now."""
    return Taker(
        staff_id=person.id,
        may_export=person.is_active and may(person.role, Permission.CUSTOMERS_EXPORT),
        may_see_all=may(person.role, Permission.EXPORTS_READ),
        may_read_phones=may(person.role, Permission.PHONES_READ),
        location_ids=person.location_ids,
    )


def _view(row: db.Row) -> ExportView:
    places: Any = db.from_json(row["location_ids"])
    known = {
        "look": db.from_json(row["look"]) or {},
        "format": FileFormat(row["format"]),
        "columns": tuple(db.from_json(row["columns"])),
        "words": FileWords.from_body(db.from_json(row["words"])),
        "location_ids": None if places is None else tuple(places),
        "state": ExportState(row["state"]),
    }
    return ExportView(**(row | known))
