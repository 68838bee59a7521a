import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from loyalty import db
from loyalty.bookings.actions.appointments import record_appointment
from loyalty.bookings.actions.counting import pass_bookings
from loyalty.bookings.queries import AppointmentFilters, appointment, appointment_page, appointments_of
from loyalty.bookings.rules import AppointmentDraft, Door, Guest, State
from loyalty.customers.queries import consents, customer, find_by_phone
from loyalty.customers.rules import NEVER
from loyalty.errors import Conflict, Invalid, NotFound, Refused
from loyalty.office.queries.verify import verify
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.receipts.actions.visits import roll_years
from loyalty.receipts.queries import habits
from loyalty.shop.rules import Tier, TierBasis
from loyalty.staff.queries import JournalFilters, journal_page
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_customer, a_location, a_programme, a_sale, assert_books_agree

DAY = timedelta(days=1)
PHONE = "+79161112233"


async def journal(appointment_id):
    found = await journal_page(JournalFilters(subject_kind="appointment", subject_id=appointment_id))
    return [line.action for line in found.lines]


async def assert_books_agree_but_for_expiry(*, now):
    """Far ahead, where nobody has swept the lots of bonuses."""
    found = [one.describe() for one in (await verify(now=now)).differences if not one.check.startswith("lot expired")]
    assert found == []


async def test_each_state_keeps_what_is_counted(salon):
    booked = await salon.book(
        days=1, team_member_id=salon.member, service_ids=(salon.service, salon.other_service), tips=200_00
    )
    assert await salon.facts("visits", "tips", "next_booking_at") == (0, 0, booked.starts_at)
    tomorrow = NOW + DAY
    counted = {
        State.CAME: (1, 200_00, 1, booked.starts_at),
        State.NO_SHOW: (0, 0, 0, NEVER),
        State.CANCELLED: (0, 0, 0, NEVER),
    }
    for state in (State.CAME, State.NO_SHOW, State.CAME, State.CANCELLED, State.CAME, State.PLANNED, State.CAME):
        found = await salon.mark(booked.id, state, now=tomorrow)
        assert found.state == state
        expected = counted.get(state, (0, 0, 0, NEVER))
        assert await salon.facts("visits", "tips", "locations", "last_visit_at") == expected
        assert await salon.pairs("team_member") == ({salon.member: 1} if state is State.CAME else {})
        assert await salon.pairs("service_category") == ({salon.category: 1} if state is State.CAME else {})
        assert len(await salon.pairs("service")) == (2 if state is State.CAME else 0)
        await assert_books_agree(now=tomorrow)
    assert (await journal(booked.id))[:3] == ["appointment.came", "appointment.planned", "appointment.came"]
    assert await salon.facts("first_visit_at", "year_days", "year_first_on") == (booked.starts_at, 1, date(2026, 3, 11))


async def test_a_sale_and_an_appointment_of_one_day_are_one_visit_in_either_order(salon):
    await a_sale(salon.customer, salon.place, 500_00)
    await salon.book(state=State.CAME)
    assert await salon.facts("visits", "year_days") == (1, 1)
    await salon.book(days=1, state=State.CAME, now=NOW + DAY)
    await a_sale(salon.customer, salon.place, 500_00, now=NOW + DAY)
    assert await salon.facts("visits", "year_days", "receipts") == (2, 2, 2)
    await a_sale(salon.customer, salon.other_place, 500_00, now=NOW + DAY)
    assert await salon.facts("visits", "year_days", "locations") == (3, 2, 2)
    await assert_books_agree(now=NOW + DAY)


async def test_a_refund_leaves_the_visit_that_an_appointment_made(salon):
    sale = await a_sale(salon.customer, salon.place, 500_00)
    booked = await salon.book(state=State.CAME)
    await refund_receipt(sale.receipt_id, None, key="back", actor=COMMAND, now=NOW)
    assert await salon.facts("visits", "receipts", "locations", "last_visit_at") == (1, 0, 1, booked.starts_at)
    await assert_books_agree()
    await salon.mark(booked.id, State.CANCELLED)
    assert await salon.facts("visits", "locations", "last_visit_at", "year_days") == (0, 0, NEVER, 0)
    await assert_books_agree()


async def test_an_appointment_that_was_cancelled_leaves_the_visit_that_a_sale_made(salon):
    booked = await salon.book(state=State.CAME)
    await a_sale(salon.customer, salon.place, 500_00, now=NOW + timedelta(hours=1))
    await salon.mark(booked.id, State.NO_SHOW)
    assert await salon.facts("visits", "first_visit_at") == (1, NOW + timedelta(hours=1))
    await assert_books_agree()


async def test_a_sale_of_an_earlier_day_than_the_last_is_counted_once(salon):
    await a_sale(salon.customer, salon.place, 500_00, now=NOW + 5 * DAY)
    for _ in range(2):
        await a_sale(salon.customer, salon.place, 500_00, now=NOW)
    await a_sale(salon.customer, salon.place, 500_00, now=NOW + 2 * DAY)
    assert await salon.facts("visits", "year_days", "year_first_on") == (3, 3, date(2026, 3, 10))
    # Two and a half days between them on average.
    assert await salon.facts("frequency") == 25
    await assert_books_agree(now=NOW + 5 * DAY)


async def test_frequency_is_the_mean_of_the_days_between_visits_from_three_on(salon):
    for days in (0, 10, 10.1):
        await a_sale(salon.customer, salon.place, 500_00, now=NOW + days * DAY)
    assert await salon.facts("year_days", "frequency") == (2, 0)
    await salon.book(days=13, state=State.CAME, now=NOW + 13 * DAY)
    assert await salon.facts("year_days", "frequency") == (3, 65)
    await a_sale(salon.customer, salon.place, 500_00, now=NOW + 20 * DAY)
    assert await salon.facts("frequency") == 67
    assert (await habits(salon.customer, today=date(2026, 3, 30), now=NOW + 20 * DAY)).every_days == 7


async def test_days_leave_the_year_by_a_walk_that_may_run_twice(salon):
    for days in (0, 100, 200, 300):
        await a_sale(salon.customer, salon.place, 500_00, now=NOW + days * DAY)
    assert await salon.facts("year_days", "frequency") == (4, 1000)
    assert await roll_years(now=NOW + 364 * DAY) == 0
    assert await roll_years(now=NOW + 365 * DAY) == 1
    assert await roll_years(now=NOW + 365 * DAY) == 0
    assert await salon.facts("year_days", "year_first_on") == (3, date(2026, 6, 18))
    await assert_books_agree_but_for_expiry(now=NOW + 365 * DAY)
    # A sale before the walk of the night has come only adds its day.
    await a_sale(salon.customer, salon.place, 500_00, now=NOW + 465 * DAY)
    assert await salon.facts("year_days") == 4
    await assert_books_agree_but_for_expiry(now=NOW + 465 * DAY)
    assert await roll_years(now=NOW + 465 * DAY) == 1
    assert await salon.facts("year_days") == 3
    assert await roll_years(now=NOW + 2000 * DAY) == 1
    assert await salon.facts("year_days", "frequency", "visits") == (0, 0, 5)
    await assert_books_agree_but_for_expiry(now=NOW + 2000 * DAY)


async def test_the_walk_goes_through_everybody_in_batches(salon, monkeypatch):
    monkeypatch.setattr("loyalty.receipts.actions.visits.BATCH", 2)
    people = [salon.customer] + [(await a_customer()).id for _ in range(4)]
    for person in people:
        await a_sale(person, salon.place, 500_00)
    assert await roll_years(now=NOW + 400 * DAY) == 5
    await assert_books_agree_but_for_expiry(now=NOW + 400 * DAY)


async def test_the_next_booking_is_the_earliest_planned_one_and_passes_by_itself(salon):
    for days in (5, 3, 9):
        await salon.book(days=days)
    cancelled = await salon.book(days=1)
    await salon.mark(cancelled.id, State.CANCELLED)
    assert await salon.facts("next_booking_at") == NOW + 3 * DAY
    assert await pass_bookings(now=NOW + 2 * DAY) == 0
    assert await pass_bookings(now=NOW + 3 * DAY) == 1
    assert await pass_bookings(now=NOW + 3 * DAY) == 0
    assert await salon.facts("next_booking_at") == NOW + 5 * DAY
    await assert_books_agree(now=NOW + 3 * DAY)
    assert await pass_bookings(now=NOW + 30 * DAY) == 1
    assert await salon.facts("next_booking_at") == NEVER


async def test_the_same_key_and_body_is_one_appointment_and_another_body_a_conflict(salon):
    draft = AppointmentDraft(salon.place, NOW + DAY, salon.customer, external_id="b-1")
    first = await record_appointment(draft, door=Door.API, actor=COMMAND, now=NOW)
    await salon.mark(first.appointment.id, State.CANCELLED)
    again = await record_appointment(draft, door=Door.API, actor=COMMAND, now=NOW + DAY)
    assert (first.repeated, again.repeated) == (False, True)
    assert again.appointment.id == first.appointment.id
    assert again.appointment.state == State.CANCELLED
    with pytest.raises(Conflict, match="key_was_used"):
        await salon.book(days=2, external_id="b-1")
    await salon.book(days=2, external_id="b-1", location_id=salon.other_place)
    assert await db.fetch_value("SELECT count(*) FROM appointment") == 2


async def test_many_at_once_under_one_key_and_phone_are_one_appointment_of_one_new_customer(salon):
    draft = AppointmentDraft(salon.place, NOW + DAY, guest=Guest(PHONE, "Anna"), external_id="b-2")
    booked = await asyncio.gather(
        *(record_appointment(draft, door=Door.API, actor=COMMAND, now=NOW) for _ in range(6))
    )  # fmt: skip
    assert len({one.appointment.id for one in booked}) == 1
    assert sum(one.is_new for one in booked) == 1
    others = await asyncio.gather(
        *(
            record_appointment(
                AppointmentDraft(salon.place, NOW + DAY, guest=Guest("+79164445566", "Ira"), external_id=f"i-{number}"),
                door=Door.API,
                actor=COMMAND,
                now=NOW,
            )
            for number in range(6)
        )
    )
    assert len({one.appointment.customer_id for one in others}) == 1
    assert sum(one.is_new for one in others) == 1
    await assert_books_agree()


async def test_an_unknown_phone_becomes_a_customer_without_consents_or_gifts(salon):
    await a_programme(welcome_bonus=100_00)
    booked = await salon.book(days=1, customer_id=None, guest=Guest(PHONE, "Анна Белова"))
    person = await customer(booked.customer_id)
    assert (person.name, person.phone, person.created_via) == ("Анна Белова", PHONE, "booking")
    assert (person.phone_verified_at, person.balance, person.home_location_id) == (None, 0, salon.place)
    assert await consents(person.id) == []
    again = await salon.book(days=2, customer_id=None, guest=Guest(PHONE))
    assert again.customer_id == person.id


async def test_an_unknown_phone_needs_a_name_and_leaves_nothing_without(salon):
    with pytest.raises(Invalid, match="required") as refused:
        await salon.book(customer_id=None, guest=Guest(PHONE))
    assert refused.value.field == "name"
    assert await find_by_phone(PHONE) is None


@pytest.mark.parametrize(
    ("more", "field"),
    [({"team_member_id": 99}, "team_member_id"), ({"service_ids": (1, 99)}, "service_ids")],
)
async def test_who_and_what_must_be_there(salon, more, field):
    with pytest.raises(Invalid, match="unknown_choice") as refused:
        await salon.book(**more)
    assert refused.value.field == field
    booked = await salon.book()
    with pytest.raises(Invalid, match="unknown_choice"):
        await salon.change(booked.id, **more)
    with pytest.raises(NotFound, match="customer"):
        await salon.book(customer_id=99)
    with pytest.raises(NotFound, match="location"):
        await salon.book(location_id=99)
    with pytest.raises(NotFound, match="appointment"):
        await salon.mark(99, State.CAME)


async def test_a_closed_location_takes_the_past_and_nothing_to_come(salon):
    await db.execute("UPDATE location SET is_open = false WHERE id = $1", salon.place)
    await salon.book(days=-3, state=State.CAME)
    with pytest.raises(Refused, match="location_is_closed"):
        await salon.book(days=3)


async def test_times_people_and_services_can_be_corrected_and_the_same_again_is_nothing(salon):
    booked = await salon.book(state=State.CAME, team_member_id=salon.member, service_ids=(salon.service,))
    wanted = {
        "starts_at": NOW - 2 * DAY,
        "ends_at": NOW - 2 * DAY + timedelta(hours=1),
        "team_member_id": None,
        "service_ids": (salon.other_service,),
        "tips": 50_00,
    }
    changed = await salon.change(booked.id, **wanted)
    assert await salon.change(booked.id, **wanted) == changed
    assert (changed.starts_at, changed.business_date) == (NOW - 2 * DAY, date(2026, 3, 8))
    assert await salon.pairs("team_member") == {}
    assert await salon.pairs("service") == {salon.other_service: 1}
    assert await salon.facts("tips", "visits", "last_visit_at") == (50_00, 1, NOW - 2 * DAY)
    assert await journal(booked.id) == ["appointment.changed", "appointment.added"]
    await assert_books_agree()
    with pytest.raises(Invalid, match="not_yet_begun"):
        await salon.change(booked.id, starts_at=NOW + 2 * DAY, ends_at=None)


async def test_the_local_day_decides_which_visit_it_is(salon):
    kyiv = await a_location(name="Хрещатик", time_zone="Europe/Kyiv")
    late = datetime(2026, 3, 9, 22, 30, tzinfo=UTC)
    booked = await salon.book(location_id=kyiv, starts_at=late, state=State.CAME)
    assert booked.business_date == date(2026, 3, 10)
    await a_sale(salon.customer, kyiv, 500_00)
    assert await salon.facts("visits") == 1
    await assert_books_agree()


async def test_visits_without_a_receipt_raise_and_keep_a_tier_that_counts_visits(salon):
    tiers = (Tier(0, "Base", 0, 500), Tier(1, "Silver", 2, 700))
    await a_programme(tiers=tiers, tier_basis=TierBasis.VISITS)
    first = await salon.book(days=-1, state=State.CAME)
    assert await salon.facts("tier_id") == 0
    await a_sale(salon.customer, salon.place, 500_00)
    assert await salon.facts("tier_id") == 1
    await salon.mark(first.id, State.NO_SHOW)
    assert await salon.facts("tier_id", "tier_due_at") == (1, NOW)
    other = (await a_customer()).id
    for days in (-2, -1):
        await salon.book(days=days, customer_id=other, state=State.CAME)
    assert (await customer(other)).tier_id == 1
    await assert_books_agree()


async def test_a_deleted_customer_who_books_is_back_and_a_merged_card_is_the_other(salon):
    hide = "UPDATE customer_facts SET is_hidden = true WHERE customer_id = $1"
    await db.execute("UPDATE customer SET deleted_at = $2 WHERE id = $1", salon.customer, NOW)
    await db.execute(hide, salon.customer)
    booked = await salon.book(days=1, state=State.CANCELLED)
    assert await salon.facts("is_hidden") is True
    await salon.book(days=1)
    assert await salon.facts("is_hidden") is False
    assert await db.fetch_value("SELECT deleted_at FROM customer WHERE id = $1", booked.customer_id) is None
    await db.execute("UPDATE customer SET deleted_at = $2 WHERE id = $1", salon.customer, NOW)
    await db.execute(hide, salon.customer)
    await salon.mark(booked.id, State.PLANNED)
    assert await salon.facts("is_hidden") is True
    await salon.mark(booked.id, State.CAME, now=NOW + DAY)
    assert await salon.facts("is_hidden") is False
    other = (await a_customer()).id
    await db.execute("UPDATE customer SET merged_into_id = $2 WHERE id = $1", other, salon.customer)
    assert (await salon.book(days=2, customer_id=other)).customer_id == salon.customer
    gone = (await a_customer()).id
    await db.execute("UPDATE customer SET erased_at = $2 WHERE id = $1", gone, NOW)
    with pytest.raises(NotFound, match="customer"):
        await salon.book(days=2, customer_id=gone)


async def test_appointments_are_read_in_pages_from_both_ends(salon, monkeypatch):
    monkeypatch.setattr("loyalty.bookings.queries.PAGE_ROWS", 2)
    made = [(await salon.book(days=days, service_ids=(salon.service,))).id for days in (3, 1, 2, 2, 4)]
    seen, place = [], None
    while True:
        found, place = await appointments_of(salon.customer, before=place)
        seen += [one.id for one in found]
        if place is None:
            break
    assert seen == [made[4], made[0], made[3], made[2], made[1]]
    first, more = await appointment_page(AppointmentFilters(customer_id=salon.customer), limit=3)
    rest, none = await appointment_page(AppointmentFilters(), after=(first[-1].starts_at, first[-1].id), limit=3)
    assert [one.id for one in first + rest] == seen[::-1]
    assert (more, none) == (True, False)
    period = AppointmentFilters(since=NOW + 2 * DAY, until=NOW + 3 * DAY, location_ids=[salon.place])
    assert len((await appointment_page(period))[0]) == 2
    assert (await appointment_page(AppointmentFilters(location_ids=[]))) == ([], False)
    await salon.mark(made[0], State.CANCELLED, now=NOW + DAY)
    changed, _ = await appointment_page(AppointmentFilters(updated_since=NOW + timedelta(seconds=1)))
    assert [one.id for one in changed] == [made[0]]
    assert list((await appointment(made[0])).service_names) == ["Cupping"]
