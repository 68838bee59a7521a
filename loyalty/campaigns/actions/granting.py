"""Bonuses that come with a campaign: one lot for each to whom it was sent, or may have been.

The feeder leaves a recipient `due` when their message is settled as sent or unknown. Here they get their lot, in parts
of one transaction each: the entry, the lot and the row that is done stand together or not at all.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from loyalty import db
from loyalty.bonuses.actions.crediting import Credit, credit_many
from loyalty.bonuses.rules import Source, gift_lot_dates
from loyalty.customers.actions.moving import hold_cards
from loyalty.shop.queries import shop
from loyalty.staff.rules import Actor

EVENT = "campaign"
PART = 200
"""So many people are held at a time; their sales wait meanwhile, for some hundredths of a second."""
WORK_SECONDS = 3.0
LATE_WITHIN = timedelta(days=14)
"""So long after its end a campaign's message may turn out to have arrived after all."""

# Campaigns with bonuses are few; whether anybody is due, by recipient_due.
WITH_DUE = """
SELECT c.id, c.bonus, c.bonus_days FROM campaign c WHERE c.bonus > 0
    AND EXISTS (SELECT FROM recipient r WHERE r.campaign_id = c.id AND r.state = 'due') ORDER BY c.id
"""
# Index: recipient_due. A card may be another's by now: its owner gets the bonuses.
NEXT = """
SELECT r.customer_id, coalesce(c.merged_into_id, c.id) AS owner_id
FROM (SELECT customer_id FROM recipient WHERE campaign_id = $1 AND state = 'due' ORDER BY customer_id LIMIT $2) r
    JOIN customer c ON c.id = r.customer_id ORDER BY r.customer_id
"""
# Asked again behind the locks. Whether a person has it already: by any card that is theirs, along customer_merged_into
# and the unique name of an entry.
HELD = """
SELECT r.customer_id, coalesce(c.merged_into_id, c.id) AS owner_id, c.erased_at IS NOT NULL AS is_erased,
    EXISTS (SELECT FROM customer card JOIN bonus_entry e ON e.operation_id = 'campaign:' || $1::int || ':' || card.id
        WHERE card.id = coalesce(c.merged_into_id, c.id) OR card.merged_into_id = coalesce(c.merged_into_id, c.id))
        AS is_given
FROM recipient r JOIN customer c ON c.id = r.customer_id
WHERE r.campaign_id = $1 AND r.state = 'due' AND r.customer_id = ANY($2::bigint[]) ORDER BY r.customer_id
"""
DONE = """
UPDATE recipient SET state = 'done' WHERE campaign_id = $1 AND customer_id = ANY($2::bigint[]) AND state = 'due'
"""
ENDED_LATELY = "SELECT id FROM campaign WHERE bonus > 0 AND finished_at > $1 ORDER BY id"
# What was believed lost has arrived: messengers tell so late. By the primary key of recipient.
ARRIVED_LATE = """
UPDATE recipient r SET state = 'due' FROM message m, customer c
WHERE r.campaign_id = $1 AND r.state = 'done' AND m.id = r.message_id
    AND m.status IN ('sent', 'delivered', 'read', 'unknown') AND c.id = r.customer_id AND c.erased_at IS NULL
    AND NOT EXISTS (SELECT FROM bonus_entry e
        WHERE e.operation_id = 'campaign:' || r.campaign_id || ':' || r.customer_id)
    AND NOT EXISTS (SELECT FROM customer card
        JOIN bonus_entry e ON e.operation_id = 'campaign:' || r.campaign_id || ':' || card.id
        WHERE card.id = c.merged_into_id OR card.merged_into_id IN (c.id, c.merged_into_id))
RETURNING r.customer_id
"""


def operation_of(campaign_id: int, customer_id: int) -> str:
    """What the entry of one person's bonuses is called: by their card when the audience was frozen."""
    return f"campaign:{campaign_id}:{customer_id}"


async def grant_due(*, actor: Actor, now: datetime, seconds: float = WORK_SECONDS) -> int:
    """Give the bonuses of campaigns that are due; returns to how many. Safe to run twice, or by two at once."""
    until, given = time.monotonic() + seconds, 0
    for row in await db.fetch(WITH_DUE):
        while time.monotonic() < until:
            worked, credited = await grant_part(row["id"], row["bonus"], row["bonus_days"], actor=actor, now=now)
            given += credited
            if not worked:
                break
    return given


async def find_late(*, now: datetime) -> int:
    """Make those due whose message turned out to have arrived after it had been given up; returns how many."""
    found = 0
    for row in await db.fetch(ENDED_LATELY, now - LATE_WITHIN):
        found += len(await db.fetch(ARRIVED_LATE, row["id"]))
    return found


@db.use_case
async def grant_part(campaign_id: int, bonus: int, days: int, *, actor: Actor, now: datetime) -> tuple[int, int]:
    """Give the next people of a campaign their bonuses: (of how many it was settled, how many were given any).

    Once a person, whatever dies and whoever else works on it, and on however many cards of theirs it was sent. Who was
    erased since gets nothing. A message that is reported as failed later takes nothing back: it was promised. Nobody
    is told: the message has done so.
    """
    rows = await db.fetch(NEXT, campaign_id, PART)
    if not rows:
        return 0, 0
    held = {one for row in rows for one in (row["customer_id"], row["owner_id"])}
    await hold_cards(sorted(held))
    # Who was merged just now is left to the next time: their owner is not held.
    due = await db.fetch(HELD, campaign_id, [row["customer_id"] for row in rows])
    due = [row for row in due if row["owner_id"] in held]
    dates = gift_lot_dates(days, now, (await shop()).time_zone)
    given = [
        Credit(row["owner_id"], bonus, operation_of(campaign_id, row["customer_id"]), dates) for row in _to_give(due)
    ]
    await credit_many(given, event=EVENT, source=Source.CAMPAIGN, actor=actor, now=now)
    await db.execute(DONE, campaign_id, [row["customer_id"] for row in due])
    return len(due), len(given)


def _to_give(due: Sequence[db.Row]) -> list[db.Row]:
    """One row a person who has not got it yet."""
    found: dict[int, db.Row] = {}
    for row in due:
        if not row["is_given"] and not row["is_erased"]:
            found.setdefault(row["owner_id"], row)
    return list(found.values())
