import asyncio

import pytest

from loyalty.db import fetch_value
from loyalty.receipts.actions.holds import decide_hold
from loyalty.staff.rules import COMMAND
from tests.admin_web.api.test_receipts import a_body, a_guest, code_of
from tests.admin_web.conftest import START
from tests.builders import a_location, a_programme, an_account, assert_books_agree


@pytest.fixture(autouse=True)
async def five_percent(database):
    await a_programme()


async def test_a_hold_is_placed_once_confirmed_once_and_spends_what_it_kept(api, clock):
    person, place = await a_guest(300_00), await a_location(burns=False)
    body = a_body(person, place, burn=200_00, code=code_of(person), external_id="hold-1")
    made = await api.post("/holds", body, status=201)
    assert (made["state"], made["amount"], made["customer_id"], made["receipt_id"]) == ("held", 200_00, person.id, None)
    clock.move(minutes=5)
    answer = await api("POST", "/holds", body)
    assert (answer.status, answer.headers["Idempotent-Replay"], await answer.json()) == (200, "true", made)
    assert (await api.post("/holds", body | {"burn": 100_00}, status=409))["reason"] == "key_was_used"
    assert (await api.get(f"/customers/{person.id}/balance"))["available"] == 100_00
    confirm = {"external_id": "till-1", "total": 1000_00}
    answers = await asyncio.gather(*(api("POST", f"/holds/{made['id']}/confirm", confirm) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] * 19 + [201]
    sale = await answers[0].json()
    assert (sale["burnt"], sale["paid"]) == (200_00, 800_00)
    assert (await api.get(f"/holds/{made['id']}"))["receipt_id"] == sale["id"]
    assert (await api.get(f"/holds/{made['id']}"))["state"] == "confirmed"
    assert (await api.post(f"/holds/{made['id']}/void", None, status=409))["reason"] == "hold_is_over"
    await assert_books_agree(now=clock.now())


async def test_a_voided_hold_gives_the_bonuses_back_at_once(api):
    person, place = await a_guest(300_00), await a_location()
    made = await api.post("/holds", a_body(person, place, burn=300_00), status=201)
    for _ in range(2):
        assert (await api.post(f"/holds/{made['id']}/void", None, status=200))["state"] == "voided"
    assert (await api.get(f"/customers/{person.id}/balance"))["available"] == 300_00
    late = await api.post(f"/holds/{made['id']}/confirm", {"external_id": "till-2", "total": 1000_00}, status=409)
    assert late["reason"] == "hold_is_over"


async def test_a_hold_whose_time_is_over_has_lapsed_whatever_the_sweep_did(api, clock):
    person, place = await a_guest(300_00), await a_location()
    made = await api.post("/holds", a_body(person, place, burn=300_00), status=201)
    clock.move(minutes=15)
    assert (await api.get(f"/holds/{made['id']}"))["state"] == "lapsed"


async def test_a_customer_is_asked_in_their_chat(api, clock):
    person, place = await a_guest(300_00), await a_location(burns=False)
    body = a_body(person, place, burn=200_00, ask=True)
    assert (await api.post("/holds", body, status=409))["reason"] == "no_chat_to_ask"
    await an_account(person.id, now=START)
    made = await api.post("/holds", body, status=201)
    assert made["state"] == "asked"
    assert await fetch_value("SELECT count(*) FROM message WHERE kind = 'hold_asked'") == 1
    clock.move(seconds=30)
    await decide_hold(made["id"], person.id, agreed=True, actor=COMMAND, now=clock.now())
    assert (await api.get(f"/holds/{made['id']}"))["state"] == "held"
    confirm = {"external_id": "till-1", "total": 1000_00, "burn": 150_00}
    assert (await api.post(f"/holds/{made['id']}/confirm", confirm, status=201))["burnt"] == 150_00


async def test_a_receipt_may_name_the_hold_itself(api):
    person, place = await a_guest(300_00), await a_location()
    made = await api.post("/holds", a_body(person, place, burn=200_00, external_id="h"), status=201)
    sale = await api.post("/receipts", a_body(person, place, burn=200_00, hold_id=made["id"]), status=201)
    assert (await api.get(f"/holds/{made['id']}"))["receipt_id"] == sale["id"]
    other = await a_guest(300_00)
    stolen = a_body(other, place, burn=200_00, hold_id=made["id"], external_id="till-2")
    assert (await api.post("/receipts", stolen, status=409))["reason"] == "hold_of_another"
