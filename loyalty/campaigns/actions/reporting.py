"""Keeping what came of campaigns, so that nobody waits for counting a million people."""

from datetime import datetime

from loyalty import db
from loyalty.campaigns.queries.report import Report, count_report

# Campaigns are few. One whose window has just ended is counted at once; else the more people, the more seldom. A report
# that is final is counted no more.
DUE = """
SELECT id FROM campaign
WHERE state IN ('running', 'paused', 'finished', 'cancelled') AND total > 0
    AND (reported_at IS NULL OR NOT (report->>'is_final')::boolean AND (
        reported_at <= $1::timestamptz - make_interval(mins => CASE WHEN total > 200000 THEN 360
            WHEN total > 20000 THEN 60 ELSE 10 END * CASE WHEN finished_at < $1 - INTERVAL '2 days' THEN 6 ELSE 1 END)
        OR (report->>'until')::timestamptz > reported_at AND (report->>'until')::timestamptz <= $1))
ORDER BY reported_at NULLS FIRST, id LIMIT $2
"""
KEEP = "UPDATE campaign SET report = $2::jsonb, reported_at = $3 WHERE id = $1"


async def report_due(*, now: datetime, limit: int = 20) -> int:
    """Count what came of campaigns of which it was counted too long ago; returns of how many. Safe twice."""
    rows = await db.fetch(DUE, now, limit)
    for row in rows:
        await report_campaign(row["id"], now=now)
    return len(rows)


async def report_campaign(campaign_id: int, *, now: datetime) -> Report:
    """Count what came of a campaign, and keep it. Raises NotFound("campaign").

    Counted in a snapshot of its own: nothing is locked meanwhile, and an older count never takes a newer one's place.
    """
    report = await count_report(campaign_id, now=now)
    await _keep(campaign_id, report)
    return report


@db.use_case
async def _keep(campaign_id: int, report: Report) -> None:
    await db.execute(
        f"{KEEP} AND (reported_at IS NULL OR reported_at <= $3)",
        campaign_id,
        db.to_json(report.to_body()),
        report.at,
    )
