"""The outcome of each look at the books is kept, and one look a night is due."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from loyalty import db
from loyalty.office import actions
from loyalty.office.actions import last_night, prove, prove_nightly
from loyalty.office.queries.proofs import last_proof
from loyalty.office.queries.verify import Difference, verify
from loyalty.shop.actions import update_shop
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_customer, a_location, a_sale

pytestmark = pytest.mark.usefixtures("database")
HOUR = timedelta(hours=1)


async def test_what_was_looked_at_and_found_is_kept():
    assert await last_proof() is None
    customer = await a_customer(bonuses=100_00)
    await a_sale(customer.id, await a_location(), 1000_00)
    found = await prove(now=NOW)
    kept = await last_proof()
    assert kept is not None
    assert (kept.at, kept.found, kept.proof) == (NOW, 0, found)
    assert (kept.proof.customers, kept.proof.receipts) == (1, 1)
    await db.execute("UPDATE customer_facts SET balance = balance + 7")
    await prove(now=NOW + HOUR)
    kept = await last_proof()
    assert kept is not None
    balance = next(one for one in kept.proof.differences if one.check == "balance of customer")
    assert balance == Difference("balance of customer", customer.id, 150_00, 150_07, customer.id)


async def test_only_so_many_differences_are_kept_one_by_one(monkeypatch):
    many = [Difference("balance of customer", number, 0, 1, number) for number in range(130)]

    async def found(*, now):
        del now
        return replace(await verify(now=NOW), differences=many, unshown=5)

    monkeypatch.setattr(actions, "verify", found)
    await prove(now=NOW)
    kept = await last_proof()
    assert kept is not None
    assert (len(kept.proof.differences), kept.proof.unshown, kept.found) == (100, 35, 135)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2026, 3, 10, 0, 0, tzinfo=UTC), datetime(2026, 3, 10, 0, 0, tzinfo=UTC)),
        (datetime(2026, 3, 9, 23, 59, tzinfo=UTC), datetime(2026, 3, 9, 0, 0, tzinfo=UTC)),
        (datetime(2026, 3, 10, 22, 0, tzinfo=UTC), datetime(2026, 3, 10, 0, 0, tzinfo=UTC)),
    ],
)
def test_a_proof_is_due_at_three_by_the_shop_s_clock(now, due):
    assert last_night(now, "Europe/Moscow") == due


async def test_one_look_a_night_and_a_night_slept_through_is_made_up_for():
    await update_shop(
        name="L", currency="RUB", region="RU", language="ru", time_zone="Europe/Moscow", actor=COMMAND, now=NOW
    )
    night = datetime(2026, 3, 11, 0, 0, tzinfo=UTC)
    assert await prove_nightly(now=night - 2 * HOUR) == 1
    assert await prove_nightly(now=night - HOUR) == 0
    assert await prove_nightly(now=night) == 1
    assert await prove_nightly(now=night + HOUR) == 0
    # Three days later at noon, after the machine was off.
    assert await prove_nightly(now=night + 3 * 24 * HOUR + 9 * HOUR) == 1


async def test_old_outcomes_are_forgotten():
    await prove(now=NOW - timedelta(days=401))
    await prove(now=NOW)
    assert await db.fetch_value("SELECT count(*) FROM proof") == 1
