"""Receipts from the chat on the panel: looked at, approved, refused."""

import re
from datetime import timedelta

import pytest

from loyalty import db
from loyalty.receipts.actions.claims import claim_receipt, settle_claims
from loyalty.receipts.queries.claims import claim
from loyalty.receipts.rules.claims import ClaimSource, ClaimState, FiscalQr
from loyalty.receipts.rules.sales import FiscalKey
from loyalty.staff.rules import JOB, Actor, ActorKind, Role
from tests.admin_web.conftest import START
from tests.builders import a_customer, a_location, a_picture, a_programme, a_sale, an_account

HTMX = {"HX-Request": "true"}
FN = "9960440300123456"


async def a_claim(number: int = 1, *, total: int = 500_00, person=None, media_id: int | None = None):
    """Somebody has sent a receipt of an hour ago."""
    person = person or await a_customer(name="Анна Кот")
    qr = FiscalQr(FiscalKey(FN, number, 7), total, (START + timedelta(hours=2)).replace(tzinfo=None), 1)
    found, _ = await claim_receipt(
        person.id,
        qr,
        source=ClaimSource.PHOTO if media_id else ClaimSource.TEXT,
        media_id=media_id,
        actor=Actor(ActorKind.CUSTOMER),
        now=START,
    )
    return found


@pytest.fixture
async def place(panel, sign_in_as):
    """A location in a shop whose clocks stand in Moscow; the marketer has signed in."""
    await a_programme()
    await db.execute("UPDATE shop SET time_zone = 'Europe/Moscow'")
    await sign_in_as(Role.MARKETER)
    return await a_location(name="Покровка, 27")


async def test_what_waits_is_shown_with_its_photo_and_why(panel, place):
    person = await a_customer(name="Анна Кот")
    picture = await a_picture(await an_account(person.id), b"jpeg", mime="image/jpeg")
    waiting = await a_claim(person=person, media_id=picture)
    text = await (await panel.get("/claims")).text()
    assert "No location of yours has this cash register" in text
    assert f'href="/customers/{person.id}?tab=receipts"' in text
    assert f"/customers/{person.id}/media/{picture}" in text
    assert (await panel.get(f"/customers/{person.id}/media/{picture}")).status == 200
    assert f"{FN} · 1 · 7" in text
    assert "500" in text
    assert '<span class="cnt num">1</span>' in text
    assert waiting.state is ClaimState.WAITING


async def test_a_receipt_of_an_unknown_cash_register_is_approved_with_its_location(panel, place):
    waiting = await a_claim()
    answer = await panel.post(f"/claims/{waiting.id}/approve", data={"location": ""}, headers=HTMX)
    assert answer.status == 422
    assert 'id="location-error"' in await answer.text()
    text = await (await panel.post(f"/claims/{waiting.id}/approve", data={"location": str(place)})).text()
    assert "Credited. The customer is told." in text
    done = await claim(waiting.id)
    assert (done.state, done.location_id) == (ClaimState.APPROVED, place)
    text = await (await panel.get("/claims?state=approved")).text()
    assert f"№ {done.receipt_id}" in text
    assert "Покровка, 27" in text
    card = await (await panel.get(f"/customers/{done.customer_id}?tab=receipts")).text()
    assert ">Chat<" in card


async def test_what_looks_credited_links_to_what_it_looks_like(panel, place):
    await db.execute("INSERT INTO fiscal_drive (fn, location_id) VALUES ($1, $2)", FN, place)
    other = await a_customer(name="Борис Лис")
    sale = await a_sale(other.id, place, 500_00, now=START - timedelta(hours=1))
    await a_claim()
    text = await (await panel.get("/claims")).text()
    assert "It looks like a receipt that was credited already" in text
    assert f"Receipt № {sale.receipt_id}" in text
    assert f'href="/customers/{other.id}?tab=receipts"' in text
    # The cash register is known: nobody asks where it was.
    assert 'name="location"' not in text


async def test_a_receipt_is_refused_with_a_reason_and_may_be_approved_after_all(panel, place):
    waiting = await a_claim()
    answer = await panel.post(f"/claims/{waiting.id}/refuse", data={"reason": "no"}, headers=HTMX)
    assert answer.status == 422
    assert 'id="reason-error"' in await answer.text()
    await panel.post(f"/claims/{waiting.id}/refuse", data={"reason": "not_ours"})
    assert (await claim(waiting.id)).reason == "not_ours"
    assert "Nothing waits" in await (await panel.get("/claims")).text()
    text = await (await panel.get("/claims?state=refused")).text()
    assert "Not a receipt of ours" in text
    assert "Approve after all" in text
    await panel.post(f"/claims/{waiting.id}/approve", data={"location": str(place)})
    assert (await claim(waiting.id)).state is ClaimState.APPROVED
    answer = await panel.post(f"/claims/{waiting.id}/refuse", data={"reason": "not_ours"}, headers=HTMX)
    assert "is credited already" in await answer.text()


async def test_what_a_sale_refuses_is_said_beside_the_receipt(panel, place):
    person = await a_customer(name="Анна Кот")
    await a_programme(receipts_day=1)
    await a_sale(person.id, place, 900_00, now=START)
    waiting = await a_claim(person=person)
    answer = await panel.post(f"/claims/{waiting.id}/approve", data={"location": str(place)}, headers=HTMX)
    assert answer.status == 422
    assert "has 1 receipts today" in await answer.text()
    # Without scripts it is a page of its own.
    assert (await panel.post(f"/claims/{waiting.id}/approve", data={"location": str(place)})).status == 409


async def test_what_a_till_settled_says_so(panel, place):
    person = await a_customer(name="Анна Кот")
    await a_claim(1, person=person)
    await a_claim(2, person=person)
    await a_sale(person.id, place, 500_00, now=START, fiscal=FiscalKey(FN, 1, 7))
    await a_sale((await a_customer()).id, place, 500_00, now=START, fiscal=FiscalKey(FN, 2, 7))
    await settle_claims(actor=JOB, now=START, limit=9)
    assert "Credited at the till" in await (await panel.get("/claims?state=matched")).text()
    assert "credited it to another customer" in await (await panel.get("/claims?state=refused")).text()


async def test_the_list_has_pages(panel, place):
    await a_programme(claims_day=0)
    person = await a_customer(name="Анна Кот")
    for number in range(23):
        await a_claim(number, total=100_00 + number, person=person)
    text = await (await panel.get("/claims")).text()
    assert text.count("<article") == 20
    following = re.search(r'href="(/claims\?state=waiting&amp;beyond=\d+)"', text)
    assert following is not None
    rest = await (await panel.get(following[1].replace("&amp;", "&"))).text()
    assert rest.count("<article") == 3
    assert "To the first" in rest
    part = await panel.get("/claims?state=refused", headers=HTMX | {"HX-Target": "tabpanel"})
    assert "<html" not in await part.text()


async def test_a_programme_that_takes_none_is_said_and_strangers_are_not_found(panel, place):
    await a_programme(claim_days=0)
    assert "No receipts are taken in the chat" in await (await panel.get("/claims")).text()
    assert (await panel.post("/claims/99/approve", data={"location": "1"})).status == 404
    assert (await panel.post("/claims/x/refuse", data={"reason": "not_ours"})).status == 404


@pytest.mark.parametrize("role", [Role.CASHIER, Role.ANALYST])
async def test_whoever_may_not_decide_sees_nothing_of_it(panel, sign_in_as, role):
    await sign_in_as(role)
    assert (await panel.get("/claims")).status == 403
    assert (await panel.post("/claims/1/approve", data={"location": "1"})).status == 403
    assert (await panel.post("/claims/1/refuse", data={"reason": "not_ours"})).status == 403
