"""Tiers when two cards of a person become one: the better one, by the window that both fill."""

from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.bonuses.actions.moving import Merging
from loyalty.bonuses.actions.tiers import MOVE
from loyalty.bonuses.queries import tier_parts
from loyalty.bonuses.rules import progress_at
from loyalty.shop.rules import Programme

STANDING = "SELECT customer_id, tier_id, tier_until FROM customer_facts WHERE customer_id = ANY($1::bigint[])"


async def join_tiers(merging: Merging, programme: Programme) -> dict[str, Any]:
    """Give the survivor the best of both tiers and of what the joined purchases reach; a tier by hand goes before.

    After the receipts have moved. What it was before, for both.
    """
    merged, survivor, now = merging.merged_id, merging.survivor_id, merging.now
    rows = {row["customer_id"]: row for row in await db.fetch(STANDING, [merged, survivor])}
    by_hand = [row for row in rows.values() if row["tier_until"] is not None and row["tier_until"] > now]
    if by_hand:
        best = max(by_hand, key=lambda row: programme.tier(row["tier_id"]).threshold)
        tier_id, until = best["tier_id"], best["tier_until"]
    else:
        parts = await tier_parts(survivor, programme, now=now)
        reached = [programme.tier_for(max(0, progress_at(parts, now)))]
        reached += [programme.tier(row["tier_id"]) for row in (rows[survivor], rows[merged])]
        tier_id, until = max(reached, key=lambda tier: tier.threshold).id, None
    await _put(merging, "merge", rows[survivor], tier_id, until)
    await _put(merging, "merge", rows[merged], 0, None)
    return {
        "after": _kept(tier_id, until),
        "survivor": _kept(rows[survivor]["tier_id"], rows[survivor]["tier_until"]),
        "merged": _kept(rows[merged]["tier_id"], rows[merged]["tier_until"]),
    }


async def part_tiers(merging: Merging, remembered: dict[str, Any], programme: Programme) -> None:
    """Take `join_tiers` back, after the receipts went back. A tier that has changed since stays the survivor's."""
    merged, survivor, now = merging.merged_id, merging.survivor_id, merging.now
    rows = {row["customer_id"]: row for row in await db.fetch(STANDING, [merged, survivor])}
    held = rows[survivor]
    if _kept(held["tier_id"], held["tier_until"]) == remembered["after"]:
        tier_id, until = _read(remembered["survivor"])
        if until is None:
            parts = await tier_parts(survivor, programme, now=now)
            reached = programme.tier_for(max(0, progress_at(parts, now)))
            tier_id = max((programme.tier(tier_id), reached), key=lambda tier: tier.threshold).id
        await _put(merging, "unmerge", held, tier_id, until)
    tier_id, until = _read(remembered["merged"])
    await _put(merging, "unmerge", rows[merged], tier_id, until)


async def _put(merging: Merging, reason: str, before: db.Row, tier_id: int, until: datetime | None) -> None:
    """Put a customer on a tier; the next sweep finds out how long it lasts."""
    due = until or (merging.now if tier_id else None)
    staff, now = merging.actor.staff_id, merging.now
    await db.execute(MOVE, before["customer_id"], tier_id, until, due, before["tier_id"], staff, reason, now)


def _kept(tier_id: int, until: datetime | None) -> list[Any]:
    return [tier_id, until.isoformat() if until else None]


def _read(kept: list[Any]) -> tuple[int, datetime | None]:
    return kept[0], datetime.fromisoformat(kept[1]) if kept[1] else None
