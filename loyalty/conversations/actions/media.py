"""Fetching what people send: the row first, the network later."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from loyalty import db

LARGEST = 10 * 2**20
"""Bytes of a file that is kept in the base."""
TRIES = 5
PAUSE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class WantedMedia:
    """A file to fetch, and who has it."""

    id: int
    file_id: str
    size: int


CLAIM = """
WITH due AS (
    SELECT media.id FROM media JOIN message m ON m.id = media.message_id
        JOIN messenger_account a ON a.id = m.account_id
    WHERE media.state = 'wanted' AND media.due_at <= $1 AND a.channel = $4
    ORDER BY media.due_at LIMIT $3 FOR NO KEY UPDATE OF media SKIP LOCKED
)
UPDATE media SET due_at = $2, attempts = attempts + 1 FROM due WHERE media.id = due.id
RETURNING media.id, media.file_id, media.size
"""


async def claim_media(channel: str, *, limit: int, now: datetime) -> list[WantedMedia]:
    """Take files that are to be fetched; what is not settled in a minute is due again."""
    rows = await db.fetch(CLAIM, now, now + PAUSE, limit, channel)
    return [WantedMedia(**row) for row in rows]


async def store_media(media_id: int, body: bytes) -> None:
    """Keep a file that was fetched."""
    await db.execute("UPDATE media SET body = $2, size = $3, state = 'stored' WHERE id = $1", media_id, body, len(body))


async def give_up_media(media_id: int, *, for_good: bool) -> None:
    """Fetching failed: for good, or until its next try, of which there are few."""
    await db.execute(
        "UPDATE media SET state = 'failed' WHERE id = $1 AND state = 'wanted' AND ($2 OR attempts >= $3)",
        media_id,
        for_good,
        TRIES,
    )
