"""Putting the filter of the client base together: groups, conditions, and how many they find meanwhile."""

from dataclasses import replace

from aiohttp import web

from admin_web.auth import requires
from admin_web.base_look import KEPT, list_url, look_of
from admin_web.filter_form import Box, Row, act, box_of, read_box, tree_of
from admin_web.filter_words import (
    AREAS,
    JOINERS,
    OPERATORS,
    PERIODS,
    choices_of,
    label_of,
    months,
    names_for,
    unit_sign,
    wrong,
)
from admin_web.i18n import gettext as _
from admin_web.keys import SHOP, now
from admin_web.render import go_to, page
from admin_web.words import reason_text
from loyalty.errors import Invalid
from loyalty.segments.filters import FILTERS
from loyalty.segments.filters.base import PeriodFilter
from loyalty.segments.queries.base import base_count
from loyalty.segments.queries.finding import AT_LEAST
from loyalty.segments.rules.trees import EVERYBODY, Condition, Group, joined, tree_text
from loyalty.staff.rules import Permission


@requires(Permission.CUSTOMERS_READ)
async def show_filters(request: web.Request) -> web.Response:
    """GET /customers/filters?f=…: the form; with `do` it is worked on, with `do=show` the list is shown.

    `field=KEY` adds a condition to what the address has.
    """
    exponent = request[SHOP].exponent
    deed = request.query.get("do", "")
    if deed or "join.0" in request.query:
        box = read_box(request.query)
        act(box, deed, request.query)
    else:
        box = box_of(_tree_in(request), exponent)
        if request.query.get("field") in FILTERS:
            box.parts.append(Row(request.query["field"], FILTERS[request.query["field"]].operators[0]))
    error = ""
    if deed == "show":
        try:
            tree = tree_of(box, exponent, strict=True)
        except Invalid as refused:
            error = reason_text(refused)
        else:
            if not any(row.error for row in box.rows):
                return await go_to(request, list_url(request, f=tree_text(tree) or None))
    names = await _names(box)
    is_part = request.headers.get("HX-Target") == "filter-rows"
    return page(
        request,
        "customers/filters.html",
        block="rows" if is_part else "drawer",
        status=422 if deed == "show" else 200,
        box=box,
        error=error,
        kept={name: request.query[name] for name in KEPT if name != "f" and request.query.get(name)},
        areas=_areas(),
        joiners=[(joiner.value, _(text)) for joiner, text in JOINERS.items()],
        operators={key: _(text) for key, text in OPERATORS.items()},
        periods=_periods,
        label_of=label_of,
        unit_sign=unit_sign,
        months=months(),
        choices=lambda row: choices_of(row.filter, names),
        closed=list_url(request),
    )


@requires(Permission.CUSTOMERS_READ)
async def count(request: web.Request) -> web.Response:
    """GET /customers/filters/count?join.0=…: how many the form finds as it stands, as the words of its button."""
    try:
        tree = tree_of(read_box(request.query), request[SHOP].exponent, strict=False)
        look = replace(look_of(request), tree=tree)
        found = await base_count(look, now=now(request))
    except Invalid as error:
        raise web.HTTPUnprocessableEntity(text=wrong(error)) from error
    return page(request, "customers/_found.html", found=min(found, AT_LEAST), is_more=found > AT_LEAST)


def _tree_in(request: web.Request) -> Group:
    """The filter of the address; one that nobody can ask begins anew."""
    try:
        return joined(look_of(request).tree)
    except Invalid:
        return EVERYBODY


async def _names(box: Box) -> dict[str, dict[str, str]]:
    """The names of what the rows offer to choose."""
    tree = Group(parts=tuple(Condition(row.key, row.operator) for row in box.rows))
    return {source: dict(names) for source, names in (await names_for([tree])).items()}


def _areas() -> list[tuple[str, list[tuple[str, str]]]]:
    """(heading, [(key, label)]) of every filter."""
    return [
        (_(heading), [(one.key, label_of(one)) for one in FILTERS.values() if one.area is area])
        for area, heading in AREAS.items()
    ]


def _periods(row: Row) -> list[tuple[str, str]]:
    """The kinds of periods that make sense for what lies ahead, or behind."""
    one = row.filter
    is_ahead = isinstance(one, PeriodFilter) and one.ahead
    kinds: tuple[str, ...] = ("next", "dates") if is_ahead else ("last", "older", "dates")
    if one.key == "booked":
        kinds = ("last", "next", "older", "dates")
    return [(kind.value, _(text)) for kind, text in PERIODS.items() if kind in kinds]


ROUTES = (
    web.get("/customers/filters", show_filters),
    web.get("/customers/filters/count", count),
)
