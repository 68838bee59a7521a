"""What changes about segments and who is in them. Each use case is one transaction and leaves a line in the journal."""

from datetime import datetime

from tortoise.exceptions import IntegrityError

from loyalty.customers.actions.profile import lock_customer
from loyalty.db import fetch_value, use_case
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.segments.models import Segment
from loyalty.segments.rules.segments import SegmentDraft, checked
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

ADD_SEGMENT = """
    INSERT INTO segment (name, description, is_at_till, created_by_id, created_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (lower(name)) WHERE archived_at IS NULL DO NOTHING RETURNING id
"""
ADD_MEMBER = """
    INSERT INTO segment_member (segment_id, customer_id, added_at, staff_id) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING RETURNING customer_id
"""
REMOVE_MEMBER = "DELETE FROM segment_member WHERE segment_id = $1 AND customer_id = $2 RETURNING customer_id"


@use_case
async def add_segment(draft: SegmentDraft, *, actor: Actor, now: datetime) -> int:
    """Make an empty segment; returns its id. Raises Invalid for a field, Invalid("name", "name_taken")."""
    draft = checked(draft)
    segment_id: int | None = await fetch_value(
        ADD_SEGMENT, draft.name, draft.description, draft.is_at_till, actor.staff_id, now
    )
    if segment_id is None:
        raise Invalid("name", "name_taken")
    await write_journal(actor, "segment.added", now=now, subject_kind="segment", subject_id=segment_id)
    return segment_id


@use_case
async def change_segment(segment_id: int, draft: SegmentDraft, *, actor: Actor, now: datetime) -> None:
    """Call it otherwise, or let cashiers give it or not. The same again is nothing.

    Raises NotFound("segment"), Invalid for a field, Invalid("name", "name_taken").
    """
    draft = checked(draft)
    row = await _locked(segment_id)
    wanted = {"name": draft.name, "description": draft.description, "is_at_till": draft.is_at_till}
    changed = {field: value for field, value in wanted.items() if getattr(row, field) != value}
    if not changed:
        return
    row.update_from_dict(changed)
    try:
        await row.save(update_fields=list(changed))
    except IntegrityError as error:
        raise Invalid("name", "name_taken") from error
    await write_journal(
        actor, "segment.changed", now=now, subject_kind="segment", subject_id=segment_id, fields=sorted(changed)
    )


@use_case
async def archive_segment(segment_id: int, *, actor: Actor, now: datetime) -> None:
    """Put a segment away with whoever is in it; its name is free again. Twice is once. Raises NotFound("segment")."""
    row = await _locked(segment_id)
    if row.archived_at is not None:
        return
    row.archived_at = now
    await row.save(update_fields=["archived_at"])
    await write_journal(actor, "segment.archived", now=now, subject_kind="segment", subject_id=segment_id)


@use_case
async def restore_segment(segment_id: int, *, actor: Actor, now: datetime) -> None:
    """Use an archived segment again. Twice is once.

    Raises NotFound("segment"), Refused("name_taken") when another one was given its name meanwhile.
    """
    row = await _locked(segment_id)
    if row.archived_at is None:
        return
    row.archived_at = None
    try:
        await row.save(update_fields=["archived_at"])
    except IntegrityError as error:
        raise Refused("name_taken") from error
    await write_journal(actor, "segment.restored", now=now, subject_kind="segment", subject_id=segment_id)


@use_case
async def add_member(segment_id: int, customer_id: int, *, at_till: bool = False, actor: Actor, now: datetime) -> None:
    """Put a customer into a segment. Twice is once.

    `at_till`: a cashier does it, and sees no other segments than those they may give.
    Raises NotFound("customer" | "segment"), Refused("segment_is_archived").
    """
    await lock_customer(customer_id)
    await _usable(segment_id, at_till=at_till)
    if await fetch_value(ADD_MEMBER, segment_id, customer_id, now, actor.staff_id) is not None:
        await write_journal(
            actor, "segment.member_added", now=now, subject_kind="customer", subject_id=customer_id, segment=segment_id
        )


@use_case
async def remove_member(
    segment_id: int, customer_id: int, *, at_till: bool = False, actor: Actor, now: datetime
) -> None:
    """Take a customer out of a segment. Twice is once. Raises like `add_member`."""
    await lock_customer(customer_id)
    await _usable(segment_id, at_till=at_till)
    if await fetch_value(REMOVE_MEMBER, segment_id, customer_id) is not None:
        await write_journal(
            actor,
            "segment.member_removed",
            now=now,
            subject_kind="customer",
            subject_id=customer_id,
            segment=segment_id,
        )


async def _usable(segment_id: int, *, at_till: bool) -> None:
    row = await Segment.get_or_none(id=segment_id)
    if row is None or (at_till and not row.is_at_till):
        raise NotFound("segment")
    if row.archived_at is not None:
        raise Refused("segment_is_archived")


async def _locked(segment_id: int) -> Segment:
    row = await Segment.filter(id=segment_id).select_for_update(no_key=True).first()
    if row is None:
        raise NotFound("segment")
    return row
