"""The team and services among the settings, and a customer's appointments on their card."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from loyalty.bookings.actions.appointments import record_appointment
from loyalty.bookings.actions.team import add_service, add_service_category, add_team_member, archive
from loyalty.bookings.queries import appointments_of, services, team_members
from loyalty.bookings.rules import AppointmentDraft, CategoryDraft, Door, ServiceDraft, State, TeamMemberDraft
from loyalty.customers.queries import customer
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import START
from tests.builders import a_customer, a_location, assert_books_agree

HTMX = {"HX-Request": "true"}
HOUR = timedelta(hours=1)


async def text(panel, path, *, status=200, **headers):
    response = await panel.get(path, headers=headers)
    assert response.status == status, (path, response.status)
    return await response.text()


async def book(person, place, **more):
    about = {"location_id": place, "customer_id": person, "starts_at": START} | more
    done = await record_appointment(AppointmentDraft(**about), door=Door.API, actor=COMMAND, now=START)
    return done.appointment


async def test_the_team_services_and_categories_live_through_their_page(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    place = await a_location()
    words = await text(panel, "/settings/team")
    assert all(one in words for one in ("Nobody in the team yet", "No services yet", "No categories of services yet"))
    member = {"name": "Лев <1>", "position": "Бариста", "location_id": str(place)}
    made = await panel.post("/settings/team/members/new", data=member, allow_redirects=False)
    assert (made.status, made.headers["Location"]) == (303, "/settings/team")
    await panel.post("/settings/team/categories/new", data={"name": "Дегустации"})
    await panel.post("/settings/team/services/new", data={"name": "Каппинг", "category_id": "1"})
    words = await text(panel, "/settings/team")
    assert "Лев &lt;1&gt;" in words
    assert words.count("Дегустации") == 2
    assert "Бариста" in await text(panel, "/settings/team/members/1")
    await panel.post("/settings/team/members/1", data={"name": "Лев", "position": "", "location_id": ""})
    [known] = await team_members()
    assert (known.name, known.position, known.location_id) == ("Лев", "", None)
    await panel.post("/settings/team/services/1", data={"name": "Каппинг", "category_id": ""})
    assert (await services())[0].category_id is None
    await panel.post("/settings/team/members/1/archive", allow_redirects=False)
    words = await text(panel, "/settings/team")
    assert 'data-undo-url="/settings/team/members/1/restore"' in words
    assert "Use it again" in await text(panel, "/settings/team/members/1")
    await panel.post("/settings/team/members/1/restore")
    assert (await team_members())[0].archived_at is None


@pytest.mark.parametrize(
    ("path", "form", "said"),
    [
        ("members/new", {"name": " ", "location_id": ""}, "Fill this in."),
        ("members/new", {"name": "Lev", "location_id": "99"}, "Choose one of the list."),
        ("services/new", {"name": "Cupping", "category_id": "99"}, "Choose one of the list."),
        ("categories/new", {"name": "x" * 101}, "At most 100 characters."),
    ],
)
async def test_wrong_fields_are_told_beside_them(panel, sign_in_as, path, form, said):
    await sign_in_as(Role.OWNER)
    response = await panel.post(f"/settings/team/{path}", data=form, headers=HTMX)
    assert response.status == 422
    assert said in await response.text()
    assert await team_members() == []


async def test_who_may_not_see_is_refused_and_what_is_not_there_is_not_found(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    for path in ("members/9", "services/9", "categories/9"):
        await text(panel, f"/settings/team/{path}", status=404)
    await text(panel, "/settings/team/nothing/1", status=404)
    person, place = (await a_customer()).id, await a_location()
    booked = await book(person, place)
    other = (await a_customer()).id
    assert (await panel.post(f"/customers/{other}/appointments/{booked.id}/came")).status == 404
    assert (await panel.post(f"/customers/{person}/appointments/{booked.id}/lost")).status == 404
    await sign_in_as(Role.ANALYST)
    await text(panel, "/settings/team", status=403)
    words = await text(panel, f"/customers/{person}?tab=appointments")
    assert "planned" in words
    assert "Add an appointment" not in words
    assert (await panel.post(f"/customers/{person}/appointments/{booked.id}/came")).status == 403
    await text(panel, f"/customers/{person}/appointments/new", status=403)


async def test_an_appointment_is_added_by_hand_once_however_often_the_button_is_pressed(panel, sign_in_as, clock):
    await sign_in_as(Role.SUPPORT)
    person, place = (await a_customer()).id, await a_location(time_zone="Asia/Vladivostok")
    member, _ = await add_team_member(TeamMemberDraft("Lev", "Barista"), actor=COMMAND, now=START)
    category, _ = await add_service_category(CategoryDraft("Tastings"), actor=COMMAND, now=START)
    service, _ = await add_service(ServiceDraft("Cupping", category), actor=COMMAND, now=START)
    empty = await text(panel, f"/customers/{person}?tab=appointments")
    assert "No appointments yet" in empty
    form = await text(panel, f"/customers/{person}/appointments/new", **HTMX)
    assert "Lev · Barista" in form
    assert "Tastings" in form
    key = re.search(r'name="key" value="([^"]+)"', form)
    values = {"key": key and key[1], "location_id": str(place), "day": "2026-11-22", "time": "18:30", "state": "came"}
    values |= {"source": "walk_in", "team_member_id": str(member), f"service-{service}": "1", "tips": "150,50"}
    for _ in range(2):
        done = await panel.post(f"/customers/{person}/appointments/new", data=values, allow_redirects=False)
        assert (done.status, done.headers["Location"]) == (303, f"/customers/{person}?tab=appointments")
    [booked], _ = await appointments_of(person)
    assert (booked.state, booked.source, booked.tips, booked.created_via) == ("came", "walk_in", 150_50, "panel")
    assert booked.starts_at.isoformat() == "2026-11-22T08:30:00+00:00"
    words = await text(panel, f"/customers/{person}?tab=appointments")
    assert "18:30" in words
    assert "Cupping" in words
    figures = re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)", words.replace("\xa0", " "))
    assert figures == [("Visits", "1"), ("Locations visited", "1"), ("Next booking", "—"), ("Tips", "150.50 ₽")]
    assert (await customer(person)).visits == 1
    await assert_books_agree(now=clock.now())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"day": ""}, "Fill this in."),
        ({"time": "25:00"}, "This is not a time of day."),
        ({"day": "2031-01-01"}, "This is too far away."),
        ({"day": "2026-11-24", "state": "came"}, "This day has not begun"),
        ({"tips": "many"}, "Write a number."),
        ({"location_id": "9"}, "Choose one of the list."),
        ({"team_member_id": "9"}, "Choose one of the list."),
    ],
)
async def test_what_is_wrong_with_an_appointment_is_told_in_its_form(panel, sign_in_as, more, said):
    await sign_in_as(Role.SUPPORT)
    person, place = (await a_customer()).id, await a_location()
    values = {"key": "k", "location_id": str(place), "day": "2026-11-22", "time": "18:30", "state": "planned"}
    values |= {"source": "phone", "team_member_id": "", "tips": ""} | more
    response = await panel.post(f"/customers/{person}/appointments/new", data=values, headers=HTMX)
    assert response.status == 422
    assert said in await response.text()
    assert await appointments_of(person) == ([], None)


async def test_a_tap_says_what_became_of_it_and_undo_takes_it_back(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    person, place = (await a_customer()).id, await a_location()
    booked = await book(person, place)
    here = f"/customers/{person}/appointments/{booked.id}"
    await panel.post(f"{here}/came", allow_redirects=False)
    words = await text(panel, f"/customers/{person}?tab=appointments")
    assert f'data-undo-url="{here}/planned"' in words
    assert "Back to planned" in words
    assert (await customer(person)).visits == 1
    await panel.post(f"{here}/planned")
    assert (await customer(person)).visits == 0
    later = await book(person, place, starts_at=START.replace(day=25), state=State.PLANNED)
    words = await text(panel, f"/customers/{person}?tab=appointments")
    assert f"/{later.id}/cancelled" in words
    assert f"/{later.id}/came" not in words
    await assert_books_agree(now=START)


async def test_older_appointments_are_on_further_pages(panel, sign_in_as, monkeypatch):
    monkeypatch.setattr("loyalty.bookings.queries.PAGE_ROWS", 2)
    await sign_in_as(Role.MARKETER)
    person, place = (await a_customer()).id, await a_location()
    for day in (1, 2, 3):
        await book(person, place, starts_at=START.replace(day=day))
    first = await text(panel, f"/customers/{person}?tab=appointments")
    older = re.search(r'href="(/customers/[0-9]+\?tab=appointments&amp;before=[^"]+)"', first)
    assert older
    rest = await text(panel, older[1].replace("&amp;", "&"))
    assert "1 Nov 2026" in rest
    assert "3 Nov 2026" not in rest
    for odd in ("x", "2026~1", "2026-11-22~1"):
        await text(panel, f"/customers/{person}?tab=appointments&before={odd}")


async def test_an_appointment_is_moved_and_corrected_by_hand(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    person, other, place = (await a_customer()).id, (await a_customer()).id, await a_location()
    member, _new = await add_team_member(TeamMemberDraft("Лев"), actor=COMMAND, now=START)
    gone, _new = await add_service(ServiceDraft("Каппинг"), actor=COMMAND, now=START)
    booked = await book(person, place, ends_at=START + HOUR, service_ids=(gone,), tips=15050)
    await archive("service", gone, actor=COMMAND, now=START)
    url = f"/customers/{person}/appointments/{booked.id}/edit"
    assert url in await text(panel, f"/customers/{person}?tab=appointments")
    words = await text(panel, url, **HTMX)
    for said in ('value="150.50"', "Каппинг", f'name="service-{gone}" value="1" checked'):
        assert said in words
    form = {"day": "2026-11-24", "time": "18:30", "state": "planned", "team_member_id": str(member), "tips": "200"}
    done = await panel.post(url, data=form | {f"service-{gone}": "1"}, allow_redirects=False)
    assert (done.status, done.headers["Location"]) == (303, f"/customers/{person}?tab=appointments")
    [[known], _] = await appointments_of(person)
    assert (known.team_member_name, known.tips, list(known.service_ids)) == ("Лев", 200_00, [gone])
    local = known.starts_at.astimezone(ZoneInfo(known.time_zone))
    assert (f"{local:%Y-%m-%d %H:%M}", known.ends_at) == ("2026-11-24 18:30", known.starts_at + HOUR)
    for changes, field in (
        ({"day": ""}, "day"),
        ({"time": "25:00"}, "time"),
        ({"tips": "x"}, "tips"),
        ({"day": "1800-01-01"}, "day"),
    ):
        answer = await panel.post(url, data=form | changes, headers=HTMX)
        assert (answer.status, f'id="{field}-error"' in await answer.text()) == (422, True), changes
    # Of somebody else, it is not there.
    for method in (panel.get, panel.post):
        assert (await method(f"/customers/{other}/appointments/{booked.id}/edit")).status == 404
    await assert_books_agree(now=START)
