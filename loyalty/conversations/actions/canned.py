"""Keeping the answers that staff give often."""

from datetime import datetime
from typing import Any

from tortoise.exceptions import IntegrityError

from loyalty import db
from loyalty.conversations.answering import TITLE_LENGTH
from loyalty.conversations.models import CannedReply
from loyalty.conversations.rules import TEXT_LENGTH
from loyalty.customers.rules import check_note, clean_text
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor


@db.use_case
async def save_canned_reply(reply_id: int | None, title: str, text: str, *, actor: Actor, now: datetime) -> int:
    """Add an answer, or change one; returns its id. Raises Invalid("title" | "text"), NotFound("canned_reply")."""
    title, words = _title(title), check_note(text, TEXT_LENGTH)
    values: dict[str, Any] = {"title": title, "text": words, "staff_id": actor.staff_id, "updated_at": now}
    try:
        if reply_id is None:
            reply_id = (await CannedReply.create(**values)).id
            action = "canned_reply.added"
        else:
            if not await CannedReply.filter(id=reply_id, deleted_at=None).update(**values):
                raise NotFound("canned_reply")
            action = "canned_reply.changed"
    except IntegrityError as error:
        raise Invalid("title", "title_taken") from error
    await write_journal(actor, action, subject_kind="canned_reply", subject_id=reply_id, now=now)
    return reply_id


@db.use_case
async def delete_canned_reply(reply_id: int, *, actor: Actor, now: datetime) -> None:
    """Take an answer away; `restore_canned_reply` brings it back. Raises NotFound("canned_reply")."""
    if not await CannedReply.filter(id=reply_id, deleted_at=None).update(deleted_at=now):
        raise NotFound("canned_reply")
    await write_journal(actor, "canned_reply.deleted", subject_kind="canned_reply", subject_id=reply_id, now=now)


@db.use_case
async def restore_canned_reply(reply_id: int, *, actor: Actor, now: datetime) -> None:
    """Bring back an answer. Raises NotFound("canned_reply"), Refused("title_taken") when another has its title."""
    try:
        if not await CannedReply.filter(id=reply_id).update(deleted_at=None):
            raise NotFound("canned_reply")
    except IntegrityError as error:
        raise Refused("title_taken") from error
    await write_journal(actor, "canned_reply.restored", subject_kind="canned_reply", subject_id=reply_id, now=now)


def _title(text: str) -> str:
    title = clean_text(text)
    if not title:
        raise Invalid("title", "required")
    if len(title) > TITLE_LENGTH:
        raise Invalid("title", "too_long", limit=TITLE_LENGTH)
    return title
