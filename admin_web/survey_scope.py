"""Which answers somebody looks at, as the address says it: `period`, `location`, `segment`."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from aiohttp import web
from yarl import URL

from admin_web.auth import staff_of
from admin_web.forms import is_id
from admin_web.i18n import gettext as _
from admin_web.keys import SHOP, now
from admin_web.reach import places_for
from admin_web.survey_words import PERIODS, USUAL
from loyalty.clock import add_months, business_date, end_of_day, start_of_day
from loyalty.segments.queries.segments import segments
from loyalty.surveys.queries.results import Scope

KEPT = ("period", "location", "segment")


@dataclass(frozen=True, slots=True)
class Asked:
    """A scope, and the choices that led to it. first, last: its local days."""

    scope: Scope
    first: date
    last: date
    values: dict[str, str]
    periods: list[tuple[str, str]]
    places: list[tuple[str, str]]
    groups: list[tuple[str, str]]

    def url(self, path: str, **more: str | None) -> str:
        """Another page about the same answers; None leaves a part out."""
        kept: dict[str, str | None] = {name: value for name, value in self.values.items() if value}
        return str(URL(path).with_query({name: value for name, value in (kept | more).items() if value}))

    def to_template(self) -> dict[str, Any]:
        """What the bar of choices shows."""
        return {
            "values": self.values,
            "choices": [
                ("period", _("Period"), self.periods),
                ("location", _("Location"), self.places),
                ("segment", _("Segment"), self.groups),
            ],
            "first": self.first,
            "last": self.last,
        }


async def asked_of(request: web.Request) -> Asked:
    """What the address asks for, as far as the reader's locations reach; what nobody can ask is the usual."""
    query, zone, person = request.query, request[SHOP].time_zone, staff_of(request)
    period = query.get("period", "")
    period = period if period in PERIODS else USUAL
    places = await places_for(person)
    known = {str(place.id): place.name for place in places}
    location = query.get("location", "") if query.get("location", "") in known else ""
    mine = person.location_ids
    shown = [one for one in await segments() if one.archived_at is None]
    named = {str(one.id): one.name for one in shown}
    segment = query.get("segment", "") if is_id(query.get("segment", "")) and query["segment"] in named else ""
    last = business_date(now(request), zone)
    first = first_day(period, last)
    return Asked(
        scope=Scope(
            start_of_day(first, zone),
            end_of_day(last, zone),
            zone,
            (int(location),) if location else None if mine is None else tuple(mine),
            int(segment) if segment else None,
        ),
        first=first,
        last=last,
        values={"period": period if period != USUAL else "", "location": location, "segment": segment},
        periods=[("" if key == USUAL else key, _(name)) for key, name in PERIODS.items()],
        places=[("", _("All locations") if mine is None else _("All of your locations")), *known.items()]
        if len(places) > 1
        else [],
        groups=[("", _("All customers")), *named.items()] if named else [],
    )


def first_day(period: str, last: date) -> date:
    """The first day of a period that ends with `last`: so many days, or so many whole months and the one under way."""
    count = int(period[:-1])
    if period.endswith("d"):
        return last - timedelta(days=count - 1)
    return add_months(last.replace(day=1), 1 - count)
