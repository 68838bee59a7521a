"""What waits for a person of the panel, room by room."""

from dataclasses import dataclass

from loyalty import db


@dataclass(frozen=True, slots=True)
class Work:
    """How much waits: chats for an answer, credits by hand for a second person, fiscal receipts for their check."""

    chats: int = 0
    credit_requests: int = 0
    claims: int = 0


# What waits is little, and each count walks an index of nothing else: conversation_waiting, credit_request_waiting,
# fiscal_claim_waiting.
WORK = """
    SELECT (SELECT count(*) FROM conversation WHERE waiting_since IS NOT NULL) AS chats,
        (SELECT count(*) FROM credit_request WHERE state = 'waiting' AND staff_id <> $1) AS credit_requests,
        (SELECT count(*) FROM fiscal_claim WHERE state = 'waiting') AS claims
"""


async def work_for(staff_id: int) -> Work:
    """What waits; of credits, those that this person may answer because somebody else asked."""
    row = await db.fetch_row(WORK, staff_id)
    assert row is not None
    return Work(**row)
