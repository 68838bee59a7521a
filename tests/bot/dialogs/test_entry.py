"""Coming by an entry link, in both messengers."""

import pytest

from bot.channels.base import Event, EventKind
from bot.dialogs.entry import code_in
from loyalty import db
from loyalty.clock import system_now
from loyalty.conversations.actions.turns import Sender
from loyalty.customers.actions.entry_links import add_entry_link
from loyalty.customers.queries import customer, find_by_phone
from loyalty.customers.queries.entry_links import EntryCounts, EntryLinkView, entry_link, entry_link_of
from loyalty.staff.rules import COMMAND
from tests.bot.conftest import bot_message, register, said_to, tap, until
from tests.bot.dialogs.test_whatsapp import Chat
from tests.builders import a_customer, a_location

SENDER = Sender("telegram", "1", "Мария", None, "ru")
CODE = "ABCD2345"


async def a_link(name: str = "Стойка", location_id: int | None = None) -> EntryLinkView:
    link_id = await add_entry_link(name, "tables", location_id=location_id, actor=COMMAND, now=system_now())
    return (await entry_link(link_id))[0]


async def counts(link: EntryLinkView) -> EntryCounts:
    return (await entry_link(link.id))[1]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"/start e_{CODE}", CODE),
        (f"/start e_{CODE.lower()}", CODE),
        ("/start", ""),
        ("/start e_", ""),
        (f"/start e_{CODE}x", ""),
        (f"/start r_{CODE}", ""),
        (f"/start e_{CODE} more", ""),
        ("/start e_" + "я" * 8, ""),
    ],
)
def test_a_code_is_read_out_of_a_link_and_nothing_else(text, code):
    assert code_in(Event(EventKind.START, SENDER, text=text)) == code
    assert code_in(Event(EventKind.TEXT, SENDER, text=text)) == ""


async def test_who_registers_by_a_link_in_telegram_is_known_by_it_and_at_home_there(live_bot, newcomer):
    place = await a_location()
    link, person = await a_link(location_id=place), newcomer("Мария")
    person.start(f"e_{link.code}")
    await tap(person, await person.wait_for(bot_message("На каком языке")), "Русский")
    assert await counts(link) == EntryCounts(1, 0, 0)
    await register_from_terms(person)
    known = await find_by_phone(person.phone)
    assert known is not None
    came = await entry_link_of(known)
    assert came is not None
    assert (came.id, (await customer(known)).home_location_id) == (link.id, place)
    assert await counts(link) == EntryCounts(1, 1, 0)
    journal = await db.fetch_value("SELECT details FROM journal_entry WHERE action = 'customer.entered'")
    assert db.from_json(journal) == {"entry_link": link.id}


async def test_the_first_link_counts_and_the_way_in_goes_on_where_it_was(live_bot, newcomer):
    first, second, person = await a_link(), await a_link("Флаер"), newcomer("Мария")
    person.start(f"e_{first.code}")
    await tap(person, await person.wait_for(bot_message("На каком языке")), "Русский")
    await person.wait_for(bot_message("Вы согласны?"))
    person.start(f"e_{second.code}")
    await until(lambda: len(said_to(person, "Вы согласны?")) == 2)
    await register_from_terms(person)
    assert (await counts(first), await counts(second)) == (EntryCounts(1, 1, 0), EntryCounts(1, 0, 0))


async def register_from_terms(person) -> None:
    """The way in from its second question on; the newest of several counts."""
    await person.wait_for(bot_message("Вы согласны?"))
    await tap(person, said_to(person, "Вы согласны?")[-1], "Согласен")
    await tap(person, await person.wait_for(bot_message("Можно писать вам об акциях")), "Да")
    await person.wait_for(bot_message("Поделитесь номером"))
    person.share_contact()
    await person.wait_for(bot_message("Как вас зовут?"))
    person.send("Мария Соколова")
    await person.wait_for(bot_message("Когда у вас день рождения?"))
    person.send("24.08.1991")
    await person.wait_for(bot_message("Добро пожаловать"))


async def test_whoever_is_registered_is_greeted_and_counted_once(live_bot, newcomer):
    link, person = await a_link(location_id=await a_location()), newcomer("Мария")
    await register(person)
    for _ in range(2):
        person.start(f"e_{link.code}")
    await until(lambda: len(said_to(person, "Рады видеть вас")) == 2)
    assert await counts(link) == EntryCounts(1, 0, 0)
    known = await find_by_phone(person.phone)
    assert known is not None
    assert await entry_link_of(known) is None
    assert (await customer(known)).home_location_id is None


async def test_a_link_that_never_was_is_a_plain_beginning(live_bot, newcomer):
    person = newcomer("Мария")
    person.start("e_ZZZZZZZZ")
    await person.wait_for(bot_message("На каком языке"))
    assert await db.fetch_value("SELECT count(*) FROM entry_visit") == 0


@pytest.mark.usefixtures("shop")
async def test_whatsapp_brings_by_a_link_too():
    link, chat = await a_link(), Chat("79165550177")
    await chat.does(EventKind.START, text=f"/start e_{link.code}")
    await chat.presses("Русский", "Согласен", "Да")
    await chat.writes("Мария Соколова")
    await chat.presses("Пропустить")
    assert "Добро пожаловать" in chat.text
    assert await counts(link) == EntryCounts(1, 1, 0)


@pytest.mark.usefixtures("shop")
async def test_the_till_knew_them_and_the_link_brought_them_into_the_chat():
    known = await a_customer(phone="+79165550178")
    link, chat = await a_link(), Chat("79165550178")
    await chat.does(EventKind.START, text=f"/start e_{link.code}")
    await chat.presses("Русский", "Согласен", "Да", "Пропустить")
    came = await entry_link_of(known.id)
    assert came is not None
    assert came.id == link.id
