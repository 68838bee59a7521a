"""What the answers of a period add up to: the score, over time, by location, by who served."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from loyalty import db
from loyalty.clock import add_months, business_date, start_of_day
from loyalty.segments.queries.base import Look, base_statement
from loyalty.segments.rules.trees import Condition, Group
from loyalty.surveys.rules import HIGHEST, LOWEST, Tally

# One walk along survey_answer_time, for everything that is shown of a period; what comes of it is counted again, by one
# thing at a time. $3: when each month begins.
COUNT = """
SELECT part.month, part.location_id, part.cashier_id, part.team_member_id, grouping(part.location_id) AS no_location,
    grouping(part.cashier_id) AS no_cashier, grouping(part.team_member_id) AS no_team_member, part.score,
    sum(part.answers)::int AS answers
FROM (SELECT width_bucket(a.answered_at, $3::timestamptz[]) AS month, a.location_id, a.cashier_id, a.team_member_id,
        a.score, count(*) AS answers
    FROM survey_answer a WHERE a.answered_at >= $1 AND a.answered_at < $2 AND {where} GROUP BY 1, 2, 3, 4, 5) part
GROUP BY GROUPING SETS ((part.month, part.score), (part.location_id, part.score), (part.cashier_id, part.score),
    (part.team_member_id, part.score))
"""
TALLY = """
SELECT a.score, count(*)::int AS answers FROM survey_answer a
WHERE a.answered_at >= $1 AND a.answered_at < $2 AND {where} GROUP BY 1
"""
# Index: survey_invitation_asked.
ASKED = """
SELECT width_bucket(a.asked_at, $3::timestamptz[]) AS month, count(*)::int AS asked,
    (count(*) FILTER (WHERE a.state = 'answered'))::int AS answered
FROM survey_invitation a WHERE a.asked_at >= $1 AND a.asked_at < $2 AND {where} GROUP BY 1
"""
# A handful of rows each.
NAMES = """
SELECT 'location' AS kind, id, name FROM location WHERE id = ANY($1::int[])
UNION ALL SELECT 'cashier', id, name FROM staff_member WHERE id = ANY($2::int[])
UNION ALL SELECT 'team_member', id, name FROM team_member WHERE id = ANY($3::int[])
"""
BY = ("location", "cashier", "team_member")
_A_MOMENT = timedelta(microseconds=1)
_PLACE = re.compile(r"\$([0-9]+)")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which answers are meant. locations: of these alone; None for all, also those of no location.

    segment_id: of whoever is in this segment now.
    """

    begins: datetime
    ends: datetime
    zone: str
    locations: tuple[int, ...] | None = None
    segment_id: int | None = None


@dataclass(frozen=True, slots=True)
class Month:
    """One month of a period. asked: how many questions were asked in it; answered: how many of those were answered."""

    first_day: date
    tally: Tally
    asked: int
    answered: int

    @property
    def share_bp(self) -> int | None:
        """The share of questions that were answered, in basis points; None where nobody was asked."""
        return round(self.answered * 10_000 / self.asked) if self.asked else None


@dataclass(frozen=True, slots=True)
class Line:
    """What was answered about one location or person. name None: about none."""

    id: int | None
    name: str | None
    tally: Tally
    before: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that is shown of a period. scores: how many gave each; before: in the period of this length before."""

    scores: dict[int, int]
    before: Tally
    months: list[Month]
    locations: list[Line]
    cashiers: list[Line]
    team_members: list[Line]

    @property
    def tally(self) -> Tally:
        """All of the period together."""
        return Tally.of(self.scores)

    @property
    def asked(self) -> int:
        """How many questions were asked in the period."""
        return sum(month.asked for month in self.months)

    @property
    def answered(self) -> int:
        """How many of those were answered by now."""
        return sum(month.answered for month in self.months)


async def results(scope: Scope, *, now: datetime) -> Results:
    """What the answers of a period add up to. Of a year with half a million answers it takes about a second."""
    where, params = await condition(scope, now, 4)
    days = _first_days(scope)
    bounds = (scope.begins, scope.ends, [start_of_day(day, scope.zone) for day in days])
    counted = await _counted(bounds, where, params)
    earlier = scope.begins - (scope.ends - scope.begins)
    compared = await _counted((earlier, scope.begins, [earlier]), where, params)
    asked = await db.fetch_planned(ASKED.format(where=where), *bounds, *params)
    named = await _names(counted)
    lines = {kind: _lines(counted[kind], compared[kind], named, kind) for kind in BY}
    scores: dict[int, int] = dict.fromkeys(range(LOWEST, HIGHEST + 1), 0)
    for month in counted["month"].values():
        for score, answers in month.items():
            scores[score] += answers
    before = Tally.of(_summed(compared["month"].values()))
    return Results(scores, before, _months(days, counted["month"], asked), *(lines[kind] for kind in BY))


async def tally_of(scope: Scope, *, now: datetime) -> Tally:
    """The answers of a period as a whole: for one number on another page."""
    where, params = await condition(scope, now, 3)
    rows = await db.fetch_planned(TALLY.format(where=where), scope.begins, scope.ends, *params)
    return Tally.of({row["score"]: row["answers"] for row in rows})


async def condition(scope: Scope, now: datetime, first: int) -> tuple[str, list[Any]]:
    """SQL on `a` of what a scope says beside its period; its parameters begin with number `first`."""
    parts, params = ["true"], []
    if scope.segment_id is not None:
        look = Look(tree=Group(parts=(Condition("segment", "any", str(scope.segment_id)),)))
        found, values = await base_statement(look, now=now)
        # Its parameters are numbered from one: they move up by those of the statement around it.
        found = _PLACE.sub(lambda match: f"${int(match[1]) + first - 1}", found)
        params += values
        parts.append(f"a.customer_id IN ({found})")
    if scope.locations is not None:
        params.append(list(scope.locations))
        parts.append(f"a.location_id = ANY(${first + len(params) - 1}::int[])")
    return " AND ".join(parts), params


Counts = dict[str, dict[Any, dict[int, int]]]


async def _counted(bounds: tuple[datetime, datetime, list[datetime]], where: str, params: Sequence[Any]) -> Counts:
    """By what -> which one -> score -> answers."""
    counted: Counts = {kind: {} for kind in ("month", *BY)}
    for row in await db.fetch_planned(COUNT.format(where=where), *bounds, *params):
        kind = next((one for one in BY if not row[f"no_{one}"]), "month")
        key = row["month"] if kind == "month" else row[f"{kind}_id"]
        counted[kind].setdefault(key, {})[row["score"]] = row["answers"]
    return counted


async def _names(counted: Counts) -> dict[tuple[str, int], str]:
    ids = [[one for one in counted[kind] if one is not None] for kind in BY]
    return {(row["kind"], row["id"]): row["name"] for row in await db.fetch(NAMES, *ids)}


def _lines(
    counted: dict[Any, dict[int, int]], before: dict[Any, dict[int, int]], names: dict[tuple[str, int], str], kind: str
) -> list[Line]:
    """Those about whom most was said first; what is about nobody last."""
    lines = [
        Line(key, names.get((kind, key)) if key is not None else None, Tally.of(scores), Tally.of(before.get(key, {})))
        for key, scores in counted.items()
    ]
    return sorted(lines, key=lambda line: (line.id is None, -line.tally.total, line.id or 0))


def _first_days(scope: Scope) -> list[date]:
    """The first day of each month of a period, by the shop's calendar."""
    day, last = (
        business_date(scope.begins, scope.zone).replace(day=1),
        business_date(scope.ends - _A_MOMENT, scope.zone),
    )
    days = []
    while day <= last:
        days.append(day)
        day = add_months(day, 1)
    return days


def _months(days: list[date], counted: dict[int, dict[int, int]], asked: list[db.Row]) -> list[Month]:
    """Every month of the period, also those in which nobody was asked or answered."""
    rows = {row["month"]: row for row in asked}
    return [
        Month(
            day,
            Tally.of(counted.get(number, {})),
            rows[number]["asked"] if number in rows else 0,
            rows[number]["answered"] if number in rows else 0,
        )
        for number, day in enumerate(days, 1)
    ]


def _summed(parts: Any) -> dict[int, int]:
    total: dict[int, int] = {}
    for part in parts:
        for score, answers in part.items():
            total[score] = total.get(score, 0) + answers
    return total
