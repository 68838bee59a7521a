"""Purchases go with the person when two cards of theirs become one."""

from collections.abc import Sequence

from loyalty import db
from loyalty.customers.actions.handing import hand_back, hand_over
from loyalty.errors import Refused

HANDED = ("receipt", "fiscal_claim", "waiting_sale")

# What was credited since is a receipt of the survivor's, and what was asked for it stays with it.
STILL_THEIRS = "receipt_id IS NULL OR receipt_id IN (SELECT id FROM receipt WHERE customer_id = $2)"

# Index: receipt_customer.
RECOUNT = """
UPDATE customer_facts SET sold = coalesce(bought.sold, 0), paid = coalesce(bought.paid, 0),
    receipts = coalesce(bought.receipts, 0)
FROM unnest($1::bigint[]) one (id) LEFT JOIN (SELECT customer_id,
    sum(CASE kind WHEN 'sale' THEN total ELSE -total END)::bigint AS sold,
    sum(CASE kind WHEN 'sale' THEN paid ELSE -paid END)::bigint AS paid,
    count(*) FILTER (WHERE kind = 'sale' AND refunded < total)::int AS receipts
    FROM receipt WHERE customer_id = ANY($1) GROUP BY 1) bought ON bought.customer_id = one.id
WHERE customer_facts.customer_id = one.id
"""
# Index: receipt_original.
REFUNDED_SINCE = """
SELECT EXISTS (SELECT FROM receipt WHERE original_id = ANY($1::bigint[]) AND NOT id = ANY($1))
"""


async def move(merged_id: int, survivor_id: int) -> dict[str, list[int]]:
    """Make one customer's purchases another's; which rows. `recount_purchases` is due after it."""
    return await hand_over(HANDED, merged_id, survivor_id)


async def move_back(merged_id: int, survivor_id: int, remembered: dict[str, list[int]]) -> None:
    """Take `move` back. Raises Refused("moved_receipt_was_refunded"): what a refund took is the survivor's since."""
    receipts = remembered.get("receipt", [])
    if receipts and await db.fetch_value(REFUNDED_SINCE, receipts):
        raise Refused("moved_receipt_was_refunded")
    await hand_back({"receipt": receipts}, survivor_id, merged_id)
    rest = {table: ids for table, ids in remembered.items() if table != "receipt"}
    await hand_back(rest, survivor_id, merged_id, only={"fiscal_claim": STILL_THEIRS, "waiting_sale": STILL_THEIRS})


async def recount_purchases(customer_ids: Sequence[int]) -> None:
    """Count again what these customers bought. The caller holds them."""
    await db.execute(RECOUNT, list(customer_ids))
