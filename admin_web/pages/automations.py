"""Automations: what there is and how it goes, one of them, switching on and off, what the past would have said."""

from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.automation_words import READY, STATES, TRIGGERS, segment_names, step_lines, trigger_words, why
from admin_web.campaign_preview import languages_first
from admin_web.filter_words import look_words
from admin_web.formats import num
from admin_web.forms import Form, id_in, is_id, read_form
from admin_web.i18n import READER, mark, ngettext
from admin_web.i18n import gettext as _
from admin_web.keys import SETTINGS, SHOP, now
from admin_web.message_preview import Preview, bulk_preview_of
from admin_web.message_words import channel_name, set_up
from admin_web.navigation import NavItem
from admin_web.render import go_to, page
from loyalty.campaigns.actions.automating import (
    add_automation,
    archive_automation,
    restore_automation,
    switch_off,
    switch_on,
)
from loyalty.campaigns.queries.automations import AutomationView, DryRun, automation, automations, dry_run, runs
from loyalty.campaigns.queries.reach import Manner, used_channels
from loyalty.campaigns.rules.automations import RunState, StepKind
from loyalty.campaigns.rules.drafts import Acknowledgement, acknowledgement
from loyalty.campaigns.rules.ready_made import NAMES, READY_MADE, ready_made
from loyalty.errors import Invalid, LoyaltyError, Refused
from loyalty.ids import new_key
from loyalty.segments.queries.base import Look
from loyalty.segments.rules.trees import tree_from
from loyalty.staff.rules import Permission

PATH = "/automations"
NAV = NavItem("automations", PATH, "workflow", mark("Automations"), "marketing", Permission.CAMPAIGNS_SEND)


@requires(Permission.CAMPAIGNS_SEND)
async def show_list(request: web.Request) -> web.Response:
    """GET /automations: all that are not put away."""
    names = await segment_names()
    found = await automations(now=now(request))
    return page(
        request,
        "automations/list.html",
        automations=[(one, trigger_words(one.draft, names), TRIGGERS[one.draft.trigger][2]) for one in found],
    )


@requires(Permission.CAMPAIGNS_SEND)
async def show_ready(request: web.Request) -> web.Response:
    """GET /automations/new: the ready-made ones, and the way to one from nothing."""
    language = READER.get().language
    ready = [
        (key, NAMES[key].get(language, NAMES[key]["en"]), _(READY[key]), TRIGGERS[draft.trigger][2])
        for key, draft in READY_MADE.items()
    ]
    return page(request, "automations/ready.html", ready=ready, key=new_key())


@requires(Permission.CAMPAIGNS_SEND)
async def take_ready(request: web.Request) -> web.Response:
    """POST /automations/ready/{name}: a draft of a ready-made one, switched off."""
    form, name = await read_form(request), request.match_info["name"]
    draft = ready_made(name, READER.get().language)
    key = f"{form.value('key')[:20] or new_key()}:{name}"
    automation_id = await add_automation(draft, key=key, actor=actor_of(request), now=now(request))
    return await go_to(request, f"{PATH}/{automation_id}", say=_("Made, and switched off: read it through first."))


@requires(Permission.CAMPAIGNS_SEND)
async def show_one(request: web.Request) -> web.Response:
    """GET /automations/{id}?state=&before=: what it does, and who was on the way."""
    return await _show(request, await automation(id_in(request), now=now(request)), Form())


@requires(Permission.CAMPAIGNS_SEND)
async def show_dry(request: web.Request) -> web.Response:
    """GET /automations/{id}/dry: whom it would have begun with in the last ninety days."""
    view = await automation(id_in(request), now=now(request))
    return page(
        request,
        "automations/dry.html",
        block="dry",
        automation=view,
        dry=await _dry(request, view),
        here=f"{PATH}/{view.id}",
    )


@requires(Permission.CAMPAIGNS_SEND)
async def put_on(request: web.Request) -> web.Response:
    """POST /automations/{id}/on: asks once more, with what the last ninety days would have been."""
    view, form = await automation(id_in(request), now=now(request)), await read_form(request)
    if form.value("step") == "back":
        return await go_to(request, f"{PATH}/{view.id}")
    said = _acknowledged() if form.checked("acknowledged") else None
    try:
        if view.draft.advertises and said is None:
            raise Invalid("acknowledged", "required")
        if not form.checked("agreed"):
            return await _show(request, view, form, asks=True)
        await switch_on(view.id, said, working=set_up(request.app[SETTINGS]), actor=actor_of(request), now=now(request))
    except LoyaltyError as error:
        form.values["agreed"] = ""
        _refuse(form, error)
        return await _show(request, view, form, status=422)
    return await go_to(request, f"{PATH}/{view.id}", say=_("Switched on: whatever happens from now on counts."))


@requires(Permission.CAMPAIGNS_SEND)
async def put_off(request: web.Request) -> web.Response:
    """POST /automations/{id}/off: nobody is begun with, and nobody on the way goes on."""
    automation_id = id_in(request)
    stopped = await switch_off(automation_id, actor=actor_of(request), now=now(request))
    said = ngettext(
        "Switched off. %(num)s customer on the way goes no further.",
        "Switched off. %(num)s customers on the way go no further.",
        stopped,
    )
    return await go_to(request, f"{PATH}/{automation_id}", say=said % {"num": num(stopped)})


@requires(Permission.CAMPAIGNS_SEND)
async def archive(request: web.Request) -> web.Response:
    """POST /automations/{id}/archive: put away, switched off; with an Undo that leaves it off."""
    automation_id = id_in(request)
    await archive_automation(automation_id, actor=actor_of(request), now=now(request))
    said = _("Archived, and switched off.")
    return await go_to(request, PATH, say=said, undo_url=f"{PATH}/{automation_id}/restore")


@requires(Permission.CAMPAIGNS_SEND)
async def restore(request: web.Request) -> web.Response:
    """POST /automations/{id}/restore: what an Undo asks for."""
    automation_id = id_in(request)
    await restore_automation(automation_id, actor=actor_of(request), now=now(request))
    return await go_to(request, f"{PATH}/{automation_id}")


def _refuse(form: Form, error: LoyaltyError) -> None:
    """What is wrong with one that was kept stands above the whole, with the step that it is about."""
    if isinstance(error, Invalid) and error.field != "acknowledged":
        trial = Form()
        trial.refuse(error)
        form.errors[""] = _("Change it first. %(field)s: %(reason)s") % {
            "field": _field(error.field),
            "reason": trial.error(error.field),
        }
    else:
        form.refuse(error)


def _field(name: str) -> str:
    number, dash, _rest = name.partition("-")
    return _("Step %(number)s") % {"number": number} if dash and number.isdigit() else _("What begins it")


async def _show(
    request: web.Request, view: AutomationView, form: Form, *, asks: bool = False, status: int = 200
) -> web.Response:
    wanted, before = request.query.get("state", ""), request.query.get("before", "")
    state = RunState(wanted) if wanted in list(RunState) else None
    found, following = await runs(
        view.id, state=state, before_id=int(before) if is_id(before) and len(before) < 18 else None
    )
    here = f"{PATH}/{view.id}"
    kept = {"state": wanted} if state else {}
    lines, channels = await step_lines(view.draft.steps), await _channels(request, view)
    return page(
        request,
        "automations/show.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        status=status,
        automation=view,
        here=here,
        form=form,
        asks=asks,
        dry=await _dry(request, view) if asks else None,
        begins=trigger_words(view.draft, await segment_names()),
        hint=_(TRIGGERS[view.draft.trigger][1]),
        whom=await look_words({"f": view.draft.conditions}) if view.draft.conditions else "",
        base_url=f"/customers?{urlencode({'f': view.draft.conditions})}",
        lines=lines,
        previews=await _previews(request, view, channels),
        channels=[channel_name(one) for one in channels],
        acknowledgement=_acknowledged().text if view.draft.advertises else "",
        rows=[(run, why(run.reason), _passed(run.outcomes)) for run in found],
        states={one: (_(text), tint) for one, (text, tint) in STATES.items()},
        tabs=[
            ("", _("All"), here),
            *((one.value, _(text), f"{here}?state={one}") for one, (text, _t) in STATES.items()),
        ],
        state=wanted if state else "",
        following=f"{here}?{urlencode(kept | {'before': following})}" if following else None,
        beginning=f"{here}?{urlencode(kept)}" if before else None,
    )


async def _channels(request: web.Request, view: AutomationView) -> tuple[str, ...]:
    """Through which channels it writes, or would."""
    return view.channels if view.is_on else await used_channels(Manner(), set_up(request.app[SETTINGS]))


async def _previews(request: web.Request, view: AutomationView, channels: tuple[str, ...]) -> dict[int, Preview]:
    """Each message as one of those gets it who meet the conditions; by its place."""
    language = next(iter(languages_first(request)))
    found = {}
    for place, step in enumerate(view.draft.steps):
        if step.kind is StepKind.MESSAGE:
            whom = Look(tree=tree_from(view.draft.conditions)) if view.draft.conditions else Look()
            asked = Form({"language": language})
            try:
                found[place] = await bulk_preview_of(
                    channels[:1], asked, {0: step.words}, whom, request[SHOP], bonus=view.draft.bonus
                )
            except Invalid:
                # Its conditions ask for what is not there any more.
                found[place] = await bulk_preview_of(
                    channels[:1], asked, {0: step.words}, Look(), request[SHOP], bonus=view.draft.bonus
                )
    return found


async def _dry(request: web.Request, view: AutomationView) -> DryRun | None:
    """What the past would have been; None where nobody can tell, also for conditions that cannot be asked any more."""
    try:
        return await dry_run(view.draft, now=now(request))
    except (Invalid, Refused):
        return None


def _passed(outcomes: Any) -> list[tuple[int, str]]:
    """Which steps were gone by, and why."""
    return [(one.step + 1, why(one.reason)) for one in outcomes if one.reason]


def _acknowledged() -> Acknowledgement:
    return acknowledgement(READER.get().language)


ONE = PATH + r"/{id:\d{1,9}}"
ROUTES = (
    web.get(PATH, show_list),
    web.get(f"{PATH}/new", show_ready),
    web.post(PATH + "/ready/{name:[a-z_]{1,20}}", take_ready),
    web.get(ONE, show_one),
    web.get(f"{ONE}/dry", show_dry),
    web.post(f"{ONE}/on", put_on),
    web.post(f"{ONE}/off", put_off),
    web.post(f"{ONE}/archive", archive),
    web.post(f"{ONE}/restore", restore),
)
