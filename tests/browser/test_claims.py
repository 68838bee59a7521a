"""Receipts from the chat in a real browser, on a desk and a phone."""

from datetime import timedelta
from io import BytesIO
from itertools import count

import pytest
from PIL import Image
from playwright.sync_api import expect

from loyalty.clock import system_now
from loyalty.receipts.actions.claims import claim_receipt
from loyalty.receipts.rules.claims import ClaimSource, FiscalQr
from loyalty.receipts.rules.sales import FiscalKey
from loyalty.staff.rules import Actor, ActorKind
from tests.browser.conftest import DESKTOP, PHONE, check_accessible, check_no_sideways_scroll, sign_in
from tests.builders import a_customer, a_location, a_picture, an_account

numbers = count(1)


async def two_claims() -> None:
    """A photo and a text wait, of a cash register that nobody knows."""
    await a_location(name="Покровка, 27, у самого входа в метро")
    shot = BytesIO()
    Image.new("L", (300, 500), 180).save(shot, "JPEG")
    for source in ClaimSource:
        person = await a_customer(name="Константин Константинопольский-Задунайский")
        media_id = None
        if source is ClaimSource.PHOTO:
            media_id = await a_picture(await an_account(person.id), shot.getvalue(), mime="image/jpeg")
        sold_at = (system_now() - timedelta(days=1)).replace(tzinfo=None, microsecond=0)
        qr = FiscalQr(FiscalKey("1111222233334444", next(numbers), 3915461783), 1_234_567_00, sold_at, 1)
        await claim_receipt(
            person.id,
            qr,
            source=source,
            media_id=media_id,
            actor=Actor(ActorKind.CUSTOMER),
            now=system_now(),
        )


@pytest.mark.parametrize(
    ("viewport", "locale", "dark"),
    [(DESKTOP, "en", False), (PHONE, "ru", True), (PHONE, "uk", False)],
    ids=["desktop", "phone-dark", "phone"],
)
def test_what_waits_is_decided_and_reads_well(open_page, site, viewport, locale, dark):
    site.do(two_claims)
    page = open_page(viewport=viewport, locale=locale, dark=dark)
    sign_in(page)
    page.goto("/claims")
    check_accessible(page)
    check_no_sideways_scroll(page)
    waiting = page.locator("article").count()
    first = page.locator("article").first
    first.locator("select[name=location]").select_option(index=1)
    first.locator("button.pri").click()
    expect(page.locator("article")).to_have_count(waiting - 1)
    first = page.locator("article").first
    first.locator("select[name=reason]").select_option("not_ours")
    first.locator("form[action$=refuse] button").click()
    expect(page.locator("article")).to_have_count(waiting - 2)
    check_accessible(page)
    for state in ("approved", "refused"):
        page.locator(f"#tab-{state}").click()
        expect(page).to_have_url(f"{site.url}/claims?state={state}")
        expect(page.locator("article").first).to_be_visible()
        check_accessible(page)
        check_no_sideways_scroll(page)
