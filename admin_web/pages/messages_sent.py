"""Everything that was sent: by type, messenger, state and period, with how many of each; what was lost, sent again."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.chats import CHANNELS, STATUSES, TOLD, WHY
from admin_web.formats import format_date, num
from admin_web.forms import Form, id_in, is_id
from admin_web.i18n import gettext as _
from admin_web.i18n import mark, ngettext
from admin_web.keys import SHOP, now
from admin_web.navigation import NavItem
from admin_web.render import go_to, page
from loyalty.clock import business_date, start_of_day
from loyalty.conversations.actions.again import send_again
from loyalty.conversations.queries.sent import (
    FATE_OF,
    LOOKED,
    LOST,
    Fate,
    SentFilters,
    SentMessage,
    Tally,
    sent_messages,
    sent_tallies,
)
from loyalty.conversations.rules import Status
from loyalty.staff.rules import Permission

PATH = "/messages"
NAV = NavItem("messages", PATH, "send", mark("Messages"), "customers", Permission.MESSAGES_READ)
PERIODS = (1, 7, 30)
USUAL = 7
OWN = "own"
FIELDS = ("kind", "channel", "state", "days", "since", "until")

KINDS = {
    "staff": mark("Written by staff"),
    "reply": mark("Answer of the bot"),
    "card": mark("Card with the code"),
    "invitation": mark("Invitation with its link"),
    "task_due": mark("Reminder of a task"),
    **TOLD,
}
"""Types of messages, those of conversations first."""
FATES = {
    Fate.SENT: (mark("Sent out"), "good"),
    Fate.DELIVERED: (mark("Delivered"), "good"),
    Fate.READ: (mark("Read"), "good"),
    Fate.WAITING: (mark("Waiting"), ""),
    Fate.FAILED: (mark("Not sent"), "bad"),
    Fate.UNKNOWN: (mark("Unknown"), "warn"),
    Fate.CANCELLED: (mark("Cancelled"), ""),
}
"""What became of messages: name, and how it is coloured. The last one has a place only where there are any."""


@dataclass(frozen=True, slots=True)
class Line:
    """A message as it is shown. `href`: where its conversation shows it. why: what went wrong, or is awaited."""

    message: SentMessage
    href: str
    kind: str
    channel: str
    words: str
    state: str
    symbol: str
    tint: str
    why: str
    instead_of: str
    can_again: bool


@dataclass(frozen=True, slots=True)
class Count:
    """How many messages something became of. `text` is "—" where their messengers do not tell."""

    fate: Fate
    name: str
    text: str
    href: str
    is_chosen: bool


@requires(Permission.MESSAGES_READ)
async def show_list(request: web.Request) -> web.Response:
    """GET /messages?kind=&channel=&state=&days=&since=&until=&before=: newest first."""
    form = _form(request)
    filters = _filters(form, request[SHOP].time_zone, now(request))
    filters = replace(filters, within=staff_of(request).location_ids)
    before = request.query.get("before", "")
    found = await sent_messages(filters, before_id=int(before) if is_id(before) else None)
    return page(
        request,
        "messages/list.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        form=form,
        lines=[_line(message) for message in found.messages],
        counts=_counts(form, await sent_tallies(filters)),
        chips=_chips(form),
        is_filtered=bool(form.values),
        looked=LOOKED if found.is_cut else None,
        older=_url(form.values | {"before": str(found.next_before)}) if found.next_before else None,
        newest=_url(form.values) if before else None,
        again=urlencode(form.values),
        **_choices(),
    )


@requires(Permission.MESSAGES_WRITE)
async def do_send_again(request: web.Request) -> web.Response:
    """POST /messages/{id}/again: another message instead of one that was lost; then the list as it was."""
    is_new = await send_again(id_in(request), actor=actor_of(request), now=now(request))
    say = _("It is sent again") if is_new else _("Another message went instead of it already")
    return await go_to(request, _url(_form(request).values), say=say)


def _form(request: web.Request) -> Form:
    """The filters of the address that mean something; what is usual is left out."""
    form = Form({name: request.query[name] for name in FIELDS if request.query.get(name)})
    known = {
        "kind": KINDS,
        "channel": CHANNELS,
        "state": list(Fate),
        "days": [OWN, *(str(n) for n in PERIODS if n != USUAL)],
    }
    for name, options in known.items():
        if form.value(name) not in options:
            form.values.pop(name, None)
    if form.value("days") != OWN:
        form.values.pop("since", None)
        form.values.pop("until", None)
    return form


def _filters(form: Form, zone: str, moment: datetime) -> SentFilters:
    """What the form asks for; days are the shop's, and the last of them is whole."""
    fate = Fate(form.value("state")) if form.value("state") else None
    since, until = form.day("since"), form.day("until")
    if form.value("days") != OWN:
        since = business_date(moment, zone) - timedelta(days=int(form.value("days") or USUAL) - 1)
    return SentFilters(
        kind=form.value("kind") or None,
        channel=form.value("channel") or None,
        fate=fate,
        since=_start(since, zone),
        until=_start(until + timedelta(days=1), zone) if until and until < date.max else None,
    )


def _start(day: date | None, zone: str) -> datetime | None:
    # The first years of the calendar have no instants in zones east of Greenwich.
    return start_of_day(day, zone) if day is not None and day.year > 1 else None


def _line(message: SentMessage) -> Line:
    state, symbol = STATUSES[message.status]
    fate = FATE_OF[message.status]
    is_explained = fate in LOST or fate is Fate.WAITING
    picture = _("Picture or file") if message.has_file or message.picture else ""
    return Line(
        message=message,
        href=f"/conversations/{message.account_id}?at={message.id}#message-{message.id}",
        kind=_(KINDS.get(message.kind, message.kind)),
        channel=_(CHANNELS.get(message.channel, message.channel)),
        words=" ".join(message.words.split()) or picture,
        state=_(state),
        symbol=symbol,
        tint=FATES[fate][1] if fate in LOST else "",
        why=_(WHY.get(message.reason, message.reason)) if is_explained and message.reason else "",
        instead_of=_(CHANNELS.get(message.instead_of, message.instead_of)) if message.instead_of else "",
        can_again=message.status in {Status.FAILED, Status.UNKNOWN} and not message.is_replaced,
    )


def _counts(form: Form, tallies: dict[Fate, Tally]) -> list[Count]:
    """The strip: each count leads to its messages, the chosen one back to all of them."""
    others = {name: value for name, value in form.values.items() if name != "state"}
    counts = []
    for fate, (name, _tint) in FATES.items():
        tally, is_chosen = tallies[fate], form.value("state") == fate
        if fate is Fate.CANCELLED and not tally.count and not is_chosen:
            continue
        href = _url(others if is_chosen else others | {"state": fate.value})
        counts.append(Count(fate, _(name), _count_text(tally), href, is_chosen))
    return counts


def _count_text(tally: Tally) -> str:
    """A dash where nobody tells of such a thing, dots where some may lie further back."""
    if not tally.is_told:
        return "—"
    if tally.is_least:
        return f"{num(tally.count)}+" if tally.count else "…"
    return num(tally.count)


def _choices() -> dict[str, Any]:
    days = [(str(n), _("Today") if n == 1 else ngettext("%(n)s day", "%(n)s days", n) % {"n": n}) for n in PERIODS]
    return {
        "kinds": [("", _("Every type")), *((kind, _(name)) for kind, name in KINDS.items())],
        "channels": [("", _("Every channel")), *((channel, _(name)) for channel, name in CHANNELS.items())],
        "states": [("", _("Every state")), *((fate.value, _(name)) for fate, (name, _tint) in FATES.items())],
        "periods": [*days, (OWN, _("Days of your choice"))],
    }


def _chips(form: Form) -> list[tuple[str, str, str]]:
    """Filters in force: name, value, and the address without it."""
    since, until = form.day("since"), form.day("until")
    shown = {
        "kind": (_("Type"), _(KINDS.get(form.value("kind"), ""))),
        "channel": (_("Channel"), _(CHANNELS.get(form.value("channel"), ""))),
        "state": (_("State"), _(FATES[Fate(form.value("state"))][0]) if form.value("state") else ""),
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


ROUTES = (web.get(PATH, show_list), web.post(PATH + "/{id}/again", do_send_again))
