"""Which messages are sent, where, in whose words; how large they are as SMS."""

import asyncio
from datetime import timedelta

import pytest

from loyalty import db
from loyalty.conversations.actions.staff import write_to
from loyalty.conversations.actions.types import MessageTypeDraft, reset_message_type, set_message_type, switch_channel
from loyalty.conversations.answering import Upload
from loyalty.conversations.channels import CAPABILITIES, SmsSize, sms_size
from loyalty.conversations.content import Content
from loyalty.conversations.kinds import KINDS
from loyalty.conversations.kinds.base import nameless
from loyalty.conversations.message_types import BY_PEOPLE, LANGUAGES, NAMES, possible_channels, usable_variables
from loyalty.conversations.queries.recipients import recipient_of
from loyalty.conversations.queries.types import example_of, message_type, message_types, somebody
from loyalty.errors import Conflict, Invalid, NotFound, Refused
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_cashier, a_customer, a_message, an_account

LATER = NOW + timedelta(hours=1)
EVERYWHERE = ("sms", "telegram", "whatsapp", "email")


async def set_receipt(*, seen=None, now=NOW, channels=EVERYWHERE, **more):
    await set_message_type("receipt", MessageTypeDraft(channels, **more), seen=seen, actor=COMMAND, now=now)


async def last_act():
    return await db.fetch_row("SELECT action, details FROM journal_entry ORDER BY id DESC LIMIT 1")


async def test_every_type_is_the_houses_until_the_shop_says_otherwise(database):
    found = await message_types()
    assert [one.name for one in found] == [*KINDS, *BY_PEOPLE] == list(NAMES)
    assert {(one.channels, one.own_first, one.updated_at) for one in found} == {(("telegram", "whatsapp"), True, None)}


async def test_the_shops_order_and_words_are_what_a_customer_is_told_by(database):
    customer = await a_customer()
    await an_account(customer.id)
    await set_receipt(own_first=False, texts={"ru": {"text": "{first_name}, ещё {earned}!", "subject": "Покупка"}})
    recipient = await recipient_of(customer.id, "receipt")
    assert recipient is not None
    channel = await db.fetch_value("SELECT channel FROM messenger_account WHERE id = $1", recipient.account_id)
    assert channel == "sms"
    said = recipient.content({"earned": "5 бонусов"})
    assert (said.text, said.subject) == ("Мария, ещё 5 бонусов!", "Покупка")


async def test_a_type_without_channels_reaches_nobody(database):
    customer = await a_customer()
    await an_account(customer.id)
    await set_receipt(channels=())
    assert await recipient_of(customer.id, "receipt") is None


@pytest.mark.parametrize(
    ("channels", "reason"),
    [(("pigeon",), "unknown_choice"), (("sms", "sms"), "named_twice")],
)
async def test_only_channels_of_ours_once_each(database, channels, reason):
    with pytest.raises(Invalid, match=reason):
        await set_receipt(channels=channels)


async def test_what_asks_goes_only_where_people_can_answer(database):
    assert possible_channels("hold_asked") == ("telegram", "whatsapp")
    with pytest.raises(Invalid, match="cannot_be_asked_there"):
        await switch_channel("hold_asked", "sms", is_on=True, actor=COMMAND, now=NOW)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Баланс {balanse}", "unknown_variable"),
        ("Баланс {balance", "odd_braces"),
        ("Баланс {Balance}", "odd_braces"),
        ("б" * 1001, "too_long"),
    ],
)
async def test_a_text_that_could_not_be_filled_in_is_refused_at_its_field(database, text, reason):
    with pytest.raises(Invalid, match=reason) as refused:
        await set_receipt(texts={"ru": {"text": text}})
    assert refused.value.field == "text-ru"


async def test_a_subject_is_one_short_line(database):
    with pytest.raises(Invalid, match="too_long") as refused:
        await set_receipt(texts={"uk": {"subject": "т" * 121}})
    assert refused.value.field == "subject-uk"
    await set_receipt(texts={"uk": {"subject": " Ваша \n покупка "}})
    assert (await message_type("receipt")).texts == {"uk": {"subject": "Ваша покупка"}}


async def test_empty_words_and_those_of_the_house_are_the_houses(database):
    texts = {
        "ru": {"text": KINDS["receipt"].texts["ru"]},
        "uk": {"text": "  "},
        "en": {"text": "Thanks, {first_name}!"},
    }
    await set_receipt(texts=texts)
    assert (await message_type("receipt")).texts == {"en": {"text": "Thanks, {first_name}!"}}


def test_the_houses_own_words_pass_their_own_rules():
    for kind in KINDS.values():
        assert set(kind.texts) >= set(LANGUAGES)
        assert usable_variables(kind) >= {"first_name"}


def test_numbers_that_only_buttons_need_are_not_offered():
    assert "hold" not in usable_variables(KINDS["hold_asked"])
    assert "amount" in usable_variables(KINDS["hold_asked"])


async def test_two_who_change_one_type_do_not_overwrite_each_other(database):
    await set_receipt()
    with pytest.raises(Conflict, match="changed_meanwhile"):
        await set_receipt(seen=None, now=LATER, channels=("telegram",))
    seen = (await message_type("receipt")).updated_at
    await set_receipt(seen=seen, now=LATER, channels=("telegram",))
    assert (await message_type("receipt")).channels == ("telegram",)


async def test_the_journal_says_what_changed_and_no_words(database):
    await set_receipt(texts={"ru": {"text": "Секрет"}})
    entry = await last_act()
    assert entry["action"] == "message_type.changed"
    assert db.from_json(entry["details"]) == {"type": "receipt", "changed": ["channels", "text-ru"]}
    before = await db.fetch_value("SELECT count(*) FROM journal_entry")
    await set_receipt(seen=NOW, now=LATER, texts={"ru": {"text": "Секрет"}})
    assert await db.fetch_value("SELECT count(*) FROM journal_entry") == before


async def test_a_channel_that_was_switched_off_comes_back_to_its_place(database):
    place = await switch_channel("receipt", "telegram", is_on=False, actor=COMMAND, now=NOW)
    assert (place, (await message_type("receipt")).channels) == (0, ("whatsapp",))
    await switch_channel("receipt", "telegram", is_on=True, at=place, actor=COMMAND, now=LATER)
    assert (await message_type("receipt")).channels == ("telegram", "whatsapp")
    await switch_channel("receipt", "sms", is_on=True, actor=COMMAND, now=LATER)
    assert (await message_type("receipt")).channels == ("telegram", "whatsapp", "sms")
    assert await switch_channel("receipt", "email", is_on=False, actor=COMMAND, now=LATER) is None


async def test_a_type_can_be_the_houses_again(database):
    await set_receipt()
    await reset_message_type("receipt", actor=COMMAND, now=LATER)
    assert (await message_type("receipt")).updated_at is None
    assert (await last_act())["action"] == "message_type.reset"


async def test_there_is_no_type_of_another_name(database):
    for call in (message_type("pigeon"), reset_message_type("pigeon", actor=COMMAND, now=NOW)):
        with pytest.raises(NotFound, match="message_type"):
            await call


async def test_an_example_is_of_the_customer_else_of_somebody_told_lately(database):
    told, other = await a_customer(), await a_customer()
    assert await example_of("receipt", told.id, "ru") is None
    account = await an_account(told.id)
    content = Content(text="100", values={"total": "100 ₽"})
    await a_message(account, kind="receipt", status="sent", content=content)
    mine, borrowed = await example_of("receipt", told.id, "ru"), await example_of("receipt", other.id, "ru")
    assert mine is not None
    assert borrowed is not None
    assert (mine.is_theirs, mine.values) == (True, {"total": "100 ₽"})
    assert (borrowed.is_theirs, borrowed.customer_id) == (False, told.id)
    assert await example_of("receipt", told.id, "uk") is None
    assert await somebody() == told.id


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", SmsSize(0, 0, 160, is_wide=False)),
        ("a" * 160, SmsSize(160, 1, 160, is_wide=False)),
        ("a" * 161, SmsSize(161, 2, 153, is_wide=False)),
        ("€" * 80, SmsSize(160, 1, 160, is_wide=False)),
        ("a" * 152 + "€" + "a" * 152, SmsSize(306, 3, 153, is_wide=False)),
        ("ж" * 70, SmsSize(70, 1, 70, is_wide=True)),
        ("ж" * 71, SmsSize(71, 2, 67, is_wide=True)),
        ("ж" * 670, SmsSize(670, 10, 67, is_wide=True)),
        ("ж" * 66 + "🎁" + "ж" * 66, SmsSize(134, 3, 67, is_wide=True)),
    ],
)
def test_a_text_is_so_many_sms(text, size):
    assert sms_size(text) == size


def test_the_longest_sms_we_send_is_ten_parts():
    assert sms_size("ж" * CAPABILITIES["sms"].text_length).parts == 10


async def an_address(customer_id: int, channel: str = "sms") -> int:
    account_id: int = await db.fetch_value(
        "SELECT id FROM messenger_account WHERE customer_id = $1 AND channel = $2", customer_id, channel
    )
    return account_id


async def test_staff_write_by_sms_once_the_owner_lets_them_and_open_no_conversation(database):
    customer, actor = await a_customer(), await a_cashier()
    account = await an_address(customer.id)
    with pytest.raises(Refused, match="staff_not_there"):
        await write_to(account, "Ваш заказ готов", key="k1", actor=actor, now=NOW)
    await switch_channel("staff", "sms", is_on=True, actor=COMMAND, now=NOW)
    for _ in range(2):
        await write_to(account, "Ваш заказ готов", key="k2", actor=actor, now=NOW)
    rows = await db.fetch("SELECT kind, channel, status FROM message WHERE account_id = $1", account)
    assert rows == [{"kind": "staff", "channel": "sms", "status": "queued"}]
    assert await db.fetch_value("SELECT count(*) FROM conversation WHERE account_id = $1", account) == 0


async def test_an_sms_of_staff_is_words_alone_and_not_endless(database):
    customer, actor = await a_customer(), await a_cashier()
    account = await an_address(customer.id)
    await switch_channel("staff", "sms", is_on=True, actor=COMMAND, now=NOW)
    with pytest.raises(Invalid, match="too_long"):
        await write_to(account, "ж" * 671, key="k1", actor=actor, now=NOW)
    picture = Upload("a.png", "image/png", b"\x89PNG\r\n\x1a\n rest")
    with pytest.raises(Invalid, match="no_files_there"):
        await write_to(account, "Вот", upload=picture, key="k2", actor=actor, now=NOW)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Здравствуйте, {first_name}!", "Здравствуйте!"),
        ("{first_name}, мы соскучились!", "Мы соскучились!"),
        ("{first_name}! Ждём вас", "Ждём вас"),
        ("Готово. {first_name}, заходите", "Готово. Заходите"),
        ("{first_name},\nждём", "ждём"),
        ("Ждём {first_name} и друзей", "Ждём и друзей"),
        ("Ждём\n\nвас", "Ждём\n\nвас"),
    ],
)
def test_who_has_no_name_is_spoken_to_without_it(text, said):
    assert nameless(text) == said


async def test_two_channels_switched_in_one_breath_are_both_switched(database):
    changes = [switch_channel("birthday", one, is_on=False, actor=COMMAND, now=NOW) for one in ("telegram", "whatsapp")]
    await asyncio.gather(*changes)
    assert (await message_type("birthday")).channels == ()
