"""The form in which a tree of conditions is put together: between what is typed and the tree.

Each part of the tree has a path of numbers, `0` the whole, `0.1` its second part. A group sends `join.<path>`, a
condition `field.<path>` and what its kind needs beside it. What is half done is kept and asks nothing yet.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from multidict import MultiMapping

from admin_web.words import reason_text
from loyalty.errors import Invalid
from loyalty.money import HUNDREDTHS
from loyalty.segments.filters import FILTERS, Filter, Kind, Unit
from loyalty.segments.filters.base import ChoiceFilter, PeriodFilter, RangeFilter
from loyalty.segments.rules.periods import PeriodKind
from loyalty.segments.rules.trees import CONDITIONS, DEPTH, Condition, Group, Joiner, checked_size

MANY = ("choice", "months")
"""Fields of a condition that may be sent several times."""
ONE = ("operator", "low", "high", "how", "days", "first", "last")


@dataclass(slots=True)
class Row:
    """A condition as it is being typed. key: of its filter."""

    key: str
    operator: str = ""
    values: dict[str, list[str]] = field(default_factory=dict)
    error: str = ""

    @property
    def filter(self) -> Filter:
        """What is asked."""
        return FILTERS[self.key]

    def value(self, name: str) -> str:
        """What stands in one of its fields."""
        return next(iter(self.values.get(name, ())), "")

    @property
    def is_empty(self) -> bool:
        """Nothing is typed yet, where something has to be."""
        return not any(any(texts) for name, texts in self.values.items() if name not in ("operator", "how"))


@dataclass(slots=True)
class Box:
    """A group as it is being put together."""

    joiner: Joiner = Joiner.ALL
    parts: "list[Row | Box]" = field(default_factory=list)

    @property
    def rows(self) -> Iterator[Row]:
        """Every condition in it."""
        for part in self.parts:
            if isinstance(part, Row):
                yield part
            else:
                yield from part.rows


def box_of(tree: Group, exponent: int) -> Box:
    """A tree as it is put together again. exponent: decimals of the shop's currency."""
    return Box(
        tree.joiner,
        [_row_of(part, exponent) if isinstance(part, Condition) else box_of(part, exponent) for part in tree.parts],
    )


def read_box(sent: MultiMapping[str]) -> Box:
    """What the form holds. Parts of groups that are not there, and fields that nobody knows, are left out."""
    paths = sorted(
        {name.partition(".")[2] for name in sent if name.startswith(("join.", "field."))},
        key=lambda path: [int(part) if part.isdigit() else 0 for part in path.split(".")],
    )
    root = Box(_joiner(sent.get("join.0", "")))
    boxes = {"0": root}
    for path in paths[: CONDITIONS * 2]:
        above = boxes.get(path.rpartition(".")[0])
        if above is None:
            continue
        if f"join.{path}" in sent:
            boxes[path] = Box(_joiner(sent[f"join.{path}"]))
            above.parts.append(boxes[path])
        elif sent[f"field.{path}"] in FILTERS:
            values = {name: [sent[f"{name}.{path}"]] for name in ONE if f"{name}.{path}" in sent}
            values |= {name: sent.getall(f"{name}.{path}") for name in MANY if f"{name}.{path}" in sent}
            operators = FILTERS[sent[f"field.{path}"]].operators
            operator = values.pop("operator", [operators[0]])[0]
            above.parts.append(Row(sent[f"field.{path}"], operator if operator in operators else operators[0], values))
    return root


def act(root: Box, deed: str, sent: MultiMapping[str]) -> None:
    """Do what a button of the form says: `remove:0.1`, `group:0`, `add:0` with the field in `add.0`."""
    verb, _, path = deed.partition(":")
    found = _part(root, path)
    if verb == "remove" and path != "0":
        above, number = _part(root, path.rpartition(".")[0]), path.rpartition(".")[2]
        if found is not None and isinstance(above, Box):
            del above.parts[int(number)]
    elif isinstance(found, Box) and verb == "group" and path.count(".") < DEPTH - 2:
        found.parts.append(Box(Joiner.ANY))
    elif isinstance(found, Box) and verb == "add" and sum(1 for _ in root.rows) < CONDITIONS:
        key = sent.get(f"add.{path}", "")
        if key in FILTERS:
            found.parts.append(Row(key, FILTERS[key].operators[0]))


def tree_of(root: Box, exponent: int, *, strict: bool) -> Group:
    """The tree of what is whole. strict: what is not whole is marked with what is missing, else it is passed over."""
    parts: list[Condition | Group] = []
    for part in root.parts:
        if isinstance(part, Box):
            inner = tree_of(part, exponent, strict=strict)
            parts += [inner] if inner.parts else []
            continue
        try:
            condition = Condition(part.key, part.operator, _value(part, exponent))
            part.filter.check(condition)
        except Invalid as error:
            part.error = reason_text(error) if strict or not part.is_empty else ""
        else:
            parts.append(condition)
    return checked_size(Group(root.joiner, tuple(parts)))


def _part(root: Box, path: str) -> "Row | Box | None":
    found: Row | Box = root
    first, *numbers = path.split(".")
    if first != "0":
        return None
    for number in numbers:
        if not (isinstance(found, Box) and number.isdigit() and int(number) < len(found.parts)):
            return None
        found = found.parts[int(number)]
    return found


def _joiner(text: str) -> Joiner:
    return Joiner(text) if text in set(Joiner) else Joiner.ALL


def _scale(unit: Unit, exponent: int) -> int:
    """How many units of the base one typed unit is."""
    match unit:
        case Unit.MONEY:
            return int(10**exponent)
        case Unit.BONUSES | Unit.SHARE:
            return HUNDREDTHS
        case Unit.GAP:
            return 10
        case _:
            return 1


def _row_of(condition: Condition, exponent: int) -> Row:
    one = FILTERS[condition.field]
    value, values = condition.value, {}
    if isinstance(one, RangeFilter):
        scale = _scale(one.unit, exponent)
        low, _, high = value.partition("..")
        values = {name: [f"{Decimal(text) / scale:f}"] for name, text in (("low", low), ("high", high)) if text}
    elif isinstance(one, PeriodFilter) and value:
        kind, _, days = value.partition("-")
        if ".." in value:
            first, _, last = value.partition("..")
            values = {"how": [PeriodKind.DATES.value], "first": [first], "last": [last]}
        else:
            values = {"how": [kind], "days": [days]}
    elif isinstance(one, ChoiceFilter):
        values = {"choice": [part for part in value.split(".") if part]}
    elif one.kind is Kind.DAYS:
        values = {"months": value.split(".")} if condition.operator == "month" else {"days": [value]}
    return Row(condition.field, condition.operator, values)


def _value(row: Row, exponent: int) -> str:
    """The text of a condition's value. Raises Invalid("value", "not_a_number")."""
    one = row.filter
    if one.kind is Kind.FLAG or row.operator in ("never", "ever", "known", "unknown"):
        return ""
    if isinstance(one, RangeFilter):
        low, high = (_number(row.value(name), _scale(one.unit, exponent)) for name in ("low", "high"))
        return f"{low}..{high}"
    if isinstance(one, PeriodFilter):
        how = row.value("how") or _first_period(one)
        if how == PeriodKind.DATES:
            first, last = row.value("first"), row.value("last")
            return f"{first}..{last}" if first or last else ""
        return f"{how}-{row.value('days').strip()}" if row.value("days").strip() else ""
    if isinstance(one, ChoiceFilter):
        return ".".join(row.values.get("choice", ()))
    return ".".join(row.values.get("months", ())) if row.operator == "month" else row.value("days").strip()


def _first_period(one: PeriodFilter) -> str:
    return PeriodKind.NEXT.value if one.ahead else PeriodKind.LAST.value


def _number(text: str, scale: int) -> str:
    """What was typed, in the units of the base; empty for nothing."""
    plain = "".join(text.split()).replace(",", ".").replace("\u2212", "-")
    if not plain:
        return ""
    try:
        number = Decimal(plain) * scale
    except InvalidOperation:
        raise Invalid("value", "not_a_number") from None
    if not number.is_finite() or number != number.to_integral_value() or abs(number) > 10**17:
        raise Invalid("value", "not_a_number")
    return str(int(number))
