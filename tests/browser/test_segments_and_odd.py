"""Segments on their page, on the card and at the till; odd operations: used, and looked at by axe."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from loyalty.clock import system_now
from tests.browser.conftest import DESKTOP, PASSWORD, PHONE, check_accessible, check_no_sideways_scroll, sign_in

OWNER = "segments-owner@example.com"
CASHIER = "segments-cashier@example.com"


@pytest.fixture(scope="module")
def shop(site) -> dict[str, int]:
    """A cashier's sale of just now, paid with bonuses while the location was closed, and two segments."""
    made: dict[str, int] = {}

    async def fill() -> None:
        from loyalty.bonuses.actions.manual import adjust
        from loyalty.customers.actions.profile import add_customer
        from loyalty.customers.rules import Profile, Via
        from loyalty.receipts.actions.sales import record_receipt
        from loyalty.receipts.rules.sales import ReceiptDraft, ReceiptSource
        from loyalty.segments.actions.segments import add_member, add_segment
        from loyalty.segments.rules.segments import SegmentDraft
        from loyalty.shop.actions import add_location, update_location
        from loyalty.shop.rules import Hours
        from loyalty.staff.actions import accept_invitation, invite
        from loyalty.staff.rules import COMMAND, Role

        now = system_now() - timedelta(minutes=1)
        yesterday = (now + timedelta(hours=3)).weekday() - 1
        hours = Hours(tuple(("10:00", "10:01") if day == yesterday % 7 else None for day in range(7)))
        about: dict[str, Any] = {
            "name": "Ночная",
            "address": "",
            "time_zone": "Europe/Moscow",
            "hours": hours,
            "fiscal_drives": (),
        }
        place = await add_location(**about, actor=COMMAND, now=now)
        await update_location(place.id, **about, burns_without_code=True, actor=COMMAND, now=now)
        people = []
        for email, name, role in ((OWNER, "Олег Кот", Role.OWNER), (CASHIER, "Тимур Кот", Role.CASHIER)):
            token = await invite(email, name, role, place.id, actor=COMMAND, now=now)
            people.append(await accept_invitation(token, PASSWORD, now=now))
        owner, cashier = people
        profile = Profile("Ольга Сегментова", "+79160005511", None, "f", None, "ru", None)
        person = await add_customer(profile, via=Via.PANEL, actor=COMMAND, now=now)
        await adjust(person.id, 500_00, "Подарок", key="seg", actor=owner.actor, now=now)
        draft = ReceiptDraft(ReceiptSource.TILL, place.id, "seg", person.id, 900_00, 100_00)
        sale = await record_receipt(draft, actor=cashier.actor, now=now)
        for name, at_till in (("Офисы", False), ("Со своей кружкой", True), ("Дегустаторы новых зёрен", True)):
            segment = await add_segment(SegmentDraft(name, "", at_till), actor=COMMAND, now=now)
            made.setdefault("segment", segment)
        await add_member(made["segment"], person.id, actor=owner.actor, now=now)
        made.update(person=person.id, sale=sale.receipt_id, place=place.id)

    site.do(fill)
    return made


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_on_segments_hours_and_odd_operations(open_page, shop, viewport):
    page = sign_in(open_page(viewport=viewport, locale="ru"), OWNER)
    one = f"/segments/{shop['segment']}"
    pages = ["/segments", "/segments/new", one, f"{one}/edit", f"/settings/locations/{shop['place']}"]
    for path in (*pages, f"/customers/{shop['person']}", "/odd-operations"):
        page.goto(path)
        check_accessible(page)
        check_no_sideways_scroll(page)
    for number in range(page.locator("#results .k-main a").count()):
        page.goto("/odd-operations")
        page.locator("#results .k-main a").nth(number).click()
        expect(page.locator("#results tbody tr").first).to_be_visible()
        check_accessible(page)
        check_no_sideways_scroll(page)


def test_the_period_of_odd_operations_changes_in_place_and_in_the_address(page, shop):
    sign_in(page, OWNER)
    page.goto("/odd-operations")
    page.select_option("#days", "30")
    page.wait_for_url("**days=30")
    expect(page.get_by_role("link", name="Ночная")).to_be_visible()


def test_a_segment_is_given_and_taken_on_the_card_with_an_undo(page, shop):
    sign_in(page, OWNER)
    page.goto(f"/customers/{shop['person']}")
    chips = page.locator("#segments .seg")
    expect(chips).to_have_count(1)
    page.select_option("#segments select", label="Дегустаторы новых зёрен")
    page.click("#segments .btn")
    expect(chips).to_have_count(2)
    page.get_by_role("button", name="Take out of Дегустаторы новых зёрен").click()
    expect(chips).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(chips).to_have_count(2)
    page.get_by_role("button", name="Take out of Дегустаторы новых зёрен").click()
    expect(chips).to_have_count(1)


def test_the_cashier_gives_a_segment_after_the_sale_with_a_thumb_or_a_key(open_page, shop):
    page = sign_in(open_page(viewport={"width": 360, "height": 640}, locale="ru"), CASHIER)
    page.goto(f"/cashier/receipts/{shop['sale']}")
    mug = page.get_by_role("button", name="Со своей кружкой")
    expect(mug).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".pos-chip")).to_have_count(2)
    mug.click()
    expect(mug).to_have_attribute("aria-pressed", "true")
    expect(mug).to_be_focused()
    check_accessible(page)
    check_no_sideways_scroll(page)
    assert page.locator(".pos-chip").evaluate_all("all => Math.min(...all.map(one => one.offsetHeight))") >= 44
    page.keyboard.press("Enter")
    expect(mug).to_have_attribute("aria-pressed", "false")
