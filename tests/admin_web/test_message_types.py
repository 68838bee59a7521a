"""The matrix of what is sent, and one type of it: channels, words, preview."""

import re

import pytest

from admin_web.acts import ACTS
from admin_web.message_words import NAMES as TYPE_NAMES
from admin_web.message_words import VARIABLES, grouped
from loyalty import db
from loyalty.conversations.content import Content
from loyalty.conversations.kinds import KINDS
from loyalty.conversations.message_types import NAMES, usable_variables
from loyalty.conversations.queries.types import message_type
from loyalty.staff.rules import Role
from tests.admin_web.conftest import START
from tests.builders import a_customer, a_message, an_account

HTMX = {"HX-Request": "true"}
PATH = "/settings/message-types"


def fields(page):
    """What a browser would send of the form of a type: hidden fields, ticks, texts, subjects."""
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    form |= dict.fromkeys(re.findall(r'type="checkbox" name="([\w-]+)" value="1" checked', page), "1")
    form |= dict(re.findall(r'name="(text-\w\w)"[^>]*>([^<]*)</textarea>', page))
    return form


async def test_the_matrix_has_every_type_with_its_name(panel, sign_in_as):
    await sign_in_as()
    page = await (await panel.get(PATH)).text()
    for name in NAMES:
        assert f'id="type-{name}"' in page
    assert set(NAMES) <= TYPE_NAMES.keys()
    assert page.count('aria-checked="true"') == 2 * len(NAMES)
    assert "People cannot answer there, and this message asks something." in page
    assert "Not set up here: Telegram, WhatsApp, SMS, E-mail." in page


def test_a_type_that_no_group_names_still_has_a_place():
    groups = dict(grouped([*NAMES, "new_one"]))
    assert groups["Others"] == ["new_one"]
    assert [name for names in groups.values() for name in names].count("receipt") == 1
    assert "Others" not in dict(grouped(list(NAMES)))


def test_every_variable_has_a_meaning():
    used = {name for kind in KINDS.values() for name in usable_variables(kind)}
    assert used - VARIABLES.keys() == set()


@pytest.mark.parametrize("role", [Role.MARKETER, Role.CASHIER, Role.SUPPORT])
async def test_only_owners_decide_what_is_sent(panel, sign_in_as, role):
    await sign_in_as(role)
    for path in (PATH, f"{PATH}/receipt"):
        assert (await panel.get(path)).status == 403
    assert (await panel.post(f"{PATH}/receipt/channels/sms/on")).status == 403


async def test_a_tick_is_kept_at_once_and_undo_brings_the_place_back(panel, sign_in_as):
    await sign_in_as()
    target = HTMX | {"HX-Target": "type-receipt"}
    answer = await panel.post(f"{PATH}/receipt/channels/telegram/off", headers=target)
    assert (await message_type("receipt")).channels == ("whatsapp",)
    assert (await answer.text()).strip().startswith('<tr id="type-receipt"')
    assert f"{PATH}/receipt/channels/telegram/on?at=0" in answer.headers["HX-Trigger"]
    undone = await panel.post(f"{PATH}/receipt/channels/telegram/on?at=0", headers=HTMX)
    assert undone.headers["HX-Redirect"] == PATH
    assert (await message_type("receipt")).channels == ("telegram", "whatsapp")


async def test_a_tick_works_without_scripts(panel, sign_in_as):
    await sign_in_as()
    for channel in ("telegram", "whatsapp"):
        answer = await panel.post(f"{PATH}/birthday/channels/{channel}/off", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, PATH)
    page = await (await panel.get(PATH)).text()
    assert re.search(r'id="type-birthday" class="off"', page)
    assert 'data-toast="Birthday gift: off in WhatsApp"' in page


async def test_channels_words_and_subject_are_saved_and_shown_again(panel, sign_in_as):
    await sign_in_as()
    form = fields(await (await panel.get(f"{PATH}/receipt")).text())
    form |= {"on-sms": "1", "on-email": "1", "text-ru": "{first_name}, спасибо за {total}!", "subject-ru": "Чек"}
    form.pop("own_first")
    answer = await panel.post(f"{PATH}/receipt", data=form, headers=HTMX)
    assert (answer.status, answer.headers["HX-Redirect"]) == (204, PATH)
    view = await message_type("receipt")
    assert (view.channels, view.own_first) == (("telegram", "whatsapp", "sms", "email"), False)
    assert view.texts == {"ru": {"text": "{first_name}, спасибо за {total}!", "subject": "Чек"}}
    page = await (await panel.get(f"{PATH}/receipt")).text()
    assert "{first_name}, спасибо за {total}!" in page
    assert "Own words" in await (await panel.get(PATH)).text()


async def test_channels_move_by_buttons_and_nothing_typed_is_lost(panel, sign_in_as):
    await sign_in_as()
    form = fields(await (await panel.get(f"{PATH}/receipt")).text()) | {"text-ru": "Набрано"}
    answer = await panel.post(f"{PATH}/receipt", data=form | {"step": "up-whatsapp"}, headers=HTMX)
    moved = fields(await answer.text())
    assert moved["order"] == "whatsapp,telegram,sms,email"
    assert moved["text-ru"] == "Набрано"
    assert (await message_type("receipt")).updated_at is None
    await panel.post(f"{PATH}/receipt", data=moved)
    assert (await message_type("receipt")).channels == ("whatsapp", "telegram")


async def test_a_wrong_text_comes_back_with_its_reason_beside_it(panel, sign_in_as):
    await sign_in_as()
    form = fields(await (await panel.get(f"{PATH}/receipt")).text()) | {"text-uk": "Баланс {balanse}"}
    answer = await panel.post(f"{PATH}/receipt", data=form, headers=HTMX)
    page = await answer.text()
    assert answer.status == 422
    assert 'id="text-uk-error"' in page
    assert "There is no {balanse} in this message." in page
    assert "There is nothing to show yet:" in page


async def test_who_saves_second_is_told_and_may_save_again(panel, sign_in_as, clock):
    await sign_in_as()
    form = fields(await (await panel.get(f"{PATH}/receipt")).text())
    await panel.post(f"{PATH}/receipt/channels/sms/on")
    clock.move(minutes=1)
    answer = await panel.post(f"{PATH}/receipt", data=form, headers=HTMX)
    page = await answer.text()
    assert answer.status == 422
    assert "Somebody changed this meanwhile." in page
    assert (await panel.post(f"{PATH}/receipt", data=fields(page), headers=HTMX)).status == 204


async def test_the_preview_is_of_a_real_customer_in_each_channel(panel, sign_in_as):
    await sign_in_as()
    customer = await a_customer(name="Мария Соколова")
    account = await an_account(customer.id, now=START)
    values = {"total": "450 ₽", "balance": "320 бонусов", "location": "Тверская"}
    await a_message(account, kind="receipt", status="sent", content=Content(text="…", values=values), now=START)
    form = fields(await (await panel.get(f"{PATH}/receipt")).text())
    form |= {"q": "соколова", "on-sms": "1", "text-ru": "{first_name}, спасибо за {total}. На карте {balance}."}
    answer = await panel.post(f"{PATH}/receipt/preview", data=form, headers=HTMX)
    page = await answer.text()
    assert answer.status == 200
    assert page.count("Мария, спасибо за 450 ₽. На карте 320 бонусов.") == 3
    assert "The values are those of the last such message to this customer." in page
    assert "1 SMS" in page
    assert "cannot be reached here" in page
    assert "no approved template stands in for it" in page
    assert 'id="size-ru" hx-swap-oob="true"' in page


async def test_values_are_borrowed_or_made_up_and_it_says_so(panel, sign_in_as):
    await sign_in_as()
    form = fields(await (await panel.get(f"{PATH}/birthday")).text())
    answer = await panel.post(f"{PATH}/birthday/preview", data=form, headers=HTMX)
    assert "There are no customers yet." in await answer.text()
    told, other = await a_customer(name="Анна Ким"), await a_customer(name="Олег Ли")
    account = await an_account(told.id, now=START)
    form |= {"q": "олег"}
    page = await (await panel.post(f"{PATH}/birthday/preview", data=form, headers=HTMX)).text()
    assert "The values are made up: nobody was told." in page
    content = Content(text="…", values={"amount": "777 бонусов", "first_name": "Анна"})
    await a_message(account, kind="birthday", status="sent", content=content, now=START)
    page = await (await panel.post(f"{PATH}/birthday/preview", data=form, headers=HTMX)).text()
    assert "to somebody else" in page
    assert "777 бонусов" in page
    assert other.id != told.id


async def test_the_template_that_stands_in_is_shown_filled_in(panel, sign_in_as):
    await sign_in_as()
    await a_customer()
    await db.execute(
        "INSERT INTO message_template (name, language, category, body, variables, status, kind, updated_at)"
        " VALUES ('gift', 'ru', 'utility', 'Дарим {{1}} вам.', $1::jsonb, 'approved', 'birthday', $2)",
        db.to_json([{"name": "amount", "fallback": "бонусы"}]),
        START,
    )
    page = await (await panel.get(f"{PATH}/birthday")).text()
    assert re.search(r"Дарим 150\sбонусов вам\.", page)


async def test_markup_in_words_stays_words(panel, sign_in_as):
    await sign_in_as()
    await a_customer(name="<b>Ева</b>")
    form = fields(await (await panel.get(f"{PATH}/receipt")).text()) | {"text-ru": "<script>1</script>"}
    page = await (await panel.post(f"{PATH}/receipt/preview", data=form, headers=HTMX)).text()
    assert "<script>1" not in page
    assert "&lt;script&gt;1" in page


async def test_what_people_write_has_channels_and_no_words(panel, sign_in_as):
    await sign_in_as()
    page = await (await panel.get(f"{PATH}/staff")).text()
    assert "text-ru" not in page
    assert "step=" not in page.replace('name="step"', "")
    assert (await panel.post(f"{PATH}/staff", data=fields(page) | {"on-sms": "1"}, headers=HTMX)).status == 204
    assert (await message_type("staff")).channels == ("telegram", "whatsapp", "sms")
    assert (await panel.post(f"{PATH}/staff/preview", data={}, headers=HTMX)).status == 404


async def test_a_type_is_the_houses_again(panel, sign_in_as):
    await sign_in_as()
    await panel.post(f"{PATH}/receipt/channels/sms/on")
    assert "/receipt/reset" in await (await panel.get(f"{PATH}/receipt")).text()
    await panel.post(f"{PATH}/receipt/reset")
    assert (await message_type("receipt")).updated_at is None
    assert ACTS["message_type.reset"] in await (await panel.get("/journal")).text()


async def test_there_is_no_page_of_another_type(panel, sign_in_as):
    await sign_in_as()
    assert (await panel.get(f"{PATH}/pigeon")).status == 404
    assert (await panel.post(f"{PATH}/pigeon/channels/sms/on")).status == 404
    assert (await panel.post(f"{PATH}/hold_asked/channels/sms/on")).status == 422


async def test_the_card_writes_by_sms_once_the_staff_may(panel, sign_in_as):
    await sign_in_as()
    customer = await a_customer()
    account = await an_account(customer.id, now=START)
    card = f"/customers/{customer.id}?tab=conversation"
    assert 'name="account" value=' in await (await panel.get(card)).text()
    await panel.post(f"{PATH}/staff/channels/sms/on")
    page = await (await panel.get(card)).text()
    sms = await db.fetch_value(
        "SELECT id FROM messenger_account WHERE customer_id = $1 AND channel = 'sms'", customer.id
    )
    assert f'<option value="{account}" selected>' in page
    assert f'<option value="{sms}">SMS</option>' in page
    box = await (await panel.get(f"/customers/{customer.id}/chat/answer?account={sms}", headers=HTMX)).text()
    assert 'type="file"' not in box
    answer = await panel.post(
        f"/customers/{customer.id}/chat", data={"account": str(sms), "text": "Готово", "key": "k"}, headers=HTMX
    )
    assert answer.status == 200
    assert "Готово" in await answer.text()
    assert customer.phone not in await answer.text()


async def test_what_went_by_sms_stands_in_the_conversation(panel, sign_in_as):
    await sign_in_as()
    customer = await a_customer()
    sms = await db.fetch_value(
        "SELECT id FROM messenger_account WHERE customer_id = $1 AND channel = 'sms'", customer.id
    )
    card = f"/customers/{customer.id}?tab=conversation"
    assert "No messenger yet" in await (await panel.get(card)).text()
    await a_message(sms, "Спасибо за покупку", kind="receipt", status="sent", now=START)
    page = await (await panel.get(card)).text()
    assert "Спасибо за покупку" in page
    assert "The staff do not write there" in page
    assert "blocked us" not in page
