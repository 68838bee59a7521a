"""What customers bought in a period, how many of them, and how many came back or came for the first time."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from loyalty.customers.queries import reach
from loyalty.office.dashboard import Window
from loyalty.office.queries.dashboard.asking import ask, bounds, bounds_before, not_before, place


@dataclass(frozen=True, slots=True)
class Sums:
    """Of one period; money in minor units.

    active: different customers with a sale. repeat: those of them who had another sale before, or two in it. fresh:
    customers who joined. receipts: sales that are not wholly refunded. sold, paid: of them, less what was refunded
    since.
    """

    active: int = 0
    repeat: int = 0
    fresh: int = 0
    receipts: int = 0
    sold: int = 0
    paid: int = 0

    @property
    def repeat_bp(self) -> int | None:
        """The repeat rate in basis points; None without a customer."""
        return _share(self.repeat * 10_000, self.active)

    @property
    def average(self) -> int | None:
        """What a receipt is worth; None without one."""
        return _share(self.sold, self.receipts)


@dataclass(frozen=True, slots=True)
class Trend:
    """By hours, days or months, in their order."""

    sold: list[int] = field(default_factory=list)
    receipts: list[int] = field(default_factory=list)
    active: list[int] = field(default_factory=list)
    fresh: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sales:
    """Of a period and of the one before it."""

    now: Sums
    before: Sums
    trend: Trend
    trend_before: Trend

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> Self:
        """What was kept of it."""
        return cls(
            Sums(**body["now"]), Sums(**body["before"]), Trend(**body["trend"]), Trend(**body["trend_before"])
        )  # fmt: skip


# Whoever has bought since then has visited since then, so that a day's sales are found along customer_facts_last_visit
# and receipt_customer however the table lies; of a year it is read whole. What follows a period is read with it: who
# had bought twice by its end is told by the facts, less what came later. A refund counts where its sale does.
BOUGHT = """
SELECT r.customer_id, r.span, CASE WHEN r.span IN ('now', 'before') THEN r.place ELSE -1 END AS place,
    count(*) AS receipts, sum(r.total - r.refunded) AS sold, sum(r.paid - r.paid_back) AS paid
FROM (
    SELECT r.customer_id, r.total, r.refunded, r.paid, spans.span,
        CASE WHEN spans.span = 'now' THEN {place} ELSE {place_before} END AS place,
        CASE WHEN r.refunded > 0
            THEN (SELECT coalesce(sum(b.paid), 0) FROM receipt b WHERE b.original_id = r.id) ELSE 0 END AS paid_back
    FROM customer_facts f JOIN receipt r ON r.customer_id = f.customer_id JOIN location l ON l.id = r.location_id
        CROSS JOIN LATERAL (SELECT CASE
            WHEN r.business_date > $3 THEN 'after'
            WHEN r.business_date >= $2 THEN CASE WHEN {here} THEN 'now' ELSE 'later' END
            WHEN r.business_date > $5 OR r.at > $6 THEN 'later'
            WHEN {here} THEN 'before' END AS span) spans
    WHERE f.last_visit_at >= $1 AND r.at >= $1 AND r.business_date >= $4 AND r.kind = 'sale'
        AND r.refunded < r.total AND spans.span IS NOT NULL
) r GROUP BY 1, 2, 3
"""
SALES = """
WITH bought AS MATERIALIZED ({bought}), person AS (
    SELECT customer_id, bool_or(span = 'now') AS now, bool_or(span = 'before') AS before,
        coalesce(sum(receipts) FILTER (WHERE span = 'after'), 0) AS after,
        coalesce(sum(receipts) FILTER (WHERE span IN ('now', 'later', 'after')), 0) AS after_before
    FROM bought GROUP BY 1
)
SELECT span, place, count(*) AS people, sum(receipts)::bigint AS receipts, sum(sold)::bigint AS sold,
    sum(paid)::bigint AS paid
FROM bought WHERE place >= 0 GROUP BY 1, 2
UNION ALL
SELECT 'people', 0, count(*) FILTER (WHERE p.now), count(*) FILTER (WHERE p.now AND f.receipts - p.after >= 2),
    count(*) FILTER (WHERE p.before), count(*) FILTER (WHERE p.before AND f.receipts - p.after_before >= 2)
FROM person p JOIN customer_facts f USING (customer_id)
"""
# Index: customer_facts_created. As the base shows them: whoever is hidden by now did not join.
JOINED = """
SELECT {place} AS place, count(*) AS people FROM customer_facts f
    CROSS JOIN LATERAL (SELECT f.created_at AT TIME ZONE $3 AS moment) local
WHERE f.created_at >= $1 AND f.created_at < $2 AND local.moment::date >= $4::date AND NOT f.is_hidden AND {within}
GROUP BY 1
"""


async def count_sales(window: Window, locations: Collection[int] | None, *, zone: str, now: datetime) -> Sales:
    """Count a period's sales at these locations, None for all; and who joined among those whom they reach."""
    bought = BOUGHT.format(
        place=_place(window, "$2"), place_before=_place(window, "$4"), here="($7::int[] IS NULL OR l.id = ANY($7))"
    )
    until = window.until or now
    days = (window.first, window.last, window.before_first, window.before_last)
    places = None if locations is None else list(locations)
    rows = await ask(SALES.format(bought=bought), not_before(window.before_first), *days, until, places)
    people = next(row for row in rows if row["span"] == "people")
    joined, before = [await _joined(window, places, zone, is_before=side) for side in (False, True)]
    return Sales(
        _sums(rows, "now", people["people"], people["receipts"], joined),
        _sums(rows, "before", people["sold"], people["paid"], before),
        _trend(rows, "now", joined),
        _trend(rows, "before", before),
    )


def _place(window: Window, first: str) -> str:
    return place(window.step, day="r.business_date", moment="(r.at AT TIME ZONE l.time_zone)", first=f"{first}::date")


async def _joined(window: Window, places: list[int] | None, zone: str, *, is_before: bool) -> list[int]:
    """How many joined, by place."""
    begins, ends = bounds_before(window, zone) if is_before else bounds(window, zone)
    first = window.before_first if is_before else window.first
    sql = JOINED.format(
        place=place(window.step, day="local.moment::date", moment="local.moment", first="$4::date"),
        within=reach.within("f.customer_id", "$5"),
    )
    counts = [0] * window.places
    for row in await ask(sql, begins, ends, zone, first, places):
        counts[row["place"]] = row["people"]
    return counts


def _sums(rows: list[dict[str, Any]], span: str, active: int, repeat: int, joined: list[int]) -> Sums:
    mine = [row for row in rows if row["span"] == span]
    receipts, sold, paid = (sum(row[name] for row in mine) for name in ("receipts", "sold", "paid"))
    return Sums(active, repeat, sum(joined), receipts, sold, paid)


def _trend(rows: list[dict[str, Any]], span: str, joined: list[int]) -> Trend:
    trend = Trend([0] * len(joined), [0] * len(joined), [0] * len(joined), joined)
    for row in rows:
        if row["span"] == span and row["place"] < len(joined):
            trend.sold[row["place"]] = row["sold"]
            trend.receipts[row["place"]] = row["receipts"]
            trend.active[row["place"]] = row["people"]
    return trend


def _share(amount: int, of: int) -> int | None:
    """Rounded half up; None of nothing."""
    return (2 * amount + of) // (2 * of) if of else None
