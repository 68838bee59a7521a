"""Groups of odd operations as tables: what each kind is called, why it is looked at, its columns."""

from collections.abc import Callable
from dataclasses import dataclass

from admin_web.formats import bonuses, format_date, money, num, percent
from admin_web.i18n import gettext, mark
from loyalty.office.queries.odd import KEYS, OddGroup, OddKind

TITLES = {
    OddKind.UNDONE: mark("Sales taken back at once"),
    OddKind.REPEATED: mark("Several sales to one customer in a day"),
    OddKind.MANUAL: mark("Bonuses added by hand"),
    OddKind.RELAXED: mark("Bonuses used without proof"),
    OddKind.HOURS: mark("Sales while closed"),
    OddKind.REFUSED: mark("What limits and proofs refused"),
}
WHY = {
    OddKind.UNDONE: mark(
        "A sale taken back within five minutes by whoever made it. Slips happen; marked is who took back three or more,"
        " and more than one sale in twenty."
    ),
    OddKind.REPEATED: mark(
        "Three or more sales that one colleague credited to one customer on one day. Receipts of other guests may be"
        " collected on one card."
    ),
    OddKind.MANUAL: mark("Credits without a sale, by whoever gave them. Each has its reason in words."),
    OddKind.RELAXED: mark(
        "At locations that ask for no code, whoever knows a phone can pay with its bonuses. Only the cashier saw who"
        " it was."
    ),
    OddKind.HOURS: mark(
        "Sales at a time when the location does not work, by its own clock and the hours that it has now."
    ),
    OddKind.REFUSED: mark(
        "Tries that a limit, a missing proof or a used code stopped. Nothing was credited or used by them."
    ),
}

Cell = tuple[str, str]
"""Text and class of a cell."""


@dataclass(frozen=True, slots=True)
class Row:
    """A group: the words that lead to its entries, then the other cells. `is_marked`: somebody should ask why."""

    group: OddGroup
    lead: str
    cells: list[Cell]
    is_marked: bool


@dataclass(frozen=True, slots=True)
class Section:
    """One kind with its groups."""

    kind: OddKind
    title: str
    why: str
    heads: list[Cell]
    rows: list[Row]


# Heading, class of the cells, and what stands in them. The first one leads to the entries.
_Column = tuple[str, str, Callable[[OddGroup], str]]
_WHO: _Column = (mark("Who"), "k-main", lambda one: one.staff_name or gettext("Another program"))
_TIMES: _Column = (mark("Times"), "r k-val", lambda one: num(one.count))
_SUM: _Column = (mark("Total"), "r k-sub", lambda one: money(one.total))
_BONUSES: _Column = (mark("Bonuses"), "r k-sub", lambda one: bonuses(one.bonuses))
COLUMNS: dict[OddKind, tuple[_Column, ...]] = {
    OddKind.UNDONE: (
        _WHO,
        (mark("Undone"), "r k-val", lambda one: num(one.count)),
        (mark("of sales"), "r", lambda one: num(one.sales)),
        (mark("Share"), "r k-tag", lambda one: percent(one.share_bp)),
        _SUM,
    ),
    OddKind.REPEATED: (
        _WHO,
        (mark("Customer"), "k-sub", lambda one: one.customer_name or ""),
        (mark("Date"), "muted k-tag", lambda one: format_date(one.day)),
        _TIMES,
        (mark("Total"), "r", lambda one: money(one.total)),
        (mark("Earned"), "r", lambda one: bonuses(one.bonuses)),
    ),
    OddKind.MANUAL: (_WHO, _TIMES, _BONUSES, (mark("The biggest"), "r", lambda one: bonuses(one.biggest))),
    OddKind.RELAXED: (_WHO, _TIMES, _BONUSES),
    OddKind.HOURS: (
        (mark("Location"), "k-main", lambda one: one.location_name or ""),
        (mark("Who"), "k-sub", _WHO[2]),
        _TIMES,
        (mark("Total"), "r k-tag", lambda one: money(one.total)),
    ),
    OddKind.REFUSED: (_WHO, _TIMES),
}


def section_of(kind: OddKind, groups: list[OddGroup]) -> Section:
    """A kind in the reader's language."""
    columns = COLUMNS[kind]
    rows = [
        Row(
            one,
            columns[0][2](one),
            [(shown(one), css) for _, css, shown in columns[1:]],
            is_marked=kind is OddKind.UNDONE and one.is_marked,
        )
        for one in groups
    ]
    heads = [(gettext(text), "r" if "r" in css.split() else "") for text, css, _ in columns]
    return Section(kind, gettext(TITLES[kind]), gettext(WHY[kind]), heads, rows)


def key_of(kind: OddKind, group: OddGroup) -> dict[str, str]:
    """What the address of a group's entries says to tell it from others."""
    values = {"staff": group.staff_id, "customer": group.customer_id, "location": group.location_id, "day": group.day}
    return {name: str(values[name]) for name in KEYS[kind] if values[name] is not None}
