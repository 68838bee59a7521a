"""Starting a message to many: its audience is frozen in one statement, and never changes after."""

from collections.abc import Collection
from datetime import datetime

from loyalty import db
from loyalty.campaigns.queries.reach import Audience, Split, split_of
from loyalty.campaigns.rules import (
    ACKNOWLEDGED_VERSION,
    ACKNOWLEDGEMENT,
    AT_MOST,
    TICKED_AT_MOST,
    CampaignDraft,
    checked_name,
    checked_texts,
)
from loyalty.customers.rules import Topic
from loyalty.errors import Invalid, Refused
from loyalty.shop.queries import shop
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

BEGIN = """
INSERT INTO campaign (key, name, topic, texts, channels, look, state, acknowledged_version, acknowledged_language,
    acknowledged_text, staff_id, created_at, resumed_at, counted_at, resumed_from, place, total, skipped, queued, sent,
    delivered, read, failed, unknown, cancelled)
VALUES ($1, $2, $3, $4::jsonb, $5, $6::jsonb, 'running', $7, $8, $9, $10, $11::timestamptz, $11, $11,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
ON CONFLICT (key) DO NOTHING RETURNING id
"""
FREEZE = """
WITH frozen AS (
    INSERT INTO recipient (campaign_id, customer_id, state, reason, account_id)
    SELECT {campaign}::int, split.customer_id, CASE WHEN split.reason IS NULL THEN 'waiting' ELSE 'skipped' END,
        split.reason, CASE WHEN split.reason IS NULL THEN split.account_id END
    FROM ({split}) split LIMIT {limit} RETURNING state
), counted AS (SELECT count(*)::int AS total, (count(*) FILTER (WHERE state = 'skipped'))::int AS skipped FROM frozen)
UPDATE campaign SET total = counted.total, skipped = counted.skipped FROM counted WHERE campaign.id = {campaign}
RETURNING counted.total, counted.skipped
"""
# Those in which somebody is written to, in the shop's order.
USED = """
UPDATE campaign SET channels = (SELECT string_agg(used.channel, ',' ORDER BY array_position($2::text[], used.channel))
    FROM (SELECT DISTINCT a.channel::text AS channel FROM recipient r JOIN messenger_account a ON a.id = r.account_id
        WHERE r.campaign_id = $1) used)
WHERE id = $1
"""


@db.use_case
async def start_campaign(
    draft: CampaignDraft,
    audience: Audience,
    *,
    channels: Collection[str],
    look: dict[str, str] | None = None,
    key: str,
    actor: Actor,
    now: datetime,
) -> int:
    """Write to everybody in an audience who may be written to now; returns the campaign's id. A key starts it once.

    channels: those that work here. look: how the address of the base said it. What was acknowledged is kept as it
    stood there. Raises Invalid("text-ru" … | "name"), Invalid("acknowledged"), Refused("nobody_to_write_to") when the
    audience is empty or everybody in it is left out, Refused("too_many_customers").
    """
    said = draft.acknowledged
    if said.version != ACKNOWLEDGED_VERSION or ACKNOWLEDGEMENT.get(said.language) != said.text:
        raise Invalid("acknowledged", "required")
    if audience.ids is not None and len(audience.ids) > TICKED_AT_MOST:
        raise Refused("too_many_customers", limit=TICKED_AT_MOST)
    language = (await shop()).language
    texts = checked_texts(draft.texts, language)
    name = checked_name(draft.name, texts, language)
    split = await split_of(audience, channels=channels, now=now)
    campaign_id: int | None = await db.fetch_value(
        BEGIN,
        f"form:{key}",
        name,
        Topic.MARKETING.value,
        db.to_json(texts),
        ",".join(split.channels),
        db.to_json(look) if look is not None else None,
        said.version,
        said.language,
        said.text,
        actor.staff_id,
        now,
    )
    if campaign_id is None:
        return int(await db.fetch_value("SELECT id FROM campaign WHERE key = $1", f"form:{key}"))
    total, skipped = await _freeze(campaign_id, split)
    await write_journal(
        actor,
        "campaign.started",
        subject_kind="campaign",
        subject_id=campaign_id,
        now=now,
        customers=total,
        skipped=skipped,
        acknowledged=said.version,
    )
    return campaign_id


async def _freeze(campaign_id: int, split: Split) -> tuple[int, int]:
    params = [*split.params, campaign_id]
    statement = FREEZE.format(split=split.sql, campaign=f"${len(params)}", limit=AT_MOST + 1)
    [row] = await db.fetch_planned(statement, *params)
    if row["total"] > AT_MOST:
        raise Refused("too_many_customers", limit=AT_MOST)
    if row["total"] == row["skipped"]:
        raise Refused("nobody_to_write_to")
    await db.execute(USED, campaign_id, list(split.channels))
    return row["total"], row["skipped"]
