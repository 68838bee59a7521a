"""What was asked and answered goes with the person when two cards of theirs become one."""

from loyalty import db
from loyalty.customers.actions.handing import hand_back, hand_over
from loyalty.surveys.actions.answering import recount

HANDED = ("survey_invitation",)
# An answer is whose its invitation is.
FOLLOW = """
UPDATE survey_answer a SET customer_id = i.customer_id FROM survey_invitation i
WHERE i.id = a.invitation_id AND i.id = ANY($1::bigint[]) AND a.customer_id <> i.customer_id
"""


async def move(merged_id: int, survivor_id: int) -> dict[str, list[int]]:
    """Make one customer's invitations and answers another's; which ones. Index: survey_invitation_customer."""
    moved = await hand_over(HANDED, merged_id, survivor_id)
    await _follow(moved, merged_id, survivor_id)
    return moved


async def move_back(merged_id: int, survivor_id: int, remembered: dict[str, list[int]]) -> None:
    """Take `move` back; what was asked since stays with the survivor."""
    await hand_back(remembered, survivor_id, merged_id)
    await _follow(remembered, merged_id, survivor_id)


async def _follow(moved: dict[str, list[int]], *customer_ids: int) -> None:
    await db.execute(FOLLOW, moved.get("survey_invitation", []))
    await recount(list(customer_ids))
