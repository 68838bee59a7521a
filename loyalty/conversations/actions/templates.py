"""Templates that WhatsApp approves: what it has decided about them."""

from datetime import datetime

from loyalty import db


async def note_template(name: str, language: str, status: str, reason: str, *, now: datetime) -> bool:
    """Keep what the messenger has decided; False for a template that the panel does not know."""
    kept = await db.fetch_value(
        "UPDATE message_template SET status = $3, reason = nullif($4, ''), updated_at = $5"
        " WHERE name = $1 AND language = $2 RETURNING id",
        name,
        language,
        status,
        reason[:200],
        now,
    )
    return kept is not None
