"""The overview: who sees it, of which days and places, and how its parts come."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from loyalty import db
from loyalty.office.actions.dashboard import count_due
from loyalty.segments.queries.base import Look, base_totals
from loyalty.segments.rules.trees import tree_from
from loyalty.staff.rules import Role
from tests.admin_web.conftest import START
from tests.builders import a_customer, a_location, a_programme, a_sale


@pytest.fixture
async def shop(database):
    """Two locations; somebody bought at each, and one at both."""
    await a_programme()
    here, there = await a_location(name="Тверская"), await a_location(name="Невский")
    one, other, third = [await a_customer() for _ in range(3)]
    for person, place, total in (
        (one, here, 100_00),
        (one, there, 300_00),
        (other, here, 500_00),
        (third, there, 70_00),
    ):
        await a_sale(person.id, place, total, now=START)
    return here, there


async def text(panel, path, **more):
    answer = await panel.get(path, **more)
    assert answer.status == 200, path
    return unescape(await answer.text()).replace("\xa0", " ")


def kpi(page, name):
    found = re.search(rf"<dt>{name}</dt><dd>(.*?)<", page)
    assert found, name
    return found[1].strip()


async def test_the_strip_shows_the_figures_of_the_period(panel, sign_in_as, shop):
    await sign_in_as()
    page = await text(panel, "/dashboard")
    assert (kpi(page, "Active customers"), kpi(page, "Repeat rate")) == ("3", "33.3%")
    assert (kpi(page, "Revenue"), kpi(page, "Average receipt")) == ("970 ₽", "242.50 ₽")
    assert "As of 12:00" in page
    assert 'href="/dashboard" aria-current="page"' in page


async def test_a_location_is_chosen_in_the_address(panel, sign_in_as, shop):
    await sign_in_as()
    page = await text(panel, f"/dashboard?period=1d&location={shop[1]}")
    assert (kpi(page, "Active customers"), kpi(page, "Revenue")) == ("2", "370 ₽")
    assert "Best campaigns" not in page
    assert kpi(await text(panel, "/dashboard?location=999&period=odd"), "Revenue") == "970 ₽"


async def test_whose_rights_end_with_locations_sees_those_alone(panel, sign_in_as, shop):
    here, there = shop
    await sign_in_as(Role.MARKETER, location_ids=(here,))
    for path in ("/dashboard", f"/dashboard?location={there}"):
        page = await text(panel, path)
        assert (kpi(page, "Active customers"), kpi(page, "Revenue")) == ("2", "600 ₽")
        assert "Невский" not in page
    await panel.post("/logout")
    await sign_in_as(Role.ANALYST, location_ids=(here, there))
    page = await text(panel, f"/dashboard?location={there}")
    assert (kpi(page, "Revenue"), "All of your locations" in page) == ("370 ₽", True)


@pytest.mark.parametrize("role", [Role.CASHIER, Role.SUPPORT])
async def test_others_have_no_overview(panel, sign_in_as, role):
    await sign_in_as(role)
    assert (await panel.get("/dashboard")).status == 403
    assert (await panel.get("/dashboard/parts/sales")).status == 403


async def test_every_cell_leads_to_as_many_people_as_it_says(panel, sign_in_as, shop):
    await sign_in_as()
    for path in ("/dashboard", f"/dashboard?location={shop[0]}"):
        page = await text(panel, path)
        cells = re.findall(r'<a href="(/customers\?f=[^"]+)"><b>(\d+)</b>', page)
        assert sum(int(count) for _, count in cells) == (3 if "location" not in path else 2)
        for href, count in cells:
            [query] = parse_qs(urlsplit(href).query)["f"]
            assert (await base_totals(Look(tree=tree_from(query)), now=START)).count == int(count)
            assert (await panel.get(href)).status == 200


async def test_days_that_make_no_period_are_refused_beside_them(panel, sign_in_as, shop):
    await sign_in_as()
    page = await text(panel, "/dashboard?period=own&since=2026-11-20&until=2026-11-10")
    assert 'role="alert"' in page
    for bad in (
        "since=2036-01-01",
        "since=1990-01-01&until=1991-01-01",
        "since=x",
        "since=0001-01-01",
        "until=9999-12-31",
    ):
        assert (await panel.get(f"/dashboard?period=own&{bad}")).status == 200
    page = await text(panel, "/dashboard?period=own&since=2026-11-22&until=2026-11-22")
    assert kpi(page, "Revenue") == "970 ₽"
    assert "No purchases in these days" in await text(panel, "/dashboard?period=own&since=2025-01-01&until=2025-02-01")


async def test_a_new_shop_is_told_what_will_stand_here(panel, sign_in_as):
    await sign_in_as()
    page = await text(panel, "/dashboard")
    assert "Nothing to show yet" in page
    assert "<svg class" not in page.split('id="figures"')[1].split("Nothing to show")[0]


async def test_in_a_large_base_parts_come_when_they_are_counted(panel, sign_in_as, shop, clock, monkeypatch):
    async def is_small():
        return False

    monkeypatch.setattr("loyalty.office.actions.dashboard.is_small", is_small)
    await sign_in_as()
    page = await text(panel, "/dashboard")
    [poll] = re.findall(r'hx-get="(/dashboard/parts/sales[^"]*)" hx-trigger="every 3s"', page)
    assert page.count("Being counted") == 6
    ask = {"headers": {"HX-Request": "true"}}
    assert (await panel.get(poll, **ask)).status == 204
    assert await count_due(now=clock.now()) == 5
    assert await count_due(now=clock.now()) == 1
    part = await text(panel, poll, **ask)
    assert kpi(part, "Revenue") == "970 ₽"
    assert "every 3s" not in part
    # Long after: what is kept is shown, and asks for newer figures, which come once.
    await db.execute("UPDATE dashboard_look SET milliseconds = 2000")
    clock.move(minutes=30)
    page = await text(panel, "/dashboard")
    assert page.count("being counted anew") == 6
    [poll] = re.findall(r'hx-get="(/dashboard/parts/sales[^"]*)" hx-trigger="every 3s"', page)
    assert (await panel.get(poll, **ask)).status == 204
    while await count_due(now=clock.now()):
        pass
    assert "As of 12:30" in await text(panel, poll, **ask)


async def test_parts_that_do_not_exist_are_not_found(panel, sign_in_as, shop):
    await sign_in_as()
    assert (await panel.get("/dashboard/parts/odd")).status == 404


async def test_another_period_comes_without_the_frame(panel, sign_in_as, shop):
    await sign_in_as()
    part = await text(panel, "/dashboard?period=12m", headers={"HX-Request": "true", "HX-Target": "figures"})
    assert part.lstrip().startswith('<div class="grid" id="figures">')
    assert "As a table" in part


@pytest.mark.parametrize("language", ["ru", "uk"])
async def test_numbers_and_names_are_the_readers(panel, sign_in_as, shop, language):
    await sign_in_as()
    page = await text(panel, "/dashboard?period=12m", headers={"Accept-Language": language})
    assert "242,50 ₽" in page
    assert "33,3" in page
