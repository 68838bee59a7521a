"""Finding whom something happened to, and beginning with them: once for each person and thing.

Each automation that is on is looked at now and then, by one worker at a time, who holds its row. Who is found twice,
or by two, is begun with once: a unique key says so.
"""

from datetime import datetime, timedelta

from loyalty import db
from loyalty.campaigns.actions.automating import place_of
from loyalty.campaigns.queries.automations import COLUMNS, asking_for, draft_of
from loyalty.campaigns.triggers import trigger_of
from loyalty.customers.actions.profile import lock_customers
from loyalty.errors import Invalid

AT_ONCE = 1_000
"""So many people are begun with in one transaction; their sales wait meanwhile, for some hundredths of a second."""
AT_MOST = 20
"""Transactions of one look: the others have their turn."""

# Automations are a few dozen.
DUE = "SELECT id FROM automation WHERE is_on AND looks_at <= $1 ORDER BY looks_at, id"
TAKE = f"""
SELECT {COLUMNS} FROM automation a WHERE a.id = $1 AND a.is_on AND a.looks_at <= $2 FOR NO KEY UPDATE SKIP LOCKED
"""
# Indexes: the trigger's own; the unique key of automation_run.
FIND = """
SELECT DISTINCT found.customer_id, found.key
FROM ({found}) found JOIN customer_facts f ON f.customer_id = found.customer_id
WHERE NOT f.is_hidden AND ({conditions}) AND NOT EXISTS (SELECT FROM automation_run run
    WHERE run.automation_id = {automation} AND run.customer_id = found.customer_id AND run.key = found.key)
ORDER BY 1, 2 LIMIT {limit}
"""
# Behind the locks: who left the base meanwhile is not begun with.
BEGIN = """
INSERT INTO automation_run (automation_id, customer_id, key, state, step, due_at, tries, outcomes, started_at)
SELECT $1, part.customer_id, part.key, 'waiting', 0, $4::timestamptz, 0, '[]', $4
FROM unnest($2::bigint[], $3::text[]) part (customer_id, key)
    JOIN customer_facts f ON f.customer_id = part.customer_id AND NOT f.is_hidden
ORDER BY part.customer_id ON CONFLICT (automation_id, customer_id, key) DO NOTHING RETURNING id
"""
PLACE = "UPDATE automation SET place = $2, looks_at = $3 WHERE id = $1"


async def begin_due(*, now: datetime) -> int:
    """Begin with everybody whom a trigger finds by now; returns with how many. Safe to run twice, or by two at once.

    What happened more than three days ago, or before an automation was switched on, is let be.
    """
    begun = 0
    for row in await db.fetch(DUE, now):
        for _turn in range(AT_MOST):
            some, is_more = await begin_some(row["id"], now=now)
            begun += some
            if not is_more:
                break
    return begun


@db.use_case
async def begin_some(automation_id: int, *, now: datetime, limit: int = AT_ONCE) -> tuple[int, bool]:
    """One transaction of `begin_due`: with how many people it began, and whether there may be more."""
    row = await db.fetch_row(TAKE, automation_id, now)
    if row is None:
        return 0, False
    draft, trigger = draft_of(row), trigger_of(row["trigger"])
    upto, next_look = await place_of(trigger), now + timedelta(seconds=trigger.every_seconds)
    try:
        asking, conditions = await asking_for(draft, since=row["since"], now=now, place=row["place"], upto=upto)
    except Invalid:
        # Its conditions ask for what is not there any more: nobody fits until somebody has changed them.
        await db.execute(PLACE, automation_id, row["place"], next_look)
        return 0, False
    sql = FIND.format(
        found=trigger.found(asking),
        conditions=conditions,
        automation=asking.add(automation_id, "int"),
        limit=asking.add(limit, "int"),
    )
    found = await db.fetch_planned(sql, *asking.context.params)
    begun: list[db.Row] = []
    if found:
        await lock_customers(sorted({one["customer_id"] for one in found}))
        ids, keys = [one["customer_id"] for one in found], [one["key"] for one in found]
        begun = await db.fetch(BEGIN, automation_id, ids, keys, now)
    is_more = len(found) == limit and bool(begun)
    # Where more are to come the same rows are looked at again.
    place, look = (row["place"], now) if is_more else (upto, next_look)
    await db.execute(PLACE, automation_id, place, look)
    return len(begun), is_more
