"""Doing what the lines of a file of customers ask for: some hundreds in a transaction, by a statement for each kind."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from loyalty import db
from loyalty.bonuses.actions.opening import OpeningLot, credit_opening
from loyalty.customers.actions.categories import put_category
from loyalty.customers.actions.discounts import put_discounts
from loyalty.customers.actions.importance import put_importance
from loyalty.customers.actions.importing import (
    Change,
    NewPerson,
    add_people,
    change_people,
    put_consents,
    put_notes,
    show_people,
)
from loyalty.customers.actions.profile import lock_customers
from loyalty.errors import Invalid, LoyaltyError
from loyalty.office.actions.import_checking import HEADS, plan_of
from loyalty.office.actions.import_task import Line, Outcome, Task, count, mark, next_lines
from loyalty.office.importing import RowState
from loyalty.office.importing.people import Draft, Ground, draft_from
from loyalty.office.importing.plans import Known, Match, Plan, check_time, plan_twin, profile_new, refused
from loyalty.office.queries.import_matches import ground_of, known_of, matches_of, present_ids
from loyalty.segments.actions.members import add_members

ROWS = 1_000
TRIES = 3


class _ChangedMeanwhileError(Exception):
    """Somebody else was given a phone or a card since we looked."""


@dataclass(slots=True)
class Item:
    """A line, what is to become of it, and what was there before."""

    line: Line
    draft: Draft
    match: Match = field(default_factory=Match)
    known: Known | None = None
    plan: Plan = field(default_factory=lambda: Plan(RowState.SAME))
    customer_id: int | None = None
    before: dict[str, Any] = field(default_factory=dict)


async def run_some(task: Task) -> int:
    """Do the next lines; returns how many. Joins a transaction that holds the import."""
    lines = await next_lines(task, ROWS)
    if not lines:
        return 0
    ground = await ground_of(task.settings.options, now=task.now)
    work = [
        Item(line, draft_from(line.details["draft"]))
        for line in lines
        if line.expected is not RowState.REFUSED and "draft" in line.details
    ]
    done: dict[int, Outcome] = {}
    await _some(task, ground, work, done)
    outcomes = [done.get(line.number) or _left(line) for line in lines]
    await mark(task, outcomes)
    await count(task, outcomes)
    return len(lines)


async def _some(task: Task, ground: Ground, items: Sequence[Item], done: dict[int, Outcome]) -> None:
    """All of them together; where that fails for a reason nobody expected, by halves, so that the others go on."""
    if not items:
        return
    reason = ""
    for attempt in range(TRIES):
        try:
            async with db.transaction():
                fresh = [Item(item.line, item.draft) for item in items]
                await _do(task, ground, fresh, done)
        except _ChangedMeanwhileError:
            if attempt + 1 < TRIES:
                continue
            reason = "phone_taken"
        except LoyaltyError as error:
            reason = error.reason
        except db.OUTAGES:
            raise
        except Exception:  # noqa: BLE001  whatever it was, it is told by line
            reason = "not_done"
        else:
            done.update({item.line.number: _outcome(item, task) for item in fresh})
            return
        break
    if len(items) == 1:
        number = items[0].line.number
        done[number] = Outcome(number, RowState.REFUSED, reason[:40])
        return
    half = len(items) // 2
    await _some(task, ground, items[:half], done)
    await _some(task, ground, items[half:], done)


async def _do(task: Task, ground: Ground, items: Sequence[Item], done: dict[int, Outcome]) -> None:
    firsts = [item for item in items if item.line.head is None]
    twins = [item for item in items if item.line.head is not None]
    heads = await _heads(task, twins, done)
    await _find(firsts, [customer for _, customer in heads.values() if customer is not None])
    await _plan_firsts(task, ground, firsts)
    await _add(task, ground, [item for item in firsts if item.plan.state is RowState.ADDED])
    await _plan_twins(task, ground, twins, firsts, heads)
    await _write_profiles(task, firsts)
    await _write_labels(task, firsts)
    await _write_words(task, firsts)
    await _credit(task, [*firsts, *twins])


async def _heads(task: Task, twins: Sequence[Item], done: dict[int, Outcome]) -> dict[int, tuple[RowState, int | None]]:
    """What became of the first lines that were done before, and of whom; as their cards are by now."""
    wanted = sorted({item.line.head for item in twins if item.line.head is not None})
    if not wanted:
        return {}
    rows = await db.fetch(HEADS.replace("expected", "state"), task.id, wanted)
    heads = {row["number"]: (RowState(row["state"]), row["customer_id"]) for row in rows}
    for number, outcome in done.items():
        if number in heads and outcome.state is not None:
            heads[number] = (outcome.state, outcome.customer_id)
    present = await present_ids([customer for _, customer in heads.values() if customer is not None])
    return {number: (state, present.get(customer or 0)) for number, (state, customer) in heads.items()}


async def _find(firsts: Sequence[Item], others: Sequence[int]) -> None:
    """Whom the lines are about, held: looked for again behind the locks, because cards may have been merged before."""
    held: set[int] = set()
    matches: list[Match] = []
    for _ in range(TRIES):
        matches = await matches_of([item.draft for item in firsts])
        wanted = {one for match in matches for one in (match.phone, match.card, *match.mails) if one} | set(others)
        if wanted <= held:
            break
        held |= set(await lock_customers(sorted(wanted)))
    for item, match in zip(firsts, matches, strict=True):
        item.match = match


async def _plan_firsts(task: Task, ground: Ground, firsts: Sequence[Item]) -> None:
    about: dict[int, Draft] = {}
    for item in firsts:
        try:
            check_time(item.draft, ground)
            item.customer_id = item.match.one(item.draft)
        except Invalid as error:
            item.plan = refused(error)
        else:
            if item.customer_id is not None:
                about[item.customer_id] = item.draft
    known = await known_of(about, import_id=task.id, own_phone=task.actor.phone)
    for item in firsts:
        if item.plan.state is RowState.REFUSED:
            continue
        item.known = known.get(item.customer_id) if item.customer_id is not None else None
        item.plan = plan_of(item.draft, item.known, item.match, ground)


async def _add(task: Task, ground: Ground, items: Sequence[Item]) -> None:
    people = [
        NewPerson(profile_new(item.draft, ground), item.draft.card, item.draft.registered_at or task.now)
        for item in items
    ]
    for item, customer_id in zip(items, await add_people(people, actor=task.actor, now=task.now), strict=True):
        if customer_id is None:
            raise _ChangedMeanwhileError
        item.customer_id = customer_id
        item.before["new"] = True


async def _plan_twins(
    task: Task,
    ground: Ground,
    twins: Sequence[Item],
    firsts: Sequence[Item],
    heads: dict[int, tuple[RowState, int | None]],
) -> None:
    heads |= {item.line.number: (item.plan.state, item.customer_id) for item in firsts}
    about = {customer: item.draft for item in twins if (customer := heads[item.line.head or 0][1]) is not None}
    known = await known_of(about, import_id=task.id, own_phone=task.actor.phone)
    for item in twins:
        state, item.customer_id = heads[item.line.head or 0]
        item.known = known.get(item.customer_id) if item.customer_id is not None else None
        # Whoever was erased since their first line takes nothing any more.
        state = state if item.known is not None else RowState.REFUSED
        try:
            check_time(item.draft, ground)
            item.plan = plan_twin(item.draft, state, item.known, item.line.head or 0, ground)
        except Invalid as error:
            item.plan = refused(error)


async def _write_profiles(task: Task, firsts: Sequence[Item]) -> None:
    back = [item.customer_id for item in firsts if item.plan.restore and item.customer_id is not None]
    shown = set(await show_people(sorted(back), now=task.now)) if back else set()
    changes = []
    for item in firsts:
        if item.customer_id in shown:
            item.before["restored"] = True
        if item.plan.profile and item.known is not None:
            profile = replace(item.known.profile, **item.plan.profile)
            changes.append(Change(item.known.id, profile, tuple(item.plan.profile)))
            item.before["profile"] = {
                name: [getattr(item.known.profile, name), value] for name, value in item.plan.profile.items()
            }
    await change_people(sorted(changes, key=lambda change: change.customer_id), now=task.now)


async def _write_labels(task: Task, firsts: Sequence[Item]) -> None:
    by_person = {item.customer_id: item for item in firsts if item.customer_id is not None}
    categories, segments = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
    classes = defaultdict[int, list[int]](list)
    for person, item in by_person.items():
        for category_id in item.plan.categories:
            categories[category_id].append(person)
        for segment_id in item.plan.segments:
            segments[segment_id].append(person)
        if item.plan.importance is not None:
            classes[item.plan.importance].append(person)
    for category_id, people in sorted(categories.items()):
        given = await put_category(category_id, people, actor=task.actor, now=task.now)
        for person, rule_id in given.items():
            by_person[person].before.setdefault("categories", []).append([category_id, rule_id])
    for segment_id, people in sorted(segments.items()):
        for person in await add_members(segment_id, people, actor=task.actor, now=task.now):
            by_person[person].before.setdefault("segments", []).append(segment_id)
    for class_id, people in sorted(classes.items()):
        for person, (before, rule_id) in (await put_importance(people, class_id)).items():
            by_person[person].before["importance"] = [class_id, before, rule_id]
    shares = {person: item.plan.discount_bp for person, item in by_person.items() if item.plan.discount_bp is not None}
    for person, (before, rule_id) in (await put_discounts(list(shares.items())) if shares else {}).items():
        by_person[person].before["discount"] = [shares[person], before, rule_id]


async def _write_words(task: Task, firsts: Sequence[Item]) -> None:
    by_person = {item.customer_id: item for item in firsts if item.customer_id is not None}
    notes = [(person, item.plan.note) for person, item in by_person.items() if item.plan.note]
    if notes and task.actor.staff_id is not None:
        written = await put_notes(notes, staff_id=task.actor.staff_id, now=task.now)
        for person, note_id in written.items():
            by_person[person].before["note"] = note_id
    said = [(person, item.plan.marketing) for person, item in by_person.items() if item.plan.marketing is not None]
    for person, consent_id in (await put_consents(said, now=task.now) if said else {}).items():
        by_person[person].before["consent"] = consent_id


async def _credit(task: Task, items: Sequence[Item]) -> None:
    lots = []
    for item in sorted(items, key=lambda one: one.line.number):
        if item.plan.has_lot and item.draft.lot is not None and item.customer_id is not None:
            amount, activates_at, expires_at = item.draft.lot
            lots.append(
                OpeningLot(item.customer_id, amount, lot_key(task.id, item.line.number), activates_at, expires_at)
            )
            item.before["lot"] = amount
    await credit_opening(lots, actor=task.actor, now=task.now)


def lot_key(import_id: int, number: int) -> str:
    """What the opening balance of a line is known by."""
    return f"{import_id}:{number}"


def _outcome(item: Item, task: Task) -> Outcome:
    plan = item.plan
    before = item.before | {"at": task.now.isoformat()} if item.before else None
    return Outcome(item.line.number, plan.state, plan.reason, plan.field, plan.details, item.customer_id, before)


def _left(line: Line) -> Outcome:
    """A line that was refused by the dry run stays so; one that was emptied since is of somebody who was erased."""
    details = {name: value for name, value in line.details.items() if name not in {"draft", "head"}}
    return Outcome(
        line.number, RowState.REFUSED, line.reason or "is_not_in_base", line.field, details, line.customer_id
    )
