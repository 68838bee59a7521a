"""Messages to many, put into the outbox row by row: they leave after everything else, each at most once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.conversations.content import Content
from loyalty.conversations.message_types import BULK
from loyalty.conversations.rules import Priority

MOST = 5_000
"""Rows of one statement."""


@dataclass(frozen=True, slots=True)
class BulkMessage:
    """One person's copy. `key` says it once: a campaign and its person."""

    account_id: int
    content: Content
    key: str


# In the order of the accounts, so that two feeders meet in one order.
QUEUE_BULK = """
INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, topic, dedupe_key,
    created_at, due_at, attempts)
SELECT a.id, a.customer_id, a.channel, 'out', $6, part.content, 'queued', $7, $4, part.key, $5, $5, 0
FROM unnest($1::bigint[], $2::jsonb[], $3::text[]) part (account_id, content, key)
    JOIN messenger_account a ON a.id = part.account_id
ORDER BY a.id ON CONFLICT (dedupe_key) DO NOTHING RETURNING id
"""


async def queue_bulk(
    messages: Sequence[BulkMessage],
    *,
    topic: str,
    now: datetime,
    kind: str = BULK,
    priority: Priority = Priority.BULK,
) -> int:
    """Queue copies of a message to many, MOST at a time; returns how many were new. Joins the caller's transaction.

    kind: the type that they are of. priority: bulk leaves after everything else, and not at night.
    Whether each may be written to by then is judged just before its call. A copy whose answer is lost is unknown and
    not sent again.
    """
    queued = 0
    for first in range(0, len(messages), MOST):
        some = messages[first : first + MOST]
        rows = await db.fetch(
            QUEUE_BULK,
            [one.account_id for one in some],
            [db.to_json(one.content.to_body()) for one in some],
            [one.key for one in some],
            topic,
            now,
            kind,
            int(priority),
        )
        queued += len(rows)
    if queued:
        db.wake("messages")
    return queued
