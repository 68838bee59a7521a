"""Taking back what somebody credited or debited by hand, as long as nothing has come of it."""

from datetime import datetime

from loyalty import db
from loyalty.bonuses.actions.manual import tell_adjustment
from loyalty.bonuses.actions.posting import Posting, debt_of, post
from loyalty.bonuses.queries import open_lots
from loyalty.bonuses.rules import Kind, Taken
from loyalty.conversations.rules import Priority
from loyalty.customers.actions.profile import lock_customer
from loyalty.errors import NotFound, Refused
from loyalty.shop.queries import shop
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

# Index: the unique one on operation_id.
ENTRY = "SELECT id, amount, customer_id FROM bonus_entry WHERE operation_id = $1 AND kind = 'adjust'"
LOT = "SELECT id, amount FROM bonus_lot WHERE entry_id = $1"
TAKEN = """
SELECT a.lot_id, a.amount, l.expires_at <= $2 AS is_over FROM bonus_allocation a JOIN bonus_lot l ON l.id = a.lot_id
WHERE a.entry_id = $1 ORDER BY a.lot_id
"""


@db.use_case
async def undo_adjustment(
    customer_id: int, key: str, *, actor: Actor, now: datetime, priority: Priority = Priority.SERVICE
) -> None:
    """Take back what `adjust` did by this key, by an entry that names it; the customer is told. Twice is once.

    A credit goes while its lot is whole and free, a debit comes back to its lots while none of them is over.
    Raises NotFound("entry"), Refused("bonuses_used" | "bonuses_are_over" | "has_debt" | "card_was_merged").
    """
    await lock_customer(customer_id)
    operation_id = f"adjust_undone:{key}"
    if await db.fetch_value("SELECT id FROM bonus_entry WHERE operation_id = $1", operation_id) is not None:
        return
    entry = await db.fetch_row(ENTRY, f"adjust:{key}")
    if entry is None or entry["customer_id"] != customer_id:
        raise NotFound("entry")
    if entry["amount"] > 0:
        kind, taken = Kind.REVERSE_EARN, [await _whole_lot(customer_id, entry["id"], now)]
    else:
        kind, taken = Kind.RESTORE_BURN, await _given_back(customer_id, entry["id"], now)
    posting = Posting(
        customer_id,
        -entry["amount"],
        kind,
        "manual",
        operation_id,
        actor,
        now,
        (await shop()).time_zone,
        taken=taken,
        corrects_id=entry["id"],
    )
    undone_id, balance = await post(posting)
    await write_journal(
        actor,
        "bonuses.undone",
        subject_kind="customer",
        subject_id=customer_id,
        now=now,
        amount=posting.amount,
        entry=undone_id,
    )
    await tell_adjustment(customer_id, posting.amount, balance, operation_id, now=now, priority=priority)


async def _whole_lot(customer_id: int, entry_id: int, now: datetime) -> Taken:
    lot = await db.fetch_row(LOT, entry_id)
    assert lot is not None, "a credit has a lot"
    left = next((one for one in await open_lots(customer_id, now=now) if one.id == lot["id"]), None)
    # What repaid a debt, or is set aside for a sale, is used.
    if left is None or left.free != lot["amount"]:
        raise Refused("bonuses_used")
    return Taken(lot["id"], lot["amount"])


async def _given_back(customer_id: int, entry_id: int, now: datetime) -> list[Taken]:
    if await debt_of(customer_id):
        raise Refused("has_debt")
    rows = await db.fetch(TAKEN, entry_id, now)
    if any(row["is_over"] for row in rows):
        raise Refused("bonuses_are_over")
    return [Taken(row["lot_id"], -row["amount"]) for row in rows]
