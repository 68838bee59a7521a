"""What an erasure takes out of surveys: comments, what waits to be asked, and what was typed to find the person."""

from collections.abc import Sequence

from loyalty import db

# Indexes: survey_answer_customer, survey_invitation_customer.
ERASE = """
WITH answers AS (
    UPDATE survey_answer SET comment = NULL WHERE customer_id = ANY($1::bigint[])
), invitations AS (
    UPDATE survey_invitation SET state = 'skipped', reason = 'is_not_in_base'
    WHERE customer_id = ANY($1) AND state = 'waiting'
)
UPDATE survey_run SET look = look - 'q' WHERE look ? 'q'
    AND id IN (SELECT run_id FROM survey_invitation WHERE customer_id = ANY($1))
"""


async def erase(customer_ids: Sequence[int]) -> None:
    """Take out of surveys what tells of these customers; their scores stay, as nobody's."""
    await db.execute(ERASE, list(customer_ids))
