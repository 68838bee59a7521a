"""What changes about segments and who is in them. Each use case is one transaction and leaves a line in the journal."""

import json
from datetime import datetime

from tortoise.exceptions import IntegrityError

from loyalty.customers.actions.profile import lock_customer
from loyalty.db import execute, fetch, fetch_value, to_json, use_case
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.segments import filters
from loyalty.segments.models import Segment
from loyalty.segments.rules.segments import SegmentDraft, checked
from loyalty.segments.rules.trees import Group, from_body, to_body
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

ADD_SEGMENT = """
    INSERT INTO segment (name, description, is_at_till, created_by_id, created_at, is_exclusion, conditions)
    VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb)
    ON CONFLICT (lower(name)) WHERE archived_at IS NULL DO NOTHING RETURNING id
"""
ADD_MEMBER = """
    INSERT INTO segment_member (segment_id, customer_id, added_at, staff_id) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING RETURNING customer_id
"""
REMOVE_MEMBER = "DELETE FROM segment_member WHERE segment_id = $1 AND customer_id = $2 RETURNING customer_id"


@use_case
async def add_segment(draft: SegmentDraft, *, actor: Actor, now: datetime) -> int:
    """Make a segment, empty or with conditions; returns its id.

    Raises Invalid for a field, Invalid("name", "name_taken"), Invalid("filter") for conditions that nobody can ask.
    """
    draft = checked(draft)
    await _check_conditions(None, draft.conditions)
    segment_id: int | None = await fetch_value(
        ADD_SEGMENT,
        draft.name,
        draft.description,
        draft.is_at_till,
        actor.staff_id,
        now,
        draft.is_exclusion,
        _kept(draft.conditions),
    )
    if segment_id is None:
        raise Invalid("name", "name_taken")
    await write_journal(actor, "segment.added", now=now, subject_kind="segment", subject_id=segment_id)
    return segment_id


@use_case
async def change_segment(segment_id: int, draft: SegmentDraft, *, actor: Actor, now: datetime) -> None:
    """Call it otherwise, change who may give it, or whom its conditions find. The same again is nothing.

    Raises NotFound("segment"), Invalid for a field, Invalid("name", "name_taken"), Invalid("filter"),
    Refused("segment_is_of_another_kind") when it should be filled by hand from now on, or no more.
    """
    draft = checked(draft)
    row = await _locked(segment_id)
    if (row.conditions is None) != (draft.conditions is None):
        raise Refused("segment_is_of_another_kind")
    await _check_conditions(segment_id, draft.conditions)
    wanted = {
        "name": draft.name,
        "description": draft.description,
        "is_at_till": draft.is_at_till,
        "is_exclusion": draft.is_exclusion,
        "conditions": to_body(draft.conditions) if draft.conditions else None,
    }
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
    Raises NotFound("customer" | "segment"), Refused("segment_is_archived" | "segment_has_conditions").
    """
    await lock_customer(customer_id)
    await check_usable(segment_id, at_till=at_till)
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
    await check_usable(segment_id, at_till=at_till)
    if await fetch_value(REMOVE_MEMBER, segment_id, customer_id) is not None:
        await write_journal(
            actor,
            "segment.member_removed",
            now=now,
            subject_kind="customer",
            subject_id=customer_id,
            segment=segment_id,
        )


async def check_usable(segment_id: int, *, at_till: bool = False) -> None:
    """Raise NotFound("segment"), Refused("segment_is_archived" | "segment_has_conditions")."""
    row = await Segment.get_or_none(id=segment_id)
    if row is None or (at_till and not row.is_at_till):
        raise NotFound("segment")
    if row.archived_at is not None:
        raise Refused("segment_is_archived")
    if row.conditions is not None:
        raise Refused("segment_has_conditions")


def _kept(conditions: Group | None) -> str | None:
    return to_json(to_body(conditions)) if conditions is not None else None


async def _check_conditions(segment_id: int | None, conditions: Group | None) -> None:
    """Raise Invalid("filter") for conditions that ask nothing, cannot be asked, or lead back to the segment itself."""
    if conditions is None:
        return
    if not conditions.parts:
        raise Invalid("filter", "required")
    filters.checked(conditions)
    # One after the other: two segments may be made to ask for each other at once.
    await execute("SELECT pg_advisory_xact_lock(hashtextextended('conditions of segments', 0))")
    rows = await fetch("SELECT id, conditions FROM segment WHERE conditions IS NOT NULL")
    known = {row["id"]: from_body(json.loads(row["conditions"])) for row in rows}
    found, fresh = set[int](), filters.segment_ids([conditions])
    while fresh:
        found |= fresh
        fresh = filters.segment_ids(known[one] for one in fresh if one in known) - found
    if segment_id in found:
        raise Invalid("filter", "segment_in_itself")


async def _locked(segment_id: int) -> Segment:
    row = await Segment.filter(id=segment_id).select_for_update(no_key=True).first()
    if row is None:
        raise NotFound("segment")
    return row
