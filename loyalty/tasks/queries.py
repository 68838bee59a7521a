"""Reading tasks: one, a page of them, a customer's; who may see whose; the chats in which staff are reminded."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.clock import business_date, end_of_day
from loyalty.customers.queries import reach
from loyalty.errors import NotFound
from loyalty.staff.queries import StaffView
from loyalty.tasks.rules import EARLIEST, Due, Sight, TaskOrigin, TaskState, sight_of

PAGE_ROWS = 50
OF_CUSTOMER = 20
"""So many open tasks of one customer are shown on their card."""


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task with the names of those whom it concerns, as they are today. Its title is empty once they are erased.

    is_free: it is given to nobody, or to somebody who has left. created_by_name None: a machine made it.
    closed_by_name, closed_at: of one that is over.
    """

    id: int
    title: str
    details: str
    customer_id: int | None
    customer_name: str | None
    assignee_id: int | None
    assignee_name: str | None
    is_free: bool
    due_at: datetime | None
    remind_at: datetime | None
    reminded_at: datetime | None
    state: TaskState
    origin: TaskOrigin
    created_by_id: int | None
    created_by_name: str | None
    created_at: datetime
    closed_by_name: str | None
    closed_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be done."""
        return self.state is TaskState.OPEN


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks. within: the locations that their rights end with, None for the whole chain.

    Whatever somebody is to do or has made they see; of the rest what their sight reaches, and their locations.
    """

    staff_id: int
    sight: Sight
    within: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class TaskFilters:
    """Which tasks: whose (of everybody whom the viewer sees when nobody is named), over or open, due when."""

    assignee_id: int | None = None
    is_free: bool = False
    is_over: bool = False
    due: Due | None = None


@dataclass(frozen=True, slots=True)
class TaskPlace:
    """A place in a list: after the task of this moment and id. Tasks without a moment come last."""

    at: datetime | None
    id: int


TASKS = """
SELECT t.id, t.title, t.details, t.customer_id, c.name AS customer_name, t.assignee_id, a.name AS assignee_name,
    a.is_active IS NOT TRUE AS is_free, t.due_at, t.remind_at, t.reminded_at, t.state, t.origin, t.created_by_id,
    m.name AS created_by_name, t.created_at, b.name AS closed_by_name, t.closed_at
FROM task t LEFT JOIN customer c ON c.id = t.customer_id LEFT JOIN staff_member a ON a.id = t.assignee_id
    LEFT JOIN staff_member m ON m.id = t.created_by_id LEFT JOIN staff_member b ON b.id = t.closed_by_id
"""
# $1 the viewer, $2 their sight, $3 their locations. What somebody had who has left is nobody's, and theirs again when
# they come back. What is nobody's and about nobody is the chain's.
SEEN = f"""
(t.assignee_id = $1::int OR t.created_by_id = $1
    OR ($2::text = 'all' OR $2 = 'free' AND a.is_active IS NOT TRUE) AND {reach.within("t.customer_id", "$3")})
"""
FIRST = TaskPlace(EARLIEST, 0)
# Along task_open.
AFTER = """
($4::timestamptz IS NOT NULL AND ((t.due_at, t.id) > ($4, $5::bigint) OR t.due_at IS NULL)
    OR $4 IS NULL AND t.due_at IS NULL AND t.id > $5)
"""
OPEN = f"""
{TASKS} WHERE t.state = 'open' AND {SEEN} AND {AFTER} AND ($7::int IS NULL OR t.assignee_id = $7)
    AND (NOT $8::bool OR a.is_active IS NOT TRUE) AND ($9::timestamptz IS NULL OR t.due_at > $9)
    AND ($10::timestamptz IS NULL OR t.due_at <= $10)
ORDER BY t.due_at, t.id LIMIT $6
"""
# Along task_closed_at, backwards.
CLOSED = f"""
{TASKS} WHERE t.closed_at IS NOT NULL AND {SEEN} AND ($4::timestamptz IS NULL OR (t.closed_at, t.id) < ($4, $5::bigint))
    AND ($7::int IS NULL OR t.assignee_id = $7) AND (NOT $8::bool OR a.is_active IS NOT TRUE)
ORDER BY t.closed_at DESC, t.id DESC LIMIT $6
"""
# Index: task_customer.
OPEN_OF = f"""
{TASKS} WHERE t.customer_id = $4 AND t.state = 'open' AND {SEEN} ORDER BY t.due_at, t.id LIMIT {OF_CUSTOMER}
"""


def viewer_of(person: StaffView) -> Viewer:
    """A person of the panel as one who looks at tasks."""
    return Viewer(person.id, sight_of(person.role), person.location_ids)


async def task(task_id: int) -> TaskView:
    """One task, whoever may see it. Raises NotFound("task")."""
    row = await db.fetch_row(f"{TASKS} WHERE t.id = $1", task_id)
    if row is None:
        raise NotFound("task")
    return _view(row)


async def task_for(viewer: Viewer, task_id: int) -> TaskView:
    """One task that this viewer sees. Raises NotFound("task") for others' as for one that is not there."""
    row = await db.fetch_row(f"{TASKS} WHERE t.id = $4 AND {SEEN}", *_looking(viewer), task_id)
    if row is None:
        raise NotFound("task")
    return _view(row)


async def tasks_page(
    viewer: Viewer,
    filters: TaskFilters,
    *,
    after: TaskPlace | None = None,
    now: datetime,
    zone: str,
) -> tuple[list[TaskView], TaskPlace | None]:
    """PAGE_ROWS tasks that the viewer sees, and where the next page begins.

    Open ones by when they are due, those without a time last; others by when they were closed, the newest first.
    """
    place = after or (TaskPlace(None, 0) if filters.is_over else FIRST)
    asked = (*_looking(viewer), place.at, place.id, PAGE_ROWS + 1, filters.assignee_id, filters.is_free)
    if filters.is_over:
        rows = await db.fetch(CLOSED, *asked)
    else:
        rows = await db.fetch(OPEN, *asked, *_within(filters.due, now, zone))
    found = [_view(row) for row in rows[:PAGE_ROWS]]
    if len(rows) <= PAGE_ROWS:
        return found, None
    last = found[-1]
    return found, TaskPlace(last.closed_at if filters.is_over else last.due_at, last.id)


async def open_tasks_of(customer_id: int, viewer: Viewer) -> list[TaskView]:
    """What is to be done for a customer, as far as the viewer sees it; OF_CUSTOMER at most, the first due first."""
    return [_view(row) for row in await db.fetch(OPEN_OF, *_looking(viewer), customer_id)]


def _looking(viewer: Viewer) -> tuple[Any, ...]:
    return viewer.staff_id, viewer.sight.value, None if viewer.within is None else list(viewer.within)


def _within(due: Due | None, now: datetime, zone: str) -> tuple[datetime | None, datetime | None]:
    """After which moment and until which something is due."""
    if due is Due.OVERDUE:
        return None, now
    midnight = end_of_day(business_date(now, zone), zone)
    if due is Due.TODAY:
        return now, midnight
    return (midnight, None) if due is Due.LATER else (None, None)


def _view(row: db.Row) -> TaskView:
    return TaskView(**{**row, "state": TaskState(row["state"]), "origin": TaskOrigin(row["origin"])})


@dataclass(frozen=True, slots=True)
class StaffChatView:
    """Where a member of staff is reminded. account_id None: nowhere yet. is_active False: they have blocked us there.

    code_expires_at: of the code that waits to be used, if one does.
    """

    account_id: int | None
    account_name: str | None
    username: str | None
    is_active: bool
    linked_at: datetime | None
    code_expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class LinkedStaff:
    """Whose reminders come into an account. language None: the shop's."""

    id: int
    name: str
    language: str | None


CHAT = """
SELECT s.account_id, a.name AS account_name, a.username, coalesce(a.is_active, false) AS is_active, s.linked_at,
    s.code_expires_at
FROM staff_chat s LEFT JOIN messenger_account a ON a.id = s.account_id WHERE s.staff_id = $1
"""
# Index: the unique one of the account.
LINKED = """
SELECT p.id, p.name, p.language FROM staff_chat s JOIN staff_member p ON p.id = s.staff_id
WHERE s.account_id = $1 AND p.is_active
"""


async def staff_chat(staff_id: int) -> StaffChatView | None:
    """Where somebody is reminded; None for who has never asked for it."""
    row = await db.fetch_row(CHAT, staff_id)
    return StaffChatView(**row) if row else None


async def staff_in_chat(account_id: int) -> LinkedStaff | None:
    """Whose reminders come into this account, if they still work here."""
    row = await db.fetch_row(LINKED, account_id)
    return LinkedStaff(**row) if row else None
