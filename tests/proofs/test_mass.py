"""Acts on many customers by workers that are killed, that meet, and while somebody ends the act and takes it back."""

import asyncio
from random import Random

import pytest

from loyalty import db
from loyalty.clock import system_now
from loyalty.customers.actions.categories import add_category
from loyalty.customers.labels import CategoryDraft
from loyalty.office.actions.mass import begin, cancel, finish, undo
from loyalty.office.actions.mass_work import work, work_due
from loyalty.office.mass import MassKind, Order
from loyalty.segments.queries.base import Look
from loyalty.staff.rules import COMMAND
from tests.bot.conftest import until_sql
from tests.builders import NOW, a_customer, assert_books_agree
from tests.proofs.conftest import sized

pytestmark = pytest.mark.prove
AMOUNT = 10_00
OVER = "SELECT NOT EXISTS (SELECT FROM mass_action WHERE state NOT IN ('done', 'undone'))"


async def a_category() -> int:
    return await add_category(CategoryDraft("Office", "blue"), actor=COMMAND, now=NOW)


async def some(number: int) -> list[int]:
    return [(await a_customer()).id for _ in range(number)]


async def begin_both(category_id: int) -> list[int]:
    orders = [Order(MassKind.CATEGORY_GIVE, category_id), Order(MassKind.BONUSES, amount=AMOUNT, comment="Thanks")]
    now = system_now()
    return [await begin(order, Look(), key=order.kind.value, actor=COMMAND, now=now) for order in orders]


async def having(category_id: int) -> int:
    count: int = await db.fetch_value("SELECT count(*) FROM customer_category WHERE category_id = $1", category_id)
    return count


async def assert_all_once(people: list[int], category_id: int, actions: list[int]) -> None:
    """Each has the category, each was credited once, and each row and counter says so."""
    assert await having(category_id) == len(people)
    balances = await db.fetch("SELECT balance, count(*) FROM customer_facts GROUP BY 1")
    assert [tuple(row.values()) for row in balances] == [(AMOUNT, len(people))]
    assert await db.fetch_value("SELECT count(*) FROM bonus_entry") == len(people)
    for action_id in actions:
        row = await db.fetch_row(
            "SELECT total, done, (SELECT count(*) FROM mass_action_row r WHERE r.action_id = a.id AND state = 'done')"
            " AS rows FROM mass_action a WHERE id = $1",
            action_id,
        )
        assert row == {"total": len(people), "done": len(people), "rows": len(people)}
    await assert_books_agree(now=system_now())


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(("customer_category", "INSERT INTO customer_category"), id="giving the category"),
        pytest.param(("bonus_entry", "INSERT INTO bonus_entry"), id="writing an entry"),
        pytest.param(("mass_action_row", "UPDATE mass_action_row"), id="marking the rows"),
        pytest.param(("mass_action", "UPDATE mass_action SET place"), id="counting them"),
    ],
)
async def test_a_worker_killed_in_the_middle_of_an_act_loses_nobody_and_does_nobody_twice(processes, hold, place):
    table, statement = place
    category_id, people = await a_category(), await some(60)
    actions = await begin_both(category_id)
    async with hold(f"LOCK TABLE {table} IN SHARE MODE"):
        await processes.start_some(1, "scheduler")
        [victim] = await processes.standing_at(statement)
        await victim.kill()
    await processes.bury(victim)
    await processes.start_some(1, "scheduler")
    await until_sql(OVER)
    await assert_all_once(people, category_id, actions)
    assert processes.errors() == []


async def test_whenever_workers_are_killed_each_customer_is_done_once(processes):
    random = Random(20)
    category_id, people = await a_category(), await some(sized(400, 5_000))
    actions = await begin_both(category_id)
    for _ in range(sized(3, 25)):
        [victim] = await processes.start_some(1, "scheduler")
        await asyncio.sleep(random.uniform(0.0, 1.5))
        await victim.kill()
        await processes.bury(victim)
    await processes.start_some(2, "scheduler")
    await until_sql(OVER)
    await assert_all_once(people, category_id, actions)


async def test_workers_that_meet_do_each_customer_once(database, monkeypatch):
    monkeypatch.setattr("loyalty.office.mass.ROWS", 3)
    category_id = await a_category()
    people = await some(40)
    actions = await begin_both(category_id)
    await asyncio.gather(*(work_due(now=NOW) for _ in range(4)), *(finish(one, now=NOW) for one in actions))
    await assert_all_once(people, category_id, actions)


async def test_what_is_ended_and_taken_back_while_it_is_done_leaves_nothing(database, monkeypatch):
    monkeypatch.setattr("loyalty.office.mass.ROWS", 4)
    category_id = await a_category()
    await some(12)

    async def stop(action_id: int) -> None:
        await cancel(action_id, actor=COMMAND, now=NOW)
        if await db.fetch_value("SELECT done FROM mass_action WHERE id = $1", action_id):
            await finish(await undo(action_id, actor=COMMAND, now=NOW), now=NOW)

    for number in range(sized(10, 200)):
        order = Order(MassKind.CATEGORY_GIVE, category_id)
        action_id = await begin(order, Look(), key=str(number), actor=COMMAND, now=NOW)
        await asyncio.gather(work(action_id, now=NOW), work(action_id, patiently=True, now=NOW), stop(action_id))
        assert await having(category_id) == 0
