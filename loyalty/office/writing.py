"""Writing a file of customers, in a process of its own: it takes minutes of processor, and pages go on meanwhile.

It reads pickles from whoever started it: a `Sheet`, then lists of rows, then None; and answers with the bytes of the
file. When it is told to end, or its reader ends before that, it clears away what it wrote.
"""

import csv
import fcntl
import os
import pickle
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

from loyalty.office.exporting import (
    CELLS,
    NUMBERS,
    PIECE_BYTES,
    CellKind,
    FileFormat,
    Row,
    Sheet,
    Value,
    harmless,
    values_of,
)

FOLDER = "regulars-export-"
FORSAKEN_SECONDS = 60
SHEET_ROWS = 1_048_575
"""As many rows as a sheet has, less the one of the headers. Source: Excel specifications and limits."""
SHEET_BYTES = 1_500_000_000
"""A sheet of more than two gigabytes would need a kind of archive that Excel takes for damaged."""
CELL_BYTES = 80
NAME_LENGTH = 28
FIRST_YEAR = 1901
"""Excel's calendar begins a year before, with a day that never was."""
# Excel shows these two as its owner writes dates. Source: ECMA-376, 18.8.30
DAY_FORMAT, MOMENT_FORMAT = 14, 22
WIDTHS = {CellKind.DAY: 12, CellKind.MOMENT: 17, CellKind.NAMES: 28, CellKind.CATEGORIES: 28, CellKind.MESSENGERS: 22}
USUAL_WIDTH = 14
WIDE = {"name": 28, "email": 26, "phone": 18}


class Workbook:
    """An Excel file, written row by row: no cell is a formula or a link, whatever it says."""

    def __init__(self, sheet: Sheet, path: Path) -> None:
        import xlsxwriter  # noqa: PLC0415  who only starts this process need not load it

        self._sheet = sheet
        self._values = values_of(sheet)
        options = {
            "constant_memory": True,
            "tmpdir": str(path.parent),
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self._book = xlsxwriter.Workbook(str(path), options)
        self._bold = self._book.add_format({"bold": True})
        self._formats = [self._format(CELLS[key].kind) for key in sheet.columns]
        self._sheets = 0
        self._begin_sheet()

    def add(self, rows: Sequence[Row]) -> None:
        """Write some more rows."""
        for row in rows:
            if self._row >= SHEET_ROWS or self._bytes >= SHEET_BYTES:
                self._begin_sheet()
            self._row += 1
            self._write(row)

    def close(self) -> None:
        """Make the file whole."""
        self._book.close()

    def _begin_sheet(self) -> None:
        self._sheets += 1
        self._row = self._bytes = 0
        name = "".join(char for char in self._sheet.words.title if char not in "[]:*?/\\'")[:NAME_LENGTH] or "Sheet"
        self._page = page = self._book.add_worksheet(name if self._sheets == 1 else f"{name} {self._sheets}")
        page.freeze_panes(1, 1)
        for index, (key, header) in enumerate(zip(self._sheet.columns, self._sheet.headers, strict=True)):
            width = WIDE.get(key, WIDTHS.get(CELLS[key].kind, USUAL_WIDTH))
            page.set_column(index, index, max(width, min(len(header) + 2, 30)))
            page.write_string(0, index, header, self._bold)

    def _write(self, row: Row) -> None:
        page, place = self._page, self._row
        size = 0
        for index, find in enumerate(self._values):
            value = find(row)
            if value is None or value == "":
                continue
            size += CELL_BYTES
            format_, scale = self._formats[index]
            if isinstance(value, str):
                # A letter of another alphabet takes two bytes, and often stands beside what is escaped.
                size += 2 * len(value)
                page.write_string(place, index, value)
            elif isinstance(value, int):
                # A spreadsheet has no other numbers than these.
                page.write_number(place, index, value / scale, format_)
            elif value.year < FIRST_YEAR:
                page.write_string(place, index, value.isoformat())
            else:
                page.write_datetime(place, index, value, format_)
        self._bytes += size

    def _format(self, kind: CellKind) -> tuple[Any, int]:
        """How Excel shows a kind, and what its numbers are divided by."""
        if kind is CellKind.MOMENT or kind is CellKind.DAY:
            number = MOMENT_FORMAT if kind is CellKind.MOMENT else DAY_FORMAT
            return self._book.add_format({"num_format": number}), 1
        if kind not in NUMBERS:
            return None, 1
        decimals = self._sheet.decimals(kind)
        shown = "0.00%" if kind is CellKind.SHARE else f"#,##0{'.' * bool(decimals)}{'0' * decimals}"
        return self._book.add_format({"num_format": shown}), 10**decimals


class Table:
    """A CSV file as spreadsheets of the language read it: with a mark of its encoding, `;` where `,` is decimal."""

    def __init__(self, sheet: Sheet, path: Path) -> None:
        self._values = values_of(sheet)
        self._kinds = [CELLS[key].kind for key in sheet.columns]
        self._decimals = [sheet.decimals(kind) for kind in self._kinds]
        self._comma = "." if sheet.language == "en" else ","
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._lines = csv.writer(self._file, delimiter="," if sheet.language == "en" else ";")
        self._lines.writerow([harmless(header) for header in sheet.headers])

    def add(self, rows: Sequence[Row]) -> None:
        """Write some more rows."""
        for row in rows:
            self._lines.writerow([self._text(index, find(row)) for index, find in enumerate(self._values)])

    def close(self) -> None:
        """Make the file whole."""
        self._file.close()

    def _text(self, index: int, value: Value) -> str:
        kind = self._kinds[index]
        if value is None:
            return ""
        if isinstance(value, str):
            return harmless(value, is_phone=kind is CellKind.PHONE)
        if isinstance(value, datetime):
            return value.strftime("%Y-%m-%d %H:%M")
        if isinstance(value, date):
            return value.isoformat()
        if kind is CellKind.SHARE:
            return f"{self._number(value, 2)}%"
        return self._number(value, self._decimals[index])

    def _number(self, value: int, decimals: int) -> str:
        """A number without a float on its way: 1840.50."""
        if not decimals:
            return str(value)
        whole, rest = divmod(abs(value), 10**decimals)
        return f"{'-' * (value < 0)}{whole}{self._comma}{rest:0{decimals}}"


WRITERS: dict[FileFormat, Callable[[Sheet, Path], Workbook | Table]] = {
    FileFormat.XLSX: Workbook,
    FileFormat.CSV: Table,
}


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder that nobody else may read, gone afterwards; what a killed process has left is cleared away here."""
    with tempfile.TemporaryDirectory(prefix=FOLDER) as name:
        held = os.open(name, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            _clear_forsaken(Path(name).parent)
            yield Path(name)
        finally:
            os.close(held)


def _clear_forsaken(place: Path) -> None:
    """Folders of dead processes: nobody holds their lock. One that was just made may not be locked yet."""
    for folder in place.glob(f"{FOLDER}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime < FORSAKEN_SECONDS:
                continue
            asked = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
            try:
                fcntl.flock(asked, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(asked)


def main() -> None:
    """Write one file."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    source = sys.stdin.buffer
    with own_folder() as folder:
        sheet: Sheet = pickle.load(source)  # noqa: S301  from whoever started us, and nobody else
        path = folder / "file"
        writer = WRITERS[sheet.format](sheet, path)
        while (rows := pickle.load(source)) is not None:  # noqa: S301  see above
            writer.add(rows)
        writer.close()
        with path.open("rb") as made:
            shutil.copyfileobj(made, sys.stdout.buffer, PIECE_BYTES)
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
