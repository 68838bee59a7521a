"""Acts on many customers at size: `python -m tests.bench.mass [customers]`, a hundred thousand by default.

From the press of the button to the end of the last chunk, by one worker: freezing who is meant, doing it, undoing it.
The base is the fast seed's.
"""

import asyncio
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from loyalty import db
from loyalty.customers.actions.categories import add_category
from loyalty.customers.actions.importance import add_class
from loyalty.customers.labels import CategoryDraft
from loyalty.office.actions.mass import begin, undo
from loyalty.office.actions.mass_work import work_due
from loyalty.office.mass import MassKind, Order
from loyalty.segments.actions.segments import add_segment
from loyalty.segments.queries.base import Look, base_ids
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.staff.rules import COMMAND
from regulars.embedded import EmbeddedServers
from regulars.seed.fast import seed_fast

NOW = datetime.now(UTC)


async def timed(words: str, order: Order, whom: Look | list[int]) -> None:
    """One act and its undo, in seconds."""
    began = perf_counter()
    action_id = await begin(order, whom, key=words, actor=COMMAND, now=NOW)
    frozen = perf_counter()
    await work_due(now=NOW, seconds=3600)
    done = perf_counter()
    undo_id = await undo(action_id, actor=COMMAND, now=NOW)
    await work_due(now=NOW, seconds=3600)
    undone = perf_counter()
    counts = [await db.fetch_value("SELECT done FROM mass_action WHERE id = $1", each) for each in (action_id, undo_id)]
    seconds = (frozen - began, done - frozen, undone - done)
    print(f"{words:<12} {counts[0]:>9,} {counts[1]:>9,}", *(f"{one:9.1f}" for one in seconds), flush=True)


async def measure(url: str, customers: int) -> None:
    await db.open_database(f"{url}?command_timeout=900")
    await db.migrate()
    await seed_fast(customers, now=NOW, report=lambda _: None)
    category_id = await add_category(CategoryDraft("Many", "blue"), actor=COMMAND, now=NOW)
    segment_id = await add_segment(SegmentDraft("Many", "", False), actor=COMMAND, now=NOW)
    class_id = await add_class("Dear", actor=COMMAND, now=NOW)
    some = await base_ids(Look(), now=NOW, limit=1_000)
    print(f"{'':<12} {'done':>9} {'undone':>9} {'freeze':>9} {'do':>9} {'undo':>9}  seconds")
    await timed("category", Order(MassKind.CATEGORY_GIVE, category_id), Look())
    await timed("segment", Order(MassKind.SEGMENT_ADD, segment_id), Look())
    await timed("importance", Order(MassKind.IMPORTANCE, class_id), Look())
    await timed("delete", Order(MassKind.DELETE), Look())
    await timed("bonuses", Order(MassKind.BONUSES, amount=10_00, comment="Thanks"), some)
    await db.close_database()


def main() -> None:
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as home:
        Path(home).chmod(0o711)
        servers = EmbeddedServers(Path(home) / "servers")
        addresses = servers.start()
        try:
            asyncio.run(measure(addresses.database_url, customers))
        finally:
            servers.stop()


if __name__ == "__main__":
    main()
