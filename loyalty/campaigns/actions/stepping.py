"""Going on with whoever is on the way through an automation: one step, one transaction, its customer held.

What a step does has a key of its own, made of the run and the step: whatever dies, it is done once. A step that cannot
be done for a reason of the business is gone by, with its reason; the way goes on.
"""

import time
from datetime import datetime, timedelta

import structlog

from loyalty import db
from loyalty.bonuses.actions.crediting import Credit, credit_many
from loyalty.bonuses.rules import Source, gift_lot_dates
from loyalty.campaigns.queries.automations import draft_of
from loyalty.campaigns.queries.reach import Manner, split_of
from loyalty.campaigns.queries.values import values_of
from loyalty.campaigns.rules.automations import (
    LATE_WITHIN,
    TRIED_AGAIN_AFTER,
    TRIES,
    AutomationDraft,
    Outcome,
    RunState,
    Step,
    StepKind,
    Stop,
)
from loyalty.campaigns.rules.states import Skip
from loyalty.campaigns.rules.texts import content_for
from loyalty.campaigns.triggers import trigger_of
from loyalty.conversations.actions.bulk import BulkMessage, queue_bulk
from loyalty.customers.actions.categories import give_category, take_category
from loyalty.customers.actions.moving import hold_cards
from loyalty.errors import Invalid, LoyaltyError
from loyalty.segments.actions.segments import add_member, remove_member
from loyalty.segments.filters import checked
from loyalty.segments.queries.audience import Audience
from loyalty.segments.queries.base import which_hold
from loyalty.segments.rules.trees import tree_from
from loyalty.shop.queries import programme_at, shop
from loyalty.staff.rules import JOB
from loyalty.tasks.actions import add_task
from loyalty.tasks.rules import TaskDraft, TaskOrigin

log = structlog.get_logger()

EVENT = "automation"
AT_ONCE = 200
WORK_SECONDS = 3.0

# Index: automation_run_due.
DUE = """
SELECT id, customer_id FROM automation_run WHERE state = 'waiting' AND due_at <= $1 ORDER BY due_at, id LIMIT $2
"""
# Behind the lock of the customer: two workers may have found the same.
TAKE = """
SELECT r.id AS run_id, r.customer_id, r.step, r.due_at, r.tries, f.is_hidden, c.merged_into_id, a.name, a.trigger,
    a.params, a.conditions, a.steps, a.is_on, a.channels
FROM automation_run r JOIN automation a ON a.id = r.automation_id JOIN customer c ON c.id = r.customer_id
    JOIN customer_facts f ON f.customer_id = r.customer_id
WHERE r.id = $1 AND r.customer_id = $2 AND r.state = 'waiting' AND r.due_at <= $3 FOR NO KEY UPDATE OF r
"""
STILL = "SELECT ({still}) AND $2::timestamptz IS NOT NULL FROM automation_run r WHERE r.id = $1"
GO_ON = """
UPDATE automation_run SET step = $2, due_at = $3, state = $4, reason = $5, finished_at = $6, tries = 0,
    outcomes = outcomes || $7::jsonb
WHERE id = $1
"""
TRY_LATER = """
UPDATE automation_run SET tries = tries + 1, due_at = $2,
    state = CASE WHEN tries + 1 >= $3 THEN 'failed' ELSE state END,
    reason = CASE WHEN tries + 1 >= $3 THEN $4 ELSE reason END,
    finished_at = CASE WHEN tries + 1 >= $3 THEN $5::timestamptz ELSE finished_at END
WHERE id = $1 AND state = 'waiting'
"""
TO_WHOM = """
SELECT split.account_id, split.reason, c.name, c.language, f.balance, f.tier_id, l.name AS location
FROM ({split}) split JOIN customer c ON c.id = split.customer_id JOIN customer_facts f ON f.customer_id = c.id
    LEFT JOIN location l ON l.id = c.home_location_id
"""


async def step_due(*, now: datetime, limit: int = AT_ONCE, seconds: float = WORK_SECONDS) -> int:
    """Take the steps that are due, of `limit` people at a time; returns how many were taken.

    Two workers at once do what one does. What breaks for a reason that is no rule's is tried again later, and given up
    after some tries, so that it holds nobody else up.
    """
    until, taken = time.monotonic() + seconds, 0
    while rows := await db.fetch(DUE, now, limit):
        went_on = 0
        for row in rows:
            try:
                went_on += await take_step(row["id"], row["customer_id"], now=now)
            except OSError:
                # The base is away: that is nobody's step.
                raise
            except Exception as error:  # noqa: BLE001  one person's step must not hold up the others
                # The type alone: what it says may name somebody.
                log.error("automation_step_broke", run=row["id"], error=type(error).__name__)  # noqa: TRY400
                await _try_later(row["id"], now)
            if time.monotonic() >= until:
                return taken + went_on
        taken += went_on
        if not went_on:
            break
    return taken


@db.use_case
async def take_step(run_id: int, customer_id: int, *, now: datetime) -> bool:
    """Take the next step of one person's way, if it is due; whether it was."""
    await hold_cards([customer_id])
    row = await db.fetch_row(TAKE, run_id, customer_id, now)
    if row is None:
        return False
    draft = draft_of(row)
    if (stop := await _why_not(row, now)) is not None:
        await _end(row, RunState.STOPPED, now, stop)
        return True
    step = draft.steps[row["step"]]
    if step.kind is StepKind.CONDITION:
        if not await _meets(customer_id, step, now):
            await _end(row, RunState.STOPPED, now, Stop.CONDITION)
            return True
        reason = None
    else:
        reason = await _done(row, draft, step, now)
    await _go_on(row, draft, step, reason, now)
    return True


async def _why_not(row: db.Row, now: datetime) -> Stop | None:
    """Why a way ends here, before the step is looked at."""
    if not row["is_on"]:
        return Stop.SWITCHED_OFF
    if row["is_hidden"]:
        return Stop.MERGED if row["merged_into_id"] is not None else Stop.NOT_IN_BASE
    still = trigger_of(row["trigger"]).still().replace("{now}", "$2::timestamptz")
    return None if await db.fetch_value(STILL.format(still=still), row["run_id"], now) else Stop.NO_LONGER


async def _meets(customer_id: int, step: Step, now: datetime) -> bool:
    """Whether somebody meets a condition; one that nobody can ask any more is met by nobody."""
    try:
        tree = checked(tree_from(step.filter))
    except Invalid:
        return False
    return (await which_hold(customer_id, [tree], now=now))[0]


async def _done(row: db.Row, draft: AutomationDraft, step: Step, now: datetime) -> str | None:
    """Do a step; the reason why it was gone by, None when it was done."""
    customer_id, key = row["customer_id"], f"automation:{row['run_id']}:{row['step']}"
    try:
        match step.kind:
            case StepKind.MESSAGE:
                return await _write(row, draft, step, key, now)
            case StepKind.BONUS:
                dates = gift_lot_dates(step.days, now, (await shop()).time_zone)
                credit = Credit(customer_id, step.amount, key, dates)
                await credit_many([credit], event=EVENT, source=Source.AUTOMATION, actor=JOB, now=now)
            case StepKind.CATEGORY:
                act = give_category if step.gives else take_category
                await act(step.id, [customer_id], actor=JOB, now=now)
            case StepKind.SEGMENT:
                move = add_member if step.gives else remove_member
                await move(step.id, customer_id, actor=JOB, now=now)
            case StepKind.TASK:
                due_at = now + timedelta(days=step.days) if step.days else None
                task = TaskDraft(step.title, "", customer_id, step.assignee_id, due_at, due_at)
                await add_task(task, key=key, origin=TaskOrigin.AUTOMATION, actor=JOB, now=now)
    except LoyaltyError as error:
        return error.reason[:24]
    return None


async def _write(row: db.Row, draft: AutomationDraft, step: Step, key: str, now: datetime) -> str | None:
    """Put a message into the outbox; or why not. Whether it may go is judged once more before its call."""
    if row["due_at"] < now - LATE_WITHIN:
        return Skip.TOO_LATE.value
    manner = Manner(step.topic, needed=step.words.needed)
    channels = [one for one in row["channels"].split(",") if one]
    split = await split_of(Audience(ids=(row["customer_id"],)), manner, working=channels, now=now)
    found = await db.fetch_planned(TO_WHOM.format(split=split.sql), *split.params)
    if not found:
        return Skip.NOT_IN_BASE.value
    [person] = found
    if person["reason"] is not None:
        return str(person["reason"])
    language = (await shop()).language
    values = values_of(person, step.words, draft.bonus, await programme_at(now), language)
    content = content_for(step.words, person["language"], language, values)
    await queue_bulk([BulkMessage(person["account_id"], content, key)], topic=step.topic.value, now=now)
    return None


async def _go_on(row: db.Row, draft: AutomationDraft, step: Step, reason: str | None, now: datetime) -> None:
    outcome = Outcome.DONE if reason is None else Outcome.PASSED
    told = [
        {
            "step": row["step"],
            "kind": step.kind.value,
            "outcome": outcome.value,
            "reason": reason,
            "at": now.isoformat(),
        }
    ]
    following = row["step"] + 1
    due_at = now + timedelta(minutes=step.minutes) if step.kind is StepKind.WAIT else now
    is_over = following >= len(draft.steps)
    state = RunState.DONE if is_over else RunState.WAITING
    finished_at = now if is_over else None
    await db.execute(GO_ON, row["run_id"], following, due_at, state.value, None, finished_at, db.to_json(told))


async def _end(row: db.Row, state: RunState, now: datetime, why: Stop) -> None:
    await db.execute(GO_ON, row["run_id"], row["step"], now, state.value, why.value, now, "[]")


@db.use_case
async def _try_later(run_id: int, now: datetime) -> None:
    await db.execute(TRY_LATER, run_id, now + TRIED_AGAIN_AFTER, TRIES, Stop.UNEXPECTED.value, now)
