"""What is held about a person: seen, taken as a file, and erased, in the chat."""

import json

import pytest

from bot.channels.base import EventKind
from loyalty import db
from loyalty.clock import system_now
from loyalty.customers.queries import customer, find_by_phone
from loyalty.customers.rules import ERASED_NAME
from loyalty.office.actions.erasure import forget_addresses
from tests.bot.conftest import bot_message, buttons_of, register, said_to, tap, until, until_sql
from tests.bot.dialogs.test_whatsapp import Chat, registered
from tests.builders import a_location, a_sale, assert_books_agree


@pytest.fixture
async def maria(newcomer, live_bot):
    """Somebody who has registered just now, and the id of her card's owner."""
    person = newcomer("Мария")
    await register(person)
    person.customer_id = await find_by_phone(person.phone)
    return person


async def asked_twice(person) -> dict:
    """The last question before it is done."""
    person.send("Мои данные")
    shown = await person.wait_for(bot_message("Что мы о вас храним"))
    await tap(person, shown, "Стереть всё")
    await tap(person, await person.wait_for(bot_message("исчезнут навсегда")), "Да, стереть")
    return await person.wait_for(bot_message("точно уверены"))


async def test_the_profile_and_what_was_agreed_to_are_shown(maria):
    maria.send("/my_data")
    shown = await maria.wait_for(bot_message("Что мы о вас храним"))
    assert maria.phone in shown["text"]
    assert "Согласие с условиями: да" in shown["text"]
    assert list(buttons_of(shown)) == ["Прислать файл", "Стереть всё"]


async def test_the_file_comes_once_an_hour(maria):
    await a_sale(maria.customer_id, await a_location(), 1_000_00, now=system_now())
    maria.send("Мои данные")
    shown = await maria.wait_for(bot_message("Что мы о вас храним"))
    await tap(maria, shown, "Прислать файл")
    sent = await maria.wait_for(lambda message: "document" in message)
    assert sent["document"]["file_name"] == "my-data.json"
    body = json.loads(await db.fetch_value("SELECT body FROM attachment"))
    assert (body["cards"][0]["phone"], len(body["receipts"])) == (maria.phone, 1)
    await tap(maria, shown, "Прислать файл")
    await maria.wait_for(bot_message("Файл отправлен недавно"))
    assert await db.fetch_value("SELECT count(*) FROM attachment") == 1


async def test_erased_after_two_questions_and_told_so_once(maria):
    before = await customer(maria.customer_id)
    await tap(maria, await asked_twice(maria), "Стереть навсегда")
    await maria.wait_for(bot_message("Всё, что мы о вас хранили, стёрто"))
    assert (await customer(maria.customer_id)).name == ERASED_NAME
    assert await find_by_phone(maria.phone) is None
    await until_sql("SELECT count(*) = 0 FROM message WHERE status IN ('queued', 'leased', 'sending')")
    assert await forget_addresses(now=system_now()) == 1
    words = [row["content"] for row in await db.fetch("SELECT content::text FROM message")]
    assert not any(before.name in word or (before.phone or "") in word for word in words)
    assert await db.fetch_value("SELECT count(*) FROM messenger_account WHERE address NOT LIKE 'erased:%'") == 0
    assert await db.fetch_value("SELECT count(*) FROM message WHERE customer_id IS NOT NULL") == 0
    await assert_books_agree(now=system_now())


async def test_whoever_comes_back_is_new_without_a_second_welcome(maria):
    assert (await customer(maria.customer_id)).balance > 0
    await tap(maria, await asked_twice(maria), "Стереть навсегда")
    await maria.wait_for(bot_message("Всё, что мы о вас хранили, стёрто"))
    await registered_again(maria)
    back = await find_by_phone(maria.phone)
    assert back not in {None, maria.customer_id}
    assert (await customer(back)).balance == 0
    assert await db.fetch_value("SELECT count(*) FROM message WHERE customer_id = $1", maria.customer_id) == 0
    await assert_books_agree(now=system_now())


async def registered_again(person) -> None:
    """The way in once more: of each question the newest counts."""

    async def newest(text: str) -> dict:
        await until(lambda: len(said_to(person, text)) > 1)
        return said_to(person, text)[-1]

    person.start("")
    await tap(person, await newest("На каком языке"), "Русский")
    await tap(person, await newest("Вы согласны?"), "Согласен")
    await tap(person, await newest("Можно писать вам об акциях"), "Да")
    await newest("Поделитесь номером")
    person.share_contact()
    await newest("Как вас зовут?")
    person.send("Мария Соколова")
    await tap(person, await newest("Когда у вас день рождения?"), "Пропустить")
    await newest("Добро пожаловать")


@pytest.mark.parametrize("where", [1, 2])
async def test_a_no_at_either_question_keeps_all(maria, where):
    maria.send("Мои данные")
    await tap(maria, await maria.wait_for(bot_message("Что мы о вас храним")), "Стереть всё")
    question = await maria.wait_for(bot_message("исчезнут навсегда"))
    if where == 2:
        await tap(maria, question, "Да, стереть")
        question = await maria.wait_for(bot_message("точно уверены"))
    await tap(maria, question, "Нет, оставить")
    await maria.wait_for(bot_message("Ничего не стёрто"))
    assert (await customer(maria.customer_id)).phone == maria.phone


async def test_an_old_question_erases_nobody(maria):
    question = await asked_twice(maria)
    maria.send("Баланс")
    await maria.wait_for(bot_message("На карте"))
    await tap(maria, question, "Стереть навсегда")
    await until(lambda: True)
    assert (await customer(maria.customer_id)).phone == maria.phone


# ------------------------------------------------------------------------------------------- WhatsApp


@pytest.mark.usefixtures("shop")
async def test_the_same_in_whatsapp():
    chat = Chat("79161234567")
    await registered(chat)
    customer_id = (await chat.person()).id
    shown = await chat.writes("Мои данные")
    assert "Что мы о вас храним" in shown
    await chat.presses("Прислать файл")
    assert chat.answers[0].attachment
    await chat.writes("Мои данные")
    await chat.presses("Стереть всё")
    await chat.presses("Да, стереть")
    await chat.presses("Стереть навсегда")
    assert "стёрто" in chat.answers[0].text
    assert (await customer(customer_id)).name == ERASED_NAME
    assert await db.fetch_value("SELECT count(*) FROM attachment") == 0
    await db.execute("UPDATE message SET status = 'sent' WHERE status = 'queued'")
    assert await forget_addresses(now=system_now()) == 1
    left = "SELECT count(*) FROM incoming_update WHERE chat = $1 OR body IS NOT NULL"
    assert await db.fetch_value(left, chat.address) == 0
    await chat.does(EventKind.TEXT, text="Привет")
    assert await db.fetch_value("SELECT count(*) FROM messenger_account WHERE channel = 'whatsapp'") == 2
    await assert_books_agree(now=system_now())
