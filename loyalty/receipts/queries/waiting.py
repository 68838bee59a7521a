"""Reading sales that wait for their customer to register."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.errors import NotFound
from loyalty.receipts.rules.waiting import WaitingState, short_number

SHIFT_ROWS = 30


@dataclass(frozen=True, slots=True)
class WaitingSaleView:
    """A sale that waits, or what became of it. `total` in minor units, `earned` in hundredths of a bonus.

    customer_id, earned: of the receipt that it became.
    """

    id: int
    token: str
    phone: str | None
    location_id: int
    location_name: str
    external_id: str
    total: int
    staff_id: int
    state: WaitingState
    reason: str | None
    receipt_id: int | None
    customer_id: int | None
    earned: int | None
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None

    @property
    def number(self) -> str:
        """What it is called at the till."""
        return short_number(self.id)


@dataclass(frozen=True, slots=True)
class KeptInShift:
    """What one person kept for people who were not registered. Sums are of all but those taken back."""

    sales: int
    total: int
    latest: list[WaitingSaleView]


VIEW = """
    SELECT w.id, w.token, w.phone, w.location_id, l.name AS location_name, w.external_id, w.total, w.staff_id, w.state,
        w.reason, w.receipt_id, r.customer_id, r.earned, w.created_at, w.expires_at, w.decided_at
    FROM waiting_sale w JOIN location l ON l.id = w.location_id LEFT JOIN receipt r ON r.id = w.receipt_id
"""

# Index: waiting_sale_shift.
KEPT = """
    SELECT count(*) AS sales, coalesce(sum(total), 0)::bigint AS total FROM waiting_sale
    WHERE staff_id = $1 AND location_id = $2 AND created_at >= $3 AND created_at < $4 AND state <> 'withdrawn'
"""


async def waiting_sale(sale_id: int) -> WaitingSaleView:
    """One of them. Raises NotFound("waiting_sale")."""
    row = await db.fetch_row(f"{VIEW} WHERE w.id = $1", sale_id)
    if row is None:
        raise NotFound("waiting_sale")
    return _view(row)


async def waiting_sale_by_key(location_id: int, external_id: str) -> WaitingSaleView | None:
    """The one that a till kept under its key, if it did."""
    row = await db.fetch_row(f"{VIEW} WHERE w.location_id = $1 AND w.external_id = $2", location_id, external_id)
    return _view(row) if row else None


async def waiting_sale_by_token(token: str) -> WaitingSaleView | None:
    """The one whose link carries this token, whatever became of it."""
    row = await db.fetch_row(f"{VIEW} WHERE w.token = $1", token)
    return _view(row) if row else None


# Index: the unique one of the token.
IN_VAIN = """
    SELECT EXISTS (SELECT FROM unnest($1::text[]) link (token) LEFT JOIN waiting_sale w ON w.token = link.token
        LEFT JOIN receipt r ON r.id = w.receipt_id
    WHERE w.state IS DISTINCT FROM 'refused' AND coalesce(r.customer_id, w.customer_id) IS DISTINCT FROM $2)
"""


async def came_in_vain(customer_id: int, tokens: Sequence[str]) -> bool:
    """Whether a link had no sale for this customer: another has it, it was taken back, or its time was over.

    What a rule refused is told in words of its own.
    """
    return bool(await db.fetch_value(IN_VAIN, list(tokens), customer_id))


async def kept_in_shift(staff_id: int, location_id: int, since: datetime, until: datetime) -> KeptInShift:
    """What one person kept at a location in a stretch of time: its sums, and its latest SHIFT_ROWS."""
    params = (staff_id, location_id, since, until)
    sums = await db.fetch_row(KEPT, *params)
    assert sums is not None
    rows = await db.fetch(
        f"{VIEW} WHERE w.staff_id = $1 AND w.location_id = $2 AND w.created_at >= $3 AND w.created_at < $4"
        f" ORDER BY w.created_at DESC, w.id DESC LIMIT {SHIFT_ROWS}",
        *params,
    )
    return KeptInShift(**sums, latest=[_view(row) for row in rows])


def _view(row: db.Row) -> WaitingSaleView:
    return WaitingSaleView(**{**row, "state": WaitingState(row["state"])})
