"""What messages cost, on the page where the owner tells it."""

import re

from loyalty.conversations.prices import UNKNOWN, Price
from loyalty.conversations.queries.prices import prices
from loyalty.staff.rules import Role

HTMX = {"HX-Request": "true"}
PATH = "/settings/message-prices"
EMPTY = ",".join("-" * 8)
FORM = {
    "seen": EMPTY,
    "telegram-advertising": "0",
    "telegram-service": "0",
    "whatsapp-advertising": "6,70 ₽",
    "whatsapp-service": "",
    "sms-advertising": "4.5",
    "sms-service": "0.0733",
}


async def test_prices_are_saved_to_a_hundredth_of_a_kopeck_and_shown_again(panel, sign_in_as):
    await sign_in_as()
    page = await (await panel.get(PATH)).text()
    assert re.search(r'href="/settings/message-types" aria-current="page"', page)
    assert f'name="seen" value="{EMPTY}"' in page
    assert (await panel.post(PATH, data=FORM, allow_redirects=False)).status == 303
    assert await prices() == {
        "telegram": Price(0, 0),
        "whatsapp": Price(670_00),
        "sms": Price(450_00, 7_33),
        "email": UNKNOWN,
    }
    page = await (await panel.get(PATH)).text()
    for name, value in (("whatsapp-advertising", "6.7"), ("sms-service", "0.0733"), ("telegram-service", "0")):
        assert re.search(rf'name="{name}"[^>]* value="{value}"', page), name
    assert re.search(r'name="email-service"[^>]* value=""', page)


async def test_wrong_prices_come_back_with_their_reasons(panel, sign_in_as):
    await sign_in_as()
    for typed, said in (("free", "a number"), ("0.00001", "Too many digits"), ("100001", "This is too much.")):
        answer = await panel.post(PATH, data=FORM | {"sms-advertising": typed}, headers=HTMX)
        page = await answer.text()
        assert answer.status == 422, typed
        assert said in page, typed
        assert 'id="sms-advertising-error"' in page
        assert f'value="{typed}"' in page
    assert (await panel.post(PATH, data=FORM | {"seen": "0,0"})).status == 400
    assert (await panel.post(PATH, data=FORM | {"seen": EMPTY.replace("-", "x")})).status == 400
    assert set((await prices()).values()) == {UNKNOWN}


async def test_who_saves_second_is_told(panel, sign_in_as):
    await sign_in_as()
    await panel.post(PATH, data=FORM)
    answer = await panel.post(PATH, data=FORM | {"email-service": "1"}, headers=HTMX)
    page = await answer.text()
    assert (answer.status, "Somebody changed this meanwhile." in page) == (422, True)
    assert 'name="seen" value="0,0,67000,-,45000,733,-,-"' in page


async def test_only_owners_tell_prices(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    assert (await panel.get(PATH)).status == 403
    assert (await panel.post(PATH, data=FORM)).status == 403
