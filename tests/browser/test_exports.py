"""Customers as a file, from a tick in the base to a link in a mailbox: by mouse, by keyboard, without scripts."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from loyalty.clock import system_now
from tests.browser.conftest import (
    DESKTOP,
    OWNER,
    PHONE,
    Site,
    check_accessible,
    check_no_sideways_scroll,
    first_people,
    free_port,
    sign_in,
    wait_until_ready,
)
from tests.browser.test_simulator_inboxes import Inboxes
from tests.conftest import ROOT, SECRET_KEY

# Their site is dear to start: once is enough.
pytestmark = pytest.mark.xdist_group("exports")
FOUND = 12
LONG = 30_000


@pytest.fixture(scope="module")
def inboxes() -> Iterator[Inboxes]:
    inboxes = Inboxes()
    inboxes.open()
    yield inboxes
    inboxes.close()


@pytest.fixture(scope="module")
def site(
    make_database: Callable[[str], str],
    redis_address: str,
    tmp_path_factory: pytest.TempPathFactory,
    worker_number: int,
    inboxes: Inboxes,
) -> Iterator[Site]:
    """The whole shop in one process: its pages, the schedule that makes files, the worker that sends letters."""
    database_url, port = make_database(f"exports_{worker_number}"), free_port()
    log = tmp_path_factory.mktemp("exports") / "server.log"
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_address,
        "REGULARS_SECRET_KEY": SECRET_KEY,
        "REGULARS_PORT": str(port),
        **inboxes.settings(port),
    }
    site = Site(f"http://127.0.0.1:{port}", database_url, redis_address)
    site.do(first_people)
    site.do(some_customers)
    command = [str(Path(sys.executable).with_name("regulars")), "run"]
    with log.open("wb") as output:
        server = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=output, stderr=output)
    try:
        wait_until_ready(site.url, server, log)
        yield site
    finally:
        server.terminate()
        server.wait(30)


async def some_customers() -> None:
    from loyalty.customers.actions.profile import add_customer
    from loyalty.customers.rules import Profile, Via
    from loyalty.staff.rules import COMMAND

    for number in range(FOUND):
        profile = Profile(f"Файлов {number:02}", f"+79160155{number:03}", None, None, None, "ru", None)
        await add_customer(profile, via=Via.PANEL, actor=COMMAND, now=system_now())


def lines_of(path: Path) -> list[list]:
    return CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()


def download(page: Page, to: Path) -> list[list]:
    """What the button hands over."""
    with page.expect_download() as under_way:
        page.get_by_role("button", name="Download").click()
    assert under_way.value.suggested_filename.endswith(".xlsx")
    under_way.value.save_as(to)
    return lines_of(to)


def base(open_page, **options) -> Page:
    page = sign_in(open_page(**options))
    page.goto("/customers?q=Файлов&sort=name&dir=asc")
    return page


def test_the_ticked_ones_come_as_a_file_to_the_log_and_into_a_mailbox(open_page, site, inboxes, tmp_path):
    page = base(open_page)
    for row in (1, 3):
        page.locator("[data-row]").nth(row).check()
    page.locator("#bulk").get_by_role("button", name="Export").click()
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("2 customers")
    expect(dialog).to_contain_text(f"a link goes to {OWNER}")
    dialog.get_by_role("button", name="Make the file").click()
    expect(dialog).to_have_count(0)
    # The list stays as it was, and says where the file is.
    expect(page.locator("[data-row]:checked")).to_have_count(2)
    page.locator(".toast a").click()
    page.wait_for_url("**/customers/exports/*")
    expect(page.get_by_role("button", name="Download")).to_be_visible(timeout=LONG)
    found = download(page, tmp_path / "log.xlsx")
    assert [line[0] for line in found] == ["Customer", "Файлов 01", "Файлов 03"]
    page.reload()
    expect(page.get_by_text("Ольга Кравец").last).to_be_visible()
    expect(page.get_by_text("The letter with the link was sent.")).to_be_visible(timeout=LONG)

    inbox = open_page()
    inbox.goto(f"{inboxes.url}/simulator?in=email")
    inbox.get_by_role("link", name=OWNER).click(timeout=LONG)
    letter = inbox.get_by_role("log")
    expect(letter).to_contain_text("The file of customers that you asked for is ready")
    assert "Файлов" not in letter.inner_text()
    link = re.search(r"http://\S+/files/[0-9a-f-]+", letter.inner_text())
    assert link
    # Whoever has it is not signed in.
    stranger = open_page()
    stranger.goto(link[0])
    expect(stranger.get_by_role("heading", name="File of customers")).to_be_visible()
    check_accessible(stranger)
    assert download(stranger, tmp_path / "link.xlsx") == found
    page.reload()
    expect(page.get_by_text("By the link from the letter")).to_be_visible()
    page.get_by_role("button", name="Withdraw").click()
    page.locator("dialog[open]").get_by_role("button", name="Withdraw").click()
    expect(page.get_by_text("Somebody withdrew it")).to_be_visible()
    stranger.reload()
    expect(stranger.get_by_role("heading", name="The file was withdrawn")).to_be_visible()
    check_accessible(stranger)


def test_all_who_are_found_with_all_columns_by_the_keyboard(open_page, site, tmp_path):
    page = base(open_page)
    page.locator("#base-acts").get_by_role("link", name="Export").focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text(f"{FOUND} customers")
    dialog.locator("input[name=columns]:checked").focus()
    page.keyboard.press("ArrowRight")
    expect(dialog.locator("input[name=columns][value=all]")).to_be_checked()
    dialog.get_by_role("button", name="Make the file").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".toast a")).to_be_visible()
    page.goto("/customers/exports")
    expect(page.locator("#rows tr").first).to_contain_text("Search: Файлов")
    expect(page.locator("#rows tr").first).to_contain_text("Ready", timeout=LONG)
    # Nothing is asked again once all of them are made.
    expect(page.locator("#results[hx-trigger]")).to_have_count(0)
    page.locator("#rows a.who").first.click()
    found = download(page, tmp_path / "all.xlsx")
    assert len(found) == FOUND + 1
    assert len(found[0]) == 36


def test_without_scripts_a_file_is_asked_for_and_taken(open_page, site, tmp_path):
    page = base(open_page, scripts=False)
    page.locator("[data-row]").first.check()
    page.locator("#bulk").get_by_role("button", name="Export").click()
    expect(page.get_by_text("1 customer", exact=True)).to_be_visible()
    page.get_by_role("button", name="Make the file").click()
    page.wait_for_url("**/customers/exports/*")
    for _ in range(100):
        if page.get_by_role("button", name="Download").count():
            break
        page.wait_for_timeout(200)
        page.reload()
    assert [line[0] for line in download(page, tmp_path / "one.xlsx")] == ["Customer", "Файлов 00"]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(open_page, site, viewport):
    page = base(open_page, viewport=viewport, locale="ru")
    page.locator("[data-row]").first.check()
    page.locator("#bulk button[formaction]").click()
    expect(page.locator("dialog[open]")).to_be_visible()
    check_accessible(page)
    check_no_sideways_scroll(page)
    page.locator("dialog[open] .btn.pri").click()
    # It stands above the bar, not on it.
    expect(page.locator(".toast a")).to_be_visible()
    toast, bar = page.locator(".toast").bounding_box(), page.locator("#bulk").bounding_box()
    assert toast
    assert bar
    assert toast["y"] + toast["height"] <= bar["y"]
    check_accessible(page)
    path = page.locator(".toast a").get_attribute("href")
    for one in ("/customers/exports", "/customers/exports/new?scope=all", path, "/files/1"):
        page.goto(str(one))
        check_accessible(page)
        check_no_sideways_scroll(page)
