"""What waits for a person of the panel, room by room."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.conversations.queries.inbox import CHAT_WITHIN
from loyalty.customers.queries import reach
from loyalty.receipts.queries.claims import CLAIM_WITHIN


@dataclass(frozen=True, slots=True)
class Work:
    """How much waits.

    Chats for an answer, credits by hand for a second person, fiscal receipts for their check, accounts that may be
    somebody's for a decision, channels for somebody who mends them: updates that failed, tokens that are refused;
    tasks of one's own that are due today or were before, or that one was to be reminded of by now.
    """

    chats: int = 0
    credit_requests: int = 0
    claims: int = 0
    link_requests: int = 0
    channels: int = 0
    tasks: int = 0


# What waits is little, and each count walks an index of nothing else: conversation_waiting, credit_request_waiting,
# fiscal_claim_waiting, link_request_open, incoming_update_failed, task_open and task_remind; channel_pause has a line
# for each account of ours. Today ends at the shop's midnight.
WORK = f"""
    SELECT (SELECT count(*) FROM conversation c WHERE waiting_since IS NOT NULL
            AND {CHAT_WITHIN.format("$3")}) AS chats,
        (SELECT count(*) FROM credit_request q WHERE state = 'waiting' AND staff_id <> $1
            AND {reach.within("q.customer_id", "$3")}) AS credit_requests,
        (SELECT count(*) FROM fiscal_claim c WHERE state = 'waiting' AND {CLAIM_WITHIN.format("$3")}) AS claims,
        (SELECT count(*) FROM link_request r WHERE state = 'open'
            AND {reach.within("r.customer_id", "$3")}) AS link_requests,
        (SELECT count(*) FROM incoming_update WHERE state = 'failed') + (SELECT count(*) FROM channel_pause
            WHERE reason = 'unauthorized' AND paused_until > $2) AS channels,
        (SELECT count(*) FROM task t WHERE t.state = 'open' AND t.assignee_id = $1 AND (t.remind_at <= $2
            OR t.due_at < (SELECT (date_trunc('day', $2 AT TIME ZONE time_zone) + interval '1 day')
                AT TIME ZONE time_zone FROM shop))) AS tasks
"""


async def work_for(staff_id: int, *, within: Collection[int] | None = None, now: datetime) -> Work:
    """What waits; of credits, those that this person may answer because somebody else asked.

    within: the locations that their rights are for, None for the whole chain.
    """
    row = await db.fetch_row(WORK, staff_id, now, None if within is None else list(within))
    assert row is not None
    return Work(**row)
