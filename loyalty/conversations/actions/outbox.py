"""Putting service messages into the outbox, once for each cause."""

from collections.abc import Mapping
from datetime import datetime

from loyalty import db
from loyalty.conversations.content import Content
from loyalty.conversations.queries.recipients import Recipient
from loyalty.conversations.rules import Priority

QUEUE = """
INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, dedupe_key,
    created_at, due_at, attempts)
SELECT a.id, a.customer_id, a.channel, 'out', $2::text, $3::jsonb, 'queued', $6, $4::text, $5::timestamptz, $5, 0
FROM messenger_account a WHERE a.id = $1::bigint ON CONFLICT (dedupe_key) DO NOTHING RETURNING id
"""


async def tell_customer(
    recipient: Recipient,
    values: Mapping[str, str],
    *,
    dedupe_key: str,
    now: datetime,
    priority: Priority = Priority.SERVICE,
) -> None:
    """Tell somebody of something in the words of its type, in the caller's transaction. The same key says it once.

    priority: BULK where many are told at once, so that they leave after everything else.
    """
    content = recipient.content(values)
    await queue_service(
        recipient.account_id, recipient.kind, content, dedupe_key=dedupe_key, now=now, priority=priority
    )


async def queue_service(
    account_id: int,
    kind: str,
    content: Content,
    *,
    dedupe_key: str,
    now: datetime,
    priority: Priority = Priority.SERVICE,
) -> None:
    """Put a service message into the outbox, in the caller's transaction. The same key says it once."""
    await db.execute(QUEUE, account_id, kind, db.to_json(content.to_body()), dedupe_key, now, priority.value)
    db.wake("messages")
