"""What somebody looks at in the client base, as the address says it: `q`, `f`, `location`, `sort`, `dir`, `cols`.

And a place in it, `after` or `before`.
"""

import base64
import binascii
import json
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from yarl import URL

from admin_web.auth import staff_of
from admin_web.base_columns import COLUMNS, Shown, layout, layout_from
from admin_web.forms import is_id
from admin_web.i18n import gettext as _
from admin_web.keys import SHOP
from admin_web.reach import places_for
from loyalty.customers.rules import parse_search
from loyalty.segments.filters import checked
from loyalty.segments.queries import columns
from loyalty.segments.queries.base import DEFAULT_ORDER, Look
from loyalty.segments.queries.finding import Cursor
from loyalty.segments.queries.views import table_layout
from loyalty.segments.rules.trees import Group, tree_from, tree_text
from loyalty.staff.rules import Permission, may

PATH = "/customers"
KEPT = ("q", "f", "location", "sort", "dir", "cols")
"""What of an address shapes the list; the rest is a place in it."""


def look_of(request: web.Request) -> Look:
    """What the address asks for. Raises Invalid("filter") for a filter that nobody can ask."""
    query = request.query
    key = query.get("sort", "")
    order = key if key in COLUMNS and columns.COLUMNS[key].order else DEFAULT_ORDER
    descending = query.get("dir", "asc" if COLUMNS[order].up else "desc") != "asc"
    return Look(
        search=parse_search(query.get("q", ""), request[SHOP].region),
        tree=checked(tree_from(query.get("f", ""))),
        order=order,
        descending=descending,
        by_phone=may(staff_of(request).role, Permission.PHONES_READ),
        locations=locations_of(request),
    )


def locations_of(request: web.Request) -> tuple[int, ...] | None:
    """Whose base is looked at: of the locations that the address names, as far as the reader's rights reach.

    Else of all that they reach; None for the whole chain.
    """
    mine = staff_of(request).location_ids
    named = {int(text) for text in request.query.get("location", "").split(".") if is_id(text) and len(text) <= 9}
    chosen = tuple(sorted(named if mine is None else named.intersection(mine)))
    return chosen or mine


def location_value(look: Look) -> str:
    """How an address names the locations of a look; empty for the whole chain."""
    return ".".join(str(one) for one in look.locations or ())


async def location_choices(request: web.Request) -> tuple[str, list[tuple[str, str]]]:
    """(what is chosen, [(value, name)]) of the switch between the bases of locations; no choice among less than two.

    An address may name several at once: they stand there as one choice.
    """
    person = staff_of(request)
    places = await places_for(person)
    if len(places) < 2:
        return "", []
    chosen = locations_of(request)
    value = "" if chosen == person.location_ids else ".".join(str(one) for one in chosen or ())
    options = [("", _("All locations")), *((str(place.id), place.name) for place in places)]
    if value not in dict(options):
        options.append((value, ", ".join(place.name for place in places if chosen and place.id in chosen) or value))
    return value, options


async def columns_of(request: web.Request) -> list[Shown]:
    """The columns that the address names, else those that the reader chose."""
    if "cols" in request.query:
        return layout(layout_from(request.query["cols"]))
    return layout(await table_layout(staff_of(request).id))


def list_url(request: web.Request, **changes: str | None) -> str:
    """The list as it is looked at, with changes: another filter begins at its first page. None leaves a part out."""
    kept: dict[str, str | None] = {name: request.query[name] for name in KEPT if request.query.get(name)}
    wanted = {name: value for name, value in (kept | changes).items() if value}
    return str(URL(PATH).with_query(wanted))


def with_tree(request: web.Request, tree: Group) -> str:
    """The list filtered by another tree."""
    return list_url(request, f=tree_text(tree) or None)


def part_url(request: web.Request, path: str) -> str:
    """Another page about the same list."""
    return str(URL(path).with_query({name: request.query[name] for name in KEPT if request.query.get(name)}))


def place_url(request: web.Request, side: str, cursor: Cursor | None) -> str | None:
    """The page that begins after a row, or ends before it."""
    if cursor is None:
        return None
    packed = json.dumps([cursor.value, cursor.id, cursor.before], ensure_ascii=False, separators=(",", ":"))
    return list_url(request, **{side: base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")})


def place_in(request: web.Request, side: str, order: str) -> Cursor | None:
    """A place from an address; one that nobody made is the beginning of the list."""
    text = request.query.get(side)
    if not text:
        return None
    try:
        value, id_, before = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        cursor = Cursor(value, int(id_), int(before))
    except (ValueError, TypeError, binascii.Error):
        return None
    return cursor if abs(cursor.id) < 2**62 and _fits(value, order) else None


def address_now(request: web.Request) -> str:
    """The list that a part of the page belongs to, as the browser shows it; the plain list when that is unknown."""
    parts = urlsplit(request.headers.get("HX-Current-URL", "") or request.headers.get("Referer", ""))
    if parts.path != PATH:
        return PATH
    return str(URL.build(path=PATH, query_string=parts.query, encoded=True))


def _fits(value: Any, order: str) -> bool:
    """Whether a value can be compared with those of an order."""
    found = columns.COLUMNS[order].order
    assert found is not None
    if found.type == "text":
        return isinstance(value, str) and "\x00" not in value
    if found.type == "timestamptz":
        return isinstance(value, str) and _is_moment(value)
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**62


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
