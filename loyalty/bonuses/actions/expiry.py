"""Writing down what has expired."""

from datetime import datetime

from loyalty import db
from loyalty.bonuses.actions.posting import Posting, post
from loyalty.bonuses.rules import Kind, Lot, Taken
from loyalty.customers.actions import lock_customer
from loyalty.shop.queries import shop
from loyalty.staff.rules import Actor

# Index: bonus_lot_expiring.
DUE = """
    SELECT DISTINCT customer_id FROM bonus_lot WHERE remaining > 0 AND expires_at <= $1
    ORDER BY customer_id LIMIT $2
"""
# A lot of which a live hold keeps something waits for the hold's end: it may be spent until then.
EXPIRED_LOTS = """
    SELECT id, remaining, activates_at, expires_at FROM bonus_lot
    WHERE customer_id = $1 AND remaining > 0 AND expires_at <= $2 AND NOT EXISTS (
        SELECT FROM hold JOIN hold_lot part ON part.hold_id = hold.id
        WHERE part.lot_id = bonus_lot.id AND hold.state = 'held' AND hold.expires_at > $2)
    ORDER BY expires_at, id
"""


async def expire_due(*, actor: Actor, now: datetime, limit: int = 500) -> int:
    """Write the entries of lots whose time is over, for at most `limit` customers; returns how many lots.

    Nothing depends on when it runs: what has expired could not be spent anyway. Safe to run twice, or by two
    processes at once. One transaction a customer.
    """
    zone = (await shop()).time_zone
    lots = 0
    for row in await db.fetch(DUE, now, limit):
        lots += await _expire_customer(row["customer_id"], zone, actor=actor, now=now)
    return lots


@db.use_case
async def _expire_customer(customer_id: int, zone: str, *, actor: Actor, now: datetime) -> int:
    await lock_customer(customer_id)
    # Read after the lock: a burn that was ahead of us may have emptied the lot.
    lots = [Lot(**row) for row in await db.fetch(EXPIRED_LOTS, customer_id, now)]
    for lot in lots:
        assert lot.expires_at is not None
        await post(
            Posting(
                customer_id,
                -lot.remaining,
                Kind.EXPIRE,
                "expiry",
                f"expire:{lot.id}",
                actor,
                now,
                zone,
                taken=[Taken(lot.id, lot.remaining)],
            )
        )
    return len(lots)
