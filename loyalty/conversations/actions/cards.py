"""Cards that are open in a chat: their code changes each half minute, until they close."""

from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.customers.rules import code_step, step_began


@dataclass(frozen=True, slots=True)
class DueCard:
    """A card whose face is to change now. `closing`: for the last time, to no code at all."""

    message_id: int
    customer_id: int
    address: str
    language: str
    external_id: str
    closing: bool


# Index: shown_card_due. A card that was not sent yet has nothing to change.
CLAIM = """
WITH due AS (
    SELECT s.message_id FROM shown_card s JOIN message m ON m.id = s.message_id
        JOIN messenger_account a ON a.id = m.account_id
    WHERE s.due_at <= $1 AND m.status = 'sent' AND a.channel = $3
    ORDER BY s.due_at LIMIT 50 FOR NO KEY UPDATE OF s SKIP LOCKED
)
UPDATE shown_card SET due_at = CASE WHEN closes_at > $1 AND a.is_active THEN $2::timestamptz END
FROM due, message m, messenger_account a
WHERE shown_card.message_id = due.message_id AND m.id = due.message_id AND a.id = m.account_id
RETURNING shown_card.message_id, shown_card.customer_id, a.address, a.language, m.external_id,
    shown_card.closes_at <= $1 AS closing
"""


async def claim_cards(channel: str, *, now: datetime) -> list[DueCard]:
    """Take the cards whose code has changed; each is due again with the next code, or never once it closes."""
    rows = await db.fetch(CLAIM, now, step_began(code_step(now) + 1), channel)
    return [DueCard(**row) for row in rows]


async def close_card(message_id: int) -> None:
    """Its message is gone: there is nothing to change any more."""
    await db.execute("UPDATE shown_card SET due_at = NULL WHERE message_id = $1", message_id)
