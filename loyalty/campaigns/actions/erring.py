"""A campaign stands still by itself when too much of it goes wrong, or nobody takes our token any more."""

from datetime import datetime

from loyalty import db
from loyalty.campaigns.rules.states import Errors, PauseReason
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import JOB

OWN_DOING = (
    "blocked",
    "unlinked",
    "not_taken",
    "no_consent",
    "frequency_cap",
    "opted_out",
    "window_closed",
)
"""Why a message did not arrive through nobody's fault but its person's."""
# Since it began or went on: whatever was queued before that is judged already. Only what runs is looked at.
ERRORS = """
SELECT count(*) FILTER (WHERE m.status IN ('sent', 'delivered', 'read', 'failed', 'unknown'))::int AS settled,
    count(*) FILTER (WHERE m.status = 'unknown' OR m.status = 'failed' AND m.reason <> ALL($2::text[]))::int AS wrong
FROM campaign c JOIN recipient r ON r.campaign_id = c.id JOIN message m ON m.id = r.message_id
WHERE c.id = $1 AND c.state = 'running' AND r.state IN ('queued', 'due', 'done') AND m.due_at >= c.resumed_at
"""
# Channels are a handful: `channel_pause` has a row for each account of ours at most.
REVOKED = """
SELECT 1 FROM campaign c JOIN channel_pause p ON split_part(p.source, ':', 1) = ANY(string_to_array(c.channels, ','))
WHERE c.id = $1 AND c.state = 'running' AND p.reason = 'unauthorized' AND p.paused_until > $2 LIMIT 1
"""
PAUSE = "UPDATE campaign SET state = 'paused', pause_reason = $2 WHERE id = $1 AND state = 'running'"


async def pause_by_itself(campaign_id: int, *, now: datetime) -> bool:
    """Let a campaign stand still that goes wrong; the caller holds it, and takes back what it has in the outbox."""
    reason = None
    if await db.fetch_value(REVOKED, campaign_id, now) is not None:
        reason = PauseReason.TOKEN_REVOKED
    else:
        row = await db.fetch_row(ERRORS, campaign_id, list(OWN_DOING))
        if row is not None and Errors(row["settled"], row["wrong"]).are_too_many:
            reason = PauseReason.ERRORS
    if reason is None:
        return False
    await db.execute(PAUSE, campaign_id, reason.value)
    await write_journal(
        JOB, "campaign.paused", subject_kind="campaign", subject_id=campaign_id, now=now, reason=reason.value
    )
    return True
