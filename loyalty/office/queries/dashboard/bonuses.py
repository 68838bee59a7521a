"""What moved on everybody's accounts in a period."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Self

from loyalty.office.dashboard import Window
from loyalty.office.queries.dashboard.asking import ask, not_before, place


@dataclass(frozen=True, slots=True)
class Moved:
    """Hundredths of bonuses. What is outstanding grew by earned + gifts + given - burnt - expired - taken.

    earned: for purchases, less what refunds took back. burnt: less what they gave back. gifts: welcome, birthday and so
    on. given, taken: by hand, and brought in with files.
    """

    earned: int = 0
    burnt: int = 0
    expired: int = 0
    gifts: int = 0
    given: int = 0
    taken: int = 0


@dataclass(frozen=True, slots=True)
class Bonuses:
    """Of a period, of the one before it, and by days or months."""

    now: Moved
    before: Moved
    earned: list[int] = field(default_factory=list)
    burnt: list[int] = field(default_factory=list)
    expired: list[int] = field(default_factory=list)

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> Self:
        """What was kept of it."""
        return cls(**{**body, "now": Moved(**body["now"]), "before": Moved(**body["before"])})


# The days of entries are their locations' own. The ledger is read from end to end: an index by time would have to be
# written by each sale.
MOVED = """
SELECT span, {place} AS place, {what} AS what, sum(amount)::bigint AS amount
FROM ({entries}) e LEFT JOIN location l ON l.id = e.location_id
    CROSS JOIN LATERAL (SELECT CASE WHEN e.business_date >= $2 THEN 'now'
        WHEN e.business_date <= $5 AND ($6::timestamptz IS NULL OR e.at <= $6) THEN 'before' END AS span) spans
WHERE span IS NOT NULL GROUP BY 1, 2, 3
"""
WHAT = """
CASE WHEN e.kind IN ('earn', 'reverse_earn') THEN 'earned' WHEN e.kind IN ('burn', 'restore_burn') THEN 'burnt'
    WHEN e.kind = 'expire' THEN 'expired' WHEN e.kind = 'grant' THEN 'gifts'
    WHEN e.amount > 0 THEN 'given' ELSE 'taken' END
"""
DAYS = "e.at >= $1 AND e.business_date BETWEEN $4 AND $3"
# Merging moves what somebody has to another card of theirs: together that is nothing.
ALL = f"""
SELECT e.location_id, e.business_date, e.at, e.kind, e.amount FROM bonus_entry e
WHERE {DAYS} AND e.kind <> 'merge' AND $7::int[] IS NULL
"""
# What expires is a location's when it was earned there: the entry that writes it down names none.
AT_LOCATIONS = f"""
SELECT e.location_id, e.business_date, e.at, e.kind, e.amount FROM bonus_entry e
WHERE {DAYS} AND e.kind <> 'merge' AND e.location_id = ANY($7::int[])
UNION ALL
SELECT credit.location_id, e.business_date, e.at, e.kind, -a.amount FROM bonus_entry e
    JOIN bonus_allocation a ON a.entry_id = e.id JOIN bonus_lot lot ON lot.id = a.lot_id
    JOIN bonus_entry credit ON credit.id = lot.entry_id
WHERE {DAYS} AND e.kind = 'expire' AND e.location_id IS NULL AND credit.location_id = ANY($7::int[])
"""
IS_TAKEN = frozenset({"burnt", "expired", "taken"})


async def count_bonuses(window: Window, locations: Collection[int] | None) -> Bonuses:
    """Count a period's movements: all of them, or those at these locations and what expired of what they gave."""
    day = place(window.step, day="e.business_date", moment="(e.at AT TIME ZONE coalesce(l.time_zone, 'UTC'))",
                first="(CASE WHEN span = 'now' THEN $2 ELSE $4 END)::date")  # fmt: skip
    sql = MOVED.format(place=day, what=WHAT, entries=ALL if locations is None else AT_LOCATIONS)
    days = (window.first, window.last, window.before_first, window.before_last)
    places = None if locations is None else list(locations)
    rows = await ask(sql, not_before(window.before_first), *days, window.until, places)
    return Bonuses(
        Moved(**_totals(rows, "now")),
        Moved(**_totals(rows, "before")),
        *(_series(rows, what, window.places) for what in ("earned", "burnt", "expired")),
    )


def _totals(rows: list[dict[str, Any]], span: str) -> dict[str, int]:
    totals: dict[str, int] = {}
    for row in rows:
        if row["span"] == span:
            totals[row["what"]] = totals.get(row["what"], 0) + _amount(row)
    return totals


def _series(rows: list[dict[str, Any]], what: str, places: int) -> list[int]:
    series = [0] * places
    for row in rows:
        if row["span"] == "now" and row["what"] == what:
            series[row["place"]] = _amount(row)
    return series


def _amount(row: dict[str, Any]) -> int:
    amount: int = row["amount"]
    return -amount if row["what"] in IS_TAKEN else amount
