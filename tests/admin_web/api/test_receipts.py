import asyncio

import pytest

from loyalty.bonuses.actions.manual import adjust
from loyalty.customers.rules import card_code, code_key, code_step
from loyalty.db import execute, fetch, fetch_value
from loyalty.ids import new_key
from loyalty.staff.rules import COMMAND, Scope
from tests.admin_web.conftest import START
from tests.builders import a_customer, a_location, a_programme, an_open_card, assert_books_agree
from tests.conftest import SECRET_KEY


@pytest.fixture(autouse=True)
async def five_percent(database):
    await a_programme()


async def a_guest(bonuses=0):
    """Somebody with bonuses credited at the start of the clock."""
    person = await a_customer()
    if bonuses:
        await adjust(person.id, bonuses, "gift", key=new_key(), actor=COMMAND, now=START)
    return person


def code_of(person, moment=START):
    return card_code(code_key(SECRET_KEY), person.id, code_step(moment))


def a_body(person, place, **more):
    return {"external_id": "till-1", "location_id": place, "customer_id": person.id, "total": 1000_00} | more


async def test_a_quote_says_what_a_proof_of_presence_would_allow(api):
    person, strict = await a_guest(500_00), await a_location(burns=False)
    quote = await api.post("/quote", {"location_id": strict, "customer_id": person.id, "total": 1000_00}, status=200)
    assert (quote["burn_limit"], quote["burn_limit_with_proof"], quote["presence"]) == (0, 300_00, None)


async def test_a_quote_moves_nothing_and_the_receipt_does_what_it_said(api):
    person, place = await a_guest(500_00), await a_location()
    sale = {"location_id": place, "customer_id": person.id, "total": 1000_00, "burn": 200_00}
    quote = await api.post("/quote", sale, status=200)
    assert (quote["total"], quote["burn_limit"], quote["presence"], quote["pay"]) == (
        1000_00,
        300_00,
        "relaxed",
        800_00,
    )
    assert (quote["earned"], quote["balance_after"], quote["lines"][0]["earned"]) == (40_00, 340_00, 40_00)
    assert [award["bonuses"] for award in quote["awards"]] == [40_00]
    assert await fetch_value("SELECT count(*) FROM receipt") == 0
    made = await api.post("/receipts", sale | {"external_id": "till-1"}, status=201)
    same = ("total", "burn", "pay", "earned", "balance_after")
    assert [made[name] for name in ("total", "burnt", "paid", "earned", "balance_after")] == [
        quote[name] for name in same
    ]
    stored = await api.get(f"/receipts/{made['id']}")
    assert (stored["kind"], stored["source"], stored["external_id"], stored["paid"]) == (
        "sale",
        "api",
        "till-1",
        800_00,
    )
    assert await api.get("/receipts", location_id=place, external_id="till-1") == {"receipts": [stored]}
    assert await api.get("/receipts", location_id=place, external_id="till-2") == {"receipts": []}
    assert await fetch_value("SELECT api_key_id FROM receipt") == 1
    await assert_books_agree(now=START)


async def test_the_same_key_gives_the_first_answer_and_another_body_is_a_conflict(api):
    person, place = await a_guest(), await a_location()
    body = a_body(person, place)
    first = await api("POST", "/receipts", body)
    again = await api("POST", "/receipts", body)
    assert (first.status, again.status, again.headers["Idempotent-Replay"]) == (201, 200, "true")
    assert "Idempotent-Replay" not in first.headers
    assert await first.json() == await again.json()
    for other in ({"total": 1000_01}, {"customer_id": (await a_guest()).id}, {"promo_code": "X"}):
        assert (await api.post("/receipts", body | other, status=409))["reason"] == "key_was_used"
    assert await fetch_value("SELECT count(*) FROM receipt") == 1


async def test_twenty_at_once_record_one_receipt(api):
    person, place = await a_guest(500_00), await a_location()
    body = a_body(person, place, burn=100_00)
    answers = await asyncio.gather(*(api("POST", "/receipts", body) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] * 19 + [201]
    assert len({await answer.text() for answer in answers}) == 1
    assert await fetch_value("SELECT count(*) FROM receipt") == 1
    await assert_books_agree(now=START)


async def test_a_code_pays_once_and_the_lost_answer_comes_again_with_the_same_code(api, clock):
    person, place = await a_guest(500_00), await a_location(burns=False)
    body = a_body(person, place, burn=100_00)
    assert (await api.post("/receipts", body, status=409))["reason"] == "burn_needs_presence"
    code = code_of(person)
    first = await api.post("/receipts", body | {"code": code}, status=201)
    clock.move(hours=2)
    again = await api.post("/receipts", body | {"code": code}, status=200)
    without = await api.post("/receipts", body, status=200)
    assert first == again == without
    clock.move(hours=-2)
    second = await api.post("/receipts", body | {"external_id": "till-2", "code": code}, status=409)
    assert second["reason"] == "code_was_used"


async def test_a_code_alone_says_whose_sale_it_is(api, clock):
    person, other = await a_guest(500_00), await a_guest(500_00)
    place = await a_location(burns=False)
    await an_open_card(person.id, now=START)
    body = {"external_id": "till-1", "location_id": place, "total": 1000_00, "burn": 100_00}
    first = await api.post("/receipts", body | {"code": code_of(person)}, status=201)
    assert (await api.get(f"/receipts/{first['id']}"))["customer_id"] == person.id
    clock.move(minutes=30)
    assert await api.post("/receipts", body | {"code": code_of(person)}, status=200) == first
    qr_of_another = other.card_number + code_of(other, clock.now())
    assert (await api.post("/receipts", body | {"code": qr_of_another}, status=409))["reason"] == "key_was_used"
    by_qr = body | {"external_id": "till-2", "code": qr_of_another}
    made = await api.post("/receipts", by_qr, status=201)
    assert (await api.get(f"/receipts/{made['id']}"))["customer_id"] == other.id


async def test_a_code_of_somebody_else_or_of_yesterday_proves_nothing(api, clock):
    person, other, place = await a_guest(500_00), await a_guest(), await a_location()
    body = a_body(person, place, burn=100_00)
    right = code_of(person)
    wrong = "000000" if right != "000000" else "111111"
    for code in (wrong, code_of(other), other.card_number + code_of(other)):
        assert (await api.post("/receipts", body | {"code": code}, status=409))["reason"] == "code_is_unknown"
    clock.move(minutes=10)
    stale = await api.post("/receipts", body | {"code": person.card_number + right}, status=409)
    assert stale["reason"] == "code_is_old"
    guess = {"location_id": place, "customer_id": person.id, "total": 1, "code": wrong}
    statuses = [(await api("POST", "/quote", guess)).status for _ in range(10)]
    assert statuses[-1] == 429


async def test_lines_discounts_promo_codes_and_fiscal_keys_reach_the_receipt(api):
    person, place = await a_guest(), await a_location()
    await execute("UPDATE customer_facts SET discount_bp = 1000")
    lines = [{"total": 600_00, "name": "Кофе", "sku": "C-1", "category": "Coffee"}, {"total": 400_00}]
    fiscal = {"fn": "9999078900004312", "i": 12, "fp": 4294967295}
    made = await api.post("/receipts", a_body(person, place, lines=lines, fiscal=fiscal), status=201)
    assert (made["total"], made["discount"], made["earned"]) == (900_00, 100_00, 45_00)
    stored = await api.get(f"/receipts/{made['id']}")
    assert [(line["position"], line["name"], line["total"], line["discount"]) for line in stored["lines"]] == [
        (1, "Кофе", 540_00, 60_00), (2, "", 360_00, 40_00),
    ]  # fmt: skip
    twice = a_body(person, place, external_id="till-2", fiscal=fiscal)
    assert (await api.post("/receipts", twice, status=409))["reason"] == "fiscal_receipt_was_credited"
    applied = a_body(person, place, external_id="till-3", discounts_applied=True)
    assert (await api.post("/receipts", applied, status=201))["total"] == 1000_00
    unknown = a_body(person, place, external_id="till-4", promo_code="NOPE")
    assert (await api.post("/receipts", unknown, status=409))["reason"] == "promo_code_unknown"


async def test_a_sale_is_refunded_by_sum_by_line_and_wholly_once_each(api):
    person, place = await a_guest(500_00), await a_location()
    lines = [{"total": 600_00}, {"total": 400_00}]
    sale = await api.post("/receipts", a_body(person, place, lines=lines, burn=200_00), status=201)
    path = f"/receipts/{sale['id']}/refunds"
    line = {"key": "refund-1", "lines": [{"position": 2}]}
    first = await api.post(path, line, status=201)
    assert (first["total"], first["burnt"], first["paid"]) == (400_00, 80_00, 320_00)
    answers = await asyncio.gather(*(api("POST", path, line) for _ in range(20)))
    assert {answer.status for answer in answers} == {200}
    assert {await answer.text() for answer in answers} == {await (await api("POST", path, line)).text()}
    assert (await api.post(path, {"key": "refund-1", "amount": 1}, status=409))["reason"] == "key_was_used"
    assert (await api.post(path, {"key": "x", "amount": 600_01}, status=409))["reason"] == "refund_over_original"
    rest = await api.post(path, {"key": "refund-2"}, status=201)
    assert (rest["total"], rest["burnt"], rest["balance_after"]) == (600_00, 120_00, 500_00)
    assert (await api.post(path, {"key": "refund-3"}, status=409))["reason"] == "already_refunded"
    again = await api.post(f"/receipts/{rest['id']}/refunds", {"key": "refund-4"}, status=409)
    assert again["reason"] == "not_a_sale"
    assert (await api.get("/receipts", location_id=place, external_id="refund-2"))["receipts"][0]["kind"] == "refund"
    assert (await api.get(f"/receipts/{sale['id']}"))["refunded"] == 1000_00
    await assert_books_agree(now=START)


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"total": 0}, "must_be_positive", "total"),
        ({"total": -5}, "must_be_positive", "total"),
        ({"total": 10.0}, "not_a_whole_number", "total"),
        ({"total": True}, "not_a_whole_number", "total"),
        ({"total": "100"}, "not_a_whole_number", "total"),
        ({"total": 10**13 + 1}, "too_large", "total"),
        ({"total": 10**400}, "too_large", "total"),
        ({"burn": -1}, "must_not_be_negative", "burn"),
        ({"burn": None}, "not_a_whole_number", "burn"),
        ({"external_id": ""}, "required", "external_id"),
        ({"external_id": "x" * 65}, "too_long", "external_id"),
        ({"external_id": "a\nb"}, "not_a_key", "external_id"),
        ({"external_id": "a\u0000b"}, "odd_characters", "external_id"),
        ({"external_id": 7}, "not_a_text", "external_id"),
        ({"location_id": 2**31}, "too_large", "location_id"),
        ({"customer_id": 2**60}, "too_large", "customer_id"),
        ({"customer_id": None}, "nobody_named", "body"),
        ({"code": "12 456"}, "wrong_form", "code"),
        ({"code": 123456}, "not_a_text", "code"),
        ({"lines": [{"total": 1}]}, "lines_differ_from_total", "lines"),
        ({"lines": [{"total": 1}] * 201}, "too_many", "lines"),
        ({"lines": [{"name": "x"}]}, "required", "lines.0.total"),
        ({"lines": [{"total": 1.5}]}, "not_a_whole_number", "lines.0.total"),
        ({"lines": [{"total": 1, "price": 2}]}, "unknown_field", "lines.0.price"),
        ({"lines": {"total": 1}}, "wrong_type", "lines"),
        ({"lines": [{"total": 1000_00, "category": "İ" * 64}]}, "too_long", "lines"),
        ({"fiscal": {"fn": "12a", "i": 1, "fp": 1}}, "wrong_form", "fiscal.fn"),
        ({"fiscal": {"fn": "12", "i": 10**10, "fp": 1}}, "too_large", "fiscal.i"),
        ({"discounts_applied": 1}, "not_a_boolean", "discounts_applied"),
        ({"vip": True}, "unknown_field", "vip"),
    ],
)
async def test_a_receipt_no_till_can_mean_is_told_by_field(api, change, reason, field):
    person, place = await a_guest(), await a_location()
    body = await api.post("/receipts", a_body(person, place) | change, status=422)
    assert (body["reason"], body["field"]) == (reason, field)
    assert await fetch("SELECT id FROM receipt") == []


async def test_what_a_receipt_names_must_be_there(api):
    person, place = await a_guest(), await a_location()
    for change, reason in (
        ({"customer_id": 404}, "customer"),
        ({"location_id": 404}, "location"),
        ({"hold_id": 9}, "hold"),
    ):
        assert (await api.post("/receipts", a_body(person, place) | change, status=404))["reason"] == reason
    await execute("UPDATE location SET is_open = false")
    assert (await api.post("/receipts", a_body(person, place), status=409))["reason"] == "location_is_closed"


async def test_a_key_of_one_location_neither_writes_nor_reads_another(api, program):
    person, mine, other = await a_guest(500_00), await a_location(), await a_location(name="Other")
    till = await program(locations=[mine])
    sale = await api.post("/receipts", a_body(person, other), status=201)
    hold = await api.post("/holds", a_body(person, other, burn=100_00), status=201)
    for path in ("/quote", "/receipts", "/holds"):
        body = a_body(person, other, burn=100_00)
        if path == "/quote":
            body.pop("external_id")
        assert (await till.post(path, body, status=403))["reason"] == "location_is_not_yours"
    refused = await till.get("/receipts", location_id=other, external_id="till-1", status=403)
    assert refused["reason"] == "location_is_not_yours"
    assert (await till.get(f"/receipts/{sale['id']}", status=404))["reason"] == "receipt"
    assert (await till.post(f"/receipts/{sale['id']}/refunds", {"key": "r"}, status=404))["reason"] == "receipt"
    assert (await till.get(f"/holds/{hold['id']}", status=404))["reason"] == "hold"
    for act, body in (("confirm", {"external_id": "c", "total": 1000_00}), ("void", None)):
        assert (await till.post(f"/holds/{hold['id']}/{act}", body, status=404))["reason"] == "hold"
    await till.post("/receipts", a_body(person, mine), status=201)


async def test_reading_is_not_writing(program):
    person, place = await a_guest(), await a_location()
    reads = await program(Scope.RECEIPTS_READ)
    await reads.post("/quote", {"location_id": place, "customer_id": person.id, "total": 100}, status=200)
    assert (await reads.post("/receipts", a_body(person, place), status=403))["reason"] == "scope_is_missing"
    writes = await program(Scope.RECEIPTS_WRITE)
    made = await writes.post("/receipts", a_body(person, place), status=201)
    assert (await writes.get(f"/receipts/{made['id']}", status=403))["reason"] == "scope_is_missing"
