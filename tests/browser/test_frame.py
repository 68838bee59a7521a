"""The frame in a real browser: every page of it looked at by axe, in light and dark, on a desk and on a phone."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import (
    CASHIER,
    DESKTOP,
    PASSWORD,
    PHONE,
    check_accessible,
    check_no_sideways_scroll,
    sign_in,
)

PAGES = (
    "/",
    "/account",
    "/account/sessions",
    "/settings/shop",
    "/settings/locations",
    "/settings/locations/new",
    "/settings/locations/1",
    "/settings/staff",
    "/settings/staff/invite",
    "/settings/staff/2",
    "/journal",
    "/journal?until=2020-01-01",
    "/nothing-here",
)


def place_of(locator):
    """Top and height in the window."""
    box = locator.bounding_box()
    assert box is not None
    return box["y"], box["height"]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(open_page, viewport):
    page = open_page(viewport=viewport, locale="ru")
    for path in ("/login", "/join/no-such-link"):
        page.goto(path)
        check_accessible(page)
        check_no_sideways_scroll(page)
    sign_in(page)
    for path in PAGES:
        page.goto(path)
        check_accessible(page)
        check_no_sideways_scroll(page)


def test_a_mistake_is_told_beside_the_field_without_a_reload(page):
    page.goto("/login")
    page.evaluate("window.stayed = true")
    page.fill("#email", "nobody@example.com")
    page.fill("#password", "wrong phrase")
    page.click("button.pri")
    expect(page.get_by_role("alert")).to_have_text("The e-mail or the password is wrong.")
    expect(page.locator("#email")).to_have_value("nobody@example.com")
    assert page.evaluate("window.stayed")


def test_forms_work_without_scripts(open_page):
    page = open_page(scripts=False)
    sign_in(page)
    page.goto("/settings/locations/new")
    page.fill("#name", "Без скриптов")
    page.click("main button.pri")
    expect(page.get_by_role("link", name="Без скриптов")).to_be_visible()
    page.goto("/settings/shop")
    page.fill("#name", " ")
    page.click("main button.pri")
    expect(page.get_by_role("alert")).to_have_text("Fill this in.")


def test_closing_a_location_can_be_undone_by_the_toast(page):
    sign_in(page)
    page.goto("/settings/locations/2")
    page.click("text=Close the location")
    row = page.locator("#rows tr", has_text="Невский")
    expect(row.get_by_text("Closed")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".toast")).to_have_text("The location is open again")
    expect(row.get_by_text("Open")).to_be_visible()


def test_an_invitation_link_is_shown_once_and_opens_the_panel(open_page):
    page = sign_in(open_page())
    page.goto("/settings/staff/invite")
    page.fill("#email", "invited@example.com")
    page.fill("#name", "Ирина Ли")
    page.select_option("#role", "support")
    page.click("main button.pri")
    link = page.locator("#link").input_value()
    check_accessible(page)
    page.click("[data-copy]")
    guest = open_page(locale="uk")
    guest.goto(link.partition("/join")[1] + link.partition("/join")[2])
    check_accessible(guest)
    guest.fill("#password", PASSWORD)
    guest.fill("#again", PASSWORD)
    guest.click("button.pri")
    expect(guest.locator(".toast")).to_have_text("Пароль задано. Ласкаво просимо.")


def test_a_new_link_is_asked_for_in_a_dialog_that_escape_closes(page):
    sign_in(page)
    page.goto("/settings/staff/2")
    page.click("[data-open='#reset']")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    check_accessible(page)
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    page.click("[data-open='#reset']")
    dialog.get_by_role("button", name="Make the link").click()
    expect(page.locator("#link")).to_have_value(re.compile(r"/join/[\w-]{43}$"))


def test_the_theme_is_switched_at_once_and_remembered(page):
    sign_in(page)
    page.click(".me [data-theme-toggle]")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    page.click(".me [data-theme-toggle]")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_the_language_is_switched_beside_the_name(open_page):
    page = sign_in(open_page(), CASHIER)
    page.goto("/account")
    page.click("[popovertarget=languages]")
    menu = page.locator("#languages")
    expect(menu).to_be_visible()
    top, height = place_of(menu)
    assert 0 <= top <= DESKTOP["height"] - height
    menu.get_by_text("Українська").click()
    expect(page.locator("html")).to_have_attribute("lang", "uk")
    page.click("[popovertarget=languages]")
    menu.get_by_text("English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_journal_filters_without_a_reload_and_back_returns(page):
    sign_in(page)
    page.goto("/journal")
    page.evaluate("window.stayed = true")
    page.select_option("select[name=action]", "location.added")
    expect(page.locator(".chip")).to_have_count(1)
    assert "action=location.added" in page.url
    assert page.evaluate("window.stayed")
    page.go_back()
    expect(page.locator(".chip")).to_have_count(0)
    expect(page.locator("h1")).to_have_text("Journal")


def test_rows_are_walked_by_j_and_k_and_opened_by_enter(page):
    sign_in(page)
    page.goto("/settings/staff")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("#rows tr").nth(1)).to_have_attribute("data-current", "")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.locator(".crumb")).to_be_visible()
    assert re.search(r"/settings/staff/\d+$", page.url)


def test_the_first_tab_stop_leads_to_the_content(page):
    sign_in(page)
    page.goto("/settings/staff")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_phone_reaches_every_page_from_the_bar_below(open_page):
    page = sign_in(open_page(viewport=PHONE))
    page.goto("/account")
    places = page.locator(".tabbar > a, .tabbar > button")
    assert 2 <= places.count() <= 5
    for index in range(places.count()):
        assert place_of(places.nth(index))[1] >= 44
    page.click(".tabbar button")
    menu = page.locator("#more-places")
    expect(menu.get_by_text("Journal")).to_be_visible()
    top, height = place_of(menu)
    assert 0 <= top <= PHONE["height"] - height
    check_accessible(page)
    menu.get_by_text("Staff").click()
    expect(page.locator("h1")).to_have_text("Staff")


def test_a_cashier_sees_neither_settings_nor_journal(open_page):
    page = sign_in(open_page(viewport=PHONE), CASHIER)
    page.goto("/account")
    assert page.locator("a[href^='/settings'], a[href='/journal'], a[href='/customers']").count() == 0
    page.goto("/journal")
    expect(page.locator("h1")).to_have_text("This is not for you to open")


def test_a_lost_connection_is_told(page):
    sign_in(page)
    page.goto("/settings/shop")
    page.evaluate("htmx.config.timeout = 1")
    page.evaluate("document.dispatchEvent(new CustomEvent('htmx:sendError', {detail: {}}))")
    expect(page.locator(".toast.bad")).to_contain_text("The server does not answer.")
