"""What happens to one customer at the same moment ends as if it had happened one after the other, in some order."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from loyalty import db
from loyalty.bonuses.actions.expiry import expire_due
from loyalty.bonuses.actions.manual import adjust
from loyalty.bonuses.queries import account
from loyalty.errors import Refused
from loyalty.ids import new_key
from loyalty.receipts.actions.holds import decide_hold, lapse_due, void_hold
from loyalty.receipts.actions.refunds import refund_receipt, undo_receipt
from loyalty.receipts.rules.sales import Recorded
from loyalty.shop.rules import DebtPolicy, Tier
from loyalty.staff.rules import COMMAND, JOB
from tests.builders import (
    NOW,
    a_cashier,
    a_customer,
    a_hold,
    a_location,
    a_programme,
    a_sale,
    an_account,
    assert_books_agree,
)
from tests.proofs.conftest import sized

pytestmark = [pytest.mark.prove, pytest.mark.usefixtures("database")]
Act = Callable[[], Awaitable[Any]]
Outcome = tuple[Any, ...]
TIERS = (Tier(0, "Base", 0, 500), Tier(1, "Silver", 10_000_00, 1000))
INSTANT = timedelta(microseconds=1)

STANDING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
FACTS = """
SELECT balance, debt, earned, burnt, expired, sold, paid, receipts, visits, tier_id FROM customer_facts
WHERE customer_id = $1
"""
LOTS = "SELECT amount, remaining, activates_at, expires_at FROM bonus_lot WHERE customer_id = $1 ORDER BY 1, 2, 3, 4"
RECEIPTS = """
SELECT kind, total, paid, burnt, earned, refunded, forgiven, kept_back FROM receipt WHERE customer_id = $1
ORDER BY 1, 2, 3, 4, 5, 6
"""
HOLDS = "SELECT state FROM hold WHERE customer_id = $1 ORDER BY id"


@dataclass
class Scene:
    """A customer, and what is about to happen to them all at once."""

    customer_id: int
    acts: list[Act]


async def said(act: Act) -> Any:
    """What whoever asked is told; ids differ from customer to customer and say nothing."""
    try:
        answer = await act()
    except Refused as refused:
        return refused.reason
    if isinstance(answer, Recorded):
        return tuple(value for name, value in answer.to_answer().items() if name != "receipt_id")
    return None


async def outcome(scene: Scene, answers: list[Any]) -> Outcome:
    """What became of it, in figures that are equal whenever the same happened in the same order."""
    found = [await db.fetch(sql, scene.customer_id) for sql in (FACTS, LOTS, RECEIPTS, HOLDS)]
    return (*answers, *(tuple(row.values()) for rows in found for row in rows))


class Races:
    """Plays a scene again and again, each time with another customer, and knows how it may end."""

    def __init__(self, base: asyncpg.Connection) -> None:
        self._base = base

    async def run(self, stage: Callable[[], Awaitable[Scene]], *, now: datetime = NOW) -> set[Outcome]:
        """Every end that was seen; each is one of those that some order of the acts has."""
        first = await stage()
        orders = list(itertools.permutations(range(len(first.acts))))
        possible = {await self._in_turn(await stage(), order) for order in orders}
        seen = set()
        for number in range(sized(2, 40) * len(orders)):
            scene, order = await stage(), orders[number % len(orders)]
            start = self._together if number // len(orders) % 2 else self._from_a_line
            answers = await start(scene, order)
            seen.add(end := await outcome(scene, answers))
            assert end in possible
        # Else there was no race.
        assert len(seen) > 1
        await assert_books_agree(now=now)
        return possible

    async def _in_turn(self, scene: Scene, order: tuple[int, ...]) -> Outcome:
        answers = {index: await said(scene.acts[index]) for index in order}
        return await outcome(scene, [answers[index] for index in range(len(order))])

    async def _together(self, scene: Scene, order: tuple[int, ...]) -> list[Any]:
        """All at once, in this order but for a moment."""

        async def soon(place: int, act: Act) -> Any:
            await asyncio.sleep(random.uniform(0, 0.002) + place * 0.001)
            return await said(act)

        return await asyncio.gather(*(soon(order.index(index), act) for index, act in enumerate(scene.acts)))

    async def _from_a_line(self, scene: Scene, order: tuple[int, ...]) -> list[Any]:
        """All have begun and stand before the customer, in this order, when they may go on."""
        begun: dict[int, asyncio.Task[Any]] = {}
        async with self._base.transaction():
            await self._base.execute(
                "SELECT FROM customer_facts WHERE customer_id = $1 FOR NO KEY UPDATE", scene.customer_id
            )
            for index in order:
                begun[index] = asyncio.create_task(said(scene.acts[index]))
                await self._until_all_stand(begun)
        return await asyncio.gather(*(begun[index] for index in range(len(order))))

    async def _until_all_stand(self, begun: dict[int, asyncio.Task[Any]]) -> None:
        async with asyncio.timeout(20):
            while await db.fetch_value(STANDING) < sum(not task.done() for task in begun.values()):  # noqa: ASYNC110
                await asyncio.sleep(0)


@pytest.fixture
def races(database) -> Races:
    return Races(database)


def takes_back(receipt_id: int, amount: int | None = None) -> Act:
    key = new_key()
    return lambda: refund_receipt(receipt_id, amount, key=key, actor=COMMAND, now=NOW)


def buys(customer_id: int, location: int, total: int, *, now: datetime = NOW, **more: Any) -> Act:
    key = new_key()
    return lambda: a_sale(customer_id, location, total, key=key, now=now, **more)


async def moved(customer_id: int, *columns: str) -> tuple[int, ...]:
    row = await db.fetch_row(f"SELECT {', '.join(columns)} FROM customer_facts WHERE customer_id = $1", customer_id)
    assert row is not None
    return tuple(row.values())


AFTER_THE_BURN = {
    # What the sale earned covers 22.50 of the 50 that the refund is to take back; the burn has taken the others.
    DebtPolicy.DEBT: ((-27_50, 27_50), (0, 0)),
    DebtPolicy.CLAMP: ((0, 0), (27_50, 0)),
    DebtPolicy.CASH: ((0, 0), (27_50, 27_50)),
}


@pytest.mark.parametrize("policy", DebtPolicy)
async def test_what_a_purchase_earned_is_taken_back_or_spent_and_what_is_missing_goes_by_the_policy(races, policy):
    await a_programme(bonus_step=1, tiers=TIERS, debt_policy=policy)
    location = await a_location()
    people: list[int] = []

    async def stage() -> Scene:
        person = await a_customer()
        people.append(person.id)
        first = await a_sale(person.id, location, 1000_00)
        assert first.earned == 50_00
        return Scene(person.id, [takes_back(first.receipt_id), buys(person.id, location, 500_00, burn=50_00)])

    ends = await races.run(stage)
    assert {sale for _, sale, *_ in ends if isinstance(sale, str)} == {"burn_over_limit"}
    standing, refund = AFTER_THE_BURN[policy]
    # The first was staged to be counted, and never played.
    for customer_id in people[1:]:
        is_spent = await db.fetch_value(
            "SELECT burnt > 0 FROM receipt WHERE customer_id = $1 ORDER BY burnt DESC LIMIT 1", customer_id
        )
        kept = await db.fetch_row("SELECT forgiven, kept_back FROM receipt WHERE kind = 'refund' AND customer_id = $1",
                                  customer_id)  # fmt: skip
        assert kept is not None
        assert await moved(customer_id, "balance", "debt") == (standing if is_spent else (0, 0))
        assert tuple(kept.values()) == (refund if is_spent else (0, 0))


async def test_parts_of_a_purchase_come_back_while_the_bonuses_are_spent(races):
    await a_programme(bonus_step=1, tiers=TIERS)
    location = await a_location()

    async def stage() -> Scene:
        person = await a_customer(bonuses=300_00)
        first = await a_sale(person.id, location, 1000_00, burn=300_00)
        spends = buys(person.id, location, 200_00, burn=35_00)
        return Scene(person.id, [takes_back(first.receipt_id, 400_00), takes_back(first.receipt_id), spends])

    await races.run(stage)


async def test_a_bonus_is_burnt_in_its_last_instant_or_expires_never_both(races):
    await a_programme(bonus_step=1, tiers=TIERS, manual_lifetime_months=1)
    location = await a_location()
    people: list[int] = []
    probe = await account((await a_customer(bonuses=1)).id, now=NOW)
    assert probe.next_expiry is not None
    end = probe.next_expiry[0]

    async def stage() -> Scene:
        person = await a_customer(bonuses=100_00)
        people.append(person.id)

        async def sweep() -> None:
            await expire_due(actor=JOB, now=end)

        spends = buys(person.id, location, 1000_00, burn=60_00, now=end - INSTANT)
        return Scene(person.id, [spends, sweep, sweep])

    await races.run(stage, now=end)
    for customer_id in people[1:]:
        assert await moved(customer_id, "burnt", "expired") in {(60_00, 40_00), (0, 100_00)}


async def test_what_was_set_aside_is_spent_or_lapses_or_is_let_go(races):
    await a_programme(bonus_step=1, tiers=TIERS)
    location = await a_location()

    async def stage() -> Scene:
        person = await a_customer(bonuses=100_00)
        kept = await a_hold(person.id, location, 1000_00, 100_00)

        async def lapse() -> None:
            await lapse_due(now=kept.expires_at)

        spends = buys(person.id, location, 1000_00, burn=80_00, hold_id=kept.id, now=kept.expires_at - INSTANT)
        return Scene(
            person.id, [spends, lapse, lambda: void_hold(kept.id, actor=COMMAND, now=kept.expires_at - INSTANT)]
        )

    ends = await races.run(stage)
    assert {end[-1][0] for end in ends} == {"confirmed", "lapsed", "voided"}


async def test_the_customers_yes_a_change_of_mind_at_the_till_and_another_sale_want_the_same_bonuses(races):
    await a_programme(bonus_step=1, tiers=TIERS)
    location = await a_location()

    async def stage() -> Scene:
        person = await a_customer(bonuses=100_00)
        await an_account(person.id)
        asked = await a_hold(person.id, location, 1000_00, 100_00, ask=True)

        def agrees() -> Awaitable[Any]:
            return decide_hold(asked.id, person.id, agreed=True, actor=COMMAND, now=NOW)

        def voids() -> Awaitable[Any]:
            return void_hold(asked.id, actor=COMMAND, now=NOW)

        return Scene(person.id, [agrees, voids, buys(person.id, location, 1000_00, burn=100_00)])

    await races.run(stage)


async def test_bonuses_are_set_aside_or_spent_or_taken_by_hand(races):
    await a_programme(bonus_step=1, tiers=TIERS)
    location = await a_location()

    async def stage() -> Scene:
        person, key = await a_customer(bonuses=100_00), new_key()

        def sets_aside() -> Awaitable[Any]:
            return a_hold(person.id, location, 1000_00, 80_00, key=key)

        def takes() -> Awaitable[Any]:
            return adjust(person.id, -80_00, "mistake", key=key, actor=COMMAND, now=NOW)

        return Scene(person.id, [sets_aside, takes, buys(person.id, location, 1000_00, burn=80_00)])

    ends = await races.run(stage)
    assert len(ends) == 3


async def test_a_purchase_is_undone_once(races):
    await a_programme(bonus_step=1, tiers=TIERS)
    location, cashier = await a_location(), await a_cashier()

    async def stage() -> Scene:
        person = await a_customer()
        sale = await a_sale(person.id, location, 1000_00, actor=cashier)
        one, other = new_key(), new_key()

        def undoes(key: str) -> Act:
            return lambda: undo_receipt(sale.receipt_id, key=key, actor=cashier, now=NOW)

        return Scene(person.id, [undoes(one), undoes(one), undoes(other)])

    for first, again, other, *_ in await races.run(stage):
        assert first == again
        assert "already_refunded" in {first, other}


async def test_a_tier_that_is_taken_back_raises_the_next_purchase_or_does_not(races):
    await a_programme(bonus_step=1, tiers=TIERS)
    location = await a_location()

    async def stage() -> Scene:
        person = await a_customer()
        first = await a_sale(person.id, location, 10_000_00)
        return Scene(person.id, [takes_back(first.receipt_id), buys(person.id, location, 1000_00)])

    assert {sale[3] for _, sale, *_ in await races.run(stage)} == {50_00, 100_00}
