"""How the shop writes."""

from datetime import datetime

from loyalty import db
from loyalty.conversations.rules import Quiet


async def set_quiet_hours(quiet: Quiet, *, now: datetime) -> None:
    """Send what can wait outside of these hours alone. Senders hear of it within a second."""
    await db.execute(
        "INSERT INTO messaging (id, quiet_from, quiet_until, updated_at) VALUES (1, $1, $2, $3) ON CONFLICT (id)"
        " DO UPDATE SET quiet_from = EXCLUDED.quiet_from, quiet_until = EXCLUDED.quiet_until,"
        " updated_at = EXCLUDED.updated_at",
        quiet.begins,
        quiet.ends,
        now,
    )
