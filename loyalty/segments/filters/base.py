"""What a filter is: its name, its operators, how its value is read, and the SQL that asks for it. Pure.

The SQL is a condition on `customer_facts f` which is never NULL, so that "not" turns it into its exact opposite. What
does not stand in the facts is asked for by EXISTS on `f.customer_id`: the planner may walk it from either side.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from loyalty.errors import Invalid
from loyalty.money import MAX_MINOR
from loyalty.segments.rules.periods import Period, period_from
from loyalty.segments.rules.trees import Condition, Group

MOST_CHOICES = 200
EVER = "TIMESTAMPTZ '1970-01-01 00:00+00'"
"""SQL: stands in the facts for "never"; whatever happened is later."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Kind(StrEnum):
    """What the value of a filter is, and so by what it is asked for in a form."""

    RANGE = "range"
    PERIOD = "period"
    CHOICE = "choice"
    FLAG = "flag"
    DAYS = "days"


class Unit(StrEnum):
    """What the numbers of a range count."""

    COUNT = "count"
    MONEY = "money"  # minor units
    BONUSES = "bonuses"  # hundredths
    SHARE = "share"  # basis points
    YEARS = "years"
    GAP = "gap"  # tenths of a day


class Area(StrEnum):
    """Under which heading a filter stands in a list of them, in the order of such a list."""

    LABELS = "labels"
    PURCHASES = "purchases"
    VISITS = "visits"
    BONUSES = "bonuses"
    BOOKINGS = "bookings"
    SURVEYS = "surveys"
    PERSON = "person"
    MESSENGERS = "messengers"
    ORIGIN = "origin"


@dataclass(slots=True)
class Context:
    """What conditions are asked under: the moment, the shop's day and zone, and parameters collected on the way.

    segments: the trees of segments that have conditions, by id. within: ids of those being asked for, outermost first.
    """

    now: datetime
    today: date
    zone: str
    compile_tree: Callable[[Group, "Context"], str]
    segments: Mapping[int, Group] = field(default_factory=dict)
    params: list[Any] = field(default_factory=list)
    within: tuple[int, ...] = ()

    def add(self, value: Any) -> str:
        """Put a parameter on the list; its place in the SQL."""
        self.params.append(value)
        return f"${len(self.params)}"


class Filter(ABC):
    """One question about a customer.

    key: as it stands in addresses and tables; never changes. label: what people call it, to be translated where it is
    shown. column: of the client base's table, which shows what it asks about.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    area: ClassVar[Area]
    kind: ClassVar[Kind]
    operators: ClassVar[tuple[str, ...]]
    column: ClassVar[str | None] = None

    @property
    def evidence(self) -> str | None:
        """SQL of what the customer has; None where the answer itself says all."""
        return None

    def check(self, condition: Condition) -> None:
        """Raise Invalid("operator" | "value") unless the condition can be asked."""
        if condition.operator not in self.operators:
            raise Invalid("operator", "unknown_choice")
        self.read(condition)

    @abstractmethod
    def read(self, condition: Condition) -> Any:
        """The value as it is compared. Raises Invalid("value")."""

    @abstractmethod
    def sql(self, condition: Condition, context: Context) -> str:
        """The condition in SQL; its values are parameters of the context."""

    def stretches(self, column: str, condition: Condition, context: Context) -> tuple[str, ...]:  # noqa: ARG002
        """Ranges of a column of the facts, apart from each other, in one of which whoever meets the condition lies.

        None when it says nothing of that column.
        """
        return ()


class RangeFilter(Filter):
    """A number from one to another, both included, either open: `500..1000`.

    fact: SQL of the number; empty where it stands elsewhere than in the facts.
    """

    kind = Kind.RANGE
    operators = ("between",)
    unit: ClassVar[Unit] = Unit.COUNT
    fact: ClassVar[str] = ""
    lowest: ClassVar[int] = 0
    unknown: ClassVar[str | None] = None  # SQL: there is no number, whatever is asked
    known_from: ClassVar[int | None] = None  # what is lower stands for no number

    @property
    def evidence(self) -> str | None:
        """The number."""
        return self.fact

    def read(self, condition: Condition) -> tuple[int | None, int | None]:
        """Lowest and highest."""
        low, dots, high = condition.value.partition("..")
        if not dots or not (low or high):
            raise Invalid("value", "required")
        bounds = self._number(low), self._number(high)
        if None not in bounds and bounds[0] > bounds[1]:  # type: ignore[operator]
            raise Invalid("value", "range_is_backwards")
        return bounds

    def sql(self, condition: Condition, context: Context) -> str:
        """The facts alone are looked at."""
        low, high = self.read(condition)
        if self.known_from is not None:
            # As one range with its end: the planner would take "not zero" for something else.
            low = max(self.known_from, low or 0)
        parts = [] if self.unknown is None else [f"NOT {self.unknown}"]
        if low is not None:
            parts.append(f"{self.fact} >= {context.add(low)}::bigint")
        if high is not None:
            parts.append(f"{self.fact} <= {context.add(high)}::bigint")
        return " AND ".join(parts)

    def stretches(self, column: str, condition: Condition, context: Context) -> tuple[str, ...]:
        """The one from the lowest to the highest."""
        return (self.sql(condition, context),) if column == self.fact else ()

    def _number(self, text: str) -> int | None:
        if not text:
            return None
        digits = text.removeprefix("-") if self.lowest < 0 else text
        if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
            raise Invalid("value", "not_a_number")
        number = int(text)
        if abs(number) > MAX_MINOR:
            raise Invalid("value", "too_large")
        return number


class PeriodFilter(Filter):
    """Something happened in a period, or did not.

    moment: SQL of when, EVER's epoch for never; empty where it stands elsewhere than in the facts.
    """

    kind = Kind.PERIOD
    moment: ClassVar[str] = ""
    may_be_never: ClassVar[bool] = True
    ahead: ClassVar[bool] = False
    operators: ClassVar[tuple[str, ...]] = ("in", "not_in", "never", "ever")

    @property
    def evidence(self) -> str | None:
        """The moment."""
        return self.moment

    def read(self, condition: Condition) -> Period | None:
        """The period; None for an operator that has none."""
        if condition.operator in ("never", "ever"):
            if condition.value:
                raise Invalid("value", "unknown_choice")
            return None
        if not condition.value:
            raise Invalid("value", "required")
        return period_from(condition.value)

    def sql(self, condition: Condition, context: Context) -> str:
        """The facts alone are looked at."""
        period = self.read(condition)
        if period is None:
            return f"{self.moment} {'=' if condition.operator == 'never' else '>'} {EVER}"
        inside = self.inside(self.moment, period, context)
        if self.may_be_never:
            inside = f"{inside} AND {self.moment} > {EVER}"
        return f"NOT ({inside})" if condition.operator == "not_in" else inside

    def stretches(self, column: str, condition: Condition, context: Context) -> tuple[str, ...]:
        """The period, or what lies before it and after it."""
        if column != self.moment:
            return ()
        if condition.operator != "not_in":
            return (self.sql(condition, context),)
        period = self.read(condition)
        assert period is not None
        begins, ends = period.bounds(context.now, context.today, context.zone)
        found = []
        if begins is not None and (begins > EPOCH or not self.may_be_never):
            found.append(f"{self.moment} < {context.add(begins)}::timestamptz")
        elif self.may_be_never:
            found.append(f"{self.moment} <= {EVER}")
        if ends is not None and self.may_be_never and ends <= EPOCH:
            found.append(f"{self.moment} > {EVER}")
        elif ends is not None:
            found.append(f"{self.moment} >= {context.add(ends)}::timestamptz")
        return tuple(found)

    @staticmethod
    def inside(moment: str, period: Period, context: Context) -> str:
        """SQL: a moment lies in a period."""
        begins, ends = period.bounds(context.now, context.today, context.zone)
        parts = []
        if begins is not None:
            parts.append(f"{moment} >= {context.add(begins)}::timestamptz")
        if ends is not None:
            parts.append(f"{moment} < {context.add(ends)}::timestamptz")
        return " AND ".join(parts)


class HappenedFilter(PeriodFilter):
    """Something that may happen often happened in a period. happened: SQL of a row of it; at: SQL of when."""

    operators = ("in", "not_in")
    happened: ClassVar[str]
    at: ClassVar[str]

    @property
    def evidence(self) -> str | None:
        """There may be many."""
        return None

    def sql(self, condition: Condition, context: Context) -> str:
        """Rows of their own are looked at."""
        period = self.read(condition)
        assert period is not None
        there = f"EXISTS ({self.happened} AND {self.inside(self.at, period, context)})"
        return f"NOT {there}" if condition.operator == "not_in" else there


class ChoiceFilter(Filter):
    """One or some of a list. source: where the list comes from; or `choices`: codes with their names.

    with_any: SQL of a row that has any of {wanted}; several: one customer may have more than one, so that "all of
    them" can be asked.
    """

    kind = Kind.CHOICE
    operators: ClassVar[tuple[str, ...]] = ("any", "none")
    source: ClassVar[str | None] = None
    choices: ClassVar[tuple[tuple[str, str], ...]] = ()
    with_any: ClassVar[str]

    def read(self, condition: Condition) -> list[Any]:
        """The ids, or the codes."""
        parts = [part for part in condition.value.split(".") if part]
        if not parts:
            raise Invalid("value", "required")
        if len(parts) > MOST_CHOICES:
            raise Invalid("value", "too_many", limit=MOST_CHOICES)
        if self.choices:
            known = {code for code, _ in self.choices}
            if not known.issuperset(parts):
                raise Invalid("value", "unknown_choice")
            return parts
        if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
            raise Invalid("value", "unknown_choice")
        return [int(part) for part in parts]

    def sql(self, condition: Condition, context: Context) -> str:
        """Rows of their own are looked at, or the facts."""
        wanted = self.read(condition)
        if condition.operator == "all":
            return " AND ".join(self.test([one], context) for one in wanted)
        test = self.test(wanted, context)
        return f"NOT ({test})" if condition.operator == "none" else test

    def test(self, wanted: list[Any], context: Context) -> str:
        """SQL: the customer has any of these."""
        type_ = "text[]" if self.choices else "int[]"
        return self.with_any.format(wanted=f"{context.add(wanted)}::{type_}")


class ManyChoicesFilter(ChoiceFilter):
    """A list of which one customer may have several."""

    operators = ("any", "all", "none")


class FlagFilter(Filter):
    """Something is so, or is not. holds: SQL; lacks: that it is not, where an index helps to ask so."""

    kind = Kind.FLAG
    operators = ("yes", "no")
    holds: ClassVar[str]
    lacks: ClassVar[str | None] = None

    def read(self, condition: Condition) -> None:
        """There is no value."""
        if condition.value:
            raise Invalid("value", "unknown_choice")

    def sql(self, condition: Condition, context: Context) -> str:  # noqa: ARG002  every filter is asked alike
        """As it stands."""
        return (self.lacks or f"NOT ({self.holds})") if condition.operator == "no" else self.holds
