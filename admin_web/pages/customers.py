"""The client base: a list that finds anyone."""

from dataclasses import dataclass
from hashlib import sha256

from aiohttp import web
from markupsafe import Markup
from yarl import URL

from admin_web.auth import requires, staff_of
from admin_web.base_columns import COLUMNS, Shown
from admin_web.base_look import (
    address_now,
    columns_of,
    list_url,
    location_choices,
    look_of,
    part_url,
    place_in,
    place_url,
    with_tree,
)
from admin_web.filter_words import condition_words, names_for, reason_words, sentence, wrong
from admin_web.forms import form_of, id_in
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import now
from admin_web.navigation import NavItem
from admin_web.pages.segments import with_conditions
from admin_web.reach import places_for
from admin_web.render import page, part
from loyalty.customers.queries import customer
from loyalty.errors import Invalid
from loyalty.segments.filters.origin import CreatedVia
from loyalty.segments.queries.base import BasePage, Look, base_count, base_page, base_totals, reasons
from loyalty.segments.queries.finding import AT_LEAST
from loyalty.segments.queries.views import saved_views
from loyalty.segments.rules.trees import Condition, Group, Joiner, tree_text, without
from loyalty.shop.queries import programme_at
from loyalty.staff.rules import Permission

NAV = NavItem(
    "customers", "/customers", "users", mark("Client base"), "customers", Permission.CUSTOMERS_READ, in_bar=True
)

TABS = {
    "profile": mark("Profile"),
    "bonuses": mark("Bonuses"),
    "receipts": mark("Receipts"),
    "registration": mark("Registration"),
    "notes": mark("Notes"),
}
DIRECTIONS = {"credit": 1, "debit": -1}


@dataclass(frozen=True, slots=True)
class Header:
    """The head of a column: where a click leads, how it is sorted now, what its menu offers."""

    column: Shown
    href: str
    direction: str
    ascending: str
    descending: str
    filter: str


@requires(Permission.CUSTOMERS_READ)
async def show_list(request: web.Request) -> web.Response:
    """GET /customers?q=&f=&sort=&dir=&cols=&after=|before=: everything that shapes the list is in its address."""
    shown = await columns_of(request)
    try:
        look = look_of(request)
    except Invalid as error:
        return await _list_page(request, shown, None, None, status=422, error=wrong(error))
    found = await base_page(
        look,
        columns=[column.key for column in shown],
        now=now(request),
        after=place_in(request, "after", look.order),
        before=place_in(request, "before", look.order),
    )
    return await _list_page(request, shown, look, found)


@requires(Permission.CUSTOMERS_READ)
async def show_totals(request: web.Request) -> web.Response:
    """GET /customers/totals?q=&f=: the numbers of a large result, counted after its page was shown."""
    try:
        counted = await base_totals(look_of(request), now=now(request))
    except Invalid as error:
        raise web.HTTPUnprocessableEntity(text=wrong(error)) from error
    return page(request, "customers/_totals.html", totals=counted)


@requires(Permission.CUSTOMERS_READ)
async def show_why(request: web.Request) -> web.Response:
    """GET /customers/{id}/why?f=: which conditions of the filter this person meets, and what they have."""
    person = await customer(id_in(request))
    try:
        tree = look_of(request).tree
    except Invalid as error:
        raise web.HTTPUnprocessableEntity(text=wrong(error)) from error
    names = await names_for([tree])
    said = [reason_words(reason, names) for reason in await reasons(person.id, tree, now=now(request))]
    whole = sentence(tree, names) if tree.joiner is not Joiner.ALL or len(said) != len(tree.parts) else ""
    return page(
        request, "customers/why.html", block="why", person=person, reasons=said, whole=whole, back=address_now(request)
    )


async def _list_page(
    request: web.Request,
    shown: list[Shown],
    look: Look | None,
    found: BasePage | None,
    *,
    status: int = 200,
    error: str = "",
) -> web.Response:
    tree = look.tree if look else Group()
    at_least = found.at_least if found else 0
    location, places = await location_choices(request)
    if look and found and found.totals is None and not found.are_rare and at_least < AT_LEAST:
        at_least = max(at_least, await base_count(look, now=now(request)))
    return page(
        request,
        "customers/list.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        status=status,
        error=error,
        found=found,
        at_least=at_least,
        look=look,
        search=request.query.get("q", ""),
        location=location,
        places=places,
        only_at=await _only_at(request),
        tree=tree,
        chips=await _chips(request, tree),
        headers=[_header(request, column, look) for column in shown],
        phone=_phone_roles(shown, look),
        programme=await programme_at(now(request)),
        views=await saved_views(staff_of(request).id),
        via_names={key: _(name) for key, name in CreatedVia.choices},
        order_text=_order_text(look),
        orders=[
            (column.key, column.words.text, "asc" if column.words.up else "desc") for column in shown if column.can_sort
        ],
        turned=list_url(request, dir="asc" if look and look.descending else "desc"),
        here=list_url(request),
        totals_url=part_url(request, "/customers/totals"),
        totals_key=_totals_key(request),
        filters_url=part_url(request, "/customers/filters"),
        columns_url=part_url(request, "/customers/columns"),
        export_url=str(URL(part_url(request, "/customers/exports/new")).update_query(scope="all")),
        cleared=list_url(request, f=None),
        everybody=list_url(request, q=None, f=None),
        rule_url=str(URL("/label-rules/new").with_query(f=tree_text(tree))),
        save_segment=await _save_segment(request, tree),
        why_query=request.query.get("f", ""),
        previous=place_url(request, "before", found.previous) if found else None,
        following=place_url(request, "after", found.following) if found else None,
    )


async def _only_at(request: web.Request) -> str:
    """The names of the locations that the reader's rights end with; empty for the whole chain."""
    person = staff_of(request)
    return ", ".join(place.name for place in await places_for(person)) if person.location_ids is not None else ""


async def _chips(request: web.Request, tree: Group) -> list[tuple[str, str, str]]:
    """(name, what is asked, address without it) of each outermost part; a group that is not "all" is one chip."""
    names = await names_for([tree])
    if tree.joiner is not Joiner.ALL:
        return [(_("Filter"), sentence(tree, names), list_url(request, f=None))]
    chips = []
    for index, one in enumerate(tree.parts):
        name, asked = condition_words(one, names) if isinstance(one, Condition) else (_("Group"), sentence(one, names))
        chips.append((name, asked, with_tree(request, without(tree, index))))
    return chips


def _header(request: web.Request, column: Shown, look: Look | None) -> Header:
    """A second click on a header turns the order round."""
    is_sorted = look is not None and look.order == column.key
    direction = ("desc" if look and look.descending else "asc") if is_sorted else ""
    first = "asc" if column.words.up else "desc"
    turned = {"desc": "asc", "asc": "desc", "": first}[direction]
    urls = {way: list_url(request, sort=column.key, dir=way) for way in ("asc", "desc")}
    key = column.words.filters[0] if column.words.filters else ""
    return Header(
        column,
        urls[turned],
        direction,
        urls["asc"],
        urls["desc"],
        f"{part_url(request, '/customers/filters')}{'&' if request.query_string else '?'}field={key}" if key else "",
    )


async def _save_segment(request: web.Request, tree: Group) -> Markup:
    """The form that keeps the filter as a segment; nothing without a filter."""
    if not tree.parts:
        return Markup()
    data = {"form": form_of({"f": tree_text(tree)}), "replaceable": await with_conditions()}
    return part(request, "segments/save.html", "form", **data)


def _order_text(look: Look | None) -> str:
    """How the list is sorted, in words: the arrow of a column that is not shown would say nothing."""
    if look is None:
        return ""
    way = _("falling") if look.descending else _("rising")
    return _("Sorted by: %(column)s, %(way)s") % {"column": COLUMNS[look.order].text, "way": way}


def _phone_roles(shown: list[Shown], look: Look | None) -> dict[str, str]:
    """Which columns stand on the two lines of a phone's row: one below the name, and two on the right."""
    keys = [column.key for column in shown[1:]]
    roles: dict[str, str] = {}

    def take(role: str, *wanted: str) -> None:
        key = next((one for one in (*wanted, *keys) if one in keys and one not in roles), None)
        if key is not None:
            roles[key] = role

    take("k-val", look.order if look else "", "sold", "balance", "visits")
    take("k-sub", "phone", "email", "card_number")
    take("k-tag", "tier", "last_visit", "categories")
    return roles


def _totals_key(request: web.Request) -> str:
    """Names a result: its numbers stay in the footer while its pages are turned."""
    text = "\n".join(request.query.get(name, "") for name in ("q", "f", "location"))
    return f"totals-{sha256(text.encode()).hexdigest()[:12]}"


ROUTES = (
    web.get("/customers", show_list),
    web.get("/customers/totals", show_totals),
    web.get("/customers/{id}/why", show_why),
)
