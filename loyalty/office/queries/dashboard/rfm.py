"""The base by recency and frequency, five by five, with what its people have spent."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Self

from loyalty.clock import business_date, end_of_day
from loyalty.office.queries.dashboard.asking import ask
from loyalty.office.rfm import CLASSES, Area, Cuts, cuts_of
from loyalty.segments.queries.base import THERE


@dataclass(frozen=True, slots=True)
class Cell:
    """People of one class of recency and one of frequency, 5 being the best; what they spent, in minor units."""

    recency: int
    frequency: int
    customers: int = 0
    sold: int = 0
    receipts: int = 0

    @property
    def average(self) -> int | None:
        """What a receipt of theirs is worth."""
        return (2 * self.sold + self.receipts) // (2 * self.receipts) if self.receipts else None


@dataclass(frozen=True, slots=True)
class Rfm:
    """The 25 cells as they were on a day, and where the classes end."""

    day: date
    cuts: Cuts
    cells: list[Cell] = field(default_factory=list)

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> Self:
        """What was kept of it."""
        cuts = Cuts(tuple(body["cuts"]["days"]), tuple(body["cuts"]["visits"]))
        return cls(date.fromisoformat(body["day"]), cuts, [Cell(**cell) for cell in body["cells"]])

    @property
    def customers(self) -> int:
        """Everybody who has been there."""
        return sum(cell.customers for cell in self.cells)

    def at(self, recency: int, frequency: int) -> Cell:
        """One cell; an empty one where nobody is."""
        found = (cell for cell in self.cells if (cell.recency, cell.frequency) == (recency, frequency))
        return next(found, Cell(recency, frequency))

    def within(self, area: Area) -> Cell:
        """The cells of an area together; the classes are its lowest ones."""
        cells = [cell for cell in self.cells if (cell.recency, cell.frequency) in area]
        sums = (sum(getattr(cell, name) for cell in cells) for name in ("customers", "sold", "receipts"))
        return Cell(area.recency[0], area.frequency[0], *sums)


# As the base's filters ask: days are the shop's, and whoever is hidden or never came is in no cell.
CAME = """
FROM customer_facts f CROSS JOIN LATERAL (SELECT $1::date - (f.last_visit_at AT TIME ZONE $2)::date AS days) since
WHERE NOT f.is_hidden AND f.visits > 0 AND f.last_visit_at > TIMESTAMPTZ '1970-01-01 00:00+00'
    AND f.last_visit_at < $3 {there}
"""
DAYS = f"SELECT days AS number, count(*) AS count {CAME} GROUP BY 1"
VISITS = f"SELECT f.visits AS number, count(*) AS count {CAME} GROUP BY 1"
CELLS = f"""
SELECT {CLASSES} - width_bucket(days, $4::int[]) AS recency, 1 + width_bucket(f.visits, $5::int[]) AS frequency,
    count(*) AS customers, sum(f.sold)::bigint AS sold, sum(f.receipts)::bigint AS receipts
{CAME} GROUP BY 1, 2
"""


async def count_rfm(locations: Collection[int] | None, *, zone: str, now: datetime) -> Rfm:
    """Cut the base of today into cells: everybody, or whom these locations reach."""
    today = business_date(now, zone)
    params: list[Any] = [today, zone, end_of_day(today, zone)]
    there = "" if locations is None else "AND f.customer_id IN ({})"
    places = [] if locations is None else [list(locations)]
    days, visits = [
        {row["number"]: row["count"] for row in await ask(sql.format(there=there.format(_there(4))), *params, *places)}
        for sql in (DAYS, VISITS)
    ]
    cuts = cuts_of(days, visits)
    # A bucket begins with its bound, a class ends with its cut.
    bounds = [[cut + 1 for cut in one] for one in (cuts.days, cuts.visits)]
    rows = await ask(CELLS.format(there=there.format(_there(6))), *params, *bounds, *places)
    return Rfm(today, cuts, [Cell(**row) for row in rows])


def _there(place: int) -> str:
    return THERE.format(f"${place}")
