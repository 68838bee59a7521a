"""The client base: a list that finds anyone."""

import base64
import binascii
import json

from aiohttp import web

from admin_web.auth import requires, staff_of
from admin_web.i18n import mark
from admin_web.keys import SHOP, now
from admin_web.navigation import NavItem
from admin_web.render import page
from loyalty.customers.queries import (
    DEFAULT_SORT,
    SORTS,
    Cursor,
    customer_page,
    totals,
)
from loyalty.customers.rules import Search, parse_search
from loyalty.shop.queries import programme_at
from loyalty.staff.rules import Permission, may

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
FIRST_ASCENDING = {"name"}
DIRECTIONS = {"credit": 1, "debit": -1}


# ---------------------------------------------------------------------------------------- the list


@requires(Permission.CUSTOMERS_READ)
async def show_list(request: web.Request) -> web.Response:
    """GET /customers?q=&sort=&dir=&after=|before=: everything that shapes the list is in its address."""
    query = request.query
    sort = query.get("sort", "")
    sort = sort if sort in SORTS else DEFAULT_SORT
    descending = query.get("dir", "asc" if sort in FIRST_ASCENDING else "desc") != "asc"
    found = await customer_page(
        _search(request),
        sort=sort,
        descending=descending,
        after=_cursor(query.get("after")),
        before=_cursor(query.get("before")),
        by_phone=_sees_phones(request),
    )
    return page(
        request,
        "customers/list.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        found=found,
        search=query.get("q", ""),
        sort=sort,
        descending=descending,
        programme=await programme_at(now(request)),
        columns=_columns(request, sort, descending=descending),
        totals_url=str(request.rel_url.with_path("/customers/totals").with_query(q=query.get("q", ""))),
        previous=_page_url(request, "before", found.previous),
        following=_page_url(request, "after", found.following),
    )


@requires(Permission.CUSTOMERS_READ)
async def show_totals(request: web.Request) -> web.Response:
    """GET /customers/totals?q=: the numbers of a large result, counted after its page was shown."""
    counted = await totals(_search(request), by_phone=_sees_phones(request))
    return page(request, "customers/_totals.html", total=counted.count, sold=counted.sold, balance=counted.balance)


def _search(request: web.Request) -> Search | None:
    return parse_search(request.query.get("q", ""), request[SHOP].region)


def _sees_phones(request: web.Request) -> bool:
    return may(staff_of(request).role, Permission.PHONES_READ)


def _columns(request: web.Request, sort: str, *, descending: bool) -> dict[str, tuple[str, str]]:
    """Sort key -> (address that sorts by it, direction now or ""). A second click turns the order round."""
    columns = {}
    for key in SORTS:
        if key == sort:
            turned = "asc" if descending else "desc"
            columns[key] = (_list_url(request, sort=key, dir=turned), "desc" if descending else "asc")
        else:
            columns[key] = (_list_url(request, sort=key, dir="asc" if key in FIRST_ASCENDING else "desc"), "")
    return columns


def _list_url(request: web.Request, **changes: str) -> str:
    kept = {name: value for name, value in request.query.items() if name in {"q", "sort", "dir"} and value}
    return str(request.rel_url.with_path("/customers").with_query(kept | changes))


def _page_url(request: web.Request, side: str, cursor: Cursor | None) -> str | None:
    if cursor is None:
        return None
    packed = json.dumps([cursor.value, cursor.id, cursor.before], ensure_ascii=False, separators=(",", ":"))
    return _list_url(request, **{side: base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")})


def _cursor(text: str | None) -> Cursor | None:
    """A place from an address; one that nobody made is the beginning of the list."""
    if not text:
        return None
    try:
        value, id_, before = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        cursor = Cursor(value, int(id_), int(before))
    except (ValueError, TypeError, binascii.Error):
        return None
    return cursor if isinstance(value, str | int) and abs(cursor.id) < 2**62 else None


ROUTES = (
    web.get("/customers", show_list),
    web.get("/customers/totals", show_totals),
)
