"""A file is brought in by mouse and on a phone: sent, its columns named, tried out, done, taken back; and by axe."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from loyalty.clock import system_now
from tests.browser.conftest import DESKTOP, PASSWORD, PHONE, check_accessible, check_no_sideways_scroll, sign_in

MANY = 501
OWNER = "imports-owner@example.com"
FILE = (
    "Имя;Телефон;Почта;Категория;Баланс\n"
    "Импортова Анна;8 916 007-00-01;anna.imp@example.com;Из файла;120\n"
    "Импортов Борис;8 916 007-00-02;;;\n"
    "Импортова Вера;12;;;\n"
).encode("cp1251")


@pytest.fixture(scope="module")
def shop(site) -> None:
    async def fill() -> None:
        from loyalty.staff.actions import accept_invitation, invite
        from loyalty.staff.rules import COMMAND, Role

        now = system_now() - timedelta(minutes=1)
        token = await invite(OWNER, "Олег Файлов", Role.OWNER, None, actor=COMMAND, now=now)
        await accept_invitation(token, PASSWORD, now=now)

    site.do(fill)


def work(site) -> None:
    """What the schedule does every two seconds."""

    async def some() -> None:
        from loyalty.office.actions.import_work import work_due

        await work_due(now=system_now())

    site.do(some)


def upload(page, body: bytes, name: str = "people.csv") -> None:
    page.goto("/customers/imports/new")
    page.locator("#file").set_input_files({"name": name, "mimeType": "text/csv", "buffer": body})
    page.get_by_role("button", name="Read the file").click()
    page.wait_for_url("**/customers/imports/*")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_from_the_empty_form_to_the_result(open_page, shop, viewport):
    page = sign_in(open_page(viewport=viewport), OWNER)

    def look() -> None:
        check_accessible(page)
        check_no_sideways_scroll(page)

    page.goto("/customers/imports/new")
    look()
    upload(page, FILE)
    look()
    page.get_by_role("button", name="Try it out").click()
    expect(page.locator("#results")).to_be_visible()
    look()
    upload(page, b"PK\x03\x04 broken", "people.xlsx")
    expect(page.get_by_text("This workbook is damaged")).to_be_visible()
    look()
    page.goto("/customers/imports")
    look()


def test_a_file_is_mapped_tried_out_brought_in_and_taken_back(open_page, shop):
    page = sign_in(open_page(), OWNER)
    page.goto("/customers")
    page.get_by_role("button", name="More").click()
    page.locator("#base-more").get_by_role("link", name="Import").click()
    page.get_by_role("link", name="Bring in a file").first.click()
    upload(page, FILE)
    expect(page.get_by_text("Windows-1251, parted by semicolons")).to_be_visible()
    expect(page.locator("[name=mapping-0]")).to_have_value("name")
    page.locator("[name=mapping-2]").select_option("phone")
    page.get_by_role("button", name="Try it out").click()
    expect(page.get_by_text("Another column is this already.")).to_be_visible()
    page.locator("[name=mapping-2]").select_option("email")
    page.get_by_label("Make what is missing").check()
    page.get_by_role("button", name="Try it out").click()
    expect(page.get_by_role("button", name="Bring in 2 lines")).to_be_visible()
    page.get_by_role("link", name="Will be left out").click()
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.locator("#rows")).to_contain_text("Phone “12”: This is not a phone number.")
    with page.expect_download() as given:
        page.get_by_role("link", name="Lines left out, to mend").click()
    assert "Импортова Вера" in given.value.path().read_text("utf-8-sig")
    page.get_by_role("button", name="Bring in 2 lines").click()
    page.get_by_role("link", name="Импортова Анна").click()
    expect(page.get_by_text("Из файла").first).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("dialog[open]")).to_contain_text("leaves the client base")
    page.locator("dialog[open]").get_by_role("button", name="Take the file back").click()
    expect(page.locator("#progress").get_by_text("Undone")).to_be_visible()
    page.goto("/customers?q=Импортов")
    expect(page.get_by_text("Импортова Анна")).to_have_count(0)


def test_a_large_file_is_watched_paused_and_goes_on(open_page, shop, site):
    page = sign_in(open_page(), OWNER)
    people = (f"Колонна Анна;+7917{number:07d}" for number in range(MANY))
    upload(page, "\n".join(["Имя;Телефон", *people]).encode())
    page.get_by_role("button", name="Try it out").click()
    expect(page.get_by_text("Being tried out")).to_be_visible()
    work(site)
    # Without a touch, the page finds out.
    expect(page.get_by_role("button", name=f"Bring in {MANY} lines")).to_be_visible()
    page.get_by_role("button", name=f"Bring in {MANY} lines").click()
    expect(page.get_by_text("Under way")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused")).to_be_visible()
    check_accessible(page)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Under way")).to_be_visible()
    work(site)
    expect(page.get_by_role("button", name="Undo")).to_be_visible()


def test_without_scripts_all_of_it_works(open_page, shop):
    page = sign_in(open_page(scripts=False), OWNER)
    body = FILE.replace(b"007-00", b"008-00")
    upload(page, body)
    page.locator("[name=make_missing]").check()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Bring in 2 lines").click()
    page.locator("noscript form[action$=undo] button, form[action$=undo] button").first.click()
    expect(page.locator("#progress").get_by_text("Undone")).to_be_visible()
