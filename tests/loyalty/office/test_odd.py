from datetime import date, timedelta

import pytest

from loyalty import db
from loyalty.bonuses.actions.manual import adjust
from loyalty.errors import Refused
from loyalty.ids import new_key
from loyalty.office.queries.odd import OddGroup, OddKey, OddKind, Period, odd_groups, odd_lines
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.receipts.rules.sales import ReceiptSource
from loyalty.shop.rules import Hours
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_cashier, a_customer, a_location, a_programme, a_sale

pytestmark = pytest.mark.usefixtures("database")

TODAY = date(2026, 3, 10)
MONTH = Period.until(TODAY, 31, "Europe/Moscow")


async def groups(kind, period=MONTH):
    return (await odd_groups(period))[kind]


async def ids(kind, period=MONTH, **key):
    return [line.id for line in (await odd_lines(kind, OddKey(**key), period))[0]]


async def back(sale, *, actor, after, amount=None):
    await refund_receipt(
        sale.receipt_id, amount, key=new_key(), source=ReceiptSource.TILL, actor=actor, now=NOW + after
    )


async def test_nothing_is_odd_where_nothing_happens():
    assert await odd_groups(MONTH) == {kind: [] for kind in OddKind}


async def test_sales_taken_back_at_once_are_counted_against_all_of_a_cashier():
    cashier, colleague, place, person = await a_cashier(), await a_cashier(), await a_location(), await a_customer()
    minutes = timedelta(minutes=1)
    sales = [await a_sale(person.id, place, 100_00, actor=cashier) for _ in range(6)]
    await back(sales[0], actor=cashier, after=5 * minutes)
    await back(sales[1], actor=cashier, after=5 * minutes + timedelta(seconds=1))
    await back(sales[2], actor=cashier, after=minutes, amount=50_00)
    await back(sales[3], actor=colleague, after=minutes)
    (found,) = await groups(OddKind.UNDONE)
    assert (found.staff_id, found.count, found.sales, found.total) == (cashier.staff_id, 1, 6, 100_00)
    (line,), following = await odd_lines(OddKind.UNDONE, OddKey(staff=cashier.staff_id), MONTH)
    assert (line.id, line.taken_back_at, following) == (sales[0].receipt_id, NOW + 5 * minutes, None)
    assert await ids(OddKind.UNDONE, staff=colleague.staff_id) == []


@pytest.mark.parametrize(
    ("count", "sales", "is_marked"), [(2, 2, False), (3, 60, False), (3, 59, True), (30, 601, False)]
)
def test_a_cashier_is_marked_from_three_and_above_a_twentieth(count, sales, is_marked):
    assert OddGroup(count, sales=sales).is_marked is is_marked


async def test_three_sales_to_one_customer_by_one_cashier_on_one_day_are_odd():
    cashier, place = await a_cashier(), await a_location()
    often, seldom, undone, spread = [await a_customer(name=f"Мария Соколова {n}") for n in range(4)]
    kept = [(await a_sale(often.id, place, 100_00, actor=cashier)).receipt_id for _ in range(3)]
    for _ in range(2):
        await a_sale(seldom.id, place, 100_00, actor=cashier)
        await a_sale(undone.id, place, 100_00, actor=cashier)
    await back(await a_sale(undone.id, place, 100_00, actor=cashier), actor=cashier, after=timedelta(0))
    for days in range(3):
        await a_sale(spread.id, place, 100_00, actor=cashier, now=NOW - timedelta(days=days))
    (found,) = await groups(OddKind.REPEATED)
    assert (found.customer_id, found.day, found.count, found.total) == (often.id, TODAY, 3, 300_00)
    key = {"staff": cashier.staff_id, "customer": often.id, "day": TODAY}
    assert await ids(OddKind.REPEATED, **key) == kept[::-1]


async def test_credits_by_hand_are_summed_for_each_colleague():
    cashier, colleague, person = await a_cashier(), await a_cashier(), await a_customer(bonuses=500_00)
    for amount, actor in ((100_00, cashier), (300_00, cashier), (-50_00, cashier), (200_00, colleague)):
        await adjust(person.id, amount, "why", key=new_key(), actor=actor, now=NOW)
    found = await groups(OddKind.MANUAL)
    assert [(one.staff_id, one.count, one.bonuses, one.biggest) for one in found] == [
        (cashier.staff_id, 2, 400_00, 300_00),
        (colleague.staff_id, 1, 200_00, 200_00),
    ]
    lines, _ = await odd_lines(OddKind.MANUAL, OddKey(staff=cashier.staff_id), MONTH)
    assert [line.bonuses for line in lines] == [300_00, 100_00]


async def test_burns_without_proof_are_those_of_relaxed_locations():
    await a_programme()
    cashier, place, person = await a_cashier(), await a_location(), await a_customer(bonuses=500_00)
    sale = await a_sale(person.id, place, 1000_00, burn=100_00, actor=cashier)
    await a_sale(person.id, place, 1000_00, actor=cashier)
    (found,) = await groups(OddKind.RELAXED)
    assert (found.staff_id, found.count, found.bonuses) == (cashier.staff_id, 1, 100_00)
    assert await ids(OddKind.RELAXED, staff=cashier.staff_id) == [sale.receipt_id]


async def at_hours(place, *days):
    hours = Hours((*days, *(None,) * (7 - len(days))))
    await db.execute("UPDATE location SET hours = $2::jsonb WHERE id = $1", place, db.to_json(hours.to_body()))


async def test_sales_at_a_closed_location_go_by_its_own_clock():
    cashier, person = await a_cashier(), await a_customer()
    moscow, untold, closed = await a_location(), await a_location(), await a_location(time_zone="Asia/Tokyo")
    # Noon in Moscow on a Tuesday, six in the evening in Tokyo.
    await at_hours(moscow, None, ("12:00", "18:00"))
    await at_hours(closed, ("09:00", "21:00"), ("09:00", "18:00"))
    await a_sale(person.id, moscow, 100_00, actor=cashier)
    await a_sale(person.id, untold, 100_00, actor=cashier)
    early = await a_sale(person.id, moscow, 100_00, actor=cashier, now=NOW - timedelta(seconds=1))
    late = await a_sale(person.id, closed, 200_00)
    found = await groups(OddKind.HOURS)
    assert {(one.location_id, one.staff_id, one.count, one.total) for one in found} == {
        (moscow, cashier.staff_id, 1, 100_00),
        (closed, None, 1, 200_00),
    }
    assert await ids(OddKind.HOURS, location=moscow, staff=cashier.staff_id) == [early.receipt_id]
    assert await ids(OddKind.HOURS, location=closed) == [late.receipt_id]


async def test_a_night_that_goes_on_after_midnight_is_open():
    place, person = await a_location(time_zone="UTC"), await a_customer()
    await at_hours(place, ("20:00", "03:00"), None, None, None, None, None, ("20:00", "02:00"))
    monday = NOW.replace(day=9, hour=1, minute=59)
    for moment in (monday, monday.replace(hour=21), monday.replace(day=10, hour=2)):
        await a_sale(person.id, place, 100_00, now=moment)
    odd = [await a_sale(person.id, place, 100_00, now=NOW.replace(day=day, hour=3, minute=0)) for day in (9, 10)]
    assert await ids(OddKind.HOURS, location=place) == [sale.receipt_id for sale in odd[::-1]]


async def test_a_sale_that_waited_for_its_customer_was_made_when_it_was_kept():
    cashier, place, person = await a_cashier(), await a_location(time_zone="UTC"), await a_customer()
    await at_hours(place, None, ("09:00", "10:00"))
    night = NOW + timedelta(hours=12)
    sale = await a_sale(person.id, place, 100_00, key="k", actor=cashier, now=night)
    assert len(await groups(OddKind.HOURS)) == 1
    await db.execute(
        "INSERT INTO waiting_sale (token, location_id, external_id, total, staff_id, state, receipt_id, created_at,"
        " expires_at) VALUES ('t', $1, 'k', 10000, $2, 'credited', $3, $4, $5)",
        place,
        cashier.staff_id,
        sale.receipt_id,
        NOW,
        night,
    )
    assert await groups(OddKind.HOURS) == []


async def test_what_was_refused_is_counted_by_who_tried():
    await a_programme(receipts_day=1)
    cashier, place, person = await a_cashier(), await a_location(), await a_customer()
    await a_sale(person.id, place, 100_00, actor=cashier)
    for _ in range(2):
        with pytest.raises(Refused):
            await a_sale(person.id, place, 100_00, actor=cashier)
    (found,) = await groups(OddKind.REFUSED)
    assert (found.staff_id, found.count) == (cashier.staff_id, 2)
    lines, _ = await odd_lines(OddKind.REFUSED, OddKey(staff=cashier.staff_id), MONTH)
    assert [
        (line.customer_id, line.location_name is not None, "receipts_of_day" in line.details) for line in lines
    ] == [(person.id, True, True)] * 2


async def test_a_period_is_of_business_days_and_no_longer_than_a_month():
    cashier, place, person = await a_cashier(), await a_location(time_zone="Asia/Tokyo"), await a_customer()
    for days in (0, 1, 6, 7):
        for _ in range(3):
            await a_sale(person.id, place, 100_00, actor=cashier, now=NOW - timedelta(days=days))
    counted = {days: len(await groups(OddKind.REPEATED, Period.until(TODAY, days, "UTC"))) for days in (1, 7, 30)}
    assert counted == {1: 1, 7: 3, 30: 4}
    with pytest.raises(AssertionError):
        Period.until(TODAY, 32, "UTC")


async def test_entries_come_in_pages(monkeypatch):
    monkeypatch.setattr("loyalty.office.queries.odd.PAGE_ROWS", 2)
    cashier, person = await a_cashier(), await a_customer()
    for _ in range(3):
        await adjust(person.id, 100_00, "why", key=new_key(), actor=cashier, now=NOW)
    await adjust(person.id, 100_00, "why", key=new_key(), actor=COMMAND, now=NOW)
    key = OddKey(staff=cashier.staff_id)
    first, place = await odd_lines(OddKind.MANUAL, key, MONTH)
    rest, end = await odd_lines(OddKind.MANUAL, key, MONTH, before_id=place)
    assert (len(first), len(rest), end) == (2, 1, None)
    assert len({line.id for line in first + rest}) == 3
