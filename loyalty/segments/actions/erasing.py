"""Nobody who was erased is in a segment."""

from collections.abc import Sequence

from loyalty import db


async def erase(customer_ids: Sequence[int]) -> None:
    """Take these customers out of all segments filled by hand. Index: segment_member_customer."""
    await db.execute("DELETE FROM segment_member WHERE customer_id = ANY($1::bigint[])", list(customer_ids))
