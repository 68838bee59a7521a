"""Deciding after which purchases people are asked, and in whose words."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime

from loyalty import db
from loyalty.conversations.actions.types import MessageTypeDraft, set_message_type
from loyalty.conversations.queries.types import message_type
from loyalty.errors import Conflict, Invalid, NotFound
from loyalty.shop.queries import locations
from loyalty.staff.actions import write_journal
from loyalty.staff.queries import staff_member
from loyalty.staff.rules import Actor
from loyalty.surveys.queries.programme import survey_programme
from loyalty.surveys.rules import KIND, ProgrammeDraft, checked

# Only receipts count that come after the programme was switched on: of a switch the place is the newest one.
KEEP = """
INSERT INTO survey_programme AS p (id, is_on, delay_hours, pause_days, minimum, location_ids, texts, links, bonus,
    makes_tasks, assignee_id, looked_at, updated_at)
VALUES (1, $1, $2, $3, $4, $5::jsonb, $6::jsonb, $7::jsonb, $8, $9, $10,
    (SELECT coalesce(max(id), 0) FROM receipt), $11)
ON CONFLICT (id) DO UPDATE SET is_on = EXCLUDED.is_on, delay_hours = EXCLUDED.delay_hours,
    pause_days = EXCLUDED.pause_days, minimum = EXCLUDED.minimum, location_ids = EXCLUDED.location_ids,
    texts = EXCLUDED.texts, links = EXCLUDED.links, bonus = EXCLUDED.bonus, makes_tasks = EXCLUDED.makes_tasks,
    assignee_id = EXCLUDED.assignee_id, updated_at = EXCLUDED.updated_at,
    looked_at = CASE WHEN EXCLUDED.is_on AND NOT p.is_on THEN EXCLUDED.looked_at ELSE p.looked_at END
"""


@db.use_case
async def set_programme(
    draft: ProgrammeDraft,
    questions: Mapping[str, str] | None = None,
    *,
    seen: datetime | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Have people be asked like this from now on; who is invited already is asked all the same.

    questions: {language: the question in the shop's own words}, which the type of message keeps; None leaves them.
    seen: `updated_at` of what whoever decided had before their eyes. Raises Invalid as `rules.checked` does, of
    "assignee_id" and, for a question, of "text-ru" and so on; Conflict when somebody changed it meanwhile.
    """
    await db.execute("LOCK TABLE survey_programme IN SHARE ROW EXCLUSIVE MODE")
    before = await survey_programme()
    if before.updated_at != seen:
        raise Conflict("changed_meanwhile")
    known = [place.id for place in await locations()]
    wanted = checked(draft, known)
    await _check_assignee(wanted.assignee_id)
    if questions is not None:
        await _set_questions(questions, actor=actor, now=now)
    changed = [one.name for one in fields(wanted) if getattr(wanted, one.name) != getattr(before.draft, one.name)]
    if not changed:
        return
    await db.execute(
        KEEP,
        wanted.is_on,
        wanted.delay_hours,
        wanted.pause_days,
        wanted.minimum,
        None if wanted.location_ids is None else db.to_json(wanted.location_ids),
        db.to_json(wanted.texts),
        db.to_json(wanted.links),
        wanted.bonus,
        wanted.makes_tasks,
        wanted.assignee_id,
        now,
    )
    await write_journal(actor, "survey_programme.changed", now=now, changed=changed)


async def _check_assignee(staff_id: int | None) -> None:
    if staff_id is None:
        return
    try:
        person = await staff_member(staff_id)
    except NotFound:
        raise Invalid("assignee_id", "unknown_choice") from None
    if not person.is_active:
        raise Invalid("assignee_id", "unknown_choice")


async def _set_questions(questions: Mapping[str, str], *, actor: Actor, now: datetime) -> None:
    """The question's words are its type's: there they have channels, a preview and a template, too."""
    view = await message_type(KIND)
    texts = {
        language: {**view.texts.get(language, {}), "text": questions.get(language, view.own(language))}
        for language in {*view.texts, *questions}
    }
    draft = replace(MessageTypeDraft(view.channels, view.own_first), texts=texts)
    await set_message_type(KIND, draft, seen=view.updated_at, actor=actor, now=now)
