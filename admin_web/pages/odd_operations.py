"""Odd operations for the owner: groups of what honest work does seldom, each leading to its very entries."""

import json
from datetime import date
from urllib.parse import urlencode

from aiohttp import web

from admin_web.auth import requires
from admin_web.forms import is_id
from admin_web.i18n import gettext as _
from admin_web.i18n import mark, ngettext
from admin_web.keys import SHOP, now
from admin_web.navigation import NavItem
from admin_web.odd_words import TITLES, WHY, key_of, section_of
from admin_web.render import page
from admin_web.words import REASONS, reason_text
from loyalty.clock import business_date
from loyalty.errors import Refused
from loyalty.office.queries.odd import GROUPS, KEYS, OddKey, OddKind, OddLine, Period, odd_groups, odd_lines
from loyalty.shop.queries import locations
from loyalty.staff.rules import Permission

PATH = "/odd-operations"
NAV = NavItem("odd", PATH, "scan-eye", mark("Odd operations"), "settings", Permission.ODD_READ)
PERIODS = (1, 7, 30)
USUAL = 7
ALWAYS_SHOWN = frozenset(OddKind) - {OddKind.REFUSED}
"""Kinds that say so when there is nothing of them."""


@requires(Permission.ODD_READ)
async def show(request: web.Request) -> web.Response:
    """GET /odd-operations?days=: what is odd in the last days, by kind."""
    days = _days(request)
    found = await odd_groups(_period(request, days))
    sections = [section_of(kind, found[kind]) for kind in OddKind if found[kind] or kind in ALWAYS_SHOWN]
    return page(
        request,
        "odd_operations/list.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        days=days,
        periods=[(n, _("Today") if n == 1 else ngettext("%(n)s day", "%(n)s days", n) % {"n": n}) for n in PERIODS],
        sections=sections,
        href=lambda kind, group: _url(kind, {"days": str(days)} | key_of(kind, group)),
        most=GROUPS,
        untold=[place for place in await locations(only_open=True) if place.hours is None],
    )


@requires(Permission.ODD_READ)
async def show_entries(request: web.Request) -> web.Response:
    """GET /odd-operations/{kind}?days=&staff=&customer=&location=&day=&before=: the entries of one group."""
    name = request.match_info["kind"]
    if name not in list(OddKind):
        raise web.HTTPNotFound
    kind, days, before = OddKind(name), _days(request), request.query.get("before", "")
    lines, following = await odd_lines(
        kind, _key(request, kind), _period(request, days), before_id=int(before) if is_id(before) else None
    )
    kept = {name: value for name, value in request.query.items() if name in (*KEYS[kind], "days")}
    return page(
        request,
        "odd_operations/entries.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        kind=kind,
        title=_(TITLES[kind]),
        why=_(WHY[kind]),
        back=f"{PATH}?days={days}",
        lines=[(line, _line_href(kind, line), _reason(line)) for line in lines],
        older=_url(kind, kept | {"before": str(following)}) if following else None,
        newest=_url(kind, kept) if before else None,
    )


def _days(request: web.Request) -> int:
    wanted = request.query.get("days", "")
    return int(wanted) if wanted in {str(n) for n in PERIODS} else USUAL


def _period(request: web.Request, days: int) -> Period:
    zone = request[SHOP].time_zone
    return Period.until(business_date(now(request), zone), days, zone)


def _key(request: web.Request, kind: OddKind) -> OddKey:
    """Which group the address names. Raises HTTPNotFound for what can be none."""
    numbers: dict[str, int] = {}
    day: date | None = None
    for name in KEYS[kind]:
        text = request.query.get(name, "")
        if name == "day":
            try:
                day = date.fromisoformat(text)
            except ValueError:
                raise web.HTTPNotFound from None
        elif is_id(text) and (name == "customer" or len(text) <= 9):
            numbers[name] = int(text)
        elif text or name != "staff":
            # Only the person may be missing: then another program did it.
            raise web.HTTPNotFound
    return OddKey(**numbers, day=day)


def _line_href(kind: OddKind, line: OddLine) -> str:
    """Where the card of the customer shows this entry: the operation, or the receipts from it on."""
    card = f"/customers/{line.customer_id}"
    if kind is OddKind.MANUAL:
        return f"{card}/bonuses/entries/{line.id}"
    if kind is OddKind.REFUSED:
        return card
    return f"{card}?{urlencode({'tab': 'receipts', 'before': f'{line.at.isoformat()}~{line.id + 1}'})}"


def _reason(line: OddLine) -> str:
    details = json.loads(line.details)
    return reason_text(Refused(**details)) if details.get("reason") in REASONS else ""


def _url(kind: OddKind, values: dict[str, str]) -> str:
    return f"{PATH}/{kind.value}?{urlencode(values)}"


ROUTES = (web.get(PATH, show), web.get(PATH + "/{kind}", show_entries))
