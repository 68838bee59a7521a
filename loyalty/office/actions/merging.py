"""Two cards of one person become one; and become two again while nothing stands on it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from loyalty import db
from loyalty.bonuses.actions import moving as bonuses
from loyalty.bonuses.actions import moving_gifts as gifts
from loyalty.bonuses.actions.moving_tiers import join_tiers, part_tiers
from loyalty.bonuses.actions.once_only import person_hash
from loyalty.bonuses.queries import gifts_twice
from loyalty.bookings.actions import moving as bookings
from loyalty.bookings.actions.counting import recount_bookings
from loyalty.campaigns.actions import moving as campaigns
from loyalty.clock import business_date
from loyalty.conversations.actions import moving as conversations
from loyalty.customers.actions import moving as customers
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.office.queries.merges import UNDONE_WITHIN_DAYS
from loyalty.receipts.actions import moving as receipts
from loyalty.segments.actions import moving as segments
from loyalty.shop.queries import programme_at, shop
from loyalty.shop.rules import Programme
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor
from loyalty.surveys.actions import moving as surveys
from loyalty.tasks.actions import moving as tasks
from loyalty.webhooks.actions.deliveries import tell
from loyalty.webhooks.rules import EventType

UNDONE_WITHIN = timedelta(days=UNDONE_WITHIN_DAYS)

STATES = "SELECT id, phone, merged_into_id, deleted_at, erased_at FROM customer WHERE id = ANY($1::bigint[])"
OPEN = """
INSERT INTO merge (survivor_id, merged_id, moved, staff_id, at) VALUES ($1, $2, '{}', $3, $4) RETURNING id
"""
KEEP = "UPDATE merge SET moved = $2::jsonb WHERE id = $1"
MERGE = "SELECT id, survivor_id, merged_id, moved, at, undone_at FROM merge WHERE id = $1"
# Index: merge_live.
LIVE = "SELECT id FROM merge WHERE merged_id = $1 AND survivor_id = $2 AND undone_at IS NULL"


@dataclass(frozen=True, slots=True)
class _Way:
    """One merge, forth or back, with what every step of it goes by."""

    merging: bonuses.Merging
    programme: Programme

    @property
    def ids(self) -> tuple[int, int]:
        return self.merging.merged_id, self.merging.survivor_id


@db.use_case
async def merge_cards(merged_id: int, survivor_id: int, *, actor: Actor, now: datetime) -> int:
    """Make one card the way to another, of the same person; returns the merge. Twice is once.

    What stood on the one stands on the survivor: purchases, bookings, chats, messages, notes, answers, labels, what is
    left of its bonuses. Its ledger stays, and is read with the survivor's. A gift that a person gets once and both had
    is taken back. `undo_merge` makes them two again.
    Raises NotFound("customer"), Invalid("survivor", "same_card"), Refused("card_was_merged" | "card_is_deleted" |
    "cards_have_holds" | "own_account").
    """
    if merged_id == survivor_id:
        raise Invalid("survivor", "same_card")
    await customers.hold_cards([merged_id, survivor_id])
    done = await db.fetch_value(LIVE, merged_id, survivor_id)
    if done is not None:
        return int(done)
    await _check_cards(merged_id, survivor_id, actor)
    merge_id: int = await db.fetch_value(OPEN, survivor_id, merged_id, actor.staff_id, now)
    way = await _way(f"merge:{merge_id}", merged_id, survivor_id, actor, now)
    await db.execute(KEEP, merge_id, db.to_json(await _move(way, merge_id)))
    await _note(way, merge_id, "customer.merged")
    return merge_id


@db.use_case
async def undo_merge(merge_id: int, *, actor: Actor, now: datetime) -> int:
    """Make two cards of one again; returns the one that is its own again. Twice is once.

    What came since stays with the survivor. Raises NotFound("merge"), Refused("merge_too_old" | "survivor_was_merged" |
    "card_was_erased" | "cards_have_holds" | "moved_receipt_was_refunded"), Refused("moved_bonuses_spent", amount=...).
    """
    row = await db.fetch_row(MERGE, merge_id)
    if row is None:
        raise NotFound("merge")
    merged_id, survivor_id = row["merged_id"], row["survivor_id"]
    await customers.hold_cards([merged_id, survivor_id])
    # Read after the locks: somebody may have been quicker.
    row = await db.fetch_row(MERGE, merge_id)
    assert row is not None
    if row["undone_at"] is not None:
        return int(merged_id)
    await _check_undo(row, now)
    way = await _way(f"unmerge:{merge_id}", merged_id, survivor_id, actor, now)
    await _move_back(way, db.from_json(row["moved"]))
    await db.execute("UPDATE merge SET undone_at = $2, undone_by_id = $3 WHERE id = $1", merge_id, now, actor.staff_id)
    await _note(way, merge_id, "customer.unmerged")
    return int(merged_id)


async def _check_cards(merged_id: int, survivor_id: int, actor: Actor) -> None:
    for row in await db.fetch(STATES, [merged_id, survivor_id]):
        if row["erased_at"] is not None:
            raise NotFound("customer")
        if row["merged_into_id"] is not None:
            raise Refused("card_was_merged", customer_id=row["merged_into_id"])
        if row["id"] == survivor_id and row["deleted_at"] is not None:
            raise Refused("card_is_deleted")
        if actor.phone is not None and row["phone"] == actor.phone:
            raise Refused("own_account")


async def _check_undo(row: db.Row, now: datetime) -> None:
    if now - row["at"] > UNDONE_WITHIN:
        raise Refused("merge_too_old", days=UNDONE_WITHIN.days)
    for card in await db.fetch(STATES, [row["merged_id"], row["survivor_id"]]):
        if card["erased_at"] is not None:
            raise Refused("card_was_erased")
        if card["id"] == row["survivor_id"] and card["merged_into_id"] is not None:
            raise Refused("survivor_was_merged")


async def _way(name: str, merged_id: int, survivor_id: int, actor: Actor, now: datetime) -> _Way:
    zone = (await shop()).time_zone
    return _Way(bonuses.Merging(merged_id, survivor_id, name, actor, now, zone), await programme_at(now))


async def _move(way: _Way, merge_id: int) -> dict[str, Any]:
    """Room after room; what each of them must know to take it back."""
    merging, ids, now = way.merging, way.ids, way.merging.now
    # Who they were and what they had, before either changes.
    persons = [await person_hash(one) for one in ids]
    twice = await gifts_twice(*ids, business_date(now, merging.zone).year)
    moved: dict[str, Any] = {
        "receipts": await receipts.move(*ids),
        "bookings": await bookings.move(*ids),
        "conversations": await conversations.move(*ids, now=now),
        "customers": await customers.move(*ids, now=now),
        "segments": await segments.move(*ids),
        "tasks": await tasks.move(*ids),
        "surveys": await surveys.move(*ids),
        "campaigns": await campaigns.move(*ids, now=now),
        "bonuses": await bonuses.move(merging),
    }
    # Gifts look for their lots by what has just been written down.
    await db.execute(KEEP, merge_id, db.to_json(moved))
    moved["referrals"] = await gifts.move_referrals(merging, way.programme)
    left = [gift for gift in twice if gift[0] not in moved["referrals"]["own_gifts"]]
    moved["gifts"] = await gifts.take_back_twice(merging, left, way.programme)
    moved["tombstones"] = await gifts.remember_both(persons, merging.survivor_id)
    moved["tiers"] = await join_tiers(merging, way.programme)
    await _recount(way)
    return moved


async def _move_back(way: _Way, moved: dict[str, Any]) -> None:
    merging, ids, now = way.merging, way.ids, way.merging.now
    await receipts.move_back(*ids, moved["receipts"])
    await bookings.move_back(*ids, moved["bookings"])
    again = await gifts.give_again(merging, moved["gifts"], way.programme)
    again += await gifts.move_referrals_back(merging, moved["referrals"], way.programme)
    taken = [gift["entry"] for gift in (*moved["gifts"], *moved["referrals"]["gifts"])]
    await bonuses.move_back(merging, moved["bonuses"], [*again, *taken])
    await gifts.forget_copies(moved["tombstones"])
    await customers.move_back(*ids, moved["customers"], now=now)
    await conversations.move_back(*ids, moved["conversations"], now=now)
    await segments.move_back(*ids, moved["segments"])
    # Merges of before there were tasks moved none.
    await tasks.move_back(*ids, moved.get("tasks", {}))
    # Merges of before there were surveys moved none.
    await surveys.move_back(*ids, moved.get("surveys", {}))
    # Merges of before there were automations moved nobody's way.
    await campaigns.move_back(*ids, moved.get("campaigns", {}))
    await part_tiers(merging, moved["tiers"], way.programme)
    await _recount(way)


async def _recount(way: _Way) -> None:
    """What the facts say of both is counted again from what they are made of."""
    await bonuses.recount_movements(way.ids)
    await receipts.recount_purchases(way.ids)
    await recount_bookings(*way.ids, now=way.merging.now)


async def _note(way: _Way, merge_id: int, action: str) -> None:
    merged, survivor = way.ids
    actor, now = way.merging.actor, way.merging.now
    for one, other in ((survivor, merged), (merged, survivor)):
        await write_journal(
            actor, action, subject_kind="customer", subject_id=one, now=now, merge=merge_id, other=other
        )
        await tell(EventType.CUSTOMER_UPDATED, {"customer_id": one, "fields": ["merged_into_id"]}, now=now)
