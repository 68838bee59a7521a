"""What a limit refuses is kept in the journal, and told to whose account it was."""

from datetime import timedelta

import pytest

from loyalty import db
from loyalty.bonuses.actions.manual import adjust
from loyalty.errors import Refused
from tests.builders import NOW, a_cashier, a_customer, a_hold, a_location, a_programme, a_sale, an_account

pytestmark = pytest.mark.usefixtures("database")


async def noted() -> list[tuple[str, int, dict[str, object]]]:
    """What the journal has of refusals."""
    rows = await db.fetch(
        "SELECT action, subject_id, details FROM journal_entry WHERE action LIKE '%.refused' ORDER BY id"
    )
    return [(row["action"], row["subject_id"], db.from_json(row["details"])) for row in rows]


async def told(customer_id: int) -> list[str]:
    """What the customer was told of refusals."""
    rows = await db.fetch(
        "SELECT content FROM message WHERE customer_id = $1 AND kind = 'refused' ORDER BY id", customer_id
    )
    return [db.from_json(row["content"])["text"] for row in rows]


async def test_a_sale_over_a_limit_is_noted_each_time_and_told_once_a_day():
    await a_programme(receipts_day=1)
    person, location, timur = await a_customer(), await a_location(), await a_cashier()
    await an_account(person.id)
    await a_sale(person.id, location, 100_00, actor=timur)
    for _ in range(2):
        with pytest.raises(Refused):
            await a_sale(person.id, location, 100_00, actor=timur)
    line = ("sale.refused", person.id, {"reason": "receipts_of_day", "limit": 1, "location": location})
    assert await noted() == [line, line]
    assert await told(person.id) == [
        "Покупку не начислили: больше покупок за сегодня программа не начисляет.\nTverskaya, 12"
    ]
    await a_sale(person.id, location, 100_00, actor=timur, now=NOW + timedelta(days=1))
    assert len(await noted()) == 2


async def test_who_tries_to_burn_without_a_proof_is_noted_at_the_till_and_before():
    person, location = await a_customer(bonuses=500_00), await a_location(burns=False)
    await an_account(person.id)
    with pytest.raises(Refused):
        await a_sale(person.id, location, 100_00, burn=10_00)
    with pytest.raises(Refused):
        await a_hold(person.id, location, 100_00, 10_00)
    assert [details["reason"] for _, _, details in await noted()] == ["burn_needs_presence"] * 2
    assert len(await told(person.id)) == 1


async def test_a_credit_over_the_colleagues_day_is_noted_and_not_told():
    await a_programme(manual_credit_day=100_00)
    person, olga = await a_customer(), await a_cashier()
    await an_account(person.id)
    with pytest.raises(Refused):
        await adjust(person.id, 200_00, "gift", key="1", actor=olga, now=NOW)
    assert [(action, details["reason"]) for action, _, details in await noted()] == [
        ("credit.refused", "manual_credits_of_day")
    ]
    assert await told(person.id) == []
