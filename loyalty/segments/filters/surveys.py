"""What people answered when they were asked how it was."""

from typing import Any

from loyalty.segments.filters.base import Area, ChoiceFilter, Context, PeriodFilter, RangeFilter
from loyalty.wording import mark

RANGES = {
    "promoter": "f.nps >= 9",
    "passive": "f.nps BETWEEN 7 AND 8",
    "detractor": "f.nps BETWEEN 0 AND 6",
    "never": "f.nps < 0",
}
"""SQL of each group."""


class Score(RangeFilter):
    """The newest score, 0 to 10, of those who gave one."""

    key, label, area, column = "nps", mark("Score (NPS)"), Area.SURVEYS, "nps"
    fact, known_from = "f.nps", 0


class ScoreGroup(ChoiceFilter):
    """What the newest score makes of them."""

    key, label, area, column = "nps_group", mark("NPS group"), Area.SURVEYS, "nps"
    choices = (
        ("promoter", mark("Promoters: 9 and 10")),
        ("passive", mark("Passives: 7 and 8")),
        ("detractor", mark("Detractors: 0 to 6")),
        ("never", mark("Never answered")),
    )

    def test(self, wanted: list[Any], context: Context) -> str:  # noqa: ARG002  every filter is asked alike
        """Ranges of the facts; what is asked for holds no value of anybody's."""
        return "(" + " OR ".join(RANGES[one] for one in dict.fromkeys(wanted)) + ")"


class ScoredAt(PeriodFilter):
    """When the newest score was given."""

    key, label, area, column = "nps_at", mark("Last score given"), Area.SURVEYS, "nps"
    moment = "f.nps_at"


FILTERS = (Score, ScoreGroup, ScoredAt)
