"""Sending again what was lost, by whoever of staff decides so."""

from datetime import datetime

from loyalty import db
from loyalty.conversations.answering import window_ends
from loyalty.conversations.content import Content
from loyalty.conversations.queries.sending import template_for
from loyalty.conversations.rules import Leased, Priority, Status, refusal
from loyalty.errors import NotFound, Refused
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

# What a worker would judge it by, were it to send it now.
LOST = """
SELECT m.id, m.kind, m.priority, m.attempts, m.account_id, a.language, m.content, m.topic, m.created_at, m.customer_id,
    m.reason, a.address, a.alias, a.customer_id AS account_customer_id, a.is_active, c.heard_at, m.status, a.channel,
    CASE m.topic WHEN 'service' THEN a.takes_service WHEN 'marketing' THEN a.takes_marketing
        ELSE a.takes_surveys END AS is_taken,
    (SELECT granted FROM consent WHERE consent.customer_id = m.customer_id AND consent.topic = m.topic
        ORDER BY id DESC LIMIT 1) AS is_granted
FROM message m JOIN messenger_account a ON a.id = m.account_id LEFT JOIN conversation c ON c.account_id = a.id
WHERE m.id = $1 AND m.direction = 'out'
"""
# One message goes instead of another, whoever has it sent: staff twice at once, or a worker through another account.
AGAIN = """
INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, topic, dedupe_key,
    instead_of_id, staff_id, created_at, due_at, attempts)
SELECT m.account_id, m.customer_id, m.channel, 'out', m.kind, m.content, 'queued', m.priority, m.topic,
    'instead:' || m.id, m.id, m.staff_id, $2, $2, 0
FROM message m WHERE m.id = $1 ON CONFLICT (dedupe_key) DO NOTHING RETURNING id
"""
BLOCKED = "blocked"


@db.use_case
async def send_again(message_id: int, *, actor: Actor, now: datetime) -> bool:
    """Queue another message instead of one that failed or of which nobody knows whether it arrived.

    False: another went instead of it already, so that twice is once. Raises NotFound("message"), Refused("not_lost" |
    "account_blocked" | "unlinked" | "not_taken" | "no_consent" | "window_closed").
    """
    row = await db.fetch_row(LOST, message_id)
    if row is None:
        raise NotFound("message")
    status, channel = Status(row.pop("status")), row.pop("channel")
    if status not in {Status.FAILED, Status.UNKNOWN}:
        raise Refused("not_lost")
    content = Content.from_body(db.from_json(row["content"]))
    lost = Leased(**{**row, "content": content, "priority": Priority(row["priority"]), "quiet_zone": None})
    if why := refusal(lost):
        raise Refused("account_blocked" if why == BLOCKED else why)
    await _check_window(lost, channel, now)
    sent_id = await db.fetch_value(AGAIN, lost.id, now)
    if sent_id is None:
        return False
    await write_journal(
        actor, "message.sent_again", subject_kind="account", subject_id=lost.account_id, now=now, message=sent_id
    )
    db.wake("messages")
    db.wake(f"conversations:{lost.account_id}")
    return True


async def _check_window(lost: Leased, channel: str, now: datetime) -> None:
    """Raise Refused("window_closed") where it is too late for free words and no template stands in."""
    ends = window_ends(channel, lost.heard_at)
    if ends is None or ends > now or lost.content.template:
        return
    if await template_for(lost.kind, lost.language, lost.content.values) is None:
        raise Refused("window_closed")
