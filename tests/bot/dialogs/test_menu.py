"""What a registered customer can do in the chat."""

from datetime import timedelta
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image

from bot.channels.telegram import TelegramChannel
from loyalty import db
from loyalty.bonuses.actions.manual import adjust
from loyalty.bonuses.queries import account
from loyalty.clock import system_now
from loyalty.conversations.actions.arrivals import replay_update
from loyalty.conversations.queries import find_by_card_code, messages, waiting_chats
from loyalty.conversations.queries.channels import failed_updates
from loyalty.customers.queries import accounts_of, consents, customer, find_by_phone
from loyalty.customers.rules import CODE_SECONDS
from loyalty.staff.rules import COMMAND
from tests.bot.conftest import CARD_KEY, bot_message, buttons_of, register, said_to, tap, until, until_sql
from tests.builders import a_location, a_programme, a_sale, assert_books_agree

pytestmark = pytest.mark.usefixtures("live_bot")


@pytest.fixture
async def maria(newcomer):
    """Somebody who has registered just now, and the id of her card's owner."""
    person = newcomer("Мария")
    await register(person)
    person.customer_id = await find_by_phone(person.phone)
    return person


async def test_balance_says_what_there_is_what_runs_out_and_what_is_missing_for_the_next_level(maria):
    await a_programme()
    location = await a_location()
    await a_sale(maria.customer_id, location, 1_840_00, now=system_now())
    maria.send("Баланс")
    said = (await maria.wait_for(bot_message("На карте")))["text"].replace("\u00a0", " ")
    assert "На карте 292 бонуса." in said
    assert "200 бонусов." in said.split("сгорает:")[1].splitlines()[1]
    assert "Ваш уровень: Base, начисляем 5% от покупки." in said
    assert "До уровня Silver осталось купить на 8 160 ₽." in said


async def test_a_sale_is_told_at_once_with_the_new_balance(maria):
    location = await a_location()
    await a_sale(maria.customer_id, location, 1_840_00, burn=100_00, now=system_now())
    said = (await maria.wait_for(bot_message("Спасибо за покупку")))["text"].replace("\u00a0", " ")
    assert said == (
        "Спасибо за покупку: 1 840 ₽, Tverskaya, 12.\nСписали 100 бонусов.\nНачислили 87 бонусов.\n"
        "Теперь на карте 187 бонусов."
    )


async def test_history_lists_purchases_and_gifts_a_page_at_a_time(maria):
    location = await a_location()
    for number in range(11):
        await a_sale(maria.customer_id, location, (100 + number) * 100, now=system_now() + timedelta(seconds=number))
    maria.send("/history")
    first = await maria.wait_for(bot_message("Последние покупки"))
    assert "110\u00a0₽" in first["text"]
    assert "100\u00a0₽" not in first["text"]
    await tap(maria, first, "Раньше")
    await maria.wait_for(bot_message("подарок за знакомство: +200"))


async def test_the_card_shows_a_code_and_a_qr_that_a_scanner_reads(maria, bot_settings):
    maria.send("Моя карта")
    card = await maria.wait_for(lambda message: "photo" in message and not message["outgoing"])
    code = code_of(card)
    proof = await find_by_card_code(code, key=CARD_KEY, now=system_now())
    assert proof is not None
    assert proof.customer_id == maria.customer_id
    person = await customer(maria.customer_id)
    assert await read_qr(bot_settings, card) == person.card_number + code


async def test_the_code_changes_in_the_same_message_and_is_put_away_after_a_while(maria, bot_settings, clock):
    maria.send("Моя карта")
    card = await maria.wait_for(lambda message: "photo" in message and not message["outgoing"])
    first, message_id = code_of(card), card["message_id"]
    clock.ahead = timedelta(seconds=CODE_SECONDS)
    later = await maria.wait_for(lambda m: m["message_id"] == message_id and code_of(m) != first)
    assert await read_qr(bot_settings, later) == (await customer(maria.customer_id)).card_number + code_of(later)
    clock.ahead = timedelta(minutes=6)
    closed = await maria.wait_for(lambda m: m["message_id"] == message_id and "Код убран" in m["caption"])
    assert await read_qr(bot_settings, closed) is None
    assert await find_by_card_code(first, key=CARD_KEY, now=clock()) is None
    await tap(maria, closed, "Показать новый код")
    again = await maria.wait_for(lambda m: m["message_id"] > message_id and "photo" in m)
    assert await find_by_card_code(code_of(again), key=CARD_KEY, now=clock()) is not None


async def test_a_new_card_puts_the_one_above_it_away(maria):
    maria.send("Моя карта")
    first = await maria.wait_for(lambda message: "photo" in message)
    maria.send("/card")
    await maria.wait_for(lambda m: m["message_id"] > first["message_id"] and "photo" in m and not m["outgoing"])
    await maria.wait_for(lambda m: m["message_id"] == first["message_id"] and "Код убран" in m["caption"])


async def test_the_language_is_changed_in_the_settings(maria):
    maria.send("Настройки")
    shown = await maria.wait_for(bot_message("Язык: Русский"))
    await tap(maria, shown, "English")
    await maria.wait_for(bot_message("Now we speak English"))
    assert [key["text"] for key in maria.keyboard[0]] == ["My card"]
    assert (await customer(maria.customer_id)).language == "en"
    maria.send("Баланс")
    await maria.wait_for(bot_message("On your card"))


async def test_leaving_is_asked_twice_keeps_the_bonuses_and_the_way_back_is_open(maria):
    maria.send("/settings")
    await tap(maria, await maria.wait_for(bot_message("Язык: Русский")), "Выйти из программы")
    await tap(maria, await maria.wait_for(bot_message("Выйти из программы")), "Да, выйти")
    await maria.wait_for(bot_message("Вы вышли"))
    assert await accounts_of(maria.customer_id) == []
    assert {consent.topic: consent.granted for consent in await consents(maria.customer_id)}["terms"] is False
    # Nothing is written to somebody who has left.
    await adjust(maria.customer_id, 10_00, "gift", key="gift", actor=COMMAND, now=system_now())
    assert await db.fetch_value("SELECT count(*) FROM message WHERE kind = 'bonuses_credited'") == 0
    await come_back(maria)
    assert (await account(maria.customer_id, now=system_now())).balance == 210_00
    assert [one.address for one in await accounts_of(maria.customer_id)] == [str(maria.id)]
    await assert_books_agree(now=system_now())


async def come_back(maria) -> None:
    maria.start()
    await maria.wait_for(lambda _: len(said_to(maria, "На каком языке")) == 2)
    await tap(maria, said_to(maria, "На каком языке")[-1], "Русский")
    await maria.wait_for(lambda _: len(said_to(maria, "Вы согласны?")) == 2)
    await tap(maria, said_to(maria, "Вы согласны?")[-1], "Согласен")
    await maria.wait_for(lambda _: len(said_to(maria, "Можно писать вам об акциях")) == 2)
    await tap(maria, said_to(maria, "Можно писать вам об акциях")[-1], "Да")
    await maria.wait_for(lambda _: len(said_to(maria, "Поделитесь номером")) == 2)
    maria.share_contact()
    await maria.wait_for(bot_message("С возвращением, Мария"))


async def test_what_no_dialog_understands_is_passed_to_staff_and_said_once(maria):
    maria.send("Есть ли у вас безлактозное молоко?")
    await maria.wait_for(bot_message("Передал сотрудникам"))
    maria.send("И овсяное?")
    [chat] = await waiting_chats()
    assert chat.customer_id == maria.customer_id
    maria.send("Баланс")
    await maria.wait_for(bot_message("На карте"))
    assert len(said_to(maria, "Передал сотрудникам")) == 1
    [chat] = await waiting_chats()
    assert chat.last_text == "Баланс"


async def test_a_photo_is_kept_with_the_conversation(maria):
    maria.send_photo(png(), "чек")
    await maria.wait_for(bot_message("Передал сотрудникам"))
    await until_sql("SELECT state <> 'wanted' FROM media")
    [kept] = await db.fetch("SELECT body, mime, state, size FROM media")
    assert (kept["mime"], kept["state"], kept["size"]) == ("image/jpeg", "stored", len(kept["body"]))
    # The messenger makes a JPEG of every photo.
    assert Image.open(BytesIO(kept["body"])).size == (90, 60)
    [one] = await accounts_of(maria.customer_id)
    said, _ = await messages([one.id])
    assert [(message.kind, message.content.text) for message in said if message.media_id] == [("photo", "чек")]


async def test_an_old_button_is_answered_and_does_nothing(maria, simulator):
    language = said_to(maria, "На каком языке")[0]
    maria.tap(language["message_id"], "language:en:1")
    await until(
        lambda: [fields for name, fields in simulator.calls if name == "answerCallbackQuery" and "text" in fields]
    )
    assert (await customer(maria.customer_id)).language == "ru"
    assert buttons_of(said_to(maria, "На каком языке")[0]) == {}


async def test_an_update_that_breaks_its_step_is_kept_shown_to_staff_and_the_chat_goes_on(maria):
    await db.execute("UPDATE programme SET body = '{}'")
    maria.send("Баланс")
    await maria.wait_for(bot_message("Что-то пошло не так"))
    row = await db.fetch_row(
        "SELECT state, reason, body IS NOT NULL AS kept FROM incoming_update WHERE state = 'failed'"
    )
    assert row == {"state": "failed", "reason": "TypeError", "kept": True}
    [chat] = await waiting_chats()
    assert chat.customer_id == maria.customer_id
    maria.send("/menu")
    await maria.wait_for(bot_message("Что показать"))


async def test_what_broke_is_answered_when_it_is_taken_once_more(maria):
    body = await db.fetch_value("SELECT body::text FROM programme")
    await db.execute("UPDATE programme SET body = '{}'")
    maria.send("Баланс")
    await maria.wait_for(bot_message("Что-то пошло не так"))
    await db.execute("UPDATE programme SET body = $1::jsonb", body)
    [update], _ = await failed_updates()
    await replay_update(update.id, actor=COMMAND, now=system_now())
    await maria.wait_for(bot_message("На карте"))
    await until_sql("SELECT NOT EXISTS (SELECT FROM incoming_update WHERE state <> 'done')")


async def test_an_update_that_cannot_be_read_is_kept_and_does_not_stop_the_chat(maria, simulator):
    simulator.inject({"message": {"message_id": "?", "chat": {"id": maria.id}}})
    simulator.inject({"shape_of_tomorrow": {"chat": {"id": maria.id}}})
    simulator.inject({"message": {"text": "half a pair \ud83d", "chat": {"id": maria.id}}})
    maria.send("Баланс")
    await maria.wait_for(bot_message("На карте"))
    states = await db.fetch("SELECT state, reason FROM incoming_update WHERE state IN ('failed', 'ignored') ORDER BY 1")
    assert [tuple(row.values()) for row in states] == [
        ("failed", "unreadable"),
        ("failed", "unreadable"),
        ("ignored", "not_ours"),
    ]


async def test_what_cannot_be_stored_as_text_does_not_stop_the_chat(maria, simulator):
    person = {"id": maria.id, "is_bot": False, "first_name": "\x00\u202e", "username": "a\x00b"}
    chat = {"id": maria.id, "type": "private"}
    photo = [{"file_id": "a\x00b", "file_unique_id": "c", "width": 9, "height": 9}]
    message = {"message_id": 9_000, "date": 0, "chat": chat, "from": person, "caption": "\x00", "photo": photo}
    simulator.inject({"message": message})
    maria.send("Баланс")
    await maria.wait_for(bot_message("На карте"))
    assert await db.fetch_value("SELECT count(*) FROM incoming_update WHERE state <> 'done'") == 0
    assert await db.fetch_value("SELECT count(*) FROM media") == 0


async def test_in_a_group_there_is_one_hint_no_personal_data_and_the_bot_leaves(maria, simulator):
    group = {"id": -100500, "type": "group", "title": "Friends"}
    sender = {"id": maria.id, "is_bot": False, "first_name": "Мария"}
    for number in range(3):
        simulator.inject({"message": {"message_id": number, "date": 0, "chat": group, "from": sender, "text": "/card"}})
    maria.send("Баланс")
    await maria.wait_for(bot_message("На карте"))
    await until(lambda: [name for name, _ in simulator.calls].count("leaveChat") == 3)
    hints = [
        fields for name, fields in simulator.calls if name == "sendMessage" and str(fields["chat_id"]) == "-100500"
    ]
    assert len(hints) == 1
    assert "только в личной переписке" in hints[0]["text"]
    assert await db.fetch_value("SELECT count(*) FROM messenger_account WHERE address = '-100500'") == 0


async def test_blocking_and_unblocking_are_kept(maria):
    maria.block()
    await until_sql("SELECT NOT is_active FROM messenger_account WHERE channel = 'telegram'")
    assert not await db.fetch_value("SELECT telegram FROM customer_facts")
    maria.unblock()
    await until_sql("SELECT is_active FROM messenger_account WHERE channel = 'telegram'")
    assert await db.fetch_value("SELECT telegram FROM customer_facts")
    await assert_books_agree(now=system_now())


def code_of(card) -> str:
    caption = card.get("caption", "")
    digits = "".join(char for char in caption.partition("кассира: ")[2].partition("\n")[0] if char.isdigit())
    return digits if len(digits) == 6 else ""


async def read_qr(bot_settings, card) -> str | None:
    channel = TelegramChannel(bot_settings.telegram_bot_token.get_secret_value(), bot_settings.telegram_api_url)
    try:
        picture = await channel.fetch(card["photo"][-1]["file_id"], limit=10**6)
    finally:
        await channel.close()
    found = zxingcpp.read_barcodes(Image.open(BytesIO(picture)).convert("L"))
    return found[0].text if found else None


def png() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (90, 60), (200, 30, 30)).save(buffer, "PNG")
    return buffer.getvalue()
