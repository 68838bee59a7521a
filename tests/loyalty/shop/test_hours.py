from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from loyalty.errors import Invalid
from loyalty.shop.actions import add_location, update_location
from loyalty.shop.queries import location, locations
from loyalty.shop.rules import Hours, check_hours
from loyalty.staff.queries import JournalFilters, journal_page
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_location

DRIVE, OTHER = "9999078900000001", "9999078900000002"


def week(*days):
    """Hours of the first days, Monday first; the others are closed."""
    return Hours((*days, *(None,) * (7 - len(days))))


@pytest.mark.parametrize(
    ("local", "is_open"),
    [
        ("2026-03-09T08:59", False),
        ("2026-03-09T09:00", True),
        ("2026-03-09T20:59:59", True),
        ("2026-03-09T21:00", False),
        ("2026-03-10T12:00", False),
        ("2026-03-11T18:00", True),
        ("2026-03-12T02:59", True),
        ("2026-03-12T03:00", False),
        ("2026-03-15T23:00", True),
        ("2026-03-16T01:00", True),
        ("2026-03-16T02:00", False),
    ],
)
def test_a_place_is_open_by_its_own_clock_past_midnight_and_past_the_week(local, is_open):
    hours = Hours((("09:00", "21:00"), None, ("18:00", "03:00"), None, None, None, ("22:00", "02:00")))
    assert hours.is_open_at(datetime.fromisoformat(local)) is is_open


def test_the_same_time_twice_is_day_and_night():
    hours = week(("00:00", "00:00"))
    assert all(hours.is_open_at(datetime(2026, 3, 9, hour, 59, tzinfo=UTC)) for hour in range(24))
    assert not hours.is_open_at(datetime(2026, 3, 10, tzinfo=UTC))


def test_hours_go_by_the_wall_when_the_clock_is_put_on_or_back():
    zone = ZoneInfo("Europe/Kyiv")
    sundays = Hours((None,) * 6 + (("03:30", "04:30"),))
    # At 03:00 the clock is put on to 04:00; at 04:00 it is put back to 03:00, and the hour comes twice.
    spring = [datetime.fromisoformat(f"2026-03-29T0{hour}:15Z").astimezone(zone) for hour in (0, 1, 2)]
    assert [(at.hour, sundays.is_open_at(at)) for at in spring] == [(2, False), (4, True), (5, False)]
    autumn = [datetime.fromisoformat(f"2026-10-25T0{hour}:45Z").astimezone(zone) for hour in (0, 1, 2)]
    assert [(at.hour, sundays.is_open_at(at)) for at in autumn] == [(3, True), (3, True), (4, False)]


@pytest.mark.parametrize(
    ("day", "reason"),
    [(("9:00", "21:00"), "not_a_time"), (("09:00", "24:00"), "not_a_time"), (("", "21:00"), "required")],
)
def test_a_time_that_is_none_is_refused_at_its_day(day, reason):
    with pytest.raises(Invalid, match=reason) as refusal:
        check_hours(week(None, day))
    assert refusal.value.field == "hours-1"


async def changed(place, **more):
    same = {"name": place.name, "address": "", "time_zone": place.time_zone, "burns_without_code": False}
    told = {"hours": place.hours, "fiscal_drives": place.fiscal_drives}
    return await update_location(place.id, **{**same, **told, **more}, actor=COMMAND, now=NOW)


async def test_a_location_keeps_its_hours_and_fiscal_drives_and_the_journal_names_them(database):
    place = await add_location(
        name="One", time_zone="Europe/Moscow", hours=week(("09:00", "21:00")), fiscal_drives=[DRIVE], actor=COMMAND,
        now=NOW,
    )  # fmt: skip
    assert place == await location(place.id) == (await locations())[0]
    assert (place.hours, place.fiscal_drives) == (week(("09:00", "21:00")), (DRIVE,))
    place = await changed(place, hours=None, fiscal_drives=[f" {OTHER} ", "", OTHER, DRIVE])
    assert (place.hours, place.fiscal_drives) == (None, (DRIVE, OTHER))
    assert (await changed(place, fiscal_drives=[OTHER])).fiscal_drives == (OTHER,)
    await changed(place, fiscal_drives=[OTHER])
    lines = (await journal_page(JournalFilters())).lines
    assert [line.details.get("fields") for line in lines] == [["fiscal_drives"], ["fiscal_drives", "hours"], None]


async def test_a_fiscal_drive_stands_at_one_location(database):
    one = await add_location(name="One", time_zone="UTC", fiscal_drives=[DRIVE], actor=COMMAND, now=NOW)
    other = await location(await a_location(name="Other"))
    with pytest.raises(Invalid, match="drive_taken") as refusal:
        await changed(other, fiscal_drives=[OTHER, DRIVE])
    assert refusal.value.details == {"location_id": one.id, "drive": DRIVE}
    assert (await location(other.id)).fiscal_drives == ()
    await changed(one, fiscal_drives=[])
    assert (await changed(other, fiscal_drives=[DRIVE])).fiscal_drives == (DRIVE,)


@pytest.mark.parametrize("number", ["123", "x" * 16, "٣" * 16])
async def test_a_drive_has_sixteen_digits(database, number):
    place = await location(await a_location())
    with pytest.raises(Invalid, match="not_a_drive"):
        await changed(place, fiscal_drives=[number])
