"""How the shop writes to people: quiet hours, and how much advertising one person gets."""

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.forms import Form, form_of, read_form
from admin_web.i18n import gettext as _
from admin_web.keys import now
from admin_web.message_words import type_name
from admin_web.pages.message_types import HOURS_PATH as PATH
from admin_web.render import go_to, page
from loyalty.conversations.actions.messaging import change_manners
from loyalty.conversations.kinds import PATIENT
from loyalty.conversations.queries.sending import manners
from loyalty.conversations.rules import CAP_DAYS, CAP_MESSAGES, Cap, Manners, Quiet
from loyalty.errors import Invalid, LoyaltyError
from loyalty.staff.rules import Permission

FIELDS = ("quiet_from", "quiet_until", "cap_messages", "cap_days")


@requires(Permission.SHOP_MANAGE)
async def show(request: web.Request) -> web.Response:
    """GET /settings/messaging."""
    return await _page(request, form_of(_values(await manners())))


@requires(Permission.SHOP_MANAGE)
async def save(request: web.Request) -> web.Response:
    """POST /settings/messaging: says how it reads while it is being changed, and saves."""
    form = await read_form(request)
    if form.value("step") == "read":
        return await _page(request, form, block="reads")
    wanted = _read(form)
    if form.ok:
        try:
            await change_manners(wanted, seen=_seen(form), actor=actor_of(request), now=now(request))
        except LoyaltyError as error:
            form.refuse(error)
            form.values["seen"] = _values(await manners())["seen"]
    if not form.ok:
        return await _page(request, form, block="form", status=422)
    return await go_to(request, PATH, say=_("Saved"))


def _values(known: Manners) -> dict[str, str]:
    numbers = (known.quiet.begins, known.quiet.ends, known.cap.messages, known.cap.days)
    values = {name: str(number) for name, number in zip(FIELDS, numbers, strict=True)}
    return values | {"seen": ",".join(values.values())}


def _read(form: Form) -> Manners:
    numbers = []
    for name in FIELDS:
        number = form.number(name)
        if number is None and not form.error(name):
            form.refuse(Invalid(name, "required"))
        numbers.append(number or 0)
    return Manners(Quiet(numbers[0], numbers[1]), Cap(numbers[2], numbers[3]))


def _seen(form: Form) -> Manners:
    """What stood there when the form was drawn."""
    parts = form.value("seen").split(",")
    if len(parts) != len(FIELDS) or not all(part.isascii() and part.isdigit() and len(part) < 5 for part in parts):
        raise web.HTTPBadRequest
    begins, ends, messages, days = (int(part) for part in parts)
    return Manners(Quiet(begins, ends), Cap(messages, days))


async def _page(request: web.Request, form: Form, *, block: str | None = None, status: int = 200) -> web.Response:
    return page(
        request,
        "message_types/hours.html",
        block=block,
        status=status,
        form=form,
        hours=[(str(hour), f"{hour}:00") for hour in range(24)],
        patient=[type_name(name) for name in PATIENT],
        most_messages=CAP_MESSAGES,
        most_days=CAP_DAYS,
        path=PATH,
    )


ROUTES = (web.get(PATH, show), web.post(PATH, save))
