"""How somebody likes to see the client base: their columns, and looks at it that they keep or share."""

from urllib.parse import parse_qsl

from aiohttp import web
from yarl import URL

from admin_web.auth import requires, staff_of
from admin_web.base_columns import COLUMNS, columns_offered
from admin_web.base_look import KEPT, PATH, address_now, columns_of, list_url
from admin_web.forms import id_in, read_form
from admin_web.i18n import gettext as _
from admin_web.keys import now
from admin_web.render import go_to, is_htmx, page, toast
from admin_web.words import reason_text
from loyalty.errors import Invalid
from loyalty.segments.actions.views import forget_columns, keep_columns, remove_view, save_view
from loyalty.staff.rules import Permission


@requires(Permission.CUSTOMERS_READ)
async def show_columns(request: web.Request) -> web.Response:
    """GET /customers/columns: the columns to choose from, those that are shown first and in their order."""
    shown = await columns_of(request)
    return page(
        request,
        "customers/columns.html",
        block="drawer",
        columns=columns_offered(shown),
        shown={column.key for column in shown},
        pinned={column.key for column in shown if column.pinned},
        closed=list_url(request),
    )


@requires(Permission.CUSTOMERS_READ)
async def choose_columns(request: web.Request) -> web.Response:
    """POST /customers/columns: `column` in the wanted order and `pin`; or `hide=KEY`; or `reset`."""
    sent = await request.post()
    staff_id = staff_of(request).id
    if "reset" in sent:
        await forget_columns(staff_id)
    elif "hide" in sent:
        rest = [(one.key, one.pinned) for one in await columns_of(request) if one.key != sent["hide"]]
        await keep_columns(staff_id, rest)
    else:
        keys = [str(key) for key in sent.getall("column", []) if key in COLUMNS]
        pins = set(sent.getall("pin", []))
        await keep_columns(staff_id, [(key, key in pins) for key in dict.fromkeys(["name", *keys])])
    # The columns of the address would hide those just chosen.
    here = URL(address_now(request))
    return await go_to(request, str(here.without_query_params("cols")))


@requires(Permission.CUSTOMERS_READ)
async def add_view(request: web.Request) -> web.Response:
    """POST /customers/views: keep the list as it is looked at under a name."""
    form = await read_form(request)
    query = _query_of(form.value("query"))
    try:
        await save_view(
            staff_of(request).id, form.value("name"), query, is_shared=form.checked("is_shared"), now=now(request)
        )
    except Invalid as error:
        if error.field == "query":
            form.refuse(Invalid("", error.reason, **error.details))
        else:
            form.refuse(error)
        return page(request, "customers/_save_view.html", status=422, form=form, here=f"{PATH}?{query}")
    return await go_to(request, f"{PATH}?{query}", say=_("The view is saved."))


@requires(Permission.CUSTOMERS_READ)
async def drop_view(request: web.Request) -> web.Response:
    """POST /customers/views/{id}/remove: forget a view of one's own; it can be taken back."""
    name, query, is_shared = await remove_view(id_in(request), staff_of(request).id)
    undo = URL("/customers/views/restore").with_query(name=name, query=query, is_shared="1" if is_shared else "")
    said = _("The view “%(name)s” is removed.") % {"name": name}
    return await go_to(request, address_now(request), say=said, undo_url=str(undo))


@requires(Permission.CUSTOMERS_READ)
async def restore_view(request: web.Request) -> web.Response:
    """POST /customers/views/restore?name=&query=&is_shared=: keep a view again that was just removed."""
    query = request.query
    try:
        await save_view(
            staff_of(request).id,
            query.get("name", ""),
            _query_of(query.get("query", "")),
            is_shared=bool(query.get("is_shared")),
            now=now(request),
        )
    except Invalid as error:
        if is_htmx(request):
            return toast(web.Response(status=204), reason_text(error), kind="bad")
        raise web.HTTPUnprocessableEntity(text=reason_text(error)) from error
    return await go_to(request, address_now(request))


def _query_of(text: str) -> str:
    """What of an address is kept: no place in the list, nothing foreign."""
    pairs = [(name, value) for name, value in parse_qsl(text.lstrip("?")) if name in KEPT]
    return URL(PATH).with_query(pairs).raw_query_string


ROUTES = (
    web.get("/customers/columns", show_columns),
    web.post("/customers/columns", choose_columns),
    web.post("/customers/views", add_view),
    web.post("/customers/views/restore", restore_view),
    web.post("/customers/views/{id}/remove", drop_view),
)
