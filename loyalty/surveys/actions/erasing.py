"""What an erasure takes out of surveys: comments, and what was typed to find the person."""

from collections.abc import Sequence

from loyalty import db

# Indexes: survey_answer_customer, survey_invitation_customer.
ERASE = """
WITH answers AS (
    UPDATE survey_answer SET comment = NULL WHERE customer_id = ANY($1::bigint[])
)
UPDATE survey_run SET look = look - 'q' WHERE look ? 'q'
    AND id IN (SELECT run_id FROM survey_invitation WHERE customer_id = ANY($1))
"""


async def erase(customer_ids: Sequence[int]) -> None:
    """Take out of surveys what tells of these customers; their scores stay, as nobody's.

    Who waits to be asked has left the base, which is seen when their turn comes.
    """
    await db.execute(ERASE, list(customer_ids))
