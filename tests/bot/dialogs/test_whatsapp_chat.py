"""A real chat in WhatsApp: the simulator calls our webhook, and our channel answers through its Graph API."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.simulator import Business, Simulator
from bot.simulator.whatsapp.people import Person
from bot.webhooks import PREFIX, Webhooks
from loyalty.clock import system_now
from loyalty.conversations.queries import find_by_card_code
from loyalty.customers.queries import accounts_of, customer, find_by_phone
from tests.bot.conftest import CARD_KEY, TOKEN, bot_message, talking, until, until_sql
from tests.bot.simulator.conftest import serve
from tests.builders import a_customer, an_account, assert_books_agree

PHONE = "+79165550101"


@pytest.fixture
async def whatsapp(shop, settings, clock) -> AsyncIterator[Simulator]:
    """The simulator with a bot that listens to it and answers."""
    webhooks = Webhooks(["whatsapp"])
    app = web.Application()
    app.add_subapp(PREFIX, webhooks.build_app())
    door, address = await serve(app)
    business = Business(hook=f"{address}{PREFIX}/whatsapp")
    simulator = Simulator(token=TOKEN, whatsapp=business)
    root = web.Application()
    root.add_subapp("/simulator", simulator.build_app())
    messenger, graph = await serve(root)
    ours = settings.model_copy(
        update={
            "whatsapp_access_token": SecretStr(business.access_token),
            "whatsapp_phone_number_id": business.phone_number_id,
            "whatsapp_app_secret": SecretStr(business.app_secret),
            "whatsapp_verify_token": SecretStr(business.verify_token),
            "whatsapp_api_url": f"{graph}/simulator/whatsapp/v25.0",
            "whatsapp_rate": 0,
            "whatsapp_chat_seconds": 0,
        }
    )
    async with talking(ours, clock, webhooks):
        yield simulator
    await messenger.cleanup()
    await door.cleanup()


async def register(person: Person) -> None:
    person.send("Здравствуйте")
    person.tap(await person.wait_for(bot_message("На каком языке")), "Русский")
    person.tap(await person.wait_for(bot_message("Вы согласны?")), "Согласен")
    person.tap(await person.wait_for(bot_message("Можно писать вам об акциях")), "Да")


async def test_a_whole_registration_the_menu_the_card_and_a_new_number(whatsapp):
    person = whatsapp.whatsapp.add_person(name="Мария", phone=PHONE, language="ru")
    await register(person)
    await person.wait_for(bot_message(PHONE))
    person.send("Мария Соколова")
    person.tap(await person.wait_for(bot_message("Когда у вас день рождения?")), "Пропустить")
    welcome = await person.wait_for(bot_message("Подарок за знакомство"))
    known = await find_by_phone(PHONE)
    person.choose(welcome, "Баланс")
    await person.wait_for(bot_message("На карте"))
    person.send("моя карта")
    card = await person.wait_for(bot_message("около минуты"))
    code = "".join(char for char in card["text"].partition("кассира: ")[2].partition("\n")[0] if char.isdigit())
    proof = await find_by_card_code(code, key=CARD_KEY, now=system_now())
    assert proof is not None
    assert proof.customer_id == known
    person.tap(card, "Показать новый код")
    await until(lambda: len([one for one in person.messages if "image" in one and not one["outgoing"]]) == 2)
    person.change_number("+79165550102")
    await until_sql("SELECT phone = '+79165550102' FROM customer")
    assert (await accounts_of(proof.customer_id))[0].name == "Мария"
    person.send("Настройки")
    await person.wait_for(bot_message("Телефон: +79165550102"))
    await assert_books_agree(now=system_now())


async def test_a_telegram_customer_is_welcomed_back_to_the_same_card(whatsapp):
    known = await a_customer(name="Ольга", phone=PHONE)
    await an_account(known.id)
    person = whatsapp.whatsapp.add_person(name="Оля", phone=PHONE, language="ru")
    await register(person)
    person.tap(await person.wait_for(bot_message("Когда у вас день рождения?")), "Пропустить")
    await person.wait_for(bot_message("Ольга"))
    assert [one.channel for one in await accounts_of(known.id)] == ["telegram", "whatsapp"]


async def test_who_hides_their_number_types_it_and_stops_and_wants_offers_by_whatsapps_own_switch(whatsapp):
    person = whatsapp.whatsapp.add_person(name="Гость", phone=None, hidden_phone=PHONE, language="ru")
    await register(person)
    await person.wait_for(bot_message("Напишите номер телефона целиком"))
    person.send(PHONE)
    person.send("Пётр")
    person.tap(await person.wait_for(bot_message("Когда у вас день рождения?")), "Пропустить")
    await person.wait_for(bot_message("Добро пожаловать, Пётр"))
    found = await find_by_phone(PHONE)
    assert found is not None
    assert (await customer(found)).phone_verified_at is None
    for act, taken in ((person.stop_offers, "NOT takes_marketing"), (person.resume_offers, "takes_marketing")):
        act()
        await until_sql(f"SELECT {taken} FROM messenger_account WHERE channel = 'whatsapp'")
    person.send("Настройки")
    await person.wait_for(bot_message("акции — да"))
    # What the messenger reports of that answer comes behind it.
    await until_sql("SELECT NOT EXISTS (SELECT FROM incoming_update WHERE state NOT IN ('done', 'ignored'))")
