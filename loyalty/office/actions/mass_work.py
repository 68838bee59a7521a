"""Doing acts on many customers: some of them in a transaction, and where it stands in the same one.

Whoever works on an act holds its lock until the transaction ends; whoever pauses, cancels or undoes it waits for that.
A worker that dies has done nothing of its last few customers: the next one takes them.
"""

import time
from collections.abc import Sequence
from datetime import datetime

from loyalty import db
from loyalty.customers.actions.profile import lock_customers
from loyalty.errors import LoyaltyError
from loyalty.office.actions.mass_deeds import DEEDS
from loyalty.office.mass import Former, MassKind, MassState, Order, Outcome, RowState, Task, failed, skipped
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor, ActorKind

WORK_SECONDS = 4.0
"""So long a worker goes on at a time; those who end a process wait for it."""
LOCK_SPACE = 0x4D41_5353  # "MASS"
TRY_LOCK = "SELECT pg_try_advisory_xact_lock($1::int, $2::int)"
LOCK = "SELECT pg_advisory_xact_lock($1::int, $2::int)"
# Index: mass_action_running.
RUNNING = "SELECT id FROM mass_action WHERE state = 'running' ORDER BY id"
TASK = """
SELECT a.id, a.kind, a.params, a.staff_id, p.phone, a.undo_of_id, a.place FROM mass_action a
    LEFT JOIN staff_member p ON p.id = a.staff_id WHERE a.id = $1 AND a.state = 'running'
"""
# By the primary key.
NEXT = """
SELECT customer_id FROM mass_action_row WHERE action_id = $1 AND customer_id > $2 ORDER BY customer_id LIMIT $3
"""
HIDDEN = "SELECT customer_id FROM customer_facts WHERE customer_id = ANY($1::bigint[]) AND is_hidden"
FORMER = """
SELECT customer_id, before, by_rule, at FROM mass_action_row
WHERE action_id = $1 AND customer_id = ANY($2::bigint[]) AND state = 'done' ORDER BY customer_id
"""
MARK = """
UPDATE mass_action_row r SET state = part.state, reason = part.reason, before = part.before, by_rule = part.by_rule,
    at = $7::timestamptz
FROM unnest($2::bigint[], $3::text[], $4::text[], $5::int[], $6::int[]) part (id, state, reason, before, by_rule)
WHERE r.action_id = $1 AND r.customer_id = part.id
"""
COUNT = """
UPDATE mass_action SET place = $2, done = done + $3, skipped = skipped + $4, failed = failed + $5 WHERE id = $1
"""
FINISH = """
UPDATE mass_action SET state = 'done', finished_at = $2 WHERE id = $1 AND state = 'running'
RETURNING done, skipped, failed
"""
UNDONE = "UPDATE mass_action SET state = 'undone' WHERE id = $1 AND state = 'undoing'"


async def work_due(*, now: datetime, seconds: float = WORK_SECONDS) -> int:
    """Go on with every act that runs, by turns, for some seconds; returns how many customers were gone through."""
    until, worked = time.monotonic() + seconds, 0
    while running := [row["id"] for row in await db.fetch(RUNNING)]:
        step = 0
        for action_id in running:
            step += await work(action_id, now=now)
            if time.monotonic() >= until:
                return worked + step
        if not step:
            break
        worked += step
    return worked


@db.use_case
async def work(action_id: int, *, patiently: bool = False, now: datetime) -> int:
    """Do the next few customers of an act; returns how many. 0: it is over, or stands still, or is worked on elsewhere.

    patiently: wait for whoever else works on it.
    """
    if not await hold_action(action_id, patiently=patiently):
        return 0
    row = await db.fetch_row(TASK, action_id)
    if row is None:
        return 0
    task = _task(row, now)
    waiting = [one["customer_id"] for one in await db.fetch(NEXT, task.id, task.place, task.rows)]
    if waiting:
        await _keep(task, await _outcomes(task, waiting))
    if len(waiting) < task.rows:
        await _finish(task)
    return len(waiting)


async def hold_action(action_id: int, *, patiently: bool = True) -> bool:
    """Hold an act until the transaction ends: nobody works on it meanwhile. False: somebody else does."""
    held = await db.fetch_value(LOCK if patiently else TRY_LOCK, LOCK_SPACE, action_id)
    return patiently or bool(held)


async def _outcomes(task: Task, waiting: Sequence[int]) -> list[Outcome]:
    held = await lock_customers(waiting)
    if task.undo_of is not None:
        return await _some(task, held)
    # Who was deleted, merged or erased since the act began is in no base any more.
    gone = {row["customer_id"] for row in await db.fetch(HIDDEN, held)}
    left = await _some(task, [one for one in held if one not in gone])
    return [*left, *(skipped(one, "is_not_in_base") for one in gone)]


async def _some(task: Task, held: Sequence[int]) -> list[Outcome]:
    """All of them together; where that fails for a reason nobody expected, one by one, so that others go on."""
    if not held:
        return []
    try:
        async with db.transaction():
            return await _do(task, held)
    except LoyaltyError as refused:
        return [skipped(one, refused.reason) for one in held]
    except db.OUTAGES:
        raise
    except Exception:  # noqa: BLE001  whatever it was, it is told by row
        if len(held) == 1:
            return [failed(held[0])]
    return [outcome for one in held for outcome in await _some(task, [one])]


async def _do(task: Task, held: Sequence[int]) -> list[Outcome]:
    deed, undo = DEEDS[task.order.kind]
    if task.undo_of is None:
        return await deed(task, held)
    return await undo(task, [Former(**row) for row in await db.fetch(FORMER, task.undo_of, list(held))])


async def _keep(task: Task, outcomes: Sequence[Outcome]) -> None:
    """What became of each, and how far the act is, in the transaction that did it."""
    await db.execute(
        MARK,
        task.id,
        [one.customer_id for one in outcomes],
        [one.state.value for one in outcomes],
        [one.reason for one in outcomes],
        [one.before for one in outcomes],
        [one.by_rule for one in outcomes],
        task.now,
    )
    counts = [
        sum(one.state is state for one in outcomes) for state in (RowState.DONE, RowState.SKIPPED, RowState.FAILED)
    ]
    await db.execute(COUNT, task.id, max(one.customer_id for one in outcomes), *counts)


async def _finish(task: Task) -> None:
    counts = await db.fetch_row(FINISH, task.id, task.now)
    assert counts is not None, "whoever works on an act holds it"
    if task.undo_of is not None:
        await db.execute(UNDONE, task.undo_of)
    await write_journal(
        task.actor,
        "mass_action.finished",
        subject_kind="mass_action",
        subject_id=task.id,
        now=task.now,
        state=MassState.DONE.value,
        customers=counts["done"],
        skipped=counts["skipped"],
        failed=counts["failed"],
    )


def _task(row: db.Row, now: datetime) -> Task:
    params = db.from_json(row["params"])
    actor = Actor(ActorKind.STAFF, row["staff_id"], row["phone"]) if row["staff_id"] else Actor(ActorKind.COMMAND)
    return Task(row["id"], Order(MassKind(row["kind"]), **params), actor, now, row["undo_of_id"], row["place"])
