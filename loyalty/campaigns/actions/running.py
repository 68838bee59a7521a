"""Letting a message to many stand still, go on, end before everybody has got it; sending again what was lost."""

from datetime import datetime

from loyalty import db
from loyalty.campaigns.actions.feeding import count, settle, take_back
from loyalty.campaigns.rules.states import OVER, CampaignState
from loyalty.errors import NotFound, Refused
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

HOLD = "SELECT state FROM campaign WHERE id = $1 FOR NO KEY UPDATE"
PAUSE = "UPDATE campaign SET state = 'paused', pause_reason = NULL WHERE id = $1"
RESUME = """
UPDATE campaign SET state = 'running', pause_reason = NULL, resumed_at = $2,
    resumed_from = sent + failed + unknown + cancelled WHERE id = $1
"""
# Index: recipient_open.
PUT_BACK = """
UPDATE message m SET status = 'queued', reason = NULL, due_at = $2
FROM recipient r WHERE r.campaign_id = $1 AND r.state = 'queued' AND m.id = r.message_id
    AND m.status = 'cancelled' AND m.reason = 'campaign_paused'
"""
# Who waits has got nothing; whose message was taken back gets it no more.
END = """
UPDATE message m SET reason = 'campaign_cancelled'
FROM recipient r WHERE r.campaign_id = $1 AND r.state = 'queued' AND m.id = r.message_id
    AND m.status = 'cancelled' AND m.reason = 'campaign_paused'
"""
CANCEL = "UPDATE campaign SET state = 'cancelled', pause_reason = NULL, finished_at = $2 WHERE id = $1"


# What may be sent to people by now is judged just before each call, as of every message. Index: recipient_pkey.
AGAIN = """
WITH lost AS (
    SELECT m.* FROM recipient r JOIN message m ON m.id = r.message_id
    WHERE r.campaign_id = $1 AND r.state IN ('due', 'done') AND m.status = 'unknown'
        AND ($3::bigint IS NULL OR r.customer_id = $3)
), again AS (
    INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, topic,
        dedupe_key, instead_of_id, created_at, due_at, attempts)
    SELECT account_id, customer_id, channel, 'out', kind, content, 'queued', priority, topic, 'instead:' || id, id, $2,
        $2::timestamptz, 0
    FROM lost ORDER BY id ON CONFLICT (dedupe_key) DO NOTHING RETURNING id, instead_of_id
)
UPDATE recipient r SET message_id = again.id, state = 'queued' FROM again
WHERE r.campaign_id = $1 AND r.message_id = again.instead_of_id RETURNING r.customer_id
"""
GO_ON = """
UPDATE campaign SET state = 'running', finished_at = NULL, resumed_at = $2,
    resumed_from = sent + failed + cancelled WHERE id = $1 AND state = 'finished'
"""


@db.use_case
async def send_again(campaign_id: int, *, customer_id: int | None = None, actor: Actor, now: datetime) -> int:
    """Send once more to those of whom nobody knows whether it reached them, or to one of them; returns to how many.

    Each may get it twice, which is why a person decides so. Twice is once as long as nobody knows more. Raises
    NotFound("campaign"), Refused("campaign_is_over") of one that was ended, Refused("campaign_is_draft").
    """
    state = await _held(campaign_id, ended=CampaignState.FINISHED)
    found = await db.fetch(AGAIN, campaign_id, now, customer_id)
    if not found:
        return 0
    if state is CampaignState.FINISHED:
        await db.execute(GO_ON, campaign_id, now)
    await count(campaign_id, now=now)
    await write_journal(
        actor, "campaign.sent_again", subject_kind="campaign", subject_id=campaign_id, now=now, customers=len(found)
    )
    db.wake("messages")
    return len(found)


@db.use_case
async def pause_campaign(campaign_id: int, *, actor: Actor, now: datetime) -> None:
    """Send nothing more of it; calls that are under way come to their end. Twice is once.

    Raises NotFound("campaign"), Refused("campaign_is_over" | "campaign_is_draft").
    """
    if await _held(campaign_id) is CampaignState.RUNNING:
        await db.execute(PAUSE, campaign_id)
        await take_back(campaign_id)
        await count(campaign_id, now=now)
        await _note("campaign.paused", campaign_id, actor, now)


@db.use_case
async def resume_campaign(campaign_id: int, *, actor: Actor, now: datetime) -> None:
    """Let it go on where it stood. Twice is once. Raises like `pause_campaign`."""
    if await _held(campaign_id) is CampaignState.PAUSED:
        await settle(campaign_id)
        await count(campaign_id, now=now)
        await db.execute(RESUME, campaign_id, now)
        await db.execute(PUT_BACK, campaign_id, now)
        db.wake("messages")
        await _note("campaign.resumed", campaign_id, actor, now)


@db.use_case
async def cancel_campaign(campaign_id: int, *, actor: Actor, now: datetime) -> None:
    """End it: whoever has not got it by now does not get it. Final; twice is once. Raises like `pause_campaign`."""
    if await _held(campaign_id, ended=CampaignState.CANCELLED) is not CampaignState.CANCELLED:
        await take_back(campaign_id)
        await db.execute(END, campaign_id)
        await settle(campaign_id)
        await db.execute(CANCEL, campaign_id, now)
        await count(campaign_id, now=now)
        await _note("campaign.cancelled", campaign_id, actor, now)


async def _held(campaign_id: int, *, ended: CampaignState | None = None) -> CampaignState:
    """The campaign's state, held until the transaction ends. Raises as `pause_campaign` says, but for `ended`."""
    found = await db.fetch_value(HOLD, campaign_id)
    if found is None:
        raise NotFound("campaign")
    state = CampaignState(found)
    if state in OVER and state is not ended:
        raise Refused("campaign_is_over")
    if state is CampaignState.DRAFT:
        raise Refused("campaign_is_draft")
    return state


async def _note(act: str, campaign_id: int, actor: Actor, now: datetime) -> None:
    await write_journal(actor, act, subject_kind="campaign", subject_id=campaign_id, now=now)
