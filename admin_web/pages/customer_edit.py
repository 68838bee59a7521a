"""The form that adds or corrects a person."""

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.forms import Form, form_of, id_in, read_form
from admin_web.i18n import gettext as _
from admin_web.keys import SHOP, now
from admin_web.render import go_to, page
from loyalty.clock import business_date
from loyalty.customers.actions.profile import add_customer, update_profile
from loyalty.customers.queries import CustomerView, customer
from loyalty.customers.rules import Profile, Via, profile_from
from loyalty.errors import LoyaltyError
from loyalty.shop.queries import locations
from loyalty.staff.rules import LANGUAGES, Permission


@requires(Permission.CUSTOMERS_EDIT)
async def show_new(request: web.Request) -> web.Response:
    """GET /customers/new."""
    return await _profile_page(request, form_of({"language": request[SHOP].language}), None)


@requires(Permission.CUSTOMERS_EDIT)
async def add(request: web.Request) -> web.Response:
    """POST /customers."""
    form = await read_form(request)
    profile = _read_profile(request, form)
    if profile is not None:
        try:
            person = await add_customer(profile, via=Via.PANEL, actor=actor_of(request), now=now(request))
        except LoyaltyError as error:
            form.refuse(error)
        else:
            return await go_to(request, f"/customers/{person.id}", say=_("The customer is added."))
    return await _profile_page(request, form, None, status=422)


@requires(Permission.CUSTOMERS_EDIT)
async def show_edit(request: web.Request) -> web.Response:
    """GET /customers/{id}/edit."""
    person = await customer(id_in(request))
    values = {name: getattr(person, name) for name in Profile.__slots__}
    return await _profile_page(request, form_of(values), person)


@requires(Permission.CUSTOMERS_EDIT)
async def edit(request: web.Request) -> web.Response:
    """POST /customers/{id}/edit."""
    person = await customer(id_in(request))
    form = await read_form(request)
    profile = _read_profile(request, form)
    if profile is not None:
        try:
            await update_profile(person.id, profile, actor=actor_of(request), now=now(request))
        except LoyaltyError as error:
            form.refuse(error)
        else:
            return await go_to(request, f"/customers/{person.id}", say=_("Saved."))
    return await _profile_page(request, form, person, status=422)


def _read_profile(request: web.Request, form: Form) -> Profile | None:
    """The profile in the form, or None with the form saying what is wrong."""
    birthday, home = form.day("birthday"), form.number("home_location_id")
    language = form.choice("language", LANGUAGES)
    try:
        profile = profile_from(
            name=form.value("name"),
            phone=form.value("phone"),
            email=form.value("email"),
            gender=form.value("gender"),
            birthday=birthday,
            language=language,
            home_location_id=home,
            region=request[SHOP].region,
            today=business_date(now(request), request[SHOP].time_zone),
        )
    except LoyaltyError as error:
        form.refuse(error)
        return None
    return profile if form.ok else None


async def _profile_page(
    request: web.Request, form: Form, person: CustomerView | None, *, status: int = 200
) -> web.Response:
    return page(
        request,
        "customers/edit.html",
        block="form",
        status=status,
        form=form,
        person=person,
        home_choices=[(str(place.id), place.name) for place in await locations(only_open=True)],
    )


ROUTES = (
    web.post("/customers", add),
    web.get("/customers/new", show_new),
    web.get("/customers/{id}/edit", show_edit),
    web.post("/customers/{id}/edit", edit),
)
