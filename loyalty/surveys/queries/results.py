"""What the answers of a period add up to: the score, over time, by location, by who served."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from loyalty import db
from loyalty.segments.queries.base import Look, base_statement
from loyalty.segments.rules.trees import Condition, Group
from loyalty.surveys.rules import HIGHEST, LOWEST, Tally

# One walk along survey_answer_time, for everything that is shown of a period; its answers are narrow rows.
COUNT = """
SELECT date_trunc('month', a.answered_at AT TIME ZONE $3)::date AS month, a.location_id, a.cashier_id,
    a.team_member_id, grouping(a.location_id) AS no_location, grouping(a.cashier_id) AS no_cashier,
    grouping(a.team_member_id) AS no_team_member, a.score, count(*)::int AS answers
FROM survey_answer a WHERE a.answered_at >= $1 AND a.answered_at < $2 AND {where}
GROUP BY GROUPING SETS ((1, a.score), (a.location_id, a.score), (a.cashier_id, a.score), (a.team_member_id, a.score))
"""
BEFORE = """
SELECT a.score, count(*)::int AS answers FROM survey_answer a
WHERE a.answered_at >= $1 AND a.answered_at < $2 AND $3 <> '' AND {where} GROUP BY 1
"""
# Index: survey_invitation_asked.
ASKED = """
SELECT date_trunc('month', a.asked_at AT TIME ZONE $3)::date AS month, count(*)::int AS asked,
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
    bounds = (scope.begins, scope.ends, scope.zone)
    counted = await _counted(bounds, where, params)
    length = scope.ends - scope.begins
    earlier = (scope.begins - length, scope.begins, scope.zone)
    compared = await _counted(earlier, where, params)
    asked = await db.fetch_planned(ASKED.format(where=where), *bounds, *params)
    named = await _names(counted)
    lines = {kind: _lines(counted[kind], compared[kind], named, kind) for kind in BY}
    scores: dict[int, int] = dict.fromkeys(range(LOWEST, HIGHEST + 1), 0)
    for month in counted["month"].values():
        for score, answers in month.items():
            scores[score] += answers
    before = Tally.of(_summed(compared["month"].values()))
    return Results(scores, before, _months(counted["month"], asked), *(lines[kind] for kind in BY))


async def tally_of(scope: Scope, *, now: datetime) -> Tally:
    """The answers of a period as a whole: for one number on another page."""
    where, params = await condition(scope, now, 4)
    rows = await db.fetch_planned(BEFORE.format(where=where), scope.begins, scope.ends, scope.zone, *params)
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


async def _counted(bounds: tuple[datetime, datetime, str], where: str, params: Sequence[Any]) -> Counts:
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


def _months(counted: dict[date, dict[int, int]], asked: list[db.Row]) -> list[Month]:
    rows = {row["month"]: row for row in asked}
    return [
        Month(
            day,
            Tally.of(counted.get(day, {})),
            rows[day]["asked"] if day in rows else 0,
            rows[day]["answered"] if day in rows else 0,
        )
        for day in sorted({*counted, *rows})
    ]


def _summed(parts: Any) -> dict[int, int]:
    total: dict[int, int] = {}
    for part in parts:
        for score, answers in part.items():
            total[score] = total.get(score, 0) + answers
    return total
