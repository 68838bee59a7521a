"""Drafts of campaigns: kept, corrected, copied, thrown away. Nothing is sent of one, and nobody is chosen yet."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from loyalty import db
from loyalty.campaigns.rules.drafts import CampaignDraft, checked_draft
from loyalty.campaigns.rules.states import AHEAD, TICKED_AT_MOST, CampaignState
from loyalty.conversations.actions.staff import keep_attachment
from loyalty.conversations.answering import Upload
from loyalty.conversations.channels import CAPABILITIES
from loyalty.errors import Conflict, NotFound, Refused
from loyalty.shop.queries import shop
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

SEEDS = 2**31
ADD = """
INSERT INTO campaign (key, name, topic, texts, channels, look, ids, state, acknowledged_version, acknowledged_language,
    acknowledged_text, staff_id, created_at, resumed_at, counted_at, updated_at, resumed_from, place, total, skipped,
    queued, sent, delivered, read, failed, unknown, cancelled, seed)
VALUES ($1, '', 'marketing', '{}', '', $2::jsonb, $3::jsonb, 'draft', 0, '', '', $4, $5::timestamptz, $5, $5, $5, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, $6)
ON CONFLICT (key) DO NOTHING RETURNING id
"""
KEEP = """
UPDATE campaign SET name = $2, topic = $3, texts = $4::jsonb, fallbacks = $5::jsonb, buttons = $6::jsonb,
    template_id = $7, preferred = $8, starts_at = $9, send_until = $10, repeat = $11::jsonb, zone = $12,
    control_bp = $13, window_days = $14, bonus = $15, bonus_days = $16, attachment_id = $17, updated_at = $18,
    state = 'draft', other_texts = $19::jsonb
WHERE id = $1
"""
WHOM = "UPDATE campaign SET look = $2::jsonb, ids = $3::jsonb WHERE id = $1"
HOLD = "SELECT state, attachment_id FROM campaign WHERE id = $1 FOR NO KEY UPDATE"
COPY = """
INSERT INTO campaign (key, name, topic, texts, other_texts, fallbacks, buttons, attachment_id, template_id, preferred,
    channels, look, ids, state, acknowledged_version, acknowledged_language, acknowledged_text, staff_id, created_at,
    resumed_at, counted_at, updated_at, resumed_from, place, total, skipped, queued, sent, delivered, read, failed,
    unknown, cancelled, seed, control_bp, window_days, bonus, bonus_days, zone)
SELECT $2, name, topic, texts, other_texts, fallbacks, buttons, attachment_id, template_id, preferred, '', look, ids,
    'draft', 0, '', '', $3, $4::timestamptz, $4, $4, $4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, $5, control_bp, window_days,
    bonus, bonus_days, zone
FROM campaign WHERE id = $1 ON CONFLICT (key) DO NOTHING RETURNING id
"""
# A file may go with a copy too; of what was sent for a trial it is gone.
FORGET_FILE = """
DELETE FROM attachment f WHERE f.id = $1 AND NOT EXISTS (SELECT FROM campaign c WHERE c.attachment_id = f.id)
"""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whom it is for, as it is kept: how the address of the base said it, or who was ticked."""

    look: dict[str, str] | None = None
    ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class FileChange:
    """What becomes of the picture or file: another one, none, or as it is."""

    upload: Upload | None = None
    drops: bool = False


@db.use_case
async def add_draft(
    draft: CampaignDraft, chosen: Chosen, *, file: FileChange = FileChange(), key: str, actor: Actor, now: datetime
) -> int:
    """Keep a draft; returns its id. The same key keeps it once.

    Raises Invalid as `checked_draft` does, Refused("too_many_customers") for more people ticked than TICKED_AT_MOST.
    """
    draft = await _checked(draft, now)
    look, ids = _whom(chosen)
    seed = secrets.randbelow(SEEDS)
    campaign_id: int | None = await db.fetch_value(ADD, f"form:{key}", look, ids, actor.staff_id, now, seed)
    if campaign_id is None:
        return int(await db.fetch_value("SELECT id FROM campaign WHERE key = $1", f"form:{key}"))
    await _keep(campaign_id, draft, None, file, actor=actor, now=now)
    await _note("campaign.drafted", campaign_id, actor, now)
    return campaign_id


@db.use_case
async def change_draft(
    campaign_id: int,
    draft: CampaignDraft,
    *,
    chosen: Chosen | None = None,
    file: FileChange = FileChange(),
    actor: Actor,
    now: datetime,
) -> None:
    """Correct what has not begun; what waited for its time is a draft again until it is launched anew.

    Raises like `add_draft`, NotFound("campaign"), Conflict("campaign_has_begun").
    """
    attachment = await _ahead(campaign_id)
    draft = await _checked(draft, now)
    if chosen is not None:
        await db.execute(WHOM, campaign_id, *_whom(chosen))
    await _keep(campaign_id, draft, attachment, file, actor=actor, now=now)
    await _note("campaign.changed", campaign_id, actor, now)


@db.use_case
async def delete_draft(campaign_id: int, *, actor: Actor, now: datetime) -> None:
    """Throw away what has not begun. Raises NotFound("campaign"), Conflict("campaign_has_begun")."""
    attachment = await _ahead(campaign_id)
    if await db.fetch_value("SELECT id FROM campaign WHERE series_id = $1 LIMIT 1", campaign_id) is not None:
        # What it has sent before names it.
        await db.execute("UPDATE campaign SET state = 'cancelled', finished_at = $2 WHERE id = $1", campaign_id, now)
        await _note("campaign.cancelled", campaign_id, actor, now)
        return
    await db.execute("DELETE FROM campaign WHERE id = $1", campaign_id)
    if attachment is not None:
        await db.execute(FORGET_FILE, attachment)
    await _note("campaign.deleted", campaign_id, actor, now)


@db.use_case
async def copy_campaign(campaign_id: int, *, key: str, actor: Actor, now: datetime) -> int:
    """A draft that says the same to those who fit today; returns its id. When it begins is chosen anew.

    The same key copies once. Raises NotFound("campaign").
    """
    if await db.fetch_value("SELECT 1 FROM campaign WHERE id = $1", campaign_id) is None:
        raise NotFound("campaign")
    key = f"copy:{campaign_id}:{key}"
    seed = secrets.randbelow(SEEDS)
    copy_id: int | None = await db.fetch_value(COPY, campaign_id, key, actor.staff_id, now, seed)
    if copy_id is None:
        return int(await db.fetch_value("SELECT id FROM campaign WHERE key = $1", key))
    await _note("campaign.drafted", copy_id, actor, now)
    return copy_id


async def _checked(draft: CampaignDraft, now: datetime) -> CampaignDraft:
    language = (await shop()).language
    draft = checked_draft(draft, shop_language=language, possible=tuple(CAPABILITIES), now=now)
    if draft.words.template:
        found = await db.fetch_value("SELECT 1 FROM message_template WHERE id = $1", draft.words.template)
        if found is None:
            return replace(draft, words=replace(draft.words, template=0))
    return draft


def _whom(chosen: Chosen) -> tuple[str | None, str | None]:
    if chosen.ids is not None and len(chosen.ids) > TICKED_AT_MOST:
        raise Refused("too_many_customers", limit=TICKED_AT_MOST)
    return (
        db.to_json(chosen.look) if chosen.look is not None else None,
        db.to_json(list(chosen.ids)) if chosen.ids is not None else None,
    )


async def _ahead(campaign_id: int) -> int | None:
    """The attachment of a campaign that has not begun, which is held until the transaction ends."""
    row = await db.fetch_row(HOLD, campaign_id)
    if row is None:
        raise NotFound("campaign")
    if CampaignState(row["state"]) not in AHEAD:
        raise Conflict("campaign_has_begun")
    attachment: int | None = row["attachment_id"]
    return attachment


async def _keep(
    campaign_id: int, draft: CampaignDraft, attachment: int | None, file: FileChange, *, actor: Actor, now: datetime
) -> None:
    kept = attachment
    if file.upload is not None:
        kept = await keep_attachment(file.upload, actor, now)
    elif file.drops:
        kept = None
    words, timing, terms = draft.words, draft.timing, draft.terms
    await db.execute(
        KEEP,
        campaign_id,
        draft.name,
        draft.topic.value,
        db.to_json(dict(words.texts)),
        db.to_json(dict(words.fallbacks)),
        db.to_json([button.to_body() for button in words.buttons]),
        words.template or None,
        ",".join(draft.channels),
        timing.starts_at,
        timing.send_until,
        db.to_json(timing.repeat.to_body()) if timing.repeat is not None else None,
        timing.zone,
        terms.control_bp,
        terms.window_days,
        terms.bonus,
        terms.bonus_days,
        kept,
        now,
        db.to_json([dict(texts) for texts in words.other_texts]) if words.other_texts else None,
    )
    if attachment is not None and kept != attachment:
        await db.execute(FORGET_FILE, attachment)


async def _note(act: str, campaign_id: int, actor: Actor, now: datetime, **details: object) -> None:
    await write_journal(actor, act, subject_kind="campaign", subject_id=campaign_id, now=now, **details)
