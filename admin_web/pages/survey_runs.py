"""Asking a segment, or everybody whom the base's filter finds: whom it reaches, starting, watching, ending."""

from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.base_look import KEPT, list_url, look_of, part_url
from admin_web.base_look import PATH as BASE
from admin_web.charts import share
from admin_web.filter_words import look_words, wrong
from admin_web.formats import num, percent
from admin_web.forms import Form, id_in, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.keys import SETTINGS, now
from admin_web.message_words import SYMBOLS, channel_name, set_up
from admin_web.nps_charts import score_text
from admin_web.pages.surveys import PATH as SURVEYS
from admin_web.render import go_to, page
from admin_web.survey_words import GROUPS, skip_text
from loyalty.errors import Invalid, LoyaltyError, Refused
from loyalty.ids import new_key
from loyalty.segments.queries.audience import Audience
from loyalty.segments.queries.segments import segments
from loyalty.staff.rules import Permission
from loyalty.surveys.actions.running import cancel_run, start_run
from loyalty.surveys.queries.reach import Reach, reach
from loyalty.surveys.queries.runs import run, run_by_key, run_results, runs
from loyalty.surveys.rules import Group

PATH = f"{SURVEYS}/runs"
ENOUGH = 286
"""The answer that ends htmx's asking again and again."""


@requires(Permission.SURVEYS_MANAGE)
async def show_list(request: web.Request) -> web.Response:
    """GET /surveys/runs?before=: every survey on demand, the newest first."""
    before = request.query.get("before", "")
    found, following = await runs(before_id=int(before) if is_id(before) and len(before) < 10 else None)
    return page(
        request,
        "surveys/runs.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        runs=[(one, await look_words(one.look)) for one in found],
        older=f"{PATH}?{urlencode({'before': following})}" if following else None,
        newest=PATH if before else None,
    )


@requires(Permission.SURVEYS_MANAGE)
async def show_new(request: web.Request) -> web.Response:
    """GET /surveys/runs/new?segment=|q=&f=: whom to ask, and whom that reaches."""
    segment = request.query.get("segment", "")
    if is_id(segment):
        return await go_to(request, f"{PATH}/new?{urlencode({'f': f'segment:any:{segment}'})}")
    return await _ask(request, Form({"key": new_key()}))


@requires(Permission.SURVEYS_MANAGE)
async def start(request: web.Request) -> web.Response:
    """POST /surveys/runs?q=&f=: asks once more with the count in words, then starts it."""
    form = await read_form(request)
    if form.value("step") == "back":
        return await _ask(request, form, block="form")
    key = form.value("key")[:40] or new_key()
    # Whoever is asked already is not found again: a second click leads to what the first one has started.
    if (known := await run_by_key(key)) is not None:
        return await go_to(request, f"{PATH}/{known}")
    try:
        channels, audience = set_up(request.app[SETTINGS]), Audience(look_of(request))
        found = await reach(audience, channels=channels, now=now(request))
        if not found.reached:
            raise Refused("nobody_to_ask")
        # What was agreed to is this many people; when they are others by now, it is asked anew.
        if form.value("agreed") != str(found.reached):
            form.values["agreed"] = str(found.reached)
            return await _ask(request, form, block="form", asked=found)
        run_id = await start_run(
            audience,
            channels=channels,
            look={
                name: request.query[name] for name in KEPT if request.query.get(name) and name in ("q", "f", "location")
            },
            key=key,
            actor=actor_of(request),
            now=now(request),
        )
    except LoyaltyError as error:
        form.refuse(error)
        return await _ask(request, form, block="form", status=422)
    return await go_to(request, f"{PATH}/{run_id}")


@requires(Permission.SURVEYS_MANAGE)
async def show_one(request: web.Request) -> web.Response:
    """GET /surveys/runs/{id}: how far it is, and what was answered; `part` for what is asked again."""
    view = await run(id_in(request))
    is_part = "part" in request.query
    found = await run_results(view.id)
    is_going_on = view.is_under_way or found.open > 0
    tally = found.tally
    return page(
        request,
        "surveys/run.html",
        block="progress" if is_part else None,
        status=ENOUGH if is_part and not is_going_on else 200,
        run=view,
        found=found,
        is_going_on=is_going_on,
        here=f"{PATH}/{view.id}",
        audience=await look_words(view.look),
        base_url=_base_url(view.look),
        score=score_text(tally.nps),
        interval=[num(round(end)) for end in tally.interval] if tally.interval else None,
        made_of=share(
            [
                (GROUPS[group][1], f"{_(GROUPS[group][0])}: {percent(tally.share_bp(group))}", tally.share_bp(group))
                for group in Group
            ],
            label=_("Promoters, passives, detractors"),
        )
        if tally.total
        else "",
        left_out=[(skip_text(one.value), count) for one, count in found.left_out.items()],
    )


@requires(Permission.SURVEYS_MANAGE)
async def cancel(request: web.Request) -> web.Response:
    """POST /surveys/runs/{id}/cancel: who was not sent the question by now does not get it."""
    view = await run(id_in(request))
    await cancel_run(view.id, actor=actor_of(request), now=now(request))
    return await go_to(request, f"{PATH}/{view.id}", say=_("Ended: nobody more is asked"))


async def _ask(
    request: web.Request, form: Form, *, block: str | None = None, status: int = 200, asked: Reach | None = None
) -> web.Response:
    """Whom to ask. asked: it stands here to be agreed to with this count."""
    form.values["agreed"] = form.value("agreed") if asked else ""
    is_chosen = any(request.query.get(name) for name in ("q", "f", "everybody"))
    try:
        look = look_of(request)
    except Invalid as error:
        raise web.HTTPUnprocessableEntity(text=wrong(error)) from error
    found = asked
    if found is None and is_chosen:
        found = await reach(Audience(look), channels=set_up(request.app[SETTINGS]), now=now(request))
    chosen = request.query.get("f", "")
    return page(
        request,
        "surveys/new_run.html",
        block=block,
        status=status,
        form=form,
        url=part_url(request, PATH),
        back=SURVEYS,
        base_url=list_url(request),
        is_chosen=is_chosen,
        asked=asked,
        reach=found,
        audience=await look_words({name: request.query[name] for name in KEPT if request.query.get(name)}),
        segments=[
            (f"{PATH}/new?{urlencode({'segment': one.id})}", one, chosen == f"segment:any:{one.id}")
            for one in await segments()
            if one.archived_at is None and not one.is_exclusion
        ],
        everybody=f"{PATH}/new?everybody=1",
        is_everybody="everybody" in request.query and not chosen and not request.query.get("q"),
        **_reach_words(found),
    )


def _reach_words(found: Reach | None) -> dict[str, Any]:
    """Whom it reaches, in rows."""
    if found is None:
        return {"by_channel": [], "left_out": []}
    return {
        "by_channel": [
            (channel_name(one), SYMBOLS.get(one, "message-circle"), count) for one, count in found.channels.items()
        ],
        "left_out": [(skip_text(one.value), count) for one, count in found.skipped.items()],
    }


def _base_url(look: Any) -> str:
    """The list as it is found today by what the people were found by."""
    kept = {name: look[name] for name in KEPT if look and look.get(name)}
    return f"{BASE}?{urlencode(kept)}" if kept else BASE


ROUTES = (
    web.get(PATH, show_list),
    web.get(f"{PATH}/new", show_new),
    web.post(PATH, start),
    web.get(PATH + r"/{id:\d{1,9}}", show_one),
    web.post(PATH + r"/{id:\d{1,9}}/cancel", cancel),
)
