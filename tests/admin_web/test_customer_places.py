"""The phone and the e-mail of a card among the places where its customer can be written to."""

import pytest

from loyalty.customers.actions.accounts import set_account_active
from loyalty.customers.actions.profile import add_customer
from loyalty.customers.queries import consents, places_of
from loyalty.customers.rules import Profile, Via
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import START
from tests.builders import a_message, an_account

PHONE, EMAIL = "+79161238525", "maria@example.com"


@pytest.fixture
async def person(panel):
    profile = Profile("Мария Соколова", PHONE, EMAIL, None, None, "ru", None)
    return await add_customer(profile, via=Via.PANEL, actor=COMMAND, now=START)


async def tab(panel, person) -> str:
    answer = await panel.get(f"/customers/{person.id}?tab=messengers", headers={"HX-Request": "true"})
    return str(await answer.text())


async def test_phone_and_email_stand_below_the_messengers_and_stay_with_the_profile(panel, sign_in_as, person):
    await sign_in_as(Role.SUPPORT)
    assert "No messenger yet" in await tab(panel, person)
    await an_account(person.id)
    chat, sms, email = await places_of(person.id)
    await a_message(sms.id, "Receipt", kind="receipt", status="delivered", now=START)
    page = await tab(panel, person)
    above, _, below = page.partition("Phone and e-mail")
    assert ("@maria" in above, 0 < below.index("916") < below.index(EMAIL)) == (True, True)
    assert page.count("Make default") == 0
    assert page.count("/remove") == 1
    for place in (sms, email):
        base = f"/customers/{person.id}/accounts/{place.id}"
        for act in ("default", "remove"):
            assert (await panel.post(f"{base}/{act}")).status == 404
    assert [place.id for place in await places_of(person.id)] == [chat.id, sms.id, email.id]


async def test_what_may_be_written_to_a_phone_is_chosen_and_a_yes_is_a_consent(panel, sign_in_as, person):
    await sign_in_as(Role.SUPPORT)
    sms, email = await places_of(person.id)
    base = f"/customers/{person.id}/accounts/{sms.id}"
    await panel.post(f"{base}/topics/service/off")
    await panel.post(f"/customers/{person.id}/accounts/{email.id}/unsubscribe")
    sms, email = await places_of(person.id)
    assert (sms.takes_service, sms.takes_marketing, email.takes_marketing) == (False, True, False)
    assert await consents(person.id) == []
    await panel.post(f"/customers/{person.id}/accounts/{email.id}/subscribe")
    assert {(one.topic, one.granted) for one in await consents(person.id)} == {("marketing", True), ("surveys", True)}


async def test_why_nothing_arrives_is_said_and_who_may_not_see_phones_sees_neither(panel, sign_in_as, person):
    sms, email = await places_of(person.id)
    await set_account_active(email.id, is_active=False, reason="gone", now=START)
    await sign_in_as(Role.ANALYST)
    page = await tab(panel, person)
    assert "Nothing arrives there" in page
    assert (EMAIL in page, PHONE[-7:] in page.replace("-", ""), "··-25" in page.partition("Phone and e-mail")[2]) == (
        False,
        False,
        True,
    )
    assert "/topics/" not in page
    assert (await panel.post(f"/customers/{person.id}/accounts/{sms.id}/topics/service/off")).status == 403
