"""The inbox: conversations by who has to do with them, what was said in any, and one of them beside the list."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from admin_web.auth import requires, staff_of
from admin_web.chats import CHANNELS, heard_name, moment_short
from admin_web.forms import Form, is_id
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.navigation import NavItem
from admin_web.pages.conversation_chat import opened, place_of
from admin_web.pages.conversation_events import ROUTES as EVENTS
from admin_web.render import is_htmx, page
from loyalty.conversations.queries.inbox import (
    MOST_ROWS,
    ROWS,
    SHORTEST_SEARCH,
    Found,
    InboxRow,
    Show,
    inbox,
    inbox_counts,
    messages_saying,
    people_named,
)
from loyalty.customers.rules import clean_text
from loyalty.ids import fingerprint, new_key
from loyalty.staff.rules import Permission

PATH = "/conversations"
NAV = NavItem(
    "conversations",
    PATH,
    "message-circle",
    mark("Conversations"),
    "customers",
    Permission.MESSAGES_READ,
    in_bar=True,
)
SHOWS = {
    Show.OPEN: mark("All open"),
    Show.MINE: mark("Mine"),
    Show.UNASSIGNED: mark("Nobody's"),
    Show.CLOSED: mark("Closed ones"),
}
AROUND_HIT = 70
LIST_TARGET = "inbox-list"
SEARCH_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Row:
    """A conversation in the list. `words`: what was said last, `author` by whom of us; `version` changes with it."""

    chat: InboxRow
    href: str
    channel: str
    author: str
    words: str
    when: str
    waits: str
    version: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that has what one looked for: what stands before it, it, and what stands after."""

    found: Found
    href: str
    before: str
    words: str
    after: str
    when: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which list is asked for, by the address."""

    show: Show
    search: str
    rows: int
    place: tuple[datetime, int] | None
    before_id: int | None

    @property
    def query(self) -> str:
        """The part of an address that keeps the list as it is."""
        parts = {"show": self.show.value if self.show is not Show.OPEN else "", "q": self.search}
        return urlencode({name: value for name, value in parts.items() if value})


@requires(Permission.MESSAGES_READ)
async def show_inbox(request: web.Request) -> web.Response:
    """GET /conversations: the list alone."""
    return await _page(request, {})


@requires(Permission.MESSAGES_READ)
async def show_conversation(request: web.Request) -> web.Response:
    """GET /conversations/{account}: a conversation beside the list; `at` names a message to begin at."""
    place = await place_of(request)
    if _wants_list(request):
        return await _page(request, {})
    before, at = request.query.get("before", ""), request.query.get("at", "")
    form = Form({"key": new_key(), "account": str(place.main)})
    data = await opened(
        request,
        place,
        form,
        before_id=int(before) if is_id(before) else None,
        at=int(at) if is_id(at) else None,
    )
    return await _page(request, data)


@requires(Permission.MESSAGES_READ)
async def show_rows(request: web.Request) -> web.Response:
    """GET /conversations/list: the list as it is now, or 204 while it is as the asker has it; or its next rows."""
    wanted = _wanted(request)
    if not is_htmx(request):
        return web.Response(status=303, headers={"Location": f"{PATH}?{wanted.query}"})
    data = await _list_data(request, wanted)
    if wanted.search:
        return page(request, "conversations/_hits.html", **data)
    if wanted.place is not None:
        return page(request, "conversations/_rows.html", **data)
    if request.query.get("since") == data["version"]:
        return web.Response(status=204)
    return page(request, "conversations/_live.html", **data)


async def _page(request: web.Request, chat: dict[str, Any]) -> web.Response:
    """The inbox with a conversation or without; for htmx the half that it asks for."""
    data = {"chat": None, "is_part": False} | chat
    if chat and is_htmx(request) and not _wants_list(request):
        return page(
            request,
            "conversations/inbox.html",
            block="conversation",
            wanted=_wanted(request),
            **(data | {"is_part": True}),
        )
    listed = await _list_data(request, _wanted(request))
    return page(request, "conversations/inbox.html", block="list", **(listed | data))


def _wants_list(request: web.Request) -> bool:
    return is_htmx(request) and request.headers.get("HX-Target") == LIST_TARGET


async def _list_data(request: web.Request, wanted: Wanted) -> dict[str, Any]:
    data: dict[str, Any] = {
        "wanted": wanted,
        "shows": {show: _(name) for show, name in SHOWS.items()},
    }
    staff_id, mine = staff_of(request).id, staff_of(request).location_ids
    data["counts"] = await inbox_counts(staff_id, within=mine)
    if wanted.search:
        return data | await _search(wanted, mine)
    found, has_more = await inbox(wanted.show, staff_id, within=mine, before=wanted.place, limit=wanted.rows)
    rows = [_row(chat, wanted, staff_id) for chat in found]
    more = f"{found[-1].last_message_at.isoformat()}~{found[-1].account_id}" if has_more else ""
    counted = {show.value: count for show, count in data["counts"].items()}
    version = fingerprint({"rows": [row.version for row in rows], "more": more, "counts": counted})[:16]
    return data | {"rows": rows, "more": more, "version": version, "chat": None}


async def _search(wanted: Wanted, mine: tuple[int, ...] | None) -> dict[str, Any]:
    """People and messages with what was looked for, once it is long enough."""
    if len(wanted.search) < SHORTEST_SEARCH:
        return {"people": [], "hits": [], "more": "", "is_short": True, "chat": None}
    people = await people_named(wanted.search, within=mine) if wanted.before_id is None else []
    hits, earlier = await messages_saying(wanted.search, within=mine, before_id=wanted.before_id)
    return {
        "people": [_row(chat, wanted, None) for chat in people],
        "hits": [_hit(found, wanted) for found in hits],
        "more": str(earlier or ""),
        "is_short": False,
        "chat": None,
    }


def _wanted(request: web.Request) -> Wanted:
    query = request.query
    show = query.get("show", "")
    rows, before = query.get("rows", ""), query.get("hits", "")
    return Wanted(
        show=Show(show) if show in list(Show) else Show.OPEN,
        search=clean_text(query.get("q", ""))[:SEARCH_LENGTH],
        rows=min(MOST_ROWS, max(ROWS, int(rows))) if is_id(rows) else ROWS,
        place=_place(query.get("after", "")),
        before_id=int(before) if is_id(before) else None,
    )


def _place(text: str) -> tuple[datetime, int] | None:
    moment, _tilde, number = text.partition("~")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (at, int(number)) if at.tzinfo is not None and is_id(number) else None


def _row(chat: InboxRow, wanted: Wanted, staff_id: int | None) -> Row:
    """`staff_id`: whose list it is, if it is anybody's."""
    author = chat.author or "" if chat.direction == "out" else ""
    words = chat.text or ""
    if not words and chat.kind is not None:
        words = heard_name(chat.kind) if chat.direction == "in" else _("Picture or file")
    shown = {"chat": str(chat), "when": moment_short(chat.last_message_at), "mine": chat.assignee_id == staff_id}
    return Row(
        chat=chat,
        href=f"{PATH}/{chat.account_id}?{wanted.query}".rstrip("?"),
        channel=_(CHANNELS.get(chat.channel, chat.channel)),
        author=author,
        words=" ".join(words.split()),
        when=moment_short(chat.last_message_at),
        waits=moment_short(chat.waiting_since) if chat.waiting_since else "",
        version=fingerprint(shown)[:12],
    )


def _hit(found: Found, wanted: Wanted) -> Hit:
    text = " ".join(found.text.split())
    match = re.search(re.escape(wanted.search), text, re.IGNORECASE)
    start, end = match.span() if match else (0, 0)
    begin = max(0, start - AROUND_HIT)
    query = urlencode({"q": wanted.search, "at": found.message_id})
    return Hit(
        found=found,
        href=f"{PATH}/{found.account_id}?{query}#message-{found.message_id}",
        before=("…" if begin else "") + text[begin:start],
        words=text[start:end],
        after=text[end : end + AROUND_HIT] + ("…" if len(text) > end + AROUND_HIT else ""),
        when=moment_short(found.created_at),
    )


ROUTES = (
    web.get(PATH, show_inbox),
    web.get(f"{PATH}/list", show_rows),
    *EVENTS,
    web.get(f"{PATH}/{{account}}", show_conversation),
)
