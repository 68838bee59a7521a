"""Campaigns as they stand, and what became of each person of one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.campaigns.queries.plans import draft_of
from loyalty.campaigns.rules.drafts import CampaignDraft
from loyalty.campaigns.rules.states import OVER, CampaignState, Fate, PauseReason, Skip
from loyalty.errors import NotFound

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign. look: the search and filter; None for people who were ticked, of whom ids names those ahead of time.

    sent counts what was delivered and read, too; delivered what was read. skipped: left out of the audience; control:
    left out by lot. As of counted_at. series_id: the repeated one that this is a time of.
    """

    id: int
    name: str
    draft: CampaignDraft
    channels: tuple[str, ...]
    look: Mapping[str, str] | None
    ids: tuple[int, ...] | None
    state: CampaignState
    pause_reason: PauseReason | None
    series_id: int | None
    file_name: str | None
    seed: int
    updated_at: datetime | None
    started_at: datetime | None
    acknowledged_version: int
    acknowledged_text: str
    staff_id: int | None
    staff_name: str | None
    created_at: datetime
    resumed_at: datetime
    resumed_from: int
    finished_at: datetime | None
    counted_at: datetime
    total: int
    skipped: int
    control: int
    queued: int
    sent: int
    delivered: int
    read: int
    failed: int
    unknown: int
    cancelled: int

    @property
    def reached(self) -> int:
        """How many are to be written to, or were."""
        return self.total - self.skipped - self.control

    @property
    def texts(self) -> Mapping[str, str]:
        """What it says, by language."""
        return self.draft.words.texts

    @property
    def is_series(self) -> bool:
        """Each time is a campaign of its own."""
        return self.draft.timing.repeat is not None

    @property
    def settled(self) -> int:
        """Of how many it is known what became of their message, or that nobody will know."""
        return self.sent + self.failed + self.unknown + self.cancelled

    @property
    def is_over(self) -> bool:
        """Nothing more is sent of it."""
        return self.state in OVER

    def pace(self) -> float:
        """Messages a second since it began or went on; 0 while nobody knows."""
        seconds = (self.counted_at - self.resumed_at).total_seconds()
        return (self.settled - self.resumed_from) / seconds if seconds > 0 else 0.0

    def seconds_left(self) -> int | None:
        """How long it goes on at this pace; None while nobody knows."""
        pace = self.pace()
        return round((self.reached - self.settled) / pace) if pace > 0 and self.state is CampaignState.RUNNING else None


@dataclass(frozen=True, slots=True)
class RecipientView:
    """One person of a campaign. reason: why they were left out, or why it did not arrive, as a code.

    variant: which wording they drew, by its place; None where they drew none.
    """

    customer_id: int
    name: str
    fate: Fate
    channel: str | None
    reason: str | None
    at: datetime | None
    variant: int | None = None


CAMPAIGNS = """
SELECT c.id, c.name, c.topic, c.texts, c.other_texts, c.fallbacks, c.buttons, c.attachment_id, c.template_id,
    c.preferred, c.channels, c.look, c.ids, c.state, c.pause_reason, c.starts_at, c.send_until, c.repeat, c.zone,
    c.control_bp, c.seed, c.window_days, c.bonus, c.bonus_days, c.series_id, c.updated_at, c.started_at,
    c.acknowledged_version, c.acknowledged_text, c.staff_id, p.name AS staff_name, c.created_at, c.resumed_at,
    c.resumed_from, c.finished_at, c.counted_at, c.total, c.skipped, c.control, c.queued, c.sent, c.delivered, c.read,
    c.failed, c.unknown, c.cancelled, f.name AS file_name
FROM campaign c LEFT JOIN staff_member p ON p.id = c.staff_id LEFT JOIN attachment f ON f.id = c.attachment_id
"""
# Both by the primary key of campaign.
ONE = f"{CAMPAIGNS} WHERE c.id = $1"
PAGE = f"""{CAMPAIGNS} WHERE ($1::int IS NULL OR c.id < $1) AND ($3::int IS NULL OR c.staff_id = $3)
    AND ($4::text[] IS NULL OR c.state = ANY($4)) AND ($5::int IS NULL OR c.series_id = $5)
ORDER BY c.id DESC LIMIT $2"""
# By the primary key of recipient; those who were left out along recipient_left_out.
RECIPIENTS = """
SELECT r.customer_id, c.name, r.state, r.reason, r.variant, m.status, m.reason AS why, m.channel,
    coalesce(m.read_at, m.delivered_at, m.sent_at) AS at
FROM recipient r JOIN customer c ON c.id = r.customer_id LEFT JOIN message m ON m.id = r.message_id
WHERE r.campaign_id = $1 AND r.customer_id > $2 AND {which} ORDER BY r.customer_id LIMIT $3
"""
PAUSED = "m.status = 'cancelled' AND m.reason = 'campaign_paused'"
WHICH = {
    None: "true",
    Fate.WAITING: "r.state = 'waiting'",
    Fate.QUEUED: f"r.state = 'queued' AND (m.status IN ('queued', 'delayed', 'leased', 'sending') OR {PAUSED})",
    Fate.SENT: "m.status IN ('sent', 'delivered', 'read')",
    Fate.DELIVERED: "m.status IN ('delivered', 'read')",
    Fate.READ: "m.status = 'read'",
    Fate.FAILED: "m.status = 'failed'",
    Fate.UNKNOWN: "m.status = 'unknown'",
    Fate.CANCELLED: f"(r.state = 'waiting' OR m.status = 'cancelled' AND NOT ({PAUSED}))",
    Fate.SKIPPED: "r.state = 'skipped'",
    Fate.CONTROL: "r.state = 'control'",
}
SKIPPED = """
SELECT reason, count(*) AS customers FROM recipient WHERE campaign_id = $1 AND state = 'skipped' GROUP BY 1
"""
FAILED = """
SELECT m.reason, count(*) AS customers FROM recipient r JOIN message m ON m.id = r.message_id
WHERE r.campaign_id = $1 AND m.status = 'failed' GROUP BY 1 ORDER BY 2 DESC, 1
"""


async def campaign(campaign_id: int) -> CampaignView:
    """One campaign. Raises NotFound("campaign")."""
    row = await db.fetch_row(ONE, campaign_id)
    if row is None:
        raise NotFound("campaign")
    return _view(row)


async def campaigns(
    *,
    before_id: int | None = None,
    staff_id: int | None = None,
    states: Collection[CampaignState] | None = None,
    series_id: int | None = None,
) -> tuple[list[CampaignView], int | None]:
    """Campaigns, of one author or everybody's, the newest first, PAGE_ROWS at most, and where the next page begins.

    series_id: those that were times of this one.
    """
    named = None if states is None else [one.value for one in states]
    rows = await db.fetch(PAGE, before_id, PAGE_ROWS + 1, staff_id, named, series_id)
    found = [_view(row) for row in rows[:PAGE_ROWS]]
    return found, found[-1].id if len(rows) > PAGE_ROWS else None


async def recipients(
    campaign_id: int, *, fate: Fate | None = None, after_id: int = 0
) -> tuple[list[RecipientView], int | None]:
    """People of a campaign by their ids, PAGE_ROWS at most, and where the next page begins."""
    rows = await db.fetch(RECIPIENTS.format(which=WHICH[fate]), campaign_id, after_id, PAGE_ROWS + 1)
    found = [_recipient(row) for row in rows[:PAGE_ROWS]]
    return found, found[-1].customer_id if len(rows) > PAGE_ROWS else None


async def skipped(campaign_id: int) -> dict[Skip, int]:
    """How many were left out, by reason, in the order in which it was asked. Index: recipient_left_out."""
    found = {row["reason"]: row["customers"] for row in await db.fetch(SKIPPED, campaign_id)}
    return {reason: found[reason] for reason in Skip if reason in found}


async def failures(campaign_id: int) -> list[tuple[str, int]]:
    """(reason, customers) of those whose message did not arrive, the most first."""
    return [(row["reason"] or "", row["customers"]) for row in await db.fetch(FAILED, campaign_id)]


def _view(row: db.Row) -> CampaignView:
    read = {
        "draft": draft_of(row),
        "look": db.from_json(row["look"]) if row["look"] is not None else None,
        "ids": tuple(db.from_json(row["ids"])) if row["ids"] is not None else None,
        "channels": tuple(one for one in row["channels"].split(",") if one),
        "state": CampaignState(row["state"]),
        "pause_reason": PauseReason(row["pause_reason"]) if row["pause_reason"] else None,
    }
    found: dict[str, Any] = row | read
    return CampaignView(**{one.name: found[one.name] for one in fields(CampaignView)})


def _recipient(row: db.Row) -> RecipientView:
    if row["state"] == "skipped":
        fate, reason = Fate.SKIPPED, row["reason"]
    elif row["state"] == "control":
        fate, reason = Fate.CONTROL, None
    elif row["status"] is None:
        fate, reason = Fate.WAITING, None
    elif row["status"] == "cancelled" and row["why"] == "campaign_paused":
        fate, reason = Fate.QUEUED, None
    elif row["status"] in {"queued", "delayed", "leased", "sending"}:
        fate, reason = Fate.QUEUED, row["why"]
    else:
        fate, reason = Fate(row["status"]), row["why"]
    variant = None if fate in {Fate.SKIPPED, Fate.CONTROL} else row["variant"]
    return RecipientView(row["customer_id"], row["name"], fate, row["channel"], reason, row["at"], variant)
