"""The owner's figures: which days they are of, how those are divided, and when they are counted anew. Pure.

A look is one part of the figures of one period at some locations. What was counted is kept and shown with its time; how
long it is good hangs on what it cost, so that no look ever takes more than a hundredth of a core.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Self
from zoneinfo import ZoneInfo

from loyalty.clock import add_months, business_date, start_of_day
from loyalty.errors import Invalid

LONGEST_DAYS = 1830
"""An own period is five years at most."""
DAILY_UP_TO = 92
"""A period of up to so many days goes by days, a longer one by months."""
FORM = 1
"""Of what is kept. What an older version has kept is counted anew."""
MIN_AGE = timedelta(seconds=60)
COST_TIMES = 100
"""Figures are good for so many times as long as it took to count them."""
FORGOTTEN = timedelta(hours=24)
"""What nobody has looked at for so long is not counted again until somebody does."""
KEPT_FOR = timedelta(days=30)
QUICK_MS = 50
"""What took no longer is counted while somebody waits, each time."""


class Part(StrEnum):
    """What is counted together."""

    SALES = "sales"
    BONUSES = "bonuses"
    OWED = "owed"
    MESSAGES = "messages"
    ANSWERS = "answers"
    RFM = "rfm"


STANDING = frozenset({Part.OWED, Part.RFM})
"""These say how things are now, whatever the period."""


class Preset(StrEnum):
    """Periods that move with today."""

    TODAY = "1d"
    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"
    YEAR = "12m"


USUAL = Preset.MONTH
PRESET_DAYS = {Preset.TODAY: 1, Preset.WEEK: 7, Preset.MONTH: 30, Preset.QUARTER: 90}
YEAR_MONTHS = 12


class Step(StrEnum):
    """By what a period is divided."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Window:
    """The days of a period, both included, and those before it that it is compared with.

    until: the moment up to which the days before count, so that half of today is compared with half of a day. None:
    their end.
    """

    first: date
    last: date
    before_first: date
    before_last: date
    until: datetime | None
    step: Step

    @property
    def slots(self) -> list[date]:
        """The days, or the firsts of months, that it is divided into; for hours its one day."""
        if self.step is not Step.MONTH:
            return [self.first + timedelta(days=day) for day in range((self.last - self.first).days + 1)]
        months = [self.first.replace(day=1)]
        while (following := add_months(months[-1], 1)) <= self.last:
            months.append(following)
        return months

    @property
    def places(self) -> int:
        """Into how many places it is divided: hours, days or months."""
        return 24 if self.step is Step.HOUR else len(self.slots)

    @property
    def is_aligned(self) -> bool:
        """Whether the period before is divided just alike, so that their points can be laid over each other."""
        return self.step is not Step.MONTH or (self.first.day == 1 and self.before_first.day == 1)

    def to_body(self) -> dict[str, str]:
        """The days it is of: figures of other days are not this period's."""
        return {"first": self.first.isoformat(), "last": self.last.isoformat()}


@dataclass(frozen=True, slots=True)
class Look:
    """One part of the figures. period: a Preset's value, or `2026-01-01..2026-03-31`; "" for what stands now.

    locations: rising; None for the whole chain.
    """

    part: Part
    period: str
    locations: tuple[int, ...] | None = None

    @classmethod
    def of(cls, part: Part, period: str, locations: Collection[int] | None) -> Self:
        """A part that says how things are now has no period."""
        return cls(part, "" if part in STANDING else period, None if locations is None else tuple(sorted(locations)))

    @property
    def key(self) -> str:
        """What it is kept under, sixty signs at most: sales:30d, sales:30d:2.5, owed::2."""
        text = f"{self.part}:{self.period}"
        if self.locations is None:
            return text
        places = ".".join(map(str, self.locations))
        if len(places) > 20:
            places = f"={hashlib.sha256(places.encode()).hexdigest()[:16]}"
        return f"{text}:{places}"

    def to_body(self) -> dict[str, Any]:
        """As JSON: what the key cannot tell."""
        places = None if self.locations is None else list(self.locations)
        return {"part": self.part.value, "period": self.period, "locations": places}

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> Self:
        """What `to_body` made. Raises KeyError or ValueError for anything else."""
        places = body["locations"]
        return cls(Part(body["part"]), body["period"], None if places is None else tuple(places))


def own_period(first: date, last: date) -> str:
    """The text of a period of one's own. Raises Invalid("since" | "until")."""
    if last < first:
        raise Invalid("until", "dates_are_backwards")
    if (last - first).days >= LONGEST_DAYS:
        raise Invalid("since", "period_too_long", limit=LONGEST_DAYS)
    if first.year < 2000:
        raise Invalid("since", "not_a_date")
    return f"{first.isoformat()}..{last.isoformat()}"


def window_of(period: str, now: datetime, zone: str) -> Window:
    """The days of a period at `now`. A period of one's own ends with today at the latest.

    Raises ValueError for a text that is no period, Invalid("since") for one that has not begun.
    """
    today = business_date(now, zone)
    if period in set(Preset):
        return _preset(Preset(period), today, now, zone)
    begins, _, ends = period.partition("..")
    first, last = date.fromisoformat(begins), min(date.fromisoformat(ends), today)
    if first > today:
        raise Invalid("since", "period_ahead")
    days = (last - first).days + 1
    step = Step.HOUR if days == 1 else Step.DAY if days <= DAILY_UP_TO else Step.MONTH
    before = first - timedelta(days=days)
    until = _same_time(before + timedelta(days=days - 1), now, zone) if last == today else None
    return Window(first, last, before, first - timedelta(days=1), until, step)


def _preset(preset: Preset, today: date, now: datetime, zone: str) -> Window:
    if preset is Preset.YEAR:
        first, before_last = add_months(today.replace(day=1), 1 - YEAR_MONTHS), add_months(today, -YEAR_MONTHS)
        until = _same_time(before_last, now, zone)
        return Window(first, today, add_months(first, -YEAR_MONTHS), before_last, until, Step.MONTH)
    days = PRESET_DAYS[preset]
    before_last = today - timedelta(days=days)
    return Window(
        today - timedelta(days=days - 1),
        today,
        today - timedelta(days=2 * days - 1),
        before_last,
        _same_time(before_last, now, zone),
        Step.HOUR if preset is Preset.TODAY else Step.DAY,
    )


def _same_time(day: date, now: datetime, zone: str) -> datetime:
    """The same time by the clock on another day; one that the change of clocks skips is the first after it."""
    local = now.astimezone(ZoneInfo(zone))
    clock = time(local.hour, local.minute, local.second, local.microsecond)
    passed = datetime.combine(day, clock) - datetime.combine(day, time.min)
    return start_of_day(day, zone) + passed


def good_for(milliseconds: int) -> timedelta:
    """How long figures are good that took so long to count."""
    return COST_TIMES * timedelta(milliseconds=milliseconds)
