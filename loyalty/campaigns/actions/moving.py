"""Whoever is on the way through an automation goes on once when two cards of theirs become one."""

from datetime import datetime

from loyalty import db
from loyalty.campaigns.rules.automations import Stop
from loyalty.customers.actions.handing import hand_back

# What happened to both happened to one person: the merged card's way ends. Index: automation_run_customer.
STOP = """
UPDATE automation_run r SET state = 'stopped', reason = $3, finished_at = $4
WHERE r.customer_id = $1 AND r.state = 'waiting' AND EXISTS (SELECT FROM automation_run other
    WHERE other.customer_id = $2 AND other.automation_id = r.automation_id AND other.key = r.key)
"""
MOVE = """
UPDATE automation_run r SET customer_id = $2
WHERE r.customer_id = $1 AND NOT EXISTS (SELECT FROM automation_run other
    WHERE other.customer_id = $2 AND other.automation_id = r.automation_id AND other.key = r.key)
RETURNING r.id
"""


async def move(merged_id: int, survivor_id: int, *, now: datetime) -> dict[str, list[int]]:
    """Make one customer's ways another's, but for those that the other went, too; which ones."""
    await db.execute(STOP, merged_id, survivor_id, Stop.MERGED.value, now)
    rows = await db.fetch(MOVE, merged_id, survivor_id)
    return {"automation_run": sorted(row["id"] for row in rows)}


async def move_back(merged_id: int, survivor_id: int, remembered: dict[str, list[int]]) -> None:
    """Take `move` back. What began since stays with the survivor; what was ended stays ended."""
    await hand_back(remembered, survivor_id, merged_id)
