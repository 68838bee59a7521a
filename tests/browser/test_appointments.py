"""The team, services and a customer's appointments: used, and looked at by axe."""

import pytest
from playwright.sync_api import expect

from loyalty.clock import business_date, system_now
from tests.browser.conftest import DESKTOP, OWNER, PHONE, check_accessible, check_no_sideways_scroll, sign_in

ZONE = "Europe/Moscow"


@pytest.fixture(scope="module")
def shop(site) -> dict[str, int]:
    """Somebody who has booked, somebody who has not, and who serves with what."""
    made: dict[str, int] = {}

    async def fill() -> None:
        from loyalty.bookings.actions.appointments import record_appointment
        from loyalty.bookings.actions.team import add_service, add_service_category, add_team_member
        from loyalty.bookings.rules import AppointmentDraft, CategoryDraft, Door, ServiceDraft, State, TeamMemberDraft
        from loyalty.customers.actions.profile import add_customer
        from loyalty.customers.rules import Profile, Via
        from loyalty.shop.queries import locations
        from loyalty.staff.rules import COMMAND

        now = system_now()
        place = (await locations())[0].id
        member, _ = await add_team_member(TeamMemberDraft("Лев Орлов", "Бариста", place), actor=COMMAND, now=now)
        category, _ = await add_service_category(CategoryDraft("Дегустации"), actor=COMMAND, now=now)
        service, _ = await add_service(ServiceDraft("Каппинг новых зёрен", category), actor=COMMAND, now=now)
        for name, phone in (("Вера Занятая", "+79160007711"), ("Пётр Свободный", "+79160007712")):
            profile = Profile(name, phone, None, None, None, "ru", place)
            made[phone[-2:]] = (await add_customer(profile, via=Via.PANEL, actor=COMMAND, now=now)).id
        for state in State:
            draft = AppointmentDraft(
                place, now, made["11"], state=state, team_member_id=member, service_ids=(service,), tips=150_00
            )  # fmt: skip
            await record_appointment(draft, door=Door.API, actor=COMMAND, now=now)

    site.do(fill)
    return made


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_on_the_team_and_appointments(open_page, shop, viewport):
    page = sign_in(open_page(viewport=viewport, locale="ru"), OWNER)
    settings = [f"/settings/team{more}" for more in ("", "/members/1", "/services/1", "/categories/new")]
    cards = [f"/customers/{shop[one]}?tab=appointments" for one in ("11", "12")]
    for path in (*settings, *cards, f"/customers/{shop['12']}/appointments/new"):
        page.goto(path)
        check_accessible(page)
        check_no_sideways_scroll(page)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_appointment_is_added_by_hand_and_a_tap_says_that_they_came(open_page, shop, viewport):
    page = sign_in(open_page(viewport=viewport), OWNER)
    page.goto(f"/customers/{shop['12']}?tab=appointments")
    rows = page.locator("#rows tr")
    before = rows.count()
    page.get_by_role("link", name="Add an appointment").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    check_accessible(page)
    dialog.get_by_label("Day").fill(business_date(system_now(), ZONE).isoformat())
    dialog.get_by_label("Time there").fill("00:05")
    dialog.get_by_label("Каппинг новых зёрен").check()
    dialog.get_by_label("Tips").fill("много")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog.get_by_role("alert")).to_have_text("Write a number.")
    expect(dialog.get_by_label("Каппинг новых зёрен")).to_be_checked()
    dialog.get_by_label("Tips").fill("200")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(rows).to_have_count(before + 1)
    page.get_by_role("button", name="Came:").first.click()
    expect(page.locator("#rows .badge").first).to_have_text("came")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#rows .badge").first).to_have_text("planned")
    page.get_by_role("button", name="Did not come:").first.press("Enter")
    expect(page.locator("#rows .badge").first).to_have_text("did not come")
    check_no_sideways_scroll(page)


def test_somebody_of_the_team_is_archived_and_brought_back(page, shop):
    sign_in(page, OWNER)
    page.goto("/settings/team/members/1")
    page.get_by_role("button", name="Archive").click()
    page.wait_for_url("**/settings/team")
    expect(page.get_by_role("row", name="Лев Орлов")).to_contain_text("Archived")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("row", name="Лев Орлов")).to_contain_text("In use")
