"""Acts on many customers: what there is, how each stands, how much at once. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from loyalty.staff.rules import Actor, Permission

AT_MOST = 1_000_000
"""So many customers at most are concerned by one act."""
TICKED_AT_MOST = 1_000
AT_ONCE = 50
"""So many are done in the request itself; more are done in the background."""


class MassKind(StrEnum):
    """What is done to each."""

    CATEGORY_GIVE = "category_give"
    CATEGORY_TAKE = "category_take"
    SEGMENT_ADD = "segment_add"
    SEGMENT_REMOVE = "segment_remove"
    IMPORTANCE = "importance"
    DISCOUNT = "discount"
    BONUSES = "bonuses"
    DELETE = "delete"


NEEDS = {
    MassKind.CATEGORY_GIVE: Permission.CUSTOMERS_EDIT,
    MassKind.CATEGORY_TAKE: Permission.CUSTOMERS_EDIT,
    MassKind.SEGMENT_ADD: Permission.SEGMENTS_MANAGE,
    MassKind.SEGMENT_REMOVE: Permission.SEGMENTS_MANAGE,
    MassKind.IMPORTANCE: Permission.CUSTOMERS_EDIT,
    MassKind.DISCOUNT: Permission.DISCOUNT_SET,
    MassKind.BONUSES: Permission.BONUSES_ADJUST,
    MassKind.DELETE: Permission.CUSTOMERS_DELETE,
}
"""What each asks for, beside acting on many at all."""

# A label costs next to nothing; moving bonuses costs some statements a customer, and tills wait meanwhile.
ROWS_AT_ONCE = {MassKind.BONUSES: 25}
ROWS = 500
"""So many customers are held by one transaction."""


class MassState(StrEnum):
    """How an act stands. `undoing`, `undone`: another act takes its changes back, or has."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    UNDOING = "undoing"
    UNDONE = "undone"


OVER = frozenset({MassState.DONE, MassState.CANCELLED})
"""From these an act can be undone."""


class RowState(StrEnum):
    """What became of one customer of an act. `skipped`: left as they are, by a rule; `failed`: it could not be done."""

    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done: a category's, segment's or class's id or a share in basis points, or hundredths and why."""

    kind: MassKind
    target: int = 0
    amount: int = 0
    comment: str = ""

    def to_body(self) -> dict[str, object]:
        """As it is kept."""
        if self.kind is MassKind.BONUSES:
            return {"amount": self.amount, "comment": self.comment}
        return {"target": self.target} if self.kind is not MassKind.DELETE else {}


@dataclass(frozen=True, slots=True)
class Task:
    """An act under way, as the work needs it. undo_of: whose changes are taken back."""

    id: int
    order: Order
    actor: Actor
    now: datetime
    undo_of: int | None
    place: int

    @property
    def rows(self) -> int:
        """How many customers are taken in one transaction."""
        return ROWS_AT_ONCE.get(self.order.kind, ROWS)


@dataclass(frozen=True, slots=True)
class Former:
    """What an act changed about a customer, and when: what they had before, and which rule had given it."""

    customer_id: int
    before: int | None
    by_rule: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one customer."""

    customer_id: int
    state: RowState
    reason: str | None = None
    before: int | None = None
    by_rule: int | None = None


def done(customer_id: int, *, before: int | None = None, by_rule: int | None = None) -> Outcome:
    """Changed."""
    return Outcome(customer_id, RowState.DONE, None, before, by_rule)


def skipped(customer_id: int, reason: str) -> Outcome:
    """Left as they are; the reason is a code of the house."""
    return Outcome(customer_id, RowState.SKIPPED, reason[:40])


def failed(customer_id: int) -> Outcome:
    """It could not be done, and nobody expected that."""
    return Outcome(customer_id, RowState.FAILED, "not_done")
