"""What the columns of a file are: by their names in three languages, and by what stands in them. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from loyalty.customers.rules import is_card_number
from loyalty.office.importing import DateOrder, Kind
from loyalty.office.importing.names import NAMES

HEADER_WITHIN = 20
"""The line that names the columns is one of the first so many that hold anything."""
NAME_LENGTH = 80
ENOUGH = 0.8
"""A column is taken for what so large a part of its cells looks like."""

TARGETS: dict[Kind, tuple[str, ...]] = {kind: tuple(names) for kind, names in NAMES.items()}
"""By kind of file, what a column can be, in the order in which it is offered."""
NEEDED: dict[Kind, tuple[tuple[str, ...], ...]] = {
    Kind.CUSTOMERS: (("phone", "card", "email"),),
    Kind.APPOINTMENTS: (("phone",), ("starts_at", "day")),
}
"""Of each group at least one must be among the columns."""
DATES = frozenset(
    {"birthday", "registered_on", "opening_earned_on", "opening_expires_on", "starts_at", "day", "ends_at"}
)

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]{2,}")
_PHONE = re.compile(r"\+?[\d\s().-]{9,24}", re.ASCII)
_DATE = re.compile(
    r"(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|(\d{1,2})[-./](\d{1,2})[-./](?:\d{4}|\d{2}))(?:[ T][\d:.]+)?", re.ASCII
)


@dataclass(slots=True)
class Column:
    """What stands in a column, over all its cells."""

    filled: int = 0
    phones: int = 0
    emails: int = 0
    dates: int = 0
    cards: int = 0
    day_first: int = 0
    month_first: int = 0

    def look_at(self, cell: str) -> None:
        """Count one cell."""
        self.filled += 1
        if found := _DATE.fullmatch(cell):
            self.dates += 1
            if found[1]:
                self.day_first += int(found[1]) > 12
                self.month_first += int(found[2]) > 12
        elif "@" in cell:
            self.emails += _EMAIL.fullmatch(cell) is not None
        elif is_card_number(cell):
            self.cards += 1
        elif _PHONE.fullmatch(cell):
            self.phones += 10 <= sum(map(str.isdigit, cell)) <= 15

    def is_mostly(self, count: int) -> bool:
        """Whether so many of its cells make it what they are."""
        return self.filled > 0 and count >= ENOUGH * self.filled


@dataclass(slots=True)
class Columns:
    """What stands in the columns of a file; looked at as it is read."""

    all: list[Column] = field(default_factory=list)

    def look_at(self, cells: Sequence[str]) -> None:
        """Count a line."""
        while len(self.all) < len(cells):
            self.all.append(Column())
        for column, cell in zip(self.all, cells, strict=False):
            if cell:
                column.look_at(cell)


def plain(name: str) -> str:
    """A name of a column as it is compared: small letters and figures, single spaces, no apostrophes."""
    folded = name.casefold().replace("ё", "е").replace("'", "").replace("’", "").replace("ʼ", "")
    return " ".join(re.sub(r"[\W_]+", " ", folded).split())


_NAMED = {
    kind: {plain(name): key for key, names in targets.items() for name in names.split(", ")}
    for kind, targets in NAMES.items()
}


def header_of(rows: Iterable[tuple[int, Sequence[str]]], kind: Kind) -> tuple[int, tuple[str, ...]]:
    """(number of the line that names the columns, the names); (0, ()) where none does.

    It is the first that has two columns of names we know, or one where there is one; else the first line, if nothing
    in it looks like a phone, an e-mail, a date or a figure.
    """
    first: tuple[int, Sequence[str]] | None = None
    for place, (number, cells) in enumerate(rows):
        if place == HEADER_WITHIN:
            break
        first = first or (number, cells)
        known = sum(plain(cell) in _NAMED[kind] for cell in cells)
        if known >= min(2, len(cells)):
            return number, _names(cells)
    if first is None or any(not _is_word(cell) for cell in first[1] if cell) or len(first[1]) < 2:
        return 0, ()
    return first[0], _names(first[1])


def _names(cells: Sequence[str]) -> tuple[str, ...]:
    return tuple(" ".join(cell.split())[:NAME_LENGTH] for cell in cells)


def _is_word(cell: str) -> bool:
    return not (any(char.isdigit() for char in cell) or "@" in cell)


def guess(names: Sequence[str], columns: Sequence[Column], kind: Kind) -> tuple[str, ...]:
    """What each column is: by its name, else by what stands in it; "" where nobody can tell. Each target once."""
    mapping = [""] * max(len(names), len(columns))
    for index, name in enumerate(names):
        key = _NAMED[kind].get(plain(name), "")
        if key and key not in mapping:
            mapping[index] = key
    if kind is Kind.CUSTOMERS:
        _mend(mapping, columns)
    for index, column in enumerate(columns):
        # A name that says something else is believed: a manager's phone is not the customer's.
        if mapping[index] or (index < len(names) and names[index]):
            continue
        key = _by_content(column)
        if key in TARGETS[kind] and key not in mapping:
            mapping[index] = key
    return tuple(mapping)


def _mend(mapping: list[str], columns: Sequence[Column]) -> None:
    """What a name alone gets wrong."""
    if "first_name" in mapping and not {"last_name", "middle_name"} & set(mapping) and "name" not in mapping:
        mapping[mapping.index("first_name")] = "name"
    # Cards of other programs have numbers of their own, which are nobody's here.
    if "card" in mapping:
        index = mapping.index("card")
        if index < len(columns) and 2 * columns[index].cards < columns[index].filled:
            mapping[index] = ""


def _by_content(column: Column) -> str:
    for key, count in (("email", column.emails), ("phone", column.phones), ("birthday", column.dates)):
        if column.is_mostly(count):
            return key
    return ""


def order_of(columns: Iterable[Column]) -> DateOrder:
    """How the days of a file are written: as the cells show that leave no doubt, else the day first."""
    day_first = month_first = 0
    for column in columns:
        if column.is_mostly(column.dates):
            day_first, month_first = day_first + column.day_first, month_first + column.month_first
    return DateOrder.MONTH_FIRST if month_first > day_first else DateOrder.DAY_FIRST
