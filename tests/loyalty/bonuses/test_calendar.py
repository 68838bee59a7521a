"""Ten years, day by day, in zones that change their clocks and zones that do not."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from loyalty.bonuses.rules import LotDates, earned_lot_dates, gift_lot_dates, manual_lot_dates
from loyalty.clock import birthday_in
from tests.builders import PROGRAMME

ZONES = ("Europe/Moscow", "Europe/Kyiv", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
DAYS = [date(2024, 1, 1) + timedelta(days=number) for number in range(3653)]
LAST_MOMENT = timedelta(microseconds=1)


def at_noon(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(12), ZoneInfo(zone)).astimezone(UTC)


def last_day(dates: LotDates, zone: str) -> date:
    """The local day on which the bonus can be spent for the last time; the next moment is another day."""
    assert dates.expires_at is not None
    local = (dates.expires_at - LAST_MOMENT).astimezone(ZoneInfo(zone)).date()
    assert dates.expires_at.astimezone(ZoneInfo(zone)).date() == local + timedelta(days=1)
    return local


def months_later(day: date, months: int) -> date:
    """Counted by hand: the same day so many months on, or the last of a shorter month."""
    year, month = day.year, day.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    for number in (day.day, 30, 29, 28):
        if number <= day.day:
            try:
                return date(year, month, number)
            except ValueError:
                continue
    raise AssertionError


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("months", [1, 12])
def test_each_bonus_ends_with_its_local_day(zone, months):
    programme = replace(PROGRAMME, lifetime_months=months, manual_lifetime_months=months)
    for day in DAYS:
        now = at_noon(day, zone)
        assert last_day(earned_lot_dates(programme, now, zone), zone) == months_later(day, months)
        assert last_day(manual_lot_dates(programme, now, zone), zone) == months_later(day, months)
        assert last_day(gift_lot_dates(30, now, zone), zone) == day + timedelta(days=30)


@pytest.mark.parametrize("zone", ZONES)
def test_what_waits_for_the_return_period_begins_with_a_local_day(zone):
    programme = replace(PROGRAMME, activation_delay_days=14, lifetime_months=1)
    for day in DAYS:
        dates = earned_lot_dates(programme, at_noon(day, zone), zone)
        begins = dates.activates_at.astimezone(ZoneInfo(zone))
        first = day + timedelta(days=14)
        assert begins.date() == first
        assert (dates.activates_at - LAST_MOMENT).astimezone(ZoneInfo(zone)).date() == first - timedelta(days=1)
        assert last_day(dates, zone) == months_later(first, 1)


def test_a_birthday_is_kept_once_in_every_year():
    for born in [date(1992, 1, 1) + timedelta(days=number) for number in range(366)]:
        kept = [birthday_in(born, year) for year in range(2024, 2034)]
        assert [day.year for day in kept] == list(range(2024, 2034))
        assert {(day.month, day.day) for day in kept} <= {(born.month, born.day), (2, 28)}
    assert birthday_in(date(1992, 2, 29), 2026) == date(2026, 2, 28)
    assert birthday_in(date(1992, 2, 29), 2028) == date(2028, 2, 29)
