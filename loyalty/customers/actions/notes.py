"""Changing what colleagues wrote about people."""

from datetime import datetime

from loyalty import db
from loyalty.customers.models import Note
from loyalty.customers.queries import customer
from loyalty.customers.rules import (
    check_note,
)
from loyalty.errors import NotFound, Refused
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor


@db.use_case
async def add_note(customer_id: int, text: str, *, actor: Actor, now: datetime) -> int:
    """Write a note about a customer; returns its id. Raises Invalid("text")."""
    note = check_note(text)
    await customer(customer_id)
    row = await Note.create(customer_id=customer_id, staff_id=actor.staff_id, text=note, created_at=now)
    await write_journal(actor, "note.added", subject_kind="customer", subject_id=customer_id, now=now, note=row.id)
    note_id: int = row.id
    return note_id


@db.use_case
async def edit_note(customer_id: int, note_id: int, text: str, *, actor: Actor, now: datetime) -> None:
    """Change one's own note. Raises Invalid("text"), NotFound("note"), Refused("not_your_note")."""
    note = check_note(text)
    row = await _note(customer_id, note_id)
    if row.staff_id != actor.staff_id:
        raise Refused("not_your_note")
    await Note.filter(id=note_id).update(text=note, edited_at=now)
    await write_journal(actor, "note.edited", subject_kind="customer", subject_id=customer_id, now=now, note=note_id)


@db.use_case
async def delete_note(customer_id: int, note_id: int, *, actor: Actor, now: datetime) -> None:
    """Hide a note; `restore_note` takes it back. Raises NotFound("note")."""
    await _note(customer_id, note_id)
    await Note.filter(id=note_id).update(deleted_at=now)
    await write_journal(actor, "note.deleted", subject_kind="customer", subject_id=customer_id, now=now, note=note_id)


@db.use_case
async def restore_note(customer_id: int, note_id: int, *, actor: Actor, now: datetime) -> None:
    """Show a hidden note again. Raises NotFound("note")."""
    if not await Note.filter(id=note_id, customer_id=customer_id).update(deleted_at=None):
        raise NotFound("note")
    await write_journal(actor, "note.restored", subject_kind="customer", subject_id=customer_id, now=now, note=note_id)


async def _note(customer_id: int, note_id: int) -> Note:
    row = await Note.get_or_none(id=note_id, customer_id=customer_id, deleted_at=None)
    if row is None:
        raise NotFound("note")
    return row
