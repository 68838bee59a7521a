"""Tasks in words: where they stand, when they are due, when somebody is reminded."""

from dataclasses import dataclass
from datetime import datetime

from admin_web.formats import format_date, format_time
from admin_web.i18n import READER, mark
from admin_web.i18n import gettext as _
from loyalty.clock import business_date
from loyalty.tasks.queries import TaskView
from loyalty.tasks.rules import Due, Reminding, TaskOrigin, TaskState, due_of

GROUPS = {
    Due.OVERDUE: mark("Overdue"),
    Due.TODAY: mark("Today"),
    Due.LATER: mark("Later"),
    Due.ANY_TIME: mark("Without a date"),
}
REMINDERS = {
    Reminding.NONE: mark("No reminder"),
    Reminding.AT_DUE: mark("When it is due"),
    Reminding.HOUR_BEFORE: mark("An hour before"),
    Reminding.EVENING_BEFORE: mark("The evening before, at 19:00"),
    Reminding.OWN: mark("At a time of its own"),
}
STATES = {
    TaskState.OPEN: (mark("open"), "acc"),
    TaskState.DONE: (mark("done"), "good"),
    TaskState.CANCELLED: (mark("cancelled"), ""),
}
"""State -> (its name, the tint of its badge)."""
ORIGINS = {
    TaskOrigin.HAND: mark("by hand"),
    TaskOrigin.INBOX: mark("from a conversation"),
    TaskOrigin.SURVEY: mark("from an answer to a survey"),
    TaskOrigin.AUTOMATION: mark("from an automation"),
}


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task as a list shows it. has_card: whether the reader may open the card of its customer."""

    task: TaskView
    title: str
    due: Due
    when: str
    has_card: bool


def line_of(task: TaskView, *, has_card: bool) -> TaskLine:
    """A task for the reader of this request."""
    reader = READER.get()
    due = due_of(task.due_at, reader.now, reader.time_zone)
    return TaskLine(task, title_of(task), due, when(task.due_at) if task.due_at else "", has_card)


def title_of(task: TaskView) -> str:
    """Its words; or that they went with whom they were about."""
    return task.title or _("The words were erased with the customer")


def when(moment: datetime) -> str:
    """A moment near enough to be called by its day: today at 14:05."""
    reader = READER.get()
    days = (business_date(moment, reader.time_zone) - business_date(reader.now, reader.time_zone)).days
    if days == 0:
        return _("today at %(time)s") % {"time": format_time(moment)}
    if days == 1:
        return _("tomorrow at %(time)s") % {"time": format_time(moment)}
    if days == -1:
        return _("yesterday at %(time)s") % {"time": format_time(moment)}
    is_near = business_date(moment, reader.time_zone).year == business_date(reader.now, reader.time_zone).year
    day = format_date(moment, "d MMM") if is_near else format_date(moment)
    return _("%(day)s at %(time)s") % {"day": day, "time": format_time(moment)}


def groups_of(lines: list[TaskLine]) -> list[tuple[str, Due, list[TaskLine]]]:
    """Lines under the headings of their days, in the order in which they came."""
    found: dict[Due, list[TaskLine]] = {}
    for line in lines:
        found.setdefault(line.due, []).append(line)
    return [(_(GROUPS[due]), due, group) for due, group in found.items()]
