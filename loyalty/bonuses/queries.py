"""Reading the ledger: the account of a customer, its entries, its lots."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.bonuses.rules import Kind, Lot, available, pending
from loyalty.errors import NotFound

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class LotView:
    """A lot with something left, and where it came from."""

    lot: Lot
    source: str


@dataclass(frozen=True, slots=True)
class Account:
    """Where a customer's bonuses stand, in hundredths.

    balance: sum of the entries, below zero when there is debt. available: spendable now. pending: credited,
    spendable later. next_expiry: the day's end and sum of what is lost first.
    """

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
    """One movement, as people read it."""

    id: int
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
class TierStep:
    """When a customer came to a tier, and why."""

    tier_id: int
    reason: str
    at: datetime


LOTS = """
    SELECT id, remaining, activates_at, expires_at, source FROM bonus_lot
    WHERE customer_id = $1 AND remaining > 0 ORDER BY expires_at NULLS LAST, id
"""  # index: bonus_lot_open

FACTS = "SELECT balance, debt, earned, burnt, expired FROM customer_facts WHERE customer_id = $1"

# Index: bonus_entry_customer, read backwards from a place.
ENTRIES = """
    SELECT e.id, e.amount, e.balance_after, e.kind, e.event, e.at, e.receipt_id, l.name AS location_name,
        s.name AS staff_name, c.text AS comment
    FROM bonus_entry e LEFT JOIN location l ON l.id = e.location_id LEFT JOIN staff_member s ON s.id = e.staff_id
        LEFT JOIN bonus_entry_comment c ON c.entry_id = e.id
    WHERE e.customer_id = $1 AND e.id < $2 ORDER BY e.id DESC LIMIT $3
"""


async def account(customer_id: int, *, now: datetime) -> Account:
    """The account at `now`, computed from the lots. Raises NotFound("customer")."""
    facts = await db.fetch_row(FACTS, customer_id)
    if facts is None:
        raise NotFound("customer")
    views = [LotView(_lot(row), row["source"]) for row in await db.fetch(LOTS, customer_id)]
    lots = [view.lot for view in views]
    return Account(
        **facts,
        available=available(lots, now),
        pending=pending(lots, now),
        lots=views,
        next_expiry=_next_expiry(lots, now),
    )


async def open_lots(customer_id: int) -> list[Lot]:
    """Lots with something left, pending and expired ones too."""
    return [_lot(row) for row in await db.fetch(LOTS, customer_id)]


async def entries(customer_id: int, *, before_id: int | None = None) -> tuple[list[EntryView], int | None]:
    """Entries newest first, PAGE_ROWS at most, and the id to ask for the next page with."""
    rows = await db.fetch(ENTRIES, customer_id, before_id or 2**62, PAGE_ROWS + 1)
    views = [EntryView(**{**row, "kind": Kind(row["kind"])}) for row in rows[:PAGE_ROWS]]
    return views, views[-1].id if len(rows) > PAGE_ROWS else None


async def tier_history(customer_id: int) -> list[TierStep]:
    """Changes of tier, newest first."""
    rows = await db.fetch(
        "SELECT tier_id, reason, at FROM tier_change WHERE customer_id = $1 ORDER BY id DESC LIMIT 50",
        customer_id,
    )
    return [TierStep(**row) for row in rows]


def _next_expiry(lots: list[Lot], now: datetime) -> tuple[datetime, int] | None:
    """The next moment at which something is lost, with all that is lost then."""
    dates = [lot.expires_at for lot in lots if lot.expires_at is not None and lot.expires_at > now]
    if not dates:
        return None
    soonest = min(dates)
    return soonest, sum(lot.remaining for lot in lots if lot.expires_at == soonest)


def _lot(row: dict[str, Any]) -> Lot:
    return Lot(row["id"], row["remaining"], row["activates_at"], row["expires_at"])
