"""Looking through a large base for cards that may be one person's, and keeping what was found."""

from datetime import datetime

from loyalty import db
from loyalty.office.actions import last_night
from loyalty.office.queries.duplicates import DUPLICATES, KEPT, is_large, last_look_at
from loyalty.shop.queries import shop

PATIENCE_SECONDS = 600

KEEP = """
WITH before AS (DELETE FROM duplicate_look)
INSERT INTO duplicate_look (at, pairs) VALUES ($1, $2::jsonb)
"""


async def look_for_duplicates_nightly(*, now: datetime) -> int:
    """Look through a large base once a night, by the shop's clock; a night that was slept through is made up for.

    A small one is looked through whenever somebody asks. Returns how many pairs were found. Safe to run twice.
    """
    if not await is_large():
        return 0
    seen = await last_look_at()
    if seen is not None and seen >= last_night(now, (await shop()).time_zone):
        return 0
    async with db.transaction():
        await db.execute(f"SET LOCAL statement_timeout = '{PATIENCE_SECONDS}s'")
        rows = await db.fetch_patiently(PATIENCE_SECONDS, DUPLICATES, KEPT, None)
        pairs = [{"by": row["by"], "one": row["one"], "other": row["other"]} for row in rows]
        await db.execute(KEEP, now, db.to_json(pairs))
    return len(pairs)
