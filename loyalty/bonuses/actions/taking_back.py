"""Taking a credit back: from its own lot, wherever that is by now, then from other lots, then as debt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.bonuses.actions.posting import Posting, post
from loyalty.bonuses.queries import lots_after, open_lots
from loyalty.bonuses.rules import Kind, Taken, reverse, total_taken
from loyalty.shop.rules import DebtPolicy
from loyalty.staff.rules import Actor

# Whose the credit is by now: its card may have become another one.
GIFT = """
SELECT coalesce(c.merged_into_id, c.id) AS customer_id, e.amount, l.id AS lot_id
FROM bonus_entry e JOIN customer c ON c.id = e.customer_id JOIN bonus_lot l ON l.entry_id = e.id WHERE e.id = $1
"""
EXPIRED = """
SELECT coalesce(sum(a.amount), 0)::bigint FROM bonus_allocation a JOIN bonus_entry x ON x.id = a.entry_id
WHERE a.lot_id = ANY($1::bigint[]) AND x.kind = 'expire'
"""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """An entry that took a credit back: whose, how much of it, their balance after it; what it took, and as debt."""

    entry_id: int
    customer_id: int
    amount: int
    balance: int
    taken: Sequence[Taken]
    debt: int


async def take_back(
    entry_id: int, event: str, operation_id: str, *, policy: DebtPolicy, actor: Actor, now: datetime, zone: str
) -> TakenBack | None:
    """Take a credit back; None when nothing of it is left to take. What of it expired is gone already.

    Joins the caller's transaction, which holds whose it is.
    """
    gift = await db.fetch_row(GIFT, entry_id)
    assert gift is not None, "a credit has a lot"
    customer_id = gift["customer_id"]
    line = [lot for _origin, lot in await lots_after([gift["lot_id"]])]
    lots = await open_lots(customer_id, now=now)
    own = next((lot for lot in lots if lot.id in line), None)
    reversal = reverse(own, lots, gift["amount"] - await db.fetch_value(EXPIRED, line), now)
    debt = 0 if policy is DebtPolicy.CLAMP else reversal.debt
    amount = total_taken(reversal.taken) + debt
    if not amount:
        return None
    made, balance = await post(
        Posting(
            customer_id,
            -amount,
            Kind.REVERSE_EARN,
            event,
            operation_id,
            actor,
            now,
            zone,
            taken=reversal.taken,
            debt=debt,
            corrects_id=entry_id,
        )
    )
    return TakenBack(made, customer_id, amount, balance, reversal.taken, debt)
