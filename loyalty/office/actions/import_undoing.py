"""Taking back what the lines of a file of customers have changed, where nothing came of it since."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from loyalty import db
from loyalty.bonuses.actions.opening import undo_opening
from loyalty.customers.actions.archive import hide_customers
from loyalty.customers.actions.discounts import undo_discounts
from loyalty.customers.actions.importing import Change, change_people, undo_consents, undo_notes
from loyalty.customers.actions.profile import lock_customers
from loyalty.customers.actions.undoing import undo_give, undo_importance
from loyalty.office.actions.import_people import lot_key
from loyalty.office.actions.import_task import Task
from loyalty.office.importing.people import Draft
from loyalty.office.queries.import_matches import known_of, present_ids
from loyalty.segments.actions.members import undo_add

ROWS = 500
# The last lines first: of a person with several, those who only added a lot go before the one that added them.
NEXT = """
SELECT number, customer_id, before FROM file_import_row
WHERE import_id = $1 AND number < $2 AND state IN ('added', 'changed') ORDER BY number DESC LIMIT $3
"""
UNDONE = """
UPDATE file_import_row r SET state = CASE WHEN part.reason IS NULL THEN 'undone' ELSE r.state END,
    reason = part.reason, field = NULL, details = NULL
FROM unnest($2::int[], $3::text[]) part (number, reason) WHERE r.import_id = $1 AND r.number = part.number
"""
PLACE = "UPDATE file_import SET place = $2 WHERE id = $1"
# What happened to somebody since they were brought in, beside what the import itself did and took back. Each by an
# index that begins with the customer, messages by those of their accounts.
PAST = """
SELECT person.id FROM unnest($1::bigint[]) person (id) WHERE
    EXISTS (SELECT FROM receipt WHERE customer_id = person.id)
    OR EXISTS (SELECT FROM appointment WHERE customer_id = person.id)
    OR EXISTS (SELECT FROM fiscal_claim WHERE customer_id = person.id)
    OR EXISTS (SELECT FROM credit_request WHERE customer_id = person.id)
    OR EXISTS (SELECT FROM bonus_entry WHERE customer_id = person.id AND operation_id NOT LIKE $2
        AND operation_id NOT LIKE $3)
    OR EXISTS (SELECT FROM bonus_lot WHERE customer_id = person.id AND remaining > 0)
    OR EXISTS (SELECT FROM note WHERE customer_id = person.id AND deleted_at IS NULL)
    OR EXISTS (SELECT FROM answer WHERE customer_id = person.id)
    OR EXISTS (SELECT FROM merge WHERE survivor_id = person.id)
    OR EXISTS (SELECT FROM messenger_account a WHERE a.customer_id = person.id
        AND (a.channel NOT IN ('sms', 'email') OR EXISTS (SELECT FROM message m WHERE m.account_id = a.id)))
"""


@dataclass(slots=True)
class Item:
    """A line that changed somebody, and what of that stays: a code, the first one found."""

    number: int
    customer_id: int
    before: dict[str, Any] = field(default_factory=dict)
    stays: str | None = None

    def keep(self, reason: str) -> None:
        self.stays = self.stays or reason


async def undo_some(task: Task) -> int:
    """Take the next lines back, from the last one on; returns how many. Joins a transaction that holds the import."""
    rows = await db.fetch(NEXT, task.id, task.place, ROWS)
    if not rows:
        return 0
    items = [Item(row["number"], row["customer_id"], db.from_json(row["before"]) or {}) for row in rows]
    held = await lock_customers(sorted({item.customer_id for item in items}))
    # Who was merged or erased since is left as they are: what they had is another card's, or nobody's.
    present = {one for one, card in (await present_ids(held)).items() if one == card}
    for item in items:
        if item.customer_id not in present:
            item.keep("is_not_in_base")
    live = [item for item in items if item.customer_id in present]
    await _undo_lots(task, live)
    await _undo_labels(live)
    await _undo_words(task, live)
    await _undo_profiles(task, live)
    await _undo_people(task, live)
    await db.execute(UNDONE, task.id, [item.number for item in items], [item.stays for item in items])
    await db.execute(PLACE, task.id, items[-1].number)
    return len(items)


async def _undo_lots(task: Task, items: Sequence[Item]) -> None:
    keys = {lot_key(task.id, item.number): item for item in items if "lot" in item.before}
    if not keys:
        return
    held = sorted({item.customer_id for item in keys.values()})
    taken = await undo_opening(list(keys), held, actor=task.actor, now=task.now)
    for key, item in keys.items():
        if key not in taken:
            item.keep("bonuses_used")


async def _undo_labels(items: Sequence[Item]) -> None:
    categories, segments = defaultdict[int, list[Item]](list), defaultdict[int, list[Item]](list)
    classes = defaultdict[int, list[Item]](list)
    for item in items:
        for category_id, _ in item.before.get("categories", ()):
            categories[category_id].append(item)
        for segment_id in item.before.get("segments", ()):
            segments[segment_id].append(item)
        if "importance" in item.before:
            classes[item.before["importance"][0]].append(item)
    for category_id, some in categories.items():
        rules = [next(rule for one, rule in item.before["categories"] if one == category_id) for item in some]
        _told(some, await undo_give(category_id, _ids(some), [_at(item) for item in some], rules))
    for segment_id, some in segments.items():
        _told(some, await undo_add(segment_id, _ids(some), [_at(item) for item in some]))
    for class_id, some in classes.items():
        before = [item.before["importance"][1] for item in some]
        rules = [item.before["importance"][2] for item in some]
        _told(some, await undo_importance(_ids(some), class_id, before, rules))
    discounts = [item for item in items if "discount" in item.before]
    if discounts:
        former = [(item.customer_id, *_three(item.before["discount"])) for item in discounts]
        _told(discounts, await undo_discounts(former))


async def _undo_words(task: Task, items: Sequence[Item]) -> None:
    notes = {item.before["note"]: item for item in items if "note" in item.before}
    hidden = await undo_notes(list(notes), now=task.now) if notes else set()
    for note_id, item in notes.items():
        if note_id not in hidden:
            item.keep("changed_since")
    said = [item.before["consent"] for item in items if "consent" in item.before]
    if said:
        await undo_consents(said, now=task.now)


async def _undo_profiles(task: Task, items: Sequence[Item]) -> None:
    """Fields go back where they still say what the line wrote."""
    some = [item for item in items if item.before.get("profile")]
    if not some:
        return
    known = await known_of({item.customer_id: Draft() for item in some}, import_id=task.id, own_phone=None)
    changes = []
    for item in some:
        profile = known[item.customer_id].profile
        back: dict[str, Any] = {}
        for name, (before, written) in item.before["profile"].items():
            if _json(getattr(profile, name)) != written:
                item.keep("changed_since")
            else:
                back[name] = date.fromisoformat(before) if name == "birthday" and before else before
        if back:
            changes.append(Change(item.customer_id, replace(profile, **back), tuple(back)))
    await change_people(sorted(changes, key=lambda change: change.customer_id), now=task.now)


async def _undo_people(task: Task, items: Sequence[Item]) -> None:
    """Who came by the file, and has had nothing since, leaves the base as whoever is deleted does."""
    some = [item for item in items if item.before.get("new") or item.before.get("restored")]
    mine = (f"opening:{task.id}:%", f"opening_undone:{task.id}:%")
    new = [item for item in some if item.before.get("new")]
    kept = {row["id"] for row in await db.fetch(PAST, _ids(new), *mine)}
    for item in new:
        if item.customer_id in kept:
            item.keep("has_a_past")
    leaving = sorted(item.customer_id for item in some if item.customer_id not in kept and item.stays is None)
    if leaving:
        await hide_customers(leaving, actor=task.actor, now=task.now)


def _told(items: Sequence[Item], changed: Sequence[int]) -> None:
    known = set(changed)
    for item in items:
        if item.customer_id not in known:
            item.keep("changed_since")


def _ids(items: Sequence[Item]) -> list[int]:
    return [item.customer_id for item in items]


def _at(item: Item) -> datetime:
    """When the line was done: labels that were given at another time are not its."""
    return datetime.fromisoformat(item.before["at"])


def _three(numbers: Sequence[int]) -> tuple[int, int, int]:
    given, before, rule = numbers
    return given, before, rule


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
