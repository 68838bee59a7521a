"""Sending a campaign to its author first, as each messenger shows it."""

from collections.abc import Collection, Mapping
from datetime import datetime

from loyalty import db
from loyalty.campaigns.queries.plans import COLUMNS, words_of
from loyalty.campaigns.rules.texts import content_for
from loyalty.conversations.actions.bulk import BulkMessage, queue_bulk
from loyalty.conversations.rules import Priority
from loyalty.errors import NotFound, Refused
from loyalty.shop.queries import shop
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

# A chat that was linked to the account of the panel, and those of the customer who has the same phone.
MINE = """
SELECT DISTINCT ON (a.channel) a.id, a.channel FROM messenger_account a
WHERE a.is_active AND (a.id IN (SELECT account_id FROM staff_chat WHERE staff_id = $1)
    OR a.customer_id IN (SELECT c.id FROM customer c JOIN staff_member s ON s.phone = c.phone
        WHERE s.id = $1 AND c.phone_verified_at IS NOT NULL))
ORDER BY a.channel, a.is_default DESC, a.id
"""


async def places_of_staff(staff_id: int, channels: Collection[str]) -> dict[str, int]:
    """Where a person of the panel can be written to: the account in each of these channels."""
    return {row["channel"]: row["id"] for row in await db.fetch(MINE, staff_id) if row["channel"] in channels}


@db.use_case
async def send_trial(
    campaign_id: int,
    language: str,
    values: Mapping[str, str],
    *,
    channels: Collection[str],
    key: str,
    actor: Actor,
    now: datetime,
) -> list[str]:
    """Send each wording to whoever asks, at any hour, in each of these channels in which they are; returns those.

    values: what its variables are this time. The same key sends once. Nobody counts it, and it needs no consent. Raises
    NotFound("campaign"), Refused("nowhere_to_try").
    """
    row = await db.fetch_row(f"SELECT {COLUMNS} FROM campaign WHERE id = $1", campaign_id)
    if row is None:
        raise NotFound("campaign")
    places = await places_of_staff(actor.staff_id, channels) if actor.staff_id is not None else {}
    if not places:
        raise Refused("nowhere_to_try")
    shop_language = (await shop()).language
    # One after the other, so that they come in their order.
    for variant, words in enumerate(words_of(row).wordings):
        content = content_for(words, language, shop_language, values)
        named = f"trial:{campaign_id}:{key}:{variant}"
        copies = [BulkMessage(place, content, f"{named}:{place}") for place in places.values()]
        await queue_bulk(copies, topic="service", priority=Priority.SERVICE, now=now)
    await write_journal(actor, "campaign.tried", subject_kind="campaign", subject_id=campaign_id, now=now)
    return list(places)
