"""What customers answered in a period when they were asked how it was."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Self

from loyalty.office.dashboard import Window
from loyalty.office.queries.dashboard.asking import ask, bounds, bounds_before
from loyalty.surveys.rules import Tally


@dataclass(frozen=True, slots=True)
class Answers:
    """How many gave each score, in a period and in the one before it."""

    now: dict[int, int] = field(default_factory=dict)
    before: dict[int, int] = field(default_factory=dict)

    @property
    def tally(self) -> Tally:
        """Who they were, and the score."""
        return Tally.of(self.now)

    @property
    def tally_before(self) -> Tally:
        """The same of the period before."""
        return Tally.of(self.before)

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> Self:
        """What was kept of it."""
        return cls(*({int(score): count for score, count in body[side].items()} for side in ("now", "before")))


# Index: survey_answer_time.
SCORES = """
SELECT score, count(*) AS count FROM survey_answer
WHERE answered_at >= $1 AND answered_at < $2 AND ($3::int[] IS NULL OR location_id = ANY($3)) GROUP BY 1
"""


async def count_answers(window: Window, locations: Collection[int] | None, *, zone: str) -> Answers:
    """Count the answers of a period: all, or those about these locations."""
    places = None if locations is None else list(locations)
    sides = [await ask(SCORES, *side, places) for side in (bounds(window, zone), bounds_before(window, zone))]
    return Answers(*({row["score"]: row["count"] for row in rows} for rows in sides))
