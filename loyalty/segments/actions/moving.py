"""Segments filled by hand hold the person when two cards of theirs become one."""

from loyalty import db

MOVE = """
WITH gone AS (
    DELETE FROM segment_member WHERE customer_id = $1 RETURNING segment_id, added_at, staff_id
), came AS (
    INSERT INTO segment_member (segment_id, customer_id, added_at, staff_id)
    SELECT segment_id, $2, added_at, staff_id FROM gone
    ON CONFLICT (segment_id, customer_id) DO NOTHING RETURNING segment_id
)
SELECT gone.*, came.segment_id IS NOT NULL AS is_new FROM gone LEFT JOIN came USING (segment_id)
"""
BACK = """
WITH part AS (
    SELECT * FROM jsonb_to_recordset($3::jsonb)
        part (segment_id int, added_at timestamptz, staff_id int, is_new boolean)
), gone AS (
    DELETE FROM segment_member USING part
    WHERE segment_member.segment_id = part.segment_id AND customer_id = $1 AND is_new
)
INSERT INTO segment_member (segment_id, customer_id, added_at, staff_id)
SELECT segment_id, $2, added_at, staff_id FROM part ON CONFLICT (segment_id, customer_id) DO NOTHING
"""


async def move(merged_id: int, survivor_id: int) -> list[db.Row]:
    """Put the survivor where the other card was; where that was. Index: segment_member_customer."""
    return [row | {"added_at": row["added_at"].isoformat()} for row in await db.fetch(MOVE, merged_id, survivor_id)]


async def move_back(merged_id: int, survivor_id: int, remembered: list[db.Row]) -> None:
    """Take `move` back: the survivor stays only where it was before."""
    await db.execute(BACK, survivor_id, merged_id, db.to_json(remembered))
