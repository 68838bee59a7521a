import re

import pytest

from loyalty import db
from loyalty.bonuses.queries import hold
from loyalty.bonuses.rules import HoldState
from loyalty.receipts.actions.holds import decide_hold
from loyalty.receipts.actions.sales import record_receipt
from loyalty.receipts.rules.sales import Line, ReceiptDraft, ReceiptSource
from loyalty.staff.rules import COMMAND, Role
from tests.builders import NOW, a_customer, a_location, a_programme, an_account, assert_books_agree


@pytest.fixture
async def strict(panel, sign_in_as):
    """A cashier at a location that asks for a proof; Olga, who has bonuses and a chat, is being served."""
    await a_programme()
    await sign_in_as(Role.CASHIER, name="Timur", location_id=await a_location(burns=False))
    panel.person = (await a_customer(name="Ольга Смирнова", phone="+79161238525", bonuses=755_00)).id
    await an_account(panel.person)
    found = await panel.post("/cashier/find", data={"who": "+79161238525"})
    panel.key = re.findall(r'name="key" value="([^"]+)"', await found.text())[0]
    return panel


async def asks(strict) -> int:
    data = {"key": strict.key, "total": "1 840", "shown": "184000", "burn": "55200"}
    shown = await strict.post("/cashier/ask", data=data)
    assert "Waiting for the customer" in await shown.text()
    hold_id: int = await db.fetch_value("SELECT max(id) FROM hold")
    return hold_id


async def test_the_sum_screen_offers_to_ask_where_there_is_no_code(strict):
    quoted = await strict.post("/cashier/quote", data={"key": strict.key, "total": "1 840", "tile": "2"})
    words = await quoted.text()
    assert "Ask for 552 in the chat" in words
    assert "Take 1,288" not in words
    saving = await strict.post("/cashier/quote", data={"key": strict.key, "total": "1 840", "tile": "0"})
    assert "Take 1,840" in await saving.text()


async def test_a_yes_in_the_chat_pays_with_the_bonuses_at_the_till(strict, clock):
    hold_id = await asks(strict)
    waiting = await strict.get("/cashier/ask?part", headers={"HX-Request": "true"})
    assert waiting.status == 200
    await decide_hold(hold_id, strict.person, agreed=True, actor=COMMAND, now=clock.now())
    agreed = await strict.get("/cashier/ask?part", headers={"HX-Request": "true"})
    words = await agreed.text()
    assert agreed.status == 286
    assert "The customer agreed" in words
    assert "Take 1,288" in words
    taken = {"key": strict.key, "total": "1 840", "agreed": str(hold_id)}
    done = await strict.post("/cashier/sale", data=taken)
    assert "Burnt 552, earned 64" in await done.text()
    again = await strict.post("/cashier/sale", data=taken)
    assert "Already credited" in await again.text()
    assert (await hold(hold_id)).state is HoldState.CONFIRMED
    await assert_books_agree()


async def test_the_page_cannot_say_yes_for_the_customer(strict):
    hold_id = await asks(strict)
    for agreed in (str(hold_id), "999", ""):
        answer = await strict.post("/cashier/sale", data={"key": strict.key, "total": "1 840", "agreed": agreed})
        assert answer.status == 422
    assert await db.fetch_value("SELECT count(*) FROM receipt") == 0


async def test_a_no_and_a_silence_are_told_and_the_sale_goes_on_without(strict, clock):
    hold_id = await asks(strict)
    await decide_hold(hold_id, strict.person, agreed=False, actor=COMMAND, now=clock.now())
    assert "The customer said no" in await (await strict.get("/cashier/ask")).text()
    clock.move(minutes=1)
    await asks(strict)
    clock.move(minutes=5)
    assert "No answer in time" in await (await strict.get("/cashier/ask")).text()
    done = await strict.post(
        "/cashier/sale", data={"key": strict.key, "total": "1 840", "shown": "184000", "burn": "0"}
    )
    assert "Burnt 0, earned 92" in await done.text()


async def test_the_cashier_takes_the_question_back(strict):
    hold_id = await asks(strict)
    back = await strict.post("/cashier/ask/cancel")
    assert str(back.url).endswith("/cashier/sale")
    assert (await hold(hold_id)).state is HoldState.VOIDED


async def a_receipt(strict, *, lines=(), key="till-77") -> int:
    location = await db.fetch_value("SELECT id FROM location")
    total = sum(line.total for line in lines) or 1000_00
    draft = ReceiptDraft(ReceiptSource.API, location, key, strict.person, total, lines=lines)
    return (await record_receipt(draft, actor=COMMAND, now=NOW)).receipt_id


async def test_a_refund_by_our_number_or_the_tills(strict):
    receipt_id = await a_receipt(strict)
    for number in (f"№ {receipt_id}", "till-77"):
        found = await strict.post("/cashier/refund", data={"number": number})
        assert found.url.path == f"/cashier/refund/{receipt_id}"
    missing = await strict.post("/cashier/refund", data={"number": "till-78"})
    assert missing.status == 422
    half = {"key": "k1", "what": "sum", "amount": "400"}
    for _ in range(2):
        done = await strict.post(f"/cashier/refund/{receipt_id}", data=half)
        assert "400" in await done.text()
    assert await db.fetch_value("SELECT refunded FROM receipt WHERE id = $1", receipt_id) == 400_00
    done = await strict.post(f"/cashier/refund/{receipt_id}", data={"key": "k2", "what": "all"})
    assert "Give back to the customer" in await done.text()
    assert "refunded already" in await (await strict.get(f"/cashier/refund/{receipt_id}")).text()
    await assert_books_agree()


async def test_a_refund_of_some_goods(strict):
    receipt_id = await a_receipt(strict, lines=(Line(600_00, "Flat white"), Line(300_00, "Napoleon")))
    words = await (await strict.get(f"/cashier/refund/{receipt_id}")).text()
    assert "Napoleon" in words
    none = await strict.post(f"/cashier/refund/{receipt_id}", data={"key": "k", "what": "lines"})
    assert none.status == 422
    done = await strict.post(f"/cashier/refund/{receipt_id}", data={"key": "k", "what": "lines", "line-2": "1"})
    assert "300" in await done.text()


async def test_a_receipt_of_another_location_is_not_refunded_here(strict):
    elsewhere = await a_location(name="B")
    draft = ReceiptDraft(ReceiptSource.API, elsewhere, "k", strict.person, 500_00)
    foreign = (await record_receipt(draft, actor=COMMAND, now=NOW)).receipt_id
    assert (await strict.post("/cashier/refund", data={"number": str(foreign)})).status == 422
    assert (await strict.get(f"/cashier/refund/{foreign}")).status == 404
    assert (await strict.post(f"/cashier/refund/{foreign}", data={"key": "k", "what": "all"})).status == 404


async def test_the_shift_sums_up_what_this_person_did_today(strict):
    sold = {"key": strict.key, "total": "1 840", "shown": "184000", "burn": "0"}
    await strict.post("/cashier/sale", data=sold)
    mine = await db.fetch_value("SELECT id FROM receipt")
    await a_receipt(strict)
    await strict.post(f"/cashier/refund/{mine}", data={"key": "k", "what": "sum", "amount": "340"})
    words = re.sub(r"\s+", " ", await (await strict.get("/cashier/shift")).text())
    assert "<dt>Receipts</dt><dd>1</dd>" in words
    assert "1,840" in words
    assert "Refund of №" in words


async def test_the_personal_discount_is_shown_and_taken_off(strict):
    await db.execute("UPDATE customer_facts SET discount_bp = 1000")
    quoted = await strict.post("/cashier/quote", data={"key": strict.key, "total": "1 000", "tile": "0"})
    words = await quoted.text()
    assert "Personal discount" in words
    assert "Take 900" in words
    done = await strict.post(
        "/cashier/sale", data={"key": strict.key, "total": "1 000", "shown": "100000", "burn": "0"}
    )
    assert "900" in await done.text()
