"""Bonuses go with the person when two cards of theirs become one. Entries never move: the ledger only grows.

What is left of the one card's lots goes out of it by an entry and comes to the other by another, as lots with the same
dates; debt likewise. Taking it back is two more entries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.bonuses.actions.posting import NewLot, Posting, debt_of, post, post_lots
from loyalty.bonuses.rules import Kind, LotDates, Source, Taken
from loyalty.customers.actions.handing import hand_back, hand_over
from loyalty.errors import Refused
from loyalty.staff.rules import Actor

HANDED = ("hold", "credit_request")

# Index: hold_live.
LIVE_HOLDS = """
SELECT EXISTS (SELECT FROM hold
    WHERE customer_id = ANY($1::bigint[]) AND state IN ('asked', 'held') AND expires_at > $2)
"""
# Index: bonus_lot_open.
OPEN_LOTS = """
SELECT id, remaining, activates_at, expires_at, source FROM bonus_lot
WHERE customer_id = $1 AND remaining > 0 ORDER BY id
"""
# Of each copy what is left, and what was taken of it by anything but time and the merge itself.
COPIES = """
SELECT (pair->>0)::bigint AS lot_id, l.id AS copy_id, l.remaining, coalesce((SELECT sum(a.amount)
        FROM bonus_allocation a JOIN bonus_entry e ON e.id = a.entry_id
        WHERE a.lot_id = l.id AND e.kind <> 'expire' AND NOT e.id = ANY($2::bigint[])), 0)::bigint AS spent
FROM jsonb_array_elements($1::jsonb) pair JOIN bonus_lot l ON l.id = (pair->>1)::bigint ORDER BY l.id
"""  # index: bonus_allocation_lot
# A credit that was given since is the survivor's, and so is whoever asked for it. A hold goes with its receipt.
STILL_THEIRS = {
    "credit_request": "entry_id IS NULL OR entry_id IN (SELECT id FROM bonus_entry WHERE customer_id = $2)",
    "hold": "receipt_id IS NULL OR receipt_id IN (SELECT id FROM receipt WHERE customer_id = $2)",
}
# The entries of a merged card count for the one that it is now. Indexes: customer_merged_into, bonus_entry_customer.
RECOUNT = """
UPDATE customer_facts SET earned = coalesce(moved.earned, 0), burnt = coalesce(moved.burnt, 0),
    expired = coalesce(moved.expired, 0)
FROM unnest($1::bigint[]) one (id) LEFT JOIN LATERAL (SELECT
    sum(amount) FILTER (WHERE kind IN ('earn', 'grant', 'reverse_earn') OR kind = 'adjust' AND amount > 0)::bigint
        AS earned,
    -sum(amount) FILTER (WHERE kind IN ('burn', 'restore_burn') OR kind = 'adjust' AND amount < 0)::bigint AS burnt,
    -sum(amount) FILTER (WHERE kind = 'expire')::bigint AS expired
    FROM bonus_entry WHERE customer_id IN (SELECT id FROM customer
        WHERE id = one.id AND merged_into_id IS NULL OR merged_into_id = one.id)) moved ON true
WHERE customer_facts.customer_id = one.id
"""


@dataclass(frozen=True, slots=True)
class Merging:
    """Which cards become one, by whose hand: the same for each step. name: what its operations are called by."""

    merged_id: int
    survivor_id: int
    name: str
    actor: Actor
    now: datetime
    zone: str

    def posting(self, customer_id: int, amount: int, event: str, step: str, **more: Any) -> Posting:
        """An entry of the merge."""
        key = f"{self.name}:{step}"
        return Posting(customer_id, amount, Kind.MERGE, event, key, self.actor, self.now, self.zone, **more)


async def refuse_live_holds(customer_ids: Sequence[int], *, now: datetime) -> None:
    """Raise Refused("cards_have_holds") while a sale is under way that has set bonuses of theirs aside."""
    if await db.fetch_value(LIVE_HOLDS, list(customer_ids), now):
        raise Refused("cards_have_holds")


async def move(merging: Merging) -> dict[str, Any]:
    """Bring what is left on the one card, pending lots and debt too, to the other. The caller holds both.

    Raises Refused("cards_have_holds").
    """
    merged, survivor = merging.merged_id, merging.survivor_id
    await refuse_live_holds([merged, survivor], now=merging.now)
    rows = await hand_over(HANDED, merged, survivor)
    lots = await db.fetch(OPEN_LOTS, merged)
    copies: list[int] = []
    if total := sum(lot["remaining"] for lot in lots):
        taken = [Taken(lot["id"], lot["remaining"]) for lot in lots]
        out, _ = await post(merging.posting(merged, -total, "merged_away", "out", taken=taken))
        made = [
            NewLot(lot["remaining"], LotDates(lot["activates_at"], lot["expires_at"]), Source(lot["source"]))
            for lot in lots
        ]
        _, _, copies = await post_lots(
            merging.posting(survivor, total, "merged_in", "in", more_lots=made, corrects_id=out)
        )
    debt = await debt_of(merged)
    await _pass_debt(merging, merged, survivor, debt)
    return {"rows": rows, "lots": [[lot["id"], copy] for lot, copy in zip(lots, copies, strict=True)], "debt": debt}


async def move_back(merging: Merging, remembered: dict[str, Any], own_entries: Sequence[int]) -> None:
    """Take `move` back. own_entries: what the merge itself took of the lots beside, and gave back again.

    Debt that later purchases have repaid stays repaid. Raises Refused("moved_bonuses_spent", amount=...) when moved
    bonuses were spent since, Refused("cards_have_holds").
    """
    merged, survivor = merging.merged_id, merging.survivor_id
    await refuse_live_holds([merged, survivor], now=merging.now)
    lots = await db.fetch(COPIES, db.to_json(remembered["lots"]), list(own_entries))
    if spent := sum(lot["spent"] for lot in lots):
        raise Refused("moved_bonuses_spent", amount=spent)
    left = [lot for lot in lots if lot["remaining"]]
    if total := sum(lot["remaining"] for lot in left):
        taken = [Taken(lot["copy_id"], lot["remaining"]) for lot in left]
        out, _ = await post(merging.posting(survivor, -total, "merge_undone", "back_out", taken=taken))
        # They return to the lots that they came from.
        given = [Taken(lot["lot_id"], -lot["remaining"]) for lot in left]
        await post(merging.posting(merged, total, "merge_undone", "back_in", taken=given, corrects_id=out))
    await _pass_debt(merging, survivor, merged, min(remembered["debt"], await debt_of(survivor)), "back_")
    await hand_back(remembered["rows"], survivor, merged, only=STILL_THEIRS)


async def _pass_debt(merging: Merging, from_id: int, to_id: int, debt: int, step: str = "") -> None:
    """Repay the one's debt by a lot that is spent at once, and write it against the other."""
    if not debt:
        return
    lot = NewLot(debt, LotDates(merging.now, None), Source.MERGE, repaid=debt)
    out, _ = await post(merging.posting(from_id, debt, "debt_merged", f"{step}debt_out", lot=lot, debt=-debt))
    await post(merging.posting(to_id, -debt, "debt_merged", f"{step}debt_in", debt=debt, corrects_id=out))


async def recount_movements(customer_ids: Sequence[int]) -> None:
    """Count again what these customers earned, spent and lost, on merged cards too. The caller holds them."""
    await db.execute(RECOUNT, list(customer_ids))
