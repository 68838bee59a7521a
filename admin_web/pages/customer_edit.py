"""The form that adds or corrects a person with all that is known of them, and who may be there already."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.forms import Form, form_of, id_in, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.keys import SHOP, now
from admin_web.label_words import importance_choices
from admin_web.pages.customer_registration import VIAS
from admin_web.reach import cards_open_to, places_for
from admin_web.render import go_to, page
from loyalty.clock import business_date
from loyalty.customers.queries import CustomerView, customer, find_by_phone
from loyalty.customers.queries.categories import category_chips, importance_classes, importance_of
from loyalty.customers.queries.similar import similar
from loyalty.customers.rules import NOTE_LENGTH, Profile, profile_from
from loyalty.errors import Invalid, LoyaltyError, NotFound
from loyalty.ids import new_key
from loyalty.money import parse_share
from loyalty.office.actions.adding import Standing, add_person, correct_person
from loyalty.segments.queries.segments import chips
from loyalty.shop.queries import locations
from loyalty.staff.queries import staff_list
from loyalty.staff.rules import LANGUAGES, Permission, may
from loyalty.wording import decimal

NOBODY = 0
KEY_LENGTH = 60


@requires(Permission.CUSTOMERS_EDIT)
async def show_new(request: web.Request) -> web.Response:
    """GET /customers/new: the form, with what the address says already, as a search that found nobody does."""
    given = {name: request.query.get(name, "")[:200] for name in ("name", "phone", "email")}
    values = {"language": request[SHOP].language, "importance": "0", "key": new_key(), **given}
    if mine := staff_of(request).location_ids:
        # Whom they add is theirs.
        values["home_location_id"] = str(mine[0])
    return await _profile_page(request, form_of(values), None)


@requires(Permission.CUSTOMERS_EDIT)
async def add(request: web.Request) -> web.Response:
    """POST /customers. The form's key makes a second click harmless."""
    form = await read_form(request)
    profile, standing = _read_profile(request, form), await _read_standing(request, form, NOBODY)
    if profile is not None:
        await _refuse_strangers(request, form, profile)
    if profile is not None and form.ok:
        try:
            person, was_deleted = await add_person(
                profile,
                standing,
                note=form.value("text") if may(staff_of(request).role, Permission.NOTES_WRITE) else "",
                agreed=form.checked("agreed"),
                shop_language=request[SHOP].language,
                key=form.value("key")[:KEY_LENGTH] or new_key(),
                actor=actor_of(request),
                now=now(request),
            )
        except NotFound:
            raise
        except LoyaltyError as error:
            _refuse(form, error)
        else:
            say = _("This phone is of a deleted customer: their card is back.") if was_deleted else None
            return await go_to(request, f"/customers/{person.id}", say=say or _("The customer is added."))
    return await _profile_page(request, form, None, status=422)


@requires(Permission.CUSTOMERS_EDIT)
async def show_edit(request: web.Request) -> web.Response:
    """GET /customers/{id}/edit."""
    person = await customer(id_in(request))
    values: dict[str, object] = {name: getattr(person, name) for name in Profile.__slots__}
    values["importance"] = (await importance_of(person.id)).id
    values["discount"] = decimal(person.discount_bp, 2, "en")
    values |= {f"category_{one.id}": "1" for one in await category_chips(person.id) if one.is_in}
    values |= {f"segment_{one.id}": "1" for one in await chips(person.id) if one.is_in}
    return await _profile_page(request, form_of(values), person)


@requires(Permission.CUSTOMERS_EDIT)
async def edit(request: web.Request) -> web.Response:
    """POST /customers/{id}/edit."""
    person = await customer(id_in(request))
    form = await read_form(request)
    profile = _read_profile(request, form, person)
    standing = await _read_standing(request, form, person.id)
    if profile is not None and form.ok:
        try:
            await correct_person(person.id, profile, standing, actor=actor_of(request), now=now(request))
        except NotFound:
            raise
        except LoyaltyError as error:
            _refuse(form, error)
        else:
            return await go_to(request, f"/customers/{person.id}", say=_("Saved."))
    return await _profile_page(request, form, person, status=422)


@requires(Permission.CUSTOMERS_EDIT)
async def show_similar(request: web.Request) -> web.Response:
    """GET /customers/similar?name=&phone=&email=&besides=: who may be the one that is being typed."""
    return page(request, "customers/_similar.html", similar=await _similar(request, request.query))


async def _similar(request: web.Request, typed: Mapping[str, str]) -> list[Any]:
    besides = typed.get("besides", "")
    return await similar(
        name=typed.get("name", ""),
        phone=typed.get("phone", ""),
        email=typed.get("email", ""),
        region=request[SHOP].region,
        by_part=may(staff_of(request).role, Permission.PHONES_READ),
        besides=int(besides) if is_id(besides) else None,
        within=staff_of(request).location_ids,
    )


async def _refuse_strangers(request: web.Request, form: Form, profile: Profile) -> None:
    """A deleted card whose phone is typed comes back by that; not one of somebody whom this person cannot see."""
    known = await find_by_phone(profile.phone) if profile.phone is not None else None
    if known is not None and known not in await cards_open_to(staff_of(request), [known]):
        form.refuse(Invalid("phone", "phone_taken"))


def _read_profile(request: web.Request, form: Form, person: CustomerView | None = None) -> Profile | None:
    """The profile in the form, or None with the form saying what is wrong.

    Whose rights end with locations leaves people where they belong, or lets them belong to one of those.
    """
    birthday, home = form.day("birthday"), form.number("home_location_id")
    mine = staff_of(request).location_ids
    is_kept = person is not None and home == person.home_location_id
    if mine is not None and home not in mine and not is_kept:
        form.refuse(Invalid("home_location_id", "unknown_choice" if home is not None else "required"))
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


async def _read_standing(request: web.Request, form: Form, customer_id: int) -> Standing:
    """Where the customer belongs by the form; None for what this person may not say, or the form does not ask.

    A form that asks for labels says so by `labels`: others, of before, leave them as they are.
    """
    role = staff_of(request).role
    if not form.checked("labels"):
        return Standing()
    discount = None
    if may(role, Permission.DISCOUNT_SET):
        discount = _read_discount(form)
    return Standing(
        categories={one.id for one in await category_chips(customer_id) if form.checked(f"category_{one.id}")},
        segments={one.id for one in await chips(customer_id) if form.checked(f"segment_{one.id}")}
        if may(role, Permission.SEGMENTS_MANAGE)
        else None,
        importance=form.number("importance") or 0,
        discount_bp=discount,
    )


def _read_discount(form: Form) -> int:
    if not form.value("discount").strip():
        return 0
    try:
        return parse_share(form.value("discount"), field="discount")
    except LoyaltyError as error:
        form.refuse(error)
        return 0


def _refuse(form: Form, error: LoyaltyError) -> None:
    """Beside the field that it is about."""
    if error.reason == "phone_taken":
        form.refuse(Invalid("phone", error.reason))
    elif error.reason == "own_account":
        form.refuse(Invalid("discount", error.reason))
    else:
        form.refuse(error)


async def _homes(request: web.Request, home: int | None) -> list[tuple[str, str]]:
    """Where a customer may belong: where this person may say so, and where they belong already."""
    theirs = {place.id for place in await places_for(staff_of(request), only_open=True)}
    return [(str(place.id), place.name) for place in await locations() if place.id in theirs or place.id == home]


async def _profile_page(
    request: web.Request, form: Form, person: CustomerView | None, *, status: int = 200
) -> web.Response:
    customer_id = person.id if person else NOBODY
    importance = await importance_of(customer_id) if person else None
    people = {one.id: one.name for one in await staff_list()} if person else {}
    typed = form.values | {"besides": str(customer_id)}
    return page(
        request,
        "customers/edit.html",
        block="form",
        status=status,
        form=form,
        person=person,
        home_choices=await _homes(request, person.home_location_id if person else None),
        categories=await category_chips(customer_id),
        segments=await chips(customer_id),
        importance_choices=importance_choices(
            await importance_classes(sized=False), importance.id if importance else 0
        ),
        importance_rule=importance.rule if importance else None,
        similar=await _similar(request, typed) if status != 200 or (form.value("name") and person is None) else [],
        created_via=_(VIAS[person.created_via]) if person else "",
        created_by=people.get(person.created_by_id or 0, "") if person else "",
        note_length=NOTE_LENGTH,
    )


ROUTES = (
    web.post("/customers", add),
    web.get("/customers/new", show_new),
    web.get("/customers/similar", show_similar),
    web.get("/customers/{id}/edit", show_edit),
    web.post("/customers/{id}/edit", edit),
)
