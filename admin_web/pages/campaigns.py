"""Messages to many: writing one, seeing whom it reaches, starting it, watching it, stopping it."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.base_look import KEPT, list_url, look_of, part_url
from admin_web.base_look import PATH as BASE
from admin_web.campaign_words import FATES, STATES, reason_of, skip_text
from admin_web.filter_words import look_words, wrong
from admin_web.forms import Form, id_in, is_id, read_form
from admin_web.i18n import READER, mark
from admin_web.i18n import gettext as _
from admin_web.keys import SETTINGS, SHOP, now
from admin_web.message_preview import bulk_preview_of
from admin_web.message_words import SYMBOLS, channel_name, set_up
from admin_web.navigation import NavItem
from admin_web.render import go_to, is_htmx, page
from admin_web.words import reason_text
from loyalty.campaigns.actions.running import cancel_campaign, pause_campaign, resume_campaign
from loyalty.campaigns.actions.starting import start_campaign
from loyalty.campaigns.queries.campaigns import CampaignView, campaign, campaigns, failures, recipients, skipped
from loyalty.campaigns.queries.reach import Audience, Reach, reach
from loyalty.campaigns.rules import (
    NAME_LENGTH,
    TEXT_LENGTH,
    Acknowledgement,
    CampaignDraft,
    CampaignState,
    Fate,
    acknowledgement,
    checked_name,
    checked_texts,
)
from loyalty.conversations.message_types import BULK, LANGUAGES
from loyalty.conversations.queries.types import message_type
from loyalty.errors import Invalid, LoyaltyError, Refused
from loyalty.ids import new_key
from loyalty.segments.queries.base import Look, base_count
from loyalty.staff.rules import Permission

PATH = "/campaigns"
NAV = NavItem("campaigns", PATH, "send", mark("Campaigns"), "marketing", Permission.CAMPAIGNS_SEND)
ENOUGH = 286
"""The answer that ends htmx's asking again and again."""
AT_ONCE = 20_000
"""Up to so many people, whom a message reaches is known with the page; of more it is asked when the page is there."""
DEEDS = {"pause": pause_campaign, "resume": resume_campaign, "cancel": cancel_campaign}
TELLS_OF_ARRIVING = frozenset({"whatsapp", "sms"})
TELLS_OF_READING = frozenset({"whatsapp"})
"""Channels that tell what became of a message after they took it; of the others nothing is known."""


def new_campaign_url(request: web.Request) -> str:
    """Where a message to those is written whom the bar of the base means."""
    is_all = "all" in request.query.getall("scope", [])
    told = {"scope": "all"} if is_all else {"ids": ".".join(request.query.getall("id", []))}
    kept = {name: request.query[name] for name in KEPT if request.query.get(name)}
    return f"{PATH}/new?{urlencode(kept | told)}"


@requires(Permission.CAMPAIGNS_SEND)
async def show_list(request: web.Request) -> web.Response:
    """GET /campaigns?before=: every message to many, the newest first."""
    before = request.query.get("before", "")
    found, following = await campaigns(
        before_id=int(before) if is_id(before) and len(before) < 10 else None, staff_id=_author(request)
    )
    return page(
        request,
        "campaigns/list.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        campaigns=[(one, await look_words(one.look)) for one in found],
        states=_states(),
        older=f"{PATH}?before={following}" if following else None,
        newest=PATH if before else None,
    )


@requires(Permission.CAMPAIGNS_SEND)
async def show_new(request: web.Request) -> web.Response:
    """GET /campaigns/new?scope=all|ids=1.2&q=&f=: a message to those who are found, or who were ticked."""
    if "scope" not in request.query and not request.query.get("ids"):
        return await go_to(request, list_url(request))
    told = {name: request.query.get(name, "") for name in ("scope", "ids")}
    return await _edit(request, Form(told | {"key": new_key()}))


@requires(Permission.CAMPAIGNS_SEND)
async def preview(request: web.Request) -> web.Response:
    """POST /campaigns/preview?q=&f=: what the form says, as somebody would get it."""
    form = await read_form(request)
    if not is_htmx(request):
        return await _edit(request, form)
    return page(request, "campaigns/_preview.html", **await _previewed(request, form), is_part=True)


@requires(Permission.CAMPAIGNS_SEND)
async def show_reach(request: web.Request) -> web.Response:
    """POST /campaigns/reach?q=&f=: whom the message would reach now, and who is left out why."""
    form = await read_form(request)
    if not is_htmx(request):
        return await _edit(request, form, counts=True)
    found = await reach(_audience(request, form), channels=_working(request), now=now(request))
    return page(request, "campaigns/_reach.html", form=form, reach=found, **_reach_words(found), is_part=True)


@requires(Permission.CAMPAIGNS_SEND)
async def start(request: web.Request) -> web.Response:
    """POST /campaigns?q=&f=: asks once more with the count in words, then starts it."""
    form = await read_form(request)
    if form.value("step") == "back":
        return await _edit(request, form, block="form")
    if form.value("step") == "reach":
        return await _edit(request, form, block="form", counts=True)
    audience, channels, language = _audience(request, form), _working(request), request[SHOP].language
    try:
        if not form.checked("acknowledged"):
            raise Invalid("acknowledged", "required")
        texts = checked_texts(_texts(form), language)
        checked_name(form.value("name"), texts, language)
        found = await reach(audience, channels=channels, now=now(request))
        if not found.reached:
            raise Refused("nobody_to_write_to")
        # What was agreed to is this many people; when they are others by now, it is asked anew.
        if form.value("agreed") != str(found.reached):
            form.values["agreed"] = str(found.reached)
            return await _edit(request, form, block="form", asked=found)
        campaign_id = await start_campaign(
            CampaignDraft(form.value("name"), texts, _acknowledged()),
            audience,
            channels=channels,
            look=_said(request) if audience.ids is None else None,
            key=form.value("key")[:40] or new_key(),
            actor=actor_of(request),
            now=now(request),
        )
    except LoyaltyError as error:
        form.refuse(error)
        return await _edit(request, form, block="form", status=422)
    return await go_to(request, f"{PATH}/{campaign_id}")


@requires(Permission.CAMPAIGNS_SEND)
async def show_one(request: web.Request) -> web.Response:
    """GET /campaigns/{id}?fate=&after=: how far it is, what became of each; `part` for what is asked again."""
    view = await campaign(id_in(request))
    is_part = "part" in request.query
    block = "progress" if is_part else "results" if request.headers.get("HX-Target") == "results" else None
    wanted = request.query.get("fate", "")
    fate = Fate(wanted) if wanted in list(Fate) else None
    after = request.query.get("after", "")
    # What is asked again each second is told in few words.
    place = int(after) if is_id(after) else 0
    rows, following = ([], None) if is_part else await recipients(view.id, fate=fate, after_id=place)
    left_out = [] if is_part else [(skip_text(reason), count) for reason, count in (await skipped(view.id)).items()]
    failed = await failures(view.id) if view.failed and not is_part else []
    here = f"{PATH}/{view.id}"
    return page(
        request,
        "campaigns/show.html",
        block=block,
        status=ENOUGH if is_part and view.state is not CampaignState.RUNNING else 200,
        is_part=is_part,
        campaign=view,
        audience=await look_words(view.look),
        base_url=_base_url(view),
        here=here,
        states=_states(),
        fates={key: (_(text), tint) for key, (text, tint) in FATES.items()},
        pace=round(view.pace()),
        seconds_left=view.seconds_left(),
        tells_of_arriving=bool(TELLS_OF_ARRIVING & set(view.channels)),
        tells_of_reading=bool(TELLS_OF_READING & set(view.channels)),
        channels=[(channel_name(one), SYMBOLS.get(one, "message-circle")) for one in view.channels],
        left_out=left_out,
        failures=[(reason_of(Fate.FAILED, reason), count) for reason, count in failed],
        rows=[(row, reason_of(row.fate, row.reason), channel_name(row.channel) if row.channel else "") for row in rows],
        tabs=_tabs(view, here),
        fate=fate.value if fate else "",
        beginning=f"{here}?{urlencode({'fate': wanted})}" if after else None,
        following=f"{here}?{urlencode({'fate': wanted, 'after': following})}" if following else None,
        language_codes=[one for one in LANGUAGES if one in view.texts],
    )


@requires(Permission.CAMPAIGNS_SEND)
async def change(request: web.Request) -> web.Response:
    """POST /campaigns/{id}/{deed}: let it stand still, go on, or end early; what is sent stays sent."""
    view = await campaign(id_in(request))
    said = None
    try:
        await DEEDS[request.match_info["deed"]](view.id, actor=actor_of(request), now=now(request))
    except Refused as error:
        said = reason_text(error)
    return await go_to(request, f"{PATH}/{view.id}", say=said)


async def _edit(
    request: web.Request,
    form: Form,
    *,
    block: str | None = None,
    status: int = 200,
    counts: bool = False,
    asked: Reach | None = None,
) -> web.Response:
    """The page on which it is written. asked: it is sound, and stands here to be agreed to with this count."""
    # Whoever goes back to the text is asked again after it.
    form.values["agreed"] = form.value("agreed") if asked else ""
    try:
        audience = _audience(request, form)
        size = await base_count(audience.look, now=now(request), at_most=AT_ONCE) if audience.ids is None else 0
    except Invalid as error:
        raise web.HTTPUnprocessableEntity(text=wrong(error)) from error
    channels = _working(request)
    found = asked
    if found is None and (counts or size <= AT_ONCE):
        found = await reach(audience, channels=channels, now=now(request))
    shown = (await message_type(BULK)).channels
    return page(
        request,
        "campaigns/new.html",
        block=block,
        status=status,
        url=part_url(request, PATH),
        reach_url=part_url(request, f"{PATH}/reach"),
        preview_url=part_url(request, f"{PATH}/preview"),
        back=list_url(request),
        audience=await look_words(_said(request) if audience.ids is None else None),
        channels=[(channel_name(one), SYMBOLS.get(one, "message-circle"), one in channels) for one in shown],
        is_part=False,
        asked=asked,
        reach=found,
        acknowledgement=_acknowledged().text,
        name_length=NAME_LENGTH,
        text_length=TEXT_LENGTH,
        **_reach_words(found),
        **await _previewed(request, form),
    )


async def _previewed(request: web.Request, form: Form) -> dict[str, Any]:
    """The preview; or what is wrong with the words, for which there is none."""
    found, bad = None, ""
    language = request[SHOP].language
    try:
        texts = checked_texts(_texts(form), language)
        audience = _audience(request, form)
        working = _working(request)
        channels = [one for one in (await message_type(BULK)).channels if one in working]
        if audience.ids and not form.value("customer"):
            form.values["customer"] = str(audience.ids[0])
        found = await bulk_preview_of(channels, form, texts, audience.look, request[SHOP])
    except Invalid as error:
        trial = Form()
        trial.refuse(error)
        # Before anything is written nothing is wrong yet.
        bad = trial.error(error.field) if any(_texts(form).values()) else " "
    languages = sorted(LANGUAGES, key=lambda one: (one != language, LANGUAGES.index(one)))
    return {"form": form, "preview": found, "wrong": bad, "language_codes": languages}


def _reach_words(found: Reach | None) -> dict[str, Any]:
    """Whom it reaches, in rows."""
    if found is None:
        return {"by_channel": [], "left_out": []}
    return {
        "by_channel": [
            (channel_name(one), SYMBOLS.get(one, "message-circle"), count) for one, count in found.channels.items()
        ],
        "left_out": [(skip_text(one), count) for one, count in found.skipped.items()],
    }


def _audience(request: web.Request, form: Form) -> Audience:
    """Who is meant: everybody found, or those who were ticked. Raises Invalid("filter")."""
    look = look_of(request)
    if form.value("scope") == "all":
        return Audience(look)
    ids = tuple(sorted({int(one) for one in form.value("ids").split(".") if is_id(one)}))
    return Audience(replace(Look(), locations=look.locations), ids)


def _texts(form: Form) -> dict[str, str]:
    return {language: form.value(f"text-{language}") for language in LANGUAGES}


def _acknowledged() -> Acknowledgement:
    """What is confirmed, in the reader's language."""
    return acknowledgement(READER.get().language)


def _working(request: web.Request) -> set[str]:
    """The channels that can send here."""
    return set_up(request.app[SETTINGS])


def _author(request: web.Request) -> int | None:
    """Whose campaigns are listed: whoever has rights for some locations sees their own alone."""
    staff = staff_of(request)
    return None if staff.location_ids is None else staff.id


def _said(request: web.Request) -> dict[str, str]:
    """The search and the filter, as the address says them."""
    return {name: request.query[name] for name in ("q", "f") if request.query.get(name)}


def _base_url(view: CampaignView) -> str:
    """The list as it is found today by what the audience was found by; empty for those who were ticked."""
    if view.look is None:
        return ""
    kept = {name: view.look[name] for name in KEPT if view.look.get(name)}
    return f"{BASE}?{urlencode(kept)}" if kept else BASE


def _tabs(view: CampaignView, here: str) -> list[tuple[str, str, str, int]]:
    counts = {
        Fate.WAITING: view.reached - view.settled - view.queued,
        Fate.QUEUED: view.queued,
        Fate.SENT: view.sent,
        Fate.FAILED: view.failed,
        Fate.UNKNOWN: view.unknown,
        Fate.CANCELLED: view.cancelled,
        Fate.SKIPPED: view.skipped,
    }
    return [
        ("", _("All"), here, view.total),
        *((one.value, _(FATES[one][0]), f"{here}?fate={one}", max(0, count)) for one, count in counts.items()),
    ]


def _states() -> dict[CampaignState, tuple[str, str]]:
    return {key: (_(text), tint) for key, (text, tint) in STATES.items()}


ROUTES = (
    web.get(PATH, show_list),
    web.get(f"{PATH}/new", show_new),
    web.post(f"{PATH}/preview", preview),
    web.post(f"{PATH}/reach", show_reach),
    web.post(PATH, start),
    web.get(PATH + r"/{id:\d{1,9}}", show_one),
    web.post(PATH + r"/{id:\d{1,9}}/{deed:pause|resume|cancel}", change),
)
