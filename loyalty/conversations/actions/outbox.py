"""Putting messages into the outbox: to whom, in which words, once for each cause."""

from datetime import datetime

from loyalty import db
from loyalty.conversations.content import Button, Content
from loyalty.conversations.kinds import KINDS

# The account to write to: the default one, or another that can be written to. Index: messenger_account_customer.
QUEUE = """
INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, dedupe_key,
    created_at, due_at, attempts)
SELECT a.id, a.customer_id, a.channel, 'out', $2::text, $3::jsonb, 'queued', 1, $4::text, $5::timestamptz, $5, 0
FROM messenger_account a WHERE a.id = $1::bigint ON CONFLICT (dedupe_key) DO NOTHING RETURNING id
"""
RECIPIENT = """
SELECT a.id, c.language FROM messenger_account a JOIN customer c ON c.id = a.customer_id
WHERE a.customer_id = $1 AND a.is_active AND a.takes_service ORDER BY a.is_default DESC, a.id LIMIT 1
"""


async def recipient_of(customer_id: int) -> tuple[int, str] | None:
    """(account to write to, language) of a customer; None when nowhere can be written to."""
    row = await db.fetch_row(RECIPIENT, customer_id)
    return (row["id"], row["language"]) if row else None


def service_content(kind: str, language: str, values: dict[str, str]) -> Content:
    """What a service message of this kind says."""
    said = KINDS[kind]
    row = tuple(Button(label, data) for label, data in said.row(language, values))
    return Content(text=said.text(language, values), buttons=(row,) if row else (), values=values)


async def queue_service(account_id: int, kind: str, content: Content, *, dedupe_key: str, now: datetime) -> None:
    """Put a service message into the outbox, in the caller's transaction. The same key says it once."""
    await db.execute(QUEUE, account_id, kind, db.to_json(content.to_body()), dedupe_key, now)
    db.wake("messages")
