"""The same dialogs where there is no keyboard and nothing can be changed: turns with events made by hand."""

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

import pytest

from bot.cards import open_face
from bot.channels.base import Event, EventKind
from bot.dialogs.engine import step_for
from loyalty import db
from loyalty.bonuses.queries import account
from loyalty.clock import system_now
from loyalty.conversations.actions.arrivals import store_updates
from loyalty.conversations.actions.cards import claim_cards
from loyalty.conversations.actions.turns import Sender, take_turn
from loyalty.conversations.channels import CAPABILITIES
from loyalty.conversations.content import Content, fit
from loyalty.conversations.queries import find_by_card_code, oldest_updates, waiting_chats
from loyalty.conversations.rules import Arrived
from loyalty.customers.queries import accounts_of, consents, customer, find_by_phone, messenger_account
from loyalty.customers.queries.links import link_requests
from loyalty.customers.rules import card_code, code_step
from tests.bot.conftest import CARD_KEY
from tests.builders import a_customer, a_location, a_sale, an_account, assert_books_agree

pytestmark = pytest.mark.usefixtures("shop")

CAN = CAPABILITIES["whatsapp"]
_numbers = count(1)


@dataclass
class Chat:
    """Somebody in WhatsApp, and what was answered there. `number` None: only a business-scoped id is known."""

    number: str | None
    name: str = "Мария"
    answers: list[Content] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.address = f"US.{next(_numbers)}"

    async def does(self, kind: EventKind, **more: object) -> list[Content]:
        """One event and its turn; returns what was answered, as the messenger can show it."""
        phone = f"+{self.number}" if self.number else None
        sender = Sender("whatsapp", self.address, self.name, None, "ru", alias=self.number, phone=phone)
        source, now = "whatsapp:1", system_now()
        await store_updates(source, [Arrived(str(next(_numbers)), next(_numbers), self.address, b"{}")], now=now)
        [update] = await oldest_updates(source, self.address)
        event = Event(kind, sender, **more)  # type: ignore[arg-type]
        assert await take_turn(update, sender, step_for(event, now, lambda _: None), now=now)
        rows = await db.fetch("SELECT content FROM message WHERE dedupe_key LIKE $1 ORDER BY id", f"turn:{update.id}:%")
        said = [Content.from_body(db.from_json(row["content"])) for row in rows]
        self.answers = [fit(one, CAN, "ru") for one in said]
        return self.answers

    async def writes(self, *texts: str) -> str:
        """Texts, one turn each; returns what was answered to the last one, in one string."""
        for text in texts:
            await self.does(EventKind.TEXT, text=text)
        return self.text

    async def presses(self, *labels: str) -> str:
        for label in labels:
            await self.does(EventKind.BUTTON, text=label, data=self.offered[label])
        return self.text

    @property
    def text(self) -> str:
        return "\n".join(answer.text for answer in self.answers).replace("\u00a0", " ")

    @property
    def offered(self) -> dict[str, str]:
        """Buttons and options of the last answer: label -> data."""
        shown = self.answers[-1] if self.answers else Content()
        return {one.text: one.data for one in (*(b for row in shown.buttons for b in row), *shown.options)}

    async def account(self):
        row = await db.fetch_value("SELECT id FROM messenger_account WHERE address = $1", self.address)
        return await messenger_account(row)

    async def person(self):
        owner = (await self.account()).customer_id
        assert owner is not None
        return await customer(owner)


async def registered(chat: Chat, *typed: str) -> Chat:
    """The whole way in, by typed numbers and words."""
    assert "На каком языке" in await chat.writes("Привет")
    assert "Вы согласны?" in await chat.presses("Русский")
    assert "Можно писать вам об акциях" in await chat.writes("1")
    await chat.writes("Да", *typed)
    if "Как вас зовут" in chat.text:
        await chat.writes("Мария Соколова")
    if "день рождения" in chat.text:
        await chat.presses("Пропустить")
    return chat


@pytest.fixture
async def maria():
    return await registered(Chat("79170000001"))


# ------------------------------------------------------------------------------------ the way in


async def test_the_number_that_whatsapp_vouches_for_is_shown_and_not_asked():
    chat = Chat("79170000001")
    await chat.writes("Привет")
    assert list(chat.offered) == ["English", "Русский", "Українська"]
    await chat.writes("русский", "согласен")
    assert "Ваш номер тот, с которого вы пишете: +79170000001" in await chat.presses("Нет")
    await chat.writes("Мария Соколова")
    assert "Подарок за знакомство" in await chat.writes("24.08.1991")
    person = await chat.person()
    assert (person.phone, person.created_via) == ("+79170000001", "whatsapp")
    assert person.phone_verified_at is not None
    assert {one.topic: one.granted for one in await consents(person.id)} == {"terms": True, "marketing": False}
    assert not (await chat.account()).takes_marketing
    assert "Моя карта" in chat.offered
    assert chat.answers[-1].options_label == "Меню"
    await assert_books_agree(now=system_now())


async def test_the_phone_of_a_telegram_customer_is_the_same_card_and_only_what_is_missing_is_asked():
    known = await a_customer(name="Ольга", phone="+79170000001", bonuses=50_00)
    await an_account(known.id)
    chat = await registered(Chat("79170000001"))
    assert "Ольга" in chat.text
    assert [one.channel for one in await accounts_of(known.id)] == ["telegram", "whatsapp"]
    assert (await customer(known.id)).phone_verified_at is not None


async def test_without_a_number_it_is_typed_and_stays_unproven():
    chat = Chat(None)
    await registered(chat, "завтра")
    assert "Не могу прочитать это как номер" in chat.text
    await chat.writes("8 917 000-00-05", "Мария Соколова")
    await chat.presses("Пропустить")
    assert "Подарок за знакомство" in chat.text
    person = await chat.person()
    assert (person.phone, person.phone_verified_at) == ("+79170000005", None)


async def test_a_typed_number_of_a_customer_joins_nobody_and_is_asked_in_the_old_chat():
    old = await registered(Chat("79170000001"))
    chat = await registered(Chat(None, name="Маша"), "+79170000001")
    assert "Названный номер стоит на другой карте" in chat.text
    newcomer = await chat.person()
    assert newcomer.phone is None
    assert (await account(newcomer.id, now=system_now())).balance == 0
    [request] = await link_requests(is_open=True)
    [asked] = await db.fetch("SELECT account_id, content FROM message WHERE kind = 'link_asked'")
    assert asked["account_id"] == (await old.account()).id
    old.answers = [Content.from_body(db.from_json(asked["content"]))]
    assert "под именем Маша" in old.text
    yes = dict(old.offered)["Да, это я"]
    assert "тот чат теперь с вашей картой" in await old.presses("Да, это я")
    assert (await chat.person()).id == (await old.person()).id
    await old.does(EventKind.BUTTON, data=yes)
    assert "уже ответили" in old.text
    # What is asked of one customer is nobody else's to answer.
    stranger = await registered(Chat("79170000009"))
    await stranger.does(EventKind.BUTTON, data=f"link:no.{request.id}:0")
    assert "устарела" in stranger.text


async def test_a_no_keeps_the_card_and_staff_look():
    old = await registered(Chat("79170000001"))
    chat = await registered(Chat(None), "+79170000001")
    [request] = await link_requests(is_open=True)
    await old.does(EventKind.BUTTON, data=f"link:no.{request.id}:0")
    assert "тот чат вашу карту не получит" in old.text
    assert [one.account_id for one in await waiting_chats()] == [(await old.account()).id]
    assert (await chat.person()).id != (await old.person()).id
    assert (await account((await chat.person()).id, now=system_now())).balance == 200_00


async def test_a_number_that_was_only_typed_ends_at_whoever_proves_it():
    liar = await registered(Chat(None), "+79170000001")
    taken = await liar.person()
    assert taken.phone == "+79170000001"
    owner = await registered(Chat("79170000001"))
    assert (await owner.person()).id != taken.id
    assert (await owner.person()).phone == "+79170000001"
    assert (await liar.person()).phone is None
    [request] = await link_requests(is_open=True)
    assert (request.account_id, request.customer_id) == ((await liar.account()).id, (await owner.person()).id)
    asked_in = await db.fetch_value("SELECT account_id FROM message WHERE kind = 'link_asked'")
    assert asked_in == (await owner.account()).id


# ---------------------------------------------------------------------------------------- the menu


@pytest.mark.parametrize("word", ["Меню", "меню", "/menu", "Menu"])
async def test_the_menu_is_a_list_behind_a_word(maria, word):
    assert "Мария" in await maria.writes(word)
    assert list(maria.offered) == [
        "Моя карта", "Баланс", "История", "Пригласить друга", "Мои данные", "Настройки",
        "Написать нам",
    ]  # fmt: skip
    assert "На карте 200 бонусов" in await maria.presses("Баланс")


async def test_every_line_of_the_menu_answers_by_its_option(maria):
    said = {}
    for label in ("Баланс", "История", "Пригласить друга", "Мои данные", "Настройки", "Написать нам"):
        await maria.writes("меню")
        said[label] = await maria.presses(label)
    expected = (
        "На карте", "Последние покупки", "Пригласите друга", "Что мы о вас храним", "Язык: Русский",
        "Напишите свой вопрос",
    )  # fmt: skip
    for words, text in zip(expected, said.values(), strict=True):
        assert words in text


async def test_a_typed_number_is_the_button_it_stands_for_until_something_else_is_said(maria):
    await maria.writes("Настройки")
    labels = list(maria.offered)
    assert labels[:2] == ["English", "Українська"]
    assert "Когда у вас день рождения" in await maria.writes(f"{labels.index('День рождения') + 1}.")
    assert "Спасибо, записали" in await maria.writes("24.08.1991")
    assert "Передал сотрудникам" in await maria.writes("1")
    assert (await maria.person()).language == "ru"


async def test_earlier_pages_of_the_history_come_by_number(maria):
    location, person = await a_location(), await maria.person()
    for number in range(11):
        await a_sale(person.id, location, (100 + number) * 100, now=system_now() + timedelta(seconds=number))
    await maria.writes("История")
    assert list(maria.offered) == ["Раньше"]
    assert "подарок за знакомство: +200" in await maria.writes("1")


async def test_an_old_button_is_said_in_the_chat(maria):
    await maria.does(EventKind.BUTTON, data="terms:yes:2")
    assert "устарела" in maria.text


async def test_a_reaction_is_kept_and_answered_with_nothing(maria):
    await maria.writes("Настройки", "День рождения")
    assert await maria.does(EventKind.REACTION, text="👍") == []
    assert await waiting_chats() == []
    assert await db.fetch_value("SELECT count(*) FROM message WHERE kind = 'reaction'") == 1
    assert "Спасибо, записали" in await maria.writes("24.08.1991")


async def test_a_place_is_for_people(maria):
    await maria.does(EventKind.LOCATION, text="55.75, 37.62")
    assert "Передал сотрудникам" in maria.text


async def test_a_card_is_sent_once_with_a_code_that_the_till_knows_and_a_button_for_the_next(maria):
    await maria.writes("Моя карта")
    person, now = await maria.person(), system_now()
    await db.execute("UPDATE message SET status = 'sent', external_id = 'wamid' WHERE kind = 'card'")
    assert await claim_cards("whatsapp", now=now + timedelta(minutes=1)) == []
    face = await open_face(CARD_KEY, person.id, "ru", now, can_edit=CAN.can_edit)
    assert "около минуты" in face.content.text
    proof = await find_by_card_code(card_code(CARD_KEY, person.id, code_step(now)), key=CARD_KEY, now=now)
    assert proof is not None
    assert proof.customer_id == person.id
    maria.answers = [fit(face.content, CAN, "ru")]
    await maria.presses("Показать новый код")
    assert await db.fetch_value("SELECT count(*) FROM shown_card WHERE due_at IS NULL") == 2


# ------------------------------------------------------------------------ what we may write, and where


@pytest.mark.parametrize("word", ["stop", "СТОП", " Стоп!", "отписаться.", "/stop", "Відписатися"])
async def test_stop_ends_offers_in_this_chat_and_nothing_else(maria, word):
    assert "Чтобы снова получать акции, напишите СТАРТ" in await maria.writes(word)
    known = await maria.account()
    assert (known.takes_service, known.takes_marketing, known.takes_surveys) == (True, False, True)
    assert {one.topic: one.granted for one in await consents((await maria.person()).id)}["marketing"] is True
    await maria.does(EventKind.START, text="/start")
    assert "Акции сюда не приходят" in maria.text
    assert not (await maria.account()).takes_marketing
    assert "Акции снова будут приходить" in await maria.writes("старт")
    assert (await maria.account()).takes_marketing
    assert "Что показать?" in await maria.writes("Старт")


async def test_words_with_stop_in_them_are_for_people(maria):
    assert "Передал сотрудникам" in await maria.writes("стоп, а где моя карта?")
    assert (await maria.account()).takes_marketing


async def test_stop_before_the_registration_counts_and_the_question_stands():
    chat = Chat("79170000001")
    await chat.writes("Привет")
    assert "напишите СТАРТ" in await chat.writes("Стоп")
    assert not (await chat.account()).takes_marketing
    await chat.writes("Русский")
    assert "Вы согласны?" in chat.text
    assert "Акции снова будут приходить" in await chat.writes("старт")
    assert "Вы согласны?" in chat.text


async def test_what_they_told_the_messenger_is_kept_in_silence(maria):
    assert await maria.does(EventKind.STOPPED) == []
    assert not (await maria.account()).takes_marketing
    assert await maria.does(EventKind.RESUMED) == []
    assert (await maria.account()).takes_marketing


async def test_topics_are_switched_in_the_settings(maria):
    await maria.writes("Настройки")
    assert "акции — да, опросы — да" in maria.text
    assert "акции — нет, опросы — да" in await maria.presses("Без акций")
    assert {one.topic: one.granted for one in await consents((await maria.person()).id)}["marketing"] is False
    assert "акции — нет, опросы — нет" in await maria.presses("Без опросов")
    assert "акции — да, опросы — нет" in await maria.presses("Получать акции")


async def test_of_two_messengers_one_is_written_to_and_one_or_both_are_left(maria):
    person = await maria.person()
    telegram = await an_account(person.id)
    await maria.writes("Настройки")
    assert "Пишем вам в: WhatsApp. Ещё подключено: Telegram" in maria.text
    assert "Теперь пишем вам в Telegram" in await maria.presses("Писать в Telegram")
    assert (await accounts_of(person.id))[0].id == telegram
    await maria.writes("Настройки")
    await maria.presses("Выйти из программы")
    assert list(maria.offered) == ["Только здесь", "Везде", "Остаться"]
    assert "Вы вышли в этом чате" in await maria.writes("1")
    assert [one.id for one in await accounts_of(person.id)] == [telegram]
    assert {one.topic: one.granted for one in await consents(person.id)}["terms"] is True


async def test_leaving_everywhere_leaves_no_account(maria):
    person = await maria.person()
    await an_account(person.id)
    await maria.writes("Настройки")
    await maria.presses("Выйти из программы")
    assert "Вы вышли" in await maria.presses("Везде")
    assert await accounts_of(person.id) == []
    assert {one.topic: one.granted for one in await consents(person.id)} == {"terms": False, "marketing": False}


# --------------------------------------------------------------------------- numbers, and people


async def test_a_changed_number_of_whatsapp_is_followed(maria):
    person = await maria.person()
    assert await maria.does(EventKind.MOVED, data="79170000002") == []
    moved = await maria.account()
    assert (moved.alias, moved.phone) == ("79170000002", "+79170000002")
    assert (await customer(person.id)).phone == "+79170000002"
    await a_customer(phone="+79170000003")
    maria.number = "79170000002"
    await maria.does(EventKind.MOVED, data="79170000003")
    assert (await customer(person.id)).phone == "+79170000002"
    assert len(await waiting_chats()) == 1


async def shares(chat: Chat, phone: str) -> str:
    await chat.does(EventKind.CONTACT, phone=phone, is_own_phone=True)
    return chat.text


async def test_another_own_number_is_changed_after_a_yes(maria):
    person = await maria.person()
    assert "уже на вашей карте" in await shares(maria, "+79170000001")
    assert "Поменять номер вашей карты на +79170000007?" in await shares(maria, "+79170000007")
    assert "Номер остался прежним" in await maria.presses("Нет")
    await shares(maria, "+79170000007")
    assert "Готово" in await maria.presses("Да")
    assert (await customer(person.id)).phone == "+79170000007"
    assert await find_by_phone("+79170000001") is None


async def test_an_own_number_of_another_card_is_for_people(maria):
    other = await registered(Chat("79170000008"))
    assert "Этот номер стоит на другой карте" in await shares(maria, "+79170000008")
    [request] = await link_requests(is_open=True)
    assert request.customer_id == (await other.person()).id
    assert len(await waiting_chats()) == 1


async def test_an_own_number_that_somebody_only_typed_is_taken_from_them(maria):
    liar = await registered(Chat(None), "+79170000008")
    assert "Поменять номер" in await shares(maria, "+79170000008")
    await maria.presses("Да")
    assert (await maria.person()).phone == "+79170000008"
    assert (await liar.person()).phone is None
    [request] = await link_requests(is_open=True)
    assert request.account_id == (await liar.account()).id


async def test_while_a_person_answers_the_bot_is_silent_but_for_commands_and_buttons(maria):
    await maria.writes("Настройки")
    birthday = maria.offered["День рождения"]
    await db.execute("UPDATE conversation SET staffed_at = now()")
    assert await maria.writes("А когда вы закрываетесь?") == ""
    assert await maria.does(EventKind.PHOTO, file_id="f", mime="image/jpeg") == []
    assert len(await waiting_chats()) == 1
    assert "На карте" in await maria.writes("Баланс")
    await maria.does(EventKind.BUTTON, data=birthday)
    assert "Когда у вас день рождения" in maria.text
    assert "Спасибо, записали" in await maria.writes("24.08.1991")


async def test_a_newcomer_who_talks_with_a_person_goes_on_where_they_were():
    chat = Chat("79170000001")
    await chat.writes("Привет")
    language = chat.offered["Русский"]
    await db.execute("UPDATE conversation SET staffed_at = now()")
    assert await chat.writes("А что это?") == ""
    await chat.does(EventKind.BUTTON, data=language)
    assert "Вы согласны?" in chat.text
