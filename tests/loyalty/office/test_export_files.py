"""What stands in the cells of a file, whatever people are called; and what becomes of a writer that is left alone."""

import csv
import io
import pickle
import subprocess
import sys
import tempfile
import time
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from admin_web import formats
from loyalty.office import writing
from loyalty.office.exporting import (
    CELLS,
    Contents,
    FileFormat,
    FileWords,
    Sheet,
    Taker,
    file_key,
    harmless,
    link_mark,
    opening_of,
    values_of,
    why_not,
    with_links,
)
from loyalty.wording import phone_masked
from tests.conftest import SECRET_KEY

HOSTILE = [
    '=HYPERLINK("http://evil.example","click")',
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "＝1+1",
    "＠SUM(A1)",
    "=cmd|' /C calc'!A0",
]
HARMLESS = ["Anna", 'O\'Hara; Berta, "C"', "100%", "12345", "1e5", "https://a.example", "двойное\nимя", " пробел"]
WORDS = FileWords("Base: [2026]/*?", {"name": "Customer", "phone": "=Phone"}, {}, "")


def a_sheet(*columns: str, **changes) -> Sheet:
    usual: dict[str, Any] = {
        "format": FileFormat.XLSX,
        "columns": columns or ("name",),
        "words": WORDS,
        "tiers": {0: "Base", 4: "Gold"},
        "shows_phones": True,
        "language": "en",
        "time_zone": "Europe/Moscow",
        "exponent": 2,
    }
    return Sheet(**(usual | changes))


def written(sheet: Sheet, *parts: list[dict], path: Path) -> bytes:
    writer = writing.WRITERS[sheet.format](sheet, path)
    for part in parts:
        writer.add(part)
    writer.close()
    return path.read_bytes()


def sheets_of(body: bytes) -> list[list[list]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(body))
    return [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]


def lines_of(body: bytes, delimiter: str) -> list[list[str]]:
    assert body.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def row(**facts) -> dict:
    usual = {
        "name": "Anna",
        "phone": "+79165550100",
        "sold": -123_45,
        "balance": -5,
        "receipts": 3,
        "discount_bp": 750,
        "frequency": 15,
        "last_visit_at": datetime(2026, 3, 10, 22, 5, tzinfo=UTC),
        "birthday": date(1990, 5, 14),
    }
    return usual | facts


def test_no_text_of_a_workbook_is_a_formula_a_link_or_a_number(tmp_path):
    names = HOSTILE + HARMLESS
    body = written(a_sheet("name", "phone"), [row(name=name) for name in names], path=tmp_path / "f")
    with zipfile.ZipFile(io.BytesIO(body)) as parts:
        page = parts.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in page
        assert "<hyperlink" not in page
        assert not any("externalLink" in name or "vba" in name.lower() for name in parts.namelist())
    [[head, *rows]] = sheets_of(body)
    assert head == ["Customer", "=Phone"]
    # A carriage return in XML is a line end; a reader may say so.
    assert [line[0].replace("\r", "\n") for line in rows] == [name.replace("\r", "\n") for name in names]
    assert {line[1] for line in rows} == {"+79165550100"}


def test_whatever_a_table_would_calculate_begins_with_an_apostrophe_and_phones_stay_readable(tmp_path):
    names = HOSTILE + HARMLESS
    sheet = a_sheet("name", "phone", format=FileFormat.CSV)
    head, *rows = lines_of(written(sheet, [row(name=name) for name in names], path=tmp_path / "f"), ",")
    assert head == ["Customer", "'=Phone"]
    assert [line[0] for line in rows] == [f"'{name}" for name in HOSTILE] + HARMLESS
    assert {line[1] for line in rows} == {"+79165550100"}


@pytest.mark.parametrize(
    ("phone", "said"),
    [
        ("+79165550100", "+79165550100"),
        ("+7\u00a0···\u00a0··-05", "+7\u00a0···\u00a0··-05"),
        ("+7+cmd", "'+7+cmd"),
        ("=1", "'=1"),
    ],
)
def test_only_a_phone_may_begin_with_a_plus(phone, said):
    assert harmless(phone, is_phone=True) == said
    assert harmless("+79165550100") == "'+79165550100"


def test_numbers_and_days_are_numbers_and_days(tmp_path):
    columns = ("sold", "balance", "receipts", "discount", "frequency", "last_visit", "birthday")
    rows = [
        row(),
        row(frequency=0, last_visit_at=datetime(1970, 1, 1, tzinfo=UTC), birthday=None),
        row(birthday=date(1899, 1, 2)),
    ]
    [[_, first, second, third]] = sheets_of(written(a_sheet(*columns), rows, path=tmp_path / "f"))
    # Five past one of the next day in Moscow.
    assert first == [-123.45, -0.05, 3, 0.075, 1.5, datetime.fromisoformat("2026-03-11T01:05"), date(1990, 5, 14)]
    assert second[4:] == ["", "", ""]
    assert third[6] == "1899-01-02"


@pytest.mark.parametrize(("language", "delimiter", "comma"), [("en", ",", "."), ("ru", ";", ","), ("uk", ";", ",")])
def test_a_table_is_written_as_spreadsheets_of_its_language_read_it(tmp_path, language, delimiter, comma):
    columns = ("sold", "balance", "receipts", "discount", "frequency", "last_visit", "birthday")
    sheet = a_sheet(*columns, format=FileFormat.CSV, language=language)
    [_, line] = lines_of(written(sheet, [row()], path=tmp_path / "f"), delimiter)
    numbers = [text.replace(".", comma) for text in ("-123.45", "-0.05", "3", "7.50%", "1.5")]
    assert line == [*numbers, "2026-03-11 01:05", "1990-05-14"]


def test_money_has_the_decimals_of_its_currency(tmp_path):
    for exponent, said in ((0, "-12345"), (2, "-123.45"), (3, "-12.345")):
        sheet = a_sheet("sold", format=FileFormat.CSV, exponent=exponent)
        assert lines_of(written(sheet, [row()], path=tmp_path / "f"), ",")[1] == [said]


def test_codes_are_said_in_words_and_lists_with_commas():
    words = FileWords("", {}, {"gender": {"f": "Женщина"}, "messengers": {"by_email": "Почта"}}, "")
    sheet = a_sheet("gender", "language", "tier", "tier", "messengers", "categories", "segments", words=words)
    values = values_of(sheet)
    facts = {
        "gender": "f",
        "language": "de",
        "tier_id": 4,
        "telegram": True,
        "whatsapp": False,
        "sms": False,
        "by_email": True,
        "categories": [{"name": "A"}, {"name": "B"}],
        "segments": None,
    }
    assert [find(facts) for find in values] == ["Женщина", "de", "Gold", "Gold", "Telegram, Почта", "A, B", ""]
    # A tier that the programme has no more is the base one, as on pages.
    assert values[2](facts | {"tier_id": 9}) == "Base"


@pytest.mark.parametrize("phone", ["+79165550100", "+12025550123", "+380501234567", "+999"])
def test_a_phone_is_masked_as_on_pages(phone):
    [find] = values_of(a_sheet("phone", shows_phones=False))
    assert find({"phone": phone}) == phone_masked(phone) == formats.phone_masked(phone)
    assert phone[-4:-2] not in str(find({"phone": phone})) or len(phone) < 8
    assert find({"phone": None}) is None


def test_more_than_a_sheet_holds_goes_on_in_another_one(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "SHEET_ROWS", 3)
    rows = [row(name=f"Customer {number}") for number in range(7)]
    sheets = sheets_of(written(a_sheet("name"), rows[:2], rows[2:], path=tmp_path / "f"))
    assert [[line[0] for line in sheet] for sheet in sheets] == [
        ["Customer", "Customer 0", "Customer 1", "Customer 2"],
        ["Customer", "Customer 3", "Customer 4", "Customer 5"],
        ["Customer", "Customer 6"],
    ]
    monkeypatch.setattr(writing, "SHEET_BYTES", 1)
    assert len(sheets_of(written(a_sheet("name"), rows, path=tmp_path / "g"))) == 7


def test_every_column_can_be_written_in_both_formats(tmp_path):
    facts: dict[str, Any] = {cell.fact: None for cell in CELLS.values() if cell.fact}
    facts |= dict.fromkeys(("telegram", "whatsapp", "sms", "by_email"), True) | {"name": "Anna", "nps": -1}
    for format_ in FileFormat:
        assert written(a_sheet(*CELLS, format=format_), [facts], path=tmp_path / format_.value)


# ------------------------------------------------------------------------------------------ the process


@pytest.fixture
def places(tmp_path, monkeypatch) -> Path:
    """Where processes of this test make their folders."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def a_writer() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "loyalty.office.writing"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def say(writer: subprocess.Popen[bytes], *frames: object) -> None:
    assert writer.stdin is not None
    for frame in frames:
        writer.stdin.write(pickle.dumps(frame))
    writer.stdin.flush()


def until_there(places: Path) -> list[Path]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if found := list(places.glob("regulars-export-*/*")):
            return found
        time.sleep(0.02)
    pytest.fail("nothing is written")


def test_a_process_answers_with_the_file_and_leaves_nothing(places):
    writer = a_writer()
    say(writer, a_sheet("name"), [row()], [row(name="Berta")], None)
    body, _ = writer.communicate(timeout=30)
    assert (writer.returncode, sheets_of(body)) == (0, [[["Customer"], ["Anna"], ["Berta"]]])
    assert list(places.iterdir()) == []


@pytest.mark.parametrize("end", ["left alone", "told to end"])
def test_a_process_that_is_ended_early_leaves_nothing(places, end):
    writer = a_writer()
    say(writer, a_sheet("name"), [row()])
    [*_] = until_there(places)
    if end == "told to end":
        writer.terminate()
    body, _ = writer.communicate(timeout=30)
    assert (body, writer.returncode) == (b"", 1)
    assert list(places.iterdir()) == []


def test_what_a_killed_process_left_is_cleared_away_by_the_next_and_what_lives_is_not(places, monkeypatch):
    living, killed = a_writer(), a_writer()
    for writer in (living, killed):
        say(writer, a_sheet("name"), [row()])
    until_there(places)
    deadline = time.monotonic() + 20
    while len(list(places.glob("regulars-export-*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    killed.kill()
    killed.communicate()
    assert len(list(places.iterdir())) == 2
    monkeypatch.setattr(writing, "FORSAKEN_SECONDS", -1)
    with writing.own_folder() as own:
        assert own.stat().st_mode & 0o777 == 0o700
        assert len(list(places.iterdir())) == 2
    living.communicate(timeout=30)
    assert list(places.iterdir()) == []


# ------------------------------------------------------------------------------------------------ links


def test_a_link_opens_its_file_and_nothing_that_was_changed_does():
    key, until = file_key(SECRET_KEY), datetime(2026, 3, 17, 9, 0, tzinfo=UTC)
    text = with_links(f"Here: {link_mark(300, until)}.", key, "https://club.example.com")
    link = text.removeprefix("Here: ").removesuffix(".")
    token = link.rpartition("/")[2]
    opening = opening_of(key, token)
    assert opening is not None
    assert (opening.export_id, opening.until) == (300, int(until.timestamp()))
    number, end, seal = token.split("-")
    later = f"{int(end, 16) + 1:x}"
    for other in (
        f"12d-{end}-{seal}",
        f"{number}-{later}-{seal}",
        f"{number}-{end}-{seal[:-1]}0",
        token.upper(),
        "",
        "a-b",
    ):
        assert other == token or opening_of(key, other) is None
    assert opening_of(file_key("another secret of the house, long enough"), token) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"may_export": False}, "file_is_not_yours"),
        ({"staff_id": 2}, "file_is_not_yours"),
        ({"staff_id": 2, "may_see_all": True}, ""),
        ({"may_read_phones": False}, "file_shows_phones"),
        ({"location_ids": (1, 2, 3)}, ""),
        ({"location_ids": (1,)}, "file_is_of_other_locations"),
    ],
)
def test_who_may_take_a_file(changes, reason):
    usual: dict[str, Any] = {
        "staff_id": 1,
        "may_export": True,
        "may_see_all": False,
        "may_read_phones": True,
        "location_ids": None,
    }
    assert why_not(Contents(1, True, (1, 2)), Taker(**(usual | changes))) == reason


def test_who_has_some_locations_takes_no_file_of_the_chain():
    taker = Taker(1, may_export=True, may_see_all=False, may_read_phones=True, location_ids=(1,))
    assert why_not(Contents(1, False, None), taker) == "file_is_of_other_locations"
