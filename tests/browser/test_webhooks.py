"""Webhooks in a real browser, on a desk and a phone."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from loyalty.clock import system_now
from loyalty.staff.rules import COMMAND
from loyalty.webhooks.actions.deliveries import lease_deliveries, settle
from loyalty.webhooks.actions.endpoints import add_endpoint, send_test
from loyalty.webhooks.rules import Outcome, Topic, Trouble
from tests.browser.conftest import DESKTOP, PHONE, check_accessible, check_no_sideways_scroll, sign_in


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_webhook_is_added_tested_and_removed_after_asking(open_page, viewport):
    page = open_page(viewport=viewport)
    sign_in(page)
    page.goto("/settings/webhooks/new")
    page.fill("#name", "Warehouse of the bakery")
    page.fill("#url", "http://shop.example.com/hook")
    page.get_by_label("Receipts recorded").check()
    page.click("text=Add the webhook")
    expect(page.locator("#url-error")).to_be_visible()
    check_accessible(page)
    page.fill("#url", "https://shop.example.com/hook")
    page.click("text=Add the webhook")
    expect(page.locator("#secret")).to_have_value(re.compile(r"whsec_\w{64}"))
    check_accessible(page)
    check_no_sideways_scroll(page)
    page.click("text=Done")
    check_accessible(page)
    check_no_sideways_scroll(page)
    page.click("text=Send a test >> visible=true")
    expect(page.locator("#rows tr", has_text="Waiting")).to_have_count(1)
    check_accessible(page)
    check_no_sideways_scroll(page)
    page.click("#rows a.who")
    expect(page.locator("pre")).to_contain_text("webhook.test")
    check_accessible(page)
    check_no_sideways_scroll(page)
    page.click("a.crumb")
    page.click("main button:has-text('Remove the webhook') >> visible=true")
    check_accessible(page)
    page.click("dialog button:has-text('Remove the webhook')")
    expect(page.locator("#rows tr", has_text="Warehouse of the bakery")).to_have_count(0)


@pytest.mark.parametrize(
    ("viewport", "locale", "dark"),
    [(DESKTOP, "ru", True), (PHONE, "uk", False), (PHONE, "ru", True)],
    ids=["desktop-dark", "phone", "phone-dark"],
)
def test_what_failed_reads_well_everywhere(open_page, site, viewport, locale, dark):
    numbers = []

    async def failed() -> None:
        now = system_now()
        url = "https://warehouse.of-the-bakery.example.com/a/very/long/address/that/has/to/be/broken/somewhere"
        number = await add_endpoint("Склад", url, list(Topic), allow_local=False, actor=COMMAND, now=now)
        numbers.append(number)
        for trouble in (Trouble.REDIRECT, Trouble.ADDRESS_INSIDE, Trouble.TIMEOUT):
            await send_test(number, now=now)
            for delivery in await lease_deliveries(limit=32, now=now):
                await settle(delivery, Outcome(302 if trouble is Trouble.REDIRECT else None, trouble), now=now)
            now += timedelta(milliseconds=1)

    site.do(failed)
    page = open_page(viewport=viewport, locale=locale, dark=dark)
    sign_in(page)
    for path in ("/settings/webhooks", f"/settings/webhooks/{numbers[0]}"):
        page.goto(path)
        check_accessible(page)
        check_no_sideways_scroll(page)
    page.locator("select[name=state]").select_option("failed")
    expect(page.locator("#rows tr")).to_have_count(3)
    page.locator("select[name=state]").select_option("done")
    expect(page.locator("#results .empty")).to_be_visible()
    check_accessible(page)
