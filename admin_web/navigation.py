"""Where one can go: entries that pages declare, shown to those who may open them."""

from dataclasses import dataclass, field

from aiohttp import web

from admin_web.i18n import gettext, mark
from admin_web.keys import WORK
from admin_web.reach import is_open_to
from loyalty.office.queries.work import Work
from loyalty.staff.queries import StaffView
from loyalty.staff.rules import Permission, may

BAR_LIMIT = 5

GROUPS = {
    "": "",
    "customers": mark("Customers"),
    "marketing": mark("Marketing"),
    "sales": mark("Sales"),
    "settings": mark("Settings"),
}
"""Headings of the side bar, in order."""


@dataclass(frozen=True, slots=True)
class NavItem:
    """An entry of the navigation. `label` is marked with `mark`; `group` is a key of GROUPS.

    `in_bar` puts it in the bottom bar of a phone, which has five places. under: what else belongs to it.
    """

    key: str
    path: str
    icon: str
    label: str
    group: str
    permission: Permission | None = None
    in_bar: bool = False
    under: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The label in the reader's language."""
        return gettext(self.label)


@dataclass(frozen=True, slots=True)
class Navigation:
    """What one person sees: groups for the side bar, entries for a phone's bar and for its "More".

    counts: by key of an entry, how much waits behind it.
    """

    groups: list[tuple[str, list[NavItem]]] = field(default_factory=list)
    bar: list[NavItem] = field(default_factory=list)
    more: list[NavItem] = field(default_factory=list)
    current: str | None = None
    counts: dict[str, int] = field(default_factory=dict)


NAVIGATION: web.AppKey[tuple[NavItem, ...]] = web.AppKey("navigation", tuple)


def allowed_items(app: web.Application, staff: StaffView) -> list[NavItem]:
    """The entries this person may open, in the order of the pages."""
    return [
        item
        for item in app[NAVIGATION]
        if (item.permission is None or may(staff.role, item.permission)) and is_open_to(item.path, staff)
    ]


def navigation_of(request: web.Request, staff: StaffView) -> Navigation:
    """The navigation of this person on this page; the longest path that fits is the current entry."""
    items = allowed_items(request.app, staff)
    groups = [(gettext(heading), [item for item in items if item.group == key]) for key, heading in GROUPS.items()]
    preferred = [item for item in items if item.in_bar] or items
    # The last place is for "More", which always holds the account.
    bar = preferred[: BAR_LIMIT - 1]
    fitting = [item for item in items if any(_leads_to(path, request.path) for path in (item.path, *item.under))]
    return Navigation(
        groups=[(heading, entries) for heading, entries in groups if entries],
        bar=bar,
        more=[item for item in items if item not in bar],
        current=max(fitting, key=lambda item: len(item.path)).key if fitting else None,
        counts=_counts(request.get(WORK) or Work()),
    )


def _counts(work: Work) -> dict[str, int]:
    """How much waits behind an entry, by its key."""
    return {
        "conversations": work.chats,
        "tasks": work.tasks,
        "link_requests": work.link_requests,
        "credit_requests": work.credit_requests,
        "claims": work.claims,
        "channels": work.channels,
    }


def _leads_to(entry: str, path: str) -> bool:
    return path == entry or (entry != "/" and path.startswith(entry.rstrip("/") + "/"))
