"""Many customers put into a segment or taken out at once, and that taken back.

Each function joins a transaction that holds the customers and keeps a journal of its own.
"""

from collections.abc import Sequence
from datetime import datetime

from loyalty.db import fetch
from loyalty.segments.actions.segments import check_usable
from loyalty.staff.rules import Actor

ADD = """
    INSERT INTO segment_member (segment_id, customer_id, added_at, staff_id)
    SELECT $1, c.id, $3, $4 FROM customer c
    WHERE c.id = ANY($2::bigint[]) AND c.merged_into_id IS NULL AND c.erased_at IS NULL
    ON CONFLICT DO NOTHING RETURNING customer_id
"""
REMOVE = "DELETE FROM segment_member WHERE segment_id = $1 AND customer_id = ANY($2::bigint[]) RETURNING customer_id"
# Who was taken out and put in again since is there by another act.
REMOVE_SINCE = """
    DELETE FROM segment_member m USING unnest($2::bigint[], $3::timestamptz[]) part (id, at)
    WHERE m.segment_id = $1 AND m.customer_id = part.id AND m.added_at = part.at RETURNING m.customer_id
"""


async def add_members(segment_id: int, held: Sequence[int], *, actor: Actor, now: datetime) -> list[int]:
    """Put customers into a segment; for whom it was new. Merged and erased cards are left out.

    Raises NotFound("segment"), Refused("segment_is_archived" | "segment_has_conditions").
    """
    await check_usable(segment_id)
    return [row["customer_id"] for row in await fetch(ADD, segment_id, list(held), now, actor.staff_id)]


async def remove_members(segment_id: int, held: Sequence[int]) -> list[int]:
    """Take customers out of a segment; who was in it. Raises like `add_members`."""
    await check_usable(segment_id)
    return [row["customer_id"] for row in await fetch(REMOVE, segment_id, list(held))]


async def undo_add(segment_id: int, held: Sequence[int], added_at: Sequence[datetime]) -> list[int]:
    """Take those out who are in it since just then; who that was. An archived segment lets them go, too."""
    return [row["customer_id"] for row in await fetch(REMOVE_SINCE, segment_id, list(held), list(added_at))]
