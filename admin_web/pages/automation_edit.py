"""Making an automation and changing one: its trigger, its conditions, its list of steps."""

from typing import Any

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.automation_form import UNITS, count_in, draft_in, fill, filter_in, rearranged
from admin_web.automation_words import PARAMS, STEPS, TRIGGERS
from admin_web.campaign_preview import languages_first
from admin_web.campaign_words import TOPICS, VARIABLE_NAMES
from admin_web.filter_words import look_words
from admin_web.forms import Form, form_of, id_in, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import SHOP, now
from admin_web.pages.automations import PATH
from admin_web.render import go_to, page
from loyalty.campaigns.actions.automating import add_automation, change_automation
from loyalty.campaigns.queries.automations import AutomationView, automation
from loyalty.campaigns.rules.automations import STEPS_AT_MOST, StepKind
from loyalty.campaigns.rules.drafts import NAME_LENGTH
from loyalty.campaigns.rules.texts import CAN_BE_MISSING, FALLBACK_LENGTH, TEXT_LENGTH, VARIABLES
from loyalty.campaigns.triggers import TRIGGERS as RULES
from loyalty.customers.queries.categories import categories
from loyalty.errors import Invalid, LoyaltyError, NotFound
from loyalty.ids import new_key
from loyalty.segments.queries.segments import segments
from loyalty.staff.queries import staff_list
from loyalty.staff.rules import Permission

UNIT_NAMES = {"minutes": mark("minutes"), "hours": mark("hours"), "days": mark("days")}


@requires(Permission.CAMPAIGNS_SEND)
async def show_new(request: web.Request) -> web.Response:
    """GET /automations/blank?f=: one from nothing, for whom the client base shows."""
    values = {"trigger": "receipt", "filter": request.query.get("f", ""), "count": "0", "key": new_key()}
    return await _edit(request, form_of(values | _usual("receipt")), None)


@requires(Permission.CAMPAIGNS_SEND)
async def add(request: web.Request) -> web.Response:
    """POST /automations/blank: a button of the list rearranges it, the last one keeps it."""
    form = await read_form(request)
    if _rearranged(form):
        return await _edit(request, form, None)
    try:
        draft = draft_in(form, request[SHOP].exponent)
        key = form.value("key")[:40] or new_key()
        automation_id = await add_automation(draft, key=key, actor=actor_of(request), now=now(request))
    except LoyaltyError as error:
        form.refuse(error)
        return await _edit(request, form, None, status=422)
    return await go_to(request, f"{PATH}/{automation_id}", say=_("Made, and switched off: read it through first."))


@requires(Permission.CAMPAIGNS_SEND)
async def show_edit(request: web.Request) -> web.Response:
    """GET /automations/{id}/edit."""
    view = await automation(id_in(request), now=now(request))
    return await _edit(request, form_of(fill(view.draft, request[SHOP].exponent)), view)


@requires(Permission.CAMPAIGNS_SEND)
async def save(request: web.Request) -> web.Response:
    """POST /automations/{id}/edit."""
    view, form = await automation(id_in(request), now=now(request)), await read_form(request)
    if _rearranged(form):
        return await _edit(request, form, view)
    try:
        draft = draft_in(form, request[SHOP].exponent)
        await change_automation(view.id, draft, actor=actor_of(request), now=now(request))
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        return await _edit(request, form, view, status=422)
    return await go_to(request, f"{PATH}/{view.id}", say=_("Saved"))


def _rearranged(form: Form) -> bool:
    """Whether a button of the list was pressed; another trigger comes with its usual numbers."""
    if not rearranged(form):
        return False
    trigger = form.value("trigger")
    if trigger in RULES and form.value("shown") != trigger:
        form.values |= _usual(trigger)
    return True


def _usual(trigger: str) -> dict[str, str]:
    return {
        one.name: str(one.usual or "") if one.is_money or one.least else str(one.usual) for one in RULES[trigger].params
    }


async def _edit(request: web.Request, form: Form, view: AutomationView | None, *, status: int = 200) -> web.Response:
    trigger = form.value("trigger") if form.value("trigger") in RULES else "receipt"
    steps = [
        (number, StepKind(form.value(f"{number}-kind")), await _filter_words(form.value(f"{number}-filter")))
        for number in range(1, count_in(form) + 1)
        if form.value(f"{number}-kind") in list(StepKind)
    ]
    return page(
        request,
        "automations/edit.html",
        block="form",
        status=status,
        form=form,
        view=view,
        url=f"{PATH}/{view.id}/edit" if view else f"{PATH}/blank",
        back=f"{PATH}/{view.id}" if view else PATH,
        trigger=trigger,
        triggers=[(key, _(name)) for key, (name, _hint, _icon) in TRIGGERS.items()],
        trigger_hint=_(TRIGGERS[trigger][1]),
        params=[(one, _(PARAMS[trigger, one.name])) for one in RULES[trigger].params],
        whom=await _filter_words(form.value("filter")),
        steps=steps,
        step_names={kind: (_(name), symbol) for kind, (name, symbol) in STEPS.items()},
        is_full=len(steps) >= STEPS_AT_MOST,
        units=[(name, _(UNIT_NAMES[name])) for name in UNITS],
        topics=[(one.value, _(name), _(hint)) for one, (name, hint) in TOPICS.items()],
        variables=[(name, _(VARIABLE_NAMES[name])) for name in VARIABLES],
        missing=[(name, _(VARIABLE_NAMES[name])) for name in VARIABLES if name in CAN_BE_MISSING],
        language_codes=languages_first(request),
        lengths={"name": NAME_LENGTH, "text": TEXT_LENGTH, "fallback": FALLBACK_LENGTH},
        **await _choices(),
    )


async def _choices() -> dict[str, Any]:
    """What the lists of the form offer."""
    known = [one for one in await segments() if one.archived_at is None]
    people = [one for one in await staff_list() if one.is_active]
    return {
        "segment_choices": [("", "—"), *((str(one.id), one.name) for one in known)],
        "by_hand": [("", "—"), *((str(one.id), one.name) for one in known if one.conditions is None)],
        "category_choices": [
            ("", "—"),
            *((str(one.id), one.name) for one in await categories(sized=False) if one.archived_at is None),
        ],
        "people": [("", _("nobody in particular")), *((str(one.id), one.name) for one in people)],
    }


async def _filter_words(text: str) -> str:
    """A filter in words; empty for none, and for what cannot be read."""
    try:
        line = filter_in(text, "filter")
    except Invalid:
        return ""
    return await look_words({"f": line}) if line else ""


ROUTES = (
    web.get(f"{PATH}/blank", show_new),
    web.post(f"{PATH}/blank", add),
    web.get(PATH + r"/{id:\d{1,9}}/edit", show_edit),
    web.post(PATH + r"/{id:\d{1,9}}/edit", save),
)
