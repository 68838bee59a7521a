"""Recency, frequency and money: the base in five by five cells, and the groups that they make. Pure.

Recency is days since the last visit, frequency is visits. Each is cut where a fifth of the customers ends, at whole
days and visits, so that every cell is a filter of the client base.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from loyalty.segments.rules.trees import Condition, Group, Joiner

CLASSES = 5


class RfmGroup(StrEnum):
    """What a cell makes of its people, the best first."""

    CHAMPIONS = "champions"
    LOYAL = "loyal"
    PROMISING = "promising"
    NEW = "new"
    COOLING = "cooling"
    AT_RISK = "at_risk"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Area:
    """Cells in a rectangle: the lowest and the highest class of each, 5 being the most recent, the most frequent."""

    recency: tuple[int, int]
    frequency: tuple[int, int]

    def __contains__(self, cell: tuple[int, int]) -> bool:
        return all(low <= one <= high for one, (low, high) in zip(cell, (self.recency, self.frequency), strict=True))


AREAS: Mapping[RfmGroup, Area] = {
    RfmGroup.CHAMPIONS: Area((5, 5), (4, 5)),
    RfmGroup.LOYAL: Area((3, 4), (4, 5)),
    RfmGroup.PROMISING: Area((4, 5), (2, 3)),
    RfmGroup.NEW: Area((4, 5), (1, 1)),
    RfmGroup.COOLING: Area((3, 3), (1, 3)),
    RfmGroup.AT_RISK: Area((1, 2), (3, 5)),
    RfmGroup.LOST: Area((1, 2), (1, 2)),
}
"""Each of the 25 cells belongs to one group, and each group is a rectangle: one filter says it."""


def group_of(recency: int, frequency: int) -> RfmGroup:
    """The group of a cell."""
    return next(group for group, area in AREAS.items() if (recency, frequency) in area)


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where the classes end: four numbers of days and four of visits, each rising and included in its class.

    Class 5 of recency has up to days[0], class 1 more than days[3]; class 1 of frequency has up to visits[0], class 5
    more than visits[3].
    """

    days: tuple[int, ...]
    visits: tuple[int, ...]

    def range_of_days(self, recency: int) -> tuple[int, int | None]:
        """The fewest and the most days of a class of recency; None for no end."""
        return _range(self.days, CLASSES - recency, 0)

    def range_of_visits(self, frequency: int) -> tuple[int, int | None]:
        """The fewest and the most visits of a class of frequency."""
        return _range(self.visits, frequency - 1, 1)


def cuts_of(days: Mapping[int, int], visits: Mapping[int, int]) -> Cuts:
    """Cut where fifths end. Both say how many customers there are with so many days or visits.

    Whoever has the same number is in the same class, so that fifths are not equal; where many share one, the classes
    after it take the next numbers, and may be empty.
    """
    return Cuts(_fifths(days, lowest=0), _fifths(visits, lowest=1))


def filter_of(cuts: Cuts, area: Area, locations: Sequence[int] | None = None) -> Group:
    """The filter of the client base that finds just the people of an area.

    locations: who belongs to one of these or has been there; None for everybody.
    """
    days = cuts.range_of_days(area.recency[1])[0], cuts.range_of_days(area.recency[0])[1]
    visits = cuts.range_of_visits(area.frequency[0])[0], cuts.range_of_visits(area.frequency[1])[1]
    parts: list[Condition | Group] = [Condition("visits", "between", f"{visits[0]}..{visits[1] or ''}")]
    if days[1] is not None:
        parts.append(Condition("last_visit", "in", f"last-{days[1]}"))
    if days[0] > 0:
        parts.append(Condition("last_visit", "in", f"older-{days[0] - 1}"))
    if days == (0, None):
        parts.append(Condition("last_visit", "ever", ""))
    if locations is not None:
        places = ".".join(map(str, locations))
        there = (Condition("visited_location", "any", places), Condition("home_location", "any", places))
        parts.append(Group(Joiner.ANY, there))
    return Group(parts=tuple(parts))


def _fifths(counts: Mapping[int, int], *, lowest: int) -> tuple[int, ...]:
    cuts: list[int] = []
    numbers = iter(sorted(counts.items()))
    whole, passed, number = sum(counts.values()), 0, lowest
    for fifth in range(1, CLASSES):
        while passed * CLASSES < fifth * whole:
            number, count = next(numbers)
            passed += count
        cuts.append(max(number, cuts[-1] + 1 if cuts else lowest))
    return tuple(cuts)


def _range(cuts: tuple[int, ...], place: int, lowest: int) -> tuple[int, int | None]:
    low = lowest if place == 0 else cuts[place - 1] + 1
    return low, cuts[place] if place < len(cuts) else None
