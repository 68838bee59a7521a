"""The overview: looked at by axe, another location without a reload, a cell followed, a part that comes later."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from loyalty.clock import system_now
from tests.browser.conftest import DESKTOP, PHONE, check_accessible, check_no_sideways_scroll, sign_in

PLACE = "Обзорная, 5"


@pytest.fixture(scope="module")
def sold(site) -> None:
    """Two customers of a location of its own, three receipts."""

    async def fill() -> None:
        from tests.builders import a_customer, a_location, a_sale

        now = system_now() - timedelta(minutes=2)
        place = await a_location(name=PLACE)
        people = [await a_customer(name=f"Обзорнова {n}", phone=f"+7916000770{n}") for n in range(2)]
        for person, total in ((people[0], 300_00), (people[0], 500_00), (people[1], 100_00)):
            await a_sale(person.id, place, total, now=now)

    site.do(fill)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(open_page, sold, viewport):
    page = sign_in(open_page(viewport=viewport, locale="ru"))
    for path in (
        "/dashboard?period=12m",
        "/dashboard?period=own&since=2020-01-01&until=2020-02-01",
        "/dashboard?period=1d",
    ):
        page.goto(path)
        check_accessible(page)
        check_no_sideways_scroll(page)
    page.locator(".chart-t summary").first.click()
    page.locator(".meanings summary").click()
    check_accessible(page)
    check_no_sideways_scroll(page)


def test_a_location_is_chosen_without_a_reload_and_a_cell_leads_to_its_people(page, sold):
    sign_in(page)
    page.goto("/dashboard")
    page.evaluate("window.stayed = true")
    page.select_option("[name=location]", label=PLACE)
    expect(page).to_have_url(re.compile("location="))
    active = page.locator(".kpi", has_text="Active customers").locator("dd")
    expect(active).to_contain_text("2")
    expect(page.locator(".kpi", has_text="Average receipt").locator("dd")).to_contain_text("300")
    assert page.evaluate("window.stayed")
    expect(page.get_by_label("From")).to_be_hidden()
    page.select_option("[name=period]", "own")
    expect(page.get_by_label("From")).to_be_visible()
    cells = page.locator(".rfm td a")
    expect(cells).to_have_count(1)
    cells.first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#rows tr")).to_have_count(2)
    expect(page.locator("#rows tr").first).to_contain_text("Обзорнова")


def test_a_part_that_takes_long_comes_when_it_is_counted(page, site, sold):
    sign_in(page)
    page.goto("/dashboard?period=90d")

    async def make_it_slow() -> None:
        from loyalty import db

        # It took five seconds, and is of days that are over.
        await db.execute(
            "UPDATE dashboard_look SET milliseconds = 5000, counted_at = counted_at - INTERVAL '1 day',"
            """ figures = jsonb_set(figures, '{days}', '{"first": "2020-01-01", "last": "2020-01-31"}')"""
            " WHERE key = 'sales:90d'"
        )

    async def count() -> None:
        from loyalty.office.actions.dashboard import count_due

        await count_due(now=system_now())

    site.do(make_it_slow)
    page.reload()
    expect(page.locator("#part-sales progress")).to_be_visible()
    expect(page.locator("#part-owed .chart")).to_be_visible()
    check_accessible(page)
    site.do(count)
    expect(page.locator("#part-sales .kpis")).to_be_visible()
    expect(page.locator("#part-sales progress")).to_have_count(0)
