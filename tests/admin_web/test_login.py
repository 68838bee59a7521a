import re

import pytest
import redis.asyncio

from loyalty.staff.actions import disable, end_sessions, invite, reset_password, update_staff
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import PASSWORD, START, send_login


async def test_the_right_password_opens_a_session_that_scripts_cannot_read(panel, hire):
    person = await hire()
    answer = await send_login(panel, person.email)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    cookie = answer.cookies["regulars"]
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Lax", "")
    assert len(cookie.value) >= 43


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(panel, hire):
    person = await hire()
    wrong = await send_login(panel, person.email, "not the phrase")
    unknown = await send_login(panel, "nobody@example.com", "not the phrase")
    assert wrong.status == unknown.status == 422
    text = await wrong.text()
    assert "The e-mail or the password is wrong." in text
    assert text.replace(person.email, "") == (await unknown.text()).replace("nobody@example.com", "")


async def test_a_password_is_never_sent_back(panel, hire):
    await hire()
    answer = await send_login(panel, "owner@example.com", "mistyped phrase")
    assert "mistyped phrase" not in await answer.text()
    assert 'value="owner@example.com"' in await answer.text()


async def test_signing_in_leads_back_to_the_page_one_wanted(panel, hire):
    person = await hire()
    answer = await panel.get("/journal?action=staff.joined", allow_redirects=False)
    assert answer.headers["Location"] == "/login?next=%2Fjournal%3Faction%3Dstaff.joined"
    form = {"email": person.email, "password": PASSWORD, "next": "/journal?action=staff.joined"}
    answer = await panel.post("/login", data=form, allow_redirects=False)
    assert answer.headers["Location"] == "/journal?action=staff.joined"


@pytest.mark.parametrize("away", ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", ""])
async def test_signing_in_never_leads_to_another_site(panel, hire, away):
    person = await hire()
    form = {"email": person.email, "password": PASSWORD, "next": away}
    answer = await panel.post("/login", data=form, allow_redirects=False)
    assert answer.headers["Location"] == "/"


async def test_htmx_is_told_where_to_sign_in(panel):
    answer = await panel.get("/journal", headers={"HX-Request": "true"}, allow_redirects=False)
    assert (answer.status, answer.headers["HX-Redirect"]) == (401, "/login")


async def test_a_session_gets_a_new_id_at_each_sign_in_and_the_old_one_is_void(panel, hire):
    person = await hire()
    first = (await send_login(panel, person.email)).cookies["regulars"].value
    second = (await send_login(panel, person.email)).cookies["regulars"].value
    assert first != second
    panel.session.cookie_jar.clear()
    answer = await panel.get("/account", cookies={"regulars": first}, allow_redirects=False)
    assert answer.status == 303


async def test_a_session_id_made_up_by_others_is_not_taken(panel, hire):
    person = await hire()
    panel.session.cookie_jar.update_cookies({"regulars": "planted"}, panel.make_url("/"))
    answer = await send_login(panel, person.email)
    assert answer.cookies["regulars"].value != "planted"


async def test_signing_out_ends_the_session_on_the_server(panel, sign_in_as):
    await sign_in_as()
    cookie = panel.session.cookie_jar.filter_cookies(panel.make_url("/"))["regulars"].value
    await panel.post("/logout")
    panel.session.cookie_jar.clear()
    assert (await panel.get("/account", cookies={"regulars": cookie}, allow_redirects=False)).status == 303


@pytest.mark.parametrize(("role", "idle"), [(Role.CASHIER, {"hours": 12}), (Role.OWNER, {"days": 7})])
async def test_an_idle_session_ends(panel, sign_in_as, clock, role, idle):
    await sign_in_as(role)
    clock.move(**idle)
    assert (await panel.get("/account", allow_redirects=False)).status == 200
    clock.move(**idle)
    clock.move(seconds=1)
    assert (await panel.get("/account", allow_redirects=False)).status == 303


async def test_sessions_from_ends_older_sessions_even_if_redis_still_has_them(panel, sign_in_as, clock):
    person = await sign_in_as()
    clock.move(minutes=1)
    await end_sessions(person.id, actor=COMMAND, now=clock.now())
    assert (await panel.get("/account", allow_redirects=False)).status == 303


async def test_a_disabled_person_is_out_at_the_next_click(panel, sign_in_as, hire, clock):
    await hire(email="second@example.com")
    person = await sign_in_as(Role.CASHIER)
    await disable(person.id, actor=COMMAND, now=clock.now())
    assert (await panel.get("/account", allow_redirects=False)).status == 303


async def test_a_new_role_counts_from_the_next_click(panel, sign_in_as, clock):
    person = await sign_in_as(Role.MARKETER)
    assert (await panel.get("/journal")).status == 403
    await update_staff(
        person.id,
        name="Olga",
        role=Role.ANALYST,
        location_id=None,
        location_ids=None,
        phone=None,
        actor=COMMAND,
        now=clock.now(),
    )
    assert (await panel.get("/journal")).status == 200


async def test_guessing_at_one_account_is_slowed_down_and_says_how_long(panel, hire):
    person = await hire()
    for _ in range(5):
        assert (await send_login(panel, person.email, "wrong phrase")).status == 422
    assert (await send_login(panel, person.email, "wrong phrase")).status == 422
    answer = await send_login(panel, person.email)
    assert answer.status == 429
    assert re.search(r"Too many tries\. Wait \d seconds?\.", await answer.text())
    assert int(answer.headers["Retry-After"]) >= 1


async def test_an_unknown_account_is_slowed_down_alike(panel, hire):
    await hire()
    for _ in range(6):
        await send_login(panel, "nobody@example.com", "wrong phrase")
    assert (await send_login(panel, "nobody@example.com", "wrong phrase")).status == 429


async def test_guessing_at_many_accounts_from_one_address_is_slowed_down(panel, hire):
    person = await hire()
    for number in range(21):
        await send_login(panel, f"guess{number}@example.com", "wrong phrase")
    assert (await send_login(panel, person.email)).status == 429
    # Another address may go on; the proxy that tells it is trusted.
    elsewhere = {"X-Forwarded-For": "203.0.113.9"}
    form = {"email": person.email, "password": PASSWORD}
    assert (await panel.post("/login", data=form, headers=elsewhere, allow_redirects=False)).status == 303


async def test_the_right_password_forgives_the_tries_before(panel, hire):
    person = await hire()
    for _ in range(5):
        await send_login(panel, person.email, "wrong phrase")
    assert (await send_login(panel, person.email)).status == 303
    for _ in range(5):
        assert (await send_login(panel, person.email, "wrong phrase")).status == 422


async def test_a_whole_shop_signs_in_from_one_address(panel, hire):
    person = await hire()
    for _ in range(30):
        assert (await send_login(panel, person.email)).status == 303


async def test_redis_holds_no_addresses_of_those_who_tried(panel, redis_url):
    await send_login(panel, "somebody@example.com", "wrong phrase")
    client = redis.asyncio.from_url(redis_url, decode_responses=True)
    keys = [key async for key in client.scan_iter("login:*")]
    await client.aclose()
    assert keys
    assert not any("somebody" in key or "127.0.0.1" in key for key in keys)


async def test_an_invitation_link_sets_a_password_and_signs_in(panel, database):
    token = await invite("timur@example.com", "Timur", Role.OWNER, actor=COMMAND, now=START)
    assert "timur@example.com" in await (await panel.get(f"/join/{token}")).text()
    form = {"name": "Timur V", "password": PASSWORD, "again": PASSWORD}
    answer = await panel.post(f"/join/{token}", data=form, allow_redirects=False)
    assert answer.status == 303
    page = await (await panel.get("/account")).text()
    assert 'value="Timur V"' in page
    assert "The password is set. Welcome." in page
    assert (await panel.get(f"/join/{token}")).status == 404


async def test_a_bad_password_is_explained_beside_its_field_and_the_name_is_kept(panel, database):
    token = await invite("timur@example.com", "Timur", Role.OWNER, actor=COMMAND, now=START)
    form = {"name": "Timur V", "password": "short", "again": "other"}
    answer = await panel.post(f"/join/{token}", data=form)
    text = await answer.text()
    assert answer.status == 422
    assert "The two passwords differ." in text
    assert 'value="Timur V"' in text
    answer = await panel.post(f"/join/{token}", data=form | {"again": "short"})
    assert "At least 10 characters." in await answer.text()


async def test_a_link_that_ran_out_says_so(panel, hire, clock):
    person = await hire()
    token = await reset_password(person.id, actor=COMMAND, now=START)
    clock.move(hours=25)
    answer = await panel.get(f"/join/{token}")
    assert answer.status == 404
    assert "This link no longer works" in await answer.text()
    assert (await panel.post(f"/join/{token}", data={"name": "A", "password": "x", "again": "x"})).status == 404


async def test_my_sessions_are_listed_and_can_be_ended(panel, sign_in_as, clock):
    person = await sign_in_as()
    agent = {"User-Agent": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"}
    clock.move(minutes=2)
    panel.session.cookie_jar.clear()
    form = {"email": person.email, "password": PASSWORD}
    await panel.post("/login", data=form, headers=agent, allow_redirects=False)
    page = await (await panel.get("/account/sessions")).text()
    assert "Chrome, Android" in page
    (other,) = re.findall(r"/account/sessions/([\w-]+)/end\"", page)
    await panel.post(f"/account/sessions/{other}/end")
    page = await (await panel.get("/account/sessions")).text()
    assert f"/account/sessions/{other}/end" not in page
    assert (await panel.get("/account", allow_redirects=False)).status == 200


async def test_a_changed_password_keeps_this_browser_and_signs_out_the_others(panel, sign_in_as, clock):
    person = await sign_in_as()
    old = panel.session.cookie_jar.filter_cookies(panel.make_url("/"))["regulars"].value
    panel.session.cookie_jar.clear()
    await send_login(panel, person.email)
    clock.move(minutes=1)
    form = {"old": PASSWORD, "password": "another phrase", "again": "another phrase"}
    answer = await panel.post("/account/password", data=form, allow_redirects=False)
    assert answer.status == 303
    assert (await panel.get("/account", allow_redirects=False)).status == 200
    panel.session.cookie_jar.clear()
    assert (await panel.get("/account", cookies={"regulars": old}, allow_redirects=False)).status == 303


async def test_one_cannot_end_the_sessions_of_others(panel, sign_in_as, hire, redis_url):
    owner = await sign_in_as()
    client = redis.asyncio.from_url(redis_url, decode_responses=True)
    (sid,) = await client.hkeys(f"staff:{owner.id}:sessions")
    cookie = panel.session.cookie_jar.filter_cookies(panel.make_url("/"))["regulars"].value
    panel.session.cookie_jar.clear()
    await sign_in_as(Role.CASHIER)
    await panel.post("/account/sessions/" + str(sid) + "/end")
    panel.session.cookie_jar.clear()
    assert (await panel.get("/account", cookies={"regulars": cookie}, allow_redirects=False)).status == 200
    await client.aclose()
