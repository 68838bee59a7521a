"""Changing who serves, with what. Each use case is one transaction and leaves a line in the journal.

Nothing is deleted, because appointments name it: what is archived is offered no more. A program that books names its
own things by `external_id`: adding one that is known adds nothing, and returns what there is, as it is.
"""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, TypeVar

from loyalty import db
from loyalty.bookings.actions.counting import hold_categories, recount_categories
from loyalty.bookings.models import Service, ServiceCategory, TeamMember
from loyalty.bookings.rules import (
    CategoryDraft,
    ServiceDraft,
    TeamMemberDraft,
    checked_category,
    checked_member,
    checked_service,
)
from loyalty.errors import Invalid, NotFound
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

Draft = TypeVar("Draft", TeamMemberDraft, ServiceDraft, CategoryDraft)
Thing = TeamMember | Service | ServiceCategory


@db.use_case
async def add_team_member(draft: TeamMemberDraft, *, actor: Actor, now: datetime) -> tuple[int, bool]:
    """Add somebody who serves; returns their id, and whether they are new. Raises Invalid for a field."""
    draft = checked_member(draft)
    await _check_named("location", "location_id", draft.location_id)
    return await _add("team_member", asdict(draft), actor=actor, now=now)


@db.use_case
async def change_team_member(member_id: int, *, actor: Actor, now: datetime, **changes: Any) -> None:
    """Correct fields of somebody who serves, as `TeamMemberDraft` names them. The same again is nothing.

    Raises NotFound("team_member"), Invalid for a field.
    """
    row = await _locked("team_member", member_id)
    draft = checked_member(_with(row, TeamMemberDraft, changes))
    await _check_named("location", "location_id", draft.location_id)
    await _change(row, "team_member", asdict(draft), actor=actor, now=now)


@db.use_case
async def add_service(draft: ServiceDraft, *, actor: Actor, now: datetime) -> tuple[int, bool]:
    """Add a service; returns its id, and whether it is new. Raises Invalid for a field."""
    draft = checked_service(draft)
    await _check_named("service_category", "category_id", draft.category_id)
    return await _add("service", asdict(draft), actor=actor, now=now)


@db.use_case
async def change_service(service_id: int, *, actor: Actor, now: datetime, **changes: Any) -> None:
    """Correct fields of a service, as `ServiceDraft` names them. The same again is nothing.

    With its category, who came for which one is counted anew. Raises NotFound("service"), Invalid for a field.
    """
    if "category_id" in changes:
        await hold_categories()
    row = await _locked("service", service_id)
    assert isinstance(row, Service)
    before = row.category_id
    draft = checked_service(_with(row, ServiceDraft, changes))
    await _check_named("service_category", "category_id", draft.category_id)
    await _change(row, "service", asdict(draft), actor=actor, now=now)
    if before != draft.category_id:
        await recount_categories([one for one in (before, draft.category_id) if one is not None])


@db.use_case
async def add_service_category(draft: CategoryDraft, *, actor: Actor, now: datetime) -> tuple[int, bool]:
    """Add a group of services; returns its id, and whether it is new. Raises Invalid for a field."""
    draft = checked_category(draft)
    return await _add("service_category", asdict(draft), actor=actor, now=now)


@db.use_case
async def change_service_category(category_id: int, *, actor: Actor, now: datetime, **changes: Any) -> None:
    """Correct fields of a group of services, as `CategoryDraft` names them. The same again is nothing.

    Raises NotFound("service_category"), Invalid for a field.
    """
    row = await _locked("service_category", category_id)
    draft = checked_category(_with(row, CategoryDraft, changes))
    await _change(row, "service_category", asdict(draft), actor=actor, now=now)


@db.use_case
async def archive(noun: str, id_: int, *, actor: Actor, now: datetime) -> None:
    """Offer a "team_member", "service" or "service_category" no more. Twice is once. Raises NotFound(noun)."""
    await _set_archived(noun, id_, now, actor=actor, now=now)


@db.use_case
async def restore(noun: str, id_: int, *, actor: Actor, now: datetime) -> None:
    """Offer it again. Twice is once. Raises NotFound(noun)."""
    await _set_archived(noun, id_, None, actor=actor, now=now)


MODELS: dict[str, type[Thing]] = {"team_member": TeamMember, "service": Service, "service_category": ServiceCategory}


async def _set_archived(noun: str, id_: int, at: datetime | None, *, actor: Actor, now: datetime) -> None:
    row = await _locked(noun, id_)
    if (row.archived_at is None) == (at is None):
        return
    row.archived_at = at
    await row.save(update_fields=["archived_at"])
    action = f"{noun}.restored" if at is None else f"{noun}.archived"
    await write_journal(actor, action, now=now, subject_kind=noun, subject_id=id_)


async def _add(noun: str, values: dict[str, Any], *, actor: Actor, now: datetime) -> tuple[int, bool]:
    external_id = values["external_id"]
    if external_id is not None:
        # One after the other: the second finds what the first has added.
        await db.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{noun} {external_id}")
        known = await MODELS[noun].get_or_none(external_id=external_id)
        if known is not None:
            return known.id, False
    row = await MODELS[noun].create(**values, created_at=now)
    await write_journal(actor, f"{noun}.added", now=now, subject_kind=noun, subject_id=row.id)
    return row.id, True


async def _change(row: Thing, noun: str, values: dict[str, Any], *, actor: Actor, now: datetime) -> None:
    changed = {field: value for field, value in values.items() if getattr(row, field) != value}
    if not changed:
        return
    key = changed.get("external_id")
    if key is not None:
        await db.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{noun} {key}")
        if await MODELS[noun].exists(external_id=key):
            raise Invalid("external_id", "external_id_taken")
    row.update_from_dict(changed)
    await row.save(update_fields=list(changed))
    details = {"fields": sorted(changed)}
    await write_journal(actor, f"{noun}.changed", now=now, subject_kind=noun, subject_id=row.id, **details)


async def _check_named(table: str, field: str, id_: int | None) -> None:
    """Raise Invalid(field) unless what it names is there."""
    # Tables of ours, not words of a stranger.
    sql = f"SELECT EXISTS (SELECT FROM {table} WHERE id = $1)"
    if id_ is not None and not await db.fetch_value(sql, id_):
        raise Invalid(field, "unknown_choice")


def _with(row: Thing, draft: type[Draft], changes: dict[str, Any]) -> Draft:
    """What the row would be with the changes."""
    known = {field.name: getattr(row, field.name) for field in fields(draft)}
    return draft(**known | changes)


async def _locked(noun: str, id_: int) -> Thing:
    row = await MODELS[noun].filter(id=id_).select_for_update(no_key=True).first()
    if row is None:
        raise NotFound(noun)
    return row
