"""What a campaign brought: two groups drawn at random, one written to, one not; the money of both, compared. Pure.

Everybody counts in the group that they were drawn for, delivered or not, bought or not: only so the groups differ by
chance and by the campaign alone. What a group is judged by are five sums, which a base of any size adds up in one pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import combinations
from math import sqrt
from statistics import NormalDist
from typing import Self

_OUTSIDE = 0.05
"""So seldom an interval may miss the truth."""
LEAST_PEOPLE = 100
"""Of smaller groups nothing is said: one customer more or less would turn it round."""
LEAST_BUYERS = 30
"""So many people of each group must have paid something."""
LEAST_WEIGHT = 15
"""And so many must have carried the sum: see `Arm.weight`."""
MOST_SKEW = Fraction(30, 100)
MOST_SKEW_OF_ARM = Fraction(75, 100)
"""So skewed the difference may be, and the mean of either group: see `estimate`."""


class Verdict(StrEnum):
    """What may be said of a campaign's effect. The first four are about groups that were compared."""

    EARNED = "earned"
    LOST = "lost"
    UNCLEAR = "unclear"
    TOO_SMALL = "too_small"
    EARLY = "early"
    NO_CONTROL = "no_control"
    NO_WINDOW = "no_window"


@dataclass(frozen=True, slots=True)
class Arm:
    """One group of people. buyers: who of them paid something.

    total, squares, cubes: sums over its people of what each paid, in minor units, of its square and of its cube.
    Whoever bought nothing adds to `people` alone.
    """

    people: int
    buyers: int
    total: int
    squares: int
    cubes: int

    @property
    def mean(self) -> Fraction:
        """What a person paid on average."""
        return Fraction(self.total, self.people) if self.people else Fraction(0)

    @property
    def variance(self) -> Fraction:
        """Of one person, without bias. The group has two people at least."""
        return (self.squares - Fraction(self.total**2, self.people)) / (self.people - 1)

    @property
    def squared_skewness(self) -> Fraction:
        """The square of the skewness of one person's sum. Not everybody paid the same."""
        mean = self.mean
        third = Fraction(self.cubes, self.people) - 3 * mean * Fraction(self.squares, self.people) + 2 * mean**3
        return third**2 / self.variance**3

    @property
    def weight(self) -> Fraction:
        """Between how many people the sum is shared, were it shared evenly: one rich buyer among many weighs like one.

        Source: Kish, Survey Sampling, 1965, 11.2 (effective number by unequal weights).
        """
        return Fraction(self.total**2, self.squares) if self.squares else Fraction(0)

    def with_(self, other: Self) -> "Arm":
        """Both groups as one."""
        return Arm(
            self.people + other.people,
            self.buyers + other.buyers,
            self.total + other.total,
            self.squares + other.squares,
            self.cubes + other.cubes,
        )


@dataclass(frozen=True, slots=True)
class Effect:
    """What the group that was written to brought beside what it would have brought else.

    difference, from low to high: in minor units, for all of its people together; None where the groups are too small.
    """

    verdict: Verdict
    difference: int | None = None
    low: int | None = None
    high: int | None = None

    @property
    def margin(self) -> int | None:
        """Half of the interval: about `difference` ± so much."""
        return None if self.high is None or self.low is None else (self.high - self.low + 1) // 2


@dataclass(frozen=True, slots=True)
class Pair:
    """Two wordings by their places: what a person paid more who was to read the first of them.

    verdict: EARNED where that is no chance, UNCLEAR where it may be. difference, from low to high: in minor units a
    person; None where the groups are too small.
    """

    first: int
    other: int
    verdict: Verdict
    difference: int | None = None
    low: int | None = None
    high: int | None = None

    @property
    def margin(self) -> int | None:
        """Half of the interval."""
        return None if self.high is None or self.low is None else (self.high - self.low + 1) // 2


def compare(arms: Sequence[Arm]) -> list[Pair]:
    """Each two of the groups that were to read another wording: the best and the next first, the two last in the end.

    Their intervals are those of `estimate`, under the same conditions. Of three groups three pairs can be made, and
    somebody looks for the largest difference among them: so each interval is widened until all of them together hold
    their truths 95 % of the time, by 5 % shared out among the pairs (Bonferroni's inequality; Dunn, Multiple
    Comparisons Among Means, Journal of the American Statistical Association 56, 1961). Which is the best was seen, not
    foretold; an interval that holds for every pair holds for the one that was picked.
    """
    # Of equal ones the earlier stands first.
    places = sorted(range(len(arms)), key=lambda place: -arms[place].mean)
    pairs = list(combinations(places, 2))
    return [_pair(first, other, arms, comparisons=len(pairs)) for first, other in pairs]


def estimate(treated: Arm, control: Arm) -> Effect:
    """The difference of the means, times the people who were written to, with its 95 % interval.

    The interval is Welch's: the groups may differ in size and in spread (Biometrika 34, 1947). Revenue is mostly zeros
    with a long tail. The mean of many is nearly normal all the same, and the skew that is left misses on one side what
    it gains on the other: how often the two-sided interval holds, it changes by its square (Hall, The Bootstrap and
    Edgeworth Expansion, 1992, 2.5). That is why it is enough to bound it, as Cochran's rule does for one mean, where
    people are to be more than 25 times the squared skewness (Sampling Techniques, 1977, 2.15): the skewness of the
    difference, and of each mean alone, must not pass its limit. A small group does not know its own skewness, because
    it has not met the rare rich buyer yet; so one person's skewness is taken of both groups together, and there must be
    some buyers, and some that carry the sum. tests/proofs/test_effect.py counts how often the interval holds.

    Where one of this is not met, groups are too small and nothing is said. Money is rounded once, to the nearest minor
    unit, at the end; until then sums are exact, and the interval alone is a floating-point number.
    """
    margin = _margin(treated, control)
    if margin is None:
        return Effect(Verdict.TOO_SMALL)
    difference, margin = (treated.mean - control.mean) * treated.people, margin * treated.people
    low, high = difference - margin, difference + margin
    verdict = Verdict.EARNED if low > 0 else Verdict.LOST if high < 0 else Verdict.UNCLEAR
    return Effect(verdict, round(difference), round(low), round(high))


def _pair(first: int, other: int, arms: Sequence[Arm], *, comparisons: int) -> Pair:
    margin = _margin(arms[first], arms[other], comparisons)
    if margin is None:
        return Pair(first, other, Verdict.TOO_SMALL)
    difference = arms[first].mean - arms[other].mean
    low, high = difference - margin, difference + margin
    verdict = Verdict.EARNED if low > 0 else Verdict.UNCLEAR
    return Pair(first, other, verdict, round(difference), round(low), round(high))


def _margin(one: Arm, other: Arm, comparisons: int = 1) -> Fraction | None:
    """Half of the interval of the difference of two means, in minor units a person; None where nothing may be said."""
    if not _is_large(one) or not _is_large(other):
        return None
    own, others = one.variance / one.people, other.variance / other.people
    spread = own + others
    if not spread or _are_skewed(one, other):
        return None
    freedom = spread**2 / (own**2 / (one.people - 1) + others**2 / (other.people - 1))
    return Fraction(_student(float(freedom), comparisons) * sqrt(spread))


def _is_large(arm: Arm) -> bool:
    return arm.people >= LEAST_PEOPLE and arm.buyers >= LEAST_BUYERS and arm.weight >= LEAST_WEIGHT


def _are_skewed(treated: Arm, control: Arm) -> bool:
    """Whether the difference, or the mean of the smaller group, is too far from normal."""
    skewness = treated.with_(control).squared_skewness
    one, other = Fraction(1, treated.people), Fraction(1, control.people)
    of_difference = skewness * (one**2 - other**2) ** 2 / (one + other) ** 3
    return of_difference > MOST_SKEW**2 or skewness * max(one, other) > MOST_SKEW_OF_ARM**2


def _student(freedom: float, comparisons: int) -> float:
    """Within how many standard errors 95 % lie, by Student's t; of some comparisons each a larger share.

    Two terms of its expansion: right to four digits from 50 degrees of freedom on. Source: Abramowitz and Stegun,
    Handbook of Mathematical Functions, 26.7.5.
    """
    z = NormalDist().inv_cdf(1 - _OUTSIDE / (2 * comparisons))
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
