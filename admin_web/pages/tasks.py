"""What is to be done: lists by whose it is, one tap that marks it done, what is to be done for a customer."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from admin_web.auth import actor_of, requires, safe_next, signed_in, staff_of
from admin_web.forms import id_in, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import SHOP, now
from admin_web.navigation import NavItem
from admin_web.reach import cards_open_to
from admin_web.render import go_to, is_htmx, page, toast
from admin_web.task_words import GROUPS, STATES, TaskLine, groups_of, line_of
from loyalty.customers.queries import CustomerView, customer
from loyalty.staff.queries import StaffView, staff_list
from loyalty.staff.rules import Permission, may
from loyalty.tasks.actions import cancel_task, finish_task, reopen_task
from loyalty.tasks.queries import TaskFilters, TaskPlace, TaskView, open_tasks_of, task_for, tasks_page, viewer_of
from loyalty.tasks.rules import Due, Sight, sight_of

PATH = "/tasks"
NAV = NavItem("tasks", PATH, "list-checks", mark("Tasks"), "customers")
TABS = {"mine": mark("Mine"), "free": mark("Nobody's"), "all": mark("Everybody's"), "over": mark("Done")}
SEEN_BY = {
    Sight.OWN: ("mine", "over"),
    Sight.FREE: ("mine", "free", "over"),
    Sight.ALL: ("mine", "free", "all", "over"),
}
"""Which lists somebody has."""
DUE = (Due.OVERDUE, Due.TODAY, Due.LATER)
EMPTY = {
    "mine": (mark("Nothing to do"), mark("What colleagues give you appears here, and what you make for yourself.")),
    "free": (
        mark("No tasks without an assignee"),
        mark("What is given to nobody, or to somebody who has left, waits here."),
    ),
    "all": (mark("No open tasks"), mark("Calling back, ordering, looking into a complaint: write it down once.")),
    "over": (mark("Nothing was done yet"), mark("What is done or cancelled stands here, the latest first.")),
}


@signed_in
async def show_list(request: web.Request) -> web.Response:
    """GET /tasks?show=&assignee=&after=: one of the lists."""
    person = staff_of(request)
    names = SEEN_BY[sight_of(person.role)]
    show = request.query.get("show", "")
    show = show if show in names else names[0]
    colleagues = await staff_list() if show == "all" else []
    wanted, due = request.query.get("assignee", ""), request.query.get("due", "")
    assignee = next((one for one in colleagues if str(one.id) == wanted), None)
    due_in = Due(due) if show == "all" and due in DUE else None
    after = _place(request.query.get("after", ""))
    found, following = await tasks_page(
        viewer_of(person),
        _filters(show, person, assignee, due_in),
        after=after,
        now=now(request),
        zone=request[SHOP].time_zone,
    )
    lines = await lines_of(request, found)
    said = {"show": show} | ({"assignee": str(assignee.id)} if assignee else {}) | ({"due": due} if due_in else {})
    return page(
        request,
        "tasks/list.html",
        block="panel" if request.headers.get("HX-Target") == "tabpanel" else None,
        show=show,
        tabs=[(name, _(TABS[name]), f"{PATH}?show={name}", None) for name in names],
        groups=groups_of(lines) if show != "over" else [],
        lines=lines,
        states={state: (_(name), tint) for state, (name, tint) in STATES.items()},
        colleagues=[one for one in colleagues if one.is_active or one is assignee],
        assignee=assignee,
        dues=[("", _("Due at any time")), *((name.value, _(GROUPS[name])) for name in DUE)],
        due=due_in,
        here=f"{PATH}?{urlencode(said)}",
        following=f"{PATH}?{urlencode(said | {'after': _text(following)})}" if following else None,
        is_later=after is not None,
        empty=[_(text) for text in EMPTY[show]],
        can_make=_can_make(person),
    )


def _filters(show: str, person: StaffView, assignee: StaffView | None, due: Due | None) -> TaskFilters:
    if show == "mine":
        return TaskFilters(assignee_id=person.id)
    return TaskFilters(
        assignee_id=assignee.id if assignee else None, is_free=show == "free", is_over=show == "over", due=due
    )  # fmt: skip


async def lines_of(request: web.Request, found: list[TaskView]) -> list[TaskLine]:
    """Tasks as this reader sees them."""
    person, cards = staff_of(request), set[int]()
    if may(person.role, Permission.CUSTOMERS_READ):
        cards = await cards_open_to(person, {one.customer_id for one in found if one.customer_id is not None})
    return [line_of(one, has_card=one.customer_id in cards) for one in found]


@requires(Permission.CUSTOMERS_READ)
async def show_of_customer(request: web.Request) -> web.Response:
    """GET /customers/{id}/tasks: the part of the card that says what is to be done."""
    person = await customer(id_in(request))
    if not is_htmx(request):
        return web.Response(status=303, headers={"Location": f"/customers/{person.id}"})
    return page(request, "customers/_tasks.html", person=person, **await tasks_of(request, person))


async def tasks_of(request: web.Request, person: CustomerView) -> dict[str, Any]:
    """What `customers/_tasks.html` shows."""
    found = await open_tasks_of(person.id, viewer_of(staff_of(request)))
    return {"open_tasks": await lines_of(request, found), "can_make": _can_make(staff_of(request))}


def _can_make(person: StaffView) -> bool:
    return may(person.role, Permission.TASKS_MANAGE)


@signed_in
async def finish(request: web.Request) -> web.Response:
    """POST /tasks/{id}/done: at once, with an Undo."""
    task = await theirs(request)
    is_first = await finish_task(task.id, actor=actor_of(request), now=now(request))
    undo_url = f"{PATH}/{task.id}/reopen" if is_first else None
    return await say(request, _("The task is done.") if is_first else _("It was done already."), undo_url)


@requires(Permission.TASKS_MANAGE)
async def cancel(request: web.Request) -> web.Response:
    """POST /tasks/{id}/cancel: at once, with an Undo."""
    task = await theirs(request)
    await cancel_task(task.id, actor=actor_of(request), now=now(request))
    return await say(request, _("The task is cancelled."), f"{PATH}/{task.id}/reopen")


@signed_in
async def reopen(request: web.Request) -> web.Response:
    """POST /tasks/{id}/reopen: to be done after all."""
    task = await theirs(request)
    await reopen_task(task.id, actor=actor_of(request), now=now(request))
    return await say(request, _("The task is open again."))


async def theirs(request: web.Request) -> TaskView:
    """The task of the path, if whoever asks sees it. Raises NotFound("task")."""
    return await task_for(viewer_of(staff_of(request)), id_in(request))


async def say(request: web.Request, text: str, undo_url: str | None = None) -> web.Response:
    """What was done, as a toast: where one was, or on the way back from a page of its own.

    A dialog closes, and lists that are shown ask for themselves: they listen for "tasks".
    """
    form = await read_form(request)
    if not is_htmx(request) or form.value("where") == "page":
        return await go_to(request, safe_next(form.value("back") or PATH), say=text, undo_url=undo_url)
    in_dialog = form.value("where") == "dialog"
    response = toast(web.Response(status=200 if in_dialog else 204, content_type="text/html"), text, undo_url)
    response.headers["HX-Trigger"] = json.dumps(json.loads(response.headers["HX-Trigger"]) | {"tasks": True})
    if in_dialog:
        response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#dialog", "innerHTML"
    return response


def _place(text: str) -> TaskPlace | None:
    """A place from an address; one that nobody made is the beginning."""
    moment, _tilde, number = text.partition("~")
    if not is_id(number):
        return None
    if not moment:
        return TaskPlace(None, int(number))
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return TaskPlace(at, int(number)) if at.tzinfo is not None else None


def _text(place: TaskPlace) -> str:
    return f"{place.at.isoformat() if place.at else ''}~{place.id}"


_ONE = PATH + r"/{id:\d{1,18}}"
ROUTES = (
    web.get(PATH, show_list),
    web.post(f"{_ONE}/done", finish),
    web.post(f"{_ONE}/cancel", cancel),
    web.post(f"{_ONE}/reopen", reopen),
    web.get("/customers/{id}/tasks", show_of_customer),
)
