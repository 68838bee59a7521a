"""Telling of a fiscal receipt without naming the customer."""

from datetime import timedelta

import pytest

from loyalty.receipts.actions.claims import claim_receipt
from loyalty.receipts.queries import receipt
from loyalty.receipts.queries.claims import claim
from loyalty.receipts.rules.claims import ClaimSource, ClaimState, FiscalQr
from loyalty.receipts.rules.sales import FiscalKey
from loyalty.staff.rules import Actor, ActorKind, Scope
from tests.admin_web.conftest import START
from tests.builders import a_customer, a_location, a_programme

KEY = FiscalKey("9960440300123456", 451, 3915461783)
SOLD_AT = START - timedelta(hours=1)


def a_report(location_id: int, **changes):
    return {
        "fn": KEY.fn,
        "i": KEY.i,
        "fp": KEY.fp,
        "location_id": location_id,
        "total": 500_00,
        "sold_at": SOLD_AT.isoformat(),
    } | changes


async def a_claim():
    """Somebody has sent the receipt, by the clocks of the shop."""
    await a_programme()
    person = await a_customer()
    qr = FiscalQr(KEY, 500_00, SOLD_AT.replace(tzinfo=None), 1)
    found, _ = await claim_receipt(person.id, qr, source=ClaimSource.TEXT, actor=Actor(ActorKind.CUSTOMER), now=START)
    return found


async def test_a_report_credits_who_waits_for_it_once(api):
    place, waiting = await a_location(), await a_claim()
    told = await api.post("/fiscal-receipts", a_report(place), status=201)
    assert (told["fn"], told["total"], told["location_id"]) == (KEY.fn, 500_00, place)
    found = await claim(waiting.id)
    assert found.state is ClaimState.APPROVED
    assert found.receipt_id is not None
    assert (await receipt(found.receipt_id)).source == "chat"
    answer = await api("POST", "/fiscal-receipts", a_report(place))
    assert (answer.status, answer.headers["Idempotent-Replay"]) == (200, "true")
    assert await answer.json() == told
    assert await claim(waiting.id) == found


@pytest.mark.parametrize("change", [{"total": 400_00}, {"sold_at": START.isoformat()}])
async def test_another_body_for_the_same_receipt_is_a_conflict(api, change):
    place = await a_location()
    await api.post("/fiscal-receipts", a_report(place), status=201)
    assert (await api.post("/fiscal-receipts", a_report(place, **change), status=409))["reason"] == "key_was_used"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"fn": "12345678901234567"}, "fn"),
        ({"fn": "99x"}, "fn"),
        ({"i": -1}, "i"),
        ({"fp": 10**10}, "fp"),
        ({"total": 0}, "total"),
        ({"sold_at": "yesterday"}, "sold_at"),
        ({"customer_id": 1}, "customer_id"),
    ],
)
async def test_a_wrong_field_is_named(api, change, field):
    told = await api.post("/fiscal-receipts", a_report(await a_location(), **change), status=422)
    assert told["field"] == field


async def test_a_key_tells_only_of_its_locations_and_with_its_scope(api, program):
    mine, other = await a_location(), await a_location()
    till = await program(Scope.RECEIPTS_WRITE, locations=[mine])
    assert (await till.post("/fiscal-receipts", a_report(other), status=403))["reason"] == "location_is_not_yours"
    reader = await program(Scope.RECEIPTS_READ)
    assert (await reader.post("/fiscal-receipts", a_report(mine), status=403))["reason"] == "scope_is_missing"
    assert (await api.post("/fiscal-receipts", a_report(9_999), status=404))["reason"] == "location"
