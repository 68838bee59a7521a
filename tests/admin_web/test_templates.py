"""Templates for WhatsApp on their pages: written, noted, kept from those who may not."""

import re

from loyalty import db
from loyalty.conversations.actions.templates import note_template
from loyalty.conversations.queries.templates import all_templates, template_line
from loyalty.staff.rules import Role
from tests.admin_web.conftest import START

HTMX = {"HX-Request": "true"}
PATH = "/settings/templates"
FORM = {
    "name": "birthday_gift",
    "language": "ru",
    "category": "marketing",
    "body": "Дарим {{1}}, потратьте до {{2}}!",
    "kind": "birthday",
    "variable-1": "amount",
    "fallback-1": "бонусы",
    "variable-2": "until",
    "fallback-2": "конца месяца",
}


async def a_template(panel):
    answer = await panel.post(f"{PATH}/new", data=FORM, allow_redirects=False)
    return int(answer.headers["Location"].rsplit("/", 1)[1])


async def test_a_template_is_written_and_stands_in_the_list(panel, sign_in_as):
    await sign_in_as()
    assert "No templates yet" in await (await panel.get(PATH)).text()
    template_id = await a_template(panel)
    page = await (await panel.get(PATH)).text()
    assert f"{PATH}/{template_id}" in page
    assert "Birthday gift" in page
    assert "Draft" in page
    page = await (await panel.get(f"{PATH}/{template_id}")).text()
    assert "Дарим бонусы, потратьте до конца месяца!" in page
    assert "Create it in WhatsApp Manager under this name" in page


async def test_variables_follow_the_text(panel, sign_in_as):
    await sign_in_as()
    form = FORM | {"body": "Дарим {{1}} и ещё {{2}} и {{3}}.", "step": "variables"}
    page = await (await panel.post(f"{PATH}/new", data=form, headers=HTMX)).text()
    assert 'name="variable-3"' in page
    assert 'value="amount" selected' in page
    assert "<html" not in page
    assert await all_templates() == []
    page = await (await panel.post(f"{PATH}/new", data=form | {"kind": ""}, headers=HTMX)).text()
    assert 'list="known-variables"' in page


async def test_what_is_wrong_stands_beside_its_field(panel, sign_in_as):
    await sign_in_as()
    answer = await panel.post(f"{PATH}/new", data=FORM | {"fallback-2": ""}, headers=HTMX)
    page = await answer.text()
    assert (answer.status, 'id="fallback-2-error"' in page) == (422, True)
    await a_template(panel)
    page = await (await panel.post(f"{PATH}/new", data=FORM, headers=HTMX)).text()
    assert "There is a template with this name in this language already." in page


async def test_an_owner_notes_what_whatsapp_says(panel, sign_in_as):
    await sign_in_as()
    template_id = await a_template(panel)
    url = f"{PATH}/{template_id}/status"
    await panel.post(url, data={"status": "pending", "seen": "draft"})
    assert "WhatsApp looks at it" in await (await panel.get(f"{PATH}/{template_id}")).text()
    await panel.post(url, data={"status": "approved", "seen": "pending"})
    page = await (await panel.get(f"{PATH}/{template_id}")).text()
    assert "WhatsApp has this template" in page
    assert "people who have not written for a day will not get that" in page
    assert (await panel.post(url, data={"status": "draft", "seen": "approved"})).status == 409
    assert (await panel.post(url, data={"status": "pigeon", "seen": "approved"})).status == 400


async def test_what_meta_reports_is_shown_in_words(panel, sign_in_as):
    await sign_in_as()
    template_id = await a_template(panel)
    await note_template("birthday_gift", "ru", "rejected", "INCORRECT_CATEGORY", now=START)
    page = await (await panel.get(f"{PATH}/{template_id}")).text()
    assert "WhatsApp says: the category does not fit its words" in page
    assert 'name="body" rows' in page


async def test_of_an_approved_one_only_our_side_changes(panel, sign_in_as):
    await sign_in_as()
    template_id = await a_template(panel)
    await note_template("birthday_gift", "ru", "approved", "", now=START)
    page = await (await panel.get(f"{PATH}/{template_id}")).text()
    seen = re.search(r'name="seen" value="([^"]*T[^"]*)"', page)
    assert seen is not None
    changed = FORM | {"seen": seen[1], "fallback-1": "подарок"}
    assert (await panel.post(f"{PATH}/{template_id}", data=changed, headers=HTMX)).status == 204
    answer = await panel.post(f"{PATH}/{template_id}", data=changed | {"body": "Дарим {{1}} до {{2}}."}, headers=HTMX)
    assert answer.status == 422
    assert (await template_line(template_id)).variables[0].fallback == "подарок"


async def test_a_template_is_deleted_after_a_question(panel, sign_in_as):
    await sign_in_as()
    template_id = await a_template(panel)
    assert 'id="delete"' in await (await panel.get(f"{PATH}/{template_id}")).text()
    await panel.post(f"{PATH}/{template_id}/delete")
    assert await db.fetch_value("SELECT count(*) FROM message_template") == 0
    assert (await panel.get(f"{PATH}/{template_id}")).status == 404


async def test_only_owners_write_templates(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    assert (await panel.get(PATH)).status == 403
    assert (await panel.post(f"{PATH}/new", data=FORM)).status == 403
