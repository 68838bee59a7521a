"""Giving people what is held about them: as a file to staff, or into their chat."""

import json
from datetime import datetime, timedelta

from loyalty import db
from loyalty.customers.actions.profile import lock_customer
from loyalty.errors import Refused
from loyalty.office.queries.own_data import own_data
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

FILE_NAME = "my-data.json"
# WhatsApp takes no JSON by its name, and any text.
FILE_MIME = "text/plain"
AGAIN_AFTER = timedelta(hours=1)

# Index: journal_entry_subject.
LAST_TAKEN = """
SELECT max(at) FROM journal_entry
WHERE subject_kind = 'customer' AND subject_id = $1 AND action = 'customer.exported' AND actor_kind = $2
"""
KEEP = """
INSERT INTO attachment (name, mime, size, body, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING id
"""


@db.use_case
async def take_own_data(customer_id: int, *, actor: Actor, now: datetime) -> bytes:
    """What is held about a person, as a JSON file; the journal keeps that it was taken. Raises what `own_data` does."""
    await lock_customer(customer_id)
    file = _file(await own_data(customer_id, now=now))
    await _note(customer_id, actor, now)
    return file


@db.use_case
async def attach_own_data(customer_id: int, *, actor: Actor, now: datetime) -> int:
    """The same as a file for the person's chat; returns the attachment.

    Raises what `own_data` does, Refused("own_data_again_later", minutes=...) within an hour of the last time.
    """
    await lock_customer(customer_id)
    last = await db.fetch_value(LAST_TAKEN, customer_id, actor.kind.value)
    if last is not None and now - last < AGAIN_AFTER:
        left = AGAIN_AFTER - (now - last)
        raise Refused("own_data_again_later", minutes=-(-int(left.total_seconds()) // 60))
    file = _file(await own_data(customer_id, now=now))
    attachment: int = await db.fetch_value(KEEP, FILE_NAME, FILE_MIME, len(file), file, now)
    await _note(customer_id, actor, now)
    return attachment


def _file(data: dict[str, object]) -> bytes:
    return json.dumps(data, ensure_ascii=False, indent=2, default=str).encode()


async def _note(customer_id: int, actor: Actor, now: datetime) -> None:
    await write_journal(actor, "customer.exported", subject_kind="customer", subject_id=customer_id, now=now)
