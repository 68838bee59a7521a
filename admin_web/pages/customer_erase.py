"""What is held about a person, as a file; and erasing them by typing the word, which is final."""

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.forms import Form, id_in, read_form
from admin_web.i18n import gettext as _
from admin_web.keys import now
from admin_web.render import go_to, page
from loyalty.customers.queries import customer
from loyalty.errors import Invalid
from loyalty.office.actions.erasure import erase_customer
from loyalty.office.actions.own_data import take_own_data
from loyalty.staff.rules import Permission


@requires(Permission.CUSTOMERS_ERASE)
async def download(request: web.Request) -> web.Response:
    """POST /customers/{id}/data: everything about them as JSON. A write: the journal keeps who took it."""
    customer_id = id_in(request)
    file = await take_own_data(customer_id, actor=actor_of(request), now=now(request))
    headers = {"Content-Disposition": f'attachment; filename="customer-{customer_id}.json"'}
    return web.Response(body=file, content_type="application/json", charset="utf-8", headers=headers)


@requires(Permission.CUSTOMERS_ERASE)
async def show_erase(request: web.Request) -> web.Response:
    """GET /customers/{id}/erase: the question; a dialog for htmx."""
    return await _question(request, Form())


@requires(Permission.CUSTOMERS_ERASE)
async def erase(request: web.Request) -> web.Response:
    """POST /customers/{id}/erase, with the word in the reader's language."""
    form, customer_id = await read_form(request), id_in(request)
    if form.value("word").strip().casefold() != _("Erase").casefold():
        form.refuse(Invalid("word", "not_the_word"))
        return await _question(request, form, status=422)
    await erase_customer(customer_id, actor=actor_of(request), now=now(request))
    return await go_to(request, "/customers", say=_("The person is erased."))


async def _question(request: web.Request, form: Form, *, status: int = 200) -> web.Response:
    return page(
        request,
        "customers/erase.html",
        block="form" if request.method == "POST" else "dialog",
        status=status,
        form=form,
        person=await customer(id_in(request)),
    )


ROUTES = (
    web.post(r"/customers/{id:\d+}/data", download),
    web.get(r"/customers/{id:\d+}/erase", show_erase),
    web.post(r"/customers/{id:\d+}/erase", erase),
)
