"""Templates for WhatsApp: written here, approved there, sent once people have not written for a day."""

from datetime import datetime
from typing import Any

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.chats import VARIABLES
from admin_web.forms import Form, id_in, read_form
from admin_web.i18n import LANGUAGE_NAMES
from admin_web.i18n import gettext as _
from admin_web.keys import SETTINGS, now
from admin_web.message_words import (
    BY_HAND,
    CATEGORIES,
    REASONS,
    STATUSES,
    grouped,
    meaning,
    set_up,
    type_name,
)
from admin_web.pages.message_types import TEMPLATES_PATH as PATH
from admin_web.render import go_to, page
from loyalty.conversations.actions.templates import (
    add_template,
    change_template,
    delete_template,
    mark_template,
)
from loyalty.conversations.answering import VALUE_LENGTH, filled_in
from loyalty.conversations.channels import WHATSAPP
from loyalty.conversations.kinds import KINDS
from loyalty.conversations.message_types import usable_variables
from loyalty.conversations.queries.templates import TemplateLine, all_templates, template_line
from loyalty.conversations.templating import (
    BODY_LENGTH,
    LANGUAGES,
    NAME_LENGTH,
    OPEN,
    VARIABLES_AT_MOST,
    Category,
    TemplateDraft,
    TemplateStatus,
    Variable,
    places_in,
)
from loyalty.conversations.templating import (
    BY_HAND as NEXT,
)
from loyalty.errors import LoyaltyError, NotFound
from loyalty.staff.rules import Permission


@requires(Permission.SHOP_MANAGE)
async def show_list(request: web.Request) -> web.Response:
    """GET /settings/templates."""
    return page(
        request,
        "templates/list.html",
        found=await all_templates(),
        path=PATH,
        is_set_up=WHATSAPP in set_up(request.app[SETTINGS]),
        **_words(),
    )


@requires(Permission.SHOP_MANAGE)
async def show_new(request: web.Request) -> web.Response:
    """GET /settings/templates/new?kind=: an empty one, perhaps for a type of message."""
    kind = request.query.get("kind", "")
    form = Form({"language": LANGUAGES[0], "category": Category.UTILITY.value, "kind": kind if kind in KINDS else ""})
    return _edit(request, form, None)


@requires(Permission.SHOP_MANAGE)
async def show_one(request: web.Request) -> web.Response:
    """GET /settings/templates/{id}."""
    known = await template_line(id_in(request))
    return _edit(request, Form(_values(known)), known)


@requires(Permission.SHOP_MANAGE)
async def save(request: web.Request) -> web.Response:
    """POST /settings/templates/new or …/{id}."""
    form = await read_form(request)
    known = await template_line(id_in(request)) if "id" in request.match_info else None
    if form.value("step") == "variables":
        return _edit(request, form, known, block="variables")
    draft = _draft(form)
    try:
        if known is None:
            template_id = await add_template(draft, actor=actor_of(request), now=now(request))
        else:
            template_id = known.id
            await change_template(known.id, draft, seen=_seen(form), actor=actor_of(request), now=now(request))
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        if known is not None:
            form.values["seen"] = known.updated_at.isoformat()
        return _edit(request, form, known, block="form", status=422)
    return await go_to(request, f"{PATH}/{template_id}", say=_("Saved"))


@requires(Permission.SHOP_MANAGE)
async def mark(request: web.Request) -> web.Response:
    """POST /settings/templates/{id}/status: what a person has read in WhatsApp Manager."""
    form, template_id = await read_form(request), id_in(request)
    statuses = [form.value("status"), form.value("seen")]
    if not set(statuses) <= set(TemplateStatus):
        raise web.HTTPBadRequest
    status, seen = (TemplateStatus(one) for one in statuses)
    await mark_template(template_id, status, seen=seen, actor=actor_of(request), now=now(request))
    return await go_to(request, f"{PATH}/{template_id}", say=_("Noted"))


@requires(Permission.SHOP_MANAGE)
async def delete(request: web.Request) -> web.Response:
    """POST /settings/templates/{id}/delete."""
    await delete_template(id_in(request), actor=actor_of(request), now=now(request))
    return await go_to(request, PATH, say=_("The template is deleted."))


def _values(known: TemplateLine) -> dict[str, str]:
    values = {
        "name": known.name,
        "language": known.language,
        "category": known.category,
        "body": known.body,
        "kind": known.kind or "",
        "seen": known.updated_at.isoformat(),
    }
    for number, one in enumerate(known.variables, 1):
        values |= {f"variable-{number}": one.name, f"fallback-{number}": one.fallback}
    return values


def _draft(form: Form) -> TemplateDraft:
    body = "\n".join(line.rstrip() for line in form.value("body").splitlines()).strip()
    variables = tuple(
        Variable(form.text(f"variable-{number}"), " ".join(form.value(f"fallback-{number}").split()))
        for number in range(1, min(places_in(body), VARIABLES_AT_MOST) + 1)
    )
    name, language, category = (form.text(field) for field in ("name", "language", "category"))
    return TemplateDraft(name, language, category, body, variables, form.text("kind") or None)


def _seen(form: Form) -> datetime:
    try:
        return datetime.fromisoformat(form.value("seen"))
    except ValueError:
        raise web.HTTPBadRequest from None


def _words() -> dict[str, Any]:
    return {
        "status_names": {status: (_(name), tint) for status, (name, tint) in STATUSES.items()},
        "categories": {category.value: _(name) for category, name in CATEGORIES.items()},
        "languages": [(code, _language(code)) for code in LANGUAGES],
        "why": {code: _(words) for code, words in REASONS.items()},
        "type_names": {name: type_name(name) for name in KINDS},
    }


def _language(code: str) -> str:
    name, _dash, country = code.partition("_")
    return f"{LANGUAGE_NAMES.get(name, name)} ({country})" if country else LANGUAGE_NAMES.get(name, name)


def _known_variables(kind: str) -> list[tuple[str, str]]:
    """What a variable can be: of a type, its own; of what staff send, what we can fill in, or any other name."""
    if kind in KINDS:
        return [(name, meaning(name, kind)) for name in sorted(usable_variables(KINDS[kind]))]
    return [(name, _(words)) for name, words in VARIABLES.items()]


def _edit(
    request: web.Request,
    form: Form,
    known: TemplateLine | None,
    *,
    block: str | None = None,
    status: int = 200,
) -> web.Response:
    body = form.value("body")
    marks = [f"{{{{{number}}}}}" for number in range(1, VARIABLES_AT_MOST + 1)]
    fallbacks = [form.value(f"fallback-{number}") or one for number, one in enumerate(marks, 1)]
    groups = [(heading, [(name, type_name(name)) for name in names]) for heading, names in grouped(list(KINDS))]
    return page(
        request,
        "templates/edit.html",
        block=block,
        status=status,
        form=form,
        known=known,
        url=request.path,
        path=PATH,
        places=min(places_in(body), VARIABLES_AT_MOST),
        known_variables=_known_variables(form.value("kind")),
        kinds=[(heading, options) for heading, options in groups if options],
        marks=marks,
        example=filled_in(body, fallbacks),
        is_fixed=known is not None and known.status not in OPEN,
        next_statuses=[(one.value, _(BY_HAND[one])) for one in NEXT[known.status]] if known is not None else [],
        name_length=NAME_LENGTH,
        body_length=BODY_LENGTH,
        value_length=VALUE_LENGTH,
        **_words(),
    )


ROUTES = (
    web.get(PATH, show_list),
    web.get(f"{PATH}/new", show_new),
    web.post(f"{PATH}/new", save),
    web.get(PATH + r"/{id:\d{1,9}}", show_one),
    web.post(PATH + r"/{id:\d{1,9}}", save),
    web.post(PATH + r"/{id:\d{1,9}}/status", mark),
    web.post(PATH + r"/{id:\d{1,9}}/delete", delete),
)
