"""Time is an argument. Only doors ask what time it is; everything inside receives `now`.

`now` is always aware and in UTC. Business dates come from a zone named by the IANA key ("Europe/Moscow").
"""

import calendar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def system_now() -> datetime:
    """The wall clock, aware, UTC. For doors only."""
    return datetime.now(UTC)


def business_date(now: datetime, zone: str) -> date:
    """The local calendar day of `now` in `zone`."""
    return now.astimezone(ZoneInfo(zone)).date()


def start_of_day(day: date, zone: str) -> datetime:
    """The first instant of the local `day`, in UTC."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


def end_of_day(day: date, zone: str) -> datetime:
    """The first instant after the local `day`, in UTC: what expires on `day` is spendable before it."""
    return start_of_day(day + timedelta(days=1), zone)


def add_months(day: date, months: int) -> date:
    """`day` plus calendar months, clamped to the month's length: 31 January + 1 = 28 or 29 February."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def birthday_in(birthday: date, year: int) -> date:
    """The day on which a birthday is kept in a year: 29 February is 28 February where there is none."""
    return date(year, birthday.month, min(birthday.day, calendar.monthrange(year, birthday.month)[1]))
