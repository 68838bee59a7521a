"""How large segments are from day to day."""

from datetime import datetime, timedelta

from loyalty import db
from loyalty.clock import business_date
from loyalty.segments.queries.base import Look, base_count
from loyalty.segments.queries.segments import segment
from loyalty.segments.rules.trees import Condition, Group
from loyalty.shop.queries import shop

AGAIN = timedelta(hours=6)
"""A day's size is that of its last count."""
EVERYBODY_AT_MOST = 2**31 - 2

DUE = """
    SELECT s.id FROM segment s WHERE s.archived_at IS NULL AND NOT EXISTS (
        SELECT FROM segment_size z WHERE z.segment_id = s.id AND z.day = $1 AND z.counted_at > $2)
    ORDER BY s.id LIMIT $3
"""
KEEP = """
    INSERT INTO segment_size (segment_id, day, size, counted_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (segment_id, day) DO UPDATE SET size = EXCLUDED.size, counted_at = EXCLUDED.counted_at
"""


async def count_due(*, now: datetime, limit: int) -> int:
    """Count the living segments that were not counted for AGAIN; returns how many were."""
    today = business_date(now, (await shop()).time_zone)
    due = [row["id"] for row in await db.fetch(DUE, today, now - AGAIN, limit)]
    for segment_id in due:
        await count_segment(segment_id, now=now)
    return len(due)


async def count_segment(segment_id: int, *, now: datetime) -> int:
    """Count a segment now and keep it as the day's size. Who is hidden does not count. Raises NotFound("segment")."""
    await segment(segment_id)
    tree = Group(parts=(Condition("segment", "any", str(segment_id)),))
    size = await base_count(Look(tree=tree), now=now, at_most=EVERYBODY_AT_MOST)
    today = business_date(now, (await shop()).time_zone)
    await db.execute(KEEP, segment_id, today, size, now)
    return size
