"""Writing a message to many: its words and how they look, whom it reaches, when it goes, what it gives."""

from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from admin_web import choices
from admin_web.auth import actor_of, requires, staff_of
from admin_web.base_look import KEPT, location_value, look_of
from admin_web.campaign_costs import Costs, costs_of
from admin_web.campaign_form import change_wordings, draft_in, fill
from admin_web.campaign_preview import previewed, spare_fields, taken_away, wording_fields
from admin_web.campaign_words import BUTTONS, EVERY, TOPICS, VARIABLE_NAMES, skip_text, weekdays
from admin_web.filter_words import look_words, wrong
from admin_web.forms import Form, id_in, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import ngettext
from admin_web.keys import SETTINGS, SHOP, now
from admin_web.message_words import SYMBOLS, channel_name, set_up
from admin_web.render import go_to, is_htmx, page
from admin_web.uploads import read_upload
from loyalty.campaigns.actions.drafting import Chosen, FileChange, add_draft, change_draft
from loyalty.campaigns.queries.campaigns import CampaignView, campaign
from loyalty.campaigns.queries.plans import BY_CARD, audience_of, manner_of
from loyalty.campaigns.queries.reach import Manner, Reach, reach
from loyalty.campaigns.rules.drafts import (
    CONTROL_AT_MOST_BP,
    NAME_LENGTH,
    USUAL_WINDOW_DAYS,
    WINDOW_DAYS,
    CampaignDraft,
)
from loyalty.campaigns.rules.repeating import LAST_DAY
from loyalty.campaigns.rules.states import AHEAD
from loyalty.campaigns.rules.texts import (
    BUTTONS_AT_MOST,
    CAN_BE_MISSING,
    FALLBACK_LENGTH,
    LABEL_LENGTH,
    LETTERS,
    TEXT_LENGTH,
    VARIABLES,
)
from loyalty.conversations.channels import CAPABILITIES
from loyalty.conversations.message_types import BULK
from loyalty.conversations.queries.templates import all_templates
from loyalty.conversations.queries.types import message_type
from loyalty.conversations.templating import TemplateStatus
from loyalty.errors import Invalid, LoyaltyError, NotFound
from loyalty.ids import new_key
from loyalty.segments.queries.audience import Audience
from loyalty.segments.queries.base import base_count
from loyalty.segments.queries.segments import segments
from loyalty.staff.rules import Permission

PATH = "/campaigns"
AT_ONCE = 20_000
"""Up to so many people, whom a message reaches is known with the page; of more it is asked when the page is there."""
CONTROL_SHARES = (0, 5, 10, 20, 30, CONTROL_AT_MOST_BP // 100)
EVERYBODY = "everybody"


def new_campaign_url(request: web.Request) -> str:
    """Where a message to those is written whom the bar of the base means."""
    is_all = "all" in request.query.getall("scope", [])
    told = {"scope": "all"} if is_all else {"ids": ".".join(request.query.getall("id", []))}
    kept = {name: request.query[name] for name in KEPT if request.query.get(name)}
    return f"{PATH}/new?{urlencode(kept | told)}"


@requires(Permission.CAMPAIGNS_SEND)
async def show_new(request: web.Request) -> web.Response:
    """GET /campaigns/new?scope=all|ids=1.2|segment=3&q=&f=: to those who are found, or were ticked, or a segment."""
    told = {name: request.query.get(name, "") for name in ("scope", "ids")}
    usual = {"window": str(USUAL_WINDOW_DAYS), "zone": request[SHOP].time_zone, "control": "0"}
    form = Form(told | usual | {"key": new_key(), "segment": request.query.get("segment", "")})
    return await _edit(request, form)


@requires(Permission.CAMPAIGNS_SEND)
async def show_edit(request: web.Request) -> web.Response:
    """GET /campaigns/{id}/edit: what has not begun."""
    view = await _ahead(request)
    form = Form(fill(view.draft, request[SHOP].time_zone))
    return await _edit(request, form, view=view)


@requires(Permission.CAMPAIGNS_SEND)
async def save(request: web.Request) -> web.Response:
    """POST /campaigns?q=&f=: keeps a draft, and shows it to be checked and sent."""
    form, upload = await read_upload(request)
    campaign_id = 0
    try:
        draft = draft_in(form, request[SHOP].time_zone)
        campaign_id = await add_draft(
            draft,
            _chosen(request, form),
            file=FileChange(upload),
            key=form.value("key")[:40] or new_key(),
            actor=actor_of(request),
            now=now(request),
        )
    except LoyaltyError as error:
        form.refuse(error)
    if form.errors:
        return await _edit(request, form, status=422)
    return await go_to(request, f"{PATH}/{campaign_id}")


@requires(Permission.CAMPAIGNS_SEND)
async def save_changes(request: web.Request) -> web.Response:
    """POST /campaigns/{id}/edit: what waited for its time is a draft again."""
    view = await _ahead(request)
    form, upload = await read_upload(request)
    try:
        await change_draft(
            view.id,
            draft_in(form, request[SHOP].time_zone),
            chosen=_chosen(request, form) if form.value("segment") else None,
            file=FileChange(upload, drops=form.checked("drop_file")),
            actor=actor_of(request),
            now=now(request),
        )
    except LoyaltyError as error:
        form.refuse(error)
    if form.errors:
        return await _edit(request, form, view=view, status=422)
    return await go_to(request, f"{PATH}/{view.id}")


@requires(Permission.CAMPAIGNS_SEND)
async def preview(request: web.Request) -> web.Response:
    """POST /campaigns/preview?q=&f=&draft=: what the form says, as somebody would get it."""
    form, view = await _asked(request)
    if not is_htmx(request):
        return await _edit(request, form, view=view)
    audience = await _audience(request, form, view)
    return page(request, "campaigns/_preview.html", **await previewed(request, form, audience, view), is_part=True)


@requires(Permission.CAMPAIGNS_SEND)
async def change_words(request: web.Request) -> web.Response:
    """POST /campaigns/wordings?q=&f=&draft=: a place for one wording more, or for one less; nothing is kept yet."""
    form, view = await _asked(request)
    step = form.value("step")
    change_wordings(form, step)
    if not is_htmx(request):
        return await _edit(request, form, view=view)
    told = _wordings(request, form, view, is_added=step == "add")
    return page(request, "campaigns/_wordings.html", form=form, is_part=True, preview=None, **told)


@requires(Permission.CAMPAIGNS_SEND)
async def show_reach(request: web.Request) -> web.Response:
    """POST /campaigns/reach?q=&f=&draft=: whom the message would reach now, and who is left out why."""
    form, view = await _asked(request)
    if not is_htmx(request):
        return await _edit(request, form, view=view, counts=True)
    found = await reach(
        await _audience(request, form, view), manner_in(form, view), working=working(request), now=now(request)
    )
    costs = await costs_of(request, _draft_typed(form), found, form)
    told = reach_words(found, costs)
    return page(request, "campaigns/_reach.html", form=form, reach=found, costs=costs, **told, is_part=True)


async def audience_size(request: web.Request, audience: Audience) -> int:
    """How many are meant, AT_ONCE and one at most. Raises HTTPUnprocessableEntity for a filter nobody can ask."""
    if audience.ids is not None:
        return len(audience.ids)
    try:
        return await base_count(audience.look, now=now(request), at_most=AT_ONCE + 1)
    except Invalid as error:
        raise web.HTTPUnprocessableEntity(text=wrong(error)) from error


def reach_words(found: Reach | None, costs: Costs | None) -> dict[str, Any]:
    """Whom it reaches, in rows, each with what that would cost where it is known."""
    if found is None:
        return {"by_channel": [], "left_out": []}
    return {
        "by_channel": [
            (channel_name(one), SYMBOLS.get(one, "message-circle"), count, costs.by_channel.get(one) if costs else None)
            for one, count in found.channels.items()
        ],
        "left_out": [(skip_text(one), count) for one, count in found.skipped.items()],
    }


def manner_in(form: Form, view: CampaignView | None) -> Manner:
    """How people would be written to, as far as the form can be read."""
    draft = _draft_typed(form)
    return Manner() if draft is None else manner_of(draft, view.seed if view else 0)


def _draft_typed(form: Form) -> CampaignDraft | None:
    """What the form says; None while it cannot be read."""
    try:
        return draft_in(form, "UTC")
    except Invalid:
        return None


def working(request: web.Request) -> set[str]:
    """The channels that can send here."""
    return set_up(request.app[SETTINGS])


async def _edit(
    request: web.Request, form: Form, *, view: CampaignView | None = None, status: int = 200, counts: bool = False
) -> web.Response:
    try:
        audience = await _audience(request, form, view)
    except Invalid as error:
        raise web.HTTPUnprocessableEntity(text=wrong(error)) from error
    found = None
    if counts or await audience_size(request, audience) <= AT_ONCE:
        found = await reach(audience, manner_in(form, view), working=working(request), now=now(request))
    costs = await costs_of(request, _draft_typed(form), found, form)
    shown = (await message_type(BULK)).channels
    kept = {name: request.query[name] for name in KEPT if request.query.get(name)}
    asked = urlencode(kept | ({"draft": str(view.id)} if view else {}))
    return page(
        request,
        "campaigns/edit.html",
        block="form" if status == 422 and is_htmx(request) else None,
        status=status,
        view=view,
        url=f"{PATH}/{view.id}/edit" if view else f"{PATH}?{urlencode(kept)}",
        reach_url=f"{PATH}/reach?{asked}",
        back=f"{PATH}/{view.id}" if view else PATH,
        audience=await _whom_words(request, form, view),
        segment_choices=await _segment_choices(request, form, view),
        channels=[(channel_name(one), one in working(request)) for one in shown],
        is_part=False,
        reach=found,
        name_length=NAME_LENGTH,
        label_length=LABEL_LENGTH,
        fallback_length=FALLBACK_LENGTH,
        variables=[(name, _(VARIABLE_NAMES[name])) for name in VARIABLES],
        missing=[(name, _(VARIABLE_NAMES[name])) for name in VARIABLES if name in CAN_BE_MISSING],
        button_numbers=range(1, BUTTONS_AT_MOST + 1),
        **_options(),
        templates=await _template_choices(),
        costs=costs,
        **reach_words(found, costs),
        **_wordings(request, form, view),
        **await previewed(request, form, audience, view),
    )


def _wordings(request: web.Request, form: Form, view: CampaignView | None, *, is_added: bool = False) -> dict[str, Any]:
    """What `campaigns/_wordings.html` shows beside the form. is_added: the last one is new, and written next."""
    kept = {name: request.query[name] for name in KEPT if request.query.get(name)}
    asked = urlencode(kept | ({"draft": str(view.id)} if view else {}))
    wordings = wording_fields(request, form)
    return {
        "wordings": wordings,
        "can_add": len(wordings) < len(LETTERS),
        "is_added": is_added,
        "taken": taken_away(form),
        "spare_fields": spare_fields(form),
        "wordings_url": f"{PATH}/wordings?{asked}",
        "preview_url": f"{PATH}/preview?{asked}",
        "text_length": TEXT_LENGTH,
    }


def _options() -> dict[str, Any]:
    """What the lists of the form offer."""
    months = [(str(day), str(day)) for day in range(1, 29)] + [(str(LAST_DAY), _("the last day"))]
    return {
        "topics": [(one.value, _(name), _(hint)) for one, (name, hint) in TOPICS.items()],
        "button_kinds": [("", _("No button"))] + [(one.value, _(name)) for one, name in BUTTONS.items()],
        "every": [(one.value, _(name)) for one, name in EVERY.items()],
        "channel_choices": [("", "—")] + [(one, channel_name(one)) for one in CAPABILITIES],
        "channel_places": range(1, len(CAPABILITIES) + 1),
        "days": list(enumerate(weekdays(), 1)),
        "month_days": months,
        "time_zones": choices.time_zones(),
        "shares": [(str(one), _("%(share)s %%") % {"share": one} if one else _("Nobody")) for one in CONTROL_SHARES],
        "windows": [(str(one), ngettext("%(num)s day", "%(num)s days", one) % {"num": one}) for one in WINDOW_DAYS],
    }


async def _template_choices() -> list[tuple[str, str]]:
    """Templates of the shop that may be sent, each by the first of its languages."""
    names: dict[str, str] = {}
    for one in await all_templates():
        if one.status is TemplateStatus.APPROVED and one.kind is None and one.name not in names.values():
            names[str(one.id)] = one.name
    return [("", _("None: they are left out")), *names.items()]


async def _segment_choices(request: web.Request, form: Form, view: CampaignView | None) -> list[tuple[str, str]]:
    found = [(str(one.id), one.name) for one in await segments() if one.archived_at is None and not one.is_exclusion]
    as_found = bool(view) or form.value("scope") == "all" or bool(form.value("ids"))
    first = [("", _("As chosen: %(whom)s") % {"whom": await _found_words(request, form, view)})] if as_found else []
    return [*first, (EVERYBODY, _("Everybody in the client base")), *found]


async def _found_words(request: web.Request, form: Form, view: CampaignView | None) -> str:
    if view is not None:
        return await look_words(view.look if view.ids is None else None)
    return await look_words(_said(request) if form.value("scope") == "all" else None)


async def _whom_words(request: web.Request, form: Form, view: CampaignView | None) -> str:
    chosen = form.value("segment")
    if chosen:
        return dict(await _segment_choices(request, form, view)).get(chosen, "")
    if view is None and form.value("scope") != "all" and not form.value("ids"):
        return _("Everybody in the client base")
    return await _found_words(request, form, view)


async def _audience(request: web.Request, form: Form, view: CampaignView | None) -> Audience:
    """Who is meant: a segment, everybody found, those who were ticked, or as a draft has it. Raises Invalid."""
    if view is not None and not form.value("segment"):
        return audience_of(view.look, view.ids, request[SHOP].region)
    chosen = _chosen(request, form)
    return audience_of(chosen.look, chosen.ids, request[SHOP].region)


def _chosen(request: web.Request, form: Form) -> Chosen:
    """Whom it is for, as it is kept. Raises Invalid("filter")."""
    segment = form.value("segment")
    kept = _said(request)
    if segment:
        told = {"f": f"segment:any:{segment}"} if is_id(segment) and len(segment) <= 9 else {}
        return Chosen({**{name: kept[name] for name in ("location", "by") if name in kept}, **told})
    if form.value("scope") == "all" or not form.value("ids"):
        return Chosen(kept)
    ids = tuple(sorted({int(one) for one in form.value("ids").split(".") if is_id(one)}))
    return Chosen({"location": kept["location"]} if "location" in kept else None, ids)


def _said(request: web.Request) -> dict[str, str]:
    """The search, the filter and the locations, as far as the author's rights reach. Raises Invalid("filter")."""
    look = look_of(request)
    said = {name: request.query.get(name, "") for name in ("q", "f")} | {"location": location_value(look)}
    if not look.by_phone:
        said["by"] = BY_CARD
    return {name: text for name, text in said.items() if text}


async def _asked(request: web.Request) -> tuple[Form, CampaignView | None]:
    """What the form says, or else the draft that the address names; a file that comes along is not looked at."""
    is_wide = request.content_type.startswith("multipart/")
    form = (await read_upload(request))[0] if is_wide else await read_form(request)
    view = await _draft_named(request)
    form.values["is_whole"] = "1" if "topic" in form.values else ""
    if view is not None and not form.value("is_whole"):
        form.values = fill(view.draft, request[SHOP].time_zone) | form.values
    return form, view


async def _draft_named(request: web.Request) -> CampaignView | None:
    """The draft that the address names, if its reader may see it."""
    named = request.query.get("draft", "")
    if not is_id(named) or len(named) > 9:
        return None
    view, reader = await campaign(int(named)), staff_of(request)
    if reader.location_ids is not None and view.staff_id != reader.id:
        raise NotFound("campaign")
    return view


async def _ahead(request: web.Request) -> CampaignView:
    """The campaign of the path that has not begun. Raises NotFound, HTTPSeeOther to one that has."""
    view = await campaign(id_in(request))
    if view.state not in AHEAD:
        raise web.HTTPSeeOther(f"{PATH}/{view.id}")
    return view


ROUTES = (
    web.get(f"{PATH}/new", show_new),
    web.post(f"{PATH}/preview", preview),
    web.post(f"{PATH}/wordings", change_words),
    web.post(f"{PATH}/reach", show_reach),
    web.post(PATH, save),
    web.get(PATH + r"/{id:\d{1,9}}/edit", show_edit),
    web.post(PATH + r"/{id:\d{1,9}}/edit", save_changes),
)
