"""What staff grant one person beyond the rules: a level until a day, a personal discount."""

from datetime import timedelta

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.forms import Form, id_in, read_form
from admin_web.i18n import gettext as _
from admin_web.keys import SHOP, now
from admin_web.render import go_to, page
from admin_web.words import reason_text
from loyalty.bonuses.actions.tiers import clear_tier, set_tier
from loyalty.clock import business_date
from loyalty.customers.actions.discounts import set_discount, undo_discount
from loyalty.customers.queries import customer
from loyalty.errors import LoyaltyError, NotFound, Refused
from loyalty.money import parse_share
from loyalty.shop.queries import programme_at
from loyalty.staff.rules import Permission
from loyalty.wording import decimal

# A tier by hand ends with its last local day; an instant before that end lies on the day people know.
_A_MOMENT = timedelta(microseconds=1)


@requires(Permission.TIER_SET)
async def show_tier(request: web.Request) -> web.Response:
    """GET /customers/{id}/tier: the form of a level by hand; a dialog for htmx."""
    person = await customer(id_in(request))
    until = business_date(person.tier_until - _A_MOMENT, request[SHOP].time_zone) if person.tier_until else ""
    return await _tier_page(request, Form({"tier": str(person.tier_id), "until": str(until)}))


@requires(Permission.TIER_SET)
async def do_set_tier(request: web.Request) -> web.Response:
    """POST /customers/{id}/tier."""
    form, customer_id = await read_form(request), id_in(request)
    programme = await programme_at(now(request))
    tier = form.choice("tier", [str(tier.id) for tier in programme.tiers])
    form.text("until", required=True)
    until = form.day("until")
    if form.ok and until is not None:
        try:
            await set_tier(customer_id, int(tier), until, actor=actor_of(request), now=now(request))
        except NotFound:
            raise
        except LoyaltyError as error:
            form.refuse(error)
        else:
            return await go_to(request, f"/customers/{customer_id}", say=_("Done. The level is set."))
    return await _tier_page(request, form, status=422)


@requires(Permission.TIER_SET)
async def do_clear_tier(request: web.Request) -> web.Response:
    """POST /customers/{id}/tier/clear: the window decides again."""
    customer_id = id_in(request)
    await clear_tier(customer_id, actor=actor_of(request), now=now(request))
    return await go_to(request, f"/customers/{customer_id}", say=_("Done. Purchases decide about the level again."))


async def _tier_page(request: web.Request, form: Form, *, status: int = 200) -> web.Response:
    programme = await programme_at(now(request))
    return page(
        request,
        "customers/tier.html",
        block="form" if request.method == "POST" else "dialog",
        status=status,
        form=form,
        person=await customer(id_in(request)),
        tier_choices=[(str(tier.id), tier.name) for tier in programme.tiers],
    )


@requires(Permission.DISCOUNT_SET)
async def show_discount(request: web.Request) -> web.Response:
    """GET /customers/{id}/discount: the form of a personal discount; a dialog for htmx."""
    person = await customer(id_in(request))
    return await _discount_page(request, Form({"discount": decimal(person.discount_bp, 2, "en")}))


@requires(Permission.DISCOUNT_SET)
async def do_set_discount(request: web.Request) -> web.Response:
    """POST /customers/{id}/discount: percent with up to two decimals."""
    form, customer_id = await read_form(request), id_in(request)
    try:
        discount_bp = parse_share(form.value("discount"), field="discount")
        is_new = await set_discount(customer_id, discount_bp, actor=actor_of(request), now=now(request))
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        return await _discount_page(request, form, status=422)
    card = f"/customers/{customer_id}"
    said, undo_url = _("Done. The discount counts from the next sale on."), f"{card}/discount/undo"
    return await go_to(request, card, say=said, undo_url=undo_url if is_new else None)


@requires(Permission.DISCOUNT_SET)
async def take_discount_back(request: web.Request) -> web.Response:
    """POST /customers/{id}/discount/undo: what an Undo asks for; a rule's discount is the rule's again."""
    customer_id, said = id_in(request), _("Undone. The discount is what it was.")
    try:
        await undo_discount(customer_id, actor=actor_of(request), now=now(request))
    except Refused as error:
        said = reason_text(error)
    return await go_to(request, f"/customers/{customer_id}", say=said)


async def _discount_page(request: web.Request, form: Form, *, status: int = 200) -> web.Response:
    return page(
        request,
        "customers/discount.html",
        block="form" if request.method == "POST" else "dialog",
        status=status,
        form=form,
        person=await customer(id_in(request)),
    )


ROUTES = (
    web.get("/customers/{id}/tier", show_tier),
    web.post("/customers/{id}/tier", do_set_tier),
    web.post("/customers/{id}/tier/clear", do_clear_tier),
    web.get("/customers/{id}/discount", show_discount),
    web.post("/customers/{id}/discount", do_set_discount),
    web.post("/customers/{id}/discount/undo", take_discount_back),
)
