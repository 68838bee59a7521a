"""Reading the ledger: the account of a customer, its entries, its lots."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from loyalty import db
from loyalty.bonuses.rules import (
    LOOKED_AT_EVERY,
    Held,
    HoldState,
    Kind,
    Lot,
    Progress,
    RequestState,
    Taken,
    available,
    in_order,
    pending,
)
from loyalty.customers.queries import reach
from loyalty.errors import NotFound, Refused
from loyalty.shop.rules import Programme, TierBasis

PAGE_ROWS = 50
LAST = datetime.fromisoformat("9999-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class LotView:
    """A lot with something left, and where it came from."""

    lot: Lot
    source: str


@dataclass(frozen=True, slots=True)
class Account:
    """Where a customer's bonuses stand, in hundredths.

    tier_id: the programme's. balance: sum of the entries, below zero when there is debt. available: spendable now.
    pending: credited, spendable later. next_expiry: the day's end and sum of what is lost first.
    """

    tier_id: int
    balance: int
    available: int
    pending: int
    debt: int
    earned: int
    burnt: int
    expired: int
    lots: list[LotView]
    next_expiry: tuple[datetime, int] | None


@dataclass(frozen=True, slots=True)
class EntryView:
    """One movement, as people read it. customer_id: on whose card; that may have become the one asked for."""

    id: int
    customer_id: int
    amount: int
    balance_after: int
    kind: Kind
    event: str
    at: datetime
    receipt_id: int | None
    location_name: str | None
    staff_name: str | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class HoldView:
    """Bonuses set aside for a sale. `total`: minor units of the sale, after discounts; `amount` in hundredths."""

    id: int
    source: str
    location_id: int
    location_name: str
    external_id: str
    customer_id: int
    total: int
    amount: int
    state: HoldState
    presence: str | None
    created_at: datetime
    expires_at: datetime
    receipt_id: int | None
    staff_id: int | None
    api_key_id: int | None
    body_hash: str
    code_step: int | None


@dataclass(frozen=True, slots=True)
class TierStep:
    """When a customer came to a tier, and why."""

    tier_id: int
    reason: str
    at: datetime
    staff_name: str | None


HELD = """
    SELECT part.lot_id, sum(part.amount)::bigint AS held FROM hold JOIN hold_lot part ON part.hold_id = hold.id
    WHERE hold.customer_id = $1 AND hold.state = 'held' AND hold.expires_at > $2 GROUP BY 1
"""  # index: hold_live

LOTS = f"""
    SELECT id, remaining, activates_at, expires_at, coalesce(held, 0) AS held, source
    FROM bonus_lot LEFT JOIN ({HELD}) kept ON kept.lot_id = bonus_lot.id
    WHERE customer_id = $1 AND remaining > 0 ORDER BY expires_at NULLS LAST, id
"""  # index: bonus_lot_open

ACCOUNT = f"""
    SELECT tier_id, balance, debt, earned, burnt, expired, lot.*
    FROM customer_facts LEFT JOIN LATERAL ({LOTS}) lot ON true WHERE customer_id = $1
    ORDER BY lot.expires_at NULLS LAST, lot.id
"""

# The entries of a card that became this one stay where they are and are read here. Indexes: customer_merged_into,
# bonus_entry_customer.
CARDS = "(SELECT $1::bigint UNION ALL SELECT id FROM customer WHERE merged_into_id = $1)"
ENTRIES = f"""
    SELECT e.id, e.customer_id, e.amount, e.balance_after, e.kind, e.event, e.at, e.receipt_id, l.name AS location_name,
        s.name AS staff_name, c.text AS comment
    FROM bonus_entry e LEFT JOIN location l ON l.id = e.location_id LEFT JOIN staff_member s ON s.id = e.staff_id
        LEFT JOIN bonus_entry_comment c ON c.entry_id = e.id
    WHERE e.customer_id IN {CARDS} AND e.id < $2 ORDER BY e.id DESC LIMIT $3
"""


async def account(customer_id: int, *, now: datetime) -> Account:
    """The account at `now`, computed from the lots. Raises NotFound("customer")."""
    rows = await db.fetch(ACCOUNT, customer_id, now)
    if not rows:
        raise NotFound("customer")
    views = [LotView(_lot(row), row["source"]) for row in rows if row["id"] is not None]
    lots = [view.lot for view in views]
    return Account(
        **{field: rows[0][field] for field in ("tier_id", "balance", "debt", "earned", "burnt", "expired")},
        available=available(lots, now),
        pending=pending(lots, now),
        lots=views,
        next_expiry=_next_expiry(lots, now),
    )


async def open_lots(customer_id: int, *, now: datetime) -> list[Lot]:
    """Lots with something left, pending and expired ones too, and what holds live at `now` keep of them."""
    return [_lot(row) for row in await db.fetch(LOTS, customer_id, now)]


# A lot that went to another card when two became one is a lot of its own there; the merge names both. The table belongs
# to a room above: read in SQL. Index: merge_merged.
LINE = """
WITH RECURSIVE line (origin, lot_id, customer_id) AS (
    SELECT id, id, customer_id FROM bonus_lot WHERE id = ANY($1::bigint[])
    UNION
    SELECT line.origin, (pair->>1)::bigint, merge.survivor_id
    FROM line JOIN merge ON merge.merged_id = line.customer_id,
        LATERAL jsonb_array_elements(merge.moved->'bonuses'->'lots') pair
    WHERE (pair->>0)::bigint = line.lot_id
)
SELECT origin, lot_id FROM line ORDER BY origin, lot_id
"""


async def lots_after(lot_ids: Sequence[int]) -> list[tuple[int, int]]:
    """(lot, what it is or became) for each: itself, and its copies on the cards that its card was merged into."""
    return [(row["origin"], row["lot_id"]) for row in await db.fetch(LINE, list(lot_ids))]


HOLD = """
    SELECT h.id, h.source, h.location_id, l.name AS location_name, h.external_id, h.customer_id, h.total, h.amount,
        h.state, h.presence, h.created_at, h.expires_at, h.receipt_id, h.staff_id, h.api_key_id, h.body_hash,
        h.code_step
    FROM hold h JOIN location l ON l.id = h.location_id
"""
HOLD_PARTS = """
    SELECT l.id, l.remaining, l.activates_at, l.expires_at, part.amount FROM hold_lot part
        JOIN bonus_lot l ON l.id = part.lot_id WHERE part.hold_id = $1
"""


async def hold(hold_id: int) -> HoldView:
    """One hold. Raises NotFound("hold")."""
    row = await db.fetch_row(f"{HOLD} WHERE h.id = $1", hold_id)
    if row is None:
        raise NotFound("hold")
    return _hold(row)


async def hold_by_key(source: str, location_id: int, external_id: str) -> HoldView | None:
    """The hold that a till made under its key, if it did."""
    row = await db.fetch_row(
        f"{HOLD} WHERE h.source = $1 AND h.location_id = $2 AND h.external_id = $3", source, location_id, external_id
    )
    return _hold(row) if row else None


async def held_for_sale(hold_id: int, customer_id: int, location_id: int, *, now: datetime) -> Held:
    """What a live hold has set aside for a sale of this customer there.

    Raises NotFound("hold"), Refused("hold_of_another" | "hold_is_over").
    """
    kept = await hold(hold_id)
    if (kept.customer_id, kept.location_id) != (customer_id, location_id):
        raise Refused("hold_of_another")
    if kept.state is not HoldState.HELD or kept.presence is None or now >= kept.expires_at:
        raise Refused("hold_is_over")
    rows = await db.fetch(HOLD_PARTS, hold_id)
    amounts = {row["id"]: row["amount"] for row in rows}
    lots = in_order(Lot(row["id"], row["remaining"], row["activates_at"], row["expires_at"]) for row in rows)
    parts = tuple(Taken(lot.id, amounts[lot.id]) for lot in lots)
    return Held(hold_id, kept.amount, kept.presence, kept.code_step, parts)


async def entries(customer_id: int, *, before_id: int | None = None) -> tuple[list[EntryView], int | None]:
    """Entries newest first, PAGE_ROWS at most, and the id to ask for the next page with."""
    rows = await db.fetch(ENTRIES, customer_id, before_id or 2**62, PAGE_ROWS + 1)
    views = [EntryView(**{**row, "kind": Kind(row["kind"])}) for row in rows[:PAGE_ROWS]]
    return views, views[-1].id if len(rows) > PAGE_ROWS else None


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody who invited or was invited: who, when, and what became of it. `reason`: why it was refused."""

    customer_id: int
    name: str
    created_at: datetime
    state: str
    reason: str | None


INVITED = """
SELECT c.id AS customer_id, c.name, r.created_at, r.state, r.reason FROM referral r
JOIN customer c ON c.id = r.invitee_id WHERE r.referrer_id = $1 ORDER BY r.created_at DESC LIMIT 50
"""  # index: referral_referrer
INVITED_BY = """
SELECT c.id AS customer_id, c.name, r.created_at, r.state, r.reason FROM referral r
JOIN customer c ON c.id = r.referrer_id WHERE r.invitee_id = $1
"""


async def invited(customer_id: int) -> list[Invitation]:
    """Whom a customer invited, newest first, fifty at most."""
    return [Invitation(**row) for row in await db.fetch(INVITED, customer_id)]


async def invited_by(customer_id: int) -> Invitation | None:
    """By whose invitation a customer came, if by anybody's."""
    row = await db.fetch_row(INVITED_BY, customer_id)
    return Invitation(**row) if row else None


async def invited_count(customer_id: int) -> tuple[int, int]:
    """(how many came by a customer's invitation, for how many of them the gift was paid)."""
    row = await db.fetch_row(
        "SELECT count(*) FILTER (WHERE state <> 'refused') AS came, count(*) FILTER (WHERE state = 'paid') AS paid"
        " FROM referral WHERE referrer_id = $1",
        customer_id,
    )
    assert row is not None
    return row["came"], row["paid"]


async def tier_history(customer_id: int) -> list[TierStep]:
    """Changes of tier, newest first."""
    rows = await db.fetch(
        "SELECT t.tier_id, t.reason, t.at, s.name AS staff_name FROM tier_change t"
        " LEFT JOIN staff_member s ON s.id = t.staff_id WHERE t.customer_id = $1 ORDER BY t.id DESC LIMIT 50",
        customer_id,
    )
    return [TierStep(**row) for row in rows]


# What counts towards a tier, from when, and by which moment the window forgets it. Indexes: receipt_customer,
# receipt_original, appointment_customer. A refund takes from its sale, whenever that was, and only from when it was
# made.
PAID = """
SELECT at AS since, at AS counted_at, NULL::timestamptz AS ended, paid AS amount FROM receipt
WHERE customer_id = $1 AND at > $2 AND kind = 'sale'
UNION ALL
SELECT back.at, sale.at, NULL, -back.paid FROM receipt sale JOIN receipt back ON back.original_id = sale.id
WHERE sale.customer_id = $1 AND sale.at > $2 AND sale.kind = 'sale'
"""
VISITS = """
SELECT min(at) AS since, min(at) AS counted_at, 1 AS amount,
    CASE WHEN NOT bool_or(stands) THEN max(back_at) END AS ended
FROM (
    SELECT sale.location_id, sale.business_date, sale.at, sale.refunded < sale.total AS stands, back.at AS back_at
    FROM receipt sale LEFT JOIN receipt back ON back.original_id = sale.id
    WHERE sale.customer_id = $1 AND sale.at > $2 AND sale.kind = 'sale'
    UNION ALL
    SELECT location_id, business_date, starts_at, true, NULL FROM appointment
    WHERE customer_id = $1 AND starts_at > $2 AND state = 'came'
) visit GROUP BY location_id, business_date
"""
# A message that went instead of another one names that one in its key, and no day.
WARNED = """
SELECT max(substring(m.dedupe_key FROM '[0-9]{4}-[0-9]{2}-[0-9]{2}$'))
FROM message m JOIN messenger_account a ON a.id = m.account_id
WHERE a.customer_id = $1 AND m.kind = 'tier_falling' AND m.customer_id = $1
"""  # indexes: messenger_account_customer, message_account


async def tier_parts(customer_id: int, programme: Programme, *, now: datetime) -> list[Progress]:
    """What counts towards a tier, as far back as its days of grace are counted from."""
    window = timedelta(days=programme.tier_window_days)
    grace = timedelta(days=programme.tier_hold_days + programme.tier_warning_days) + 2 * LOOKED_AT_EVERY
    sql = VISITS if programme.tier_basis is TierBasis.VISITS else PAID
    parts = []
    for row in await db.fetch(sql, customer_id, now - window - grace):
        until = min(row["counted_at"] + window, row["ended"] or LAST)
        if row["since"] < until:
            parts.append(Progress(row["since"], until, row["amount"]))
    return parts


async def last_tier_warning(customer_id: int) -> date | None:
    """The last day that the newest warning of a falling tier named, if there was any."""
    day: str | None = await db.fetch_value(WARNED, customer_id)
    return date.fromisoformat(day) if day else None


async def programme_versions(now: datetime) -> list[tuple[datetime, Programme]]:
    """Every version of the programme with the moment from which it was in force, newest first."""
    rows = await db.fetch(
        "SELECT effective_from, body FROM programme WHERE effective_from <= $1 ORDER BY effective_from DESC, id DESC",
        now,
    )
    return [(row["effective_from"], Programme.from_body(db.from_json(row["body"]))) for row in rows]


def _next_expiry(lots: list[Lot], now: datetime) -> tuple[datetime, int] | None:
    """The next moment at which something is lost, with all that is lost then."""
    dates = [lot.expires_at for lot in lots if lot.expires_at is not None and lot.expires_at > now]
    if not dates:
        return None
    soonest = min(dates)
    return soonest, sum(lot.remaining for lot in lots if lot.expires_at == soonest)


def _lot(row: dict[str, Any]) -> Lot:
    return Lot(row["id"], row["remaining"], row["activates_at"], row["expires_at"], row["held"])


def _hold(row: dict[str, Any]) -> HoldView:
    return HoldView(**{**row, "state": HoldState(row["state"])})


@dataclass(frozen=True, slots=True)
class CreditRequestView:
    """A credit by hand that one colleague asked for and another is to give."""

    id: int
    customer_id: int
    customer_name: str
    amount: int
    comment: str
    staff_id: int
    staff_name: str
    state: RequestState
    decided_by: str | None
    created_at: datetime
    decided_at: datetime | None


REQUEST = """
    SELECT q.id, q.customer_id, c.name AS customer_name, q.amount, q.comment, q.staff_id, asker.name AS staff_name,
        q.state, decider.name AS decided_by, q.created_at, q.decided_at
    FROM credit_request q JOIN customer c ON c.id = q.customer_id JOIN staff_member asker ON asker.id = q.staff_id
    LEFT JOIN staff_member decider ON decider.id = q.decided_by_id
"""


async def credit_request(request_id: int) -> CreditRequestView:
    """One request. Raises NotFound("credit_request")."""
    row = await db.fetch_row(f"{REQUEST} WHERE q.id = $1", request_id)
    if row is None:
        raise NotFound("credit_request")
    return _request(row)


async def credit_requests(
    *, waiting: bool, within: Collection[int] | None = None, before: int | None = None
) -> list[CreditRequestView]:
    """A page of requests and one more, the newest first: those that wait, or those that were answered.

    within: for customers whom these locations reach, None for all. Indexes: credit_request_waiting; the primary key.
    """
    rows = await db.fetch(
        f"{REQUEST} WHERE (q.state = 'waiting') = $1 AND q.id < $2 AND {reach.within('q.customer_id', '$4')}"
        " ORDER BY q.id DESC LIMIT $3",
        waiting,
        before or 2**62,
        PAGE_ROWS + 1,
        None if within is None else list(within),
    )
    return [_request(row) for row in rows]


async def waiting_credits_of(customer_id: int) -> int:
    """How much waits for a second person's word for this customer, in hundredths."""
    found: int = await db.fetch_value(
        "SELECT coalesce(sum(amount), 0)::bigint FROM credit_request WHERE customer_id = $1 AND state = 'waiting'",
        customer_id,
    )
    return found


def _request(row: Any) -> CreditRequestView:
    return CreditRequestView(**{**row, "state": RequestState(row["state"])})


# What both had and a person has once: the welcome, the gift for coming by an invitation, that for an answer, a
# birthday's of this year or a later one. Of each the other card's; one that was taken back already counts no more.
# Index: bonus_entry_customer.
TWICE = """
WITH gift AS (
    SELECT e.id, coalesce(c.merged_into_id, c.id) = $2 AND NOT c.id = ANY($3::bigint[]) AS is_survivors,
        e.amount - coalesce((SELECT sum(a.amount) FROM bonus_lot l JOIN bonus_allocation a ON a.lot_id = l.id
            JOIN bonus_entry x ON x.id = a.entry_id AND x.kind = 'expire'
            WHERE l.entry_id = e.id), 0)::bigint AS amount,
        e.event || CASE WHEN e.event = 'birthday' THEN right(e.operation_id, 4) ELSE '' END AS once
    FROM customer c JOIN bonus_entry e ON e.customer_id = c.id
    WHERE (c.id = $1 OR c.id = $2 OR c.merged_into_id IN ($1, $2)) AND e.kind = 'grant' AND (e.event = ANY($4::text[])
            OR e.event = 'birthday' AND right(e.operation_id, 4) >= $5::text)
        AND NOT EXISTS (SELECT FROM bonus_entry back WHERE back.corrects_id = e.id AND back.kind = 'reverse_earn'
            AND back.customer_id IN (SELECT id FROM customer WHERE id IN ($1, $2) OR merged_into_id IN ($1, $2))
            AND NOT EXISTS (SELECT FROM bonus_entry again WHERE again.corrects_id = back.id
                AND again.customer_id = back.customer_id))
)
SELECT other.id, other.amount, other.once FROM gift other WHERE NOT is_survivors AND other.amount > 0 AND EXISTS
    (SELECT FROM gift own WHERE own.is_survivors AND own.once = other.once) ORDER BY other.id
"""
ONCE = ("welcome", "invited", "survey")


async def gifts_twice(merged_id: int, survivor_id: int, year: int) -> list[tuple[int, int, str]]:
    """Gifts that both cards had though a person has them once: (entry on the other card, what of it is taken, event).

    What of a gift expired unspent counts as taken back. year: from which on a birthday's gift counts. Asked before
    anything moves.
    """
    followers = await db.fetch_value(
        "SELECT ARRAY(SELECT id FROM customer WHERE id = $1 OR merged_into_id = $1)", merged_id
    )
    rows = await db.fetch(TWICE, merged_id, survivor_id, followers, list(ONCE), str(year))
    return [(row["id"], row["amount"], row["once"].rstrip("0123456789")) for row in rows]
