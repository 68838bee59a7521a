"""Owners change the programme with a mouse, a keyboard or a phone; everybody can use the pages."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, PHONE, check_accessible, check_no_sideways_scroll, sign_in

OWNER = "programme-owner@example.com"
PATH = "/settings/programme"


@pytest.fixture(scope="module")
def owner(site) -> str:
    """Somebody whose language no other test changes, and a purchase of last month to try programmes on."""

    async def fill() -> None:
        from datetime import timedelta

        from loyalty.clock import system_now
        from loyalty.customers.actions.profile import add_customer
        from loyalty.customers.rules import Profile, Via
        from loyalty.ids import new_key
        from loyalty.receipts.actions.sales import record_receipt
        from loyalty.receipts.rules.sales import ReceiptDraft, ReceiptSource
        from loyalty.staff.actions import accept_invitation, invite
        from loyalty.staff.rules import COMMAND, Role

        now = system_now() - timedelta(minutes=5)
        token = await invite(OWNER, "Ольга Хозяйкина", Role.OWNER, actor=COMMAND, now=now)
        await accept_invitation(token, PASSWORD, now=now)
        profile = Profile("Пётр Пробный", "+79160001177", None, None, None, "ru", None)
        customer = await add_customer(profile, via=Via.PANEL, actor=COMMAND, now=now)
        draft = ReceiptDraft(ReceiptSource.TILL, 1, new_key(), customer.id, 1000_00)
        await record_receipt(draft, actor=COMMAND, now=now.replace(day=1) - timedelta(days=3))

    site.do(fill)
    return OWNER


@pytest.fixture
def desk(page: Page, owner: str) -> Page:
    return sign_in(page, owner)


def check(page: Page) -> None:
    check_no_sideways_scroll(page)
    check_accessible(page)


def test_a_setting_changes_after_its_owner_saw_what_changes(desk):
    desk.goto(PATH)
    check(desk)
    desk.get_by_role("button", name="Add a level").click()
    expect(desk.get_by_label("Name of level 2")).to_be_visible()
    row = desk.locator(".tier").last
    row.get_by_label(re.compile("^Name of level")).fill("Black")
    row.get_by_label(re.compile("begins at$")).fill("200 000")
    row.get_by_label(re.compile("earns$")).fill("15 %")
    desk.get_by_label("Welcome bonus", exact=True).fill("a lot")
    # Enter asks what changes; it must not add or remove a level.
    desk.get_by_label("Welcome bonus", exact=True).press("Enter")
    expect(desk.get_by_text("1 field needs another look.")).to_be_in_viewport()
    expect(desk.get_by_label(re.compile("^Name of level")).last).to_have_value("Black")
    check(desk)
    desk.get_by_label("Welcome bonus", exact=True).fill("250")
    desk.get_by_role("button", name="See what changes").click()
    expect(desk.get_by_text("Black: from 200,000 ₽, 15%")).to_be_visible()
    check(desk)
    desk.get_by_role("button", name="Try on past receipts").click()
    expect(desk.get_by_text("Would be earned").first).to_be_visible()
    desk.get_by_role("button", name="Back to the settings").click()
    expect(desk.get_by_label("Welcome bonus", exact=True)).to_have_value("250")
    desk.get_by_role("button", name="See what changes").click()
    desk.get_by_role("button", name="Save the programme").click()
    desk.wait_for_url(f"**{PATH}/history")
    expect(desk.get_by_text("Black: from 200,000 ₽, 15%")).to_be_visible()
    check(desk)


def test_a_rule_is_made_moved_and_switched_by_keyboard_alone(desk):
    for name in ("Quiet hours", "Second"):
        desk.goto(f"{PATH}/rules/new?kind=weekday_hours")
        desk.get_by_label("Name").fill(name)
        desk.get_by_label("Sat").check(force=True)
        desk.get_by_label("From", exact=True).fill("10:00")
        desk.get_by_label("To", exact=True).fill("14:00")
        desk.get_by_label("How much").fill("2")
        check(desk)
        desk.get_by_role("button", name="Add the rule").click()
        desk.wait_for_url(f"**{PATH}/rules")
    expect(desk.get_by_text("Sat 10:00–14:00: twice the level's percent").first).to_be_visible()
    check(desk)
    up = desk.get_by_role("button", name="Move Second up")
    up.focus()
    up.press("Enter")
    expect(desk.locator(".rules b").first).to_have_text("Second")
    off = desk.get_by_role("button", name="Switch off: Second")
    off.focus()
    off.press("Enter")
    expect(desk.get_by_role("button", name="Switch on: Second")).to_be_visible()
    desk.get_by_role("button", name="Remove: Second").click()
    check(desk)
    desk.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(desk.locator(".rules b")).to_have_count(1)


@pytest.mark.parametrize("path", ["", "/rules", "/rules/new?kind=promo_code", "/what-if", "/history"])
def test_the_pages_fit_a_phone(open_page, owner, path):
    page = sign_in(open_page(viewport=PHONE, locale="ru"), owner)
    page.goto(PATH + path)
    check(page)


def test_what_if_counts_on_a_phone_and_the_books_are_there(open_page, owner):
    page = sign_in(open_page(viewport=PHONE), owner)
    page.goto(f"{PATH}/what-if")
    page.get_by_label("Base earns").fill("7")
    page.get_by_role("button", name="Count").click()
    expect(page.get_by_text("Customers it touches")).to_be_visible()
    check(page)
    page.goto("/settings/books")
    check(page)


def test_settings_and_rules_work_without_scripts(open_page, owner):
    page = sign_in(open_page(scripts=False), owner)
    page.goto(PATH)
    page.get_by_label("Set aside for").fill("25")
    page.locator("button.pri").click()
    expect(page.get_by_text("15 minutes")).to_be_visible()
    page.locator("button.pri").click()
    expect(page).to_have_url(re.compile(f"{PATH}/history$"))


def test_a_movement_opens_with_its_lots(desk):
    desk.goto("/customers?q=9160001177")
    desk.locator("a.who").first.click()
    desk.get_by_role("tab", name="Bonuses").click()
    desk.get_by_role("tabpanel").get_by_role("link", name=re.compile("^Receipt")).click()
    dialog = desk.get_by_role("dialog")
    expect(dialog.get_by_text("What became of these bonuses")).to_be_visible()
    check(desk)
