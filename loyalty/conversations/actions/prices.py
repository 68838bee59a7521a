"""Telling what channels charge for a message."""

from dataclasses import asdict
from datetime import datetime

from loyalty import db
from loyalty.conversations.prices import Prices, checked_prices
from loyalty.conversations.queries.prices import prices
from loyalty.errors import Conflict
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

SET = """
INSERT INTO message_price (channel, advertising, service, updated_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (channel) DO UPDATE SET advertising = EXCLUDED.advertising, service = EXCLUDED.service,
    updated_at = EXCLUDED.updated_at
"""


@db.use_case
async def change_prices(wanted: Prices, *, seen: Prices, actor: Actor, now: datetime) -> None:
    """Count with these prices from now on; campaigns that have begun keep those of their beginning.

    seen: what whoever decided had before their eyes. Raises Invalid as `checked_prices` does, Conflict when they were
    changed meanwhile.
    """
    after = checked_prices(wanted)
    # Two who save in one breath: the second one waits, and is told.
    await db.execute("LOCK TABLE message_price IN SHARE ROW EXCLUSIVE MODE")
    before = await prices()
    if before != checked_prices(seen):
        raise Conflict("changed_meanwhile")
    changed = {channel: price for channel, price in after.items() if price != before[channel]}
    for channel, price in changed.items():
        await db.execute(SET, channel, price.advertising, price.service, now)
    if changed:
        told = {channel: asdict(price) for channel, price in changed.items()}
        await write_journal(actor, "prices.changed", now=now, prices=told)
