"""Types of messages: which are sent, through which channels, in whose words; shown as a customer would get them."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.forms import Form, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import SETTINGS, SHOP, now
from admin_web.message_preview import Preview, preview_of
from admin_web.message_words import SYMBOLS, channel_name, grouped, meaning, set_up, type_name
from admin_web.navigation import NavItem
from admin_web.render import go_to, is_htmx, page, toast
from loyalty.conversations.actions.types import (
    MessageTypeDraft,
    reset_message_type,
    set_message_type,
    switch_channel,
)
from loyalty.conversations.channels import CAPABILITIES, EMAIL
from loyalty.conversations.message_types import (
    LANGUAGES,
    OWN_TEXT_LENGTH,
    STAFF,
    SUBJECT_LENGTH,
    MessageTypeView,
    check_texts,
)
from loyalty.conversations.queries.types import message_type, message_types
from loyalty.errors import Invalid, LoyaltyError, NotFound
from loyalty.staff.rules import Permission

PATH = "/settings/message-types"
HOURS_PATH = "/settings/messaging"
TEMPLATES_PATH = "/settings/templates"
PRICES_PATH = "/settings/message-prices"
NAV = NavItem(
    "message_types",
    PATH,
    "mails",
    mark("What is sent"),
    "settings",
    Permission.SHOP_MANAGE,
    under=(HOURS_PATH, TEMPLATES_PATH, PRICES_PATH),
)
STEPS = {"up": -1, "down": 1}


@dataclass(frozen=True, slots=True)
class Row:
    """A type in the matrix. cells: for each channel, whether it goes there; None where it cannot."""

    view: MessageTypeView
    name: str
    url: str
    cells: list[tuple[str, bool | None]]


@requires(Permission.SHOP_MANAGE)
async def show_list(request: web.Request) -> web.Response:
    """GET /settings/message-types: every type, and where it goes."""
    rows = {view.name: _row(view) for view in await message_types()}
    groups = [(heading, [rows[name] for name in names]) for heading, names in grouped(list(rows))]
    return page(request, "message_types/list.html", groups=groups, **_channels(request))


@requires(Permission.SHOP_MANAGE)
async def switch(request: web.Request) -> web.Response:
    """POST /settings/message-types/{name}/channels/{channel}/{on|off}?at=: at once, with an Undo."""
    name, channel, wanted = (request.match_info[part] for part in ("name", "channel", "switch"))
    at, is_on = request.query.get("at", ""), wanted == "on"
    place = await switch_channel(
        name,
        channel,
        is_on=is_on,
        at=int(at) if is_id(at) else None,
        actor=actor_of(request),
        now=now(request),
    )
    words = _("%(type)s: on in %(channel)s") if is_on else _("%(type)s: off in %(channel)s")
    said = words % {"type": type_name(name), "channel": channel_name(channel)}
    undo = f"{PATH}/{name}/channels/{channel}/{'off' if is_on else f'on?at={place or 0}'}"
    # What Undo brings back is shown by the page anew.
    if not is_htmx(request) or request.headers.get("HX-Target") is None:
        return await go_to(request, PATH, say=None if is_htmx(request) else said)
    answer = page(request, "message_types/_row.html", row=_row(await message_type(name)), **_channels(request))
    return toast(answer, said, undo)


@requires(Permission.SHOP_MANAGE)
async def show_one(request: web.Request) -> web.Response:
    """GET /settings/message-types/{name}?customer=: one type."""
    view = await message_type(request.match_info["name"])
    form = Form(_values(view) | {"customer": request.query.get("customer", "")})
    return await _edit(request, view, form)


@requires(Permission.SHOP_MANAGE)
async def save(request: web.Request) -> web.Response:
    """POST /settings/message-types/{name}: moves a channel, shows the words, or saves."""
    view, form = await message_type(request.match_info["name"]), await read_form(request)
    step, _dash, channel = form.value("step").partition("-")
    order = _order(view, form)
    if step in STEPS and channel in order:
        _move(order, channel, STEPS[step])
        form.values["order"] = ",".join(order)
        return await _edit(request, view, form, block="form")
    if step == "show":
        return await _edit(request, view, form, block="form")
    draft = MessageTypeDraft(_chosen(view, form), form.checked("own_first"), _texts(view, form))
    try:
        await set_message_type(view.name, draft, seen=_seen(form), actor=actor_of(request), now=now(request))
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        # What was typed stays; saving again puts it over what the other person saved.
        form.values["seen"] = _values(await message_type(view.name))["seen"]
        return await _edit(request, view, form, block="form", status=422)
    return await go_to(request, PATH, say=_("Saved"))


@requires(Permission.SHOP_MANAGE)
async def preview(request: web.Request) -> web.Response:
    """POST /settings/message-types/{name}/preview: what the form says, as somebody would get it."""
    view, form = await message_type(request.match_info["name"]), await read_form(request)
    if view.kind is None:
        raise web.HTTPNotFound
    if not is_htmx(request):
        return await _edit(request, view, form)
    return page(request, "message_types/_preview.html", **await _shown(request, view, form), is_part=True)


@requires(Permission.SHOP_MANAGE)
async def reset(request: web.Request) -> web.Response:
    """POST /settings/message-types/{name}/reset: as the house has it."""
    await reset_message_type(request.match_info["name"], actor=actor_of(request), now=now(request))
    return await go_to(request, PATH, say=_("It is sent as it comes with the house again."))


def _row(view: MessageTypeView) -> Row:
    cells = [(one, one in view.channels if one in view.possible else None) for one in CAPABILITIES]
    return Row(view, type_name(view.name), f"{PATH}/{view.name}", cells)


def _channels(request: web.Request) -> dict[str, Any]:
    ready = set_up(request.app[SETTINGS])
    return {
        "channels": [
            (one, channel_name(one), SYMBOLS.get(one, "message-circle"), one in ready) for one in CAPABILITIES
        ],
        "language_codes": LANGUAGES,
    }


def _values(view: MessageTypeView) -> dict[str, str]:
    """A form filled with a type; words of the house stand where the shop has none of its own."""
    order = [*view.channels, *(one for one in view.possible if one not in view.channels)]
    values = {"order": ",".join(order), "seen": view.updated_at.isoformat() if view.updated_at else ""}
    values |= {f"on-{channel}": "1" for channel in view.channels}
    values |= {"own_first": "1"} if view.own_first else {}
    if view.kind is not None:
        for language in LANGUAGES:
            values[f"text-{language}"] = view.own(language) or view.kind.texts.get(language, "")
            values[f"subject-{language}"] = view.own(language, "subject")
    return values


def _order(view: MessageTypeView, form: Form) -> list[str]:
    """The channels as the form has them, whatever was sent: each one that is possible, once."""
    sent = [one for one in dict.fromkeys(form.value("order").split(",")) if one in view.possible]
    return [*sent, *(one for one in view.possible if one not in sent)]


def _move(order: list[str], channel: str, step: int) -> None:
    at = order.index(channel)
    to = max(0, min(len(order) - 1, at + step))
    order.insert(to, order.pop(at))


def _chosen(view: MessageTypeView, form: Form) -> tuple[str, ...]:
    return tuple(one for one in _order(view, form) if form.checked(f"on-{one}"))


def _texts(view: MessageTypeView, form: Form) -> dict[str, dict[str, str]]:
    if view.kind is None:
        return {}
    parts = ("text", "subject")
    return {language: {part: form.value(f"{part}-{language}") for part in parts} for language in LANGUAGES}


def _seen(form: Form) -> datetime | None:
    try:
        return datetime.fromisoformat(form.value("seen")) if form.value("seen") else None
    except ValueError:
        raise web.HTTPBadRequest from None


async def _shown(request: web.Request, view: MessageTypeView, form: Form) -> dict[str, Any]:
    """The preview; or what is wrong with the words, for which there is none."""
    found: Preview | None = None
    wrong = ""
    if view.kind is not None:
        try:
            texts = check_texts(view.kind, _texts(view, form))
            found = await preview_of(replace(view, channels=_chosen(view, form)), form, texts, request[SHOP])
        except Invalid as error:
            trial = Form()
            trial.refuse(error)
            wrong = trial.error(error.field)
    return {
        "view": view,
        "form": form,
        "preview": found,
        "wrong": wrong,
        "url": f"{PATH}/{view.name}",
        "language_codes": _languages(request),
    }


def _languages(request: web.Request) -> list[str]:
    """The shop's own language first."""
    return sorted(LANGUAGES, key=lambda language: (language != request[SHOP].language, LANGUAGES.index(language)))


async def _edit(
    request: web.Request, view: MessageTypeView, form: Form, *, block: str | None = None, status: int = 200
) -> web.Response:
    kind = view.kind
    data = _channels(request) | await _shown(request, view, form)
    return page(
        request,
        "message_types/edit.html",
        block=block,
        status=status,
        **data,
        title=type_name(view.name),
        order=_order(view, form),
        is_staff=view.name == STAFF,
        has_subject=EMAIL in view.possible,
        variables=[(name, meaning(name, view.name)) for name in sorted(view.variables)],
        house=kind.texts if kind is not None else {},
        buttons=[label for label, _data in kind.row(request[SHOP].language, {})] if kind is not None else [],
        text_length=OWN_TEXT_LENGTH,
        subject_length=SUBJECT_LENGTH,
        is_part=False,
    )


NAME = r"/{name:[a-z_]{1,24}}"
ROUTES = (
    web.get(PATH, show_list),
    web.get(PATH + NAME, show_one),
    web.post(PATH + NAME, save),
    web.post(PATH + NAME + "/preview", preview),
    web.post(PATH + NAME + "/reset", reset),
    web.post(PATH + NAME + r"/channels/{channel:[a-z]{1,10}}/{switch:on|off}", switch),
)
