"""What becomes of a message after it was sent, as the messenger tells; a status only moves up."""

from datetime import datetime

from loyalty import db
from loyalty.conversations.rules import Status

# By our own number of it, in its chat or by its name, because a person may be reported by a name that we never heard; a
# messenger that leaves our number out names the message itself, in its chat. Whatever the worker
# believes of a call that is under way or was lost, the messenger knows better.
RISE = """
UPDATE message SET status = $5::text, external_id = coalesce(external_id, $2), leased_until = NULL, reason = NULL,
    sent_at = coalesce(sent_at, $6),
    delivered_at = CASE WHEN $5 IN ('delivered', 'read') THEN coalesce(delivered_at, $6) ELSE delivered_at END,
    read_at = CASE WHEN $5 = 'read' THEN coalesce(read_at, $6) ELSE read_at END
FROM messenger_account a
WHERE a.id = message.account_id AND a.channel = $3 AND message.direction = 'out'
    AND (message.id = $1 AND ($4::text IS NULL OR $4 IN (a.address, a.alias) OR message.external_id = $2)
        OR $1 IS NULL AND $4 IN (a.address, a.alias) AND message.external_id = $2)
    AND message.status <> ALL ($7::text[]) RETURNING message.account_id
"""
ABOVE = {
    Status.SENT: (Status.SENT, Status.DELIVERED, Status.READ),
    Status.DELIVERED: (Status.DELIVERED, Status.READ),
    Status.READ: (Status.READ,),
}
"""What a message must not be yet, for it to become this."""


async def note_progress(
    channel: str, address: str | None, external_id: str, status: Status, *, reference: int | None, at: datetime
) -> bool:
    """A message was sent, delivered or read; returns whether that was news. Twice, or late, is no news.

    `address` None: whoever tells it knows the message, `reference`, and nobody's name.
    """
    above = [one.value for one in ABOVE[status]]
    account_id = await db.fetch_value(RISE, reference, external_id, channel, address, status.value, at, above)
    if account_id is None:
        return False
    db.wake(f"conversations:{account_id}")
    return True
