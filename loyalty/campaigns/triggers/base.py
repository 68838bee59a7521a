"""What a trigger is: what it is asked with, and the SQL that finds whom it happened to. Pure.

`found` selects the customer, `customer_id`, and which thing it was, `key`: whoever went through an automation for a
thing is not begun with for it again. It asks for what happened after `since`, as late as LATE_WITHIN, by an index.
`past` selects `customer_id` and when, `at`, over all of history between two moments, for a dry run.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from loyalty.campaigns.rules.automations import LATE_WITHIN
from loyalty.errors import Invalid
from loyalty.segments.filters import Context

LATE_COMMITS = 1_000
"""Numbers are given before the commit: of so many rows before the place, those that came late are met again."""


@dataclass(frozen=True, slots=True)
class Param:
    """A number that a trigger is asked with. is_money: in minor units. is_flag: 0 or 1."""

    name: str
    least: int
    most: int
    usual: int
    is_money: bool = False
    is_flag: bool = False


@dataclass(frozen=True, slots=True)
class Asking:
    """What a trigger is asked: with which numbers, since when, and under which context its parameters are collected.

    place, upto: between which rows of its table, for one that goes by them. ranks: the levels, the lowest first.
    """

    params: Mapping[str, int]
    context: Context
    since: datetime
    place: int = 0
    upto: int = 0
    ranks: tuple[int, ...] = ()

    def add(self, value: Any, kind: str) -> str:
        """Put a parameter on the list; SQL of it."""
        return f"{self.context.add(value)}::{kind}"

    @property
    def now(self) -> datetime:
        """The moment at which it is asked."""
        return self.context.now

    @property
    def earliest(self) -> datetime:
        """What happened before does not count, or is too long ago."""
        return max(self.since, self.now - LATE_WITHIN)

    @property
    def rows(self) -> str:
        """SQL: which rows of `r` are new."""
        first, last = self.add(self.place - LATE_COMMITS, "bigint"), self.add(self.upto, "bigint")
        return f"r.id > {first} AND r.id <= {last} AND r.at > {self.add(self.earliest, 'timestamptz')}"


class Trigger(ABC):
    """Something that happens to a person.

    table: by whose rising ids it goes, if it does. every_seconds: how often it is looked for.
    marks_at_start: who is found when it is switched on was there before.
    """

    key: ClassVar[str]
    params: ClassVar[tuple[Param, ...]] = ()
    table: ClassVar[str] = ""
    every_seconds: ClassVar[int] = 10
    marks_at_start: ClassVar[bool] = False

    @abstractmethod
    def found(self, asking: Asking) -> str:
        """SQL: whom it happened to, and the key of what happened."""

    @abstractmethod
    def past(self, asking: Asking, since: str, until: str) -> str | None:
        """SQL: whom it happened to, and when, between two moments; None where history cannot tell."""

    def still(self) -> str:
        """SQL: whether that still stands which the run `r` began with. Asked before each step."""
        return "true"

    def checked(self, params: Mapping[str, int]) -> dict[str, int]:
        """The numbers that count here. Raises Invalid for one that is out of range."""
        kept = {one.name: params.get(one.name, one.usual) for one in self.params}
        for one in self.params:
            if not kept[one.name] and one.least:
                raise Invalid(one.name, "required")
            if not one.least <= kept[one.name] <= one.most:
                raise Invalid(one.name, "out_of_range", least=one.least, most=one.most)
        return kept
