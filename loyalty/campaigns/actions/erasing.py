"""What an erasure takes out of campaigns: what somebody typed to find the person, words to them, their ways on."""

from collections.abc import Sequence
from datetime import datetime

from loyalty import db

# Index: recipient_customer.
ERASE = """
UPDATE campaign c SET look = c.look - 'q', name = CASE WHEN c.total = 1 THEN '' ELSE c.name END,
    texts = CASE WHEN c.total = 1 THEN '{}' ELSE c.texts END,
    other_texts = CASE WHEN c.total = 1 THEN NULL ELSE c.other_texts END
WHERE (c.look ? 'q' OR c.total = 1)
    AND c.id IN (SELECT campaign_id FROM recipient WHERE customer_id = ANY($1::bigint[]))
"""
# Of what has not begun nobody is chosen yet: whom a search would find is not asked, and a filter without its search
# would find others. Its author chooses anew. These are a handful.
SEARCHES = """
UPDATE campaign SET look = look - 'q', ids = '[]', pause_reason = 'no_audience', state = 'draft'
WHERE state IN ('draft', 'scheduled') AND look ? 'q'
"""
FOR_THEM_ALONE = """
UPDATE campaign SET ids = '[]', name = '', texts = '{}', other_texts = NULL, state = 'cancelled',
    finished_at = created_at
WHERE state IN ('draft', 'scheduled') AND ids <> '[]' AND ids <@ $1::jsonb
"""
# Nothing more comes to them of what had begun. Index: automation_run_customer.
STOP = """
UPDATE automation_run SET state = 'stopped', reason = 'is_not_in_base', finished_at = $2
WHERE customer_id = ANY($1::bigint[]) AND state = 'waiting'
"""


async def erase(customer_ids: Sequence[int], *, now: datetime) -> None:
    """Take out of their campaigns what tells of these customers; that they were of the audience stays."""
    await db.execute(STOP, list(customer_ids), now)
    await db.execute(ERASE, list(customer_ids))
    await db.execute(SEARCHES)
    await db.execute(FOR_THEM_ALONE, db.to_json(list(customer_ids)))
