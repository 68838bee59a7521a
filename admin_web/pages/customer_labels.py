"""Categories and importance on a customer's card: given, taken and made on the spot."""

from typing import Any

from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.forms import Form, id_in, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.keys import now
from admin_web.label_words import color_choices, importance_choices, importance_name
from admin_web.reach import OnlyForTheChain, is_open_to
from admin_web.render import go_to, is_htmx, page, toast
from loyalty.customers.actions.categories import give_category, make_and_give, take_category
from loyalty.customers.actions.importance import set_importance
from loyalty.customers.labels import NAME_LENGTH, CategoryDraft, next_color
from loyalty.customers.queries import customer
from loyalty.customers.queries.categories import category_chips, importance_classes, importance_of
from loyalty.errors import LoyaltyError, NotFound
from loyalty.staff.rules import Permission, may

CATEGORIES = "/categories"
OFFERED = 12
"""So many categories at most are offered at once; typing narrows them down."""


async def labels_of(customer_id: int, form: Form | None = None) -> dict[str, Any]:
    """What `customers/_labels.html` shows, wherever it stands."""
    importance = await importance_of(customer_id)
    shown = await category_chips(customer_id)
    return {
        "categories": [one for one in shown if one.is_in],
        "importance": importance,
        "importance_name": importance_name(importance.name),
        "importance_choices": importance_choices(await importance_classes(sized=False), importance.id),
        "importance_form": Form({"importance": str(importance.id)}),
        **await _offered(customer_id, form or Form()),
    }


async def _offered(customer_id: int, form: Form) -> dict[str, Any]:
    """What can be given by what is typed, and whether it can be made."""
    shown, typed = await category_chips(customer_id), " ".join(form.value("name").split())
    fitting = [one for one in shown if not one.is_in and typed.casefold() in one.name.casefold()]
    if not form.value("color"):
        form.values["color"] = next_color([one.color for one in shown])
    return {
        "give_form": form,
        "typed": typed,
        "offered": fitting[:OFFERED],
        "more": max(0, len(fitting) - OFFERED),
        "is_new": all(one.name.casefold() != typed.casefold() for one in shown),
        "colors": color_choices(),
        "name_length": NAME_LENGTH,
    }


@requires(Permission.CUSTOMERS_EDIT)
async def show_offered(request: web.Request) -> web.Response:
    """GET /customers/{id}/categories?name=: what fits what is typed."""
    person = await customer(id_in(request))
    form = Form({"name": request.query.get("name", "")[: 2 * NAME_LENGTH], "color": request.query.get("color", "")})
    return page(request, "customers/_offered.html", person=person, **await _offered(person.id, form))


@requires(Permission.CUSTOMERS_EDIT)
async def give(request: web.Request) -> web.Response:
    """POST /customers/{id}/categories: the one that was chosen, or one of the typed name, made on the spot."""
    form = await read_form(request)
    wanted = form.value("category")
    if is_id(wanted) and len(wanted) <= 9:
        await give_category(int(wanted), [id_in(request)], actor=actor_of(request), now=now(request))
        return await _again(request)
    person = staff_of(request)
    if not may(person.role, Permission.SEGMENTS_MANAGE):
        raise web.HTTPForbidden
    if not is_open_to(CATEGORIES, person):
        raise OnlyForTheChain
    try:
        draft = CategoryDraft(form.value("name"), form.value("color"))
        await make_and_give(draft, [id_in(request)], actor=actor_of(request), now=now(request))
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        return await _again(request, form)
    return await _again(request)


@requires(Permission.CUSTOMERS_EDIT)
async def give_again(request: web.Request) -> web.Response:
    """POST /customers/{id}/categories/{category}/give: what an Undo asks for; or keep by hand what a rule gave."""
    await give_category(id_in(request, "category"), [id_in(request)], actor=actor_of(request), now=now(request))
    if is_htmx(request) and request.headers.get("HX-Target") == "labels":
        return await _again(request)
    return await go_to(request, f"/customers/{id_in(request)}")


@requires(Permission.CUSTOMERS_EDIT)
async def take(request: web.Request) -> web.Response:
    """POST /customers/{id}/categories/{category}/take: at once, with an Undo."""
    customer_id, category_id = id_in(request), id_in(request, "category")
    await take_category(category_id, [customer_id], actor=actor_of(request), now=now(request))
    undo_url = f"/customers/{customer_id}/categories/{category_id}/give"
    return await _again(request, said=_("The category is taken off."), undo_url=undo_url)


@requires(Permission.CUSTOMERS_EDIT)
async def choose_importance(request: web.Request) -> web.Response:
    """POST /customers/{id}/importance: at once, with an Undo."""
    wanted, customer_id = (await read_form(request)).value("importance"), id_in(request)
    if not is_id(wanted) or len(wanted) > 4:
        raise NotFound("importance")
    before = await importance_of(customer_id)
    changed = await set_importance([customer_id], int(wanted), actor=actor_of(request), now=now(request))
    if not changed:
        return await _again(request)
    undo_url = f"/customers/{customer_id}/importance/{before.id}"
    return await _again(request, said=_("The importance is set."), undo_url=undo_url)


@requires(Permission.CUSTOMERS_EDIT)
async def importance_back(request: web.Request) -> web.Response:
    """POST /customers/{id}/importance/{class}: what an Undo asks for."""
    customer_id = id_in(request)
    await set_importance([customer_id], id_in(request, "class"), actor=actor_of(request), now=now(request))
    return await go_to(request, f"/customers/{customer_id}")


async def _again(
    request: web.Request, form: Form | None = None, *, said: str | None = None, undo_url: str | None = None
) -> web.Response:
    """The labels as they are now: the part for htmx, the card for a browser without scripts."""
    customer_id = id_in(request)
    if not is_htmx(request):
        wrong = " ".join(form.errors.values()) if form else None
        return await go_to(request, f"/customers/{customer_id}", say=said or wrong, undo_url=undo_url)
    person = await customer(customer_id)
    status = 422 if form else 200
    shown = page(request, "customers/_labels.html", status=status, person=person, **await labels_of(customer_id, form))
    return toast(shown, said, undo_url) if said else shown


ROUTES = (
    web.get("/customers/{id}/categories", show_offered),
    web.post("/customers/{id}/categories", give),
    web.post(r"/customers/{id}/categories/{category:\d{1,9}}/give", give_again),
    web.post(r"/customers/{id}/categories/{category:\d{1,9}}/take", take),
    web.post("/customers/{id}/importance", choose_importance),
    web.post(r"/customers/{id}/importance/{class:\d{1,4}}", importance_back),
)
