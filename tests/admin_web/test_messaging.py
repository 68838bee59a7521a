"""Quiet hours and the limit of advertising on their page."""

import re

from loyalty.conversations.queries.sending import manners
from loyalty.conversations.rules import Cap, Manners, Quiet
from loyalty.staff.rules import Role

HTMX = {"HX-Request": "true"}
PATH = "/settings/messaging"
FORM = {"seen": "22,9,0,7", "quiet_from": "21", "quiet_until": "10", "cap_messages": "2", "cap_days": "7"}


async def test_it_is_saved_and_says_how_it_reads(panel, sign_in_as):
    await sign_in_as()
    page = await (await panel.get(PATH)).text()
    assert "From 22:00 to 9:00 by the customer's clock nothing is sent that can wait." in page
    assert re.search(r'href="/settings/message-types" aria-current="page"', page)
    assert (await panel.post(PATH, data=FORM, allow_redirects=False)).status == 303
    assert await manners() == Manners(Quiet(21, 10), Cap(2, 7))
    page = await (await panel.get(PATH)).text()
    assert "A person gets at most 2 advertising messages in 7 days." in page


async def test_it_reads_anew_while_it_is_changed(panel, sign_in_as):
    await sign_in_as()
    same = FORM | {"quiet_until": "21", "step": "read", "cap_messages": "0"}
    page = await (await panel.post(PATH, data=same, headers=HTMX)).text()
    assert "There are no quiet hours" in page
    assert "There is no limit of advertising." in page
    assert "<html" not in page
    assert await manners() == Manners()


async def test_wrong_figures_come_back_with_their_reasons(panel, sign_in_as):
    await sign_in_as()
    wrong = FORM | {"cap_messages": "101", "cap_days": ""}
    answer = await panel.post(PATH, data=wrong, headers=HTMX)
    assert answer.status == 422
    assert 'id="cap_days-error"' in await answer.text()
    answer = await panel.post(PATH, data=wrong | {"cap_days": "7"}, headers=HTMX)
    assert "From 0 to 100." in await answer.text()
    assert (await panel.post(PATH, data=FORM | {"seen": "22,9,0"})).status == 400


async def test_who_saves_second_is_told(panel, sign_in_as):
    await sign_in_as()
    await panel.post(PATH, data=FORM)
    answer = await panel.post(PATH, data=FORM | {"quiet_from": "20"}, headers=HTMX)
    page = await answer.text()
    assert (answer.status, "Somebody changed this meanwhile." in page) == (422, True)
    assert 'name="seen" value="21,10,2,7"' in page


async def test_only_owners_set_hours(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    assert (await panel.get(PATH)).status == 403
    assert (await panel.post(PATH, data=FORM)).status == 403
