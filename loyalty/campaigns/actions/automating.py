"""Automations are made, changed, switched on and off, put away. Each use case leaves a line in the journal.

One that is on is not changed: whoever is on the way goes by its list. Switching it off ends everybody's way.
"""

from collections.abc import Collection
from datetime import datetime

from loyalty import db
from loyalty.campaigns.queries.automations import COLUMNS, asking_for, draft_of
from loyalty.campaigns.queries.reach import Manner, used_channels
from loyalty.campaigns.rules.automations import AutomationDraft, Step, StepKind, Stop, checked_automation
from loyalty.campaigns.rules.drafts import Acknowledgement, check_acknowledged
from loyalty.campaigns.triggers import Trigger, trigger_of
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.segments.filters import checked
from loyalty.segments.rules.trees import tree_from
from loyalty.shop.queries import shop
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

ADD = """
INSERT INTO automation (key, name, trigger, params, conditions, steps, is_on, place, channels, acknowledged_version,
    acknowledged_language, acknowledged_text, staff_id, created_at, updated_at)
VALUES ($1, $2, $3, $4::jsonb, $5, $6::jsonb, false, 0, '', 0, '', '', $7, $8::timestamptz, $8)
ON CONFLICT (key) DO NOTHING RETURNING id
"""
CHANGE = """
UPDATE automation SET name = $2, trigger = $3, params = $4::jsonb, conditions = $5, steps = $6::jsonb, updated_at = $7
WHERE id = $1
"""
HOLD = f"SELECT {COLUMNS} FROM automation a WHERE a.id = $1 FOR NO KEY UPDATE"
SWITCH_ON = """
UPDATE automation SET is_on = true, since = $2::timestamptz, looks_at = $2, place = $3, channels = $4,
    acknowledged_version = $5, acknowledged_language = $6, acknowledged_text = $7, acknowledged_by_id = $8,
    acknowledged_at = $9, updated_at = $2
WHERE id = $1
"""
SWITCH_OFF = "UPDATE automation SET is_on = false, looks_at = NULL, updated_at = $2 WHERE id = $1"
# Index: automation_run_automation.
STOP_ALL = """
UPDATE automation_run SET state = 'stopped', reason = $2, finished_at = $3
WHERE automation_id = $1 AND state = 'waiting' RETURNING id
"""
# Who was found before it began is not found again, whatever becomes of them. The base is read once.
WERE_THERE = """
INSERT INTO automation_run (automation_id, customer_id, key, state, step, due_at, tries, reason, outcomes, started_at,
    finished_at)
SELECT {automation}, found.customer_id, found.key, 'stopped', 0, {now}, 0, '{reason}', '[]', {now}, {now}
FROM ({found}) found JOIN customer_facts f ON f.customer_id = found.customer_id AND NOT f.is_hidden
ON CONFLICT (automation_id, customer_id, key) DO NOTHING
"""
USABLE = {
    StepKind.CATEGORY: "SELECT EXISTS (SELECT FROM category WHERE id = $1 AND archived_at IS NULL)",
    StepKind.SEGMENT: """
        SELECT EXISTS (SELECT FROM segment WHERE id = $1 AND archived_at IS NULL AND conditions IS NULL)""",
}
IS_SEGMENT = "SELECT EXISTS (SELECT FROM segment WHERE id = $1 AND archived_at IS NULL)"
WORKS_HERE = "SELECT EXISTS (SELECT FROM staff_member WHERE id = $1 AND is_active)"


@db.use_case
async def add_automation(draft: AutomationDraft, *, key: str, actor: Actor, now: datetime) -> int:
    """Make an automation, switched off; returns its id. The same key makes it once.

    Raises Invalid("name" | "trigger" | "filter" | "steps" | "3-…") as `checked_automation` says, and for a number of
    the trigger's that is out of range or names nothing.
    """
    known: int | None = await db.fetch_value("SELECT id FROM automation WHERE key = $1", f"form:{key}")
    if known is not None:
        return known
    columns = _columns(await _checked(draft))
    automation_id: int | None = await db.fetch_value(ADD, f"form:{key}", *columns, actor.staff_id, now)
    if automation_id is None:
        return int(await db.fetch_value("SELECT id FROM automation WHERE key = $1", f"form:{key}"))
    await _note("automation.added", automation_id, actor, now)
    return automation_id


@db.use_case
async def change_automation(automation_id: int, draft: AutomationDraft, *, actor: Actor, now: datetime) -> None:
    """Make one that is off do something else. Raises like `add_automation`, NotFound, Refused("automation_is_on")."""
    row = await _held(automation_id)
    if row["is_on"]:
        raise Refused("automation_is_on")
    await db.execute(CHANGE, automation_id, *_columns(await _checked(draft)), now)
    await _note("automation.changed", automation_id, actor, now)


@db.use_case
async def switch_on(
    automation_id: int, acknowledged: Acknowledgement | None, *, working: Collection[str], actor: Actor, now: datetime
) -> None:
    """Let it begin with whomever its trigger finds from now on. Twice is once.

    acknowledged: needed when it says anything that advertises, and kept as it stood there. working: the channels that
    are set up here: of those it writes through what the shop's order for messages to many has.
    Raises NotFound("automation"), Invalid like `add_automation` for what it names and is not there any more,
    Invalid("acknowledged"), Refused("no_channel_works" | "automation_is_archived").
    """
    row = await _held(automation_id)
    if row["is_on"]:
        return
    if row["archived_at"] is not None:
        raise Refused("automation_is_archived")
    draft = await _checked(draft_of(row))
    if draft.advertises:
        if acknowledged is None:
            raise Invalid("acknowledged", "required")
        check_acknowledged(acknowledged)
    else:
        acknowledged = None
    used = await used_channels(Manner(), working)
    if draft.writes and not used:
        raise Refused("no_channel_works")
    trigger = trigger_of(draft.trigger)
    await db.execute(
        SWITCH_ON,
        automation_id,
        now,
        await place_of(trigger),
        ",".join(used),
        acknowledged.version if acknowledged else 0,
        acknowledged.language if acknowledged else "",
        acknowledged.text if acknowledged else "",
        actor.staff_id if acknowledged else None,
        now if acknowledged else None,
    )
    if trigger.marks_at_start:
        await _mark(automation_id, draft, trigger, now)
    await _note("automation.on", automation_id, actor, now, acknowledged=acknowledged.version if acknowledged else 0)


@db.use_case
async def switch_off(automation_id: int, *, actor: Actor, now: datetime) -> int:
    """Begin with nobody any more, and end the way of whoever is on it; returns of how many. Twice is once.

    Raises NotFound("automation").
    """
    row = await _held(automation_id)
    if not row["is_on"]:
        return 0
    await db.execute(SWITCH_OFF, automation_id, now)
    stopped = len(await db.fetch(STOP_ALL, automation_id, Stop.SWITCHED_OFF.value, now))
    await _note("automation.off", automation_id, actor, now, customers=stopped)
    return stopped


@db.use_case
async def archive_automation(automation_id: int, *, actor: Actor, now: datetime) -> None:
    """Put one away, switched off. Twice is once. Raises NotFound("automation")."""
    await switch_off(automation_id, actor=actor, now=now)
    row = await _held(automation_id)
    if row["archived_at"] is None:
        await db.execute("UPDATE automation SET archived_at = $2 WHERE id = $1", automation_id, now)
        await _note("automation.archived", automation_id, actor, now)


@db.use_case
async def restore_automation(automation_id: int, *, actor: Actor, now: datetime) -> None:
    """Bring one back that was put away; it stays off. Twice is once. Raises NotFound("automation")."""
    row = await _held(automation_id)
    if row["archived_at"] is not None:
        await db.execute("UPDATE automation SET archived_at = NULL WHERE id = $1", automation_id)
        await _note("automation.restored", automation_id, actor, now)


async def place_of(trigger: Trigger) -> int:
    """The newest row of a trigger's table by now; 0 for one that goes by times."""
    if not trigger.table:
        return 0
    # The name is one of the triggers' own constants. By the primary key, backwards.
    return int(await db.fetch_value(f"SELECT coalesce(max(id), 0) FROM {trigger.table}"))


async def _mark(automation_id: int, draft: AutomationDraft, trigger: Trigger, now: datetime) -> None:
    asking, _conditions = await asking_for(draft, since=now, now=now)
    sql = WERE_THERE.format(
        automation=asking.add(automation_id, "int"),
        now=asking.add(now, "timestamptz"),
        reason=Stop.WAS_THERE.value,
        found=trigger.found(asking),
    )
    await db.execute(sql, *asking.context.params)


async def _checked(draft: AutomationDraft) -> AutomationDraft:
    """The draft as it is kept; what it names is there."""
    trigger = trigger_of(draft.trigger)
    params = trigger.checked(draft.params)
    if "segment" in params and not await db.fetch_value(IS_SEGMENT, params["segment"]):
        raise Invalid("segment", "unknown_choice")
    _check_filter(draft.conditions, "filter")
    found = checked_automation(
        AutomationDraft(draft.name, trigger.key, params, draft.conditions, draft.steps), (await shop()).language
    )
    for number, step in enumerate(found.steps, 1):
        await _check_step(step, number, params.get("segment"))
    return found


async def _check_step(step: Step, number: int, entered: int | None) -> None:
    if step.kind is StepKind.CONDITION:
        _check_filter(step.filter, f"{number}-filter")
    if step.kind in USABLE and not await db.fetch_value(USABLE[step.kind], step.id):
        raise Invalid(f"{number}-id", "unknown_choice")
    if step.kind is StepKind.SEGMENT and step.gives and step.id == entered:
        # Taken out and put in again, somebody would go round for ever.
        raise Invalid(f"{number}-id", "leads_to_its_beginning")
    if step.assignee_id is not None and not await db.fetch_value(WORKS_HERE, step.assignee_id):
        raise Invalid(f"{number}-assignee", "unknown_choice")


def _check_filter(text: str, field: str) -> None:
    try:
        checked(tree_from(text))
    except Invalid as error:
        raise Invalid(field, error.reason, **error.details) from error


def _columns(draft: AutomationDraft) -> tuple[object, ...]:
    steps = [step.to_body() for step in draft.steps]
    return draft.name, draft.trigger, db.to_json(dict(draft.params)), draft.conditions, db.to_json(steps)


async def _held(automation_id: int) -> db.Row:
    row = await db.fetch_row(HOLD, automation_id)
    if row is None:
        raise NotFound("automation")
    return row


async def _note(action: str, automation_id: int, actor: Actor, now: datetime, **details: int) -> None:
    await write_journal(actor, action, subject_kind="automation", subject_id=automation_id, now=now, **details)
