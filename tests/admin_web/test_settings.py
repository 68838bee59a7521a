import re

import pytest

from loyalty.shop.actions import add_location
from loyalty.shop.queries import location, locations, shop
from loyalty.shop.rules import Hours
from loyalty.staff.actions import invite
from loyalty.staff.queries import JournalFilters, journal_page, staff_list
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import PASSWORD, START, send_login
from tests.builders import a_customer, a_location, a_sale

HTMX = {"HX-Request": "true"}
SHOP = {"name": "Ladno", "currency": "RUB", "region": "RU", "language": "ru", "time_zone": "Europe/Moscow"}


async def test_an_owner_is_led_through_the_first_steps_and_then_to_the_customers(panel, sign_in_as):
    await sign_in_as()
    page = await (await panel.get("/")).text()
    assert "0 of 5 steps are done" in page
    await panel.post("/settings/shop", data=SHOP)
    await panel.post("/settings/locations/new", data={"name": "One", "time_zone": "Europe/Moscow"})
    page = await (await panel.get("/")).text()
    assert "2 of 5 steps are done" in page
    assert page.count('class="btn pri"') == 1
    await invite("till@example.com", "Till", Role.CASHIER, actor=COMMAND, now=START)
    customer = await a_customer()
    await a_sale(customer.id, await a_location(), 100_00)
    answer = await panel.get("/", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/dashboard")


@pytest.mark.parametrize(
    ("role", "home"),
    [
        (Role.CASHIER, "/cashier"),
        (Role.SUPPORT, "/customers"),
        (Role.MARKETER, "/customers"),
        (Role.ANALYST, "/dashboard"),
    ],
)
async def test_others_begin_where_they_work(panel, sign_in_as, role, home):
    await sign_in_as(role)
    assert (await panel.get("/", allow_redirects=False)).headers["Location"] == home


async def test_the_shop_is_saved_and_said(panel, sign_in_as):
    await sign_in_as()
    answer = await panel.post("/settings/shop", data=SHOP | {"currency": "UAH"}, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/settings/shop")
    assert (await shop()).currency == "UAH"
    page = await (await panel.get("/settings/shop")).text()
    assert 'data-toast="Saved"' in page
    assert 'data-toast="Saved"' not in await (await panel.get("/settings/shop")).text()


async def test_htmx_gets_the_form_alone_with_the_error_beside_the_field(panel, sign_in_as):
    await sign_in_as()
    form = SHOP | {"name": "", "region": "UA"}
    answer = await panel.post("/settings/shop", data=form, headers=HTMX)
    text = await answer.text()
    assert answer.status == 422
    assert text.strip().startswith("<form")
    assert 'role="alert" id="name-error"' in text
    assert 'aria-invalid="true"' in text
    assert 'value="UA" selected' in text


async def test_without_scripts_the_whole_page_comes_back_with_what_was_typed(panel, sign_in_as):
    await sign_in_as()
    answer = await panel.post("/settings/shop", data=SHOP | {"name": "x" * 101})
    text = await answer.text()
    assert (answer.status, text.count("<html")) == (422, 1)
    assert "x" * 101 in text
    assert "At most 100 characters." in text


async def test_htmx_is_sent_on_after_a_good_form(panel, sign_in_as):
    await sign_in_as()
    answer = await panel.post("/settings/shop", data=SHOP, headers=HTMX)
    assert (answer.status, answer.headers["HX-Redirect"]) == (204, "/settings/shop")


async def test_the_currency_field_is_off_once_there_are_receipts(panel, sign_in_as):
    await sign_in_as()
    customer = await a_customer()
    await a_sale(customer.id, await a_location(), 100_00)
    page = await (await panel.get("/settings/shop")).text()
    assert re.search(r'<select[^>]* id="currency"[^>]* disabled', page)
    answer = await panel.post("/settings/shop", data=SHOP | {"currency": "EUR"})
    assert answer.status == 422
    assert "The currency can no longer change" in await answer.text()


async def test_a_location_lives_through_its_pages(panel, sign_in_as):
    await sign_in_as()
    assert "No locations yet" in await (await panel.get("/settings/locations")).text()
    form = {"name": "Тверская <12>", "address": "", "time_zone": "Europe/Moscow"}
    await panel.post("/settings/locations/new", data=form)
    page = await (await panel.get("/settings/locations")).text()
    assert "Тверская &lt;12&gt;" in page
    await panel.post("/settings/locations/1", data=form | {"name": "Невский", "burns_without_code": "1"})
    place = await location(1)
    assert (place.name, place.burns_without_code) == ("Невский", True)
    assert "checked" in await (await panel.get("/settings/locations/1")).text()
    await panel.post("/settings/locations/1/close", allow_redirects=False)
    page = await (await panel.get("/settings/locations")).text()
    assert 'data-undo-url="/settings/locations/1/reopen"' in page
    await panel.post("/settings/locations/1/reopen")
    assert (await location(1)).is_open


async def test_a_location_is_told_its_hours_and_its_cash_registers(panel, sign_in_as):
    await sign_in_as()
    form = {"name": "One", "address": "", "time_zone": "Europe/Moscow", "opens-0": "09:00", "closes-0": "21:00"}
    drives = "9999078900000001\r\n\r\n9999078900000002"
    await panel.post("/settings/locations/new", data=form | {"closes-0": "21:00:00", "fiscal_drives": drives})
    place = await location(1)
    assert place.hours == Hours((("09:00", "21:00"), *(None,) * 6))
    page = await (await panel.get("/settings/locations/1")).text()
    assert 'name="opens-0" value="09:00"' in page
    assert "9999078900000001\n9999078900000002</textarea>" in page
    half = await panel.post("/settings/locations/1", data=form | {"opens-6": "10:00"})
    assert half.status == 422
    assert re.search(r'id="hours-6-error".*?Fill this in', await half.text(), re.DOTALL)
    taken = await panel.post(
        "/settings/locations/new", data=form | {"name": "Other", "fiscal_drives": "9999078900000002"}
    )
    assert taken.status == 422
    assert "Number 9999078900000002 belongs to another location: One." in await taken.text()
    await panel.post("/settings/locations/1", data=form | {"opens-0": "", "closes-0": ""})
    place = await location(1)
    assert (place.hours, place.fiscal_drives) == (None, ())


@pytest.mark.parametrize("path", ["/settings/locations/77", "/settings/staff/77", "/settings/locations/9999999999"])
async def test_what_is_not_there_is_not_found(panel, sign_in_as, path):
    await sign_in_as()
    assert (await panel.get(path)).status == 404


async def test_a_colleague_is_invited_by_a_link_that_works(panel, sign_in_as):
    await sign_in_as()
    place = await add_location(name="One", time_zone="Europe/Moscow", actor=COMMAND, now=START)
    form = {
        "email": "till@example.com",
        "name": "Тимур",
        "role": "cashier",
        "location_id": str(place.id),
        "phone": "8 (999) 000-11-22",
        "reach": "chain",
    }
    answer = await panel.post("/settings/staff/invite", data=form)
    text = await answer.text()
    (token,) = re.findall(r"/join/([\w-]{43})", text)
    person = (await staff_list())[-1]
    assert (person.role, person.location_id, person.phone) == (Role.CASHIER, place.id, "+79990001122")
    await panel.post("/logout")
    await panel.post(f"/join/{token}", data={"name": "Тимур", "password": PASSWORD, "again": PASSWORD})
    assert (await send_login(panel, "till@example.com")).status == 303


async def test_a_wrong_invitation_keeps_what_was_typed(panel, sign_in_as):
    await sign_in_as()
    form = {"email": "owner@example.com", "name": "Other", "role": "cashier", "location_id": "", "phone": "12"}
    form["reach"] = "chain"
    text = await (await panel.post("/settings/staff/invite", data=form)).text()
    assert "This is not a phone number." in text
    text = await (await panel.post("/settings/staff/invite", data=form | {"phone": ""}, headers=HTMX)).text()
    assert "Somebody has an account with this address already." in text
    assert 'value="Other"' in text


async def test_a_person_is_changed_reset_disabled_and_enabled(panel, sign_in_as, hire):
    await sign_in_as()
    person = await hire(Role.CASHIER, name="Тимур")
    form = {"name": "Тимур В", "role": "support", "location_id": "", "phone": "", "reach": "chain"}
    await panel.post(f"/settings/staff/{person.id}", data=form)
    assert "Тимур В" in await (await panel.get("/settings/staff")).text()
    assert "/join/" in await (await panel.post(f"/settings/staff/{person.id}/reset")).text()
    answer = await panel.post(f"/settings/staff/{person.id}/disable", headers=HTMX)
    assert answer.headers["HX-Redirect"] == "/settings/staff"
    page = await (await panel.get("/settings/staff")).text()
    assert f'data-undo-url="/settings/staff/{person.id}/enable"' in page
    await panel.post(f"/settings/staff/{person.id}/enable")
    assert all(other.is_active for other in await staff_list())


async def test_rights_are_for_the_locations_that_are_ticked(panel, sign_in_as, hire):
    await sign_in_as()
    one, two = [await add_location(name=name, time_zone="UTC", actor=COMMAND, now=START) for name in ("Arbat", "Park")]
    person = await hire(Role.MARKETER, name="Лера")
    form = {"name": "Лера", "role": "marketer", "location_id": "", "phone": "", "reach": "some"}
    url = f"/settings/staff/{person.id}"
    assert "Fill this in." in await (await panel.post(url, data=form)).text()
    await panel.post(url, data=form | {f"reach-{two.id}": "1"})
    assert [other.location_ids for other in await staff_list() if other.id == person.id] == [(two.id,)]
    assert '<td class="muted">Park</td>' in await (await panel.get("/settings/staff")).text()
    shown = await (await panel.get(url)).text()
    assert f'name="reach-{two.id}" value="1" checked' in shown
    assert f'name="reach-{one.id}" value="1"><' in shown
    refused = await panel.post(url, data=form | {f"reach-{two.id}": "1", "location_id": str(one.id)})
    assert "Choose one of the locations that they have rights for." in await refused.text()
    await panel.post(url, data=form | {"reach": "chain", f"reach-{two.id}": "1"})
    assert [other.location_ids for other in await staff_list() if other.id == person.id] == [None]


async def test_the_last_owner_is_told_why_not(panel, sign_in_as):
    owner = await sign_in_as()
    form = {"name": owner.name, "role": "cashier", "location_id": "", "phone": "", "reach": "chain"}
    answer = await panel.post(f"/settings/staff/{owner.id}", data=form)
    assert answer.status == 422
    assert "There must be an owner who can sign in." in await answer.text()


async def test_the_journal_speaks_sentences_and_filters(panel, sign_in_as):
    owner = await sign_in_as(name="Olga Kim")
    await panel.post("/settings/locations/new", data={"name": "Tverskaya", "time_zone": "Europe/Moscow"})
    page = await (await panel.get("/journal")).text()
    assert "Location added" in page
    assert "Tverskaya" in page
    assert "location.added" not in re.sub(r'value="[^"]*"', "", page)
    answer = await panel.get(f"/journal?action=location.added&staff={owner.id}&since=2026-11-22&until=2026-11-22")
    page = await answer.text()
    assert page.count('class="k-main"') == 1
    assert page.count('class="chip"') == 4
    empty = await (await panel.get("/journal?until=2020-01-01")).text()
    assert "Nothing like this in the journal" in empty
    part = await (await panel.get("/journal", headers=HTMX | {"HX-Target": "results"})).text()
    assert part.strip().startswith('<div class="results" id="results">')


async def test_the_journal_is_paged_from_the_newest(panel, sign_in_as):
    await sign_in_as()
    for number in range(55):
        await add_location(name=f"Place {number}", time_zone="UTC", actor=COMMAND, now=START)
    page = await (await panel.get("/journal")).text()
    assert page.count('class="k-main"') == 50
    (older,) = set(re.findall(r'href="(/journal\?before=\d+)"', page))
    page = await (await panel.get(older)).text()
    assert 0 < page.count('class="k-main"') < 50
    assert len((await journal_page(JournalFilters(), limit=500)).lines) == 50 + page.count('class="k-main"')


@pytest.mark.parametrize(
    "query", ["since=nonsense", "staff=abc", "before=%00", "staff=99999999999", "until=2026-02-30"]
)
async def test_an_odd_filter_of_the_journal_breaks_nothing(panel, sign_in_as, query):
    await sign_in_as()
    assert (await panel.get(f"/journal?{query}")).status == 200


async def test_the_account_keeps_name_language_and_theme(panel, sign_in_as):
    await sign_in_as()
    form = {"name": "Ольга", "language": "ru", "theme": "dark"}
    answer = await panel.post("/account", data=form, allow_redirects=False)
    assert answer.cookies["theme"].value == "dark"
    page = await (await panel.get("/account")).text()
    assert '<html lang="ru" data-theme="dark">' in page
    assert 'value="Ольга"' in page
    assert (await panel.post("/account", data={**form, "name": " "})).status == 422


async def test_a_wrong_old_password_changes_nothing(panel, sign_in_as):
    person = await sign_in_as()
    form = {"old": "not it", "password": "another phrase", "again": "another phrase"}
    answer = await panel.post("/account/password", data=form, headers=HTMX)
    assert answer.status == 422
    assert "The password is wrong." in await answer.text()
    assert (await send_login(panel, person.email)).status == 303


@pytest.mark.parametrize("language", ["en", "ru", "uk"])
async def test_every_page_of_the_frame_is_made_in_every_language(panel, sign_in_as, hire, language):
    await sign_in_as()
    await hire(Role.CASHIER)
    place = await add_location(name="One", time_zone="Europe/Moscow", actor=COMMAND, now=START)
    await panel.post("/account/language", data={"language": language})
    for path in (
        "/",
        "/account",
        "/account/sessions",
        "/settings/shop",
        "/settings/locations",
        f"/settings/locations/{place.id}",
        "/settings/staff",
        "/settings/staff/invite",
        "/settings/staff/2",
        "/journal",
    ):
        answer = await panel.get(path)
        text = await answer.text()
        assert answer.status == 200, path
        assert f'<html lang="{language}"' in text
        assert text.count("<h1") == 1, path
        # A dialog is a page of its own while it is open.
        assert re.sub(r"<dialog.*?</dialog>", "", text, flags=re.DOTALL).count("btn pri") <= 1, path
    assert await locations()


async def test_an_owner_signs_a_colleague_out_everywhere(panel, sign_in_as, hire, clock):
    def carry(cookies: dict[str, str]) -> dict[str, str]:
        """Take these cookies in place of those one had; returns the latter."""
        jar, url = panel.session.cookie_jar, panel.make_url("/")
        had = {name: cookie.value for name, cookie in jar.filter_cookies(url).items()}
        jar.clear()
        jar.update_cookies(cookies, url)
        return had

    colleague = await hire(Role.MARKETER)
    await send_login(panel, colleague.email)
    theirs = carry({})
    await sign_in_as()
    clock.move(minutes=1)
    assert "Sign out everywhere" in await (await panel.get(f"/settings/staff/{colleague.id}")).text()
    ours = carry(theirs)
    assert (await panel.get("/account", allow_redirects=False)).status == 200
    carry(ours)
    await panel.post(f"/settings/staff/{colleague.id}/sign-out")
    ours = carry(theirs)
    assert (await panel.get("/account", allow_redirects=False)).status == 303
    carry(ours)
    assert (await panel.get("/account", allow_redirects=False)).status == 200
