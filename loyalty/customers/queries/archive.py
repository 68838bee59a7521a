"""Reads of people who were taken out of the base."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.customers.queries import reach
from loyalty.customers.rules import RESTORED_FOR

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class Deleted:
    """Somebody who was deleted. staff_name None: no person of the panel did it. until: they can come back till then."""

    id: int
    name: str
    phone: str | None
    card_number: str
    deleted_at: datetime
    staff_name: str | None

    @property
    def until(self) -> datetime:
        """The end of the time in which staff can bring them back."""
        return self.deleted_at + RESTORED_FOR


Place = tuple[datetime, int]
"""Where a page begins: after a row deleted then, of that id."""

# Index: customer_deleted, backwards.
DELETED = f"""
SELECT c.id, c.name, c.phone, c.card_number, c.deleted_at, p.name AS staff_name
FROM customer c LEFT JOIN staff_member p ON p.id = c.deleted_by_id
WHERE c.deleted_at > $1 AND c.merged_into_id IS NULL AND c.erased_at IS NULL
    AND ($2::timestamptz IS NULL OR (c.deleted_at, c.id) < ($2, $3::bigint)) AND {reach.within("c.id", "$5")}
ORDER BY c.deleted_at DESC, c.id DESC LIMIT $4
"""
ONE = """
SELECT c.id, c.name, c.phone, c.card_number, c.deleted_at, p.name AS staff_name
FROM customer c LEFT JOIN staff_member p ON p.id = c.deleted_by_id
WHERE c.id = $1 AND c.deleted_at IS NOT NULL AND c.merged_into_id IS NULL AND c.erased_at IS NULL
"""


async def deleted_customers(
    *, now: datetime, within: Collection[int] | None = None, before: Place | None = None
) -> tuple[list[Deleted], Place | None]:
    """Who can still be brought back, those deleted last first, PAGE_ROWS at most, and where the next page begins.

    within: only those whom these locations reach, None for all.
    """
    at, id_ = before or (None, None)
    places = None if within is None else list(within)
    rows = await db.fetch(DELETED, now - RESTORED_FOR, at, id_, PAGE_ROWS + 1, places)
    found = [Deleted(**row) for row in rows[:PAGE_ROWS]]
    return found, (found[-1].deleted_at, found[-1].id) if len(rows) > PAGE_ROWS else None


async def deletion_of(customer_id: int) -> Deleted | None:
    """When and by whom somebody was deleted, if they were."""
    row = await db.fetch_row(ONE, customer_id)
    return Deleted(**row) if row else None
