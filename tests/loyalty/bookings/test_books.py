"""The books find what is wrong with visits and appointments, and agree after whatever happened."""

import random
from contextlib import suppress
from datetime import timedelta

import pytest

from loyalty import db
from loyalty.bookings.actions.counting import pass_bookings
from loyalty.bookings.actions.team import change_service
from loyalty.bookings.rules import State
from loyalty.errors import Refused
from loyalty.office.queries.verify import verify
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.receipts.actions.visits import roll_years
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_customer, a_sale, assert_books_agree

DAY = timedelta(days=1)
TOMORROW, TODAY = int((NOW + DAY).timestamp()), int(NOW.timestamp())


@pytest.mark.parametrize(
    ("planted", "told"),
    [
        ("UPDATE customer_facts SET visits = 5", ["visits of customer 1: expected 2, found 5"]),
        ("UPDATE customer_facts SET locations = 0", ["locations of customer 1: expected 1, found 0"]),
        ("UPDATE customer_facts SET tips = 1", ["tips of customer 1: expected 20000, found 1"]),
        ("UPDATE customer_location SET visits = 1", ["visits of customer to a location 1: expected 2, found 1"]),
        (
            "UPDATE customer_location SET last_visit_at = last_visit_at - INTERVAL '1 s'",
            [f"last visit of customer to a location (epoch) 1: expected {TODAY}, found {TODAY - 1}"],
        ),
        (
            "UPDATE customer_facts SET next_booking_at = next_booking_at + INTERVAL '1 s'",
            [f"next booking of customer (epoch) 1: expected {TOMORROW}, found {TOMORROW + 1}"],
        ),
        (
            "UPDATE customer_facts SET next_booking_at = '1970-01-01+00'",
            [f"next booking of customer (epoch) 1: expected {TOMORROW}, found 0"],
        ),
        (
            "UPDATE customer_facts SET year_days = 3, frequency = 20",
            [
                "last year of customer: days, the first, the last, frequency 1: expected 0, found 20",
                "last year of customer: days, the first, the last, frequency 1: expected 2, found 3",
            ],
        ),
        (
            "UPDATE customer_facts SET year_days = 0, year_first_on = '1970-01-01', year_last_on = '1970-01-01'",
            [
                "last year of customer: days, the first, the last, frequency 1: expected 2, found 0",
                "last year of customer: days, the first, the last, frequency 1: expected 20518, found 0",
                "last year of customer: days, the first, the last, frequency 1: expected 20522, found 0",
            ],
        ),
        ("DELETE FROM customer_team_member", ["visits of customer with a team member 1: expected 1, found 0"]),
        ("UPDATE customer_service SET visits = 9", ["visits of customer with a service 1: expected 1, found 9"]),
        (
            "UPDATE customer_service_category SET last_visit_at = last_visit_at - INTERVAL '1 s'",
            [f"visits of customer with a service category 1: expected {TODAY}, found {TODAY - 1}"],
        ),
    ],
)
async def test_what_was_tampered_with_is_found(salon, planted, told):
    await a_sale(salon.customer, salon.place, 500_00, now=NOW - 4 * DAY)
    await salon.book(
        state=State.CAME, tips=200_00, team_member_id=salon.member, service_ids=(salon.service,)
    )  # fmt: skip
    await salon.book(days=1)
    await assert_books_agree()
    await db.execute(planted)
    found = sorted(one.describe() for one in (await verify(now=NOW)).differences)
    assert found == told


async def test_appointments_that_change_behind_our_back_are_told_in_every_count(salon):
    await salon.book(state=State.CAME, tips=200_00, team_member_id=salon.member, service_ids=(salon.service,))
    await salon.book(days=1)
    await db.execute("UPDATE appointment SET state = 'cancelled'")
    assert {one.check for one in (await verify(now=NOW)).differences} == {
        "visits of customer",
        "visits of customer to a location",
        "locations of customer",
        "last visit of customer (epoch)",
        "first visit of customer (epoch)",
        "last year of customer: days, the first, the last, frequency",
        "tips of customer",
        "next booking of customer (epoch)",
        "visits of customer with a team member",
        "visits of customer with a service",
        "visits of customer with a service category",
    }


async def test_a_year_that_nobody_rolled_for_days_is_told(salon):
    await a_sale(salon.customer, salon.place, 500_00)
    late = "last year of customer behind the calendar"
    for days, is_late in ((365, False), (366, False), (367, True)):
        found = {one.check for one in (await verify(now=NOW + days * DAY)).differences}
        assert (late in found) == is_late
        assert found <= {late, "lot expired and not swept for a day"}


async def test_after_hundreds_of_acts_in_any_order_the_books_agree(salon):
    dice = random.Random(26)
    people = [salon.customer, *[(await a_customer()).id for _ in range(3)]]
    places, services = (salon.place, salon.other_place), (salon.service, salon.other_service)
    sales: list[int] = []
    booked: list[int] = []
    now = NOW
    for step in range(300):
        now += timedelta(hours=dice.choice((0, 1, 5, 20, 20)) * (12 if step % 50 == 0 else 1))
        # Some tills' clocks are behind, and what is told late lies in the past.
        then = now - dice.choice((0, 0, 0, 1, 3)) * DAY
        match dice.randrange(9):
            case 0 | 1 | 2:
                sale = await a_sale(dice.choice(people), dice.choice(places), 500_00, now=then)
                sales.append(sale.receipt_id)
            case 3 if sales:
                part = dice.choice((None, 100_00))
                with suppress(Refused):  # it was taken back already
                    await refund_receipt(dice.choice(sales), part, key=f"r-{step}", actor=COMMAND, now=now)
            case 4 | 5:
                state = dice.choice(list(State))
                ahead = dice.randrange(1, 20) if state in {State.PLANNED, State.CANCELLED} else -dice.randrange(9)
                about = {"customer_id": dice.choice(people), "location_id": dice.choice(places)}
                chosen = tuple(dice.sample(services, dice.randrange(3)))
                member, tips = dice.choice((None, salon.member)), dice.choice((0, 50_00))
                one = await salon.book(
                    **about,
                    starts_at=now + ahead * DAY,
                    state=state,
                    service_ids=chosen,
                    team_member_id=member,
                    tips=tips,
                    now=now,
                )
                booked.append(one.id)
            case 6 | 7 if booked:
                past = now - dice.randrange(400) * DAY
                changes = dice.choice((
                    {"state": dice.choice((State.PLANNED, State.CANCELLED))},
                    {"state": dice.choice((State.CAME, State.NO_SHOW)), "starts_at": past},
                    {"starts_at": past},
                    {"tips": 70_00, "team_member_id": None},
                    {"service_ids": (salon.other_service,)},
                ))  # fmt: skip
                await salon.change(dice.choice(booked), now=now, **changes)
            case _:
                await pass_bookings(now=now)
                await roll_years(now=now)
                category = dice.choice((None, salon.category))
                await change_service(salon.service, category_id=category, actor=COMMAND, now=now)
        if step % 30 == 29:
            await pass_bookings(now=now)
            await roll_years(now=now)
            found = [one.describe() for one in (await verify(now=now)).differences if "not swept" not in one.check]
            assert found == []
