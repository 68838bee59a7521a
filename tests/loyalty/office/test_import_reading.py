"""Files as strangers make them: read in a process with little memory, or refused with a reason, and never by half."""

import io
import struct
import zipfile
import zlib

import pytest
import xlsxwriter

from loyalty import db
from loyalty.ids import new_key
from loyalty.office.actions import import_reading
from loyalty.office.actions.import_work import work, work_due
from loyalty.office.actions.imports import keep_file
from loyalty.office.importing import Kind, settings_from
from loyalty.office.importing import reading as rules
from tests.builders import NOW, a_cashier
from tests.proofs.conftest import sized

pytestmark = pytest.mark.usefixtures("database")
NAMES = ("Имя", "Телефон", "Баланс")
ANNA = ("Анна", "+79161112233", "120")
EMPTY_ROWS = sized(100_000, 1_000_000)


def workbook(fill, **options) -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"constant_memory": True, "in_memory": True, **options})
    fill(book.add_worksheet(), book)
    book.close()
    return target.getvalue()


def with_people(sheet, _book) -> None:
    sheet.write_row(0, 0, NAMES)
    sheet.write_row(1, 0, ANNA)


def packed(**entries: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as book:
        for name, body in entries.items():
            book.writestr(name, body)
    return target.getvalue()


def text(*lines: tuple[str, ...], separator: str = ";") -> str:
    return "\n".join(separator.join(line) for line in lines)


async def read(body: bytes, name: str = "base.csv") -> tuple[str, str | None, dict]:
    """(the state it came to, why, with which figures), read in a process of its own."""
    import_id = await keep_file(Kind.CUSTOMERS, name, body, key=new_key(), actor=await a_cashier(), now=NOW)
    await work(import_id, now=NOW)
    row = await db.fetch_row(
        "SELECT state, failure, failure_details, body, total FROM file_import WHERE id = $1", import_id
    )
    assert row is not None
    assert row["body"] is None
    if row["state"] == "failed":
        assert await db.fetch_value("SELECT count(*) FROM file_import_row") == 0
    return row["state"], row["failure"], db.from_json(row["failure_details"]) or {}


async def cells() -> list[tuple[int, list[str]]]:
    rows = await db.fetch("SELECT number, cells FROM file_import_row ORDER BY import_id, number")
    return [(row["number"], db.from_json(row["cells"])) for row in rows]


async def read_as() -> dict:
    return settings_from(db.from_json(await db.fetch_value("SELECT settings FROM file_import"))).read_as


# ------------------------------------------------------------------------------------------- what is read


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251"])
@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
async def test_a_text_is_read_in_its_encoding_and_by_its_separator(encoding, separator):
    body = text(NAMES, ANNA, separator=separator)
    if encoding == "utf-16-le":
        body += "\n"
    assert (await read(body.encode(encoding)))[0] == "mapping"
    assert await cells() == [(1, list(NAMES)), (2, list(ANNA))]
    assert (await read_as())["separator"] == separator


async def test_what_a_file_is_its_contents_say_and_not_its_name():
    assert (await read(workbook(with_people), "people.csv"))[0] == "mapping"
    assert (await read_as())["format"] == "xlsx"
    await db.execute("DELETE FROM file_import_row")
    await db.execute("DELETE FROM file_import")
    assert (await read(text(NAMES, ANNA).encode(), "people.xlsx"))[0] == "mapping"
    assert (await read_as())["format"] == "csv"


async def test_a_workbook_gives_days_whole_numbers_and_the_last_values_of_formulas():
    def fill(sheet, book):
        sheet.write_row(0, 0, ["Имя", "Телефон", "Дата рождения", "Баланс", "Скидка", "Согласие"])
        sheet.write_string(1, 0, "=HYPERLINK('http://evil.example')")
        sheet.write_number(1, 1, 79161112233)
        sheet.write_number(1, 2, 33007, book.add_format({"num_format": "dd.mm.yyyy"}))
        sheet.write_formula(1, 3, "=100+20", None, 120)
        sheet.write_number(1, 4, 7.5)
        sheet.write_boolean(1, 5, True)

    assert (await read(workbook(fill), "base.xlsx"))[0] == "mapping"
    expected = ["=HYPERLINK('http://evil.example')", "79161112233", "1990-05-14", "120", "7.5", "true"]
    assert (await cells())[1] == (2, expected)


async def test_lines_keep_the_numbers_they_have_in_the_file_and_empty_ones_are_left_out():
    body = 'Имя;Телефон\n\n;;\n"Анна\nБелова";+79161112233;\n\nБорис;+79161112234\n'
    assert (await read(body.encode()))[0] == "mapping"
    assert await cells() == [
        (1, ["Имя", "Телефон"]),
        (4, ["Анна\nБелова", "+79161112233"]),
        (7, ["Борис", "+79161112234"]),
    ]


async def test_a_title_above_the_names_of_the_columns_is_none_of_the_lines():
    body = "Клиенты магазина на 1 мая\n\n" + text(NAMES, ANNA)
    await read(body.encode())
    settings = settings_from(db.from_json(await db.fetch_value("SELECT settings FROM file_import")))
    assert (settings.header, settings.columns[:3]) == (3, NAMES)
    assert await db.fetch_value("SELECT total FROM file_import") == 1


async def test_a_nul_in_a_text_costs_nobody_their_line():
    await read(text(NAMES, ("Ан\x00на", "+79161112233", "1")).encode())
    assert (await cells())[1] == (2, ["Анна", "+79161112233", "1"])


async def test_excels_own_word_about_the_separator_is_believed():
    await read(b"sep=|\r\n" + text(NAMES, ANNA, separator="|").encode())
    assert [number for number, _ in await cells()] == [2, 3]


# ---------------------------------------------------------------------------------------- what is refused


def zip_bomb() -> bytes:
    """A sheet of blanks that packs to a thousandth."""
    return packed(**{"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b" " * (rules.UNPACKED_BYTES + 1)})


def lying_zip() -> bytes:
    """A zip that says it holds a byte where it holds megabytes."""
    body = bytearray(packed(**{"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b" " * 30_000_000}))
    size = struct.pack("<I", 30_000_000)
    while (place := body.find(size)) >= 0:
        body[place : place + 4] = struct.pack("<I", 1)
    return bytes(body)


def far_cells(sheet, _book) -> None:
    """Two cells at the ends of a sheet: all between them would be seventeen milliards."""
    sheet.write(0, 0, "Имя")
    sheet.write(1_048_575, 16_383, "x")


def encrypted() -> bytes:
    return rules.OLE + b"\0" * 504 + rules.ENCRYPTED + b"\0" * 512


def wide() -> str:
    return ";".join(f"c{number}" for number in range(101)) + "\nx"


REFUSED = {
    "nothing": (b"\n \n;;\n", "file_is_empty"),
    "only names": (text(NAMES).encode(), "file_is_empty"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "file_is_no_table"),
    "a pdf": (b"%PDF-1.7\n", "file_is_no_table"),
    "bytes of anything": (bytes(range(256)) * 40, "file_is_no_table"),
    "a zip of anything": (packed(note=b"hello"), "file_is_no_table"),
    "an open document": (packed(mimetype=b"x", **{"content.xml": b"<x/>"}), "file_is_no_xlsx"),
    "an old excel": (rules.OLE + b"\0" * 2048, "file_is_old_excel"),
    "a password": (encrypted(), "file_is_protected"),
    "half a zip": (workbook(with_people)[:-900], "file_is_broken"),
    "a broken zip": (b"PK\x03\x04" + b"\x07" * 300, "file_is_broken"),
    "no sheet in it": (packed(**{"xl/workbook.xml": b"<workbook/>"}), "file_is_broken"),
    "a zip that lies": (lying_zip(), "file_is_broken"),
    "a zip bomb": (zip_bomb(), "file_is_too_large_inside"),
    "cells far away": (workbook(far_cells), "file_is_too_large_inside"),
    "a hundred and one columns": (wide().encode(), "file_has_too_many_columns"),
    "a mark never closed": (('Имя;Телефон\n"Анна;+79161112233\n' + "Борис;1\n" * 9_000).encode(), "cell_is_too_long"),
    "a long cell": (text(NAMES, ("я" * 2_001, "1", "1")).encode(), "cell_is_too_long"),
    "koi8-r": (text(NAMES, ANNA).encode("koi8-r"), "encoding_is_unknown"),
}


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED)
async def test_what_cannot_be_read_says_why_and_leaves_no_line(body, reason):
    assert (await read(body))[:2] == ("failed", reason)


async def test_the_line_that_no_encoding_fits_is_named():
    body = text(NAMES, ANNA, ANNA).encode() + b"\n\xe0\xed\xed\xe0;+79161112233;1\n"
    assert await read(body) == ("failed", "encoding_is_unknown", {"line": 4})


async def test_too_many_lines_are_refused_and_none_is_kept(monkeypatch):
    body = "Имя;Телефон\n" + "Анна;+79161112233\n" * (rules.ROWS_AT_MOST + 1)
    assert await read(body.encode()) == ("failed", "file_has_too_many_rows", {"limit": rules.ROWS_AT_MOST})


@pytest.mark.prove
async def test_empty_rows_are_no_lines_however_many():
    def fill(sheet, book):
        sheet.write_row(0, 0, NAMES)
        sheet.write_row(1, 0, ANNA)
        bold = book.add_format({"bold": True})
        for number in range(2, EMPTY_ROWS):
            sheet.write_blank(number, 0, None, bold)

    assert (await read(workbook(fill), "base.xlsx"))[0] == "mapping"
    assert await db.fetch_value("SELECT total FROM file_import") == 1


async def test_the_process_that_reads_has_its_limits_and_knows_no_secret(monkeypatch, tmp_path):
    """What it is started with is looked at from inside."""
    probe = tmp_path / "probe.py"
    probe.write_text(
        "import json, os, resource, struct, sys\n"
        "sys.path.insert(0, os.environ['PYTHONPATH'])\n"
        "from loyalty.office.importing import reading\n"
        "sys.stdin.buffer.read()\n"
        "reading.limit_process()\n"
        "told = {'memory': resource.getrlimit(resource.RLIMIT_AS)[0], 'names': sorted(os.environ),\n"
        "        'loaded': sorted(name for name in sys.modules if name in ('asyncpg', 'tortoise', 'aiohttp'))}\n"
        "body = json.dumps({'read_as': told}).encode()\n"
        "row = json.dumps([[1, ['a', 'b']], [2, ['c', 'd']]]).encode()\n"
        "for one in (row, body):\n"
        "    sys.stdout.buffer.write(struct.pack('>I', len(one)) + one)\n"
    )
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:.")
    monkeypatch.setattr(import_reading, "MODULE", "probe")
    monkeypatch.chdir(".")
    assert (await read(b"a;b\n"))[0] == "mapping"
    known = await read_as()
    assert known["memory"] == rules.MEMORY_BYTES
    assert set(known["names"]) <= {*import_reading.PASSED_ON, "LC_CTYPE"}
    assert known["loaded"] == []


async def test_a_reader_that_hangs_or_dies_is_ended_and_said_so(monkeypatch, tmp_path):
    for name, body in {"hanging": "import time; time.sleep(60)", "dying": "import os; os.abort()"}.items():
        (tmp_path / f"{name}.py").write_text(body)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(import_reading, "MODULE", "dying")
    assert (await read(b"a;b"))[1] == "file_is_too_large_inside"
    monkeypatch.setattr(import_reading, "MODULE", "hanging")
    monkeypatch.setattr(import_reading, "SECONDS", 0.5)
    assert (await read(b"a;b"))[1] == "file_takes_too_long"


async def test_a_worker_reads_what_was_sent_and_a_second_one_finds_nothing_to_do():
    await keep_file(Kind.CUSTOMERS, "a.csv", text(NAMES, ANNA).encode(), key="k", actor=await a_cashier(), now=NOW)
    assert await work_due(now=NOW) == 1
    assert await work_due(now=NOW) == 0
    assert await db.fetch_value("SELECT state FROM file_import") == "mapping"


def test_what_is_packed_wrongly_is_broken_whatever_its_way_of_packing():
    body = bytearray(workbook(with_people))
    place = body.find(zlib.compress(b"")[:2])
    assert place < len(body)
    start = body.index(b"xl/workbook.xml") + 40
    body[start : start + 60] = b"\xff" * 60
    [frame] = rules.frames(io.BytesIO(bytes(body)))
    assert b"file_is_broken" in frame
