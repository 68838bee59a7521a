"""Where bonuses went: of each movement the lots it made, took from or filled again; of each lot, what took it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.bonuses.queries import EntryView, entries
from loyalty.customers.queries import find_by_card_number, find_by_phone
from loyalty.customers.rules import is_card_number, normalise_phone
from loyalty.errors import Invalid, NotFound


@dataclass(frozen=True, slots=True)
class Use:
    """What an entry took of a lot; below zero, what it gave back."""

    entry_id: int
    amount: int
    at: datetime
    kind: str
    event: str
    receipt_id: int | None


@dataclass(frozen=True, slots=True)
class LotStory:
    """A lot from its beginning: the entry that made it, its dates, everything that took from it, in order."""

    id: int
    amount: int
    remaining: int
    source: str
    activates_at: datetime
    expires_at: datetime | None
    made_by: int
    made_at: datetime
    made_event: str
    made_receipt_id: int | None
    uses: tuple[Use, ...]

    def taken_by(self, entry_id: int) -> int:
        """What one entry took of it."""
        return sum(use.amount for use in self.uses if use.entry_id == entry_id)


@dataclass(frozen=True, slots=True)
class EntryStory:
    """A movement and its lots, in hundredths.

    made: the lots that a credit made. parts: (lot, how much the entry took of it; below zero: gave back). repaid:
    what of a credit went to an old debt. owed: what of a debit no lot had, so that it became debt.
    """

    entry: EntryView
    made: tuple[LotStory, ...]
    parts: tuple[tuple[LotStory, int], ...]

    @property
    def repaid(self) -> int:
        return sum(lot.taken_by(self.entry.id) for lot in self.made)

    @property
    def owed(self) -> int:
        return max(0, -self.entry.amount - sum(amount for _, amount in self.parts))


# Indexes: bonus_allocation_entry, bonus_lot_entry, bonus_allocation_lot.
LOTS = """
    SELECT l.id, l.amount, l.remaining, l.source, l.activates_at, l.expires_at, l.entry_id AS made_by, m.at AS made_at,
        m.event AS made_event, m.receipt_id AS made_receipt_id, coalesce(uses.list, '[]') AS uses
    FROM bonus_lot l JOIN bonus_entry m ON m.id = l.entry_id,
        LATERAL (SELECT jsonb_agg(jsonb_build_object('entry_id', e.id, 'amount', a.amount, 'at', e.at, 'kind', e.kind,
                'event', e.event, 'receipt_id', e.receipt_id) ORDER BY e.id, a.id) AS list
            FROM bonus_allocation a JOIN bonus_entry e ON e.id = a.entry_id WHERE a.lot_id = l.id) uses
    WHERE l.id IN (SELECT lot_id FROM bonus_allocation WHERE entry_id = ANY($1::bigint[])
        UNION SELECT id FROM bonus_lot WHERE entry_id = ANY($1::bigint[]))
    ORDER BY l.expires_at NULLS LAST, l.id
"""


async def explain(customer_id: int, *, before_id: int | None = None) -> tuple[list[EntryStory], int | None]:
    """A page of movements with their lots, newest first, and where the next page begins."""
    found, following = await entries(customer_id, before_id=before_id)
    return await _stories(found), following


async def explain_entry(customer_id: int, entry_id: int) -> EntryStory:
    """One movement with its lots. Raises NotFound("entry") when it is not this customer's."""
    found, _following = await entries(customer_id, before_id=entry_id + 1)
    if not found or found[0].id != entry_id:
        raise NotFound("entry")
    return (await _stories(found[:1]))[0]


async def customer_named(text: str, region: str) -> int:
    """The customer with this id, phone or card number. Raises NotFound("customer")."""
    named = "".join(text.split())
    found: int | None = None
    if is_card_number(named):
        found = await find_by_card_number(named)
    if found is None and named.isascii() and named.isdigit() and len(named) <= 18:
        found = await db.fetch_value("SELECT id FROM customer WHERE id = $1", int(named))
    if found is None:
        try:
            found = await find_by_phone(normalise_phone(text, region))
        except Invalid:
            found = None
    if found is None:
        raise NotFound("customer")
    return found


async def _stories(found: Sequence[EntryView]) -> list[EntryStory]:
    lots = [_lot(row) for row in await db.fetch(LOTS, [entry.id for entry in found])]
    return [
        EntryStory(
            entry,
            tuple(lot for lot in lots if lot.made_by == entry.id),
            tuple((lot, lot.taken_by(entry.id)) for lot in lots if lot.made_by != entry.id and _touches(entry, lot)),
        )
        for entry in found
    ]


def _touches(entry: EntryView, lot: LotStory) -> bool:
    return any(use.entry_id == entry.id for use in lot.uses)


def _lot(row: dict[str, Any]) -> LotStory:
    uses = [Use(**{**use, "at": datetime.fromisoformat(use["at"])}) for use in db.from_json(row["uses"])]
    return LotStory(**{**row, "uses": tuple(uses)})
