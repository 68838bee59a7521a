"""What channels charge for a message: what campaigns would cost, and did, is counted with it."""

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.forms import Form, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import SETTINGS, SHOP, now
from admin_web.message_words import SYMBOLS, channel_name, set_up
from admin_web.pages.message_types import PRICES_PATH as PATH
from admin_web.programme_form import decimal_text, read_decimal
from admin_web.render import go_to, page
from loyalty.conversations.actions.prices import change_prices
from loyalty.conversations.channels import CAPABILITIES, EMAIL, SMS, TELEGRAM, WHATSAPP
from loyalty.conversations.prices import FINER, MOST, PARTS, Price, Prices
from loyalty.conversations.queries.prices import prices
from loyalty.errors import LoyaltyError
from loyalty.staff.rules import Permission
from loyalty.wording import sign_of

HINTS = {
    TELEGRAM: mark("Bots write for nothing: 0."),
    WHATSAPP: mark(
        "Of a template: one of the category marketing is advertising, one of utility is not, whatever it is sent for."
        " A text within 24 hours after the customer's last word is free, and counts as nothing."
    ),
    SMS: mark("Of one part: a longer text is several SMS, and each is charged."),
    EMAIL: mark("What your mail service charges for a letter; 0 where it is paid by the month."),
}
_NOT_TOLD = "-"


@requires(Permission.SHOP_MANAGE)
async def show(request: web.Request) -> web.Response:
    """GET /settings/message-prices."""
    return await _page(request, _filled(await prices(), request[SHOP].exponent))


@requires(Permission.SHOP_MANAGE)
async def save(request: web.Request) -> web.Response:
    """POST /settings/message-prices: counts with them from now on; what has begun keeps its own."""
    form, shop = await read_form(request), request[SHOP]
    seen = _seen(form)
    wanted = _read(form, shop.exponent, sign_of(shop.currency))
    if form.ok:
        try:
            await change_prices(wanted, seen=seen, actor=actor_of(request), now=now(request))
        except LoyaltyError as error:
            form.refuse(error)
            # What was typed stays; saving again puts it over what the other person saved.
            form.values["seen"] = _told(await prices())
    if not form.ok:
        return await _page(request, form, block="form", status=422)
    return await go_to(request, PATH, say=_("Saved"))


def _filled(known: Prices, exponent: int) -> Form:
    values = {"seen": _told(known)}
    for channel, price in known.items():
        for part in PARTS:
            told = getattr(price, part)
            values[f"{channel}-{part}"] = "" if told is None else decimal_text(told, exponent + FINER)
    return Form(values)


def _read(form: Form, exponent: int, sign: str) -> dict[str, Price]:
    """The prices as they were typed; an empty field is one that is not known."""
    found = {}
    for channel in CAPABILITIES:
        parts = [f"{channel}-{part}" for part in PARTS]
        told = [read_decimal(form, one, exponent + FINER, unit=sign) if form.text(one) else None for one in parts]
        found[channel] = Price(*told)
    return found


def _told(known: Prices) -> str:
    """What stands there, in one field."""
    parts = [getattr(price, part) for price in known.values() for part in PARTS]
    return ",".join(_NOT_TOLD if told is None else str(told) for told in parts)


def _seen(form: Form) -> dict[str, Price]:
    """What stood there when the form was drawn. Raises HTTPBadRequest for what no form of ours says."""
    told = [None if text == _NOT_TOLD else _number(text) for text in form.value("seen").split(",")]
    if len(told) != len(CAPABILITIES) * len(PARTS):
        raise web.HTTPBadRequest
    pairs = zip(told[::2], told[1::2], strict=True)
    return {channel: Price(*pair) for channel, pair in zip(CAPABILITIES, pairs, strict=True)}


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST)) and int(text) <= MOST):
        raise web.HTTPBadRequest
    return int(text)


async def _page(request: web.Request, form: Form, *, block: str | None = None, status: int = 200) -> web.Response:
    ready = set_up(request.app[SETTINGS])
    return page(
        request,
        "message_types/prices.html",
        block=block,
        status=status,
        form=form,
        path=PATH,
        sign=sign_of(request[SHOP].currency),
        channels=[
            (one, channel_name(one), SYMBOLS.get(one, "message-circle"), _(HINTS[one]), one in ready)
            for one in CAPABILITIES
        ],
    )


ROUTES = (web.get(PATH, show), web.post(PATH, save))
