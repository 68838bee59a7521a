"""What another programme would have cost: past receipts, earned again by the live rules. Nothing is written."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from loyalty import db
from loyalty.bonuses.earning import Sale, SaleLine, earn
from loyalty.clock import add_months
from loyalty.errors import Invalid, Refused
from loyalty.money import proportion, split
from loyalty.receipts.rules.sales import Line, eligible_total
from loyalty.shop.rules import Programme

MONTHS_AT_MOST = 24
BATCH = 500
"""So many receipts are read at once."""
TURN = 50
"""After so many, a hundredth of a second of counting, others get their turn."""


@dataclass(frozen=True, slots=True)
class MonthCost:
    """A month of purchases, before refunds, in hundredths: what they earned, what they would have earned."""

    month: date
    receipts: int
    earned: int
    would: int


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What a programme would have changed. touched: receipts that would have earned another amount."""

    months: list[MonthCost]
    receipts: int
    touched_receipts: int
    customers: int
    touched_customers: int

    @property
    def earned(self) -> int:
        return sum(month.earned for month in self.months)

    @property
    def would(self) -> int:
        return sum(month.would for month in self.months)


@dataclass(slots=True)
class _Customer:
    """What one customer has had so far in the period: for caps, and for refunds of what they would have earned."""

    by_day: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    sales: dict[int, tuple[int, int, int]] = field(default_factory=dict)  # receipt: (total, earned, would)
    is_touched: bool = False

    def since(self, first: date) -> int:
        return sum(amount for day, amount in self.by_day.items() if day >= first)


# One customer after the other, each in the order of time, so that caps need to remember one person only. What was
# known then is asked as of then: a sale taken back wholly later counted before that. `tier_id` was not kept on
# receipts of before programme_id was. Indexes: receipt_customer, receipt_original, receipt_promo_code.
RECEIPTS = """
SELECT r.id, r.customer_id, r.kind, r.original_id, r.total, r.paid, r.earned, r.forgiven, r.at, r.business_date,
    r.location_id, l.time_zone, c.birthday, r.promo_code,
    CASE WHEN r.programme_id IS NULL THEN coalesce((SELECT tier_id FROM tier_change
        WHERE customer_id = r.customer_id AND at < r.at ORDER BY id DESC LIMIT 1), 0) ELSE r.tier_id END AS tier_id,
    r.kind = 'sale' AND NOT EXISTS (SELECT FROM receipt p WHERE p.customer_id = r.customer_id AND p.kind = 'sale'
        AND (p.at, p.id) < (r.at, r.id) AND {standing}) AS is_first,
    CASE WHEN r.promo_code = ANY($7::text[]) THEN (SELECT count(*) FROM receipt p WHERE p.promo_code = r.promo_code
        AND p.customer_id = r.customer_id AND p.kind = 'sale' AND (p.at, p.id) < (r.at, r.id) AND {standing})
        ELSE 0 END AS uses_by_customer,
    CASE WHEN r.promo_code = ANY($8::text[]) THEN (SELECT count(*) FROM (SELECT FROM receipt p
        WHERE p.promo_code = r.promo_code AND p.kind = 'sale' AND (p.at, p.id) < (r.at, r.id) AND {standing}
        LIMIT $9::int) used) ELSE 0 END AS uses_by_all
FROM receipt r JOIN location l ON l.id = r.location_id JOIN customer c ON c.id = r.customer_id
WHERE (r.customer_id, r.at, r.id) > ($1::bigint, $2::timestamptz, $3::bigint)
    AND r.at > $4::timestamptz AND r.at < $5::timestamptz
    AND r.business_date >= $10::date AND r.business_date < $11::date
ORDER BY r.customer_id, r.at, r.id LIMIT $6
""".replace(
    "{standing}",
    "coalesce((SELECT sum(b.total) FROM receipt b WHERE b.original_id = p.id AND (b.at, b.id) < (r.at, r.id)), 0)"
    " < p.total",
)
LINES = """
    SELECT receipt_id, total, category, sku FROM receipt_line WHERE receipt_id = ANY($1::bigint[])
    ORDER BY receipt_id, position
"""
BEGINNING = datetime.fromisoformat("0001-01-02T00:00:00+00:00")


def last_months(today: date, months: int) -> tuple[date, date]:
    """The last full calendar months before `today`: first day, and the day after the last. Raises Invalid("months")."""
    if not 1 <= months <= MONTHS_AT_MOST:
        raise Invalid("months", "not_in_range", low=1, high=MONTHS_AT_MOST)
    end = today.replace(day=1)
    return add_months(end, -months), end


async def what_if(programme: Programme, *, first: date, end: date) -> WhatIf:
    """What purchases of the business days from `first` until before `end` would have earned under `programme`.

    Whole months, so that a month's cap is counted from its first day. Level, lines, place, time, promo code, being
    the first purchase: as they were. Birthdays: as known now. Whatever bonuses paid then is paid by them here too. A
    promo code that would not have been taken gives nothing; the sale earns without it.
    """
    months: dict[date, list[int]] = defaultdict(lambda: [0, 0, 0])
    touched = touched_customers = customers = 0
    current, person = 0, _Customer()
    async for row, lines in _receipts(programme, first, end):
        if row["customer_id"] != current:
            touched_customers += person.is_touched
            current, person = row["customer_id"], _Customer()
            customers += 1
        if row["kind"] != "sale":
            _take_back(person, row)
            continue
        would = _would_earn(person, row, lines, programme)
        person.sales[row["id"]] = (row["total"], row["earned"], would)
        person.by_day[row["business_date"]] += would
        figures = months[row["business_date"].replace(day=1)]
        figures[0] += 1
        figures[1] += row["earned"]
        figures[2] += would
        touched += would != row["earned"]
        person.is_touched |= would != row["earned"]
    touched_customers += person.is_touched
    costs = [MonthCost(month, *months[month]) for month in _months(first, end)]
    return WhatIf(costs, sum(cost.receipts for cost in costs), touched, customers, touched_customers)


def _would_earn(person: _Customer, row: db.Row, lines: Sequence[Line], programme: Programme) -> int:
    local = row["at"].astimezone(ZoneInfo(row["time_zone"]))
    day: date = row["business_date"]
    sale = Sale(
        lines=_sale_lines(lines, row["total"] - row["paid"], programme),
        tier_id=row["tier_id"],
        location_id=row["location_id"],
        day=day,
        minute=local.hour * 60 + local.minute,
        birthday=row["birthday"],
        is_first=row["is_first"],
        promo_code=row["promo_code"],
        promo_uses=(row["uses_by_customer"], row["uses_by_all"]),
        earned_today=person.by_day[day] if programme.earn_cap_day else 0,
        earned_month=person.since(day.replace(day=1)) if programme.earn_cap_month else 0,
    )
    try:
        return earn(sale, programme).bonuses
    except Refused:
        return earn(replace(sale, promo_code=None), programme).bonuses


def _sale_lines(lines: Sequence[Line], paid_by_bonuses: int, programme: Programme) -> tuple[SaleLine, ...]:
    """As `receipts.rules.sale_lines`, from the money that bonuses paid, whatever they would be worth now."""
    eligible = [eligible_total(line, programme) for line in lines]
    paid = split(min(paid_by_bonuses, sum(eligible)), eligible)
    return tuple(
        SaleLine(total - by_bonuses, line.category, line.sku)
        for line, total, by_bonuses in zip(lines, eligible, paid, strict=True)
    )


def _take_back(person: _Customer, row: db.Row) -> None:
    """A refund frees what a cap counts: as much as it did, or its part of what the sale would have earned."""
    undone = row["earned"] + row["forgiven"]
    total, earned, would = person.sales.get(row["original_id"], (0, 0, 0))
    if would != earned:
        undone = proportion(would, row["total"], total)
    person.by_day[row["business_date"]] -= undone


async def _receipts(programme: Programme, first: date, end: date) -> AsyncIterator[tuple[db.Row, list[Line]]]:
    """Sales and refunds with their lines, a batch at a time."""
    place = (0, BEGINNING, 0)
    # Zones are up to 14 hours from UTC: the days themselves are compared as well.
    since, until = (datetime.combine(day, datetime.min.time(), ZoneInfo("UTC")) for day in (first, end))
    by_customer, by_all, most = _limited_codes(programme)
    while True:
        rows = await db.fetch(
            RECEIPTS,
            *place,
            since - timedelta(days=1),
            until + timedelta(days=1),
            BATCH,
            by_customer,
            by_all,
            most,
            first,
            end,
        )
        lines = defaultdict(list)
        for line in await db.fetch(LINES, [row["id"] for row in rows if row["kind"] == "sale"]):
            lines[line["receipt_id"]].append(Line(line["total"], "", line["sku"], line["category"]))
        for number, row in enumerate(rows):
            if number % TURN == 0:
                # Counting takes the processor: whoever waits for a page comes first.
                await asyncio.sleep(0)
            yield row, lines.get(row["id"]) or [Line(row["total"])]
        if len(rows) < BATCH:
            return
        place = (rows[-1]["customer_id"], rows[-1]["at"], rows[-1]["id"])


def _limited_codes(programme: Programme) -> tuple[list[str], list[str], int]:
    """Promo codes with a limit a customer, with one for all, and the highest of the latter: no need to count on."""
    rules = [rule.params for rule in programme.rules if rule.is_on and rule.kind == "promo_code"]
    by_all = [params for params in rules if params["total_limit"]]
    return (
        [params["code"] for params in rules if params["customer_limit"]],
        [params["code"] for params in by_all],
        max((params["total_limit"] for params in by_all), default=0),
    )


def _months(first: date, end: date) -> list[date]:
    months, month = [], first.replace(day=1)
    while month < end:
        months.append(month)
        month = add_months(month, 1)
    return months
