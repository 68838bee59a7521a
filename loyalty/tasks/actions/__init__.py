"""Making tasks, changing them, closing them and opening them again. Each use case leaves a line in the journal."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.customers.actions.moving import hold_cards
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor
from loyalty.tasks.rules import TaskDraft, TaskOrigin, TaskState, check_key, checked

SEEN = "SELECT id FROM task WHERE key = $1"
ADD = """
INSERT INTO task (key, title, details, customer_id, assignee_id, due_at, remind_at, state, origin, created_by_id,
    created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', $8, $9, $10, $10) ON CONFLICT (key) DO NOTHING RETURNING id
"""


@db.use_case
async def add_task(draft: TaskDraft, *, key: str, origin: TaskOrigin, actor: Actor, now: datetime) -> int:
    """Make a task; returns its id. The same key makes it once: whatever came with it then, it is the first one's id.

    A merged card stands for the one that it became. An assignee whose account is shut: people choose somebody else, and
    what a machine makes is nobody's, so that it is not lost because somebody left.
    Raises Invalid("key" | "title" | "details" | "due_at" | "remind_at" | "assignee"), NotFound("customer").
    """
    check_key(key)
    known: int | None = await db.fetch_value(SEEN, key)
    if known is not None:
        return known
    draft = checked(draft, now)
    if draft.customer_id is not None:
        draft = replace(draft, customer_id=await _hold_customer(draft.customer_id))
    if draft.assignee_id is not None and not await _works_here(draft.assignee_id):
        if not origin.is_machines:
            raise Invalid("assignee", "unknown_choice")
        draft = replace(draft, assignee_id=None)
    task_id: int | None = await db.fetch_value(ADD, key, *_columns(draft), origin.value, actor.staff_id, now)
    if task_id is None:
        # Somebody was faster with the same key.
        first: int = await db.fetch_value(SEEN, key)
        return first
    about: dict[str, Any] = {"origin": origin.value, "assignee": draft.assignee_id}
    await _note("task.added", task_id, draft.customer_id, actor=actor, now=now, **about)
    return task_id


# A new time, or a new assignee, is reminded of anew.
CHANGE = """
UPDATE task SET title = $2, details = $3, customer_id = $4, assignee_id = $5, due_at = $6, remind_at = $7,
    reminded_at = CASE WHEN assignee_id IS NOT DISTINCT FROM $5 AND remind_at IS NOT DISTINCT FROM $7
        THEN reminded_at END,
    updated_at = $8
WHERE id = $1
"""


@db.use_case
async def change_task(task_id: int, draft: TaskDraft, *, actor: Actor, now: datetime) -> None:
    """Make an open task say what the draft says; the same again is nothing.

    Raises Invalid like `add_task`, NotFound("task" | "customer"), Refused("task_is_over").
    """
    draft = checked(draft, now)
    draft = replace(draft, customer_id=await _hold_task_customers(task_id, draft.customer_id))
    # Who is chosen is held before the task, as whoever shuts their account does.
    works_here = draft.assignee_id is None or await _works_here(draft.assignee_id)
    before = await _hold_task(task_id)
    if before["state"] != TaskState.OPEN:
        raise Refused("task_is_over")
    changed = sorted(name for name, value in asdict(draft).items() if before[name] != value)
    if not changed:
        return
    if not works_here and "assignee_id" in changed:
        raise Invalid("assignee", "unknown_choice")
    await db.execute(CHANGE, task_id, *_columns(draft), now)
    about: dict[str, Any] = {"fields": changed}
    if "assignee_id" in changed:
        about["assignee"] = draft.assignee_id
    await _note("task.changed", task_id, draft.customer_id, actor=actor, now=now, **about)


@db.use_case
async def finish_task(task_id: int, *, actor: Actor, now: datetime) -> bool:
    """A task is done; whether it was open until now. Twice is once, and the first one's.

    Raises NotFound("task"), Refused("task_is_over") for a cancelled one.
    """
    return await _close(task_id, TaskState.DONE, "task.done", actor, now)


@db.use_case
async def cancel_task(task_id: int, *, actor: Actor, now: datetime) -> bool:
    """A task is not to be done; whether it was open until now. Twice is once.

    Raises NotFound("task"), Refused("task_is_over") for one that is done.
    """
    return await _close(task_id, TaskState.CANCELLED, "task.cancelled", actor, now)


CLOSE = """
UPDATE task SET state = $2, closed_by_id = $3, closed_at = $4, updated_at = $4 WHERE id = $1 AND state = 'open'
RETURNING customer_id
"""


async def _close(task_id: int, state: TaskState, action: str, actor: Actor, now: datetime) -> bool:
    row = await db.fetch_row(CLOSE, task_id, state.value, actor.staff_id, now)
    if row is None:
        found = await db.fetch_value("SELECT state FROM task WHERE id = $1", task_id)
        if found is None:
            raise NotFound("task")
        if found != state:
            raise Refused("task_is_over")
        return False
    await _note(action, task_id, row["customer_id"], actor=actor, now=now)
    return True


REOPEN = """
UPDATE task SET state = 'open', closed_by_id = NULL, closed_at = NULL, updated_at = $2
WHERE id = $1 AND state <> 'open' RETURNING customer_id
"""


@db.use_case
async def reopen_task(task_id: int, *, actor: Actor, now: datetime) -> None:
    """A task that was done or cancelled is to be done after all. Twice is once. Raises NotFound("task")."""
    row = await db.fetch_row(REOPEN, task_id, now)
    if row is not None:
        await _note("task.reopened", task_id, row["customer_id"], actor=actor, now=now)
    elif not await db.fetch_value("SELECT EXISTS (SELECT FROM task WHERE id = $1)", task_id):
        raise NotFound("task")


WHOSE = "SELECT coalesce(merged_into_id, id) AS id, erased_at IS NOT NULL AS is_erased FROM customer WHERE id = $1"
HELD = """
SELECT title, details, customer_id, assignee_id, due_at, remind_at, state FROM task WHERE id = $1 FOR NO KEY UPDATE
"""


async def _hold_customer(customer_id: int) -> int:
    """Lock the customer, or whoever their card has become; returns whom. Raises NotFound("customer")."""
    while True:
        await hold_cards([customer_id])
        living = await _living(customer_id)
        if living == customer_id:
            return customer_id
        customer_id = living


async def _hold_task_customers(task_id: int, wanted: int | None) -> int | None:
    """Lock the customer of a task and the one that it is to have, by rising id; returns the latter.

    Read again behind the locks, because a merge may have moved the task, or made the one card the way to another.
    """
    while True:
        known = await db.fetch_row("SELECT customer_id FROM task WHERE id = $1", task_id)
        if known is None:
            raise NotFound("task")
        target = None if wanted is None else await _living(wanted)
        held = {one for one in (known["customer_id"], target) if one is not None}
        if held:
            await hold_cards(sorted(held))
        again = await db.fetch_value("SELECT customer_id FROM task WHERE id = $1", task_id)
        if again == known["customer_id"] and (wanted is None or await _living(wanted) == target):
            return target


async def _living(customer_id: int) -> int:
    """The card itself, or the one that it became. Raises NotFound("customer"), for somebody erased, too."""
    person = await db.fetch_row(WHOSE, customer_id)
    if person is None or person["is_erased"]:
        raise NotFound("customer")
    found: int = person["id"]
    return found


async def _hold_task(task_id: int) -> db.Row:
    row = await db.fetch_row(HELD, task_id)
    if row is None:
        raise NotFound("task")
    return row


async def _works_here(staff_id: int) -> bool:
    """Whether this is an open account, which stays open until the transaction ends."""
    return bool(await db.fetch_value("SELECT is_active FROM staff_member WHERE id = $1 FOR SHARE", staff_id))


def _columns(draft: TaskDraft) -> tuple[object, ...]:
    """What a change may change, in the order of both statements."""
    return draft.title, draft.details, draft.customer_id, draft.assignee_id, draft.due_at, draft.remind_at


async def _note(
    action: str, task_id: int, customer_id: int | None, *, actor: Actor, now: datetime, **details: Any
) -> None:
    """A line about the customer, so that whoever reaches them reads it; about the task alone where there is none."""
    kind, subject = ("task", task_id) if customer_id is None else ("customer", customer_id)
    await write_journal(actor, action, subject_kind=kind, subject_id=subject, now=now, task=task_id, **details)
