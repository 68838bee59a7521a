"""The overview: what the programme brings and costs, by period and location. Each part comes when it is counted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from admin_web.auth import requires, staff_of
from admin_web.dashboard_parts import PART_DATA
from admin_web.dashboard_words import OWN, PERIODS, compared_text, days_text
from admin_web.forms import Form, is_id
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import SHOP, now
from admin_web.navigation import NavItem
from admin_web.reach import places_for
from admin_web.render import page
from loyalty.errors import Invalid
from loyalty.office.actions.dashboard import look_at
from loyalty.office.dashboard import USUAL, Look, Part, Window, own_period, window_of
from loyalty.office.queries.dashboard import Kept
from loyalty.office.queries.dashboard.campaigns import best_campaigns
from loyalty.shop.queries import has_customers
from loyalty.shop.rules import LocationView
from loyalty.staff.rules import Permission, may

PATH = "/dashboard"
NAV = NavItem(
    "dashboard", PATH, "layout-dashboard", mark("Overview"), "", Permission.DASHBOARD_READ, in_bar=True
)  # fmt: skip
FIELDS = ("period", "since", "until", "location")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for. location: the one that was chosen; locations: those that count, None for all."""

    form: Form
    period: str
    window: Window
    places: list[LocationView]
    location: int | None
    locations: tuple[int, ...] | None

    def look(self, part: Part) -> Look:
        """One part of it."""
        return Look.of(part, self.period, self.locations)


@requires(Permission.DASHBOARD_READ)
async def show(request: web.Request) -> web.Response:
    """GET /dashboard?period=&since=&until=&location=: what is known now; parts that are not yet come by themselves."""
    asked = await _asked(request)
    looks = {part: asked.look(part) for part in Part}
    zone, moment = request[SHOP].time_zone, now(request)
    known = await look_at(list(looks.values()), now=moment, zone=zone)
    parts = {part.value: await _part(request, asked, part, known[looks[part]]) for part in Part}
    return page(
        request,
        "dashboard/show.html",
        block="figures" if request.headers.get("HX-Target") == "figures" else None,
        asked=asked,
        form=asked.form,
        days=days_text(asked.window.first, asked.window.last),
        compared=compared_text(asked.window),
        periods=[(value, _(name)) for value, name in PERIODS.items()],
        usual=USUAL,
        is_empty=not await has_customers(),
        campaigns=await _campaigns(request, asked),
        parts=parts,
    )


@requires(Permission.DASHBOARD_READ)
async def show_part(request: web.Request) -> web.Response:
    """GET /dashboard/parts/{part}?than=: a part that is newer than the one that is shown; 204 while there is none."""
    name = request.match_info["part"]
    if name not in set(Part):
        raise web.HTTPNotFound
    part, asked = Part(name), await _asked(request)
    known = await look_at([asked.look(part)], now=now(request), zone=request[SHOP].time_zone)
    [found] = known.values()
    if found.figures is None or found.counted_at.isoformat() == request.query.get("than"):
        return web.Response(status=204)
    return page(request, f"dashboard/_{part}.html", v=await _part(request, asked, part, found))


async def _part(request: web.Request, asked: Asked, part: Part, found: Kept) -> dict[str, Any]:
    """What a part's template shows. than: as of when it is, for whoever asks for newer figures."""
    than = found.counted_at.isoformat() if found.figures is not None else ""
    data = {
        "part": part.value,
        "as_of": found.counted_at,
        "is_known": found.figures is not None,
        "is_old": found.is_old(now(request)),
        "poll": f"{PATH}/parts/{part}?{urlencode(asked.form.values | {'than': than})}",
    }
    if found.figures is not None:
        data |= await PART_DATA[part](request, found.figures, asked.window, _chosen(asked))
    return data


def _chosen(asked: Asked) -> tuple[int, ...] | None:
    """The location by which the base is to be filtered; whose rights end with locations sees those alone anyway."""
    return None if asked.location is None else (asked.location,)


async def _campaigns(request: web.Request, asked: Asked) -> dict[str, Any] | None:
    """The best ones, which are the chain's; of whose rights end with locations, their own."""
    if asked.location is not None:
        return None
    person = staff_of(request)
    own = person.id if person.location_ids is not None else None
    best, begun = await best_campaigns(asked.window, zone=request[SHOP].time_zone, staff_id=own)
    return {"best": best, "begun": begun, "opens": may(person.role, Permission.CAMPAIGNS_SEND)}


async def _asked(request: web.Request) -> Asked:
    """What the address asks for; what means nothing is left out, and the usual period stands for it."""
    person = staff_of(request)
    places = await places_for(person)
    form = Form({name: request.query[name] for name in FIELDS if request.query.get(name)})
    if form.value("period") not in PERIODS:
        form.values.pop("period", None)
    location = _location(form, places)
    period, window = _period(form, request[SHOP].time_zone, now(request))
    return Asked(form, period, window, places, location, person.location_ids if location is None else (location,))


def _location(form: Form, places: list[LocationView]) -> int | None:
    value = form.value("location")
    if is_id(value) and int(value) in {place.id for place in places} and len(places) > 1:
        return int(value)
    form.values.pop("location", None)
    return None


def _period(form: Form, zone: str, moment: datetime) -> tuple[str, Window]:
    """The text of the period, and its days. What is wrong with days of one's own is noted beside them."""
    period: str = form.value("period") or USUAL
    if period != OWN:
        form.values.pop("since", None)
        form.values.pop("until", None)
        return period, window_of(period, moment, zone)
    usual = window_of(USUAL, moment, zone)
    since, until = form.day("since"), form.day("until")
    if form.ok:
        try:
            period = own_period(since or until or usual.first, until or usual.last)
            return period, window_of(period, moment, zone)
        except Invalid as error:
            form.refuse(error)
    return USUAL.value, usual


ROUTES = (web.get(PATH, show), web.get(PATH + "/parts/{part}", show_part))
