"""Keys and the description of the API in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, check_accessible, check_no_sideways_scroll, sign_in


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_key_is_made_copied_from_and_revoked_after_asking(open_page, viewport):
    page = open_page(viewport=viewport)
    sign_in(page)
    page.goto("/settings/keys/new")
    page.click("text=Make the key")
    expect(page.locator("#name")).to_be_focused()
    page.fill("#name", "Till of the bakery")
    page.click("text=Make the key")
    expect(page.locator("#scopes-error")).to_be_visible()
    check_accessible(page)
    page.get_by_label("Record and refund receipts").check()
    page.click("text=Make the key")
    key = page.locator("#key")
    expect(key).to_have_value(re.compile(r"rk_[\w-]{43}"))
    check_accessible(page)
    check_no_sideways_scroll(page)
    page.click("text=Done")
    row = page.locator("#rows tr:not(.off)", has_text="Till of the bakery")
    check_accessible(page)
    check_no_sideways_scroll(page)
    row.locator("a.who").click()
    page.click("main button:has-text('Revoke')")
    check_accessible(page)
    page.click("dialog button:has-text('Revoke the key')")
    expect(page.locator("#rows tr.off", has_text="Till of the bakery").first).to_be_visible()
    expect(row).to_have_count(0)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_description_of_the_api_opens_without_signing_in(open_page, viewport):
    page = open_page(viewport=viewport, locale="uk")
    page.goto("/api/docs")
    check_accessible(page)
    check_no_sideways_scroll(page)
    page.click("nav >> text=Record a sale")
    expect(page.locator("#create_receipt-title")).to_be_in_viewport()
    page.click("#create_receipt >> text=ReceiptBody")
    expect(page.locator("#ReceiptBody-title")).to_be_in_viewport()
