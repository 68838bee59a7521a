"""What the limits and proofs against misuse refuse: kept in the journal, told to whose account it was."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from loyalty import db
from loyalty.conversations.actions.outbox import tell_customer
from loyalty.conversations.kinds.refused import WHY
from loyalty.conversations.queries.recipients import recipient_of
from loyalty.errors import Refused
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

NOTED = frozenset(WHY) | {"own_account", "manual_credits_of_day", "fiscal_receipt_was_credited"}
"""Reasons that a colleague should see who looks for misuse. Those in WHY the customer is told as well."""


@asynccontextmanager
async def noting_refusals(
    customer_id: int, location_id: int | None = None, *, actor: Actor, now: datetime
) -> AsyncIterator[None]:
    """Note a refusal that leaves the block, and let it go on.

    What was refused wrote nothing; the note is a transaction of its own, unless one is open around the block.
    """
    try:
        yield
    except Refused as refused:
        if refused.reason in NOTED:
            await _note(refused, customer_id, location_id, actor=actor, now=now)
        raise


@db.use_case
async def _note(refused: Refused, customer_id: int, location_id: int | None, *, actor: Actor, now: datetime) -> None:
    details = {name: value for name, value in refused.details.items() if isinstance(value, int)}
    if location_id is not None:
        details["location"] = location_id
    await write_journal(
        actor,
        "sale.refused" if location_id is not None else "credit.refused",
        subject_kind="customer",
        subject_id=customer_id,
        now=now,
        reason=refused.reason,
        **details,
    )
    recipient = await recipient_of(customer_id, "refused") if refused.reason in WHY else None
    if recipient is None:
        return
    place = await db.fetch_value("SELECT name FROM location WHERE id = $1", location_id)
    why = WHY[refused.reason]
    values = {"why": why.get(recipient.language, why["en"]), "location": place or ""}
    # A till that tries again and again tells once a day.
    key = f"refused:{customer_id}:{refused.reason}:{now:%Y-%m-%d}"
    await tell_customer(recipient, values, dedupe_key=key, now=now)
