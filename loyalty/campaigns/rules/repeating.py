"""When a campaign begins, and begins again: wall clocks of a zone, told as cron tells them. Pure.

A time that a clock leaps over moves to the next one that there is; one that comes twice counts once, the first time.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from apscheduler.triggers.cron import CronTrigger

from loyalty.errors import Invalid

CRON_LENGTH = 60
APART = timedelta(hours=1)
"""No campaign repeats more often."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SUNDAY_FIRST = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Cron's numbers of days; the library counts from Monday."""
LAST_DAY = 31
"""Of a month: in shorter ones, their last."""
_LOOKED_AT = 400
_FIELDS = 5


class Every(StrEnum):
    """How it was asked for."""

    WEEK = "week"
    MONTH = "month"
    CRON = "cron"


@dataclass(frozen=True, slots=True)
class Repeat:
    """Again and again. cron: minute, hour, day of the month, month, day of the week, by the clocks of `zone`."""

    every: Every
    cron: str

    def to_body(self) -> dict[str, str]:
        """As it is kept."""
        return {"every": self.every.value, "cron": self.cron}


def weekly(days: list[int], at: time) -> Repeat:
    """On days of the week, Monday is 1. Raises Invalid("days")."""
    if not days or not set(days) <= set(range(1, 8)):
        raise Invalid("days", "required")
    return Repeat(Every.WEEK, f"{at.minute} {at.hour} * * {','.join(DAYS[day - 1] for day in sorted(set(days)))}")


def monthly(day: int, at: time) -> Repeat:
    """On a day of each month; LAST_DAY is the last one. Raises Invalid("day")."""
    if not 1 <= day <= LAST_DAY:
        raise Invalid("day", "unknown_choice")
    if 28 < day < LAST_DAY:
        # Not each month has it, and none is to be left out.
        raise Invalid("day", "not_in_each_month")
    return Repeat(Every.MONTH, f"{at.minute} {at.hour} {'last' if day == LAST_DAY else day} * *")


def by_cron(text: str) -> Repeat:
    """As a line of cron says. Raises Invalid("cron")."""
    words = text.split()
    if not words:
        raise Invalid("cron", "required")
    if len(words) != _FIELDS or len(text) > CRON_LENGTH or not text.isascii():
        raise Invalid("cron", "not_a_cron_line")
    words[4] = _days_by_name(words[4].lower())
    return Repeat(Every.CRON, " ".join(words))


def check_zone(zone: str) -> str:
    """Raises Invalid("zone")."""
    if zone not in available_timezones():
        raise Invalid("zone", "unknown_choice")
    return zone


def check_repeat(repeat: Repeat, zone: str, now: datetime) -> None:
    """Raise Invalid("cron") for a line that says nothing, never comes, or comes too often."""
    name = "cron" if repeat.every is Every.CRON else "at"
    moment: datetime = now
    times: list[datetime] = []
    while len(times) < 50 and (following := next_time(repeat, zone, moment)) is not None:
        times.append(following)
        moment = following
    if not times:
        raise Invalid(name, "never_comes")
    if any(later - earlier < APART for earlier, later in pairwise(times)):
        raise Invalid(name, "too_often")


def next_time(repeat: Repeat, zone: str, after: datetime) -> datetime | None:
    """The first instant after `after`, in UTC; None when it never comes. Raises Invalid("cron")."""
    trigger = _trigger(repeat.cron)
    # The library is asked about wall clocks alone: it takes them for UTC, where no hour is left out or comes twice.
    wall = after.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
    for _ in range(_LOOKED_AT):
        found: datetime | None = trigger.get_next_fire_time(None, wall)
        if found is None:
            return None
        instant = instant_of(found.replace(tzinfo=None), zone)
        if instant > after:
            return instant
        wall = found + timedelta(minutes=1)
    return None


def instant_of(wall: datetime, zone: str) -> datetime:
    """The instant of a wall clock's time, in UTC: the first of two, and of none the first one after the leap."""
    place = ZoneInfo(zone)
    instant = wall.replace(tzinfo=place, fold=0).astimezone(UTC)
    if instant.astimezone(place).replace(tzinfo=None) == wall:
        return instant
    # The clocks leapt somewhere between these two: by whole minutes, everywhere since 1972.
    early, late = wall.replace(tzinfo=place, fold=1).astimezone(UTC), instant
    offset = early.astimezone(place).utcoffset()
    while late - early > timedelta(minutes=1):
        middle = early + (late - early) // 2
        middle = middle.replace(second=0, microsecond=0)
        early, late = (middle, late) if middle.astimezone(place).utcoffset() == offset else (early, middle)
    return late


def _trigger(cron: str) -> CronTrigger:
    try:
        return CronTrigger.from_crontab(cron, timezone=UTC)
    except (ValueError, TypeError):
        raise Invalid("cron", "not_a_cron_line") from None


def _days_by_name(field: str) -> str:
    """Cron's days of the week by their names: 0 and 7 are Sunday, and a week begins with it."""
    parts = []
    for part in field.split(","):
        days, slash, step = part.partition("/")
        first, dash, last = ("0", "-", "6") if days == "*" and slash else days.partition("-")
        if not all(len(end) == 1 and end in "01234567" for end in (first, last if dash else first)):
            parts.append(part)
            continue
        low, high = int(first), int(last if dash else first)
        # A range over the end of the week is a list of days.
        high += 7 if high < low else 0
        leap = int(step) if step.isdigit() and int(step) else 1
        parts.extend(SUNDAY_FIRST[day % 7] for day in range(low, high + 1, leap))
    return ",".join(parts)
