"""The till and somebody who is not registered; what its camera sees."""

import io
import re
from datetime import timedelta

import pytest
import segno
import zxingcpp
from PIL import Image
from pydantic import SecretStr

from admin_web.barcodes import LARGEST
from admin_web.keys import SETTINGS
from loyalty import db
from loyalty.conversations.actions.links import keep_link
from loyalty.customers.queries import find_by_phone
from loyalty.receipts.actions.waiting import credit_waiting_sales
from loyalty.receipts.queries.waiting import waiting_sale
from loyalty.receipts.rules.waiting import WaitingState
from loyalty.staff.rules import Role
from tests.admin_web.conftest import START
from tests.builders import a_customer, a_location, a_programme, assert_books_agree

PHONE = "+79161238525"
HTMX = {"HX-Request": "true"}


@pytest.fixture
async def counter(panel, sign_in_as):
    """A cashier at a location that asks for a proof of presence; no messenger is set up."""
    await a_programme()
    await sign_in_as(Role.CASHIER, name="Timur", location_id=await a_location(burns=False))
    return panel


@pytest.fixture
async def with_bot(counter):
    """A bot of ours has told how people come to it."""
    settings = counter.app[SETTINGS].model_copy(update={"telegram_bot_token": SecretStr("77:secret")})
    counter.app._state[SETTINGS] = settings
    await keep_link("telegram:77", "https://t.me/ladno_bot?start=", now=START)
    return counter


async def typed(counter, phone=PHONE) -> str:
    """The phone is not found; answers the key of the sum screen."""
    found = await counter.post("/cashier/find", data={"who": phone})
    assert "Go on without registering" in await found.text()
    return await key_of(counter)


async def key_of(counter) -> str:
    shown = await counter.get("/cashier/join")
    return re.findall(r'name="key" value="([^"]+)"', await shown.text())[0]


async def kept(counter, key: str, total="1 840", shown="184000"):
    return await counter.post("/cashier/join", data={"key": key, "total": total, "shown": shown})


async def only_sale():
    return await waiting_sale(await db.fetch_value("SELECT max(id) FROM waiting_sale"))


# ------------------------------------------------------------------------------------------- keeping


async def test_a_phone_nobody_has_keeps_the_sale_and_pressing_again_keeps_nothing_twice(counter):
    key, words = await typed(counter), ""
    quoted = await counter.post("/cashier/join/sum", data={"key": key, "total": "1 840"}, headers=HTMX)
    assert re.search(r"Keep for ···8525: \D{0,4}1,840", await quoted.text())
    for _ in range(2):
        done = await kept(counter, key)
        words = await done.text()
        assert "Take from the customer" in words
        assert re.search(r"Waits for ···8525 until [^<]*22[^<]*\.", words), words[words.index("Waits") :][:80]
        assert "pos-qr" not in words
    sale = await only_sale()
    assert (sale.id, sale.total, sale.phone) == (1, 1840_00, PHONE)
    assert "№ 0-1" in words
    other = await kept(counter, key, total="1 841", shown="184100")
    assert other.status == 422
    assert "made before with other figures" in await other.text()


async def test_the_button_pressed_before_it_states_the_sum_keeps_nothing(counter):
    key = await typed(counter)
    for total, shown in (("1 840", ""), ("1 840", "1"), ("no sum", "0"), ("0", "0")):
        answer = await kept(counter, key, total, shown)
        assert answer.status == 422
    assert await db.fetch_value("SELECT count(*) FROM waiting_sale") == 0


async def test_without_a_bot_and_a_phone_nothing_can_be_kept_and_the_page_says_so(counter):
    words = await (await counter.get("/cashier/join")).text()
    assert "There is no code to scan" in words
    assert (await kept(counter, "k")).status == 422
    assert await db.fetch_value("SELECT count(*) FROM waiting_sale") == 0


async def test_the_link_is_drawn_for_the_customer_and_read_back(with_bot):
    done = await kept(with_bot, await key_of(with_bot))
    words = await done.text()
    [path] = re.findall(r'class="pos-qr".*?(<svg.*?</svg>)', words, re.DOTALL)
    assert "style" not in path
    link = f"https://t.me/ladno_bot?start=j_{(await only_sale()).token}"
    assert path == segno.make(link, error="m", micro=False).svg_inline(
        omitsize=True, border=3, dark="#000", light="#fff"
    )


async def test_with_two_messengers_the_cashier_chooses_whose_code_is_shown(with_bot):
    settings = with_bot.app[SETTINGS].model_copy(
        update={"whatsapp_access_token": SecretStr("EAAG"), "whatsapp_phone_number_id": "1000"}
    )
    with_bot.app._state[SETTINGS] = settings
    done = await kept(with_bot, await key_of(with_bot))
    # One of them has not told yet how people come to it.
    assert "join-in" not in await done.text()
    await keep_link("whatsapp:1000", "https://wa.me/15550001111?text=%2Fstart%20", now=START)
    sale = await only_sale()
    shown = {}
    for messenger in ("telegram", "whatsapp", "viber"):
        words = await (await with_bot.get(f"/cashier/join/{sale.id}?in={messenger}")).text()
        [shown[messenger]] = re.findall(r'class="pos-qr".*?(<svg.*?</svg>)', words, re.DOTALL)
        assert re.findall(r'aria-current="true">(\w+)<', words) == [
            "WhatsApp" if messenger == "whatsapp" else "Telegram"
        ]
    link = f"https://wa.me/15550001111?text=%2Fstart%20j_{sale.token}"
    assert shown["whatsapp"] == segno.make(link, error="m", micro=False).svg_inline(
        omitsize=True, border=3, dark="#000", light="#fff"
    )
    assert shown["viber"] == shown["telegram"] != shown["whatsapp"]


async def test_the_page_turns_when_the_customer_has_come(with_bot):
    await kept(with_bot, await key_of(with_bot))
    sale = await only_sale()
    asked = await with_bot.get(f"/cashier/join/{sale.id}?part", headers=HTMX)
    assert asked.status == 204
    person = await a_customer(name="Мария Соколова")
    await credit_waiting_sales(person.id, tokens=[sale.token], now=START + timedelta(seconds=30))
    asked = await with_bot.get(f"/cashier/join/{sale.id}?part", headers=HTMX)
    words = await asked.text()
    assert asked.status == 286
    assert "Credited to Мария С." in words
    assert "+92" in words
    assert "pos-qr" not in words
    await assert_books_agree(now=START + timedelta(minutes=1))


async def test_the_page_asks_no_longer_than_anybody_waits(with_bot, clock):
    await kept(with_bot, await key_of(with_bot))
    clock.move(minutes=11)
    asked = await with_bot.get("/cashier/join/1?part", headers=HTMX)
    assert asked.status == 286
    assert "hx-get" not in await (await with_bot.get("/cashier/join/1")).text()


# ------------------------------------------------------------------------------------------- afterwards


async def test_a_kept_sale_is_taken_back_found_by_its_number_and_stands_in_the_shift(counter):
    await kept(counter, await typed(counter))
    shift = re.sub(r"\s+", " ", await (await counter.get("/cashier/shift")).text())
    assert "For people not registered yet" in shift
    assert "№ 0-1" in shift
    assert "···8525" in shift
    for number in ("0-1", "01", "№ 0-1"):
        found = await counter.post("/cashier/refund", data={"number": number})
        assert found.url.path == "/cashier/join/1"
    for _ in range(2):
        back = await counter.post("/cashier/join/1/withdraw")
        assert "Give back to the customer" in await back.text()
    assert (await only_sale()).state is WaitingState.WITHDRAWN
    assert (await counter.post("/cashier/refund", data={"number": "0-2"})).status == 404


async def test_what_was_credited_is_not_taken_back_here(counter):
    await kept(counter, await typed(counter))
    await credit_waiting_sales((await a_customer(phone=PHONE)).id, now=START)
    assert (await counter.post("/cashier/join/1/withdraw")).status == 409
    assert "/cashier/refund/1" in await (await counter.get("/cashier/join/1")).text()


async def test_a_sale_of_another_location_is_not_shown_and_its_code_only_to_who_took_it(with_bot, hire):
    await kept(with_bot, await key_of(with_bot))
    other = await hire(Role.OWNER)
    await db.execute("UPDATE waiting_sale SET staff_id = $1", other.id)
    assert "pos-qr" not in await (await with_bot.get("/cashier/join/1")).text()
    elsewhere = await a_location(name="B")
    await db.execute("UPDATE waiting_sale SET location_id = $1", elsewhere)
    assert (await with_bot.get("/cashier/join/1")).status == 404
    assert (await with_bot.post("/cashier/join/1/withdraw")).status == 404
    assert (await with_bot.get("/cashier/join/99")).status == 404


async def test_naming_the_customer_at_the_till_credits_what_they_bought_before(counter):
    await kept(counter, await typed(counter))
    await typed(counter)
    served = await counter.post("/cashier/register", data={"name": "Мария Соколова"})
    assert served.url.path == "/cashier/sale"
    sale = await only_sale()
    assert sale.state is WaitingState.CREDITED
    assert sale.customer_id == await find_by_phone(PHONE)


async def test_another_search_forgets_the_phone(counter):
    await typed(counter)
    await counter.get("/cashier")
    assert "There is no code to scan" in await (await counter.get("/cashier/join")).text()


async def test_a_refusal_tells_the_cashier_why(counter):
    await kept(counter, await typed(counter))
    await db.execute("UPDATE waiting_sale SET state = 'refused', reason = 'own_account'")
    words = await (await counter.get("/cashier/join/1")).text()
    assert "It could not be credited" in words
    assert "Nobody serves their own card" in words
    await db.execute("UPDATE waiting_sale SET reason = 'receipts_of_day'")
    assert "It could not be credited" in await (await counter.get("/cashier/join/1")).text()


@pytest.mark.parametrize("path", ["/cashier/join", "/cashier/join/1"])
async def test_others_are_kept_out(panel, sign_in_as, path):
    await sign_in_as(Role.ANALYST)
    assert (await panel.get(path)).status == 403
    assert (await panel.post("/cashier/scan", data=b"x")).status == 403


# ------------------------------------------------------------------------------------------- the camera


def photo(picture: Image.Image, size=(960, 720)) -> bytes:
    """What a camera makes of something held in front of it."""
    frame = Image.new("L", size, 150)
    frame.paste(picture, (120, 90))
    body = io.BytesIO()
    frame.save(body, "JPEG", quality=70)
    return body.getvalue()


def qr(text: str) -> Image.Image:
    body = io.BytesIO()
    segno.make(text, error="q", micro=False).save(body, kind="png", scale=8)
    return Image.open(body).convert("L")


def bars(text: str, kind: zxingcpp.BarcodeFormat) -> Image.Image:
    image = Image.fromarray(zxingcpp.create_barcode(text, kind).to_image(scale=3))
    return image.convert("L")


@pytest.mark.parametrize(
    ("picture", "text"),
    [
        (qr("12345678123456"), "12345678123456"),
        (bars("12345678", zxingcpp.BarcodeFormat.Code128), "12345678"),
        (bars("4006381333931", zxingcpp.BarcodeFormat.EAN13), "4006381333931"),
    ],
)
async def test_a_picture_of_a_code_is_read(counter, picture, text):
    answer = await counter.post("/cashier/scan", data=photo(picture))
    assert (answer.status, await answer.json()) == (200, {"text": text})


async def test_a_picture_without_a_code_is_answered_with_nothing(counter):
    assert (await counter.post("/cashier/scan", data=photo(Image.new("L", (100, 100))))).status == 204


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\xff\xd8\xff" + b"x" * 100, 400),
        (photo(qr("1"))[:2000], 400),
        (photo(qr("12345678"), (1281, 100)), 400),
        (b"x" * (LARGEST + 1), 413),
    ],
)
async def test_what_is_no_frame_of_ours_is_refused(counter, body, status):
    assert (await counter.post("/cashier/scan", data=body)).status == status


async def test_a_png_is_not_unpacked(counter):
    body = io.BytesIO()
    qr("12345678").save(body, "PNG")
    assert (await counter.post("/cashier/scan", data=body.getvalue())).status == 400


async def test_one_camera_sends_no_more_than_a_few_pictures_a_second(counter):
    first = await counter.post("/cashier/scan", data=photo(qr("12345678")))
    second = await counter.post("/cashier/scan", data=photo(qr("12345678")))
    assert (first.status, second.status) == (200, 429)


# ------------------------------------------------------------------------------------------- plastic cards


async def test_a_card_by_its_number_earns_at_a_strict_location_and_burns_nothing(counter):
    person = await a_customer(name="Ольга Смирнова", bonuses=755_00)
    found = await counter.post("/cashier/find", data={"who": person.card_number})
    assert found.url.path == "/cashier/sale"
    [key] = re.findall(r'name="key" value="([^"]+)"', await found.text())
    sale = {"key": key, "total": "1 000", "shown": "100000"}
    refused = await counter.post("/cashier/sale", data={**sale, "burn": "10000"})
    assert refused.status == 422
    done = await counter.post("/cashier/sale", data={**sale, "burn": "0"})
    assert "earned 50" in await done.text()
