"""The owner's figures in words: names, changes to the days before, the points of charts, classes and groups."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from babel import dates

from admin_web.formats import format_date, num, percent
from admin_web.i18n import READER, gettext, mark, ngettext
from loyalty.office.dashboard import Preset, Step, Window
from loyalty.office.rfm import CLASSES, Cuts, RfmGroup
from loyalty.wording import MINUS, locale

OWN = "own"

PERIODS: Mapping[str, str] = {
    Preset.TODAY: mark("Today"),
    Preset.WEEK: mark("7 days"),
    Preset.MONTH: mark("30 days"),
    Preset.QUARTER: mark("90 days"),
    Preset.YEAR: mark("12 months"),
    OWN: mark("Days of your choice"),
}
GROUPS: Mapping[RfmGroup, tuple[str, str]] = {
    RfmGroup.CHAMPIONS: (mark("Champions"), mark("Come often and were here lately")),
    RfmGroup.LOYAL: (mark("Loyal"), mark("Come often, and were here not long ago")),
    RfmGroup.PROMISING: (mark("Promising"), mark("Were here lately and come from time to time")),
    RfmGroup.NEW: (mark("New"), mark("Were here lately, and not often yet")),
    RfmGroup.COOLING: (mark("Cooling down"), mark("Do not come often, and it was a while ago")),
    RfmGroup.AT_RISK: (mark("At risk"), mark("Used to come often, and have stopped")),
    RfmGroup.LOST: (mark("Lost"), mark("Came rarely, long ago")),
}
"""What a cell makes of its people: its name, and who they are."""
MEANINGS: Mapping[str, tuple[str, str]] = {
    "active": (mark("Active customers"), mark("Different customers with a purchase in these days.")),
    "fresh": (
        mark("New customers"),
        mark("Customers whose card was made in these days, as the client base shows them."),
    ),
    "repeat": (
        mark("Repeat rate"),
        mark("Of those who bought in these days, the share that bought before, too, or twice in them."),
    ),
    "sold": (
        mark("Revenue"),
        mark("Receipts after discounts, before bonuses; a refund counts on the day of its purchase."),
    ),
    "average": (
        mark("Average receipt"),
        mark("What was spent, by the number of receipts that are not wholly refunded."),
    ),
}
"""What stands in the strip on top, and how it is counted."""


@dataclass(frozen=True, slots=True)
class Change:
    """How something differs from the days before: `+12 %`, and whether that is good."""

    text: str
    kind: str
    symbol: str


def change(now: int | None, before: int | None) -> Change | None:
    """In percent of what it was; None where there was nothing to compare with."""
    if now is None or not before or before < 0:
        return None
    basis_points = round((now - before) * 10_000 / before)
    # Tenths of a percent say nothing of a change by half.
    grain = 100 if abs(basis_points) >= 1000 else 10
    return _change(round(basis_points / grain) * grain, percent)


def plain_change(now: int, before: int) -> Change | None:
    """The same of what is neither good nor bad when it grows."""
    found = change(now, before)
    return None if found is None else replace(found, kind="")


def change_of_share(now: int | None, before: int | None) -> Change | None:
    """Of a share in basis points: in percentage points."""
    if now is None or before is None:
        return None
    return _change(round((now - before) / 10) * 10, points)


def change_of_score(now: float | None, before: float | None) -> Change | None:
    """Of a score from -100 to 100, in points."""
    if now is None or before is None:
        return None
    return _change(round(now) - round(before), num)


def points(basis_points: int) -> str:
    """Percentage points: 1.5 pp."""
    return gettext("%(number)s pp") % {"number": num(basis_points / 100)}


def _change(amount: int, show: Callable[[int], str]) -> Change:
    text = show(abs(amount))
    if not amount:
        return Change(gettext("as before"), "", "")
    if amount > 0:
        return Change(f"+{text}", "good", "arrow-up")
    return Change(f"{MINUS}{text}", "bad", "arrow-down")


def slot_names(window: Window) -> list[str]:
    """The hours, days or months of a period as they stand below a chart."""
    if window.step is Step.HOUR:
        return [hour_name(hour) for hour in range(window.places)]
    if window.step is Step.MONTH:
        pattern = "LLL" if window.places <= 12 else "LLL yy"
        return [format_date(month, pattern) for month in window.slots]
    return [format_date(day, "d MMM") for day in window.slots]


def hour_name(hour: int) -> str:
    """An hour of the day: 14:00."""
    return dates.format_time(time(hour), "HH:mm", locale=locale(READER.get().language))


def point_name(step: Step) -> str:
    """What the points of a chart are."""
    return {Step.HOUR: gettext("Hour"), Step.DAY: gettext("Day"), Step.MONTH: gettext("Month")}[step]


def days_text(first: date, last: date) -> str:
    """Some days: 4 Mar - 10 Mar 2026."""
    if first == last:
        return format_date(first)
    return f"{format_date(first, 'd MMM' if first.year == last.year else 'd MMM y')} – {format_date(last)}"


def compared_text(window: Window) -> str:
    """What a period is compared with."""
    days = days_text(window.before_first, window.before_last)
    if window.until is None:
        return gettext("Compared with %(days)s.") % {"days": days}
    clock = dates.format_time(local_time(window.until), "HH:mm", locale=locale(READER.get().language))
    if window.before_first == window.before_last:
        return gettext("Compared with %(day)s until %(time)s.") % {"day": days, "time": clock}
    return gettext("Compared with %(days)s, the last of them until %(time)s.") % {"days": days, "time": clock}


def local_time(moment: datetime) -> time:
    """The time by the shop's clock."""
    return moment.astimezone(ZoneInfo(READER.get().time_zone)).time()


def recency_name(cuts: Cuts, recency: int) -> str:
    """The days of a class: 8–20 days ago."""
    low, high = cuts.range_of_days(recency)
    if high is None:
        return ngettext("over %(n)s day ago", "over %(n)s days ago", low - 1) % {"n": num(low - 1)}
    if low == high:
        return ngettext("%(n)s day ago", "%(n)s days ago", low) % {"n": num(low)} if low else gettext("today")
    text = ngettext("%(range)s day ago", "%(range)s days ago", high)
    return text % {"range": f"{num(low)}–{num(high)}"}


def frequency_name(cuts: Cuts, frequency: int) -> str:
    """The visits of a class: 4–6 visits."""
    low, high = cuts.range_of_visits(frequency)
    if high is None:
        return ngettext("%(n)s visit and more", "%(n)s visits and more", low) % {"n": num(low)}
    if low == high:
        return ngettext("%(n)s visit", "%(n)s visits", low) % {"n": num(low)}
    return ngettext("%(range)s visit", "%(range)s visits", high) % {"range": f"{num(low)}–{num(high)}"}


RECENCIES = tuple(range(CLASSES, 0, -1))
FREQUENCIES = tuple(range(CLASSES, 0, -1))
"""Classes in the order in which a table has them: the most recent and the most frequent first."""
