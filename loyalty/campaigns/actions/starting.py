"""Launching a campaign, and beginning it when its time has come: its audience is frozen then, in one statement.

What is launched stands in the table, and whoever looks for what is due begins it: pressed twice, looked for by two, or
late by an hour, it begins once.
"""

from collections.abc import Collection
from datetime import datetime

from loyalty import db
from loyalty.campaigns.queries.costs import message_prices
from loyalty.campaigns.queries.plans import COLUMNS, audience_of, draft_of, manner_of
from loyalty.campaigns.queries.reach import Split, split_of, used_channels
from loyalty.campaigns.rules.drafts import Acknowledgement, check_acknowledged, checked_timing
from loyalty.campaigns.rules.repeating import next_time
from loyalty.campaigns.rules.states import CampaignState, PauseReason
from loyalty.errors import LoyaltyError, NotFound, Refused
from loyalty.shop.queries import shop
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import JOB, Actor

PATIENCE_SECONDS = 900
"""For how long an audience may be frozen: of millions, beside all else, it takes its time."""

HOLD = f"SELECT id, state, staff_id, channels, {COLUMNS} FROM campaign WHERE id = $1 FOR NO KEY UPDATE"
LAUNCH = """
UPDATE campaign SET state = 'scheduled', starts_at = $2::timestamptz, preferred = $3, acknowledged_version = $4,
    acknowledged_language = $5, acknowledged_text = $6, staff_id = coalesce($7, staff_id), pause_reason = NULL
WHERE id = $1
"""
# Index: campaign_scheduled.
DUE = "SELECT id FROM campaign WHERE state = 'scheduled' AND starts_at <= $1 ORDER BY starts_at, id LIMIT $2"
TAKE = f"""
SELECT id, state, staff_id, channels, {COLUMNS} FROM campaign
WHERE id = $1 AND state = 'scheduled' AND starts_at <= $2 FOR NO KEY UPDATE SKIP LOCKED
"""
BEGIN = """
UPDATE campaign SET state = 'running', started_at = $2::timestamptz, resumed_at = $2, counted_at = $2 WHERE id = $1
"""
# One campaign for each time of a series: its key says which, so that no time comes twice.
ONE_OF_SERIES = """
INSERT INTO campaign (key, name, topic, texts, other_texts, fallbacks, buttons, attachment_id, template_id, preferred,
    channels, look, ids, state, acknowledged_version, acknowledged_language, acknowledged_text, staff_id, created_at,
    resumed_at, counted_at, updated_at, started_at, starts_at, resumed_from, place, total, skipped, queued, sent,
    delivered, read, failed, unknown, cancelled, seed, control_bp, window_days, bonus, bonus_days, zone, series_id)
SELECT $2, name, topic, texts, other_texts, fallbacks, buttons, attachment_id, template_id, preferred, '', look, ids,
    'running', acknowledged_version, acknowledged_language, acknowledged_text, staff_id, $3::timestamptz, $3, $3, $3,
    $3, starts_at, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    (seed::bigint + extract(epoch FROM starts_at)::bigint) % 2147483648, control_bp, window_days, bonus, bonus_days,
    zone, id
FROM campaign WHERE id = $1 ON CONFLICT (key) DO NOTHING RETURNING id, seed
"""
FOLLOWING = """
UPDATE campaign SET starts_at = $2, state = CASE WHEN $2::timestamptz IS NULL THEN 'finished' ELSE state END,
    finished_at = CASE WHEN $2::timestamptz IS NULL THEN $3::timestamptz END WHERE id = $1
"""
# OFFSET 0 keeps the reason one expression, looked for once and not wherever it is named.
FREEZE = """
INSERT INTO recipient (campaign_id, customer_id, state, reason, account_id, variant)
SELECT {campaign}::int, split.customer_id,
    CASE WHEN split.reason IS NOT NULL THEN 'skipped' WHEN split.is_drawn THEN 'control' ELSE 'waiting' END,
    split.reason, CASE WHEN split.reason IS NULL THEN split.account_id END,
    CASE WHEN split.reason IS NULL AND NOT split.is_drawn THEN split.variant ELSE 0 END
FROM ({split} OFFSET 0) split
"""
# Channels: those in which somebody is written to, in the order of preference.
COUNT = """
UPDATE campaign SET total = counted.total, skipped = counted.skipped, control = counted.control,
    channels = coalesce((
        SELECT string_agg(used.channel, ',' ORDER BY used.place)
        FROM unnest($2::text[]) WITH ORDINALITY used (channel, place) CROSS JOIN LATERAL (
            SELECT FROM recipient r JOIN messenger_account a ON a.id = r.account_id
            WHERE r.campaign_id = $1 AND r.state = 'waiting' AND a.channel = used.channel LIMIT 1) somebody), '')
FROM (SELECT count(*)::int AS total, (count(*) FILTER (WHERE state = 'skipped'))::int AS skipped,
        (count(*) FILTER (WHERE state = 'control'))::int AS control
    FROM recipient WHERE campaign_id = $1) counted
WHERE campaign.id = $1 RETURNING counted.total, counted.skipped, counted.control
"""
PRICES = "UPDATE campaign SET prices = $2::jsonb WHERE id = $1"
HAND_BACK = "UPDATE campaign SET state = 'draft', pause_reason = $2 WHERE id = $1 AND state = 'scheduled'"
END = "UPDATE campaign SET state = 'cancelled', pause_reason = $2, finished_at = $3 WHERE id = $1"


@db.use_case
async def launch_campaign(
    campaign_id: int, acknowledged: Acknowledgement, *, working: Collection[str], actor: Actor, now: datetime
) -> None:
    """Let a draft begin at its time, or as soon as somebody looks for what is due. Launched already: nothing.

    working: the channels that are set up here; it goes through those of them that it prefers. What was acknowledged is
    kept as it stood there. Raises NotFound("campaign"), Invalid("acknowledged"), Invalid("starts_at" | "send_until")
    when that has passed meanwhile, Refused("no_channel_works").
    """
    row = await _held(campaign_id)
    if CampaignState(row["state"]) is not CampaignState.DRAFT:
        return
    check_acknowledged(acknowledged)
    timing = checked_timing(draft_of(row).timing, now)
    used = await used_channels(manner_of(draft_of(row)), working)
    if not used:
        raise Refused("no_channel_works")
    await db.execute(
        LAUNCH,
        campaign_id,
        timing.starts_at or now,
        ",".join(used),
        acknowledged.version,
        acknowledged.language,
        acknowledged.text,
        actor.staff_id,
    )
    await _note("campaign.launched", campaign_id, actor, now, acknowledged=acknowledged.version)


async def start_due(*, now: datetime, limit: int = 20) -> int:
    """Begin every campaign whose time has come; returns how many did."""
    begun = 0
    for row in await db.fetch(DUE, now, limit):
        try:
            begun += await start_campaign(row["id"], now=now)
        except LoyaltyError:
            # A segment or a category that it asks for is gone: somebody has to look, and the others are not kept.
            await _hand_back(row["id"], now)
    return begun


@db.use_case
async def start_campaign(campaign_id: int, *, now: datetime) -> bool:
    """Begin one campaign if its time has come and nobody else begins it; of a series, the one of this time.

    False: it was not to begin. One that is late begins now; one whose last moment has passed ends. Nobody to write to:
    it begins all the same, and ends with the reason of each.
    """
    row = await db.fetch_row(TAKE, campaign_id, now)
    if row is None:
        return False
    draft = draft_of(row)
    if draft.timing.send_until is not None and draft.timing.send_until <= now:
        await db.execute(END, campaign_id, PauseReason.TOO_LATE.value, now)
        await _note("campaign.cancelled", campaign_id, JOB, now)
        return False
    if draft.timing.repeat is None:
        await db.execute(BEGIN, campaign_id, now)
        await _freeze(campaign_id, row, now)
        return True
    # Times that nobody looked for are made up for by one.
    key = f"series:{campaign_id}:{int(row['starts_at'].timestamp())}"
    one = await db.fetch_row(ONE_OF_SERIES, campaign_id, key, now)
    await db.execute(FOLLOWING, campaign_id, next_time(draft.timing.repeat, draft.timing.zone, now), now)
    if one is not None:
        await _freeze(one["id"], {**row, "seed": one["seed"]}, now)
    return one is not None


async def _freeze(campaign_id: int, row: db.Row, now: datetime) -> None:
    used = tuple(row["preferred"].split(","))
    look, ids = (db.from_json(row[name]) if row[name] is not None else None for name in ("look", "ids"))
    audience = audience_of(look, ids, (await shop()).region)
    split = await split_of(audience, manner_of(draft_of(row), row["seed"]), working=used, now=now)
    total, skipped, control = await _insert(campaign_id, split)
    # What they are now is what it cost: another price tomorrow changes no report of today.
    prices = await message_prices(row["topic"], row["template_id"] or 0)
    await db.execute(PRICES, campaign_id, db.to_json(prices))
    await _note("campaign.started", campaign_id, JOB, now, customers=total, skipped=skipped, control=control)
    db.wake("messages")


async def _insert(campaign_id: int, split: Split) -> tuple[int, int, int]:
    params = [*split.params, campaign_id]
    statement = FREEZE.format(split=split.sql, campaign=f"${len(params)}")
    await db.execute(f"SET LOCAL statement_timeout = '{PATIENCE_SECONDS}s'")
    await db.fetch_planned(statement, *params, seconds=PATIENCE_SECONDS)
    [row] = await db.fetch_patiently(PATIENCE_SECONDS, COUNT, campaign_id, list(split.channels))
    return row["total"], row["skipped"], row["control"]


@db.use_case
async def _hand_back(campaign_id: int, now: datetime) -> None:
    await db.execute(HAND_BACK, campaign_id, PauseReason.NO_AUDIENCE.value)
    await _note("campaign.not_started", campaign_id, JOB, now)


async def _held(campaign_id: int) -> db.Row:
    row = await db.fetch_row(HOLD, campaign_id)
    if row is None:
        raise NotFound("campaign")
    return row


async def _note(act: str, campaign_id: int, actor: Actor, now: datetime, **details: object) -> None:
    await write_journal(actor, act, subject_kind="campaign", subject_id=campaign_id, now=now, **details)
