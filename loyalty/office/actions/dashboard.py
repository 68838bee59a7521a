"""Counting the owner's figures and keeping them: at once where that is quick, behind the page where it is not."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from time import perf_counter
from zlib import crc32

from loyalty import db
from loyalty.office.dashboard import KEPT_FOR, Look
from loyalty.office.queries.dashboard import NEVER, Kept, body_of, count, due_looks, is_small, kept
from loyalty.shop.queries import shop

LOCK_SPACE = 0x4C4F_4F4B  # "LOOK"
ASKED_EVERY = timedelta(seconds=30)
"""That somebody still looks is written down so often."""
A_TIME = 5
"""So many looks are counted in one go of the duty."""

# Whoever was later has the newer figures. What was asked for meanwhile stays so.
KEEP = """
INSERT INTO dashboard_look AS known (key, figures, counted_at, milliseconds) VALUES ($1, $2::jsonb, $3, $4)
ON CONFLICT (key) DO UPDATE SET figures = EXCLUDED.figures
        || jsonb_build_object('asked_at', greatest(known.figures->>'asked_at', EXCLUDED.figures->>'asked_at')),
    counted_at = EXCLUDED.counted_at, milliseconds = EXCLUDED.milliseconds
WHERE known.counted_at <= EXCLUDED.counted_at
"""
ASK = """
INSERT INTO dashboard_look AS known (key, figures, counted_at, milliseconds) VALUES ($1, $2::jsonb, $3, 0)
ON CONFLICT (key) DO UPDATE SET figures = known.figures || jsonb_build_object('asked_at', EXCLUDED.figures->>'asked_at')
"""
FORGET = "DELETE FROM dashboard_look WHERE counted_at < $1 AND (figures->>'asked_at')::timestamptz < $1"


async def look_at(looks: Collection[Look], *, now: datetime, zone: str) -> dict[Look, Kept]:
    """What is known of these looks, each of them in it.

    What is out of date is counted at once where that takes a moment: in a small base, or by what it took last. Else
    what is kept is answered, without figures when there are none yet, and the duty counts it. Safe to call at once many
    times.
    """
    known = await kept(looks, now=now, zone=zone)
    is_first = any(look not in known or not known[look].was_counted for look in looks)
    is_base_small = is_first and await is_small()
    for look in looks:
        found = known.get(look)
        if found is not None and not found.is_old(now):
            continue
        if found.is_quick if found is not None and found.was_counted else is_base_small:
            known[look] = await count_look(look, now=now, zone=zone)
        else:
            known[look] = await _ask(look, found, now=now, zone=zone)
    return known


async def count_look(look: Look, *, now: datetime, zone: str) -> Kept:
    """Count a look and keep it. Raises Invalid or ValueError for a period that is none."""
    begun = perf_counter()
    figures = await count(look, now=now, zone=zone)
    milliseconds = round((perf_counter() - begun) * 1000)
    body = body_of(look, figures, now, now=now, zone=zone)
    await db.execute(KEEP, look.key, db.to_json(body), now, milliseconds)
    return Kept(figures, now, now, milliseconds)


async def count_due(*, now: datetime) -> int:
    """Count the looks that are due, A_TIME at most, and forget those that nobody has looked at for long.

    Each is counted by one process at a time. Returns how many were. Safe to run twice.
    """
    zone, begun, counted = (await shop()).time_zone, perf_counter(), 0
    await db.execute(FORGET, now - KEPT_FOR)
    for look in (await due_looks(now=now, zone=zone))[:A_TIME]:
        # Those before it took their time, and figures are exact as of theirs.
        moment = now + timedelta(seconds=perf_counter() - begun)
        async with db.alone(LOCK_SPACE, crc32(look.key.encode()) - 2**31) as is_ours:
            # Whoever held the lock before may have counted it meanwhile.
            if is_ours and look in await due_looks(now=moment, zone=zone):
                await _count_behind(look, now=moment, zone=zone)
                counted += 1
    return counted


async def _count_behind(look: Look, *, now: datetime, zone: str) -> None:
    """Count a look that nobody waits for: that somebody looked at it stays as long ago as it was."""
    begun = perf_counter()
    figures = await count(look, now=now, zone=zone)
    body = body_of(look, figures, NEVER, now=now, zone=zone)
    await db.execute(KEEP, look.key, db.to_json(body), now, round((perf_counter() - begun) * 1000))


async def _ask(look: Look, found: Kept | None, *, now: datetime, zone: str) -> Kept:
    """Write down that somebody waits for a look, unless that was just done."""
    if found is not None and now - found.asked_at < ASKED_EVERY:
        return found
    await db.execute(ASK, look.key, db.to_json(body_of(look, None, now, now=now, zone=zone)), NEVER)
    return Kept(None, NEVER, now, 0) if found is None else replace(found, asked_at=now)
