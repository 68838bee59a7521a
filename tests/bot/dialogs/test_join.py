"""Coming by the link of a purchase, in a real chat."""

import pytest

from bot.channels.base import Event, EventKind
from bot.dialogs.join import token_in
from loyalty import db
from loyalty.clock import system_now
from loyalty.conversations.actions.turns import Sender
from loyalty.conversations.queries import links_of
from loyalty.customers.queries import find_by_phone
from loyalty.receipts.actions.waiting import keep_waiting_sale, withdraw_waiting_sale
from loyalty.receipts.queries.waiting import WaitingSaleView, waiting_sale
from loyalty.receipts.rules.waiting import WaitingState
from loyalty.staff.rules import Actor
from tests.bot.conftest import bot_message, register, said_to, tap, until
from tests.builders import a_cashier, a_location, a_programme, assert_books_agree

SENDER = Sender("telegram", "1", "Мария", None, "ru")
TOKEN = "AbCd_efGh-ijKl12"


@pytest.mark.parametrize(
    ("text", "token"),
    [
        (f"/start j_{TOKEN}", TOKEN),
        ("/start", ""),
        ("/start j_", ""),
        (f"/start j_{TOKEN}x", ""),
        (f"/start r_{TOKEN}", ""),
        (f"/start j_{TOKEN} more", ""),
        ("/start j_" + "я" * 16, ""),
    ],
)
def test_a_token_is_read_out_of_a_link_and_nothing_else(text, token):
    assert token_in(Event(EventKind.START, SENDER, text=text)) == token
    assert token_in(Event(EventKind.TEXT, SENDER, text=text)) == ""


class Till:
    """Keeps sales for people who are not registered yet."""

    def __init__(self, place: int, actor: Actor) -> None:
        self.place, self.actor, self.keys = place, actor, iter(range(100))

    async def keep(self, total: int = 1840_00, phone: str | None = None) -> WaitingSaleView:
        key = f"k{next(self.keys)}"
        return await keep_waiting_sale(self.place, key, total, phone=phone, actor=self.actor, now=system_now())


@pytest.fixture
async def till(live_bot) -> Till:
    await a_programme()
    return Till(await a_location(), await a_cashier())


async def became(sale):
    return (await waiting_sale(sale.id)).state


async def test_the_bot_tells_the_till_how_people_come_to_it(live_bot):
    async def is_known():
        return (await links_of(["telegram:4242"], "j_abc")).get("telegram:4242")

    await until(is_known)
    assert await is_known() == "https://t.me/regulars_demo_bot?start=j_abc"
    assert await links_of(["telegram:1"], "j_abc") == {}


async def test_who_registers_by_the_link_is_credited_in_the_same_turn(till, newcomer):
    by_link, person = await till.keep(), newcomer("Мария")
    by_phone = await till.keep(500_00, phone=person.phone)
    welcome = await register(person, came_for=by_link.token)
    assert "200\u00a0бонусов" in welcome["text"]
    assert await became(by_link) is await became(by_phone) is WaitingState.CREDITED
    assert (await waiting_sale(by_link.id)).customer_id == await find_by_phone(person.phone)
    await person.wait_for(bot_message("1\u00a0840"))
    assert not said_to(person, "Покупки по вашей ссылке")
    await assert_books_agree(now=system_now())


async def test_whoever_is_registered_comes_by_the_link_and_twice_is_once(till, newcomer):
    person = newcomer("Мария")
    await register(person)
    sale = await till.keep()
    for _ in range(2):
        person.start(f"j_{sale.token}")
    await person.wait_for(bot_message("1\u00a0840"))
    await until(lambda: len(said_to(person, "Рады видеть вас")) == 2)
    assert not said_to(person, "Покупки по вашей ссылке")
    assert await db.fetch_value("SELECT count(*) FROM receipt") == 1


async def test_a_link_whose_purchase_is_gone_says_so(till, newcomer):
    sale = await till.keep()
    await withdraw_waiting_sale(sale.id, actor=till.actor, now=system_now())
    first, second = newcomer("Мария"), newcomer("Анна")
    welcome = await register(first, came_for=sale.token)
    assert "Покупки по вашей ссылке уже нет" in welcome["text"]
    await register(second)
    second.start("j_" + "A" * 16)
    await second.wait_for(bot_message("Покупки по вашей ссылке уже нет"))


async def test_a_second_link_in_the_middle_of_the_registration_counts_too(till, newcomer):
    first, second, person = await till.keep(), await till.keep(300_00), newcomer("Мария")
    person.start(f"j_{first.token}")
    await tap(person, await person.wait_for(bot_message("На каком языке")), "Русский")
    await person.wait_for(bot_message("Вы согласны?"))
    person.start(f"j_{second.token}")
    await until(lambda: len(said_to(person, "Вы согласны?")) == 2)
    await tap(person, said_to(person, "Вы согласны?")[-1], "Согласен")
    await tap(person, await person.wait_for(bot_message("Можно писать вам об акциях")), "Да")
    await person.wait_for(bot_message("Поделитесь номером"))
    person.share_contact()
    await person.wait_for(bot_message("Как вас зовут?"))
    person.send("Мария Соколова")
    await person.wait_for(bot_message("Когда у вас день рождения?"))
    person.send("24.08.1991")
    await person.wait_for(bot_message("Добро пожаловать"))
    assert await became(first) is await became(second) is WaitingState.CREDITED
