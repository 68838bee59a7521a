"""What makes a task sound, what may become of it, who sees whose, when its assignee is reminded. Pure."""

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from loyalty.customers.rules import clean_text
from loyalty.errors import Invalid
from loyalty.staff.rules import Permission, Role, may

TITLE_LENGTH = 200
DETAILS_LENGTH = 4000
KEY_LENGTH = 80
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=5 * 366)
"""Nobody plans further ahead than about five years."""

CODE_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 10
"""50 random bits: too many to guess in the minutes that a code lives."""
CODE_LIFETIME = timedelta(minutes=15)

HOUR_BEFORE = timedelta(hours=1)
EVENING = time(19)
"""When "the evening before" is, by the shop's clock."""


class TaskState(StrEnum):
    """Where a task stands. Whatever is over may be open again."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class TaskOrigin(StrEnum):
    """What a task came of."""

    HAND = "hand"
    INBOX = "inbox"
    SURVEY = "survey"
    AUTOMATION = "automation"

    @property
    def is_machines(self) -> bool:
        """Whether nobody stands there who could choose somebody else when its assignee is gone."""
        return self in {TaskOrigin.SURVEY, TaskOrigin.AUTOMATION}


class Due(StrEnum):
    """When an open task is due, seen from now."""

    OVERDUE = "overdue"
    TODAY = "today"
    LATER = "later"
    ANY_TIME = "any_time"


class Reminding(StrEnum):
    """When the assignee is told, as people choose it."""

    NONE = "none"
    AT_DUE = "at_due"
    HOUR_BEFORE = "hour_before"
    EVENING_BEFORE = "evening_before"
    OWN = "own"


class Sight(StrEnum):
    """Whose tasks somebody sees: everybody's, nobody's beside their own, or their own alone."""

    ALL = "all"
    FREE = "free"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class TaskDraft:
    """A task as somebody tells of it; checked by `checked`.

    customer_id: whom it is about, assignee_id: who is to do it; None for nobody. remind_at: when the assignee is told.
    """

    title: str
    details: str = ""
    customer_id: int | None = None
    assignee_id: int | None = None
    due_at: datetime | None = None
    remind_at: datetime | None = None


def checked(draft: TaskDraft, now: datetime) -> TaskDraft:
    """The draft as it is kept: its words without what cannot be seen, its moments in whole seconds.

    Raises Invalid("title" | "details" | "due_at" | "remind_at").
    """
    return replace(
        draft,
        title=_line(draft.title),
        details=_lines(draft.details),
        due_at=_moment("due_at", draft.due_at, now),
        remind_at=_moment("remind_at", draft.remind_at, now),
    )


def check_key(key: str) -> None:
    """Raise Invalid("key") for what cannot be one."""
    if not key or len(key) > KEY_LENGTH or not key.isprintable():
        raise Invalid("key", "not_a_key")


def sight_of(role: Role) -> Sight:
    """Whose tasks a role sees: who shares them out sees all, who knows the customers what nobody has taken."""
    if may(role, Permission.TASKS_MANAGE):
        return Sight.ALL
    return Sight.FREE if may(role, Permission.CUSTOMERS_READ) else Sight.OWN


def due_of(due_at: datetime | None, now: datetime, zone: str) -> Due:
    """When a task is due. Its time being over, it is overdue; today ends at the shop's midnight."""
    if due_at is None:
        return Due.ANY_TIME
    if due_at <= now:
        return Due.OVERDUE
    local = ZoneInfo(zone)
    return Due.TODAY if due_at.astimezone(local).date() == now.astimezone(local).date() else Due.LATER


def remind_moment(chosen: Reminding, due_at: datetime | None, zone: str) -> datetime | None:
    """When the assignee is told; None for never. `OWN` is a moment of its own, and not asked here.

    Raises Invalid("remind", "needs_a_due_time") where there is nothing to count from.
    """
    if chosen is Reminding.NONE:
        return None
    if due_at is None:
        raise Invalid("remind", "needs_a_due_time")
    if chosen is Reminding.AT_DUE:
        return due_at
    if chosen is Reminding.HOUR_BEFORE:
        return due_at - HOUR_BEFORE
    day = due_at.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
    return datetime.combine(day, EVENING, ZoneInfo(zone)).astimezone(UTC)


def reminding_of(remind_at: datetime | None, due_at: datetime | None, zone: str) -> Reminding:
    """Which choice leads to this moment; the first that does."""
    if remind_at is None:
        return Reminding.NONE
    if due_at is not None:
        for choice in (Reminding.AT_DUE, Reminding.HOUR_BEFORE, Reminding.EVENING_BEFORE):
            if remind_moment(choice, due_at, zone) == remind_at:
                return choice
    return Reminding.OWN


def new_code() -> str:
    """A code that links a messenger account to a member of staff, easy to read and to type."""
    return "".join(secrets.choice(CODE_SIGNS) for _ in range(CODE_LENGTH))


def is_code(text: str) -> bool:
    """Whether a text can be such a code."""
    return len(text) == CODE_LENGTH and set(text) <= set(CODE_SIGNS)


def _line(text: str) -> str:
    title = clean_text(text[: 20 * TITLE_LENGTH])
    if not title:
        raise Invalid("title", "required")
    if len(title) > TITLE_LENGTH:
        raise Invalid("title", "too_long", limit=TITLE_LENGTH)
    return title


def _lines(text: str) -> str:
    details = "\n".join(clean_text(line) for line in text[: 20 * DETAILS_LENGTH].splitlines()).strip()
    if len(details) > DETAILS_LENGTH:
        raise Invalid("details", "too_long", limit=DETAILS_LENGTH)
    return details


def _moment(name: str, moment: datetime | None, now: datetime) -> datetime | None:
    if moment is None:
        return None
    if not EARLIEST <= moment <= now + AHEAD:
        raise Invalid(name, "not_within_years")
    return moment.astimezone(UTC).replace(microsecond=0)
