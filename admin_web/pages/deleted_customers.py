"""Deleting a person by typing the word, bringing them back, and the list of those who can come back."""

from datetime import datetime
from urllib.parse import urlencode

from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.forms import Form, id_in, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.keys import now
from admin_web.render import go_to, page
from loyalty.customers.actions.archive import delete_customers, restore_customers
from loyalty.customers.queries import customer
from loyalty.customers.queries.archive import Place, deleted_customers
from loyalty.customers.rules import RESTORED_FOR
from loyalty.errors import Invalid
from loyalty.staff.rules import Permission

PATH = "/customers/deleted"


@requires(Permission.CUSTOMERS_DELETE)
async def show_list(request: web.Request) -> web.Response:
    """GET /customers/deleted?before=: who can be brought back, those deleted last first."""
    before = request.query.get("before", "")
    mine = staff_of(request).location_ids
    found, following = await deleted_customers(now=now(request), within=mine, before=_place(before))
    return page(
        request,
        "customers/deleted.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        people=[(one, (one.until - now(request)).days) for one in found],
        days=RESTORED_FOR.days,
        older=f"{PATH}?{urlencode({'before': f'{following[0].isoformat()}~{following[1]}'})}" if following else None,
        newest=PATH if before else None,
    )


@requires(Permission.CUSTOMERS_DELETE)
async def show_delete(request: web.Request) -> web.Response:
    """GET /customers/{id}/delete: the question; a dialog for htmx."""
    return await _question(request, Form())


@requires(Permission.CUSTOMERS_DELETE)
async def delete(request: web.Request) -> web.Response:
    """POST /customers/{id}/delete, with the word in the reader's language."""
    form, customer_id = await read_form(request), id_in(request)
    if form.value("word").strip().casefold() != _("Delete").casefold():
        form.refuse(Invalid("word", "not_the_word"))
        return await _question(request, form, status=422)
    await delete_customers([customer_id], actor=actor_of(request), now=now(request))
    said, undo_url = _("The customer is deleted."), f"/customers/{customer_id}/restore"
    return await go_to(request, "/customers", say=said, undo_url=undo_url)


@requires(Permission.CUSTOMERS_DELETE)
async def restore(request: web.Request) -> web.Response:
    """POST /customers/{id}/restore: from the card, the list, or an Undo."""
    customer_id = id_in(request)
    await restore_customers([customer_id], actor=actor_of(request), now=now(request))
    return await go_to(request, f"/customers/{customer_id}", say=_("The customer is in the base again."))


async def _question(request: web.Request, form: Form, *, status: int = 200) -> web.Response:
    return page(
        request,
        "customers/delete.html",
        block="form" if request.method == "POST" else "dialog",
        status=status,
        form=form,
        person=await customer(id_in(request)),
        days=RESTORED_FOR.days,
    )


def _place(text: str) -> Place | None:
    moment, _tilde, number = text.partition("~")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (at, int(number)) if is_id(number) and at.tzinfo is not None else None


ROUTES = (
    web.get(PATH, show_list),
    web.get(r"/customers/{id:\d+}/delete", show_delete),
    web.post(r"/customers/{id:\d+}/delete", delete),
    web.post(r"/customers/{id:\d+}/restore", restore),
)
