"""What an erasure takes out of campaigns: what somebody typed to find the person, and words to them alone."""

from collections.abc import Sequence

from loyalty import db

# Index: recipient_customer.
ERASE = """
UPDATE campaign c SET look = c.look - 'q', name = CASE WHEN c.total = 1 THEN '' ELSE c.name END,
    texts = CASE WHEN c.total = 1 THEN '{}' ELSE c.texts END
WHERE (c.look ? 'q' OR c.total = 1)
    AND c.id IN (SELECT campaign_id FROM recipient WHERE customer_id = ANY($1::bigint[]))
"""


async def erase(customer_ids: Sequence[int]) -> None:
    """Take out of their campaigns what tells of these customers; that they were of the audience stays."""
    await db.execute(ERASE, list(customer_ids))
