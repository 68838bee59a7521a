"""Past receipts earned again: exactly as they did by the programme of then, and otherwise by another one."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from loyalty import db
from loyalty.errors import Invalid, Refused
from loyalty.ids import new_key
from loyalty.office.queries import what_if as module
from loyalty.office.queries.what_if import MonthCost, last_months, what_if
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.receipts.rules.sales import Line, Recorded
from loyalty.shop.rules import Effect, Rounding, RuleSettings, Stacking
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_customer, a_location, a_programme, a_sale

pytestmark = pytest.mark.usefixtures("database")
MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)
CATEGORIES = ("coffee", "tea", "tobacco", "")


def rule(number, kind, effect=Effect.MULTIPLY, amount=20_000, **params):
    return RuleSettings(number, kind, kind, effect, amount, True, params)


def some_rules(chance, places):
    rules = [
        rule(1, "category", categories=["coffee"], skus=["a-1"]),
        rule(2, "location", Effect.ADD, 250, locations=[places[0]]),
        rule(3, "weekday_hours", weekdays=[1, 3, 6], from_time=600, until_time=60),
        rule(4, "birthday", Effect.FIXED, 33_50, days_before=40, days_after=40),
        rule(5, "first_purchase", Effect.ADD, 1000),
        rule(6, "promo_code", Effect.FIXED, 70_00, code="MAY", from_day=None, until_day="2026-04-20",
             customer_limit=2, total_limit=5),
    ]  # fmt: skip
    return tuple(one for one in rules if one.kind == "promo_code" or chance.random() < 0.7)


async def a_life(chance, people, places):
    """Sixty purchases and refunds over March and April, as they come."""
    moment = datetime(2026, 3, 1, 5, 0, tzinfo=UTC)
    sold: list[Recorded] = []
    for _ in range(60):
        moment += timedelta(hours=chance.randint(1, 44))
        with suppress(Refused):
            if sold and chance.random() < 0.25:
                sale = chance.choice(sold)
                amount = chance.choice([sale.total, sale.total // 3 + 1])
                await refund_receipt(sale.receipt_id, amount, key=new_key(), actor=COMMAND, now=moment)
                continue
            totals = [chance.randint(1, 900_00) for _ in range(chance.randint(0, 4))]
            lines = tuple(Line(total, "x", chance.choice(["A-1", ""]), chance.choice(CATEGORIES)) for total in totals)
            sale = await a_sale(
                chance.choice(people),
                chance.choice(places),
                sum(totals) or chance.randint(1, 2_000_00),
                burn=chance.choice([0, 0, 1_00, 20_00]),
                lines=lines,
                promo_code=chance.choice([None, None, "may"]),
                now=moment,
            )
            sold.append(sale)
    assert len(sold) > 20


@pytest.mark.parametrize("seed", range(8))
async def test_by_the_programme_of_then_receipts_earn_exactly_what_they_earned(seed, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 7)
    chance = Random(seed)
    places = [await a_location(), await a_location(name="Far", time_zone="Asia/Vladivostok")]
    people = [
        (await a_customer(bonuses=300_00, birthday=birthday)).id
        for birthday in (date(1990, 3, 20), date(1985, 12, 31), None)
    ]
    programme = await a_programme(
        rules=some_rules(chance, places),
        stacking=chance.choice(list(Stacking)),
        rounding=chance.choice(list(Rounding)),
        bonus_step=chance.choice([1_00, 50, 1]),
        bonus_value=chance.choice([100, 200]),
        excluded_categories=("tobacco",),
        earn_cap_receipt=chance.choice([0, 60_00]),
        earn_cap_day=chance.choice([0, 80_00]),
        earn_cap_month=chance.choice([0, 300_00]),
        tier_window_days=30,
    )
    await a_life(chance, people, places)
    result = await what_if(programme, first=MARCH, end=MAY)
    assert result.receipts > 20
    assert [(month.earned, month.would) for month in result.months] == [
        (month.earned, month.earned) for month in result.months
    ]
    assert (result.touched_receipts, result.touched_customers) == (0, 0)
    assert result.earned == await db.fetch_value("SELECT sum(earned)::bigint FROM receipt WHERE kind = 'sale'")


async def test_another_programme_costs_what_it_would_have_given():
    place, customer = await a_location(), await a_customer()
    programme = await a_programme()
    await a_sale(customer.id, place, 1000_00, now=NOW)
    await a_sale(customer.id, place, 3000_00, now=NOW + timedelta(days=31))
    twice = replace(programme, rules=(rule(1, "location", locations=[place]),))
    result = await what_if(twice, first=MARCH, end=MAY)
    assert result.months == [MonthCost(MARCH, 1, 50_00, 100_00), MonthCost(APRIL, 1, 150_00, 300_00)]
    assert (result.receipts, result.touched_receipts, result.customers, result.touched_customers) == (2, 2, 1, 1)
    assert (result.earned, result.would) == (200_00, 400_00)


async def test_each_receipt_has_the_level_of_its_day_at_the_rate_of_the_other_programme():
    place, customer = await a_location(), await a_customer()
    programme = await a_programme()
    await a_sale(customer.id, place, 10_000_00, now=NOW)
    await a_sale(customer.id, place, 1000_00, now=NOW + timedelta(days=1))
    tiers = (programme.tiers[0], replace(programme.tiers[1], rate_bp=2000), programme.tiers[2])
    result = await what_if(replace(programme, tiers=tiers), first=MARCH, end=APRIL)
    assert result.would == 500_00 + 200_00
    assert result.touched_receipts == 1


async def test_a_cap_frees_again_what_a_refund_would_have_taken_back():
    place, customer = await a_location(), await a_customer()
    programme = await a_programme()
    sale = await a_sale(customer.id, place, 2000_00, now=NOW)
    await refund_receipt(sale.receipt_id, 2000_00, key=new_key(), actor=COMMAND, now=NOW + timedelta(minutes=1))
    await a_sale(customer.id, place, 2000_00, now=NOW + timedelta(minutes=2))
    result = await what_if(replace(programme, earn_cap_day=60_00), first=MARCH, end=APRIL)
    assert result.would == 60_00 + 60_00


async def test_a_promo_code_that_would_not_be_taken_leaves_the_sale_without_it():
    place, customer = await a_location(), await a_customer()
    code = {"code": "MAY", "from_day": None, "until_day": None, "customer_limit": 0, "total_limit": 0}
    programme = await a_programme(rules=(rule(1, "promo_code", Effect.FIXED, 100_00, **code),))
    for day in range(3):
        await a_sale(customer.id, place, 1000_00, promo_code="MAY", now=NOW + timedelta(days=day))
    once = replace(programme, rules=(rule(1, "promo_code", Effect.FIXED, 100_00, **code | {"customer_limit": 1}),))
    assert (await what_if(once, first=MARCH, end=APRIL)).would == 150_00 + 100_00
    twice = replace(programme, rules=(rule(1, "promo_code", Effect.FIXED, 100_00, **code | {"total_limit": 2}),))
    assert (await what_if(twice, first=MARCH, end=APRIL)).would == 150_00 + 200_00


async def test_days_of_other_months_are_left_alone_and_an_empty_month_is_there():
    place, customer = await a_location(), await a_customer()
    programme = await a_programme()
    await a_sale(customer.id, place, 1000_00, now=datetime(2026, 3, 31, 20, 59, tzinfo=UTC))
    await a_sale(customer.id, place, 2000_00, now=datetime(2026, 3, 31, 21, 0, tzinfo=UTC))
    assert (await what_if(programme, first=MARCH, end=APRIL)).earned == 50_00
    result = await what_if(programme, first=APRIL, end=date(2026, 6, 1))
    assert [(cost.month, cost.earned) for cost in result.months] == [(APRIL, 100_00), (MAY, 0)]


async def test_nothing_is_written():
    place, customer = await a_location(), await a_customer()
    programme = await a_programme()
    await a_sale(customer.id, place, 1000_00)
    async with db.transaction():
        await db.execute("SET TRANSACTION READ ONLY")
        await what_if(replace(programme, earn_cap_day=1_00), first=MARCH, end=APRIL)


@pytest.mark.parametrize(("months", "first"), [(1, date(2026, 2, 1)), (3, date(2025, 12, 1)), (24, date(2024, 3, 1))])
def test_the_last_full_months_end_with_the_last_one_that_is_over(months, first):
    assert last_months(date(2026, 3, 10), months) == (first, MARCH)


@pytest.mark.parametrize("months", [0, 25])
def test_a_period_has_its_limits(months):
    with pytest.raises(Invalid):
        last_months(MARCH, months)
