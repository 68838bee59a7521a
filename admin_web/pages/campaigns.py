"""Messages to many: what there is, checking and sending one, watching it, stopping it."""

from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.base_look import KEPT
from admin_web.base_look import PATH as BASE
from admin_web.campaign_costs import costs_of
from admin_web.campaign_form import fill
from admin_web.campaign_preview import languages_first, previewed
from admin_web.campaign_words import BUTTONS, FATES, PAUSES, STATES, TOPICS, reason_of, repeat_words, skip_text
from admin_web.filter_words import look_words
from admin_web.formats import num
from admin_web.forms import Form, id_in, is_id, read_form
from admin_web.i18n import READER, mark, ngettext
from admin_web.i18n import gettext as _
from admin_web.keys import SHOP, now
from admin_web.message_words import SYMBOLS, channel_name
from admin_web.navigation import NavItem
from admin_web.pages import campaign_edit
from admin_web.pages.campaign_edit import AT_ONCE, PATH, audience_size, reach_words, working
from admin_web.pages.campaign_report import report_of
from admin_web.pages.campaign_wordings import wordings_told
from admin_web.render import go_to, page
from admin_web.words import reason_text
from loyalty.campaigns.actions.drafting import copy_campaign, delete_draft
from loyalty.campaigns.actions.running import cancel_campaign, pause_campaign, resume_campaign, send_again
from loyalty.campaigns.actions.starting import launch_campaign, start_campaign
from loyalty.campaigns.actions.trying import places_of_staff, send_trial
from loyalty.campaigns.queries.campaigns import CampaignView, campaign, campaigns, failures, recipients, skipped
from loyalty.campaigns.queries.plans import audience_of, manner_of
from loyalty.campaigns.queries.reach import Reach, reach, used_channels
from loyalty.campaigns.queries.report import TELLS_OF_ARRIVING, TELLS_OF_READING
from loyalty.campaigns.queries.values import values_for
from loyalty.campaigns.rules.drafts import Acknowledgement, acknowledgement
from loyalty.campaigns.rules.states import AHEAD, OVER, CampaignState, Fate
from loyalty.campaigns.rules.texts import LETTERS, ButtonKind, CampaignButton
from loyalty.conversations.message_types import LANGUAGES
from loyalty.errors import Conflict, Invalid, LoyaltyError, Refused
from loyalty.ids import new_key
from loyalty.staff.rules import Permission

NAV = NavItem("campaigns", PATH, "send", mark("Campaigns"), "marketing", Permission.CAMPAIGNS_SEND)
ENOUGH = 286
"""The answer that ends htmx's asking again and again."""
DEEDS = {"pause": pause_campaign, "resume": resume_campaign, "cancel": cancel_campaign}
SHOWN = {
    "": None,
    "ahead": AHEAD,
    "running": {CampaignState.RUNNING, CampaignState.PAUSED},
    "over": OVER,
}
PER_SECOND = {"telegram": 30, "whatsapp": 80}
"""About so many messages a second a channel takes; others are slower than these, and not foretold."""


@requires(Permission.CAMPAIGNS_SEND)
async def show_list(request: web.Request) -> web.Response:
    """GET /campaigns?shown=&before=: every message to many, the newest first."""
    before, shown = request.query.get("before", ""), request.query.get("shown", "")
    found, following = await campaigns(
        before_id=int(before) if is_id(before) and len(before) < 10 else None,
        staff_id=_author(request),
        states=SHOWN.get(shown),
    )
    tabs = [("", _("All")), ("ahead", _("Ahead")), ("running", _("Under way")), ("over", _("Over"))]
    here = {"shown": shown} if shown in SHOWN and shown else {}
    return page(
        request,
        "campaigns/list.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        campaigns=[(one, await _whom(one)) for one in found],
        states=_states(),
        tabs=[(key, text, f"{PATH}?{urlencode({'shown': key})}" if key else PATH) for key, text in tabs],
        shown=shown,
        repeats={one.id: repeat_words(one.draft.timing.repeat) for one in found if one.is_series},
        older=f"{PATH}?{urlencode(here | {'before': following})}" if following else None,
        newest=f"{PATH}?{urlencode(here)}" if before else None,
    )


@requires(Permission.CAMPAIGNS_SEND)
async def show_one(request: web.Request) -> web.Response:
    """GET /campaigns/{id}?fate=&after=: how far it is, what became of each; `part` for what is asked again."""
    view = await campaign(id_in(request))
    if view.state in AHEAD or view.is_series:
        return await _check(request, view, Form({"key": new_key()}))
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
    buttons, language = enumerate(view.draft.words.buttons), request[SHOP].language
    labels = {place: _label(one, language) for place, one in buttons if one.kind is ButtonKind.LINK}
    told = {} if block else await report_of(request, view.id, people=view.total, button_names=labels)
    texts, reader = [one.texts for one in view.draft.words.wordings], READER.get().language
    told |= wordings_told(told.get("report"), texts, reader if reader in view.texts else language)
    here = f"{PATH}/{view.id}"
    return page(
        request,
        "campaigns/show.html",
        block=block,
        status=ENOUGH if is_part and view.state is not CampaignState.RUNNING else 200,
        is_part=is_part,
        campaign=view,
        here=here,
        states=_states(),
        paused=_(PAUSES[view.pause_reason]) if view.pause_reason else "",
        fates={key: (_(text), tint) for key, (text, tint) in FATES.items()},
        pace=round(view.pace()),
        seconds_left=view.seconds_left(),
        tells_of_arriving=bool(TELLS_OF_ARRIVING & set(view.channels)),
        tells_of_reading=bool(TELLS_OF_READING & set(view.channels)),
        left_out=left_out,
        failures=[(reason_of(Fate.FAILED, reason), count) for reason, count in failed],
        rows=[(row, reason_of(row.fate, row.reason), channel_name(row.channel) if row.channel else "") for row in rows],
        tabs=_tabs(view, here),
        fate=fate.value if fate else "",
        beginning=f"{here}?{urlencode({'fate': wanted})}" if after else None,
        following=f"{here}?{urlencode({'fate': wanted, 'after': following})}" if following else None,
        **told,
        **await _told(request, view),
    )


@requires(Permission.CAMPAIGNS_SEND)
async def launch(request: web.Request) -> web.Response:
    """POST /campaigns/{id}/launch: asks once more with the count in words, then lets it begin."""
    view, form = await campaign(id_in(request)), await read_form(request)
    if view.state is not CampaignState.DRAFT:
        return await go_to(request, f"{PATH}/{view.id}")
    if form.value("step") in {"back", "reach"}:
        return await _check(request, view, form, block="form", counts=form.value("step") == "reach")
    try:
        if not form.checked("acknowledged"):
            raise Invalid("acknowledged", "required")
        found = await _reach(request, view)
        is_now = view.draft.timing.starts_at is None
        if is_now and not found.reached:
            raise Refused("nobody_to_write_to")
        # What was agreed to is this many people; when they are others by now, it is asked anew.
        if form.value("agreed") != str(found.reached):
            form.values["agreed"] = str(found.reached)
            return await _check(request, view, form, block="form", asked=found)
        moment = now(request)
        await launch_campaign(view.id, _acknowledged(), working=working(request), actor=actor_of(request), now=moment)
        # A few are chosen at once, many by whoever looks for what is due.
        if is_now and found.total <= AT_ONCE:
            await start_campaign(view.id, now=moment)
    except LoyaltyError as error:
        form.refuse(error)
        return await _check(request, view, form, block="form", status=422)
    return await go_to(request, f"{PATH}/{view.id}")


@requires(Permission.CAMPAIGNS_SEND)
async def send_me(request: web.Request) -> web.Response:
    """POST /campaigns/{id}/trial: it comes to whoever asks, as if they were the customer of the preview."""
    view, form = await campaign(id_in(request)), await read_form(request)
    language = form.value("language") if form.value("language") in LANGUAGES else request[SHOP].language
    wanted, words = form.value("customer"), view.draft.words
    person = int(wanted) if is_id(wanted) else None
    values = await values_for(person, words, view.draft.terms.bonus, language=language, now=now(request))
    used = await used_channels(manner_of(view.draft), working(request))
    key, actor = form.value("key")[:20] or new_key(), actor_of(request)
    try:
        channels = await send_trial(view.id, language, values, channels=used, key=key, actor=actor, now=now(request))
    except Refused as error:
        said = reason_text(error)
    else:
        said = _("Sent to you: %(channels)s") % {"channels": ", ".join(channel_name(one) for one in channels)}
    return await go_to(request, f"{PATH}/{view.id}", say=said)


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


@requires(Permission.CAMPAIGNS_SEND)
async def again(request: web.Request) -> web.Response:
    """POST /campaigns/{id}/again: once more to those of whom nobody knows, or to one of them."""
    view, form = await campaign(id_in(request)), await read_form(request)
    one = form.value("customer")
    try:
        count = await send_again(
            view.id, customer_id=int(one) if is_id(one) else None, actor=actor_of(request), now=now(request)
        )
    except Refused as error:
        return await go_to(request, f"{PATH}/{view.id}", say=reason_text(error))
    said = ngettext("Sent again to %(num)s customer", "Sent again to %(num)s customers", count) % {"num": num(count)}
    return await go_to(request, f"{PATH}/{view.id}", say=said)


@requires(Permission.CAMPAIGNS_SEND)
async def copy(request: web.Request) -> web.Response:
    """POST /campaigns/{id}/copy: a draft that says the same."""
    view, form = await campaign(id_in(request)), await read_form(request)
    key = form.value("key")[:20] or new_key()
    copy_id = await copy_campaign(view.id, key=key, actor=actor_of(request), now=now(request))
    return await go_to(request, f"{PATH}/{copy_id}/edit")


@requires(Permission.CAMPAIGNS_SEND)
async def delete(request: web.Request) -> web.Response:
    """POST /campaigns/{id}/delete: of what has not begun nothing is left; a repeated one ends."""
    view = await campaign(id_in(request))
    try:
        await delete_draft(view.id, actor=actor_of(request), now=now(request))
    except Conflict as error:
        return await go_to(request, f"{PATH}/{view.id}", say=reason_text(error))
    return await go_to(request, PATH, say=_("Thrown away: “%(name)s”") % {"name": view.name})


async def _check(
    request: web.Request,
    view: CampaignView,
    form: Form,
    *,
    block: str | None = None,
    status: int = 200,
    counts: bool = False,
    asked: Reach | None = None,
) -> web.Response:
    """What has not begun, to be looked through and sent. asked: it stands here to be agreed to with this count."""
    form.values["agreed"] = form.value("agreed") if asked else ""
    form.values = fill(view.draft, request[SHOP].time_zone) | form.values
    audience = audience_of(view.look, view.ids, request[SHOP].region)
    is_small = await audience_size(request, audience) <= AT_ONCE
    found = asked
    if found is None and (counts or is_small) and view.state is CampaignState.DRAFT:
        found = await _reach(request, view)
    costs = await costs_of(request, view.draft, found, form)
    used = await used_channels(manner_of(view.draft), working(request))
    times, _following = await campaigns(series_id=view.id) if view.is_series else ([], None)
    return page(
        request,
        "campaigns/check.html",
        block=block,
        status=status,
        campaign=view,
        here=f"{PATH}/{view.id}",
        url=f"{PATH}/{view.id}/launch",
        reach_url=f"{PATH}/reach?draft={view.id}",
        preview_url=f"{PATH}/preview?draft={view.id}",
        states=_states(),
        paused=_(PAUSES[view.pause_reason]) if view.pause_reason else "",
        is_part=False,
        asked=asked,
        reach=found,
        minutes=_minutes(found),
        acknowledgement=_acknowledged().text,
        mine=[channel_name(one) for one in await places_of_staff(staff_of(request).id, used)],
        times=[(one, await _whom(one)) for one in times],
        **await _told(request, view, used),
        **reach_words(found, costs),
        costs=costs,
        **await previewed(request, form, audience, view),
    )


async def _told(request: web.Request, view: CampaignView, channels: tuple[str, ...] | None = None) -> dict[str, Any]:
    """A campaign in words, wherever it is shown."""
    draft, codes = view.draft, [one for one in languages_first(request) if one in view.texts]
    names, hint = TOPICS[draft.topic]
    return {
        "audience": await _whom(view),
        "base_url": _base_url(view),
        "channels": [(channel_name(one), SYMBOLS.get(one, "message-circle")) for one in channels or view.channels],
        "topic": (_(names), _(hint)),
        "repeat": repeat_words(draft.timing.repeat),
        "buttons": [(button, _(BUTTONS[button.kind])) for button in draft.words.buttons],
        "texts": [
            (letter, [(code, one.texts[code]) for code in codes])
            for letter, one in zip(LETTERS, draft.words.wordings, strict=False)
        ],
    }


def _label(button: CampaignButton, shop_language: str) -> str:
    """What stands on a button, for its reader if it is said in their language."""
    return button.labels.get(READER.get().language) or button.labels.get(shop_language, "")


async def _reach(request: web.Request, view: CampaignView) -> Reach:
    audience = audience_of(view.look, view.ids, request[SHOP].region)
    return await reach(audience, manner_of(view.draft, view.seed), working=working(request), now=now(request))


async def _whom(view: CampaignView) -> str:
    """Who is meant, in words."""
    if view.ids is not None:
        return await look_words(None)
    return await look_words(view.look)


def _minutes(found: Reach | None) -> int | None:
    """About how long it goes out; None where nobody can say."""
    if found is None or not found.reached or not set(found.channels) <= PER_SECOND.keys():
        return None
    return max(count // PER_SECOND[one] for one, count in found.channels.items()) // 60 + 1


def _acknowledged() -> Acknowledgement:
    """What is confirmed, in the reader's language."""
    return acknowledgement(READER.get().language)


def _author(request: web.Request) -> int | None:
    """Whose campaigns are listed: whoever has rights for some locations sees their own alone."""
    staff = staff_of(request)
    return None if staff.location_ids is None else staff.id


def _base_url(view: CampaignView) -> str:
    """The list as it is found today by what the audience was found by; empty for those who were ticked."""
    if view.look is None or view.ids is not None:
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
        Fate.CONTROL: view.control,
    }
    return [
        ("", _("All"), here, view.total),
        *((one.value, _(FATES[one][0]), f"{here}?fate={one}", max(0, count)) for one, count in counts.items()),
    ]


def _states() -> dict[CampaignState, tuple[str, str]]:
    return {key: (_(text), tint) for key, (text, tint) in STATES.items()}


ROUTES = (
    web.get(PATH, show_list),
    *campaign_edit.ROUTES,
    web.get(PATH + r"/{id:\d{1,9}}", show_one),
    web.post(PATH + r"/{id:\d{1,9}}/launch", launch),
    web.post(PATH + r"/{id:\d{1,9}}/trial", send_me),
    web.post(PATH + r"/{id:\d{1,9}}/again", again),
    web.post(PATH + r"/{id:\d{1,9}}/copy", copy),
    web.post(PATH + r"/{id:\d{1,9}}/delete", delete),
    web.post(PATH + r"/{id:\d{1,9}}/{deed:pause|resume|cancel}", change),
)
