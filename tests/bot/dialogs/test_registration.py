"""The way in, in a real chat."""

from datetime import date

import pytest

from loyalty.bonuses.queries import account
from loyalty.clock import system_now
from loyalty.customers.queries import accounts_of, consents, customer, find_by_phone, registration_steps
from tests.bot.conftest import bot_message, buttons_of, register, said_to, tap
from tests.builders import a_customer, assert_books_agree

pytestmark = pytest.mark.usefixtures("live_bot")


async def registered(person) -> int:
    found = await find_by_phone(person.phone)
    assert found is not None
    return found


async def test_a_newcomer_becomes_a_customer_with_a_card_and_the_welcome_bonus(newcomer):
    person = newcomer("Мария", username="maria")
    welcome = await register(person)
    assert "200" in welcome["text"].replace("\u00a0", " ")
    known = await customer(await registered(person))
    assert (known.name, known.birthday, known.language, known.created_via) == (
        "Мария Соколова",
        date(1991, 8, 24),
        "ru",
        "telegram",
    )
    assert known.phone_verified_at is not None
    assert (await account(known.id, now=system_now())).available == 200_00
    [messenger] = await accounts_of(known.id)
    assert (messenger.address, messenger.username, messenger.is_default) == (str(person.id), "maria", True)
    assert [(consent.topic, consent.granted) for consent in await consents(known.id)] == [
        ("marketing", True),
        ("terms", True),
    ]
    steps = await registration_steps(known.id)
    assert [step.step for step in steps] == [
        "started", "language", "terms", "offers", "phone", "name", "birthday", "registered",
    ]  # fmt: skip
    assert steps == sorted(steps, key=lambda step: step.at)
    assert [key["text"] for key in person.keyboard[0]] == ["Моя карта"]
    await assert_books_agree(now=system_now())


@pytest.mark.parametrize("contact", [{"user_id": 99}, {"user_id": None}])
async def test_a_contact_that_is_not_the_senders_own_is_refused(newcomer, contact):
    person = newcomer()
    await at_the_phone(person)
    person.share_contact(**contact)
    await person.wait_for(bot_message("Это чужой контакт"))
    assert await find_by_phone(person.phone) is None


async def test_a_typed_phone_proves_nothing_and_a_fake_number_cannot_be_used(newcomer):
    person = newcomer()
    await at_the_phone(person)
    person.send(person.phone)
    await person.wait_for(bot_message("так мы узнаем, что номер ваш"))
    person.share_contact(phone="+88800000000")
    await person.wait_for(bot_message("Это не обычный номер"))
    person.share_contact(phone=person.phone.removeprefix("+"))
    await person.wait_for(bot_message("Как вас зовут?"))


async def at_the_phone(person) -> None:
    person.start()
    await tap(person, await person.wait_for(bot_message("На каком языке")), "Русский")
    await tap(person, await person.wait_for(bot_message("Вы согласны?")), "Согласен")
    await tap(person, await person.wait_for(bot_message("Можно писать вам об акциях")), "Да")
    await person.wait_for(bot_message("Поделитесь номером"))


async def test_somebody_known_from_the_till_keeps_card_and_bonuses_and_is_asked_only_what_is_missing(newcomer):
    known = await a_customer(name="Ольга", phone="+79169990001", bonuses=50_00)
    person = newcomer("Оля", phone="+79169990001")
    await at_the_phone(person)
    person.share_contact()
    await person.wait_for(bot_message("Когда у вас день рождения?"))
    person.send("1/2/1990")
    welcome = await person.wait_for(bot_message("Добро пожаловать, Ольга"))
    assert "200" in welcome["text"]
    again = await customer(known.id)
    assert (again.card_number, again.name, again.birthday) == (known.card_number, "Ольга", date(1990, 2, 1))
    assert again.phone_verified_at is not None
    assert (await account(known.id, now=system_now())).balance == 250_00


async def test_two_accounts_with_one_verified_phone_are_one_person_and_get_one_welcome_bonus(newcomer):
    first, second = newcomer("Мария", phone="+79169990002"), newcomer("Маша", phone="+79169990002")
    await register(first)
    await at_the_phone(second)
    second.share_contact()
    await second.wait_for(bot_message("С возвращением, Мария"))
    accounts = await accounts_of(await registered(first))
    assert [(one.address, one.is_default) for one in accounts] == [(str(first.id), True), (str(second.id), False)]
    assert (await account(await registered(first), now=system_now())).balance == 200_00


async def test_registration_goes_on_where_it_was_broken_off(newcomer):
    person = newcomer()
    await at_the_phone(person)
    person.share_contact()
    await person.wait_for(bot_message("Как вас зовут?"))
    asked = len(said_to(person, "Как вас зовут?"))
    person.send("/start")
    await person.wait_for(lambda _: len(said_to(person, "Как вас зовут?")) > asked)
    person.send("Мария")
    await person.wait_for(bot_message("Когда у вас день рождения?"))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("\u200f\u202e", "Напишите, пожалуйста, имя"),
        ("12345", "В имени есть буквы"),
        ("<b>Мария</b>", "знаки, которых в имени не бывает"),
        ("Я" * 4000, "Слишком длинно"),
    ],
)
async def test_a_name_that_cannot_be_is_asked_again(newcomer, name, answer):
    person = newcomer()
    await at_the_phone(person)
    person.share_contact()
    await person.wait_for(bot_message("Как вас зовут?"))
    person.send(name)
    again = await person.wait_for(bot_message(answer))
    await tap(person, again, "Мария")
    await person.wait_for(bot_message("Когда у вас день рождения?"))


async def test_a_birthday_is_asked_until_it_is_one_or_is_skipped(newcomer):
    person = newcomer()
    await at_the_phone(person)
    person.share_contact()
    await person.wait_for(bot_message("Как вас зовут?"))
    person.send("Мария 🌸")
    await person.wait_for(bot_message("Когда у вас день рождения?"))
    person.send("31.02.1990")
    wrong = await person.wait_for(bot_message("Не могу прочитать"))
    await tap(person, wrong, "Пропустить")
    await person.wait_for(bot_message("Добро пожаловать, Мария"))
    known = await customer(await registered(person))
    assert (known.name, known.birthday) == ("Мария 🌸", None)


async def test_a_double_tap_answers_once(newcomer):
    person = newcomer()
    person.start()
    question = await person.wait_for(bot_message("На каком языке"))
    data = buttons_of(question)["Русский"]
    for _ in range(3):
        person.tap(question["message_id"], data)
    await tap(person, await person.wait_for(bot_message("Вы согласны?")), "Согласен")
    await tap(person, await person.wait_for(bot_message("Можно писать вам об акциях")), "Да")
    await person.wait_for(bot_message("Поделитесь номером"))
    assert len(said_to(person, "Вы согласны?")) == 1
    assert len(said_to(person, "Поделитесь номером")) == 1


async def test_without_the_consent_nothing_is_asked(newcomer):
    person = newcomer()
    person.start()
    await tap(person, await person.wait_for(bot_message("На каком языке")), "Русский")
    await person.wait_for(bot_message("Вы согласны?"))
    person.send("нет")
    await person.wait_for(bot_message("нажмите кнопку под условиями"))
    person.share_contact()
    await person.wait_for(lambda _: len(said_to(person, "нажмите кнопку под условиями")) == 2)
    assert await find_by_phone(person.phone) is None


@pytest.mark.parametrize(("code", "question"), [("uk-UA", "Якою мовою"), ("be", "На каком языке"), ("", "На каком")])
async def test_the_first_question_is_in_the_messengers_language_else_the_shops(newcomer, code, question):
    person = newcomer(language=code)
    person.start()
    await person.wait_for(bot_message(question))
