"""Taking a person's words out of the tasks about them. That there was something to do, and who did it, stays."""

from collections.abc import Sequence

from loyalty import db

ERASE = "UPDATE task SET title = '', details = '' WHERE customer_id = ANY($1::bigint[])"  # index: task_customer


async def erase(customer_ids: Sequence[int]) -> None:
    """Empty what was written about these customers. Joins the caller's transaction, which holds them.

    Before the messages that remind of it: whoever is just being reminded is waited for here.
    """
    await db.execute(ERASE, list(customer_ids))
