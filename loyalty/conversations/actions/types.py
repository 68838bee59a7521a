"""Deciding which messages are sent, where, and in whose words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.conversations.message_types import MessageTypeView, Texts, check_channels, check_texts
from loyalty.conversations.queries.types import message_type
from loyalty.errors import Conflict
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

# Whoever comes second with the same row is told so by the caller, who has read it.
KEEP = """
INSERT INTO message_type AS t (name, channels, own_first, texts, updated_at)
VALUES ($1, $2, $3, $4::jsonb, $5) ON CONFLICT (name) DO UPDATE SET channels = EXCLUDED.channels,
    own_first = EXCLUDED.own_first, texts = EXCLUDED.texts, updated_at = EXCLUDED.updated_at
WHERE t.updated_at IS NOT DISTINCT FROM $6 RETURNING name
"""


@dataclass(frozen=True, slots=True)
class MessageTypeDraft:
    """How a type of message is to be. channels: in the order of preference; none: nobody gets it."""

    channels: tuple[str, ...]
    own_first: bool = True
    texts: Texts | None = None


@db.use_case
async def set_message_type(
    name: str, draft: MessageTypeDraft, *, seen: datetime | None, actor: Actor, now: datetime
) -> None:
    """Have a type of message be like this from now on; messages that wait to be sent keep their words.

    seen: `updated_at` of what the draft was made from. Texts that are empty or the house's are the house's.
    Raises NotFound("message_type"), Invalid("channels" | "text-ru" | "subject-ru" …), Conflict when somebody else
    has changed it meanwhile.
    """
    before = await message_type(name)
    channels = check_channels(name, draft.channels)
    texts = check_texts(before.kind, draft.texts or {}) if before.kind else {}
    if before.updated_at != seen:
        raise Conflict("changed_meanwhile")
    after = MessageTypeView(name, channels, draft.own_first, texts, now)
    if changed := _changed(before, after):
        await _keep(before, after, now=now)
        await write_journal(actor, "message_type.changed", now=now, type=name, changed=changed)


@db.use_case
async def switch_channel(
    name: str, channel: str, *, is_on: bool, at: int | None = None, actor: Actor, now: datetime
) -> int | None:
    """Let a type of message go to a channel, or no more; at: its place in the order, the last one without it.

    Returns the place that it had. Raises NotFound("message_type"), Invalid("channels"), Conflict.
    """
    # Two ticks in one breath are both meant: the second waits for the first.
    await db.execute("LOCK TABLE message_type IN SHARE ROW EXCLUSIVE MODE")
    before = await message_type(name)
    place = before.channels.index(channel) if channel in before.channels else None
    rest = [one for one in before.channels if one != channel]
    if is_on:
        rest.insert(len(rest) if at is None else at, channel)
    channels = check_channels(name, rest)
    if (place is not None) != is_on:
        await _keep(before, MessageTypeView(name, channels, before.own_first, before.texts, now), now=now)
        await write_journal(actor, "message_type.changed", now=now, type=name, changed=["channels"])
    return place


@db.use_case
async def reset_message_type(name: str, *, actor: Actor, now: datetime) -> None:
    """Have a type be as the house has it. Raises NotFound("message_type")."""
    await message_type(name)
    if await db.fetch_value("DELETE FROM message_type WHERE name = $1 RETURNING name", name):
        await write_journal(actor, "message_type.reset", now=now, type=name)


async def _keep(before: MessageTypeView, after: MessageTypeView, *, now: datetime) -> None:
    values: tuple[Any, ...] = (",".join(after.channels), after.own_first, db.to_json(after.texts), now)
    if await db.fetch_value(KEEP, after.name, *values, before.updated_at) is None:
        raise Conflict("changed_meanwhile")


def _changed(before: MessageTypeView, after: MessageTypeView) -> list[str]:
    """What differs, by name; never a text."""
    parts = [part for part in ("channels", "own_first") if getattr(before, part) != getattr(after, part)]
    languages = sorted({*before.texts, *after.texts})
    return parts + [f"text-{one}" for one in languages if before.texts.get(one) != after.texts.get(one)]
