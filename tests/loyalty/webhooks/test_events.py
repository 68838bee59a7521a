"""What is told of, to whom, and that nothing is written when nobody listens."""

from datetime import timedelta

import pytest

from loyalty import db
from loyalty.bonuses.actions.expiry import expire_due
from loyalty.bonuses.actions.manual import adjust
from loyalty.customers.actions.discounts import set_discount
from loyalty.customers.actions.profile import correct_birthday, update_profile
from loyalty.customers.rules import Profile
from loyalty.errors import Invalid
from loyalty.ids import new_key
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.staff.rules import COMMAND, JOB
from loyalty.webhooks.actions.deliveries import clear_old
from loyalty.webhooks.actions.endpoints import add_endpoint, switch_endpoint
from loyalty.webhooks.rules import Topic
from tests.builders import NOW, a_customer, a_location, a_sale


async def a_listener(*topics: Topic, name: str = "Shop") -> int:
    wanted = topics or tuple(Topic)
    return await add_endpoint(name, "https://shop.example.com/hook", wanted, allow_local=False, actor=COMMAND, now=NOW)


async def told() -> list[tuple[str, dict]]:
    rows = await db.fetch("SELECT type, data FROM webhook_event ORDER BY id")
    return [(row["type"], db.from_json(row["data"])) for row in rows]


async def test_nothing_is_written_when_nobody_listens(database):
    off = await a_listener()
    await switch_endpoint(off, on=False, actor=COMMAND, now=NOW)
    place, person = await a_location(), await a_customer(bonuses=100_00)
    sale = await a_sale(person.id, place, 1000_00)
    await refund_receipt(sale.receipt_id, None, key=new_key(), actor=COMMAND, now=NOW)
    await set_discount(person.id, 500, actor=COMMAND, now=NOW)
    assert await told() == []


async def test_only_what_somebody_wants_is_written(database):
    await a_listener(Topic.REFUND)
    place, person = await a_location(), await a_customer(bonuses=100_00)
    sale = await a_sale(person.id, place, 1000_00)
    await refund_receipt(sale.receipt_id, None, key=new_key(), actor=COMMAND, now=NOW)
    assert [event for event, _ in await told()] == ["receipt.refunded"]


async def test_a_sale_is_told_once_with_its_figures_and_its_bonuses_not_again(database):
    place, person = await a_location(), await a_customer(bonuses=100_00)
    await a_listener()
    sale = await a_sale(person.id, place, 1000_00, burn=50_00, key="till-1")
    again = await a_sale(person.id, place, 1000_00, burn=50_00, key="till-1")
    assert again.repeated
    assert await told() == [
        (
            "receipt.recorded",
            {
                "receipt_id": sale.receipt_id,
                "location_id": place,
                "external_id": "till-1",
                "customer_id": person.id,
                "total": 1000_00,
                "discount": 0,
                "paid": sale.paid,
                "burnt": 50_00,
                "earned": sale.earned,
                "balance": sale.balance,
            },
        )
    ]


async def test_a_refund_is_told_once_with_its_figures(database):
    place, person = await a_location(), await a_customer()
    sale = await a_sale(person.id, place, 1000_00)
    await a_listener()
    refund = await refund_receipt(sale.receipt_id, 400_00, key="back-1", actor=COMMAND, now=NOW)
    [(event, data)] = await told()
    assert event == "receipt.refunded"
    assert (data["refund_id"], data["receipt_id"], data["external_id"]) == (
        refund.receipt_id,
        sale.receipt_id,
        "back-1",
    )
    assert (data["total"], data["paid"], data["earned"], data["balance"]) == (
        400_00,
        refund.paid,
        refund.earned,
        refund.balance,
    )


async def test_bonuses_by_hand_and_expiry_are_told_as_changes_of_the_balance(database):
    await a_listener(Topic.BALANCE)
    person = await a_customer(bonuses=100_00)
    later = NOW + timedelta(days=2000)
    await expire_due(actor=JOB, now=later, limit=10)
    first, second = await told()
    assert (first[1]["customer_id"], first[1]["kind"], first[1]["amount"]) == (person.id, "adjust", 100_00)
    assert (second[1]["kind"], second[1]["amount"], second[1]["balance"]) == ("expire", -100_00, 0)


async def test_people_are_told_of_by_their_number_and_the_names_of_fields_alone(database):
    await a_listener(Topic.CUSTOMER)
    person = await a_customer(name="Мария Соколова")
    profile = Profile("Мария Орлова", person.phone, None, None, None, "ru", None)
    await update_profile(person.id, profile, actor=COMMAND, now=NOW)
    await update_profile(person.id, profile, actor=COMMAND, now=NOW)
    await correct_birthday(person.id, NOW.date().replace(year=1990), actor=COMMAND, now=NOW)
    assert await told() == [
        ("customer.created", {"customer_id": person.id}),
        ("customer.updated", {"customer_id": person.id, "fields": ["name"]}),
        ("customer.updated", {"customer_id": person.id, "fields": ["birthday"]}),
    ]


async def test_what_is_undone_is_not_told(database):
    await a_listener()

    @db.use_case
    async def broken() -> None:
        person = await a_customer()
        await adjust(person.id, 100_00, "gift", key=new_key(), actor=COMMAND, now=NOW)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await broken()
    assert await told() == []


async def test_a_sale_stays_two_statements_while_somebody_listens(database, monkeypatch):
    await a_listener()
    place, person = await a_location(), await a_customer()
    sent, fetch = [], db.fetch

    async def counting(sql, *params):
        sent.append(sql)
        return await fetch(sql, *params)

    monkeypatch.setattr(db, "fetch", counting)
    await a_sale(person.id, place, 1000_00)
    assert len(sent) == 2


async def test_listeners_are_woken_by_a_sale_that_was_told_and_by_no_other(database, monkeypatch):
    place, person = await a_location(), await a_customer()
    heard: list[str] = []
    monkeypatch.setattr(db, "listeners", [heard.append])
    await a_sale(person.id, place, 1000_00)
    assert "webhooks" not in heard
    await a_listener()
    await a_sale(person.id, place, 1000_00)
    assert "webhooks" in heard


async def test_events_are_forgotten_after_thirty_days_with_what_became_of_them(database):
    await a_listener()
    await a_customer()
    assert await clear_old(now=NOW + timedelta(days=30), limit=10) == 0
    assert await clear_old(now=NOW + timedelta(days=30, seconds=1), limit=10) == 1
    assert await told() == []


@pytest.mark.parametrize(
    ("wrong", "field"), [({"name": " "}, "name"), ({"url": "ftp://x"}, "url"), ({"topics": ()}, "topics")]
)
async def test_a_wrong_field_is_named(database, wrong, field):
    given = {"name": "Shop", "url": "https://shop.example.com", "topics": (Topic.RECEIPT,)} | wrong
    with pytest.raises(Invalid) as refused:
        await add_endpoint(**given, allow_local=False, actor=COMMAND, now=NOW)
    assert refused.value.field == field
