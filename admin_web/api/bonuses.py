"""Bonuses of a customer: where they stand, and how they came there."""

from datetime import datetime

from pydantic import Field

from admin_web.api.fields import CursorText, In, NextCursor, Out, cursor_of, numbers_of
from admin_web.api.operations import Answer, Call, Operation
from loyalty.bonuses.queries import LotView, account, entries
from loyalty.customers.queries import customer
from loyalty.shop.queries import programme_at
from loyalty.staff.rules import Scope


class Tier(Out):
    """A level of the programme."""

    id: int
    name: str = Field(examples=["Silver"])
    rate_bp: int = Field(description="What it earns, in hundredths of a percent: 500 is 5 %.")


class BonusLot(Out):
    """Bonuses credited together. Spendable from `activates_at` until before `expires_at`."""

    remaining: int = Field(description="Hundredths of a bonus.")
    activates_at: datetime
    expires_at: datetime | None = Field(description="null: never.")
    source: str = Field(examples=["receipt"])


class Expiry(Out):
    """What is lost next, and when."""

    at: datetime
    amount: int = Field(description="Hundredths of a bonus.")


class Balance(Out):
    """Where a customer's bonuses stand. All amounts in hundredths of a bonus."""

    customer_id: int
    balance: int = Field(description="All bonuses, pending ones too; below zero when there is more debt than bonuses.")
    available: int = Field(description="Spendable now.")
    pending: int = Field(description="Credited, spendable later.")
    debt: int = Field(description="Repaid from what is earned next.")
    bonus_value: int = Field(description="Minor units of money that one bonus pays.")
    tier: Tier
    next_expiry: Expiry | None
    lots: list[BonusLot] = Field(description="What is left of each credit, soonest to expire first.")


class Entry(Out):
    """One movement of bonuses. Entries never change."""

    id: int
    amount: int = Field(description="Signed, in hundredths of a bonus.")
    balance_after: int = Field(description="Hundredths of a bonus.")
    kind: str = Field(examples=["earn"])
    event: str = Field(description="Why.", examples=["receipt"])
    at: datetime
    receipt_id: int | None


class EntryPage(Out):
    """Some movements, newest first."""

    entries: list[Entry]
    next_cursor: NextCursor = None


class EntriesQuery(In):
    """Which page."""

    cursor: CursorText | None = None


async def read_balance(call: Call) -> Answer:
    """Computed from the lots, at this moment."""
    person = await customer(await call.customer_in_path())
    stands = await account(person.id, now=call.now)
    programme = await programme_at(call.now)
    tier = programme.tier(person.tier_id)
    expiry = Expiry(at=stands.next_expiry[0], amount=stands.next_expiry[1]) if stands.next_expiry else None
    return Answer(
        Balance(
            customer_id=person.id,
            balance=stands.balance,
            available=max(0, stands.available - stands.debt),
            pending=stands.pending,
            debt=stands.debt,
            bonus_value=programme.bonus_value,
            tier=Tier(id=tier.id, name=tier.name, rate_bp=tier.rate_bp),
            next_expiry=expiry,
            lots=[_lot(view) for view in stands.lots],
        )
    )


async def list_entries(call: Call) -> Answer:
    """The history, newest first, fifty at a time."""
    person = await customer(await call.customer_in_path())
    before = numbers_of(call.query.cursor, 1)[0] if call.query.cursor else None
    views, following = await entries(person.id, before_id=before)
    rows = [Entry(**{name: getattr(view, name) for name in Entry.model_fields}) for view in views]
    return Answer(EntryPage(entries=rows, next_cursor=cursor_of(following) if following else None))


def _lot(view: LotView) -> BonusLot:
    return BonusLot(
        remaining=view.lot.remaining,
        activates_at=view.lot.activates_at,
        expires_at=view.lot.expires_at,
        source=view.source,
    )


TAG = "Bonuses"
OPERATIONS = (
    Operation(
        "GET",
        "/customers/{id}/balance",
        "read_balance",
        "Read a balance",
        "What can be spent now, what comes, what is lost next, and the level of the programme.",
        read_balance,
        {200: Balance},
        TAG,
        scope=Scope.BONUSES_READ,
        refusals={404: ("customer",)},
    ),
    Operation(
        "GET",
        "/customers/{id}/entries",
        "list_entries",
        "Read the history of bonuses",
        "Every movement, newest first, fifty a page.",
        list_entries,
        {200: EntryPage},
        TAG,
        scope=Scope.BONUSES_READ,
        query=EntriesQuery,
        refusals={404: ("customer",)},
    ),
)
