"""The shop's questionnaire, its consent texts and its own words, in both messengers."""

from dataclasses import replace
from datetime import date

import pytest

from bot.channels.base import EventKind
from loyalty import db
from loyalty.clock import system_now
from loyalty.conversations.actions.greetings import save_words
from loyalty.customers.actions.consent_texts import publish_consent
from loyalty.customers.actions.questions import delete_question, move_question, save_question, set_asking
from loyalty.customers.queries import consents, customer, find_by_phone, registration_steps
from loyalty.customers.queries.questions import answers_of, questions
from loyalty.customers.questionnaire import ChoiceDraft, Given, QuestionDraft, QuestionKind
from loyalty.customers.rules import Topic
from loyalty.staff.rules import COMMAND
from tests.bot.conftest import bot_message, buttons_of, register, said_to, tap
from tests.bot.dialogs.test_whatsapp import Chat, registered
from tests.builders import a_customer, assert_books_agree

pytestmark = pytest.mark.usefixtures("shop")

COFFEE = QuestionDraft(
    QuestionKind.CHOICE,
    {"ru": "Какой кофе вы любите?", "en": "Which coffee do you like?"},
    [
        ChoiceDraft(None, {"ru": "Фильтр", "en": "Filter"}),
        ChoiceDraft(None, {"ru": "Капучино на овсяном молоке без сиропа"}),
        ChoiceDraft(None, {"ru": "Раф"}),
    ],
    is_required=True,
    is_asked=True,
)
FOUND = QuestionDraft(QuestionKind.TEXT, {"ru": "Как вы о нас узнали?"}, [], is_required=False, is_asked=True)
SINCE = replace(FOUND, kind=QuestionKind.DATE, labels={"ru": "Когда вы были у нас впервые?"})


async def a_question(draft: QuestionDraft = COFFEE) -> int:
    return await save_question(None, draft, actor=COMMAND, now=system_now())


async def answers(customer_id: int) -> list[Given | None]:
    return [one.given for one in await answers_of(customer_id)]


async def ask_gender() -> None:
    gender = next(one for one in await questions() if one.kind is QuestionKind.GENDER)
    await set_asking(gender.id, is_asked=True, actor=COMMAND, now=system_now())


async def owner_of(person) -> int:
    found = await find_by_phone(person.phone)
    assert found is not None
    return found


async def at_the_questions(person, name: str = "Мария") -> None:
    person.start()
    await tap(person, await person.wait_for(bot_message("На каком языке")), "Русский")
    await tap(person, await person.wait_for(bot_message("Вы согласны?")), "Согласен")
    await tap(person, await person.wait_for(bot_message("Можно писать вам об акциях")), "Да")
    await person.wait_for(bot_message("Поделитесь номером"))
    person.share_contact()
    await person.wait_for(bot_message("Как вас зовут?"))
    person.send(name)


# ------------------------------------------------------------------------------ the way in


async def test_in_telegram_questions_come_in_the_shops_order_and_each_answer_has_its_time(live_bot, newcomer):
    coffee, found, since = [await a_question(draft) for draft in (COFFEE, FOUND, SINCE)]
    await ask_gender()
    await move_question(coffee, -9, actor=COMMAND, now=system_now())
    person = newcomer("Мария")
    await at_the_questions(person)
    question = await person.wait_for(bot_message("Какой кофе"))
    # It must be answered, so there is no way past it.
    assert list(buttons_of(question)) == ["Фильтр", "Капучино на овсяном молоке без сиропа", "Раф"]
    await tap(person, question, "Раф")
    await person.wait_for(bot_message("Когда у вас день рождения?"))
    person.send("24.08.1991")
    await tap(person, await person.wait_for(bot_message("Ваш пол?")), "Женский")
    await person.wait_for(bot_message("Как вы о нас узнали?"))
    person.send("От подруги,\nона бариста")
    await person.wait_for(bot_message("Когда вы были у нас впервые?\nНапример, 24.08.2025."))
    person.send("1/6/2024")
    await person.wait_for(bot_message("Добро пожаловать, Мария"))
    known = await customer(await owner_of(person))
    assert (known.birthday, known.gender) == (date(1991, 8, 24), "f")
    assert await answers(known.id) == [
        Given(choice=3), Given(text="От подруги,\nона бариста"), Given(day=date(2024, 6, 1))
    ]  # fmt: skip
    steps = await registration_steps(known.id)
    assert [step.step for step in steps][6:] == [
        f"question:{coffee}", "birthday", "gender", f"question:{found}", f"question:{since}", "registered",
    ]  # fmt: skip
    assert steps == sorted(steps, key=lambda step: step.at)
    await assert_books_agree(now=system_now())


async def test_in_whatsapp_a_choice_is_a_list_and_is_answered_by_number_label_or_tap():
    await a_question()
    for phone, answer, chosen in (("79170000011", "2", 2), ("79170000012", "раф", 3), ("79170000013", "Фильтр", 1)):
        chat = await registered(Chat(phone))
        assert "Какой кофе вы любите?" in chat.text
        assert len(chat.offered) == 3
        if answer == "Фильтр":
            await chat.presses(answer)
        else:
            await chat.writes(answer)
        assert "Добро пожаловать" in chat.text
        assert await answers((await chat.person()).id) == [Given(choice=chosen)]


async def test_in_whatsapp_ten_choices_and_the_way_past_them_are_numbered_lines():
    choices = [ChoiceDraft(None, {"ru": f"Сорт {number}"}) for number in range(1, 11)]
    await a_question(replace(COFFEE, choices=choices, is_required=False))
    chat = await registered(Chat("79170000014"))
    assert chat.text.endswith("10. Сорт 10\n11. Пропустить")
    await chat.writes("10")
    assert await answers((await chat.person()).id) == [Given(choice=10)]


@pytest.mark.parametrize(
    ("draft", "wrong", "answer", "right"),
    [
        (COFFEE, "чай", "Выберите, пожалуйста, один из ответов.\nКакой кофе", "1"),
        (COFFEE, "Пропустить", "На этот вопрос нужен ответ.\nКакой кофе", "Filter"),
        (FOUND, "я" * 501, "не больше 500 знаков, пожалуйста.\nКак вы о нас", "От подруги"),
        (SINCE, "31.02.2020", "Не могу прочитать это как дату. День, месяц и год, пожалуйста", "2020-02-29"),
    ],
)
async def test_a_wrong_answer_hears_what_is_wanted(draft, wrong, answer, right):
    await a_question(draft)
    chat = await registered(Chat("79170000021"))
    assert answer in await chat.writes(wrong)
    assert "Добро пожаловать" in await chat.writes(right)
    [given] = await answers((await chat.person()).id)
    assert given is not None


async def test_a_photo_is_no_answer_and_a_question_that_need_not_be_answered_is_skipped():
    await a_question(FOUND)
    chat = await registered(Chat("79170000022"))
    [again] = await chat.does(EventKind.PHOTO)
    assert again.text.startswith("Напишите, пожалуйста, ответ словами.")
    assert "Добро пожаловать" in await chat.presses("Пропустить")
    person = await chat.person()
    assert await answers(person.id) == [None]
    assert not [step for step in await registration_steps(person.id) if step.step.startswith("question")]


async def test_a_required_birthday_is_not_skipped():
    birthday = (await questions())[0]
    await set_asking(birthday.id, is_asked=True, is_required=True, actor=COMMAND, now=system_now())
    chat = Chat("79170000023")
    await chat.writes("Привет")
    await chat.presses("Русский", "Согласен", "Да")
    await chat.writes("Мария")
    assert chat.offered == {}
    assert "На этот вопрос нужен ответ" in await chat.writes("Пропустить")
    assert "Добро пожаловать" in await chat.writes("24.08.1991")


async def test_it_goes_on_at_the_question_where_it_was_broken_off(live_bot, newcomer):
    await a_question(FOUND)
    await a_question()
    person = newcomer("Мария")
    await at_the_questions(person)
    await tap(person, await person.wait_for(bot_message("Когда у вас день рождения?")), "Пропустить")
    await person.wait_for(bot_message("Как вы о нас узнали?"))
    person.send("Вывеска")
    await person.wait_for(bot_message("Какой кофе"))
    person.send("/start")
    await person.wait_for(lambda _: len(said_to(person, "Какой кофе")) == 2)
    person.send("3")
    await person.wait_for(bot_message("Добро пожаловать, Мария"))
    assert await answers(await owner_of(person)) == [Given(text="Вывеска"), Given(choice=3)]


async def test_a_question_that_was_deleted_while_it_was_asked_is_passed_over():
    coffee = await a_question()
    await a_question(FOUND)
    chat = await registered(Chat("79170000031"))
    assert "Какой кофе" in chat.text
    await delete_question(coffee, actor=COMMAND, now=system_now())
    assert "Как вы о нас узнали?" in await chat.presses("Раф")
    assert "Добро пожаловать" in await chat.writes("Вывеска")
    assert await answers((await chat.person()).id) == [Given(text="Вывеска")]


async def test_a_choice_that_was_removed_while_it_was_offered_is_offered_no_more():
    coffee = await a_question()
    chat = await registered(Chat("79170000032"))
    without = [ChoiceDraft(1, {"ru": "Фильтр"}), ChoiceDraft(2, {"ru": "Капучино"})]
    await save_question(coffee, replace(COFFEE, choices=without), actor=COMMAND, now=system_now())
    assert "Выберите, пожалуйста, один из ответов" in await chat.presses("Раф")
    assert list(chat.offered) == ["Фильтр", "Капучино"]
    assert "Добро пожаловать" in await chat.presses("Капучино")


async def test_an_answer_given_before_its_question_was_deleted_is_kept():
    coffee = await a_question()
    await a_question(FOUND)
    chat = await registered(Chat("79170000033"))
    await chat.presses("Раф")
    await delete_question(coffee, actor=COMMAND, now=system_now())
    assert "Добро пожаловать" in await chat.writes("Вывеска")
    assert await answers((await chat.person()).id) == [Given(text="Вывеска"), Given(choice=3)]


async def test_a_registration_from_before_there_were_questions_goes_on(database):
    chat = Chat("79170000034")
    await chat.writes("Привет")
    await chat.presses("Русский", "Согласен", "Да")
    await chat.writes("Мария")
    await database.execute(
        "UPDATE conversation SET session = jsonb_set(session, '{data}',"
        " (session->'data') - 'question' - 'terms_text' - 'offers_text')"
    )
    assert "Добро пожаловать" in await chat.writes("24.08.1991")
    person = await chat.person()
    assert person.birthday == date(1991, 8, 24)
    assert {one.text_version for one in await consents(person.id)} == {"1 ru"}


async def test_somebody_the_shop_knows_is_asked_only_what_it_does_not_know():
    await a_question()
    await ask_gender()
    known = await a_customer(name="Ольга Ким", phone="+79170000041", birthday=date(1980, 1, 2))
    chat = Chat("79170000041", name="Оля")
    await chat.writes("Привет")
    await chat.presses("Русский", "Согласен", "Да")
    assert "Ваш пол?" in chat.text
    assert "Какой кофе" in await chat.writes("женский")
    await chat.presses("Раф")
    again = await customer(known.id)
    assert (again.name, again.birthday, again.gender) == ("Ольга Ким", date(1980, 1, 2), "f")
    assert await answers(known.id) == [Given(choice=3)]


# ------------------------------------------------------------------------- in the settings


async def test_customers_find_in_the_settings_what_they_have_not_answered_and_nothing_otherwise():
    chat = await registered(Chat("79170000051"))
    birthday = (await questions())[0]
    await set_asking(birthday.id, is_asked=False, actor=COMMAND, now=system_now())
    await chat.writes("Настройки")
    assert "Вопросы к вам" not in chat.offered
    await a_question()
    await a_question(FOUND)
    await ask_gender()
    await chat.writes("Настройки")
    assert "Ваш пол?" in await chat.presses("Вопросы к вам")
    assert "Выберите, пожалуйста" in await chat.writes("не скажу")
    assert "Какой кофе" in await chat.presses("Пропустить")
    assert "Как вы о нас узнали?" in await chat.writes("2")
    assert "Спасибо, записали." in await chat.writes("Вывеска")
    person = await chat.person()
    assert (person.gender, await answers(person.id)) == (None, [Given(choice=2), Given(text="Вывеска")])
    await chat.writes("Настройки")
    assert "Ваш пол?" in await chat.presses("Вопросы к вам")
    await chat.presses("Мужской")
    assert (await chat.person()).gender == "m"
    await chat.writes("Настройки")
    assert "Вопросы к вам" not in chat.offered


async def test_a_command_leaves_the_questions_of_the_settings():
    await a_question(FOUND)
    chat = await registered(Chat("79170000052"))
    await chat.presses("Пропустить")
    await chat.writes("Настройки")
    await chat.presses("Вопросы к вам")
    assert "На карте" in await chat.writes("Баланс")
    assert await answers((await chat.person()).id) == [None]


# -------------------------------------------------------------------- consents and greeting


async def test_the_text_that_was_shown_is_the_one_that_was_agreed_to():
    now = system_now()
    await publish_consent(Topic.TERMS, {"ru": "Условия {shop}, вторые. Да?"}, actor=COMMAND, now=now)
    chat = Chat("79170000061")
    await chat.writes("Привет")
    assert "Условия Ладно, кофе, вторые. Да?" in await chat.presses("Русский")
    await publish_consent(Topic.TERMS, {"ru": "Условия третьи."}, actor=COMMAND, now=now)
    await chat.presses("Согласен")
    await publish_consent(Topic.MARKETING, {"en": "May we write?"}, actor=COMMAND, now=now)
    await chat.presses("Да")
    await chat.writes("Мария")
    await chat.presses("Пропустить")
    marks = {one.topic: one.text_version for one in await consents((await chat.person()).id)}
    assert marks == {"terms": "2 ru", "marketing": "1 ru"}


async def test_asked_once_more_people_see_and_agree_to_the_newest_text():
    chat = Chat("79170000062")
    await chat.writes("Привет")
    await chat.presses("Русский")
    await publish_consent(Topic.TERMS, {"uk": "Умови.", "en": "Terms of two."}, actor=COMMAND, now=system_now())
    assert "Terms of two." in await chat.writes("А что там?")
    await chat.presses("Согласен", "Нет")
    await chat.writes("Мария")
    await chat.presses("Пропустить")
    assert {one.topic: one.text_version for one in await consents((await chat.person()).id)}["terms"] == "2 en"


async def test_terms_too_long_to_stand_above_a_button_are_told_whole_before_it():
    text = "Пункт договора. " * 200
    await publish_consent(Topic.TERMS, {"ru": text}, actor=COMMAND, now=system_now())
    chat = Chat("79170000063")
    await chat.writes("Привет")
    await chat.presses("Русский")
    terms, question = chat.answers
    assert (terms.text, question.text, list(chat.offered)) == (text.strip(), "Вы согласны?", ["Согласен"])


async def test_a_switch_in_the_settings_names_the_newest_text():
    chat = await registered(Chat("79170000064"))
    await publish_consent(Topic.MARKETING, {"ru": "Писать?"}, actor=COMMAND, now=system_now())
    await chat.writes("Настройки")
    await chat.presses("Без акций")
    marks = {one.topic: (one.granted, one.text_version) for one in await consents((await chat.person()).id)}
    assert marks["marketing"] == (False, "2 ru")


async def test_the_shop_greets_and_welcomes_in_its_own_words(live_bot, newcomer):
    words = {"greeting": {"ru": "Привет! Это {shop}."}, "welcome": {"ru": "Рады вам, {first_name}!"}}
    await save_words(words, actor=COMMAND, now=system_now())
    person = newcomer("Мария")
    person.start()
    await person.wait_for(bot_message("Привет! Это Ладно, кофе.\nНа каком языке вам удобнее?"))
    other = newcomer("John", language="en")
    other.start()
    await other.wait_for(bot_message("Ладно, кофе: bonuses for your purchases.\nWhich language do you prefer?"))
    await tap(person, person.messages[-1], "Русский")
    await tap(person, await person.wait_for(bot_message("Вы согласны?")), "Согласен")
    await tap(person, await person.wait_for(bot_message("Можно писать вам об акциях")), "Нет")
    await person.wait_for(bot_message("Поделитесь номером"))
    person.share_contact()
    await person.wait_for(bot_message("Как вас зовут?"))
    person.send("Мария Соколова")
    await tap(person, await person.wait_for(bot_message("Когда у вас день рождения?")), "Пропустить")
    await person.wait_for(bot_message("Рады вам, Мария!\nПодарок за знакомство"))


async def test_turns_of_customers_look_at_no_question(live_bot, newcomer, database):
    person = newcomer("Мария")
    await register(person)
    await db.execute("ALTER TABLE question RENAME TO question_away")
    try:
        person.send("Баланс")
        await person.wait_for(bot_message("На карте"))
    finally:
        await db.execute("ALTER TABLE question_away RENAME TO question")
