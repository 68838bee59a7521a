"""Which campaigns of a period brought most, by their reports."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.office.dashboard import Window
from loyalty.office.queries.dashboard.asking import bounds

BEST_ROWS = 5


@dataclass(frozen=True, slots=True)
class BestCampaign:
    """One whose effect is known. difference, from low to high: minor units more than without; bonuses: their cost."""

    id: int
    name: str
    began_at: datetime
    people: int
    verdict: str
    difference: int
    low: int | None
    high: int | None
    bonuses: int | None


# Campaigns are some hundreds; their reports are kept with them.
BEST = """
SELECT id, name, coalesce(started_at, created_at) AS began_at, report FROM campaign
WHERE jsonb_typeof(report->'difference') = 'number' AND coalesce(started_at, created_at) >= $1
    AND coalesce(started_at, created_at) < $2 AND ($3::int IS NULL OR staff_id = $3)
ORDER BY (report->>'difference')::numeric DESC, id DESC LIMIT $4
"""
HOW_MANY = """
SELECT count(*) FROM campaign WHERE state <> 'draft' AND coalesce(started_at, created_at) >= $1
    AND coalesce(started_at, created_at) < $2 AND ($3::int IS NULL OR staff_id = $3)
"""


async def best_campaigns(window: Window, *, zone: str, staff_id: int | None = None) -> tuple[list[BestCampaign], int]:
    """Those begun in the period that brought most, BEST_ROWS at most, and how many were begun at all.

    Only those whose two groups could be compared. staff_id: only those that this person began.
    """
    rows = await db.fetch(BEST, *bounds(window, zone), staff_id, BEST_ROWS)
    begun: int = await db.fetch_value(HOW_MANY, *bounds(window, zone), staff_id)
    return [_campaign(row) for row in rows], begun


def _campaign(row: db.Row) -> BestCampaign:
    """A report may be of an older version, with less in it."""
    report: dict[str, Any] = db.from_json(row["report"])
    cost = report.get("cost")
    return BestCampaign(
        row["id"],
        row["name"],
        row["began_at"],
        _number(report.get("people")) or 0,
        str(report.get("verdict", "")),
        _number(report["difference"]) or 0,
        _number(report.get("low")),
        _number(report.get("high")),
        _number(cost.get("value") if isinstance(cost, dict) else cost),
    )


def _number(value: Any) -> int | None:
    return round(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
