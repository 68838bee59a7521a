"""The ledger stays without the person: sums as they were, no words, and the traces that keep gifts once-only."""

from collections.abc import Sequence
from datetime import datetime

from loyalty import db

VOID = """
UPDATE hold SET state = 'voided', decided_at = $2 WHERE customer_id = ANY($1::bigint[]) AND state IN ('asked', 'held')
"""
# Indexes: bonus_entry_customer, credit_request_customer.
WORDS = """
WITH comments AS (
    DELETE FROM bonus_entry_comment
    WHERE entry_id IN (SELECT id FROM bonus_entry WHERE customer_id = ANY($1::bigint[]))
)
UPDATE credit_request SET comment = '', state = CASE WHEN state = 'waiting' THEN 'withdrawn' ELSE state END,
    decided_at = CASE WHEN state = 'waiting' THEN $2 ELSE decided_at END
WHERE customer_id = ANY($1)
"""
# Whatever any of the person's cards had, each of their phones had, and so has whoever comes back with one.
SPREAD = """
INSERT INTO once_only_bonus (person, kind, period, entry_id)
SELECT DISTINCT ON (keep.person, had.kind, had.period) keep.person, had.kind, had.period, had.entry_id
FROM once_only_bonus had, unnest($2::text[]) keep (person) WHERE had.person = ANY($1::text[])
ORDER BY keep.person, had.kind, had.period, had.id ON CONFLICT (person, kind, period) DO NOTHING
"""


async def erase(customer_ids: Sequence[int], *, now: datetime) -> None:
    """Let go what is set aside, and take out what people wrote about movements. Joins the caller's transaction."""
    await db.execute(VOID, list(customer_ids), now)
    await db.execute(WORDS, list(customer_ids), now)


async def keep_traces(persons: Sequence[str], phones: Sequence[str]) -> None:
    """Have each of these phones' hashes had every gift that any of the person's hashes had."""
    await db.execute(SPREAD, list(persons), list(phones))
