"""What the shop owes its customers in bonuses, and when that expires."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Self

from loyalty.clock import add_months, business_date
from loyalty.office.queries.dashboard.asking import ask

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Owed:
    """Hundredths of bonuses. outstanding: everything that can be spent or will be, `pending` of it not yet.

    soon: expires within 7 and within 30 days. months: firsts of the next MONTHS months, this one included, and what
    expires in each; then later, then never. debt: what customers owe; None where only some locations are looked at.
    """

    outstanding: int = 0
    pending: int = 0
    week: int = 0
    month: int = 0
    months: list[tuple[date, int]] = field(default_factory=list)
    later: int = 0
    never: int = 0
    debt: int | None = None

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> Self:
        """What was kept of it."""
        months = [(date.fromisoformat(month), amount) for month, amount in body["months"]]
        return cls(**{**body, "months": months})


# What is left in lots, whoever they belong to: an erased person's expire, too. A lot lives until the end of a day, so
# that the instant before it has the day. Index: bonus_lot_open; it is read whole.
LEFT = """
SELECT date_trunc('month', (lot.expires_at - INTERVAL '1 microsecond') AT TIME ZONE $2)::date AS month,
    sum(lot.remaining)::bigint AS amount,
    coalesce(sum(lot.remaining) FILTER (WHERE lot.activates_at > $1), 0)::bigint AS pending,
    coalesce(sum(lot.remaining) FILTER (WHERE lot.expires_at <= $3), 0)::bigint AS week,
    coalesce(sum(lot.remaining) FILTER (WHERE lot.expires_at <= $4), 0)::bigint AS thirty
FROM bonus_lot lot {credits}
WHERE lot.remaining > 0 AND (lot.expires_at IS NULL OR lot.expires_at > $1) GROUP BY 1
"""
CREDITS = "JOIN bonus_entry credit ON credit.id = lot.entry_id AND credit.location_id = ANY($5::int[])"
# Index: customer_facts_debt.
DEBT = "SELECT coalesce(sum(debt), 0)::bigint AS debt FROM customer_facts WHERE debt > 0"


async def count_owed(locations: Collection[int] | None, *, zone: str, now: datetime) -> Owed:
    """What is outstanding at `now`: all of it, or what was given at these locations."""
    params: list[Any] = [now, zone, now + timedelta(days=7), now + timedelta(days=30)]
    if locations is not None:
        params.append(list(locations))
    rows = await ask(LEFT.format(credits="" if locations is None else CREDITS), *params)
    known = {row["month"]: row["amount"] for row in rows}
    this_month = business_date(now, zone).replace(day=1)
    months = [add_months(this_month, number) for number in range(MONTHS)]
    shown = [(month, known.get(month, 0)) for month in months]
    never = known.get(None, 0)
    outstanding = sum(known.values())
    debt = (await ask(DEBT))[0]["debt"] if locations is None else None
    pending, week, thirty = (sum(row[name] for row in rows) for name in ("pending", "week", "thirty"))
    return Owed(
        outstanding,
        pending,
        week,
        thirty,
        shown,
        outstanding - never - sum(amount for _, amount in shown),
        never,
        debt,
    )
