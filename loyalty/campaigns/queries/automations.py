"""Reads of automations: all of them with how they go, one, who is on the way, and what a trigger would have found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from loyalty import db
from loyalty.campaigns.rules.automations import AutomationDraft, Outcome, RunState, StepKind, step_from
from loyalty.campaigns.triggers import Asking, trigger_of
from loyalty.conversations.queries.sending import manners
from loyalty.errors import NotFound
from loyalty.segments.filters import checked, compile_tree
from loyalty.segments.queries.base import context_for
from loyalty.segments.rules.trees import Condition, Group, tree_from
from loyalty.shop.queries import programme_at

PAGE_ROWS = 50
RECENT = timedelta(days=30)
LOOKED_BACK = timedelta(days=90)
"""Of a dry run."""
PATIENCE_SECONDS = 120

COLUMNS = """a.id, a.name, a.trigger, a.params, a.conditions, a.steps, a.is_on, a.since, a.place, a.channels,
    a.acknowledged_language, a.acknowledged_text, a.acknowledged_version, a.acknowledged_at, a.created_at,
    a.archived_at"""
# By the primary keys; of the runs of a month, along automation_run_automation.
ALL = f"""
SELECT {COLUMNS}, p.name AS staff_name, s.name AS acknowledged_by, coalesce(runs.begun, 0) AS begun,
    coalesce(runs.under_way, 0) AS under_way, coalesce(runs.done, 0) AS done, coalesce(runs.stopped, 0) AS stopped
FROM automation a LEFT JOIN staff_member p ON p.id = a.staff_id LEFT JOIN staff_member s ON s.id = a.acknowledged_by_id
    LEFT JOIN (SELECT automation_id, count(*) AS begun, count(*) FILTER (WHERE state = 'waiting') AS under_way,
            count(*) FILTER (WHERE state = 'done') AS done,
            count(*) FILTER (WHERE state IN ('stopped', 'failed')) AS stopped
        FROM automation_run WHERE (started_at > $1 OR state = 'waiting') AND reason IS DISTINCT FROM 'was_there'
            AND ($2::int IS NULL OR automation_id = $2) GROUP BY 1) runs ON runs.automation_id = a.id
WHERE CASE WHEN $2::int IS NULL THEN a.archived_at IS NULL ELSE a.id = $2 END ORDER BY lower(a.name), a.id
"""
# Index: automation_run_automation, backwards. Who was there when it began never was on the way.
RUNS = """
SELECT r.id, r.customer_id, c.name, r.state, r.step, r.due_at, r.reason, r.outcomes, r.started_at, r.finished_at
FROM automation_run r JOIN customer c ON c.id = r.customer_id
WHERE r.automation_id = $1 AND ($2::bigint IS NULL OR r.id < $2) AND ($3::text IS NULL OR r.state = $3)
    AND r.reason IS DISTINCT FROM 'was_there'
ORDER BY r.id DESC LIMIT $4
"""
# What would have been begun, and how often to one person within the days of the limit.
DRY = """
WITH happened AS (
    SELECT past.customer_id, past.at FROM ({past}) past JOIN customer_facts f ON f.customer_id = past.customer_id
    WHERE NOT f.is_hidden AND ({conditions})
), counted AS (
    SELECT customer_id, count(*) OVER (PARTITION BY customer_id) AS times,
        count(*) OVER (PARTITION BY customer_id ORDER BY at
            RANGE BETWEEN make_interval(days => {days}) PRECEDING AND CURRENT ROW) AS lately FROM happened
)
SELECT count(DISTINCT customer_id) AS people, count(*) AS times,
    count(DISTINCT customer_id) FILTER (WHERE times > 1) AS several,
    count(*) FILTER (WHERE {cap} > 0 AND lately > {cap}) AS capped FROM counted
"""


@dataclass(frozen=True, slots=True)
class AutomationView:
    """An automation, and how many were on the way in the last thirty days. acknowledged_*: empty when nothing was."""

    id: int
    draft: AutomationDraft
    is_on: bool
    since: datetime | None
    channels: tuple[str, ...]
    acknowledged_text: str
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    staff_name: str | None
    created_at: datetime
    archived_at: datetime | None
    begun: int
    under_way: int
    done: int
    stopped: int


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What became of one step of one person's way."""

    step: int
    kind: StepKind
    outcome: Outcome
    reason: str | None


@dataclass(frozen=True, slots=True)
class RunView:
    """One person's way. step: the next one, from 0."""

    id: int
    customer_id: int
    name: str
    state: RunState
    step: int
    due_at: datetime
    reason: str | None
    outcomes: Sequence[StepOutcome]
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class DryRun:
    """What would have been begun in the last ninety days. several: people more than once; capped: times too many."""

    people: int
    times: int
    several: int
    capped: int


def draft_of(row: db.Row) -> AutomationDraft:
    """What it does, as it was kept."""
    steps = [step_from(body) for body in db.from_json(row["steps"])]
    return AutomationDraft(row["name"], row["trigger"], db.from_json(row["params"]), row["conditions"], tuple(steps))


async def automations(*, now: datetime) -> list[AutomationView]:
    """All that are not put away, by name."""
    return [_view(row) for row in await db.fetch(ALL, now - RECENT, None)]


async def automation(automation_id: int, *, now: datetime) -> AutomationView:
    """One, put away or not. Raises NotFound("automation")."""
    row = await db.fetch_row(ALL, now - RECENT, automation_id)
    if row is None:
        raise NotFound("automation")
    return _view(row)


async def runs(
    automation_id: int, *, state: RunState | None = None, before_id: int | None = None
) -> tuple[list[RunView], int | None]:
    """Who was on the way through one, the newest first, and where the next page begins."""
    rows = await db.fetch(RUNS, automation_id, before_id, state.value if state else None, PAGE_ROWS + 1)
    found = [_run(row) for row in rows[:PAGE_ROWS]]
    return found, found[-1].id if len(rows) > PAGE_ROWS else None


async def asking_for(
    draft: AutomationDraft, *, since: datetime, now: datetime, place: int = 0, upto: int = 0
) -> tuple[Asking, str]:
    """What a trigger is asked with, and its conditions in SQL on `f`, under the same parameters.

    Raises Invalid("filter") for conditions that nobody can ask any more.
    """
    tree = checked(tree_from(draft.conditions))
    wanted = [Group(parts=(Condition("segment", "any", str(draft.params["segment"])),))] if _has_segment(draft) else []
    context = await context_for([tree, *wanted], now)
    ranks = tuple(tier.id for tier in (await programme_at(now)).tiers)
    return Asking(draft.params, context, since, place, upto, ranks), compile_tree(tree, context)


async def dry_run(draft: AutomationDraft, *, now: datetime) -> DryRun | None:
    """Whom it would have begun with in the last ninety days, had it been on; None where history cannot tell.

    Of people who are in the base now and meet its conditions now. Of a million receipts in that time it takes seconds.
    """
    since = now - LOOKED_BACK
    asking, conditions = await asking_for(draft, since=since, now=now)
    bounds = asking.add(since, "timestamptz"), asking.add(now, "timestamptz")
    past = trigger_of(draft.trigger).past(asking, *bounds)
    if past is None:
        return None
    cap = (await manners()).cap
    limit = asking.add(cap.messages if draft.advertises else 0, "int")
    sql = DRY.format(past=past, conditions=conditions, days=asking.add(cap.days, "int"), cap=limit)
    [row] = await db.fetch_planned(sql, *asking.context.params, seconds=PATIENCE_SECONDS)
    return DryRun(**row)


def _has_segment(draft: AutomationDraft) -> bool:
    return "segment" in draft.params


def _view(row: db.Row) -> AutomationView:
    return AutomationView(
        id=row["id"],
        draft=draft_of(row),
        channels=tuple(one for one in row["channels"].split(",") if one),
        **{
            name: row[name]
            for name in (
                "is_on", "since", "acknowledged_text", "acknowledged_at", "acknowledged_by", "staff_name", "created_at",
                "archived_at", "begun", "under_way", "done", "stopped",
            )
        },
    )  # fmt: skip


def _run(row: db.Row) -> RunView:
    told: Sequence[Mapping[str, object]] = db.from_json(row["outcomes"])
    outcomes = [
        StepOutcome(
            int(str(one["step"])),
            StepKind(str(one["kind"])),
            Outcome(str(one["outcome"])),
            str(one["reason"]) if one.get("reason") else None,
        )
        for one in told
    ]
    plain = ("id", "customer_id", "name", "step", "due_at", "reason", "started_at", "finished_at")
    return RunView(state=RunState(row["state"]), outcomes=outcomes, **{name: row[name] for name in plain})
