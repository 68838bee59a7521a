"""Fetching what people send: the row first, the network later."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from loyalty import db
from loyalty.conversations.rules import Outcome

LARGEST = 10 * 2**20
"""Bytes of a file that is kept in the base."""
TRIES = 5
PAUSE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class WantedMedia:
    """A file to fetch, and who has it. `is_customers`: the chat it came into belongs to somebody registered."""

    id: int
    file_id: str
    size: int
    mime: str
    is_customers: bool


@dataclass(frozen=True, slots=True)
class OpenMedia:
    """A file that has come to its end, and its chat, held until the transaction ends.

    is_waiting: staff are waited for already. is_settled: somebody else was faster.
    """

    account_id: int
    customer_id: int | None
    language: str
    is_waiting: bool
    is_settled: bool


Step = Callable[[OpenMedia], Awaitable[Outcome]]

CLAIM = """
WITH due AS (
    SELECT media.id, a.customer_id IS NOT NULL AS is_customers FROM media JOIN message m ON m.id = media.message_id
        JOIN messenger_account a ON a.id = m.account_id
    WHERE media.state = 'wanted' AND media.due_at <= $1 AND a.channel = $4
    ORDER BY media.due_at LIMIT $3 FOR NO KEY UPDATE OF media SKIP LOCKED
)
UPDATE media SET due_at = $2, attempts = attempts + 1 FROM due WHERE media.id = due.id
RETURNING media.id, media.file_id, media.size, media.mime, due.is_customers
"""


async def claim_media(channel: str, *, limit: int, now: datetime) -> list[WantedMedia]:
    """Take files that are to be fetched; what is not settled in a minute is due again."""
    rows = await db.fetch(CLAIM, now, now + PAUSE, limit, channel)
    return [WantedMedia(**row) for row in rows]


# A known customer is locked before their chat, as in a turn.
LOCK = """
WITH held AS MATERIALIZED (
    SELECT f.customer_id FROM media JOIN message m ON m.id = media.message_id
        JOIN messenger_account a ON a.id = m.account_id JOIN customer_facts f ON f.customer_id = a.customer_id
    WHERE media.id = $1 FOR NO KEY UPDATE OF f
)
SELECT a.id AS account_id, a.customer_id, a.language, c.waiting_since IS NOT NULL AS is_waiting,
    media.state <> 'wanted' AS is_settled
FROM media JOIN message m ON m.id = media.message_id JOIN messenger_account a ON a.id = m.account_id
    JOIN conversation c ON c.account_id = a.id CROSS JOIN (SELECT count(*) FROM held) first
WHERE media.id = $1 FOR NO KEY UPDATE OF c, media
"""
# What the bot says to a file goes out like a reply, once for each file.
SAY = """
WITH said AS (
    INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, dedupe_key,
        created_at, due_at, attempts)
    SELECT a.id, $2::bigint, a.channel, 'out', part.kind, part.content::jsonb, 'queued', 0,
        'media:' || $3::text || ':' || part.number, $4::timestamptz, $4, 0
    FROM messenger_account a, unnest($5::text[], $6::text[]) WITH ORDINALITY part (kind, content, number)
    WHERE a.id = $1::bigint ORDER BY part.number
)
UPDATE conversation SET last_message_at = $4, state = CASE WHEN $7::boolean THEN 'open' ELSE state END,
    unread = unread + coalesce($7, false)::int,
    waiting_since = CASE WHEN $7::boolean IS NULL THEN waiting_since WHEN $7 THEN coalesce(waiting_since, $4) END
WHERE account_id = $1
"""


@db.use_case
async def store_media(media_id: int, body: bytes, step: Step | None = None, *, now: datetime) -> bool:
    """Keep a file that was fetched, and with it what `step` makes of it, or nothing at all.

    False: somebody else has settled it. `step` may call other use cases, which join this transaction, and must not
    touch the network.
    """
    return await _settle(media_id, body, step, now)


@db.use_case
async def give_up_media(media_id: int, step: Step | None = None, *, for_good: bool, now: datetime) -> bool:
    """Fetching failed: for good, or until its next try, of which there are few. `step` hears of the end alone."""
    if not for_good and await db.fetch_value("SELECT attempts FROM media WHERE id = $1", media_id) < TRIES:
        return False
    return await _settle(media_id, None, step, now)


async def _settle(media_id: int, body: bytes | None, step: Step | None, now: datetime) -> bool:
    row = await db.fetch_row(LOCK, media_id)
    if row is None or row["is_settled"]:
        return False
    await db.execute(
        "UPDATE media SET body = $2, size = coalesce(octet_length($2::bytea), size), state = $3 WHERE id = $1",
        media_id,
        body,
        "failed" if body is None else "stored",
    )
    db.wake(f"conversations:{row['account_id']}")
    if step is None:
        return True
    chat = OpenMedia(**row)
    outcome = await step(chat)
    replies = outcome.replies
    if replies or outcome.waiting is not None:
        await db.execute(
            SAY,
            chat.account_id,
            chat.customer_id,
            str(media_id),
            now,
            [reply.kind for reply in replies],
            [db.to_json(reply.content.to_body()) for reply in replies],
            outcome.waiting,
        )
    if replies:
        db.wake("messages")
    return True
