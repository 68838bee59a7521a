"""One task: making it, changing it, looking at it. A dialog, and a page for browsers without scripts."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from aiohttp import web

from admin_web.auth import actor_of, requires, safe_next, signed_in, staff_of
from admin_web.forms import Form, form_of, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.keys import SHOP, now
from admin_web.pages.tasks import PATH, say, theirs
from admin_web.reach import cards_open_to
from admin_web.render import is_htmx, page
from admin_web.task_words import ORIGINS, REMINDERS, STATES, line_of
from loyalty.customers.queries import customer
from loyalty.customers.rules import parse_search
from loyalty.errors import Invalid, LoyaltyError, NotFound
from loyalty.ids import new_key
from loyalty.office.queries.merges import others_found
from loyalty.staff.queries import staff_list
from loyalty.staff.rules import Permission, may
from loyalty.tasks.actions import add_task, change_task
from loyalty.tasks.queries import TaskView
from loyalty.tasks.rules import (
    DETAILS_LENGTH,
    KEY_LENGTH,
    TITLE_LENGTH,
    Reminding,
    TaskDraft,
    TaskOrigin,
    remind_moment,
    reminding_of,
)

USUAL_TIME = time(18)
"""By when something is due whose day alone was said."""
BY_PEOPLE = (TaskOrigin.HAND, TaskOrigin.INBOX)
FIELDS = ("title", "details", "customer", "assignee", "day", "time", "remind", "own_day", "own_time", "key", "origin",
    "back")  # fmt: skip
_TIME = re.compile(r"[0-2][0-9]:[0-5][0-9]")


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody whom a task may be about."""

    id: int
    name: str
    phone: str | None


@requires(Permission.TASKS_MANAGE)
async def show_new(request: web.Request) -> web.Response:
    """GET /tasks/new?customer=&origin=&back=: the form; a dialog for htmx. With `find` it comes as it was filled in."""
    form = Form({name: request.query[name] for name in FIELDS if name in request.query})
    form.values.setdefault("key", new_key())
    form.values.setdefault("assignee", str(staff_of(request).id))
    form.values.setdefault("remind", Reminding.NONE.value)
    return await _form_page(request, form, None)


@requires(Permission.TASKS_MANAGE)
async def add(request: web.Request) -> web.Response:
    """POST /tasks. The form's key makes a second click harmless."""
    form = await read_form(request)
    origin = form.value("origin")
    draft = await _draft(request, form, None)
    if draft is not None:
        key = f"panel:{form.value('key') or new_key()}"[:KEY_LENGTH]
        made = TaskOrigin(origin) if origin in BY_PEOPLE else TaskOrigin.HAND
        try:
            await add_task(draft, key=key, origin=made, actor=actor_of(request), now=now(request))
        except LoyaltyError as error:
            _refuse(form, error)
        else:
            return await say(request, _("The task is made."))
    return await _form_page(request, form, None, status=422)


@signed_in
async def show_one(request: web.Request) -> web.Response:
    """GET /tasks/{id}: its form for who may change it, else what it says; a dialog for htmx."""
    task = await theirs(request)
    if not _may_change(request, task):
        return await _look_page(request, task)
    if "find" in request.query:
        form = Form({name: request.query[name] for name in FIELDS if name in request.query})
    else:
        form = form_of(_values(task, request[SHOP].time_zone) | {"back": request.query.get("back", "")})
    return await _form_page(request, form, task)


@requires(Permission.TASKS_MANAGE)
async def save(request: web.Request) -> web.Response:
    """POST /tasks/{id}: what the form says from now on."""
    form, task = await read_form(request), await theirs(request)
    draft = await _draft(request, form, task)
    if draft is not None:
        try:
            await change_task(task.id, draft, actor=actor_of(request), now=now(request))
        except LoyaltyError as error:
            _refuse(form, error)
        else:
            return await say(request, _("The task is changed."))
    return await _form_page(request, form, task, status=422)


@requires(Permission.TASKS_MANAGE)
async def find(request: web.Request) -> web.Response:
    """GET /tasks/found?q=&customer=: whom the task may be about, for its form."""
    if not is_htmx(request):
        return web.Response(status=303, headers={"Location": f"{PATH}/new"})
    form = Form({name: request.query.get(name, "") for name in ("customer", "q")})
    return page(request, "tasks/edit.html", block="people", form=form, people=await _people(request, form, None))


def _may_change(request: web.Request, task: TaskView) -> bool:
    """What is over, or about somebody who was erased, is looked at alone."""
    return task.is_open and task.title != "" and may(staff_of(request).role, Permission.TASKS_MANAGE)


def _values(task: TaskView, zone: str) -> dict[str, object]:
    """The form of a task that is known."""
    due, remind = (at.astimezone(ZoneInfo(zone)) if at else None for at in (task.due_at, task.remind_at))
    chosen = reminding_of(task.remind_at, task.due_at, zone)
    own = remind if chosen is Reminding.OWN else None
    return {
        "title": task.title,
        "details": task.details,
        "customer": task.customer_id,
        "assignee": task.assignee_id,
        "day": due.date() if due else None,
        "time": f"{due:%H:%M}" if due else None,
        "remind": chosen.value,
        "own_day": own.date() if own else None,
        "own_time": f"{own:%H:%M}" if own else None,
    }


def _refuse(form: Form, error: LoyaltyError) -> None:
    """Say in the form what is wrong. Raises NotFound("task") on."""
    if isinstance(error, NotFound):
        if error.reason != "customer":
            raise error
        error = Invalid("customer", "unknown_choice")
    # The form has the day and the time of a moment apart.
    if isinstance(error, Invalid) and error.field in {"due_at", "remind_at"}:
        error = Invalid("day" if error.field == "due_at" else "own_day", error.reason, **error.details)
    form.refuse(error)


async def _draft(request: web.Request, form: Form, known: TaskView | None) -> TaskDraft | None:
    """The task in the form, or None with the form saying what is wrong."""
    zone = request[SHOP].time_zone
    title = form.text("title", required=True)
    customer_id = await _customer(request, form, known)
    assignee = form.choice("assignee", [value for value, _name in await _assignees(request, known)])
    due_at = _moment(form, "day", "time", zone)
    remind_at = _remind_at(form, due_at, zone)
    if not form.ok:
        return None
    return TaskDraft(title, form.value("details"), customer_id, int(assignee) if assignee else None, due_at, remind_at)


async def _customer(request: web.Request, form: Form, known: TaskView | None) -> int | None:
    """Whom the task is about: somebody whom the reader reaches, or who it was about already."""
    value = form.text("customer")
    if not value:
        return None
    if is_id(value):
        number = int(value)
        if (known is not None and known.customer_id == number) or await cards_open_to(staff_of(request), [number]):
            return number
    form.refuse(Invalid("customer", "unknown_choice"))
    return None


def _moment(form: Form, day_name: str, time_name: str, zone: str) -> datetime | None:
    """A local day and time of the form as a moment; None where there is no day."""
    day, text, at = form.day(day_name), form.text(time_name), USUAL_TIME
    if text:
        try:
            at = time.fromisoformat(text) if _TIME.fullmatch(text) else at
        except ValueError:
            text = ""
        if not _TIME.fullmatch(text):
            form.refuse(Invalid(time_name, "not_a_time"))
    if day is None:
        if text and not form.error(day_name):
            form.refuse(Invalid(day_name, "required"))
        return None
    try:
        return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)
    except OverflowError:
        form.refuse(Invalid(day_name, "not_a_date"))
        return None


def _remind_at(form: Form, due_at: datetime | None, zone: str) -> datetime | None:
    chosen = Reminding(form.choice("remind", list(Reminding)))
    if chosen is Reminding.OWN:
        form.text("own_day", required=True)
        return _moment(form, "own_day", "own_time", zone)
    try:
        return remind_moment(chosen, due_at, zone)
    except Invalid as error:
        # A day that is wrong is said to be, and nothing more.
        if not form.error("day"):
            form.refuse(error)
        return None


async def _assignees(request: web.Request, known: TaskView | None) -> list[tuple[str, str]]:
    """Nobody, oneself, colleagues; and who has it, even if they have left."""
    me = staff_of(request)
    others = [one for one in await staff_list() if one.is_active and one.id != me.id]
    found = [("", _("Nobody yet")), (str(me.id), _("Me")), *((str(one.id), one.name) for one in others)]
    if known is not None and known.assignee_id is not None and known.assignee_name is not None:
        value = str(known.assignee_id)
        if all(value != one for one, _name in found):
            found.append((value, _("%(name)s, who has left") % {"name": known.assignee_name}))
    return found


async def _people(request: web.Request, form: Form, known: TaskView | None) -> list[Choice]:
    """Who is chosen, and who else is found by the words of the search."""
    reader, chosen = staff_of(request), form.value("customer")
    people = []
    if is_id(chosen) and await cards_open_to(reader, [int(chosen)]):
        with suppress(NotFound):
            person = await customer(int(chosen))
            people.append(Choice(person.id, person.name, person.phone))
    elif known is not None and chosen == str(known.customer_id):
        # They are out of reach, and what is to be done for them is not.
        people.append(Choice(int(chosen), known.customer_name or "", None))
    search = parse_search(form.value("q"), request[SHOP].region)
    sees_phones = may(reader.role, Permission.PHONES_READ)
    besides = people[0].id if people else 0
    found = await others_found(search, besides, by_phone=sees_phones, within=reader.location_ids)
    return [*people, *(Choice(one.id, one.name, one.phone) for one in found)]


async def _form_page(request: web.Request, form: Form, task: TaskView | None, *, status: int = 200) -> web.Response:
    form.values.setdefault("q", request.query.get("q", ""))
    form.values["back"] = safe_next(form.value("back") or PATH)
    return page(
        request,
        "tasks/edit.html",
        block="form" if request.method == "POST" else "dialog",
        status=status,
        form=form,
        task=task,
        people=await _people(request, form, task),
        where=_where(request, form),
        url=f"{PATH}/{task.id}" if task else PATH,
        assignees=await _assignees(request, task),
        reminders=[(choice.value, _(text)) for choice, text in REMINDERS.items()],
        title_length=TITLE_LENGTH,
        details_length=DETAILS_LENGTH,
        usual_time=f"{USUAL_TIME:%H:%M}",
        made_by=_(ORIGINS[task.origin]) if task else "",
    )


def _where(request: web.Request, form: Form) -> str:
    """Where the form stands: in a dialog over another page, or on a page of its own."""
    if request.method == "POST":
        return "dialog" if form.value("where") == "dialog" else "page"
    return "dialog" if is_htmx(request) else "page"


async def _look_page(request: web.Request, task: TaskView) -> web.Response:
    person = staff_of(request)
    cards = set[int]()
    if task.customer_id is not None and may(person.role, Permission.CUSTOMERS_READ):
        cards = await cards_open_to(person, [task.customer_id])
    state, tint = STATES[task.state]
    return page(
        request,
        "tasks/show.html",
        block="dialog",
        line=line_of(task, has_card=task.customer_id in cards),
        task=task,
        state=(_(state), tint),
        made_by=_(ORIGINS[task.origin]),
        back=safe_next(request.query.get("back") or PATH),
        where="dialog" if is_htmx(request) else "page",
    )


_ONE = PATH + r"/{id:\d{1,18}}"
ROUTES = (
    web.get(f"{PATH}/new", show_new),
    web.get(f"{PATH}/found", find),
    web.post(PATH, add),
    web.get(_ONE, show_one),
    web.post(_ONE, save),
)
