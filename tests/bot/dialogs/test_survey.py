"""How was it? In Telegram by buttons, in WhatsApp by a list, in both by a typed number; thanks, comments, changes."""

from datetime import timedelta

import pytest

from bot.channels.base import EventKind
from loyalty import db
from loyalty.clock import system_now
from loyalty.conversations.content import Content, fit
from loyalty.conversations.queries import waiting_chats
from loyalty.customers.queries import find_by_phone
from loyalty.staff.rules import COMMAND
from loyalty.surveys.actions.asking import ask_due, invite_due
from loyalty.surveys.actions.programme import set_programme
from loyalty.surveys.queries.programme import survey_programme
from loyalty.surveys.rules import EVERYWHERE, ProgrammeDraft
from tests.bot.conftest import bot_message, buttons_of, register, said_to, tap, until_sql
from tests.bot.dialogs.test_whatsapp import CAN, Chat, registered
from tests.builders import a_location, a_sale

pytestmark = pytest.mark.usefixtures("shop")
MAPS = "https://maps.example.com/ladno"
ON = ProgrammeDraft(is_on=True, delay_hours=0, bonus=50_00, links={EVERYWHERE: MAPS})


async def set_up(**changes) -> None:
    view = await survey_programme()
    now = system_now() - timedelta(hours=1)
    await set_programme(ProgrammeDraft(**{**_body(ON), **changes}), seen=view.updated_at, actor=COMMAND, now=now)


def _body(draft: ProgrammeDraft) -> dict:
    return {name: getattr(draft, name) for name in ProgrammeDraft.__slots__}


async def ask(customer_id: int) -> int:
    """A purchase, and the question after it; returns the invitation."""
    await a_sale(customer_id, await a_location(), 500_00, now=system_now())
    await invite_due(now=system_now())
    await ask_due(now=system_now())
    return int(await db.fetch_value("SELECT max(id) FROM survey_invitation WHERE customer_id = $1", customer_id))


async def answers() -> list[tuple[int, str | None]]:
    rows = await db.fetch("SELECT score, comment FROM survey_answer ORDER BY invitation_id")
    return [(row["score"], row["comment"]) for row in rows]


async def in_whatsapp(chat: Chat) -> Content:
    """The question as WhatsApp shows it; it has been sent."""
    await db.execute("UPDATE message SET status = 'sent' WHERE kind = 'survey_asked'")
    body = await db.fetch_value("SELECT content FROM message WHERE kind = 'survey_asked' ORDER BY id DESC LIMIT 1")
    question = fit(Content.from_body(db.from_json(body)), CAN, "ru")
    chat.answers = [question]
    return question


@pytest.mark.usefixtures("live_bot")
class TestTelegram:
    """A real chat."""

    async def test_a_score_thanks_a_gift_a_link_a_comment_and_a_change(self, newcomer):
        person = newcomer("Мария")
        await register(person)
        await set_up()
        customer_id = await find_by_phone(person.phone)
        assert customer_id is not None
        await ask(customer_id)
        question = await person.wait_for(bot_message("посоветуете ли вы нас друзьям"))
        assert list(buttons_of(question)) == [str(score) for score in range(11)]
        await tap(person, question, "9")
        thanks = (await person.wait_for(bot_message("нам очень приятно")))["text"].replace("\u00a0", " ")
        assert "начислили 50 бонусов" in thanks
        assert MAPS in thanks
        assert thanks.endswith("Напишите сюда.")
        # Neither a command nor a label of the menu is a comment.
        person.send("Баланс")
        await person.wait_for(bot_message("На карте"))
        person.send("Вкусный кофе и добрые люди")
        await person.wait_for(bot_message("мы читаем каждое слово"))
        assert await answers() == [(9, "Вкусный кофе и добрые люди")]
        assert await waiting_chats() == []
        await tap(person, question, "3")
        changed = (await person.wait_for(bot_message("теперь ваша оценка 3")))["text"]
        assert "Нам жаль" in changed
        assert "начислили" not in changed
        await until_sql("SELECT nps = 3 FROM customer_facts WHERE nps >= 0")
        assert await db.fetch_value("SELECT count(*) FROM task") == 1
        person.send("А ещё вопрос: где парковка?")
        await person.wait_for(bot_message("Передал сотрудникам"))

    async def test_a_typed_number_is_the_score_and_a_second_press_of_it_changes_nothing(self, newcomer):
        person = newcomer("Мария")
        await register(person)
        await set_up(links={})
        customer_id = await find_by_phone(person.phone)
        assert customer_id is not None
        await ask(customer_id)
        question = await person.wait_for(bot_message("посоветуете ли вы нас друзьям"))
        await until_sql("SELECT status = 'sent' FROM message WHERE kind = 'survey_asked'")
        person.send("10")
        await person.wait_for(bot_message("нам очень приятно"))
        await tap(person, question, "10")
        # What is said beside a button is no message.
        person.send("7")
        await person.wait_for(bot_message("теперь ваша оценка 7"))
        assert len(said_to(person, "нам очень приятно")) == 1
        assert await answers() == [(7, None)]


async def test_whatsapp_has_a_list_of_ten_and_asks_which_of_the_lowest_two_it_is():
    chat = await registered(Chat("79170000101"))
    person = (await chat.person()).id
    await set_up()
    await ask(person)
    question = await in_whatsapp(chat)
    assert [one.text for one in question.options] == ["10", "9", "8", "7", "6", "5", "4", "3", "2", "1 или 0"]
    assert all(len(one.text) <= 24 for one in question.options)
    assert await chat.presses("1 или 0") == "Какая из двух?"
    assert list(chat.offered) == ["1", "0"]
    assert "Нам жаль" in await chat.presses("0")
    assert await answers() == [(0, None)]
    assert "Мы передали это коллегам" in await chat.writes("Ждала двадцать минут")
    assert await answers() == [(0, "Ждала двадцать минут")]
    assert await waiting_chats() == []


async def test_a_typed_nine_is_a_nine_though_a_list_before_it_had_nine_lines():
    chat = await registered(Chat("79170000102"))
    person = (await chat.person()).id
    # A list is open that is answered by typing its numbers, too.
    await chat.writes("Настройки")
    assert len(chat.offered) >= 5
    await set_up()
    await ask(person)
    await in_whatsapp(chat)
    assert "нам очень приятно" in await chat.writes("9")
    assert "теперь ваша оценка 1" in await chat.writes(" 1. ")
    assert await answers() == [(1, None)]
    # Once something else was said, its numbers are meant.
    await chat.writes("Настройки")
    first = next(iter(chat.offered))
    assert first == "English"
    assert "Now we speak English" in await chat.writes("1")
    assert await answers() == [(1, None)]


async def test_a_question_that_is_asked_step_by_step_keeps_its_answers():
    chat = await registered(Chat("79170000103"))
    person = (await chat.person()).id
    await set_up()
    await ask(person)
    question = await in_whatsapp(chat)
    await chat.writes("Настройки")
    await chat.presses("День рождения")
    step = "SELECT session->>'step' FROM conversation WHERE account_id = $1"
    account_id = (await chat.account()).id
    assert await db.fetch_value(step, account_id) == "own_birthday"
    # The score does not end what was under way.
    chat.answers = [question]
    await chat.presses("8")
    assert await db.fetch_value(step, account_id) == "own_birthday"
    await chat.writes("24.08.1991")
    assert await answers() == [(8, None)]


async def test_while_a_person_answers_one_may_press_and_what_is_written_is_for_that_person():
    chat = await registered(Chat("79170000104"))
    person = (await chat.person()).id
    await set_up()
    await ask(person)
    await in_whatsapp(chat)
    account_id = (await chat.account()).id
    await db.execute(
        "UPDATE conversation SET staffed_at = $2, state = 'open' WHERE account_id = $1", account_id, system_now()
    )
    thanks = await chat.presses("7")
    assert "Спасибо за оценку" in thanks
    assert "Напишите" not in thanks
    assert await chat.writes("Спасибо, жду") == ""
    assert await answers() == [(7, None)]
    assert await db.fetch_value("SELECT waiting_since IS NOT NULL FROM conversation WHERE account_id = $1", account_id)


async def test_a_late_answer_a_strangers_button_and_a_made_up_one_are_told_so():
    chat = await registered(Chat("79170000105"))
    person = (await chat.person()).id
    await set_up()
    invitation = await ask(person)
    await in_whatsapp(chat)
    for data in (f"nps:{invitation}:11", f"nps:{invitation}:x", "nps:x:1", f"nps:{invitation + 1}:5", "nps::", "nps:1"):
        await chat.does(EventKind.BUTTON, data=data)
        assert chat.text == "Эта кнопка устарела"
    await db.execute("UPDATE survey_invitation SET asked_at = asked_at - INTERVAL '31 days'")
    await chat.does(EventKind.BUTTON, data=f"nps:{invitation}:5")
    assert "уже закрыт" in chat.text
    await db.execute("UPDATE survey_invitation SET asked_at = asked_at + INTERVAL '31 days'")
    await chat.does(EventKind.BUTTON, data=f"nps:{invitation}:5")
    await db.execute("UPDATE survey_answer SET answered_at = answered_at - INTERVAL '25 hours'")
    await chat.does(EventKind.BUTTON, data=f"nps:{invitation}:6")
    assert "в течение суток" in chat.text
    assert "Передал сотрудникам" in await chat.writes("Хотела рассказать подробнее")
    assert await answers() == [(5, None)]


async def test_the_shops_own_words_are_said_instead_of_the_houses():
    chat = await registered(Chat("79170000106"))
    person = (await chat.person()).id
    await set_up(bonus=0, links={}, texts={"ru": {"thanks_promoter": "Обнимаем!", "prompt_promoter": "За что?"}})
    await ask(person)
    await in_whatsapp(chat)
    assert await chat.presses("10") == "Обнимаем!\n\nЗа что?"
