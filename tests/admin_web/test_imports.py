"""Files brought in, as browsers with and without scripts meet them."""

import io
import re

import pytest
from aiohttp import FormData

from admin_web.import_words import COLUMNS
from admin_web.pages.import_files import safe_cell
from loyalty import db
from loyalty.customers.queries import find_by_phone
from loyalty.office.importing import Kind
from loyalty.office.importing.columns import guess, header_of
from loyalty.staff.rules import Role
from tests.admin_web.test_segments import HTMX, text
from tests.builders import a_location, a_programme

PATH = "/customers/imports"
FILE = (
    "Имя;Телефон;Почта;Категория;Баланс\n"
    "Анна <b>;+79161112233;anna@example.com;VIP;10\n"
    "Борис;+7 916 222 33 44;;VIP;\n"
    "=cmd;12;;;\n"
).encode()


@pytest.fixture(autouse=True)
async def programme(database):
    return await a_programme(bonus_step=100)


async def send(panel, body: bytes, name: str = "base.csv", *, kind: str = "customers"):
    form = FormData({"kind": kind, "key": "k"})
    form.add_field("file", io.BytesIO(body), filename=name, content_type="text/csv")
    return await panel.post(PATH, data=form, allow_redirects=False)


async def chosen(panel, path: str, **more) -> dict[str, str]:
    """What the form of the columns would send as it stands."""
    words = await text(panel, path)
    fields = {}
    for name, options in re.findall(r'<select[^>]*name="([\w-]+)"[^>]*>(.*?)</select>', words, re.DOTALL):
        picked = re.findall(r'<option value="([^"]*)" selected', options) or re.findall(r'value="([^"]*)"', options)
        fields[name] = picked[0]
    return fields | more


async def checked(panel, body: bytes = FILE) -> str:
    """The address of a file that was tried out."""
    path = (await send(panel, body)).headers["Location"]
    fields = await chosen(panel, path, make_missing="1")
    done = await panel.post(f"{path}/check", data=fields, allow_redirects=False)
    assert (done.status, done.headers["Location"]) == (303, path)
    return path


async def test_a_file_is_sent_its_columns_are_guessed_it_is_tried_out_done_and_taken_back(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    sent = await send(panel, FILE)
    assert sent.status == 303
    path = sent.headers["Location"]
    fields = await chosen(panel, path)
    assert [fields[f"mapping-{index}"] for index in range(5)] == ["name", "phone", "email", "categories", "opening"]
    words = await text(panel, path)
    assert "UTF-8, parted by semicolons" in words
    assert "Анна &lt;b&gt;" in words
    await panel.post(f"{path}/check", data=fields | {"make_missing": "1"})
    words = await text(panel, path)
    assert "Will be added" in words
    assert "This is not a phone number." in words
    # Angle brackets are in nobody's name.
    assert "There are characters here that cannot be used." in words
    assert await db.fetch_value("SELECT count(*) FROM customer") == 0
    assert "Bring in 1 line" in words
    await panel.post(f"{path}/start")
    boris = await find_by_phone("+79162223344")
    words = await text(panel, path)
    assert f'href="/customers/{boris}"' in words
    assert "Undo" in words
    await panel.post(f"{path}/undo")
    assert "Undone" in await text(panel, path)
    assert await db.fetch_value("SELECT count(*) FROM customer_facts WHERE NOT is_hidden") == 0
    listed = await text(panel, PATH)
    assert f'href="{path}"' in listed
    assert "base.csv" in listed


async def test_what_cannot_be_read_says_why_and_offers_another_try(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    path = (await send(panel, b"PK\x03\x04 broken", "base.xlsx")).headers["Location"]
    words = await text(panel, path)
    assert "This workbook is damaged" in words
    assert "Nothing of this file was brought in." in words
    assert "Bring in another file" in words
    assert "Cannot be read" in await text(panel, PATH)


async def test_a_form_without_a_file_says_so(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    assert "No file was brought in yet" in await text(panel, PATH)
    form = FormData({"kind": "customers", "key": "k"})
    form.add_field("file", b"", filename="", content_type="application/octet-stream")
    answer = await panel.post(PATH, data=form)
    assert (answer.status, "Fill this in." in await answer.text()) == (422, True)
    answer = await panel.post(PATH, data={"kind": "customers", "key": "k"})
    assert answer.status == 422
    answer = await send(panel, b"")
    assert (answer.status, "This file is empty." in await answer.text()) == (422, True)


async def test_a_file_that_is_too_large_is_refused_before_it_is_kept(panel, sign_in_as, monkeypatch):
    await sign_in_as(Role.OWNER)
    monkeypatch.setattr("admin_web.pages.imports.BODY_LIMIT", 2_000_000)
    answer = await send(panel, b"x" * 2_000_001)
    assert (answer.status, "too large" in await answer.text()) == (422, True)
    assert await db.fetch_value("SELECT count(*) FROM file_import") == 0


async def test_the_same_form_sent_twice_keeps_the_file_once(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    first, second = await send(panel, FILE), await send(panel, FILE)
    assert first.headers["Location"] == second.headers["Location"]


async def test_a_wrong_mapping_is_said_beside_its_column_and_kept_as_it_was_typed(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    path = (await send(panel, FILE)).headers["Location"]
    fields = await chosen(panel, path)
    answer = await panel.post(f"{path}/check", data=fields | {"mapping-2": "phone"}, headers=HTMX)
    words = await answer.text()
    assert (answer.status, "Another column is this already." in words) == (422, True)
    assert re.search(r'name="mapping-2".*?value="phone" selected', words, re.DOTALL)
    answer = await panel.post(f"{path}/check", data=fields | {"mapping-1": "", "mapping-2": ""})
    assert "Say which column is the phone" in await answer.text()


async def test_lines_are_shown_by_what_becomes_of_them_and_those_left_out_are_given_back(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    path = await checked(panel)
    words = await text(panel, f"{path}?state=refused")
    assert "=cmd" in words
    assert "Борис" not in words
    part = await panel.get(f"{path}?state=added", headers=HTMX | {"HX-Target": "results"})
    assert "<html" not in await part.text()
    given = await panel.get(f"{path}/refused.csv")
    body = await given.read()
    assert given.headers["Content-Disposition"] == f'attachment; filename="left-out-{path.rpartition("/")[2]}.csv"'
    lines = body.decode("utf-8-sig").splitlines()
    assert lines[0] == "Имя;Телефон;Почта;Категория;Баланс;Line;Why"
    assert lines[2].startswith("'=cmd;12;;;;4;")
    # Sent again as it is, it is understood as it was.
    again = (await panel.post(PATH, data=_again(body), allow_redirects=False)).headers["Location"]
    assert "=cmd" in await text(panel, again)


def _again(body: bytes) -> FormData:
    form = FormData({"kind": "customers", "key": "again"})
    form.add_field("file", body, filename="mended.csv", content_type="text/csv")
    return form


def test_no_table_takes_a_cell_for_a_formula():
    for text_ in ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tx", "\rx", "+7 (916)"):
        assert safe_cell(text_) == f"'{text_}"
    for text_ in ("+79161112233", "-5", "Анна", "a=b", ""):
        assert safe_cell(text_) == text_


async def test_progress_asks_again_only_while_somebody_works_on_it(panel, sign_in_as, monkeypatch):
    await sign_in_as(Role.OWNER)
    monkeypatch.setattr("loyalty.office.actions.imports.AT_ONCE", 0)
    path = await checked(panel)
    words = await text(panel, path)
    assert f'hx-get="{path}?part" hx-trigger="every 1s"' in words
    part = await panel.get(f"{path}?part", headers=HTMX)
    assert "Being tried out" in await part.text()
    await panel.post(f"{path}/cancel")
    part = await panel.get(f"{path}?part", headers=HTMX)
    assert part.headers["HX-Refresh"] == "true"
    assert "Ended early" in await text(panel, path)
    answer = await panel.post(f"{path}/start", allow_redirects=False)
    assert answer.status == 303
    assert "This import cannot be changed any more." in await text(panel, path)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("language", ["en", "ru", "uk"])
async def test_the_tables_to_fill_in_are_understood_in_each_language(panel, sign_in_as, kind, language):
    await sign_in_as(Role.OWNER)
    await a_location()
    for ending in ("csv", "xlsx"):
        given = await panel.get(f"{PATH}/example.{ending}?kind={kind.value}", headers={"Accept-Language": language})
        assert given.status == 200
        form = FormData({"kind": kind.value, "key": f"{kind}{language}{ending}"})
        form.add_field("file", await given.read(), filename=f"x.{ending}", content_type="text/csv")
        path = (await panel.post(PATH, data=form, allow_redirects=False)).headers["Location"]
        fields = await chosen(panel, path)
        guessed = {value for name, value in fields.items() if name.startswith("mapping-")}
        assert "" not in guessed


def test_every_name_that_the_panel_gives_a_column_is_known():
    for kind, words in COLUMNS.items():
        names = tuple(words.values())
        assert header_of([(1, names)], kind)[0] == 1
        assert [key for key in guess(names, [], kind) if key] == [key for key in words if key in guess(names, [], kind)]
        assert "" not in guess(names, [], kind)


@pytest.mark.parametrize("role", [Role.CASHIER, Role.ANALYST, Role.SUPPORT])
async def test_who_may_not_bring_in_files_sees_none(panel, sign_in_as, role):
    await sign_in_as(role)
    for path in (PATH, f"{PATH}/new", f"{PATH}/1", f"{PATH}/1/refused.csv", f"{PATH}/example.csv"):
        assert (await panel.get(path)).status == 403
    assert (await send(panel, FILE)).status == 403
