"""Everything that happened to a person: a tab of their card, narrowed down by chips, all of it in the address."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from admin_web.auth import staff_of
from admin_web.forms import is_id
from admin_web.i18n import gettext as _
from admin_web.keys import now
from admin_web.timeline_words import GROUPS, Reader, line_of
from loyalty.customers.queries import CustomerView
from loyalty.office.queries.timeline import HALVES, Group, Place, timeline
from loyalty.shop.queries import programme_at
from loyalty.staff.rules import Permission, may


async def timeline_panel(request: web.Request, person: CustomerView) -> dict[str, Any]:
    """What `customers/_timeline.html` shows: ?show= names groups, one or several, and none means all."""
    role, here = staff_of(request).role, f"/customers/{person.id}"
    chosen = {group for group in Group if group in request.query.get("show", "").split(",")}
    before = request.query.get("before", "")
    found, following = await timeline(
        person.id, groups=chosen, with_words=may(role, Permission.MESSAGES_READ), before=_place(before)
    )
    programme = await programme_at(now(request))
    reader = Reader(person.id, programme, lambda permission: may(role, permission))
    return {
        "lines": [line_of(one, reader) for one in found],
        "chips": [
            (_(name), icon, group in chosen, _url(here, chosen ^ {group})) for group, (name, icon) in GROUPS.items()
        ],
        "all_url": _url(here, set()),
        "is_narrowed": bool(chosen),
        "newest": _url(here, chosen) if before else None,
        "older": _url(here, chosen, following) if following else None,
    }


def _url(here: str, groups: set[Group], before: Place | None = None) -> str:
    query = {"tab": "timeline"}
    if groups and groups != set(Group):
        query["show"] = ",".join(group.value for group in Group if group in groups)
    if before is not None:
        query["before"] = f"{before.at.isoformat()}~{before.kind}~{before.id}"
    return f"{here}?{urlencode(query, safe=',:~')}"


def _place(text: str) -> Place | None:
    """A place from an address; one that nobody made is the beginning."""
    moment, kind, number = [*text.split("~"), "", ""][:3]
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return Place(at, kind, int(number)) if is_id(number) and at.tzinfo is not None and kind in HALVES else None
