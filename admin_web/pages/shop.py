"""Settings of the chain."""

from dataclasses import asdict

from aiohttp import web

from admin_web import choices
from admin_web.auth import actor_of, requires
from admin_web.forms import Form, form_of, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import SHOP, now
from admin_web.navigation import NavItem
from admin_web.render import go_to, page
from loyalty.errors import LoyaltyError
from loyalty.shop.actions import update_shop
from loyalty.shop.queries import has_receipts
from loyalty.staff.rules import Permission

PATH = "/settings/shop"
NAV = NavItem("shop", PATH, "settings", mark("Shop"), "settings", Permission.SHOP_MANAGE)


@requires(Permission.SHOP_MANAGE)
async def show(request: web.Request) -> web.Response:
    """GET /settings/shop."""
    return await _settings(request, form_of(asdict(request[SHOP])))


@requires(Permission.SHOP_MANAGE)
async def save(request: web.Request) -> web.Response:
    """POST /settings/shop."""
    form = await read_form(request)
    try:
        await update_shop(
            name=form.value("name"),
            currency=form.value("currency"),
            region=form.value("region"),
            language=form.value("language"),
            time_zone=form.value("time_zone"),
            actor=actor_of(request),
            now=now(request),
        )
    except LoyaltyError as error:
        form.refuse(error)
        return await _settings(request, form, block="form", status=422)
    return await go_to(request, PATH, say=_("Saved"))


async def _settings(request: web.Request, form: Form, *, block: str | None = None, status: int = 200) -> web.Response:
    return page(
        request,
        "shop/detail.html",
        block=block,
        status=status,
        form=form,
        currencies=choices.currencies(),
        regions=choices.regions(),
        languages=choices.languages(),
        time_zones=choices.time_zones(),
        currency_is_fixed=await has_receipts(),
    )


ROUTES = (web.get(PATH, show), web.post(PATH, save))
