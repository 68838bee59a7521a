"""What the kinds of earning rules are called, what they ask for, and what a rule does, in the reader's language.

`KINDS` has an entry for each rule of `loyalty.bonuses.earning.RULES`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any

from babel import dates

from admin_web.formats import MISSING, bonuses, format_date, num, percent
from admin_web.i18n import READER, gettext, mark, ngettext
from loyalty.shop.rules import Effect, RuleSettings
from loyalty.wording import NBSP, locale

Params = Mapping[str, Any]
Places = Mapping[int, str]
"""Names of locations by their ids."""


@dataclass(frozen=True, slots=True)
class KindWords:
    """A kind of rule for people. fields: label and hint by parameter; when: the occasion it gives something on."""

    name: str
    hint: str
    symbol: str
    fields: dict[str, tuple[str, str]]
    when: Callable[[Params, Places], str]


EFFECTS = {
    Effect.MULTIPLY: mark("times the level's percent"),
    Effect.ADD: mark("percent on top of the level's"),
    Effect.FIXED: mark("bonuses for the receipt"),
}


def rule_sentence(rule: RuleSettings, places: Places) -> str:
    """What a rule does: "Sat–Sun 10:00–14:00: twice the level's percent"; a kind nobody knows is named by its code."""
    words = KINDS.get(rule.kind)
    when = words.when(rule.params, places) if words else rule.kind
    return f"{when}: {gives(rule)}"


def gives(rule: RuleSettings) -> str:
    """What a rule gives on its occasion."""
    match rule.effect:
        case Effect.MULTIPLY if rule.amount == 20_000:
            return gettext("twice the level's percent")
        case Effect.MULTIPLY:
            return gettext("%(times)s times the level's percent") % {"times": num(Decimal(rule.amount) / 10_000)}
        case Effect.ADD:
            return gettext("%(share)s on top of the level's percent") % {"share": percent(rule.amount)}
        case Effect.FIXED:
            words = ngettext("%(n)s bonus for the receipt", "%(n)s bonuses for the receipt", rule.amount // 100)
            return words % {"n": bonuses(rule.amount)}


def _weekday_hours(params: Params, places: Places) -> str:
    del places
    days = weekdays(params["weekdays"])
    begin, end = params["from_time"], params["until_time"]
    if (end - begin) % (24 * 60) == 0:
        return days
    return f"{days} {clock(begin)}–{clock(end)}"


def weekdays(numbers: list[int]) -> str:
    """Days of the week, neighbours joined: Mon–Wed, Sat."""
    if len(numbers) == 7:
        return gettext("Every day")
    names = weekday_names()
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(names[run[0]] + (f"–{names[run[-1]]}" if len(run) > 1 else "") for run in runs)


def weekday_names() -> dict[int, str]:
    """Short names of the days, Monday is 1."""
    names = dates.get_day_names("abbreviated", context="stand-alone", locale=locale(READER.get().language))
    return {number + 1: names[number].capitalize() for number in range(7)}


def clock(minutes: int) -> str:
    """Minutes since midnight as a time: 600 = 10:00; the end of the day is its midnight."""
    hours, rest = divmod(minutes % (24 * 60), 60)
    return time(hours, rest).isoformat("minutes")


def _birthday(params: Params, places: Places) -> str:
    del places
    before, after = params["days_before"], params["days_after"]
    if not before and not after:
        return gettext("On the birthday")
    parts = [gettext("The birthday")]
    if before:
        parts.append(ngettext("%(n)s day before it", "%(n)s days before it", before) % {"n": num(before)})
    if after:
        parts.append(ngettext("%(n)s day after it", "%(n)s days after it", after) % {"n": num(after)})
    return ", ".join(parts)


def _category(params: Params, places: Places) -> str:
    del places
    parts = []
    if params["categories"]:
        parts.append(gettext("Goods of %(names)s") % {"names": ", ".join(params["categories"])})
    if params["skus"]:
        parts.append(gettext("Articles %(names)s") % {"names": ", ".join(params["skus"])})
    return "; ".join(parts) or MISSING


def _location(params: Params, places: Places) -> str:
    return "; ".join(places.get(one, f"№{NBSP}{one}") for one in params["locations"])


def _first_purchase(params: Params, places: Places) -> str:
    del params, places
    return gettext("The first purchase")


def _promo_code(params: Params, places: Places) -> str:
    del places
    parts = [gettext("Promo code %(code)s") % {"code": params["code"]}]
    if params["from_day"]:
        parts.append(gettext("from %(day)s") % {"day": format_date(date.fromisoformat(params["from_day"]))})
    if params["until_day"]:
        parts.append(gettext("until %(day)s") % {"day": format_date(date.fromisoformat(params["until_day"]))})
    if params["customer_limit"]:
        text = ngettext("%(n)s time a customer", "%(n)s times a customer", params["customer_limit"])
        parts.append(text % {"n": num(params["customer_limit"])})
    if params["total_limit"]:
        text = ngettext("%(n)s time in all", "%(n)s times in all", params["total_limit"])
        parts.append(text % {"n": num(params["total_limit"])})
    return ", ".join(parts)


KINDS: dict[str, KindWords] = {
    "category": KindWords(
        mark("Goods"),
        mark("Some categories or articles of a receipt earn more."),
        "tags",
        {
            "categories": (mark("Categories"), mark("As the till sends them, separated by commas.")),
            "skus": (mark("Articles"), mark("Numbers of single articles, separated by commas.")),
        },
        _category,
    ),
    "location": KindWords(
        mark("Locations"),
        mark("Purchases at some locations earn more."),
        "store",
        {"locations": (mark("Where"), "")},
        _location,
    ),
    "weekday_hours": KindWords(
        mark("Days and hours"),
        mark("Quiet hours or chosen days earn more, by the clock of the location."),
        "clock",
        {
            "weekdays": (mark("Days"), ""),
            "from_time": (mark("From"), ""),
            "until_time": (
                mark("To"),
                mark("Earlier than the beginning: over midnight. The same as the beginning: the whole day."),
            ),
        },
        _weekday_hours,
    ),
    "birthday": KindWords(
        mark("Birthday"),
        mark("Purchases around the customer's birthday earn more."),
        "cake",
        {
            "days_before": (mark("Days before it"), ""),
            "days_after": (mark("Days after it"), ""),
        },
        _birthday,
    ),
    "first_purchase": KindWords(
        mark("First purchase"),
        mark("The first purchase of a customer earns more."),
        "sparkles",
        {},
        _first_purchase,
    ),
    "promo_code": KindWords(
        mark("Promo code"),
        mark("Whoever names a code at the till earns more."),
        "ticket-percent",
        {
            "code": (mark("Code"), mark("Letters, digits and dashes; capitals do not matter.")),
            "from_day": (mark("First day"), mark("Empty: from now on.")),
            "until_day": (mark("Last day"), mark("Empty: with no end.")),
            "customer_limit": (mark("Uses by one customer"), mark("0: no limit.")),
            "total_limit": (mark("Uses in all"), mark("0: no limit.")),
        },
        _promo_code,
    ),
}
