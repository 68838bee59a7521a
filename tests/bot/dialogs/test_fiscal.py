"""Sending a fiscal receipt in the chat: its text, its photo, and what the bot says to it."""

from datetime import timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
import segno
from PIL import Image

from bot import media as fetching
from bot.codes import MOST_PIXELS, codes_in, read
from loyalty import db
from loyalty.clock import system_now
from loyalty.conversations.queries import waiting_chats
from loyalty.customers.queries import find_by_phone
from loyalty.receipts.queries.claims import claims
from loyalty.receipts.rules.claims import ClaimSource, ClaimState
from loyalty.receipts.rules.sales import FiscalKey
from tests.bot.conftest import bot_message, register, said_to, talking, until, until_sql
from tests.builders import a_customer, a_location, a_programme, a_sale, assert_books_agree

FN = "9960440300123456"


def a_code(number: int = 451, *, total: str = "500.00", days_ago: float = 0.1, operation: int = 1) -> str:
    """What is printed on a receipt of a while ago, by the clocks of Moscow."""
    sold_at = (system_now() - timedelta(days=days_ago)).astimezone(ZoneInfo("Europe/Moscow"))
    return f"t={sold_at:%Y%m%dT%H%M}&s={total}&fn={FN}&i={number}&fp=3915461783&n={operation}"


def a_photo(text: str, *, kind: str = "JPEG") -> bytes:
    """A receipt on a table: its QR code, a little turned, on grey."""
    drawn = BytesIO()
    segno.make(text, error="m", micro=False).save(drawn, kind="png", scale=6, border=4)
    code = Image.open(drawn).convert("L").rotate(7, expand=True, fillcolor=255)
    table = Image.new("L", (1200, 1600), 130)
    table.paste(code, (300, 500))
    shot = BytesIO()
    table.save(shot, kind)
    return shot.getvalue()


NO_CODE = a_photo("https://example.com/menu")


@pytest.fixture
async def location(database) -> int:
    await a_programme(claim_auto_total=1000_00)
    place = await a_location(name="Покровка, 27")
    await db.execute("INSERT INTO fiscal_drive (fn, location_id) VALUES ($1, $2)", FN, place)
    return place


@pytest.fixture
async def maria(live_bot, location, newcomer):
    """Somebody registered, in a shop with a cash register."""
    person = newcomer("Мария")
    await register(person)
    person.customer_id = await find_by_phone(person.phone)
    return person


async def only_claim():
    [view], _ = await claims()
    return view


async def test_the_text_of_a_receipt_is_credited_and_told_as_a_purchase(maria):
    maria.send(f"вот: https://check.example.com/?{a_code()}")
    told = await maria.wait_for(bot_message("Спасибо за покупку"))
    assert "Покровка, 27" in told["text"]
    view = await only_claim()
    assert (view.claim.state, view.claim.source) == (ClaimState.APPROVED, ClaimSource.TEXT)
    maria.send(a_code())
    await maria.wait_for(bot_message("уже зачтён на вашу карту"))
    assert len(said_to(maria, "Спасибо за покупку")) == 1
    await assert_books_agree(now=system_now())


async def test_a_photo_is_looked_into_claimed_and_kept_with_its_claim(maria):
    maria.send_photo(a_photo(a_code()))
    await maria.wait_for(bot_message("Ищу на этом снимке"))
    await maria.wait_for(bot_message("Спасибо за покупку"))
    view = await only_claim()
    assert (view.claim.state, view.claim.source) == (ClaimState.APPROVED, ClaimSource.PHOTO)
    assert await db.fetch_value("SELECT body FROM media WHERE id = $1 AND state = 'stored'", view.media_id)
    assert await waiting_chats() == []


async def test_a_photo_over_the_limit_waits_and_says_so(maria):
    maria.send_photo(a_photo(a_code(total="2000.00")))
    await maria.wait_for(bot_message("Он ждёт проверки"))
    assert (await only_claim()).claim.state is ClaimState.WAITING


async def test_a_photo_without_a_receipt_goes_to_people_with_words_how_to_do_better(maria):
    maria.send_photo(NO_CODE)
    await maria.wait_for(bot_message("передал снимок сотрудникам"))
    [chat] = await waiting_chats()
    assert chat.customer_id == maria.customer_id
    maria.send_photo(NO_CODE)
    await until_sql("SELECT count(*) = 2 FROM media WHERE state = 'stored'")
    assert len(said_to(maria, "сотрудникам")) == 1
    # People are waited for; a receipt is still taken.
    maria.send_photo(a_photo(a_code()))
    await maria.wait_for(bot_message("Спасибо за покупку"))


async def test_a_photo_with_words_goes_to_people_at_once_and_is_looked_into_as_well(maria):
    maria.send_photo(a_photo(a_code()), "Не зачли!")
    await maria.wait_for(bot_message("Передал сотрудникам"))
    await maria.wait_for(bot_message("Спасибо за покупку"))
    assert len(await waiting_chats()) == 1
    assert said_to(maria, "Ищу на этом снимке") == []


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        (a_code(days_ago=20), "слишком старый: принимаем чеки за последние 14 дн"),
        (a_code(days_ago=-2), "ещё не наступило"),
        (a_code(operation=2), "не покупки, а возврата"),
        (a_code().replace("&n=1", ""), "чего-то не хватает"),
    ],
)
async def test_what_is_not_taken_is_answered_in_plain_words(maria, code, answer):
    maria.send(code)
    await maria.wait_for(bot_message(answer))
    assert await claims() == ([], None)


async def test_receipts_of_others_and_too_many_are_answered_in_plain_words(maria, location):
    other = await a_customer()
    await a_sale(other.id, location, 500_00, fiscal=FiscalKey(FN, 451, 3915461783), now=system_now())
    maria.send(a_code())
    await maria.wait_for(bot_message("уже прислал или зачёл кто-то другой"))
    await a_programme(claims_day=1)
    maria.send(a_code(452))
    await maria.wait_for(bot_message("Он ждёт проверки"))
    maria.send(a_code(453))
    await maria.wait_for(bot_message("до 1 чеков в день"))


async def test_a_shop_that_takes_none_says_so_and_passes_photos_on(maria):
    maria.send("/history")
    await maria.wait_for(bot_message("Не хватает покупки? Отправьте фото"))
    maria.send("/receipt")
    await maria.wait_for(bot_message("Отправьте фото QR-кода на чеке"))
    await a_programme(claim_days=0)
    maria.send("/receipt")
    await maria.wait_for(bot_message("Чеки в чате мы не принимаем"))
    maria.send(a_code())
    await until(lambda: len(said_to(maria, "Чеки в чате мы не принимаем")) == 2)
    maria.send_photo(a_photo(a_code()))
    await maria.wait_for(bot_message("Передал сотрудникам"))
    await until_sql("SELECT count(*) = 1 FROM media WHERE state = 'stored'")
    assert await claims() == ([], None)


async def test_whoever_is_not_registered_is_asked_to_register_as_ever(live_bot, newcomer):
    stranger = newcomer("Анна")
    stranger.send(a_code())
    await stranger.wait_for(bot_message("На каком языке"))
    stranger.send_photo(a_photo(a_code()))
    await until_sql("SELECT count(*) = 1 FROM media WHERE state = 'stored'")
    assert await claims() == ([], None)


@pytest.mark.usefixtures("shop", "location")
async def test_a_worker_that_dies_over_a_photo_loses_nothing_and_doubles_nothing(
    bot_settings, clock, newcomer, monkeypatch
):
    async def die(_: bytes) -> list[str]:
        raise KeyError("killed")

    monkeypatch.setattr(fetching, "codes_in", die)
    maria = newcomer("Мария")
    async with talking(bot_settings, clock):
        await register(maria)
        maria.send_photo(a_photo(a_code()))
        await maria.wait_for(bot_message("Ищу на этом снимке"))
        await until_sql("SELECT attempts = 1 FROM media WHERE state = 'wanted'")
    monkeypatch.undo()
    clock.ahead = timedelta(minutes=2)
    async with talking(bot_settings, clock):
        await maria.wait_for(bot_message("Спасибо за покупку"))
        await until_sql("SELECT count(*) = 0 FROM message WHERE status <> 'sent' AND direction = 'out'")
    assert len(said_to(maria, "Спасибо за покупку")) == 1
    assert (await only_claim()).claim.state is ClaimState.APPROVED


async def test_codes_are_read_beside_the_bot_and_what_is_no_picture_holds_none():
    assert await codes_in(a_photo(a_code(), kind="PNG")) == [a_code()]
    assert await codes_in(b"\x89PNG no picture") == []


@pytest.mark.parametrize("spoilt", [b"", b"\xff\xd8\xff", NO_CODE[:2000], b"GIF89a" + b"\x00" * 50])
def test_spoilt_pictures_hold_no_codes(spoilt):
    assert read(spoilt) == []


def test_a_picture_of_absurd_size_is_not_unpacked():
    bomb = BytesIO()
    side = int(MOST_PIXELS**0.5) + 1
    Image.new("1", (side, side)).save(bomb, "PNG")
    assert read(bomb.getvalue()) == []
