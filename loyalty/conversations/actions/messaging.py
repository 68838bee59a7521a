"""How the shop writes."""

from dataclasses import asdict
from datetime import datetime

from loyalty import db
from loyalty.conversations.queries.sending import manners
from loyalty.conversations.rules import CAP_DAYS, CAP_MESSAGES, Manners
from loyalty.errors import Conflict, Invalid
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

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


@db.use_case
async def change_manners(wanted: Manners, *, seen: Manners, actor: Actor, now: datetime) -> None:
    """The same, checked and journaled. seen: what whoever decided had before their eyes.

    Raises Invalid("quiet_from" | "quiet_until" | "cap_messages" | "cap_days"), Conflict when it was changed meanwhile.
    """
    _within("quiet_from", wanted.quiet.begins, 0, 23)
    _within("quiet_until", wanted.quiet.ends, 0, 23)
    _within("cap_messages", wanted.cap.messages, 0, CAP_MESSAGES)
    _within("cap_days", wanted.cap.days, 1, CAP_DAYS)
    await db.execute("LOCK TABLE messaging IN SHARE ROW EXCLUSIVE MODE")
    before = await manners()
    if before != seen:
        raise Conflict("changed_meanwhile")
    if wanted != before:
        await set_manners(wanted, now=now)
        await write_journal(actor, "messaging.changed", now=now, quiet=asdict(wanted.quiet), cap=asdict(wanted.cap))


def _within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise Invalid(name, "not_in_range", low=low, high=high)
