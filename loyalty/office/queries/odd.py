"""Odd operations: what honest work does seldom, by whoever did it, each group with its very entries.

Nothing here proves anything: the numbers say where to look. A period has at most DAYS_AT_MOST days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from loyalty.clock import end_of_day, start_of_day
from loyalty.db import Row, fetch
from loyalty.receipts.rules.refunds import UNDO_WINDOW
from loyalty.shop.queries import locations
from loyalty.shop.rules import LocationView

DAYS_AT_MOST = 31
GROUPS = 50
"""So many groups of a kind are shown, the worst first."""
PAGE_ROWS = 50
UNDONE_FROM, UNDONE_ABOVE_BP = 3, 500
"""A cashier who took back so many sales and more than this share of them is marked."""
REPEATED_FROM = 3
# No clock on earth is further from UTC: between these, the index on moments has every receipt of a day of its place.
_FURTHEST = timedelta(hours=15)


class OddKind(StrEnum):
    """What is looked for.

    `undone`: sales taken back by the same person within UNDO_WINDOW. `repeated`: REPEATED_FROM sales or more to one
    customer by one person on one day. `manual`: bonuses credited by hand. `relaxed`: bonuses burnt without proof that
    the customer was there. `hours`: sales while the location was closed. `refused`: what limits and proofs refused.
    """

    UNDONE = "undone"
    REPEATED = "repeated"
    MANUAL = "manual"
    RELAXED = "relaxed"
    HOURS = "hours"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Period:
    """Business days from `first` to `last`; refusals go by the shop's own `zone`."""

    first: date
    last: date
    zone: str

    @classmethod
    def until(cls, today: date, days: int, zone: str) -> "Period":
        """The last `days` days, today among them."""
        assert 0 < days <= DAYS_AT_MOST, "longer periods are for reports"
        return cls(today - timedelta(days=days - 1), today, zone)

    def moments(self) -> tuple[datetime, datetime]:
        """Between which every receipt of these days lies, wherever its location is."""
        return start_of_day(self.first, "UTC") - _FURTHEST, end_of_day(self.last, "UTC") + _FURTHEST


@dataclass(frozen=True, slots=True)
class OddGroup:
    """Entries of one kind that belong together. Money in minor units, bonuses in hundredths.

    sales: of `undone`, all sales of the person. biggest: of `manual`. Which fields tell groups of a kind apart is in
    KEYS. `staff_id` None: another program did it.
    """

    count: int
    staff_id: int | None = None
    staff_name: str | None = None
    customer_id: int | None = None
    customer_name: str | None = None
    location_id: int | None = None
    location_name: str | None = None
    day: date | None = None
    sales: int = 0
    total: int = 0
    bonuses: int = 0
    biggest: int = 0

    @property
    def share_bp(self) -> int:
        """How many of the sales it is, in basis points."""
        return self.count * 10_000 // self.sales if self.sales else 0

    @property
    def is_marked(self) -> bool:
        """Whether so many sales were taken back that somebody should ask why."""
        return self.count >= UNDONE_FROM and self.share_bp > UNDONE_ABOVE_BP


KEYS: dict[OddKind, tuple[str, ...]] = {
    OddKind.UNDONE: ("staff",),
    OddKind.REPEATED: ("staff", "customer", "day"),
    OddKind.MANUAL: ("staff",),
    OddKind.RELAXED: ("staff",),
    OddKind.HOURS: ("location", "staff"),
    OddKind.REFUSED: ("staff",),
}
"""What tells the groups of a kind apart."""


@dataclass(frozen=True, slots=True)
class OddKey:
    """One group: whose entries. What its kind does not ask for is None; so is the person where a program did it."""

    staff: int | None = None
    customer: int | None = None
    location: int | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class OddLine:
    """One entry. A receipt has money, a credit by hand `bonuses`, a refusal its `details`.

    taken_back_at: when a sale was undone. sold_at: when a sale was made that waited for its customer.
    """

    id: int
    at: datetime
    customer_id: int
    customer_name: str
    staff_name: str | None
    location_name: str | None = None
    total: int = 0
    burnt: int = 0
    earned: int = 0
    bonuses: int = 0
    taken_back_at: datetime | None = None
    sold_at: datetime | None = None
    details: str = "{}"


# --------------------------------------------------------------------------------------- the groups

# Each person's days are read by receipt_shift. A sale is undone by a refund of all of it; both ends have indexes.
UNDONE = """
    SELECT s.id AS staff_id, s.name AS staff_name, undone.count, undone.total, sold.sales FROM staff_member s
    CROSS JOIN LATERAL (
        SELECT count(*) AS count, coalesce(sum(r.total), 0)::bigint AS total
        FROM receipt back JOIN receipt r ON r.id = back.original_id
        WHERE back.staff_id = s.id AND back.business_date BETWEEN $1 AND $2::date + 1 AND back.kind = 'refund'
            AND r.staff_id = s.id AND r.business_date BETWEEN $1 AND $2
            AND back.total = r.total AND back.at <= r.at + $3::interval
    ) undone
    CROSS JOIN LATERAL (
        SELECT count(*) AS sales FROM receipt
        WHERE staff_id = s.id AND business_date BETWEEN $1 AND $2 AND kind = 'sale' AND undone.count > 0
    ) sold
    WHERE undone.count > 0 ORDER BY undone.count::numeric / sold.sales DESC, undone.count DESC, s.id LIMIT $4
"""
# Index: receipt_shift.
REPEATED = """
    SELECT s.id AS staff_id, s.name AS staff_name, c.id AS customer_id, c.name AS customer_name, found.*
    FROM staff_member s CROSS JOIN LATERAL (
        SELECT customer_id, business_date AS day, count(*) AS count, sum(total)::bigint AS total,
            sum(earned)::bigint AS bonuses
        FROM receipt WHERE staff_id = s.id AND business_date BETWEEN $1 AND $2 AND kind = 'sale' AND refunded < total
        GROUP BY 1, 2 HAVING count(*) >= $3
    ) found JOIN customer c ON c.id = found.customer_id
    ORDER BY found.count DESC, found.day DESC, s.id, c.id LIMIT $4
"""
# Index: bonus_entry_by_hand.
MANUAL = """
    SELECT s.id AS staff_id, s.name AS staff_name, given.* FROM staff_member s CROSS JOIN LATERAL (
        SELECT count(*) AS count, coalesce(sum(amount), 0)::bigint AS bonuses, coalesce(max(amount), 0) AS biggest
        FROM bonus_entry WHERE staff_id = s.id AND business_date BETWEEN $1 AND $2 AND kind = 'adjust' AND amount > 0
    ) given
    WHERE given.count > 0 ORDER BY given.bonuses DESC, s.id LIMIT $3
"""
# Index: receipt_shift.
RELAXED = """
    SELECT s.id AS staff_id, s.name AS staff_name, done.* FROM staff_member s CROSS JOIN LATERAL (
        SELECT count(*) AS count, coalesce(sum(burnt), 0)::bigint AS bonuses FROM receipt
        WHERE staff_id = s.id AND business_date BETWEEN $1 AND $2 AND kind = 'sale' AND presence = 'relaxed'
            AND burnt > 0
    ) done
    WHERE done.count > 0 ORDER BY done.bonuses DESC, s.id LIMIT $3
"""
# Index: receipt_at narrows the table to these days. A sale that waited for its customer was made when it was kept.
CLOSED = """
    FROM unnest($5::int[], $6::text[]::int4multirange[]) AS told (location_id, open)
        JOIN receipt r ON r.location_id = told.location_id JOIN location l ON l.id = r.location_id
        LEFT JOIN waiting_sale w ON w.location_id = r.location_id AND w.external_id = r.external_id
            AND w.receipt_id = r.id
        CROSS JOIN LATERAL (SELECT coalesce(w.created_at, r.at) AT TIME ZONE l.time_zone AS local) clock
    WHERE r.at >= $3 AND r.at < $4 AND r.business_date BETWEEN $1 AND $2 AND r.kind = 'sale'
        AND r.source IN ('till', 'api')
        AND NOT told.open @> ((extract(isodow FROM clock.local)::int - 1) * 1440
            + extract(hour FROM clock.local)::int * 60 + extract(minute FROM clock.local)::int)
"""
HOURS = f"""
    SELECT found.*, s.name AS staff_name, l.name AS location_name FROM (
        SELECT r.location_id, r.staff_id, count(*) AS count, sum(r.total)::bigint AS total {CLOSED} GROUP BY 1, 2
    ) found JOIN location l ON l.id = found.location_id LEFT JOIN staff_member s ON s.id = found.staff_id
    ORDER BY found.count DESC, found.location_id, found.staff_id LIMIT $7
"""
# Index: journal_entry_refused.
REFUSED = """
    SELECT j.staff_id, s.name AS staff_name, count(*) AS count
    FROM journal_entry j LEFT JOIN staff_member s ON s.id = j.staff_id
    WHERE j.action IN ('sale.refused', 'credit.refused') AND j.at >= $1 AND j.at < $2
    GROUP BY 1, 2 ORDER BY count DESC, j.staff_id LIMIT $3
"""


async def odd_groups(period: Period) -> dict[OddKind, list[OddGroup]]:
    """What is odd in these days, by kind, the worst groups first, GROUPS of a kind at most."""
    days = (period.first, period.last)
    places = await locations()
    return {
        OddKind.UNDONE: _groups(await fetch(UNDONE, *days, UNDO_WINDOW, GROUPS)),
        OddKind.REPEATED: _groups(await fetch(REPEATED, *days, REPEATED_FROM, GROUPS)),
        OddKind.MANUAL: _groups(await fetch(MANUAL, *days, GROUPS)),
        OddKind.RELAXED: _groups(await fetch(RELAXED, *days, GROUPS)),
        OddKind.HOURS: _groups(await fetch(HOURS, *days, *period.moments(), *_open_minutes(places), GROUPS)),
        OddKind.REFUSED: _groups(await fetch(REFUSED, *_local_bounds(period), GROUPS)),
    }


def _groups(rows: Sequence[Row]) -> list[OddGroup]:
    return [OddGroup(**row) for row in rows]


def _open_minutes(places: Sequence[LocationView]) -> tuple[list[int], list[str]]:
    """Locations that told their hours, and the minutes of the week at which each is open, as the base reads them."""
    told = [(place.id, place.hours) for place in places if place.hours is not None]
    spans = [",".join(f"[{opens},{closes})" for opens, closes in hours.spans()) for _, hours in told]
    return [place_id for place_id, _ in told], [f"{{{open_at}}}" for open_at in spans]


def _local_bounds(period: Period) -> tuple[datetime, datetime]:
    return start_of_day(period.first, period.zone), end_of_day(period.last, period.zone)


# -------------------------------------------------------------------------------------- the entries

_RECEIPT = """
    r.id, r.at, r.customer_id, c.name AS customer_name, s.name AS staff_name, l.name AS location_name, r.total,
    r.burnt, r.earned
"""
_OF_RECEIPT = """
    JOIN customer c ON c.id = r.customer_id JOIN location l ON l.id = r.location_id
    LEFT JOIN staff_member s ON s.id = r.staff_id
"""
# Indexes: receipt_shift, receipt_original.
UNDONE_LINES = f"""
    SELECT {_RECEIPT}, back.at AS taken_back_at FROM receipt r {_OF_RECEIPT}
    JOIN receipt back ON back.original_id = r.id AND back.staff_id = r.staff_id AND back.total = r.total
        AND back.at <= r.at + $5::interval
    WHERE r.staff_id = $3 AND r.business_date BETWEEN $1 AND $2 AND r.kind = 'sale' AND r.refunded = r.total
        AND ($4::bigint IS NULL OR r.id < $4) ORDER BY r.id DESC LIMIT $6
"""
# Index: receipt_shift.
REPEATED_LINES = f"""
    SELECT {_RECEIPT} FROM receipt r {_OF_RECEIPT}
    WHERE r.staff_id = $1 AND r.business_date = $2 AND r.customer_id = $3 AND r.kind = 'sale' AND r.refunded < r.total
        AND ($4::bigint IS NULL OR r.id < $4) ORDER BY r.id DESC LIMIT $5
"""
# Index: bonus_entry_by_hand.
MANUAL_LINES = """
    SELECT e.id, e.at, e.customer_id, c.name AS customer_name, s.name AS staff_name, e.amount AS bonuses
    FROM bonus_entry e JOIN customer c ON c.id = e.customer_id JOIN staff_member s ON s.id = e.staff_id
    WHERE e.staff_id = $3 AND e.business_date BETWEEN $1 AND $2 AND e.kind = 'adjust' AND e.amount > 0
        AND ($4::bigint IS NULL OR e.id < $4) ORDER BY e.id DESC LIMIT $5
"""
# Index: receipt_shift.
RELAXED_LINES = f"""
    SELECT {_RECEIPT} FROM receipt r {_OF_RECEIPT}
    WHERE r.staff_id = $3 AND r.business_date BETWEEN $1 AND $2 AND r.kind = 'sale' AND r.presence = 'relaxed'
        AND r.burnt > 0 AND ($4::bigint IS NULL OR r.id < $4) ORDER BY r.id DESC LIMIT $5
"""
HOURS_LINES = f"""
    SELECT {_RECEIPT}, closed.sold_at FROM (
        SELECT r.id, w.created_at AS sold_at {CLOSED}
            AND r.location_id = $7 AND r.staff_id IS NOT DISTINCT FROM $8::int
            AND ($9::bigint IS NULL OR r.id < $9) ORDER BY r.id DESC LIMIT $10
    ) closed JOIN receipt r ON r.id = closed.id {_OF_RECEIPT} ORDER BY r.id DESC
"""
# Index: journal_entry_refused.
REFUSED_LINES = """
    SELECT j.id, j.at, j.subject_id AS customer_id, c.name AS customer_name, s.name AS staff_name,
        l.name AS location_name, j.details::text AS details
    FROM journal_entry j JOIN customer c ON c.id = j.subject_id LEFT JOIN staff_member s ON s.id = j.staff_id
        LEFT JOIN location l ON l.id = (j.details->>'location')::int
    WHERE j.action IN ('sale.refused', 'credit.refused') AND j.at >= $1 AND j.at < $2
        AND j.staff_id IS NOT DISTINCT FROM $3::int AND ($4::bigint IS NULL OR j.id < $4)
    ORDER BY j.id DESC LIMIT $5
"""


async def odd_lines(
    kind: OddKind, key: OddKey, period: Period, *, before_id: int | None = None
) -> tuple[list[OddLine], int | None]:
    """The entries of one group, newest first, PAGE_ROWS at most, and where the next page begins."""
    rows = await fetch(*await _statement(kind, key, period, before_id), PAGE_ROWS + 1)
    lines = [OddLine(**row) for row in rows[:PAGE_ROWS]]
    return lines, lines[-1].id if len(rows) > PAGE_ROWS else None


async def _statement(kind: OddKind, key: OddKey, period: Period, before_id: int | None) -> tuple[Any, ...]:
    """The statement of a kind with its parameters, all but the limit."""
    days = (period.first, period.last)
    if kind is OddKind.UNDONE:
        return UNDONE_LINES, *days, key.staff, before_id, UNDO_WINDOW
    if kind is OddKind.REPEATED:
        return REPEATED_LINES, key.staff, key.day, key.customer, before_id
    if kind is OddKind.HOURS:
        told = _open_minutes(await locations())
        return HOURS_LINES, *days, *period.moments(), *told, key.location, key.staff, before_id
    if kind is OddKind.REFUSED:
        return REFUSED_LINES, *_local_bounds(period), key.staff, before_id
    return MANUAL_LINES if kind is OddKind.MANUAL else RELAXED_LINES, *days, key.staff, before_id
