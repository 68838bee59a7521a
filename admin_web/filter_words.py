"""Conditions of filters in the reader's words: for chips, for the form, for the answer to "why is this person here"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from babel import dates

from admin_web.formats import (
    MISSING,
    bonuses,
    currency_sign,
    days_between,
    format_date,
    format_datetime,
    money,
    num,
    percent,
)
from admin_web.i18n import READER, gettext, mark, ngettext
from admin_web.words import reason_text
from loyalty.errors import Invalid
from loyalty.segments.filters import FILTERS, Area, Filter, Kind, Unit, checked, filter_of
from loyalty.segments.filters.base import ChoiceFilter, PeriodFilter, RangeFilter
from loyalty.segments.queries.base import Reason
from loyalty.segments.queries.options import options
from loyalty.segments.rules.periods import Period, PeriodKind
from loyalty.segments.rules.trees import Condition, Group, Joiner, tree_from
from loyalty.shop.queries import locations
from loyalty.wording import NBSP, locale

AREAS = {
    Area.LABELS: mark("Labels"),
    Area.PURCHASES: mark("Purchases"),
    Area.VISITS: mark("Visits"),
    Area.BONUSES: mark("Bonuses"),
    Area.BOOKINGS: mark("Bookings"),
    Area.SURVEYS: mark("Surveys"),
    Area.PERSON: mark("About the person"),
    Area.MESSENGERS: mark("Messengers"),
    Area.ORIGIN: mark("How they came"),
}
OPERATORS = {
    "between": mark("is"),
    "in": mark("in the period"),
    "not_in": mark("not in the period"),
    "never": mark("never"),
    "ever": mark("ever"),
    "any": mark("any of"),
    "all": mark("all of"),
    "none": mark("none of"),
    "yes": mark("yes"),
    "no": mark("no"),
    "soon": mark("in the next days"),
    "month": mark("in the months"),
    "known": mark("is known"),
    "unknown": mark("is not known"),
}
JOINERS = {
    Joiner.ALL: mark("All of these hold"),
    Joiner.ANY: mark("Any of these holds"),
    Joiner.NONE: mark("None of these holds"),
}
JOINED = {Joiner.ALL: mark("all of"), Joiner.ANY: mark("any of"), Joiner.NONE: mark("none of")}
UNITS = {Unit.SHARE: "%", Unit.YEARS: mark("years"), Unit.GAP: mark("days")}
PERIODS = {
    PeriodKind.LAST: mark("the last … days"),
    PeriodKind.NEXT: mark("the next … days"),
    PeriodKind.OLDER: mark("more than … days ago"),
    PeriodKind.DATES: mark("from … to …"),
}
SHOWN_CHOICES = 3

Names = Mapping[str, Mapping[str, str]]
"""Names of what can be chosen, by source and value."""


@dataclass(frozen=True, slots=True)
class ReasonWords:
    """A condition and whether somebody meets it, in words. found: what they have; empty where nothing more is known."""

    text: str
    holds: bool
    found: str


async def names_for(trees: Sequence[Group]) -> Names:
    """The names of everything that these trees may speak of."""
    sources = {
        one.source
        for tree in trees
        for condition in tree.conditions
        if isinstance(one := FILTERS.get(condition.field), ChoiceFilter) and one.source
    }
    found = await options(sorted(sources), READER.get().language)
    return {source: dict(pairs) for source, pairs in found.items()}


def label_of(one: Filter) -> str:
    """What a filter is called."""
    return gettext(one.label)


def condition_words(condition: Condition, names: Names) -> tuple[str, str]:
    """A condition as a name and what is asked: ("Spent", "from 5 000 ₽"). The condition must be checked."""
    one = filter_of(condition)
    return label_of(one), _asked(one, condition, names)


def sentence(part: Condition | Group, names: Names) -> str:
    """A condition or a group on one line: "any of: Spent: from 5 000 ₽; Gender: Female"."""
    if isinstance(part, Condition):
        label, asked = condition_words(part, names)
        return f"{label}: {asked}"
    inner = "; ".join(
        f"({sentence(one, names)})" if isinstance(one, Group) else sentence(one, names) for one in part.parts
    )
    return inner if part.joiner is Joiner.ALL else f"{gettext(JOINED[part.joiner])}: {inner}"


async def look_words(look: Mapping[str, str] | None) -> str:
    """How people of the base were found, as the address said it; None for those who were ticked."""
    if look is None:
        return gettext("Ticked one by one")
    parts = []
    if named := look.get("location"):
        places = {str(place.id): place.name for place in await locations()}
        parts.append(", ".join(places.get(one, one) for one in named.split(".")))
    if search := look.get("q"):
        parts.append(gettext("Search: %(text)s") % {"text": search})
    try:
        tree = checked(tree_from(look.get("f", "")))
    except Invalid:
        # A field of an earlier version.
        return "; ".join(parts) or gettext("A filter that cannot be read any more")
    if tree.parts:
        parts.append(sentence(tree, await names_for([tree])))
    return "; ".join(parts) or gettext("The whole client base")


def reason_words(reason: Reason, names: Names) -> ReasonWords:
    """Why somebody is there, or not: one condition of it."""
    one = filter_of(reason.condition)
    return ReasonWords(sentence(reason.condition, names), reason.holds, _found(one, reason.found))


def amount(unit: Unit, number: int) -> str:
    """A number of a range with what it counts."""
    match unit:
        case Unit.MONEY:
            return money(number)
        case Unit.BONUSES:
            return bonuses(number)
        case Unit.SHARE:
            return percent(number)
        case Unit.GAP:
            return days_between(number)
        case _:
            return num(number)


def period_words(period: Period) -> str:
    """A period: "the last 90 days", "from 1 Jan 2026"."""
    count = num(period.days)
    match period.kind:
        case PeriodKind.LAST:
            return ngettext("the last %(n)s day", "the last %(n)s days", period.days) % {"n": count}
        case PeriodKind.NEXT:
            return ngettext("the next %(n)s day", "the next %(n)s days", period.days) % {"n": count}
        case PeriodKind.OLDER:
            return ngettext("more than %(n)s day ago", "more than %(n)s days ago", period.days) % {"n": count}
        case PeriodKind.DATES:
            return _from_to(*(format_date(day) if day else "" for day in (period.first, period.last)))


def unit_sign(unit: Unit) -> str:
    """What stands behind the fields of a range."""
    if unit is Unit.MONEY:
        return currency_sign()
    sign = UNITS.get(unit, "")
    return gettext(sign) if sign and sign != "%" else sign


def months() -> list[tuple[str, str]]:
    """The months by their names."""
    named = dates.get_month_names("wide", "stand-alone", locale(READER.get().language))
    return [(str(number), named[number]) for number in range(1, 13)]


def choices_of(one: ChoiceFilter, names: Names) -> list[tuple[str, str]]:
    """(value, name) of what can be chosen."""
    if one.choices:
        return [(value, gettext(name)) for value, name in one.choices]
    found = list(names.get(one.source or "", {}).items())
    return [("0", gettext("None")), *found] if one.key == "importance" else found


def wrong(error: Invalid) -> str:
    """What is wrong with a filter that came in an address, with its name where it is known."""
    of = str(error.details.get("of", ""))
    text = reason_text(error)
    return f"{label_of(FILTERS[of])}: {text}" if of in FILTERS else text


def _asked(one: Filter, condition: Condition, names: Names) -> str:
    operator = condition.operator
    if one.kind is Kind.FLAG or not condition.value:
        return gettext(OPERATORS[operator])
    if isinstance(one, RangeFilter):
        low, high = one.read(condition)
        return _from_to(*("" if number is None else amount(one.unit, number) for number in (low, high)))
    if isinstance(one, PeriodFilter):
        period = one.read(condition)
        assert period is not None
        words = period_words(period)
        return gettext("not in %(period)s") % {"period": words} if operator == "not_in" else words
    if isinstance(one, ChoiceFilter):
        return _choice_words(one, condition, names)
    numbers = one.read(condition)
    if operator == "soon":
        return period_words(Period(PeriodKind.NEXT, numbers[0]))
    named = dict(months())
    return ", ".join(named[str(month)] for month in numbers)


def _choice_words(one: ChoiceFilter, condition: Condition, names: Names) -> str:
    known = dict(choices_of(one, names))
    chosen = [known.get(value, f"№{NBSP}{value}") for value in condition.value.split(".") if value]
    more = len(chosen) - SHOWN_CHOICES
    shown = chosen[:SHOWN_CHOICES]
    if more > 0:
        shown.append(ngettext("%(n)s more", "%(n)s more", more) % {"n": num(more)})
    joint = gettext(" and ") if condition.operator == "all" else gettext(" or ")
    words = joint.join(shown)
    return gettext("none of: %(these)s") % {"these": words} if condition.operator == "none" else words


def _from_to(low: str, high: str) -> str:
    if low and high:
        return low if low == high else f"{low} – {high}"
    if low:
        return gettext("from %(low)s") % {"low": low}
    return gettext("to %(high)s") % {"high": high}


def _found(one: Filter, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(one, RangeFilter):
        return amount(one.unit, value)
    if isinstance(value, datetime):
        return format_datetime(value) if value.year > 1970 else MISSING
    return format_date(value) if isinstance(value, date) else ""
