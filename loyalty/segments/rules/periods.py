"""Periods of days, relative to today or from one date to another. Pure.

A relative period is as good tomorrow as today: a saved filter means the same each time it is asked. Days are the
shop's: "the last 7 days" begin with the first moment of the day seven days ago, "more than 7 days ago" ends there.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from loyalty.clock import end_of_day, start_of_day
from loyalty.errors import Invalid

MOST_DAYS = 36_500


class PeriodKind(StrEnum):
    """How a period lies to today. As they stand in the text of a period: `last-90`."""

    LAST = "last"
    NEXT = "next"
    OLDER = "older"
    DATES = "dates"


@dataclass(frozen=True, slots=True)
class Period:
    """Some days: `days` of the relative kinds, `first` and `last` of dates, either of which may be open."""

    kind: PeriodKind
    days: int = 0
    first: date | None = None
    last: date | None = None

    @property
    def text(self) -> str:
        """As it stands in an address: last-90, next-14, older-30, 2026-01-01..2026-01-31."""
        if self.kind is not PeriodKind.DATES:
            return f"{self.kind}-{self.days}"
        return f"{self.first or ''}..{self.last or ''}"

    def bounds(self, now: datetime, today: date, zone: str) -> tuple[datetime | None, datetime | None]:
        """The first instant of the period and the first one after it, UTC; None for an open side."""
        match self.kind:
            case PeriodKind.LAST:
                return start_of_day(today - timedelta(days=self.days), zone), end_of_day(today, zone)
            case PeriodKind.NEXT:
                return now, end_of_day(today + timedelta(days=self.days), zone)
            case PeriodKind.OLDER:
                return None, start_of_day(today - timedelta(days=self.days), zone)
            case PeriodKind.DATES:
                return (
                    start_of_day(self.first, zone) if self.first else None,
                    end_of_day(self.last, zone) if self.last else None,
                )


def period_from(text: str) -> Period:
    """Read the text of a period. Raises Invalid("value", "not_a_period" | "dates_are_backwards")."""
    kind, dash, days = text.partition("-")
    if dash and kind in (PeriodKind.LAST, PeriodKind.NEXT, PeriodKind.OLDER):
        if not (days.isascii() and days.isdigit() and len(days) < 6 and int(days) <= MOST_DAYS):
            raise Invalid("value", "not_a_period")
        return Period(PeriodKind(kind), int(days))
    first, dots, last = text.partition("..")
    if not dots or not (first or last):
        raise Invalid("value", "not_a_period")
    period = Period(PeriodKind.DATES, 0, _day(first), _day(last))
    if period.first and period.last and period.first > period.last:
        raise Invalid("value", "dates_are_backwards")
    return period


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Invalid("value", "not_a_period") from None
    # A zone's first instant of these lies in years that no clock of ours shows.
    if not 1900 <= day.year <= 9000:
        raise Invalid("value", "not_a_period")
    return day
