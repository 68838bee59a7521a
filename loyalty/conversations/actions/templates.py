"""Templates that WhatsApp approves: written by the shop, decided by WhatsApp."""

from datetime import datetime
from typing import Any

from tortoise.exceptions import IntegrityError

from loyalty import db
from loyalty.conversations.models import MessageTemplate
from loyalty.conversations.queries.templates import TemplateLine, template_line
from loyalty.conversations.templating import BY_HAND, OPEN, TemplateDraft, TemplateStatus, check_template, places_in
from loyalty.errors import Conflict, Invalid, Refused
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor


async def note_template(name: str, language: str, status: str, reason: str, *, now: datetime) -> bool:
    """Keep what the messenger has decided; False for a template that the panel does not know."""
    kept = await db.fetch_value(
        "UPDATE message_template SET status = $3, reason = nullif($4, ''), updated_at = $5"
        " WHERE name = $1 AND language = $2 RETURNING id",
        name,
        language,
        status,
        reason[:200],
        now,
    )
    return kept is not None


@db.use_case
async def add_template(draft: TemplateDraft, *, actor: Actor, now: datetime) -> int:
    """Keep a draft of a template; returns its id. Raises Invalid as `check_template`, and for a name in use."""
    check_template(draft)
    template_id = await _write(None, draft, now)
    await write_journal(actor, "template.added", subject_kind="template", subject_id=template_id, now=now)
    return template_id


@db.use_case
async def change_template(
    template_id: int, draft: TemplateDraft, *, seen: datetime, actor: Actor, now: datetime
) -> None:
    """Change a template. Of one that WhatsApp has, only our side: the type it stands in for, and its fallbacks.

    seen: `updated_at` of what was looked at. Words of a rejected one that change make it a draft again.
    Raises NotFound("message_template"), Invalid as `check_template`, Conflict, Refused("template_is_fixed").
    """
    before = await _held(template_id)
    if before.updated_at != seen:
        raise Conflict("changed_meanwhile")
    check_template(draft)
    if before.status not in OPEN and _words(before) != _words(draft):
        raise Refused("template_is_fixed")
    await _write(template_id, draft, now)
    if before.status is TemplateStatus.REJECTED and _words(before) != _words(draft):
        await MessageTemplate.filter(id=template_id).update(status=TemplateStatus.DRAFT.value, reason=None)
    await write_journal(actor, "template.changed", subject_kind="template", subject_id=template_id, now=now)


@db.use_case
async def mark_template(
    template_id: int, status: TemplateStatus, *, seen: TemplateStatus, actor: Actor, now: datetime
) -> None:
    """Note what WhatsApp Manager says of a template, where no report of it comes. Twice is once.

    Raises NotFound("message_template"), Conflict when it stands otherwise by now, Refused("not_by_hand").
    """
    before = await _held(template_id)
    if before.status is status:
        return
    if before.status is not seen:
        raise Conflict("changed_meanwhile")
    if status not in BY_HAND[before.status]:
        raise Refused("not_by_hand")
    await MessageTemplate.filter(id=template_id).update(status=status.value, reason=None, updated_at=now)
    await write_journal(
        actor, "template.marked", subject_kind="template", subject_id=template_id, now=now, status=status.value
    )


@db.use_case
async def delete_template(template_id: int, *, actor: Actor, now: datetime) -> None:
    """Forget a template; what was sent by it stays as it reads. Raises NotFound("message_template")."""
    await _held(template_id)
    await MessageTemplate.filter(id=template_id).delete()
    await write_journal(actor, "template.deleted", subject_kind="template", subject_id=template_id, now=now)


async def _held(template_id: int) -> TemplateLine:
    await db.execute("SELECT FROM message_template WHERE id = $1 FOR NO KEY UPDATE", template_id)
    return await template_line(template_id)


def _words(template: TemplateLine | TemplateDraft) -> tuple[str, ...]:
    """What WhatsApp looks at."""
    return (template.name, template.language, template.category, template.body)


async def _write(template_id: int | None, draft: TemplateDraft, now: datetime) -> int:
    variables = [{"name": one.name, "fallback": one.fallback} for one in draft.variables[: places_in(draft.body)]]
    values: dict[str, Any] = {
        "name": draft.name,
        "language": draft.language,
        "category": draft.category,
        "body": draft.body,
        "variables": variables,
        "kind": draft.kind,
        "updated_at": now,
    }
    try:
        if template_id is None:
            return (await MessageTemplate.create(status=TemplateStatus.DRAFT.value, **values)).id
        await MessageTemplate.filter(id=template_id).update(**values)
    except IntegrityError as error:
        raise Invalid("name", "template_name_taken") from error
    return template_id
