"""Rights for one location in a browser: only its people, the switch between bases, and a card of elsewhere."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from loyalty.clock import system_now
from tests.browser.conftest import DESKTOP, PASSWORD, PHONE, check_accessible, check_no_sideways_scroll, sign_in

OWNER, MARKETER = "rights-owner@example.com", "rights-marketer@example.com"


@pytest.fixture(scope="module")
def shop(site) -> dict[str, int]:
    """Two locations, one customer of each; a marketer for the first of them."""
    made: dict[str, int] = {}

    async def fill() -> None:
        from loyalty.customers.actions.profile import add_customer
        from loyalty.customers.rules import Profile, Via
        from loyalty.shop.actions import add_location
        from loyalty.staff.actions import accept_invitation, invite
        from loyalty.staff.rules import COMMAND, Role

        now = system_now() - timedelta(minutes=1)
        for number, (place, name) in enumerate((("Правая", "Вера Правая"), ("Левая", "Глеб Левый"))):
            where = await add_location(name=place, address="", time_zone="Europe/Moscow", actor=COMMAND, now=now)
            profile = Profile(name, f"+7916001881{number}", None, None, None, "ru", where.id)
            made[place] = where.id
            made[name] = (await add_customer(profile, via=Via.PANEL, actor=COMMAND, now=now)).id
        for email, role, reach in ((OWNER, Role.OWNER, None), (MARKETER, Role.MARKETER, [made["Правая"]])):
            token = await invite(email, "Рита Правова", role, location_ids=reach, actor=COMMAND, now=now)
            await accept_invitation(token, PASSWORD, now=now)

    site.do(fill)
    return made


def test_a_marketer_of_one_location_sees_its_people_and_no_others(open_page, shop):
    page = sign_in(open_page(), MARKETER)
    page.goto("/customers")
    expect(page.locator("#rows .who bdi")).to_have_text(["Вера Правая"])
    expect(page.locator("#location")).to_have_count(0)
    expect(page.locator("a[href='/label-rules']")).to_have_count(0)
    page.goto(f"/customers/{shop['Глеб Левый']}")
    expect(page.locator("main")).to_contain_text("There is no such customer.")
    page.goto("/label-rules")
    expect(page.locator("main")).to_contain_text("It concerns the whole chain")
    page.goto("/customers/new")
    expect(page.locator("[name=home_location_id]")).to_have_value(str(shop["Правая"]))


def test_the_base_is_switched_between_locations_and_stays_there(open_page, shop):
    page = sign_in(open_page(), OWNER)
    page.goto("/customers?sort=name&dir=asc")
    page.fill("#q", "Вера Правая")
    expect(page.locator("#rows .who bdi")).to_have_text(["Вера Правая"])
    page.select_option("#location", label="Левая")
    expect(page.locator("#results")).to_contain_text("Nobody matches")
    page.fill("#q", "")
    expect(page.locator("#rows .who bdi")).to_have_text(["Глеб Левый"])
    assert f"location={shop['Левая']}" in page.url
    page.locator("th .th a").first.click()
    expect(page.locator("#rows .who bdi")).to_have_text(["Глеб Левый"])
    assert f"location={shop['Левая']}" in page.url
    page.click("#base-acts a[href^='/customers/filters']")
    expect(page.locator("#aside [name=location]")).to_have_value(str(shop["Левая"]))
    page.goto("/customers")
    expect(page.locator("#location")).to_have_value("")


def test_rights_are_given_for_locations_on_the_page_of_a_person(open_page, shop):
    page = sign_in(open_page(), OWNER)
    page.goto("/settings/staff/invite?role=marketer")
    boxes = page.locator(".reach-places")
    expect(boxes).to_be_hidden()
    page.select_option("[name=reach]", "some")
    expect(boxes).to_be_visible()
    page.fill("[name=email]", "left@example.com")
    page.fill("[name=name]", "Лев Левин")
    page.click("form.form .btn.pri")
    expect(boxes).to_contain_text("Fill this in.")
    boxes.get_by_label("Левая").check()
    page.click("form.form .btn.pri")
    expect(page.locator("#link-made")).to_be_visible()
    page.goto("/settings/staff")
    expect(page.locator("tr", has_text="left@example.com")).to_contain_text("Левая")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_where_rights_are_chosen_and_where_they_end(open_page, shop, viewport):
    page = sign_in(open_page(viewport=viewport, locale="ru"), OWNER)
    for path in ("/settings/staff/invite", "/settings/staff", f"/customers?location={shop['Левая']}"):
        page.goto(path)
        check_accessible(page)
        check_no_sideways_scroll(page)
