"""Templates of the shop: what WhatsApp would take, who decides of them, what stands in for a message."""

from dataclasses import replace
from datetime import timedelta

import pytest

from loyalty import db
from loyalty.conversations.actions.templates import (
    add_template,
    change_template,
    delete_template,
    mark_template,
    note_template,
)
from loyalty.conversations.queries.sending import template_for, template_like
from loyalty.conversations.queries.templates import all_templates, standing_in, template_line
from loyalty.conversations.templating import TemplateDraft, TemplateStatus, Variable
from loyalty.errors import Conflict, Invalid, NotFound, Refused
from loyalty.staff.rules import COMMAND
from tests.builders import NOW

LATER = NOW + timedelta(hours=1)
DRAFT = TemplateDraft(
    "birthday_gift",
    "ru",
    "marketing",
    "Дарим {{1}}, потратьте до {{2}}!",
    (Variable("amount", "бонусы"), Variable("until", "конца месяца")),
    "birthday",
)


async def add(**changes):
    return await add_template(replace(DRAFT, **changes), actor=COMMAND, now=NOW)


async def change(template_id, *, seen=NOW, **changes):
    await change_template(template_id, replace(DRAFT, **changes), seen=seen, actor=COMMAND, now=LATER)


async def mark(template_id, status, seen=TemplateStatus.DRAFT):
    await mark_template(template_id, status, seen=seen, actor=COMMAND, now=NOW)


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"name": ""}, "name", "required"),
        ({"name": "Birthday gift"}, "name", "not_a_template_name"),
        ({"language": "xx"}, "language", "unknown_choice"),
        ({"category": "other"}, "category", "unknown_choice"),
        ({"kind": "pigeon"}, "kind", "unknown_choice"),
        ({"body": ""}, "body", "required"),
        ({"body": "б" * 1025}, "body", "too_long"),
        ({"body": "Дарим {amount}."}, "body", "odd_template_braces"),
        ({"body": "Дарим {{2}} сегодня."}, "body", "variables_not_in_a_row"),
        ({"body": "{{1}}, дарим бонусы."}, "body", "variable_at_the_end"),
        ({"body": "Дарим {{1}}"}, "body", "variable_at_the_end"),
        ({"variables": DRAFT.variables[:1]}, "variable-2", "required"),
        ({"variables": (Variable("total", "—"), DRAFT.variables[1])}, "variable-1", "unknown_variable"),
        ({"kind": None, "variables": (Variable("Как", "—"), DRAFT.variables[1])}, "variable-1", "not_a_variable_name"),
        ({"variables": (Variable("amount", ""), DRAFT.variables[1])}, "fallback-1", "required"),
        ({"variables": (Variable("amount", "б" * 201), DRAFT.variables[1])}, "fallback-1", "too_long"),
    ],
)
async def test_what_whatsapp_would_not_take_is_refused_at_its_field(database, changes, field, reason):
    with pytest.raises(Invalid, match=reason) as refused:
        await add(**changes)
    assert refused.value.field == field


async def test_a_name_is_taken_once_in_a_language(database):
    first = await add()
    with pytest.raises(Invalid, match="template_name_taken"):
        await add()
    second = await add(language="uk")
    with pytest.raises(Invalid, match="template_name_taken"):
        await change(second, language="ru")
    assert [one.id for one in await all_templates()] == [first, second]


async def test_a_draft_is_sent_once_whatsapp_has_approved_it(database):
    template_id = await add()
    assert await template_for("birthday", "ru", {}) is None
    assert await note_template("birthday_gift", "ru", "approved", "", now=LATER)
    filled = await template_for("birthday", "ru", {"amount": "300 бонусов"})
    standing = await standing_in("birthday", "uk")
    assert filled is not None
    assert standing is not None
    assert (filled.name, filled.values) == ("birthday_gift", ("300 бонусов", "конца месяца"))
    assert standing.id == template_id
    assert await standing_in("receipt", "ru") is None


async def test_a_template_is_said_in_the_language_of_whoever_gets_it_where_it_is_approved(database):
    russian = await add()
    await add(language="uk", body="Даруємо {{1}}, витратьте до {{2}}!")
    assert await template_like(russian, "uk", {}) is None
    await note_template("birthday_gift", "ru", "approved", "", now=LATER)
    told = await template_like(russian, "uk", {"amount": "300"})
    assert told is not None
    assert (told.language, told.values) == ("ru", ("300", "конца месяца"))
    await note_template("birthday_gift", "uk", "approved", "", now=LATER)
    told = await template_like(russian, "uk", {})
    assert told is not None
    assert told.language == "uk"


async def test_where_no_report_comes_people_note_what_whatsapp_says(database):
    template_id = await add()
    await mark(template_id, TemplateStatus.PENDING)
    await mark(template_id, TemplateStatus.PENDING)
    with pytest.raises(Conflict, match="changed_meanwhile"):
        await mark(template_id, TemplateStatus.APPROVED)
    await mark(template_id, TemplateStatus.APPROVED, TemplateStatus.PENDING)
    with pytest.raises(Refused, match="not_by_hand"):
        await mark(template_id, TemplateStatus.DRAFT, TemplateStatus.APPROVED)
    acts = await db.fetch("SELECT details FROM journal_entry WHERE action = 'template.marked' ORDER BY id")
    assert [db.from_json(act["details"])["status"] for act in acts] == ["pending", "approved"]


async def test_words_that_whatsapp_has_stay_and_our_side_may_change(database):
    template_id = await add()
    await mark(template_id, TemplateStatus.APPROVED)
    with pytest.raises(Refused, match="template_is_fixed"):
        await change(template_id, body="Дарим {{1}} до {{2}}.")
    await change(template_id, kind=None, variables=(Variable("amount", "подарок"), DRAFT.variables[1]))
    changed = await template_line(template_id)
    assert (changed.status, changed.kind, changed.variables[0].fallback) == ("approved", None, "подарок")


async def test_a_rejected_one_with_other_words_is_a_draft_again(database):
    template_id = await add()
    await note_template("birthday_gift", "ru", "rejected", "INCORRECT_CATEGORY", now=NOW)
    await change(template_id)
    assert (await template_line(template_id)).reason == "INCORRECT_CATEGORY"
    await change(template_id, seen=LATER, category="utility")
    changed = await template_line(template_id)
    assert (changed.status, changed.reason) == ("draft", None)


async def test_two_who_change_one_template_do_not_overwrite_each_other(database):
    template_id = await add()
    await change(template_id)
    with pytest.raises(Conflict, match="changed_meanwhile"):
        await change(template_id, body="Дарим {{1}} до {{2}}.")


async def test_a_deleted_one_stands_in_for_nothing(database):
    template_id = await add()
    await mark(template_id, TemplateStatus.APPROVED)
    await delete_template(template_id, actor=COMMAND, now=LATER)
    assert await standing_in("birthday", "ru") is None
    with pytest.raises(NotFound, match="message_template"):
        await delete_template(template_id, actor=COMMAND, now=LATER)
