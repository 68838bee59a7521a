"""Reading purchases: what a quote needs, one receipt, a customer's list, their months."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from loyalty import db
from loyalty.bonuses.queries import held_for_sale
from loyalty.bonuses.rules import Lot
from loyalty.conversations.queries.recipients import own_texts, place_for
from loyalty.customers.rules import CardProof
from loyalty.errors import NotFound, Refused
from loyalty.receipts.queries.visits import visits
from loyalty.receipts.rules.sales import Quote, ReceiptDraft, ReceiptSource, Till, check_card, checked, quote
from loyalty.shop.rules import Programme

PAGE_ROWS = 50
MOVEMENTS = 10
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """A sale or refund, as people read it. Money in minor units, bonuses in hundredths."""

    id: int
    kind: str
    source: str
    external_id: str
    at: datetime
    location_id: int
    location_name: str
    staff_id: int | None
    staff_name: str | None
    customer_id: int
    total: int
    paid: int
    burnt: int
    earned: int
    refunded: int
    original_id: int | None
    discount: int
    forgiven: int
    kept_back: int
    tier_id: int
    promo_code: str | None


@dataclass(frozen=True, slots=True)
class LineView:
    """A line of a receipt. Money in minor units after discounts, bonuses in hundredths."""

    position: int
    name: str
    sku: str
    category: str
    total: int
    discount: int
    burnt: int
    earned: int
    refunded: int


@dataclass(frozen=True, slots=True)
class Movement:
    """A line of a customer's history: a sale, a refund, or (location_name None) an entry of another cause.

    Money in minor units, bonuses in hundredths; `amount` is signed and only of an entry.
    """

    at: datetime
    kind: str
    location_name: str | None
    total: int
    burnt: int
    earned: int
    amount: int
    event: str


@dataclass(frozen=True, slots=True)
class Habits:
    """How a person buys. every_days: mean days between visits over the last year, from three visits on.

    months: (first day of the month, sold) for the last twelve, oldest first, refunds taken off.
    """

    every_days: int | None
    months: list[tuple[date, int]]


# Everything a quote decides on, read at one moment; what the programme does not limit is not counted. Indexes:
# bonus_lot_open, hold_live, receipt_customer, appointment_customer, programme_effective, messenger_account_customer.
TILL = f"""
SELECT p.id AS programme_id, p.body AS programme, s.currency, s.exponent, l.name AS location_name, l.time_zone,
    l.is_open, l.burns_without_code, day.today, c.name, c.phone, c.language, c.birthday,
    account.id AS account_id, account.channel AS account_channel, account.texts AS own_texts,
    $4::bigint IS NOT NULL AND (EXISTS (SELECT FROM card_code_use WHERE customer_id = $1 AND step = $4)
        OR EXISTS (SELECT FROM hold WHERE customer_id = $1 AND code_step = $4 AND state IN ('asked', 'held')
            AND id IS DISTINCT FROM $5::bigint)) AS code_used,
    seen.body_hash AS seen_body_hash, seen.answer AS seen_answer, f.xmin::text AS version,
    f.balance, f.debt, f.tier_id, f.tier_until, f.discount_bp, f.receipts = 0 AS is_first,
    lots.ids, lots.remaining, lots.activates, lots.expires, lots.held,
    (SELECT coalesce(sum(CASE r.kind WHEN 'sale' THEN r.paid ELSE -r.paid END), 0)::bigint FROM receipt r
        WHERE r.customer_id = $1 AND r.at > tier_window.begins
            -- A refund takes from its sale: of one that the window has forgotten it takes nothing.
            AND (r.kind = 'sale' OR (SELECT at FROM receipt WHERE id = r.original_id) > tier_window.begins)
    ) AS window_paid,
    CASE WHEN p.body->>'tier_basis' = 'visits' THEN (SELECT count(DISTINCT (location_id, day))
        FROM ({visits("customer_id = $1")}) visit WHERE at > tier_window.begins) ELSE 0
    END AS window_visits,
    CASE WHEN (p.body->>'burn_cap_day')::bigint > 0 THEN (SELECT
        coalesce(sum(CASE kind WHEN 'sale' THEN burnt ELSE -burnt END), 0)::bigint FROM receipt
        WHERE customer_id = $1 AND business_date = day.today AND at > $3 - INTERVAL '2 days') ELSE 0
    END AS burnt_today,
    CASE WHEN (p.body->>'earn_cap_day')::bigint > 0 THEN (SELECT
        coalesce(sum(CASE kind WHEN 'sale' THEN earned ELSE -earned - forgiven END), 0)::bigint FROM receipt
        WHERE customer_id = $1 AND business_date = day.today AND at > $3 - INTERVAL '2 days') ELSE 0
    END AS earned_today,
    CASE WHEN (p.body->>'earn_cap_month')::bigint > 0 THEN (SELECT
        coalesce(sum(CASE kind WHEN 'sale' THEN earned ELSE -earned - forgiven END), 0)::bigint FROM receipt
        WHERE customer_id = $1 AND business_date >= date_trunc('month', day.today)::date
            AND at > $3 - INTERVAL '33 days') ELSE 0
    END AS earned_month,
    CASE WHEN (p.body->>'receipts_day')::int > 0 THEN (SELECT count(*) FROM receipt
        WHERE customer_id = $1 AND kind = 'sale' AND refunded < total AND business_date = day.today
            AND at > $3 - INTERVAL '2 days') ELSE 0
    END AS receipts_today,
    CASE WHEN (p.body->>'burns_day')::int > 0 THEN (SELECT count(*) FROM receipt
        WHERE customer_id = $1 AND kind = 'sale' AND refunded < total AND burnt > 0 AND business_date = day.today
            AND at > $3 - INTERVAL '2 days') ELSE 0
    END AS burns_today,
    CASE WHEN (p.body->>'receipt_gap_minutes')::int > 0 THEN (SELECT max(at) FROM receipt
        WHERE customer_id = $1 AND kind = 'sale' AND refunded < total AND at > $3 - INTERVAL '2 days')
    END AS last_receipt_at,
    EXISTS (SELECT FROM receipt WHERE customer_id = $1 AND location_id = $2 AND business_date = day.today
        AND kind = 'sale' AND refunded < total AND at > $3 - INTERVAL '2 days')
        OR EXISTS (SELECT FROM appointment WHERE customer_id = $1 AND location_id = $2 AND business_date = day.today
            AND state = 'came' AND starts_at > $3 - INTERVAL '2 days') AS visited,
    f.year_last_on > day.today AS is_late, c.deleted_at IS NOT NULL AS is_deleted, c.merged_into_id,
    c.erased_at IS NOT NULL AS is_erased
FROM customer c JOIN customer_facts f ON f.customer_id = c.id LEFT JOIN LATERAL (
        {place_for("receipt", "c.id", "a.id, a.channel, t.texts")}) account ON true, shop s,
    location l LEFT JOIN receipt seen ON seen.location_id = l.id AND seen.source = $6::text
        AND seen.external_id = $7::text,
    LATERAL (SELECT ($3::timestamptz AT TIME ZONE l.time_zone)::date AS today) day,
    LATERAL (SELECT id, body FROM programme WHERE effective_from <= $3
        ORDER BY effective_from DESC, id DESC LIMIT 1) p,
    LATERAL (SELECT $3 - make_interval(days => (p.body->>'tier_window_days')::int) AS begins) tier_window,
    LATERAL (SELECT array_agg(id) AS ids, array_agg(remaining) AS remaining, array_agg(activates_at) AS activates,
        array_agg(expires_at) AS expires, array_agg(coalesce(kept.amount, 0)) AS held
        FROM bonus_lot LEFT JOIN (SELECT part.lot_id, sum(part.amount)::bigint AS amount
            FROM hold JOIN hold_lot part ON part.hold_id = hold.id
            WHERE hold.customer_id = $1 AND hold.state = 'held' AND hold.expires_at > $3
                AND hold.id IS DISTINCT FROM $5 GROUP BY 1) kept ON kept.lot_id = bonus_lot.id
        WHERE customer_id = $1 AND remaining > 0) lots
WHERE c.id = $1::bigint AND l.id = $2::int
"""

VIEW = """
    SELECT r.id, r.kind, r.source, r.external_id, r.at, r.location_id, l.name AS location_name, r.staff_id,
        s.name AS staff_name, r.customer_id, r.total, r.paid, r.burnt, r.earned, r.refunded, r.original_id,
        r.discount, r.forgiven, r.kept_back, r.tier_id, r.promo_code
    FROM receipt r JOIN location l ON l.id = r.location_id LEFT JOIN staff_member s ON s.id = r.staff_id
"""

# Index: receipt_customer.
MONTHS = """
    SELECT date_trunc('month', business_date)::date AS month,
        sum(CASE kind WHEN 'sale' THEN total ELSE -total END)::bigint AS sold
    FROM receipt WHERE customer_id = $1 AND at > $2 GROUP BY 1
"""


async def till(
    customer_id: int,
    location_id: int,
    *,
    now: datetime,
    proof: CardProof | None = None,
    hold_id: int | None = None,
    key: tuple[str, str] | None = None,
) -> Till:
    """What a quote needs, read in one statement; a hold in a second one. `proof`: the code that was shown.

    hold_id: whose bonuses are set aside for this sale. key: (source, external id) that may have been used already.
    Raises NotFound("customer" | "location" | "hold"), Refused("hold_of_another" | "hold_is_over").
    """
    step = proof.step if proof else None
    row = await db.fetch_row(TILL, customer_id, location_id, now, step, hold_id, *(key or (None, None)))
    if row is None:
        known = await db.fetch_value("SELECT true FROM location WHERE id = $1", location_id)
        raise NotFound("customer" if known else "location")
    seen = (row["seen_body_hash"], row["seen_answer"]) if row["seen_body_hash"] is not None else None
    held = None
    # The sale that comes again confirmed its own hold: that one is over, and the first answer is due.
    if hold_id is not None and seen is None:
        held = await held_for_sale(hold_id, customer_id, location_id, now=now)
    lots = (row["ids"], row["remaining"], row["activates"], row["expires"], row["held"])
    same = ("programme_id", "currency", "exponent", "location_name", "is_open", "burns_without_code", "language",
        "account_id", "account_channel", "code_used", "balance", "debt", "tier_id", "tier_until", "discount_bp",
        "birthday", "is_first",
        "window_paid", "window_visits", "burnt_today", "earned_today", "earned_month", "receipts_today", "burns_today",
        "last_receipt_at", "visited", "version", "is_late", "is_deleted", "merged_into_id", "is_erased")  # fmt: skip
    return Till(
        programme=_programme(row["programme_id"], row["programme"]),
        location_id=location_id,
        zone=row["time_zone"],
        business_date=row["today"],
        customer_name=row["name"],
        customer_phone=row["phone"],
        lots=tuple(map(Lot, *(column or () for column in lots))),
        held=held,
        seen=seen,
        own_texts=own_texts(row["own_texts"]),
        **{name: row[name] for name in same},
    )


async def till_for(draft: ReceiptDraft, *, now: datetime) -> Till:
    """What a quote of this draft needs. Raises like `till`."""
    at_till = await till(
        draft.customer_id,
        draft.location_id,
        now=now,
        proof=draft.proof,
        hold_id=draft.hold_id,
        key=(draft.source.value, draft.external_id),
    )
    if draft.promo_code is None:
        return at_till
    return replace(at_till, promo_uses=await promo_uses(draft.promo_code, draft.customer_id))


async def quote_for(draft: ReceiptDraft, *, now: datetime) -> Quote:
    """What a sale would move; nothing moves. Raises like `record_receipt`, but for its key."""
    return await on_present_card(checked(draft), lambda one: _quote(one, now))


async def _quote(draft: ReceiptDraft, now: datetime) -> Quote:
    at_till = await till_for(draft, now=now)
    check_card(at_till)
    return quote(at_till, draft, now=now)


async def on_present_card(draft: ReceiptDraft, act: Callable[[ReceiptDraft], Awaitable[T]]) -> T:
    """What `act` makes of a draft; of one whose card has become another one meanwhile, for that one.

    The till's key and body stay what they are. Not within another's transaction: that holds other locks.
    """
    try:
        return await act(draft)
    except Refused as refused:
        if refused.reason != "card_was_merged" or db.in_use_case():
            raise
        survivor_id = refused.details["customer_id"]
    return await act(replace(draft, customer_id=survivor_id, named_id=draft.named_id or draft.customer_id))


# Index: receipt_promo_code.
PROMO_USES = """
    SELECT count(*) FILTER (WHERE customer_id = $2) AS by_customer, count(*) AS by_all
    FROM receipt WHERE promo_code = $1 AND kind = 'sale' AND refunded < total
"""


async def promo_uses(code: str, customer_id: int) -> tuple[int, int]:
    """How often a code was used: by the customer, by everybody. A sale taken back wholly does not count."""
    row = await db.fetch_row(PROMO_USES, code, customer_id)
    assert row is not None
    return row["by_customer"], row["by_all"]


async def receipt_by_key(source: ReceiptSource, location_id: int, external_id: str) -> ReceiptView | None:
    """The sale or refund that a till recorded under its key, if it did."""
    row = await db.fetch_row(
        f"{VIEW} WHERE r.source = $1 AND r.location_id = $2 AND r.external_id = $3",
        source.value,
        location_id,
        external_id,
    )
    return ReceiptView(**row) if row else None


# Indexes: the primary key; the unique key of sources, locations and external ids.
BY_NUMBER = """
    r.id IN (SELECT id FROM receipt WHERE id = $2::bigint AND location_id = $1 AND kind = 'sale'
        UNION ALL SELECT id FROM receipt WHERE source IN ('till', 'api', 'import', 'chat') AND location_id = $1
            AND external_id = $3 AND kind = 'sale')
"""


async def sale_by_number(location_id: int, number: str) -> ReceiptView | None:
    """The sale of a location by the short number that we show, or by the till's own number; ours goes first."""
    short = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None
    row = await db.fetch_row(
        f"{VIEW} WHERE {BY_NUMBER} ORDER BY (r.id = $2) IS TRUE DESC LIMIT 1", location_id, short, number
    )
    return ReceiptView(**row) if row else None


@dataclass(frozen=True, slots=True)
class Shift:
    """What one person did at a location on one local day. Money in minor units, bonuses in hundredths.

    Sums are of sales, and apart from them of refunds: what was given back and taken back. Sales that waited for their
    customer are of the day on which they were kept, and not here.
    """

    sales: int
    total: int
    paid: int
    burnt: int
    earned: int
    refunds: int
    paid_back: int
    latest: list[ReceiptView]


# Index: the unique one of locations and keys.
NOT_KEPT = """
    NOT (r.source = 'till' AND EXISTS (SELECT FROM waiting_sale w
        WHERE w.location_id = r.location_id AND w.external_id = r.external_id AND w.receipt_id = r.id))
"""
# Index: receipt_shift.
SHIFT = f"""
    SELECT count(*) FILTER (WHERE kind = 'sale') AS sales, count(*) FILTER (WHERE kind = 'refund') AS refunds,
        coalesce(sum(total) FILTER (WHERE kind = 'sale'), 0)::bigint AS total,
        coalesce(sum(paid) FILTER (WHERE kind = 'sale'), 0)::bigint AS paid,
        coalesce(sum(burnt) FILTER (WHERE kind = 'sale'), 0)::bigint AS burnt,
        coalesce(sum(earned) FILTER (WHERE kind = 'sale'), 0)::bigint AS earned,
        coalesce(sum(paid - kept_back) FILTER (WHERE kind = 'refund'), 0)::bigint AS paid_back
    FROM receipt r WHERE staff_id = $1 AND business_date = $2 AND location_id = $3 AND {NOT_KEPT}
"""
SHIFT_ROWS = 30


async def shift(staff_id: int, location_id: int, day: date) -> Shift:
    """The shift of one person: its sums, and its latest SHIFT_ROWS receipts."""
    sums = await db.fetch_row(SHIFT, staff_id, day, location_id)
    assert sums is not None
    rows = await db.fetch(
        f"{VIEW} WHERE r.staff_id = $1 AND r.business_date = $2 AND r.location_id = $3 AND {NOT_KEPT}"
        f" ORDER BY r.id DESC LIMIT {SHIFT_ROWS}",
        staff_id,
        day,
        location_id,
    )
    return Shift(**sums, latest=[ReceiptView(**row) for row in rows])


async def lines_of(receipt_id: int) -> list[LineView]:
    """The lines of a sale, or the parts of lines that a refund took back, in order. None for a receipt without."""
    rows = await db.fetch(
        "SELECT position, name, sku, category, total, discount, burnt, earned, refunded FROM receipt_line"
        " WHERE receipt_id = $1 ORDER BY position",
        receipt_id,
    )
    return [LineView(**row) for row in rows]


async def receipt(receipt_id: int) -> ReceiptView:
    """One receipt. Raises NotFound("receipt")."""
    row = await db.fetch_row(f"{VIEW} WHERE r.id = $1", receipt_id)
    if row is None:
        raise NotFound("receipt")
    return ReceiptView(**row)


async def refund_of(receipt_id: int) -> ReceiptView | None:
    """The newest refund of a sale, if there is one. Index: receipt_original."""
    row = await db.fetch_row(f"{VIEW} WHERE r.original_id = $1 ORDER BY r.id DESC LIMIT 1", receipt_id)
    return ReceiptView(**row) if row else None


async def receipts_of(
    customer_id: int, *, before: tuple[datetime, int] | None = None
) -> tuple[list[ReceiptView], tuple[datetime, int] | None]:
    """A customer's receipts, newest first, PAGE_ROWS at most, and where the next page begins."""
    params: list[Any] = [customer_id, PAGE_ROWS + 1]
    place = ""
    if before is not None:
        place, params = "AND (r.at, r.id) < ($3, $4)", [*params, *before]
    rows = await db.fetch(f"{VIEW} WHERE r.customer_id = $1 {place} ORDER BY r.at DESC, r.id DESC LIMIT $2", *params)
    views = [ReceiptView(**row) for row in rows[:PAGE_ROWS]]
    return views, (views[-1].at, views[-1].id) if len(rows) > PAGE_ROWS else None


# A merge of two cards moves nothing for their person; what happened on the other card is theirs. Indexes:
# receipt_customer, customer_merged_into, bonus_entry_customer; each half stops at a page.
HISTORY = """
SELECT * FROM (
    (SELECT r.at, r.kind, l.name AS location_name, r.total, r.burnt, r.earned, 0::bigint AS amount, '' AS event
        FROM receipt r JOIN location l ON l.id = r.location_id
        WHERE r.customer_id = $1 AND r.at < $2 ORDER BY r.at DESC LIMIT $3)
    UNION ALL
    (SELECT at, kind, NULL, 0, 0, 0, amount, event FROM bonus_entry
        WHERE customer_id IN (SELECT $1::bigint UNION ALL SELECT id FROM customer WHERE merged_into_id = $1)
            AND receipt_id IS NULL AND kind <> 'merge' AND at < $2 ORDER BY at DESC, id DESC LIMIT $3)
) line ORDER BY at DESC LIMIT $3
"""
LAST = datetime.fromisoformat("9999-01-01T00:00:00+00:00")


async def movements(customer_id: int, *, before: datetime | None = None) -> tuple[list[Movement], datetime | None]:
    """A customer's history, newest first, MOVEMENTS at most, and where the next page begins."""
    rows = await db.fetch(HISTORY, customer_id, before or LAST, MOVEMENTS + 1)
    found = [Movement(**row) for row in rows[:MOVEMENTS]]
    return found, found[-1].at if len(rows) > MOVEMENTS else None


async def paid_since(customer_id: int, since: datetime) -> int:
    """Money paid after `since`, net of refunds, in minor units. Index: receipt_customer."""
    paid: int = await db.fetch_value(
        "SELECT coalesce(sum(CASE kind WHEN 'sale' THEN paid ELSE -paid END), 0)::bigint FROM receipt"
        " WHERE customer_id = $1 AND at > $2",
        customer_id,
        since,
    )
    return paid


async def habits(customer_id: int, *, today: date, now: datetime) -> Habits:
    """How a person buys, over the last year."""
    tenths = await db.fetch_value("SELECT frequency FROM customer_facts WHERE customer_id = $1", customer_id)
    sold = {row["month"]: row["sold"] for row in await db.fetch(MONTHS, customer_id, now - timedelta(days=400))}
    index = today.year * 12 + today.month - 1
    months = [date(at // 12, at % 12 + 1, 1) for at in range(index - 11, index + 1)]
    return Habits((tenths + 5) // 10 if tenths else None, [(month, sold.get(month, 0)) for month in months])


_programmes: dict[int, tuple[str, Programme]] = {}


def _programme(programme_id: int, body: str) -> Programme:
    """Versions never change, so each is parsed once; the text is compared, because tests start bases anew."""
    known = _programmes.get(programme_id)
    if known is None or known[0] != body:
        _programmes[programme_id] = known = (body, Programme.from_body(json.loads(body)))
    return known[1]
