"""What waits for a person of the panel, room by room."""

from dataclasses import dataclass
from datetime import datetime

from loyalty import db


@dataclass(frozen=True, slots=True)
class Work:
    """How much waits.

    Chats for an answer, credits by hand for a second person, fiscal receipts for their check, accounts that may be
    somebody's for a decision, channels for somebody who mends them: updates that failed, tokens that are refused.
    """

    chats: int = 0
    credit_requests: int = 0
    claims: int = 0
    link_requests: int = 0
    channels: int = 0


# What waits is little, and each count walks an index of nothing else: conversation_waiting, credit_request_waiting,
# fiscal_claim_waiting, link_request_open, incoming_update_failed; channel_pause has a line for each account of ours.
WORK = """
    SELECT (SELECT count(*) FROM conversation WHERE waiting_since IS NOT NULL) AS chats,
        (SELECT count(*) FROM credit_request WHERE state = 'waiting' AND staff_id <> $1) AS credit_requests,
        (SELECT count(*) FROM fiscal_claim WHERE state = 'waiting') AS claims,
        (SELECT count(*) FROM link_request WHERE state = 'open') AS link_requests,
        (SELECT count(*) FROM incoming_update WHERE state = 'failed') + (SELECT count(*) FROM channel_pause
            WHERE reason = 'unauthorized' AND paused_until > $2) AS channels
"""


async def work_for(staff_id: int, *, now: datetime) -> Work:
    """What waits; of credits, those that this person may answer because somebody else asked."""
    row = await db.fetch_row(WORK, staff_id, now)
    assert row is not None
    return Work(**row)
