"""Reading a table out of a file that a stranger may have made: in a process of its own, with little memory and time.

The process gets the file by its standard input and writes frames to its standard output: four bytes of length, then
JSON. A batch is a list of [line number, [cells]]; the last frame is an object: how the file was read, or why it cannot
be. What does not come to a last frame died of its limits.
"""

import csv
import io
import json
import re
import struct
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import IO, Any

MEMORY_BYTES = 2**30
CPU_SECONDS = 120
UNPACKED_BYTES = 500 * 2**20
ENTRIES_AT_MOST = 2_000
ROWS_AT_MOST = 200_000
COLUMNS_AT_MOST = 100
CELL_LENGTH = 2_000
BATCH_ROWS, BATCH_CHARS = 1_000, 400_000
SAMPLE_LINES = 50
CHUNK = 2**20
SEPARATORS = ";,\t|"
FRAME = struct.Struct(">I")
OLE = bytes.fromhex("d0cf11e0a1b11ae1")
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
UTF_16_TRIED = 4_096
ODD_SIGNS = 0.03
"""In words hardly any sign is one that nobody can type: with more of them it is something else."""
# What a letter, a quotation mark or a dash of a text in Cyrillic is, and what the encodings of old have for nothing.
_CYRILLIC = re.compile("[А-Яа-яЁёІіЇїЄєҐґ]")
_FREQUENT = re.compile("[оеаинтсрвлі]", re.IGNORECASE)
_TYPOGRAPHY = "«»„“”‘’‚–—…№·•°§©®\u00a0"
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")
_STARTS_OF_OTHERS = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"{\\rtf")

Row = tuple[int, list[str]]


class Unreadable(Exception):
    """Why a file cannot be taken, as a code; `details` are numbers."""

    def __init__(self, reason: str, **details: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details


def read(file: IO[bytes], told: dict[str, Any]) -> Iterator[Row]:
    """The lines of a table that hold anything, by the file's own numbers; `told` is filled with how it was read.

    What the file is, its first bytes say, never its name. Raises Unreadable.
    """
    start = file.read(8)
    file.seek(0)
    if not start:
        raise Unreadable("file_is_empty")
    if start.startswith(b"PK"):
        return _workbook(file, told)
    if start.startswith(OLE):
        raise Unreadable("file_is_protected" if ENCRYPTED in file.read() else "file_is_old_excel")
    if start.startswith(_STARTS_OF_OTHERS):
        raise Unreadable("file_is_no_table")
    return _text(file, told)


def checked(rows: Iterable[Row]) -> Iterator[Row]:
    """The lines within the limits, empty ones left out. Raises Unreadable."""
    count = 0
    for number, cells in rows:
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        count += 1
        # One more for the names of the columns.
        if count > ROWS_AT_MOST + 1:
            raise Unreadable("file_has_too_many_rows", limit=ROWS_AT_MOST)
        if len(cells) > COLUMNS_AT_MOST:
            raise Unreadable("file_has_too_many_columns", limit=COLUMNS_AT_MOST, line=number)
        if any(len(cell) > CELL_LENGTH for cell in cells):
            raise Unreadable("cell_is_too_long", limit=CELL_LENGTH, line=number)
        yield number, cells
    if not count:
        raise Unreadable("file_is_empty")


# ---------------------------------------------------------------------------------------- workbooks


def _workbook(file: IO[bytes], told: dict[str, Any]) -> Iterator[Row]:
    _check_zip(file)
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError  # noqa: PLC0415  only workbooks need it

    file.seek(0)
    try:
        book = CalamineWorkbook.from_filelike(file)
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            if sheet.height:
                told.update(format="xlsx", sheet=name, sheets=len(book.sheet_names))
                return ((number, [cell_text(cell) for cell in row]) for number, row in enumerate(sheet.iter_rows(), 1))
    except PasswordError:
        raise Unreadable("file_is_protected") from None
    except CalamineError:
        raise Unreadable("file_is_broken") from None
    raise Unreadable("file_is_empty")


def _check_zip(file: IO[bytes]) -> None:
    """Unpack everything once, keep nothing: that it is whole, and how large, is not for the file to say."""
    try:
        with zipfile.ZipFile(file) as packed:
            _check_entries(packed.infolist())
            for entry in packed.infolist():
                with packed.open(entry) as content:
                    while content.read(CHUNK):
                        pass
    except (Unreadable, MemoryError):
        raise
    except Exception:  # noqa: BLE001  each way of packing has errors of its own
        raise Unreadable("file_is_broken") from None


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    """What a zip says of itself."""
    names = {entry.filename for entry in entries}
    if any(entry.flag_bits & 1 for entry in entries):
        raise Unreadable("file_is_protected")
    if "xl/workbook.xml" not in names:
        is_other = bool(names & {"content.xml", "xl/workbook.bin"})
        raise Unreadable("file_is_no_xlsx" if is_other else "file_is_no_table")
    if len(entries) > ENTRIES_AT_MOST or sum(entry.file_size for entry in entries) > UNPACKED_BYTES:
        raise Unreadable("file_is_too_large_inside", limit=UNPACKED_BYTES // 2**20)


def cell_text(value: Any) -> str:
    """A cell as it is kept: days and moments as ISO says them, no point in whole numbers, a formula's last value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < 1e15
        return (
            str(int(value)) if whole else f"{value:.10f}".rstrip("0").rstrip(".") if abs(value) < 1e15 else repr(value)
        )
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value).replace("\x00", "").strip()


# --------------------------------------------------------------------------------------------- texts


def _text(file: IO[bytes], told: dict[str, Any]) -> Iterator[Row]:
    encoding = encoding_of(file)
    file.seek(0)
    sample = io.TextIOWrapper(file, encoding, newline="")
    lines = [line for _, line in zip(range(SAMPLE_LINES), sample, strict=False)]
    sample.detach()
    separator, named = separator_of(lines)
    told.update(format="csv", encoding=encoding, separator=separator)
    file.seek(0)
    return _records(io.TextIOWrapper(file, encoding, newline=""), separator, skip_first=named)


def _records(text: IO[str], separator: str, *, skip_first: bool) -> Iterator[Row]:
    csv.field_size_limit(10 * CELL_LENGTH)
    records = csv.reader(text, delimiter=separator)
    number = 1
    try:
        for record in records:
            if not (skip_first and number == 1):
                yield number, [_plain(cell) for cell in record]
            number = records.line_num + 1
    except csv.Error:
        # A quotation mark that nobody closes takes the rest of the file for one cell.
        raise Unreadable("cell_is_too_long", limit=CELL_LENGTH, line=number) from None


def _plain(cell: str) -> str:
    """A cell without what cannot be seen at its ends; a sign that only says that it is no formula is none of it."""
    text = _CONTROLS.sub("", cell).strip()
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@") else text


def encoding_of(file: IO[bytes]) -> str:
    """UTF-8, UTF-16 or Windows-1251, by its marks and by what fits. Raises Unreadable with the line that fits none."""
    start = file.read(UTF_16_TRIED)
    file.seek(0)
    encoding = "utf-8-sig"
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif b"\x00" in start:
        # Without its mark, UTF-16 shows itself by the empty halves of plain signs.
        even, odd = start[::2].count(0), start[1::2].count(0)
        if max(even, odd) >= len(start) // 8:
            encoding = "utf-16-be" if even > odd else "utf-16-le"
        elif sum(byte < 9 for byte in start) > len(start) * ODD_SIGNS:
            raise Unreadable("file_is_no_table")
    if encoding != "utf-8-sig":
        return _checked_encoding(file, encoding)
    wrong_line = _first_wrong_line(file, encoding)
    if wrong_line is None:
        return _checked_encoding(file, encoding)
    if _is_mostly_utf_8(file) or not _is_cyrillic(file):
        raise Unreadable("encoding_is_unknown", line=wrong_line)
    return "cp1251"


def _checked_encoding(file: IO[bytes], encoding: str) -> str:
    """The encoding, if all of the file is in it and reads as words."""
    wrong_line = _first_wrong_line(file, encoding)
    if wrong_line is not None:
        raise Unreadable("encoding_is_unknown", line=wrong_line)
    file.seek(0)
    sample = file.read(CHUNK).decode(encoding, "ignore")
    if len(_CONTROLS.findall(sample)) > len(sample) * ODD_SIGNS:
        raise Unreadable("file_is_no_table")
    return encoding


def _first_wrong_line(file: IO[bytes], encoding: str) -> int | None:
    """Number of the first line that is not in an encoding."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding)
    try:
        while text.read(CHUNK):
            pass
    except UnicodeError:
        file.seek(0)
        return _line_of_error(file, encoding)
    finally:
        text.detach()
    return None


def _line_of_error(file: IO[bytes], encoding: str) -> int:
    """Which line it was: read again, a line at a time."""
    if encoding.startswith("utf-16"):
        good = file.read().decode(encoding, "replace").partition("\ufffd")[0]
        return good.count("\n") + 1
    for number, line in enumerate(file, 1):
        try:
            line.decode(encoding)
        except UnicodeError:
            return number
    return 1


def _is_mostly_utf_8(file: IO[bytes]) -> bool:
    """Whether it is UTF-8 in which a line was broken, rather than something else."""
    file.seek(0)
    text = file.read(CHUNK).decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    right = sum(sign > "\x7f" for sign in text) - wrong
    return right > wrong


def _is_cyrillic(file: IO[bytes]) -> bool:
    """Whether all of it reads as Windows-1251 with words in Cyrillic, more likely so than as KOI8-R."""
    file.seek(0)
    letters = other = likely = unlikely = 0
    while block := file.read(CHUNK):
        try:
            text = block.decode("cp1251")
        except UnicodeDecodeError:
            return False
        high = [sign for sign in text if sign > "\x7f" and sign not in _TYPOGRAPHY]
        known = len(_CYRILLIC.findall("".join(high)))
        letters, other = letters + known, other + len(high) - known
        likely += len(_FREQUENT.findall(text))
        unlikely += len(_FREQUENT.findall(block.decode("koi8-r")))
    return letters > 9 * other and likely >= unlikely


def separator_of(lines: list[str]) -> tuple[str, bool]:
    """What parts the cells, and whether the first line only says so, as Excel writes it ("sep=;").

    The sign that gives the most lines the same number of cells, more than one; a comma where none does.
    """
    if lines and (told := re.fullmatch(r"sep=(.)\s*", lines[0].lstrip("\ufeff"))):
        return told[1], True
    best, best_score = ",", 0
    for separator in SEPARATORS:
        try:
            counts = [len(record) for record in csv.reader(lines, delimiter=separator) if record]
        except csv.Error:
            continue
        usual = max(set(counts), key=lambda count: (counts.count(count), count), default=1)
        score = counts.count(usual) * (usual - 1)
        if score > best_score:
            best, best_score = separator, score
    return best, False


# ------------------------------------------------------------------------------------------ the process


def frames(file: IO[bytes]) -> Iterator[bytes]:
    """All that is said of a file, frame by frame."""
    told: dict[str, Any] = {}
    try:
        batch: list[Row] = []
        size = 0
        for row in checked(read(file, told)):
            batch.append(row)
            size += sum(map(len, row[1]))
            if len(batch) == BATCH_ROWS or size > BATCH_CHARS:
                yield _frame(batch)
                batch, size = [], 0
        if batch:
            yield _frame(batch)
    except Unreadable as refused:
        yield _frame({"refused": refused.reason, "details": refused.details})
    except MemoryError:
        yield _frame({"refused": "file_is_too_large_inside", "details": {"limit": UNPACKED_BYTES // 2**20}})
    else:
        yield _frame({"read_as": told})


def _frame(value: Any) -> bytes:
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return FRAME.pack(len(body)) + body


def limit_process(memory: int = MEMORY_BYTES, seconds: int = CPU_SECONDS) -> None:
    """Let this process have no more than so much."""
    import resource  # noqa: PLC0415  only the process of its own needs it

    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def main() -> None:
    """Read what comes by the standard input."""
    limit_process()
    with tempfile.TemporaryFile() as file:
        while block := sys.stdin.buffer.read(CHUNK):
            file.write(block)
        file.seek(0)
        for frame in frames(file):
            sys.stdout.buffer.write(frame)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
