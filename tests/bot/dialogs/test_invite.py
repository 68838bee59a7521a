"""Inviting a friend, coming by an invitation, and correcting the birthday."""

from datetime import date
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image

from bot.channels.base import Event, EventKind
from bot.channels.telegram import TelegramChannel
from bot.dialogs.invite import code_in
from loyalty.bonuses.actions.referrals import settle_referrals
from loyalty.bonuses.queries import invited, invited_by
from loyalty.clock import system_now
from loyalty.conversations.actions.turns import Sender
from loyalty.customers.actions.profile import referral_code_of
from loyalty.customers.queries import customer, find_by_phone
from loyalty.staff.rules import JOB
from tests.bot.conftest import bot_message, register, tap
from tests.builders import a_customer, a_location, a_programme, a_sale

SENDER = Sender("telegram", "1", "Мария", None, "ru")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("/start r_ABCD2345", "ABCD2345"),
        ("/start", ""),
        ("/start r_", ""),
        ("/start r_ABCD234'", ""),
        ("/start x_ABCD2345", ""),
        ("/start r_ABCD2345 more", ""),
        ("/start r_" + "A" * 4000, ""),
    ],
)
def test_a_code_is_read_out_of_a_link_and_nothing_else(text, code):
    assert code_in(Event(EventKind.START, SENDER, text=text)) == code
    assert code_in(Event(EventKind.TEXT, SENDER, text=text)) == ""


@pytest.fixture
async def referrer(live_bot, newcomer):
    """Somebody registered, in a programme that rewards invitations."""
    await a_programme(referral_bonus=300_00, referral_invitee_bonus=100_00)
    person = newcomer("Анна")
    await register(person, name="Анна Кот")
    person.customer_id = await find_by_phone(person.phone)
    return person


async def test_an_invitation_has_a_link_a_code_to_scan_and_says_what_both_get(referrer, bot_settings):
    referrer.send("Пригласить друга")
    shown = await referrer.wait_for(lambda message: "photo" in message and not message["outgoing"])
    link = f"https://t.me/regulars_demo_bot?start=r_{await referral_code_of(referrer.customer_id)}"
    assert shown["caption"].replace("\u00a0", " ") == (
        "Пригласите друга: отправьте ему эту ссылку или дайте отсканировать код.\n"
        "За его первую покупку вы получите 300 бонусов.\nОн получит 100 бонусов.\n\n" + link
    )
    token = bot_settings.telegram_bot_token.get_secret_value()
    channel = TelegramChannel(token, bot_settings.telegram_api_url)
    picture = await channel.fetch(shown["photo"][-1]["file_id"], limit=10**6)
    await channel.close()
    [found] = zxingcpp.read_barcodes(Image.open(BytesIO(picture)))
    assert found.text == link


async def test_a_friend_registers_by_the_link_buys_and_both_are_told(referrer, newcomer):
    friend = newcomer("Мария")
    code = (await referral_code_of(referrer.customer_id)).lower()
    done = await register(friend, invited_with=code)
    assert "За первую покупку по приглашению подарим ещё 100 бонусов." in done["text"].replace("\u00a0", " ")
    friend_id = await find_by_phone(friend.phone)
    assert friend_id is not None
    assert [one.customer_id for one in await invited(referrer.customer_id)] == [friend_id]
    await a_sale(friend_id, await a_location(), 500_00, now=system_now())
    await settle_referrals(actor=JOB, now=system_now())
    await referrer.wait_for(bot_message("По вашему приглашению пришёл друг"))
    await friend.wait_for(bot_message("Вы пришли по приглашению друга"))
    referrer.send("/invite")
    await referrer.wait_for(bot_message("Пришли по вашему приглашению: 1. Подарков получено: 1."))


async def test_whoever_the_shop_knew_comes_without_a_gift(referrer, newcomer):
    friend = newcomer("Мария")
    known = await a_customer(phone=friend.phone, birthday=date(1991, 8, 24))
    friend.send(f"/start r_{await referral_code_of(referrer.customer_id)}")
    await tap(friend, await friend.wait_for(bot_message("На каком языке")), "Русский")
    await tap(friend, await friend.wait_for(bot_message("Вы согласны?")), "Согласен")
    await tap(friend, await friend.wait_for(bot_message("Можно писать вам об акциях")), "Да")
    await friend.wait_for(bot_message("Поделитесь номером"))
    friend.share_contact()
    await friend.wait_for(bot_message("Добро пожаловать"))
    invitation = await invited_by(known.id)
    assert invitation is not None
    assert (invitation.state, invitation.reason) == ("refused", "known_already")


async def test_a_birthday_is_corrected_once_in_the_settings(referrer):
    referrer.send("Настройки")
    await tap(referrer, await referrer.wait_for(bot_message("День рождения: 24 авг. 1991")), "День рождения")
    await referrer.wait_for(bot_message("Изменить его можно только один раз"))
    referrer.send("завтра")
    await referrer.wait_for(bot_message("Не могу прочитать это как дату"))
    referrer.send("25.08.1991")
    await referrer.wait_for(bot_message("Спасибо, записали"))
    assert (await customer(referrer.customer_id)).birthday == date(1991, 8, 25)
    referrer.send("/settings")
    await tap(referrer, await referrer.wait_for(bot_message("День рождения: 25 авг. 1991")), "День рождения")
    await referrer.wait_for(bot_message("уже меняли один раз"))


async def test_a_question_about_the_birthday_can_be_left_by_the_menu(referrer):
    referrer.send("Настройки")
    await tap(referrer, await referrer.wait_for(bot_message("День рождения: 24 авг. 1991")), "День рождения")
    await referrer.wait_for(bot_message("Изменить его можно только один раз"))
    referrer.send("Баланс")
    await referrer.wait_for(bot_message("На карте"))
    referrer.send("26.08.1991")
    await referrer.wait_for(bot_message("Передал сотрудникам"))
    assert (await customer(referrer.customer_id)).birthday == date(1991, 8, 24)
