"""What happens to people of the panel: invitations, passwords, roles; and the journal everyone writes to."""

from datetime import datetime
from typing import Any

from loyalty.staff.models import JournalEntry
from loyalty.staff.rules import Actor


async def write_journal(
    actor: Actor,
    action: str,
    *,
    now: datetime,
    subject_kind: str | None = None,
    subject_id: int | None = None,
    **details: Any,
) -> None:
    """Add one line to the journal; joins the caller's transaction, so an undone act leaves no line.

    `action` is a stable code ("location.added"); `details` holds ids, codes and numbers, never names,
    phones or texts: the journal is append-only and must survive an erasure.
    """
    await JournalEntry.create(
        at=now,
        actor_kind=actor.kind.value,
        staff_id=actor.staff_id,
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
        details=details,
    )
