"""Ticking customers and acting on them: by mouse, by keyboard, on a phone, and by axe."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from loyalty.clock import system_now
from tests.browser.conftest import DESKTOP, PASSWORD, PHONE, check_accessible, check_no_sideways_scroll, sign_in

OWNER = "mass-owner@example.com"
FOUND = 56


@pytest.fixture(scope="module")
def shop(site) -> None:
    """Many of one family name, and a category that nobody has."""

    async def fill() -> None:
        from loyalty.customers.actions.categories import add_category
        from loyalty.customers.actions.profile import add_customer
        from loyalty.customers.labels import CategoryDraft
        from loyalty.customers.rules import Profile, Via
        from loyalty.staff.actions import accept_invitation, invite
        from loyalty.staff.rules import COMMAND, Role

        now = system_now() - timedelta(minutes=1)
        token = await invite(OWNER, "Олег Массов", Role.OWNER, None, actor=COMMAND, now=now)
        owner = await accept_invitation(token, PASSWORD, now=now)
        for number in range(FOUND):
            profile = Profile(f"Толпин {number:02}", f"+79160055{number:03}", None, None, None, "ru", None)
            await add_customer(profile, via=Via.PANEL, actor=owner.actor, now=now)
        await add_category(CategoryDraft("Толпа", "amber"), actor=owner.actor, now=now)

    site.do(fill)


def work(site) -> None:
    """What the schedule does every two seconds."""

    async def some() -> None:
        from loyalty.office.actions.mass_work import work_due

        await work_due(now=system_now())

    site.do(some)


def base(open_page, **options):
    page = sign_in(open_page(**options), OWNER)
    page.goto("/customers?q=Толпин&sort=name&dir=asc")
    return page


def choose(page, kind: str) -> None:
    page.locator(f"#bulk button[value={kind}]").click()
    expect(page.locator("dialog[open]")).to_be_visible()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_in_the_bar_and_its_dialogs(open_page, shop, viewport):
    page = base(open_page, viewport=viewport, locale="ru")
    page.locator("[data-row]").first.check()
    expect(page.locator("#bulk")).to_be_visible()
    check_accessible(page)
    check_no_sideways_scroll(page)
    for kind in ("category", "bonuses", "delete"):
        choose(page, kind)
        check_accessible(page)
        check_no_sideways_scroll(page)
        page.locator("dialog[open] header [data-close]").click()
    for path in ("/customers/actions", "/customers/actions/new?kind=bonuses&scope=all&q=Толпин"):
        page.goto(path)
        check_accessible(page)
        check_no_sideways_scroll(page)


def test_a_range_is_ticked_given_a_category_and_that_is_undone(open_page, shop):
    page = base(open_page)
    page.locator("[data-row]").nth(1).click()
    page.locator("[data-row]").nth(4).click(modifiers=["Shift"])
    expect(page.locator("#bulk [data-count]")).to_have_text("4")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#bulk [data-count]")).to_have_text("5")
    choose(page, "category")
    page.select_option("#target", label="Толпа")
    page.get_by_role("button", name="Do it for 5 customers").click()
    expect(page.get_by_text("Done for 5 customers")).to_be_visible()
    expect(page.locator("#rows .cat-amber")).to_have_count(5)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone for 5 customers")).to_be_visible()
    expect(page.locator("#rows .cat-amber")).to_have_count(0)
    assert "q=" in page.url


def test_all_who_are_found_are_watched_stopped_and_taken_back(open_page, shop, site):
    page = base(open_page)
    page.locator("[data-row]").first.check()
    page.get_by_role("button", name=f"select all {FOUND} found").click()
    expect(page.locator("#bulk [data-count]")).to_have_text(str(FOUND))
    choose(page, "category")
    page.select_option("#target", label="Толпа")
    page.get_by_role("button", name=f"Do it for {FOUND} customers").click()
    page.wait_for_url("**/customers/actions/*")
    expect(page.get_by_text("Under way")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused")).to_be_visible()
    check_accessible(page)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Under way")).to_be_visible()
    work(site)
    expect(page.get_by_role("button", name=f"Undo for {FOUND} customers")).to_be_visible()
    expect(page.locator("#rows tr").first).to_contain_text("Done")
    page.get_by_role("button", name=f"Undo for {FOUND} customers").click()
    expect(page.get_by_role("heading", name="Undo: Give the category “Толпа”")).to_be_visible()
    work(site)
    expect(page.locator("#progress").get_by_text("Done", exact=True)).to_be_visible()
    check_accessible(page)


def test_bonuses_are_agreed_to_with_their_sum(open_page, shop):
    page = base(open_page)
    page.locator("[data-row]").nth(49).check()
    page.locator("[data-row]").nth(48).check()
    choose(page, "bonuses")
    page.locator("#amount").fill("12")
    page.locator("#comment").fill("За ожидание")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("dialog[open]")).to_contain_text("2 customers, together 24 bonuses")
    page.get_by_role("button", name="Yes, 24 bonuses").click()
    expect(page.get_by_text("Done for 2 customers")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone for 2 customers")).to_be_visible()


def test_many_are_deleted_by_the_word_and_come_back(open_page, shop):
    page = base(open_page)
    page.locator("[data-row]").nth(0).check()
    page.locator("[data-row]").nth(1).check()
    choose(page, "delete")
    word = page.get_by_label("Type the word")
    word.fill("dele")
    expect(page.locator("dialog[open] [data-confirmed]")).to_be_disabled()
    word.fill("delete")
    page.locator("dialog[open] [data-confirmed]").click()
    expect(page.get_by_text("Done for 2 customers")).to_be_visible()
    expect(page.locator("#rows .who bdi").first).to_have_text("Толпин 02")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#rows .who bdi").first).to_have_text("Толпин 00")
