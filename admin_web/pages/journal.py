"""Who did what, when: read-only, newest first."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from aiohttp import web

from admin_web.acts import act_text, actor_text
from admin_web.auth import requires, staff_of
from admin_web.formats import format_date
from admin_web.forms import Form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import SHOP
from admin_web.navigation import NavItem
from admin_web.render import page
from loyalty.clock import start_of_day
from loyalty.shop.queries import locations
from loyalty.staff.queries import JournalFilters, JournalLine, journal_actions, journal_page, staff_list
from loyalty.staff.rules import Permission, may

PATH = "/journal"
NAV = NavItem("journal", PATH, "scroll-text", mark("Journal"), "settings", Permission.JOURNAL_READ)
LINES = 50
FIELDS = ("staff", "action", "since", "until")

SUBJECTS = {
    "customer": (mark("Customer № %(n)s"), "/customers/{}"),
    "segment": (mark("Segment № %(n)s"), "/segments/{}"),
    "automation": (mark("Automation № %(n)s"), "/automations/{}"),
    "category": (mark("Category № %(n)s"), "/categories"),
    "importance": (mark("Class of importance № %(n)s"), "/categories"),
    "export": (mark("Exported file № %(n)s"), "/customers/exports/{}"),
    "file_import": (mark("File № %(n)s"), "/customers/imports/{}"),
    "mass_action": (mark("Act on many № %(n)s"), "/customers/actions/{}"),
}
"""What has a page that the reader of the journal may open, by its number."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it is shown. `subject` names what the act was about; it links there when there is a page."""

    at: datetime
    who: str
    text: str
    subject: str
    href: str


@requires(Permission.JOURNAL_READ)
async def show(request: web.Request) -> web.Response:
    """GET /journal?staff=&action=&since=&until=&before=."""
    form = Form({name: request.query[name] for name in FIELDS if request.query.get(name)})
    since, until = form.day("since"), form.day("until")
    zone = request[SHOP].time_zone
    reader = staff_of(request)
    filters = JournalFilters(
        staff_id=form.number("staff"),
        action=form.text("action") or None,
        since=start_of_day(since, zone) if since else None,
        until=start_of_day(until + timedelta(days=1), zone) if until else None,
        reader_id=reader.id,
        within=reader.location_ids,
    )
    sees_chats = may(reader.role, Permission.MESSAGES_READ)
    people = {person.id: person.name for person in await staff_list()}
    places = {place.id: place.name for place in await locations()}
    found = await journal_page(filters, Form({"before": request.query.get("before", "")}).number("before"), LINES)
    return page(
        request,
        "journal/list.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        form=form,
        lines=[_line(line, people, places, sees_chats=sees_chats) for line in found.lines],
        people=[("", _("Everybody")), *((str(key), name) for key, name in people.items())],
        actions=[("", _("All acts")), *((code, act_text(code)) for code in await journal_actions())],
        chips=_chips(form, people, since, until),
        older=_url(form.values | {"before": str(found.next_before)}) if found.next_before else None,
        newest=_url(form.values) if request.query.get("before") else None,
    )


def _line(line: JournalLine, people: dict[int, str], places: dict[int, str], *, sees_chats: bool) -> Line:
    subject, href = _subject(line, people, places, sees_chats=sees_chats)
    return Line(
        at=line.at,
        who=actor_text(line.actor_kind, line.staff_name),
        text=act_text(line.action, line.details),
        subject=subject,
        href=href,
    )


def _subject(line: JournalLine, people: dict[int, str], places: dict[int, str], *, sees_chats: bool) -> tuple[str, str]:
    number = line.subject_id
    if line.subject_kind is None or number is None:
        return "", ""
    if line.subject_kind in SUBJECTS:
        text, path = SUBJECTS[line.subject_kind]
        return _(text) % {"n": number}, path.format(number)
    if line.subject_kind == "staff":
        return people.get(number, f"№ {number}"), ""
    if line.subject_kind == "location":
        return places.get(number, f"№ {number}"), ""
    if line.subject_kind == "receipt":
        return _("Receipt № %(n)s") % {"n": number}, ""
    if line.subject_kind == "task":
        return _("Task № %(n)s") % {"n": number}, ""
    if line.subject_kind == "claim":
        return _("Receipt from the chat № %(n)s") % {"n": number}, ""
    if line.subject_kind == "key":
        return _("API key № %(n)s") % {"n": number}, ""
    if line.subject_kind == "account":
        return _("Chat № %(n)s") % {"n": number}, f"/conversations/{number}" if sees_chats else ""
    return f"№ {number}", ""


def _chips(form: Form, people: dict[int, str], since: date | None, until: date | None) -> list[tuple[str, str, str]]:
    """Filters in force: name, value, and the address without it."""
    who = form.number("staff")
    shown = {
        "staff": (_("Who"), people.get(who, f"№ {who}") if who else ""),
        "action": (_("What"), act_text(form.text("action")) if form.text("action") else ""),
        "since": (_("From"), format_date(since) if since else ""),
        "until": (_("To"), format_date(until) if until else ""),
    }
    return [
        (name, value, _url({key: text for key, text in form.values.items() if key != field}))
        for field, (name, value) in shown.items()
        if value
    ]


def _url(values: dict[str, str]) -> str:
    return f"{PATH}?{urlencode(values)}" if values else PATH


ROUTES = (web.get(PATH, show),)
