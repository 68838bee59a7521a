"""What each act does to some customers, and how it takes back what it did. The caller holds the customers.

Each is tried as a whole; what it raises concerns all of them alike.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence

from loyalty import db
from loyalty.bonuses.actions.manual import adjust
from loyalty.bonuses.actions.undoing import undo_adjustment
from loyalty.conversations.rules import Priority
from loyalty.customers.actions.archive import hide_customers, show_customers
from loyalty.customers.actions.categories import drop_category, put_category
from loyalty.customers.actions.discounts import put_discounts, refused_discounts, undo_discounts
from loyalty.customers.actions.importance import put_importance
from loyalty.customers.actions.profile import tell_changes
from loyalty.customers.actions.undoing import undo_give, undo_importance, undo_take
from loyalty.customers.rules import RESTORED_FOR
from loyalty.errors import LoyaltyError
from loyalty.office.mass import Former, MassKind, Outcome, Task, done, skipped
from loyalty.segments.actions.members import add_members, remove_members, undo_add

Deed = Callable[[Task, Sequence[int]], Awaitable[list[Outcome]]]
UndoDeed = Callable[[Task, Sequence[Former]], Awaitable[list[Outcome]]]
CHANGED_SINCE = "changed_since"


async def _give_category(task: Task, held: Sequence[int]) -> list[Outcome]:
    given = await put_category(task.order.target, held, actor=task.actor, now=task.now)
    return [done(one, by_rule=given[one]) if one in given else skipped(one, "has_it_already") for one in held]


async def _undo_give_category(task: Task, rows: Sequence[Former]) -> list[Outcome]:
    rules = [row.by_rule for row in rows]
    return _since(rows, await undo_give(task.order.target, _ids(rows), [row.at for row in rows], rules))


async def _take_category(task: Task, held: Sequence[int]) -> list[Outcome]:
    return _told(held, await drop_category(task.order.target, held), "has_it_not")


async def _undo_take_category(task: Task, rows: Sequence[Former]) -> list[Outcome]:
    return _since(rows, await undo_take(task.order.target, _ids(rows), actor=task.actor, now=task.now))


async def _add_to_segment(task: Task, held: Sequence[int]) -> list[Outcome]:
    added = await add_members(task.order.target, held, actor=task.actor, now=task.now)
    return _told(held, added, "has_it_already")


async def _undo_add_to_segment(task: Task, rows: Sequence[Former]) -> list[Outcome]:
    return _since(rows, await undo_add(task.order.target, _ids(rows), [row.at for row in rows]))


async def _remove_from_segment(task: Task, held: Sequence[int]) -> list[Outcome]:
    return _told(held, await remove_members(task.order.target, held), "has_it_not")


async def _undo_remove_from_segment(task: Task, rows: Sequence[Former]) -> list[Outcome]:
    return _since(rows, await add_members(task.order.target, _ids(rows), actor=task.actor, now=task.now))


async def _set_importance(task: Task, held: Sequence[int]) -> list[Outcome]:
    changed = await put_importance(held, task.order.target)
    return [
        done(one, before=changed[one][0], by_rule=changed[one][1]) if one in changed else skipped(one, "has_it_already")
        for one in held
    ]


async def _undo_importance(task: Task, rows: Sequence[Former]) -> list[Outcome]:
    classes, rules = [row.before or 0 for row in rows], [row.by_rule or 0 for row in rows]
    return _since(rows, await undo_importance(_ids(rows), task.order.target, classes, rules))


async def _set_discount(task: Task, held: Sequence[int]) -> list[Outcome]:
    share = task.order.target
    refused = await refused_discounts(held, share, task.actor)
    changed = await put_discounts([(one, share) for one in held if one not in refused])
    await tell_changes(sorted(changed), ["discount_bp"], task.now)
    return [
        done(one, before=changed[one][0], by_rule=changed[one][1])
        if one in changed
        else skipped(one, refused.get(one, "has_it_already"))
        for one in held
    ]


async def _undo_discount(task: Task, rows: Sequence[Former]) -> list[Outcome]:
    share = task.order.target
    back = await undo_discounts([(row.customer_id, share, row.before or 0, row.by_rule or 0) for row in rows])
    await tell_changes(sorted(back), ["discount_bp"], task.now)
    return _since(rows, back)


async def _delete(task: Task, held: Sequence[int]) -> list[Outcome]:
    return _told(held, await hide_customers(held, actor=task.actor, now=task.now), "is_deleted_already")


async def _restore(task: Task, rows: Sequence[Former]) -> list[Outcome]:
    back = set(await show_customers(_ids(rows), [row.at for row in rows], now=task.now))
    late = {row.customer_id for row in rows if row.at <= task.now - RESTORED_FOR}
    return [
        done(one) if one in back else skipped(one, "restore_is_over" if one in late else CHANGED_SINCE)
        for one in _ids(rows)
    ]


async def _move_bonuses(task: Task, held: Sequence[int]) -> list[Outcome]:
    """One after the other, each by its own key: what a rule refuses one of them, it does not refuse the others."""

    async def move(customer_id: int) -> None:
        key, order = _key(task.id, customer_id), task.order
        await adjust(
            customer_id, order.amount, order.comment, key=key, actor=task.actor, now=task.now, priority=Priority.BULK
        )

    return [await _one(customer_id, move) for customer_id in held]


async def _undo_bonuses(task: Task, rows: Sequence[Former]) -> list[Outcome]:
    assert task.undo_of is not None
    action_id = task.undo_of

    async def undo(customer_id: int) -> None:
        key = _key(action_id, customer_id)
        await undo_adjustment(customer_id, key, actor=task.actor, now=task.now, priority=Priority.BULK)

    return [await _one(row.customer_id, undo) for row in rows]


DEEDS: dict[MassKind, tuple[Deed, UndoDeed]] = {
    MassKind.CATEGORY_GIVE: (_give_category, _undo_give_category),
    MassKind.CATEGORY_TAKE: (_take_category, _undo_take_category),
    MassKind.SEGMENT_ADD: (_add_to_segment, _undo_add_to_segment),
    MassKind.SEGMENT_REMOVE: (_remove_from_segment, _undo_remove_from_segment),
    MassKind.IMPORTANCE: (_set_importance, _undo_importance),
    MassKind.DISCOUNT: (_set_discount, _undo_discount),
    MassKind.BONUSES: (_move_bonuses, _undo_bonuses),
    MassKind.DELETE: (_delete, _restore),
}
"""What is done, and how that is taken back."""


async def _one(customer_id: int, act: Callable[[int], Awaitable[None]]) -> Outcome:
    try:
        async with db.transaction():
            await act(customer_id)
    except LoyaltyError as refused:
        return skipped(customer_id, refused.reason)
    return done(customer_id)


def _key(action_id: int, customer_id: int) -> str:
    return f"mass:{action_id}:{customer_id}"


def _ids(rows: Sequence[Former]) -> list[int]:
    return [row.customer_id for row in rows]


def _told(held: Sequence[int], changed: Collection[int], reason: str) -> list[Outcome]:
    known = set(changed)
    return [done(one) if one in known else skipped(one, reason) for one in held]


def _since(rows: Sequence[Former], changed: Collection[int]) -> list[Outcome]:
    return _told(_ids(rows), changed, CHANGED_SINCE)
