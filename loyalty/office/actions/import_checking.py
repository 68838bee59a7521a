"""The dry run of a file of customers: three times through its lines, and nothing written but what would become of them.

First each line by itself; then lines of one person find each other, in one statement; then what would become of each.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from loyalty import db
from loyalty.customers.labels import CATEGORIES_AT_MOST
from loyalty.errors import Invalid
from loyalty.office.actions.import_task import Line, Outcome, Task, count, expect, fetch_all_of_it, keep, next_lines
from loyalty.office.importing import Pass, RowState
from loyalty.office.importing.people import Draft, Ground, draft_from, draft_of, labels_to_make
from loyalty.office.importing.plans import Match, Plan, check_time, plan_known, plan_new, plan_twin, refused
from loyalty.office.queries.import_matches import ground_of, known_of, matches_of

ROWS = 1_000
# Lines of one person, by their phone, their card, their e-mail where that is all that tells who it is, or the card in
# the base that they stand for. A further line may only add a lot: whatever else it says, the first one has said. One
# that leads to a line which is itself a further one says something else about somebody.
# An e-mail that several people of the file have is nobody's.
TWINS = """
WITH draft AS (
    SELECT number, details->'draft' AS body, customer_id FROM file_import_row
    WHERE import_id = $1 AND number > $2 AND expected IS NULL
), keyed AS (
    SELECT number, customer_id, body->>'phone' AS phone, body->>'card' AS card,
        CASE WHEN NOT body ? 'phone' AND NOT body ? 'card' THEN lower(body->>'email') END AS mail,
        lower(body->>'email') AS any_mail
    FROM draft
), grouped AS (
    SELECT number, mail, any_mail, least(
        CASE WHEN phone IS NOT NULL THEN min(number) OVER (PARTITION BY phone) END,
        CASE WHEN card IS NOT NULL THEN min(number) OVER (PARTITION BY card) END,
        CASE WHEN mail IS NOT NULL THEN min(number) OVER (PARTITION BY mail) END,
        CASE WHEN customer_id IS NOT NULL THEN min(number) OVER (PARTITION BY customer_id) END) AS head
    FROM keyed
), mailed AS (
    SELECT any_mail, min(head) AS first, max(head) AS last FROM grouped
    WHERE any_mail IS NOT NULL AND mail IS NULL GROUP BY 1
), led AS (
    SELECT g.number, g.mail IS NOT NULL AND m.first <> m.last AS is_of_several,
        CASE WHEN g.mail IS NOT NULL AND m.first < g.head THEN m.first ELSE g.head END AS head
    FROM grouped g LEFT JOIN mailed m ON m.any_mail = g.mail
), judged AS (
    SELECT led.number, led.head, CASE WHEN led.is_of_several THEN 'mail_of_several'
        WHEN first.head <> first.number OR NOT head.body @> (own.body - 'lot') THEN 'line_differs' END AS reason
    FROM led JOIN led first ON first.number = led.head JOIN draft own ON own.number = led.number
        JOIN draft head ON head.number = led.head
    WHERE led.head <> led.number OR led.is_of_several
)
UPDATE file_import_row r SET reason = judged.reason,
    field = CASE WHEN judged.reason = 'mail_of_several' THEN 'email' END,
    expected = CASE WHEN judged.reason IS NOT NULL THEN 'refused' END,
    details = CASE WHEN judged.reason IS NOT NULL THEN jsonb_build_object('line', judged.head)
        ELSE r.details || jsonb_build_object('head', judged.head) END
FROM judged WHERE r.import_id = $1 AND r.number = judged.number RETURNING r.number
"""
HEADS = "SELECT number, expected, customer_id FROM file_import_row WHERE import_id = $1 AND number = ANY($2::int[])"
CHECKED = "UPDATE file_import SET state = 'checked', finished_at = NULL WHERE id = $1"


async def check_some(task: Task) -> int:
    """Go on with a dry run; returns how many lines were gone through. Joins a transaction that holds the import."""
    match task.settings.stage:
        case Pass.PARSE:
            return await _parse_some(task)
        case Pass.TWINS:
            await fetch_all_of_it(TWINS, task)
            await keep(task, replace(task.settings, stage=Pass.DECIDE), task.settings.header)
            return ROWS
        case Pass.DECIDE:
            return await _decide_some(task)


def cells_by_target(cells: Sequence[str], mapping: Sequence[str]) -> dict[str, str]:
    """What stands in a line, by what its columns are; empty cells and columns that are ignored left out."""
    return {key: cell for key, cell in zip(mapping, cells, strict=False) if key and cell.strip()}


async def _parse_some(task: Task) -> int:
    lines = await next_lines(task, ROWS)
    if not lines:
        await keep(task, replace(task.settings, stage=Pass.TWINS), task.settings.header)
        return ROWS
    ground = await ground_of(task.settings.options, now=task.now)
    outcomes: list[Outcome] = []
    drafts: list[tuple[int, Draft]] = []
    for line in lines:
        try:
            drafts.append((line.number, draft_of(cells_by_target(line.cells, task.settings.mapping), ground)))
        except Invalid as error:
            outcomes.append(_refused(line.number, refused(error)))
    matches = await matches_of([draft for _, draft in drafts])
    made = {key: {name.casefold(): name for name in task.settings.made.get(key, ())} for key in MADE_AT_MOST}
    for (number, draft), match in zip(drafts, matches, strict=True):
        try:
            found = match.one(draft)
            _make_room(draft, made, ground)
        except Invalid as error:
            outcomes.append(_refused(number, refused(error)))
        else:
            outcomes.append(Outcome(number, None, details={"draft": draft.to_body()}, customer_id=found))
    await expect(task, outcomes)
    names = {key: list(found.values()) for key, found in made.items()}
    await keep(task, replace(task.settings, made=names), lines[-1].number)
    return len(lines)


MADE_AT_MOST = {"categories": CATEGORIES_AT_MOST, "segments": 200}


def _make_room(draft: Draft, made: dict[str, dict[str, str]], ground: Ground) -> None:
    """Note the labels that a line wants made. Raises Invalid when there would be too many."""
    wanted = labels_to_make([draft], ground)
    for key, names in wanted.items():
        known = len(ground.categories) if key == "categories" else 0
        if known + len(made[key] | names) > MADE_AT_MOST[key]:
            raise Invalid(key, "too_many", limit=MADE_AT_MOST[key])
    for key, names in wanted.items():
        for folded, name in names.items():
            made[key].setdefault(folded, name)


async def _decide_some(task: Task) -> int:
    lines = await next_lines(task, ROWS)
    if not lines:
        await db.execute(CHECKED, task.id)
        return 0
    ground = await ground_of(task.settings.options, now=task.now)
    open_lines = [line for line in lines if line.expected is None and "draft" in line.details]
    drafts = {line.number: draft_from(line.details["draft"]) for line in open_lines}
    # What was emptied since it was read is of somebody who was erased.
    gone = Plan(RowState.REFUSED, "is_not_in_base")
    plans = {line.number: (gone, line.customer_id) for line in lines if not (line.expected or line.details)}
    plans |= await _plans(task, ground, open_lines, drafts, plans)
    outcomes = [
        _expected(line, plans[line.number][0], plans[line.number][1])
        if line.number in plans
        else Outcome(line.number, line.expected)
        for line in lines
    ]
    await expect(task, [one for one in outcomes if one.number in plans])
    await count(task, outcomes)
    return len(lines)


async def _plans(
    task: Task,
    ground: Ground,
    lines: Sequence[Line],
    drafts: dict[int, Draft],
    gone: dict[int, tuple[Plan, int | None]],
) -> dict[int, tuple[Plan, int | None]]:
    """By line what would become of it, and of whom. gone: lines that were emptied."""
    heads = [line for line in lines if line.head is None]
    matched = dict(
        zip([one.number for one in heads], await matches_of([drafts[one.number] for one in heads]), strict=True)
    )
    found: dict[int, int | None] = {}
    plans: dict[int, tuple[Plan, int | None]] = dict(gone)
    for line in heads:
        try:
            check_time(drafts[line.number], ground)
            found[line.number] = matched[line.number].one(drafts[line.number])
        except Invalid as error:
            plans[line.number] = (refused(error), None)
    about = {customer: drafts[number] for number, customer in found.items() if customer is not None}
    known = await known_of(about, import_id=task.id, own_phone=task.actor.phone)
    for number, customer in found.items():
        who = known.get(customer) if customer is not None else None
        plans[number] = (plan_of(drafts[number], who, matched[number], ground), who.id if who else None)
    await _plan_twins(task, ground, [line for line in lines if line.head is not None], drafts, plans)
    return plans


def plan_of(draft: Draft, known: Any, match: Match, ground: Ground) -> Plan:
    """What becomes of a first line, about somebody who is there or is not."""
    return plan_new(draft, ground) if known is None else plan_known(draft, known, match, ground)


async def _plan_twins(
    task: Task,
    ground: Ground,
    twins: Sequence[Line],
    drafts: dict[int, Draft],
    plans: dict[int, tuple[Plan, int | None]],
) -> None:
    """Further lines, after the first ones of their people, of these lines or of others before them."""
    if not twins:
        return
    rows = await db.fetch(HEADS, task.id, sorted({line.head for line in twins if line.head is not None}))
    heads = {row["number"]: (row["expected"], row["customer_id"]) for row in rows}
    heads |= {number: (plan.state.value, customer) for number, (plan, customer) in plans.items()}
    about = {customer: drafts[line.number] for line in twins if (customer := heads[line.head or 0][1]) is not None}
    known = await known_of(about, import_id=task.id, own_phone=task.actor.phone)
    for line in twins:
        state, customer = heads[line.head or 0]
        who = known.get(customer) if customer is not None else None
        try:
            check_time(drafts[line.number], ground)
            plan = plan_twin(drafts[line.number], RowState(state), who, line.head or 0, ground)
        except Invalid as error:
            plan = refused(error)
        plans[line.number] = (plan, who.id if who else None)


def _expected(line: Line, plan: Plan, customer_id: int | None) -> Outcome:
    # What the line says is needed again by the run, unless it is left out.
    kept = {} if plan.state is RowState.REFUSED else dict(line.details)
    return Outcome(line.number, plan.state, plan.reason, plan.field, kept | dict(plan.details), customer_id)


def _refused(number: int, plan: Plan) -> Outcome:
    return Outcome(number, RowState.REFUSED, plan.reason, plan.field, plan.details)
