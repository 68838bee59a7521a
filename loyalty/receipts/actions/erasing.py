"""Purchases stay without the person: what was sold, to nobody."""

from collections.abc import Sequence
from datetime import datetime

from loyalty import db

# Whoever comes with the phone of a sale that waits is somebody new: it waits on by its link. A claim that waits for a
# person has nobody to be decided for. Indexes: waiting_sale_phone, waiting_sale_came, fiscal_claim_customer.
ERASE = """
WITH sales AS (
    UPDATE waiting_sale SET phone = NULL, customer_id = NULL
    WHERE phone = ANY($2::text[]) OR customer_id = ANY($1::bigint[])
)
UPDATE fiscal_claim SET media_id = NULL, state = CASE WHEN state = 'waiting' THEN 'refused' ELSE state END,
    reason = CASE WHEN state = 'waiting' THEN 'not_confirmed' ELSE reason END,
    decided_at = CASE WHEN state = 'waiting' THEN $3 ELSE decided_at END
WHERE customer_id = ANY($1)
"""


async def erase(customer_ids: Sequence[int], phones: Sequence[str], *, now: datetime) -> None:
    """Take the phones out of what waits. Joins the caller's transaction."""
    await db.execute(ERASE, list(customer_ids), list(phones), now)
