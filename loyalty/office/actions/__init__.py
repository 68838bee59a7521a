"""Looking at the books, and keeping what was found."""

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

from loyalty import db
from loyalty.office.queries.proofs import last_proof_at
from loyalty.office.queries.verify import Proof, verify
from loyalty.shop.queries import shop

NIGHT_HOUR = 3
"""From this hour of the shop's clock on, the day's proof is due."""
KEPT = 100
"""So many differences are kept one by one; beyond them their number."""
KEPT_FOR = timedelta(days=400)

KEEP = """
    INSERT INTO proof (at, seconds, customers, entries, lots, receipts, differences, unshown)
    VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8)
"""


async def prove(*, now: datetime) -> Proof:
    """Prove the books and keep the outcome for the panel. Reads everything: minutes on a large base."""
    begun = perf_counter()
    proof = await verify(now=now)
    # The look itself is read only and takes long; only what it found is written.
    await _keep(proof, seconds=round(perf_counter() - begun), now=now)
    return proof


async def prove_nightly(*, now: datetime) -> int:
    """Prove the books once a night, by the shop's clock; a night that was slept through is made up for.

    Returns 1 when it was due. Safe to run twice.
    """
    seen = await last_proof_at()
    if seen is not None and seen >= last_night(now, (await shop()).time_zone):
        return 0
    await prove(now=now)
    return 1


def last_night(now: datetime, zone: str) -> datetime:
    """When the last proof up to `now` was due."""
    local = now.astimezone(ZoneInfo(zone))
    due = local.replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    return due if due <= local else due - timedelta(days=1)


@db.use_case
async def _keep(proof: Proof, *, seconds: int, now: datetime) -> None:
    kept = replace(
        proof,
        differences=proof.differences[:KEPT],
        unshown=proof.unshown + max(0, len(proof.differences) - KEPT),
    )
    await db.execute(
        KEEP,
        now,
        seconds,
        kept.customers,
        kept.entries,
        kept.lots,
        kept.receipts,
        db.to_json([asdict(difference) for difference in kept.differences]),
        kept.unshown,
    )
    await db.execute("DELETE FROM proof WHERE at < $1", now - KEPT_FOR)
