"""Reading fiscal receipts that customers sent: one by its key, what is known about it, the pages of the panel."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.customers.queries import reach
from loyalty.errors import NotFound
from loyalty.receipts.rules.claims import SAME_SALE, ClaimSource, ClaimState
from loyalty.receipts.rules.sales import FiscalKey
from loyalty.shop.rules import Programme

CLAIM_ROWS = 20
DAYS_UNLESS_SAID = next(one.default for one in fields(Programme) if one.name == "claim_days")


@dataclass(frozen=True, slots=True)
class Claim:
    """A fiscal receipt that a customer sent. `total` in minor units.

    location_id: of the cash register, or of whoever told of it; None while neither is known. reason: why it waits,
    or why it was refused.
    """

    id: int
    customer_id: int
    key: FiscalKey
    total: int
    sold_at: datetime
    source: ClaimSource
    location_id: int | None
    state: ClaimState
    reason: str | None
    receipt_id: int | None


@dataclass(frozen=True, slots=True)
class FiscalReportView:
    """What a till or provider told of a fiscal receipt. `total` in minor units."""

    id: int
    key: FiscalKey
    location_id: int
    total: int
    sold_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about a fiscal receipt beside its code. zone: of its cash register, else of the shop.

    drive_location: where a cash register of this number stands; the other two: what was reported.
    """

    zone: str
    drive_location: int | None
    report_location: int | None
    reported: int | None


@dataclass(frozen=True, slots=True)
class Similar:
    """A receipt that may be the same sale."""

    id: int
    at: datetime
    customer_id: int
    customer_name: str


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim as people decide on it. media_id: the photo, once it is here. similar: what it looks like."""

    claim: Claim
    customer_name: str
    location_name: str | None
    is_open: bool
    media_id: int | None
    staff_name: str | None
    created_at: datetime
    decided_at: datetime | None
    similar: Similar | None


CLAIM = """
    SELECT c.id, c.customer_id, c.fn, c.i, c.fp, c.total, c.sold_at, c.source, c.location_id, c.state, c.reason,
        c.receipt_id FROM fiscal_claim c
"""


async def claim(claim_id: int) -> Claim:
    """One claim. Raises NotFound("claim")."""
    row = await db.fetch_row(f"{CLAIM} WHERE c.id = $1", claim_id)
    if row is None:
        raise NotFound("claim")
    return _claim(row)


async def claim_by_key(key: FiscalKey) -> Claim | None:
    """Who claimed this fiscal receipt, if anybody did. Index: the unique key."""
    row = await db.fetch_row(f"{CLAIM} WHERE c.fn = $1 AND c.i = $2 AND c.fp = $3", key.fn, key.i, key.fp)
    return _claim(row) if row else None


async def credited_by_key(key: FiscalKey) -> tuple[int, int] | None:
    """(receipt, customer) of the sale that was credited for this fiscal receipt. Index: receipt_fiscal."""
    row = await db.fetch_row(
        "SELECT id, customer_id FROM receipt WHERE kind = 'sale' AND fiscal_fn = $1 AND fiscal_i = $2"
        " AND fiscal_fp = $3",
        key.fn,
        key.i,
        key.fp,
    )
    return (row["id"], row["customer_id"]) if row else None


# Index: programme_effective.
TAKEN = """
    SELECT coalesce((body->>'claim_days')::int, $2) > 0 FROM programme WHERE effective_from <= $1
    ORDER BY effective_from DESC, id DESC LIMIT 1
"""


async def claims_are_taken(now: datetime) -> bool:
    """Whether the programme in force credits receipts that customers send."""
    return bool(await db.fetch_value(TAKEN, now, DAYS_UNLESS_SAID))


# Indexes: primary keys; the unique key of reports.
KNOWN = """
    SELECT coalesce(l.time_zone, s.time_zone) AS zone, d.location_id AS drive_location,
        r.location_id AS report_location, r.total AS reported
    FROM shop s LEFT JOIN fiscal_drive d ON d.fn = $1
        LEFT JOIN fiscal_report r ON r.fn = $1 AND r.i = $2 AND r.fp = $3
        LEFT JOIN location l ON l.id = coalesce(r.location_id, d.location_id)
"""


async def known_of(key: FiscalKey) -> Known:
    """What our locations and those who report know of a fiscal receipt."""
    row = await db.fetch_row(KNOWN, key.fn, key.i, key.fp)
    assert row is not None
    return Known(**row)


# Index: receipt_at, by which a stretch of four hours is found. A till may have named the sum before the discount, and
# the cash register may have printed it without what bonuses paid.
SIMILAR = """
    SELECT r.id FROM receipt r
    WHERE r.at BETWEEN {at} - $2::interval AND {at} + $2::interval AND r.location_id = {location}
        AND r.kind = 'sale' AND r.refunded < r.total AND {total} IN (r.total, r.total + r.discount, r.paid)
    ORDER BY r.id LIMIT 1
"""
LOOKS_CREDITED = SIMILAR.format(at="$1::timestamptz", location="$3::int", total="$4::bigint")


async def looks_credited(location_id: int, total: int, sold_at: datetime) -> bool:
    """Whether a receipt of this location and sum was credited at about this time."""
    return await db.fetch_value(LOOKS_CREDITED, sold_at, SAME_SALE, location_id, total) is not None


# Only what waits is compared with receipts: of the rest nothing is to be decided.
VIEWS = f"""
    SELECT c.id, c.customer_id, c.fn, c.i, c.fp, c.total, c.sold_at, c.source, c.location_id, c.state, c.reason,
        c.receipt_id, c.created_at, c.decided_at, p.name AS customer_name, l.name AS location_name,
        coalesce(l.is_open, false) AS is_open, s.name AS staff_name, m.id AS media_id, r.id AS similar_id,
        r.at AS similar_at, r.customer_id AS similar_customer, o.name AS similar_name
    FROM fiscal_claim c JOIN customer p ON p.id = c.customer_id LEFT JOIN location l ON l.id = c.location_id
        LEFT JOIN staff_member s ON s.id = c.staff_id
        LEFT JOIN media m ON m.id = c.media_id AND m.state = 'stored'
        LEFT JOIN LATERAL ({SIMILAR.format(at="c.sold_at", location="c.location_id", total="c.total")}) found
            ON c.state = 'waiting'
        LEFT JOIN receipt r ON r.id = found.id LEFT JOIN customer o ON o.id = r.customer_id
"""


# Where a receipt was bought decides whose it is to decide on; while nobody knows where, who sent it.
CLAIM_WITHIN = f"""
    ({{0}}::int[] IS NULL OR c.location_id = ANY({{0}}::int[])
        OR (c.location_id IS NULL AND {reach.reached("c.customer_id", "{0}")}))
"""


async def claims(
    state: ClaimState | None = None, *, within: Collection[int] | None = None, beyond: int | None = None
) -> tuple[list[ClaimView], int | None]:
    """A page of claims, and where the next one begins. What waits comes longest waiting first, the rest newest first.

    within: only those of these locations, None for the whole chain. Indexes: fiscal_claim_waiting, the primary key.
    """
    waiting = state is ClaimState.WAITING
    order, sign, start = ("", ">", 0) if waiting else ("DESC", "<", 2**62)
    rows = await db.fetch(
        f"{VIEWS} WHERE c.id {sign} $3 AND ($4::text IS NULL OR c.state = $4) {'AND ' + WAITS if waiting else ''}"
        f" AND {CLAIM_WITHIN.format('$5')} ORDER BY c.id {order} LIMIT $1",
        CLAIM_ROWS + 1,
        SAME_SALE,
        start if beyond is None else beyond,
        state.value if state else None,
        None if within is None else list(within),
    )
    views = [_view(row) for row in rows[:CLAIM_ROWS]]
    return views, views[-1].claim.id if len(rows) > CLAIM_ROWS else None


WAITS = "c.state = 'waiting'"
"""Said as the index says it, for a parameter it would not be found by."""


async def claim_view(claim_id: int) -> ClaimView:
    """One claim as people decide on it. Raises NotFound("claim")."""
    row = await db.fetch_row(f"{VIEWS} WHERE c.id = $1", claim_id, SAME_SALE)
    if row is None:
        raise NotFound("claim")
    return _view(row)


async def claims_waiting(*, within: Collection[int] | None = None) -> int:
    """How many claims wait for a person. Index: fiscal_claim_waiting."""
    count: int = await db.fetch_value(
        f"SELECT count(*) FROM fiscal_claim c WHERE state = 'waiting' AND {CLAIM_WITHIN.format('$1')}",
        None if within is None else list(within),
    )
    return count


def _claim(row: dict[str, Any]) -> Claim:
    same = ("id", "customer_id", "total", "sold_at", "location_id", "reason", "receipt_id")
    return Claim(
        key=FiscalKey(row["fn"], row["i"], row["fp"]),
        source=ClaimSource(row["source"]),
        state=ClaimState(row["state"]),
        **{name: row[name] for name in same},
    )


def _view(row: dict[str, Any]) -> ClaimView:
    similar = None
    if row["similar_id"] is not None:
        similar = Similar(row["similar_id"], row["similar_at"], row["similar_customer"], row["similar_name"])
    same = ("customer_name", "location_name", "is_open", "media_id", "staff_name", "created_at", "decided_at")
    return ClaimView(claim=_claim(row), similar=similar, **{name: row[name] for name in same})
