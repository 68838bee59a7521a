"""How the shop writes."""

from datetime import datetime

from loyalty import db
from loyalty.conversations.rules import Manners

SET = """
INSERT INTO messaging (id, quiet_from, quiet_until, cap_messages, cap_days, updated_at)
VALUES (1, $1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET quiet_from = EXCLUDED.quiet_from,
    quiet_until = EXCLUDED.quiet_until, cap_messages = EXCLUDED.cap_messages, cap_days = EXCLUDED.cap_days,
    updated_at = EXCLUDED.updated_at
"""


async def set_manners(manners: Manners, *, now: datetime) -> None:
    """Write to people within these hours and so often alone. Senders hear of it within a second."""
    quiet, cap = manners.quiet, manners.cap
    await db.execute(SET, quiet.begins, quiet.ends, cap.messages, cap.days, now)
