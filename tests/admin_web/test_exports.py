"""Taking customers out as a file: the question, the log, the file itself, and its link without signing in."""

import html
import io
import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from aiohttp.test_utils import TestClient, TestServer
from python_calamine import CalamineWorkbook

from admin_web.app import build_app
from admin_web.keys import CLOCK
from loyalty import db
from loyalty.office.actions.erasure import erase_customer
from loyalty.office.actions.export_work import make_due
from loyalty.office.actions.exports import expire_exports
from loyalty.office.exporting import file_key, with_links
from loyalty.office.queries.exports import export
from loyalty.staff.actions import disable, set_language, update_staff
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import START, send_login
from tests.builders import a_customer, a_location, a_programme, a_sale
from tests.conftest import SECRET_KEY

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://127.0.0.1/customers?q=Anna", "HX-Target": "aside"}
NEW = "/customers/exports/new"
LOG = "/customers/exports"


async def text(panel, path, **more) -> str:
    answer = await panel.get(path, **more)
    assert answer.status == 200, (path, answer.status)
    return await answer.text()


def hidden_fields(page: str) -> dict[str, str]:
    """The fields of the form that nobody types."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


async def asked(panel, query: str = "scope=all", **fields) -> dict[str, str]:
    """What the question sends back."""
    page = await text(panel, f"{NEW}?{query}", headers=HTMX)
    return {"columns": "shown", "format": "xlsx"} | hidden_fields(page) | fields


async def begun(panel, query: str = "scope=all", **fields) -> int:
    """A file that was asked for in the panel."""
    answer = await panel.post(f"{LOG}?{query}", data=await asked(panel, query, **fields), allow_redirects=False)
    assert answer.status == 303, await answer.text()
    return int(answer.headers["Location"].rpartition("/")[2])


async def made(panel, clock, query: str = "scope=all", **fields) -> int:
    export_id = await begun(panel, query, **fields)
    assert await make_due(now=clock.now()) == 1
    return export_id


def lines_of(body: bytes) -> list[list]:
    return CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index(0).to_python()


async def taken(panel, export_id: int) -> list[list]:
    answer = await panel.post(f"{LOG}/{export_id}/file")
    assert answer.status == 200
    return lines_of(await answer.read())


@pytest.fixture
async def mailing(database, settings, clock):
    """The panel of a shop with a mail server."""
    told = {"smtp_host": "127.0.0.1", "smtp_port": 25, "email_from": "club@example.com"}
    app = await build_app(settings.model_copy(update=told))
    app[CLOCK] = clock.now
    headers = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "en"}
    async with TestClient(TestServer(app), headers=headers) as client:
        yield client


async def link() -> str:
    """The path of the link in the letter that waits."""
    letter = await db.fetch_value("SELECT text FROM staff_letter ORDER BY id DESC LIMIT 1")
    found = re.search(r"http://shop(/files/\S+)", with_links(letter, file_key(SECRET_KEY), "http://shop"))
    assert found
    return found[1]


async def test_the_question_says_whom_what_and_where_the_link_goes(panel, mailing, hire):
    person = await hire(Role.MARKETER, email="marina@example.com")
    await a_customer(name="Anna")
    await a_customer(name="Berta")
    await send_login(mailing, person.email)
    page = await text(mailing, f"{NEW}?scope=all&q=Ann", headers=HTMX)
    assert "<dialog" in page
    assert "<html" not in page
    assert "1 customer" in page
    assert "everybody found" in page
    assert "Search: Ann" in page
    assert "As in the list (9)" in page
    assert "a link goes to marina@example.com" in page
    assert "hidden but for" not in page
    whole = await text(mailing, f"{NEW}?scope=all")
    assert "<html" in whole
    assert "2 customers" in whole
    await send_login(panel, person.email)
    assert "E-mail is not set up" in await text(panel, f"{NEW}?scope=all")


async def test_a_file_is_asked_for_made_beside_and_taken(panel, sign_in_as, clock):
    await sign_in_as(Role.OWNER)
    await a_programme()
    for name in ("Anna", "Berta", "Clara"):
        await a_customer(name=name, phone=f"+7916555010{len(name)}" if name == "Anna" else None)
    fields = await asked(panel, "scope=all&q=Anna&cols=name.phone")
    done = await panel.post(f"{LOG}?scope=all&q=Anna&cols=name.phone", data=fields, headers=HTMX)
    assert done.status == 200
    assert (done.headers["HX-Retarget"], await done.text()) == ("#aside", "")
    assert '"text": "The file is being made"' in done.headers["HX-Trigger"]
    assert '"href": "/customers/exports/1"' in done.headers["HX-Trigger"]
    # Pressing twice asks once.
    await panel.post(f"{LOG}?scope=all&q=Anna&cols=name.phone", data=fields, headers=HTMX)
    assert await db.fetch_value("SELECT count(*) FROM file_export") == 1
    page = await text(panel, f"{LOG}/1")
    assert "In the queue" in page
    assert 'hx-trigger="every 1s"' in page
    assert "Download" not in page
    assert (await panel.get(f"{LOG}/1?part", headers=HTMX)).status == 200
    assert (await panel.get(f"{LOG}?part", headers=HTMX)).status == 200
    await make_due(now=clock.now())
    ended = await panel.get(f"{LOG}/1?part", headers=HTMX)
    assert ended.status == 286
    assert "Download" in await ended.text()
    assert (await panel.get(f"{LOG}?part", headers=HTMX)).status == 286
    answer = await panel.post(f"{LOG}/1/file")
    assert answer.headers["Content-Type"].startswith("application/vnd.openxmlformats")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="customers-1.xlsx"; filename*=UTF-8')
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert lines_of(await answer.read()) == [["Customer", "Phone"], ["Anna", "+79165550104"]]
    page = await text(panel, f"{LOG}/1")
    assert "Olga Kim" in page.partition("Who took it")[2]
    assert "No letter was written" in page
    log = await text(panel, LOG)
    assert "Search: Anna" in log
    assert "Ready" in log


async def test_the_file_has_what_the_list_shows_in_its_order_and_all_columns_when_they_are_wanted(
    panel, sign_in_as, clock
):
    await sign_in_as(Role.OWNER)
    await a_programme()
    place = await a_location()
    for name, total in (("Anna", 100_00), ("Berta", 300_00), ("Clara", 200_00)):
        await a_sale((await a_customer(name=name)).id, place, total)
    query = "scope=all&sort=sold&dir=asc&cols=name.visits.sold"
    listed = re.findall(r"<bdi>(\w+)</bdi></a>", await text(panel, f"/customers?{query}"))
    lines = await taken(panel, await made(panel, clock, query))
    assert lines == [["Customer", "Visits", "Spent"], ["Anna", 1, 100], ["Clara", 1, 200], ["Berta", 1, 300]]
    assert listed == [line[0] for line in lines[1:]]
    every = await taken(panel, await made(panel, clock, query, columns="all"))
    assert len(every[0]) == 36
    assert every[0][:4] == ["Customer", "Phone", "E-mail", "Card"]
    assert [line[0] for line in every[1:]] == listed


async def test_what_the_letter_will_say_of_whom_names_nobody(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    await a_programme()
    await a_sale((await a_customer(name="Anna")).id, await a_location(), 100_00)
    for query, said in (
        ("scope=all", "The whole client base"),
        ("scope=all&q=Anna", "Found by a search"),
        ("scope=all&q=Anna&f=visits:between:1..", "Found by a search; Visits: from 1"),
    ):
        assert (await export(await begun(panel, query))).words.found_by == said


async def test_the_ticked_ones_alone(panel, sign_in_as, clock):
    await sign_in_as(Role.MARKETER)
    people = [(await a_customer(name=name)).id for name in ("Anna", "Berta", "Clara")]
    query = f"id={people[0]}&id={people[2]}&sort=name&dir=asc&cols=name"
    export_id = await made(panel, clock, query)
    assert await taken(panel, export_id) == [["Customer"], ["Anna"], ["Clara"]]
    assert "2 ticked customers" in await text(panel, f"{LOG}/{export_id}")


async def test_a_table_in_the_readers_language(panel, sign_in_as, clock):
    person = await sign_in_as(Role.OWNER)
    await set_language(person.id, "ru")
    await a_customer(name="=1+1")
    export_id = await made(panel, clock, "scope=all&cols=name.gender", format="csv")
    answer = await panel.post(f"{LOG}/{export_id}/file")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert f"{export_id}.csv" in unquote(answer.headers["Content-Disposition"])
    assert (await answer.read()).decode("utf-8-sig").splitlines() == ["Клиент;Пол", "'=1+1;"]


async def test_an_analyst_ticks_and_takes_masked_phones(panel, sign_in_as, clock):
    await sign_in_as(Role.ANALYST)
    person = await a_customer(name="Anna", phone="+79165550100")
    listed = await text(panel, "/customers")
    assert f'name="id" value="{person.id}"' in listed
    assert 'name="kind"' not in listed
    assert 'formaction="/customers/exports/new"' in listed
    assert "hidden but for their last two digits" in await text(panel, f"{NEW}?scope=all")
    export_id = await made(panel, clock, "scope=all&cols=name.phone")
    assert await taken(panel, export_id) == [["Customer", "Phone"], ["Anna", "+7\u00a0···\u00a0··-00"]]
    assert "Hidden but for" in await text(panel, f"{LOG}/{export_id}")


async def test_everybody_sees_their_own_files_and_owners_all(panel, sign_in_as, clock):
    marketer = await sign_in_as(Role.MARKETER, name="Marina Lis")
    await a_customer()
    theirs = await made(panel, clock)
    await sign_in_as(Role.ANALYST)
    assert "Nobody was taken out yet" in await text(panel, LOG)
    assert (await panel.get(f"{LOG}/{theirs}")).status == 404
    assert (await panel.post(f"{LOG}/{theirs}/file")).status == 404
    assert (await panel.post(f"{LOG}/{theirs}/withdraw")).status == 404
    await sign_in_as(Role.OWNER)
    assert "Marina Lis" in await text(panel, LOG)
    assert len(await taken(panel, theirs)) == 2
    # Who may see phones no more cannot take a file that shows them.
    about: dict[str, Any] = {"name": "Marina", "location_id": None, "phone": None, "actor": COMMAND, "now": clock.now()}
    await update_staff(marketer.id, role=Role.ANALYST, location_ids=None, **about)
    await send_login(panel, marketer.email)
    assert "which your role may not see" in await text(panel, f"{LOG}/{theirs}")
    answer = await panel.post(f"{LOG}/{theirs}/file")
    assert "which your role may not see" in await answer.text()


async def test_whoever_has_some_locations_takes_their_customers_and_not_a_file_of_the_chain(panel, sign_in_as, clock):
    person = await sign_in_as(Role.MARKETER)
    await a_programme()
    here, there = await a_location(), await a_location(name="Other")
    for name, place in (("Anna", here), ("Berta", there)):
        await a_sale((await a_customer(name=name)).id, place, 100_00)
    of_chain = await made(panel, clock, "scope=all&cols=name")
    about: dict[str, Any] = {"name": "Marina", "location_id": None, "phone": None, "actor": COMMAND, "now": clock.now()}
    await update_staff(person.id, role=Role.MARKETER, location_ids=[here], **about)
    assert "1 customer<" in await text(panel, f"{NEW}?scope=all")
    of_place = await made(panel, clock, "scope=all&cols=name")
    assert await taken(panel, of_place) == [["Customer"], ["Anna"]]
    assert "Customers of other locations" in await text(panel, f"{LOG}/{of_chain}")
    answer = await panel.post(f"{LOG}/{of_chain}/file", allow_redirects=False)
    assert answer.status == 303


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.CASHIER])
async def test_others_take_nobody_out(panel, sign_in_as, role):
    await sign_in_as(role)
    await a_customer()
    for path in (LOG, NEW, f"{LOG}/1"):
        assert (await panel.get(path)).status == 403
    for path in (LOG, f"{LOG}/1/file", f"{LOG}/1/withdraw"):
        assert (await panel.post(path)).status == 403
    if role is Role.SUPPORT:
        assert "exports" not in await text(panel, "/customers")


async def test_what_cannot_be_made_is_said_in_the_question(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    assert "Nobody is found." in await text(panel, f"{NEW}?scope=all")
    assert "Nobody is chosen" in await text(panel, NEW)
    await a_customer()
    fields = await asked(panel)
    wrong = await panel.post(LOG, data=fields | {"format": "exe"}, headers=HTMX)
    assert wrong.status == 422
    wrong = await panel.post(LOG, data=fields | {"columns": "some"}, headers=HTMX)
    assert wrong.status == 422
    for number in range(3):
        await panel.post(LOG, data=fields | {"key": f"k{number}"}, headers=HTMX)
    full = await panel.post(LOG, data=fields | {"key": "one more"}, headers=HTMX)
    assert "3 files of yours are being made already" in await full.text()
    assert (await panel.get(f"{NEW}?scope=all&f=nonsense")).status == 422
    assert (await panel.get(f"{LOG}/77")).status == 404


async def test_a_withdrawn_file_says_so_and_an_erased_person_too(panel, sign_in_as, clock):
    await sign_in_as(Role.OWNER)
    person = await a_customer()
    first, second = await made(panel, clock), await made(panel, clock)
    answer = await panel.post(f"{LOG}/{first}/withdraw")
    assert "Somebody withdrew it" in await answer.text()
    late = await panel.post(f"{LOG}/{first}/file")
    assert "not there any more" in await late.text()
    await erase_customer(person.id, actor=COMMAND, now=clock.now())
    assert "A person was erased who may have been in it" in await text(panel, f"{LOG}/{second}")


# ------------------------------------------------------------------------------------------ by the link


@pytest.fixture
async def file_link(mailing, hire, clock) -> str:
    """The link to a file that Marina asked for; whoever comes with it is signed out."""
    person = await hire(Role.MARKETER, email="marina@example.com")
    await send_login(mailing, person.email)
    await a_customer(name="Anna", phone="+79165550100")
    await made(mailing, clock, "scope=all&cols=name.phone")
    mailing.session.cookie_jar.clear()
    return await link()


async def test_the_link_shows_a_button_and_the_button_hands_over_the_file(mailing, file_link):
    page = await text(mailing, file_link)
    assert page == await text(mailing, file_link)
    assert "1 customer, Excel (xlsx)" in page
    head = await mailing.head(file_link)
    assert (head.status, head.headers["Cache-Control"]) == (200, "no-store")
    # Nothing is taken by looking.
    assert await db.fetch_value("SELECT count(*) FROM file_download") == 0
    answer = await mailing.post(file_link)
    assert answer.headers["Cache-Control"] == "no-store"
    assert lines_of(await answer.read()) == [["Customer", "Phone"], ["Anna", "+79165550100"]]
    row = await db.fetch_row("SELECT by_link, staff_id, at FROM file_download")
    assert row == {"by_link": True, "staff_id": None, "at": START}


async def test_another_site_cannot_press_the_button(mailing, file_link):
    answer = await mailing.post(file_link, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status == 403


async def test_a_link_that_was_changed_opens_nothing_and_says_nothing(mailing, file_link):
    start, _, seal = file_link.rpartition("-")
    for path in (f"{start}-{'0' * 32}", f"{start}-{seal}0", "/files/1", "/files/%00", f"/files/{'f' * 500}"):
        for send in (mailing.get, mailing.post):
            answer = await send(path)
            assert answer.status == 404, path
            assert "Excel" not in await answer.text()


async def test_after_its_days_the_link_says_that_they_are_over(mailing, file_link, clock):
    over = (await export(1)).expires_at
    assert over is not None
    clock.move(seconds=(over - START).total_seconds() - 1)
    assert await text(mailing, file_link)
    clock.move(seconds=1)
    for _ in range(2):
        for send in (mailing.get, mailing.post):
            answer = await send(file_link)
            assert answer.status == 410
            assert "The file has expired" in await answer.text()
        await expire_exports(now=clock.now(), limit=5)


async def test_a_withdrawn_file_is_told_from_an_expired_one(mailing, panel, file_link, sign_in_as):
    await sign_in_as(Role.OWNER)
    await panel.post(f"{LOG}/1/withdraw")
    for send in (mailing.get, mailing.post):
        answer = await send(file_link)
        assert answer.status == 410
        assert "The file was withdrawn" in await answer.text()


async def test_a_link_of_somebody_who_has_left_opens_nothing(mailing, file_link, hire, clock):
    owner = await hire(Role.OWNER)
    view = await export(1)
    assert view.staff_id is not None
    await disable(view.staff_id, actor=owner.actor, now=clock.now() + timedelta(hours=1))
    for send in (mailing.get, mailing.post):
        answer = await send(file_link)
        assert answer.status == 403
        assert "not handed out any more" in await answer.text()


async def test_a_file_that_is_withdrawn_while_it_is_taken_breaks_off(panel, sign_in_as, clock, monkeypatch):
    await sign_in_as(Role.OWNER)
    await a_customer()
    monkeypatch.setattr("loyalty.office.actions.export_work.PIECE_BYTES", 500)
    export_id = await made(panel, clock)
    await db.execute("DELETE FROM file_export_piece WHERE number > 2")
    answer = await panel.post(f"{LOG}/{export_id}/file")
    with pytest.raises(Exception, match=r"(?i)payload|connection|closed"):
        await answer.read()
