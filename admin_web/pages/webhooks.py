"""Other programs that are told what happens: their addresses, what was told to them, sending it again.

The secret that signs is shown once, when it is made.
"""

import json
from urllib.parse import urlencode

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.forms import Form, id_in, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import SETTINGS, now
from admin_web.navigation import NavItem
from admin_web.render import go_to, is_htmx, page
from admin_web.webhook_words import STATE_NAMES, TOPIC_NAMES, event_name, last_try, types_of
from loyalty.errors import LoyaltyError
from loyalty.staff.rules import Permission
from loyalty.webhooks.actions.endpoints import (
    add_endpoint,
    remove_endpoint,
    renew_secret,
    send_again,
    send_all_again,
    send_test,
    switch_endpoint,
)
from loyalty.webhooks.queries import EndpointView, deliveries, delivery, endpoint, endpoints
from loyalty.webhooks.rules import State, Topic, endpoint_secret, signing_key

PATH = "/settings/webhooks"
NAV = NavItem("webhooks", PATH, "webhook", mark("Webhooks"), "settings", Permission.KEYS_MANAGE)


@requires(Permission.KEYS_MANAGE)
async def show_list(request: web.Request) -> web.Response:
    """GET /settings/webhooks."""
    return page(request, "webhooks/list.html", endpoints=await endpoints(), topic_names=_topic_names())


@requires(Permission.KEYS_MANAGE)
async def show_new(request: web.Request) -> web.Response:
    """GET /settings/webhooks/new."""
    return _edit(request, Form())


@requires(Permission.KEYS_MANAGE)
async def add(request: web.Request) -> web.Response:
    """POST /settings/webhooks/new: it listens from now on, its secret is shown once."""
    form = await read_form(request)
    topics = [topic for topic in Topic if form.checked(f"topic-{topic}")]
    try:
        endpoint_id = await add_endpoint(
            form.value("name"),
            form.value("url"),
            topics,
            allow_local=request.app[SETTINGS].webhook_local,
            actor=actor_of(request),
            now=now(request),
        )
    except LoyaltyError as error:
        form.refuse(error)
        return _edit(request, form, block="form", status=422)
    return _made(request, await endpoint(endpoint_id))


@requires(Permission.KEYS_MANAGE)
async def show_one(request: web.Request) -> web.Response:
    """GET /settings/webhooks/{id}?state=&before=: an endpoint and what was told to it."""
    chosen = await endpoint(id_in(request))
    form = Form({name: request.query[name] for name in ("state", "before") if request.query.get(name)})
    state = State(form.value("state")) if form.value("state") in list(State) else None
    found = await deliveries(chosen.id, state=state, before=form.number("before"))
    here = f"{PATH}/{chosen.id}"
    kept = {"state": state.value} if state else {}
    return page(
        request,
        "webhooks/detail.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        endpoint=chosen,
        form=form,
        lines=[(one, event_name(one), last_try(one)) for one in found.deliveries],
        topic_names=_topic_names(),
        state_names=_state_names(),
        states=[("", _("Every state")), *((state.value, name) for state, (name, _tint) in _state_names().items())],
        older=_url(here, kept | {"before": str(found.next_before)}) if found.next_before else None,
        newest=_url(here, kept) if request.query.get("before") else None,
        is_under_way=any(one.state in {State.DUE, State.LEASED} for one in found.deliveries) and chosen.is_active,
        this_url=str(request.rel_url),
    )


@requires(Permission.KEYS_MANAGE)
async def show_delivery(request: web.Request) -> web.Response:
    """GET /settings/webhooks/{id}/deliveries/{delivery}: what was told, and what became of it."""
    chosen = await endpoint(id_in(request))
    told = await delivery(chosen.id, id_in(request, "delivery"))
    return page(
        request,
        "webhooks/delivery.html",
        endpoint=chosen,
        delivery=told,
        event_name=event_name(told),
        last_try=last_try(told),
        state_names=_state_names(),
        body=json.dumps(json.loads(told.event.body()), ensure_ascii=False, indent=2),
    )


@requires(Permission.KEYS_MANAGE)
async def switch_on(request: web.Request) -> web.Response:
    """POST /settings/webhooks/{id}/on."""
    endpoint_id = id_in(request)
    await switch_endpoint(endpoint_id, on=True, actor=actor_of(request), now=now(request))
    return await go_to(request, f"{PATH}/{endpoint_id}", say=_("The webhook is on"))


@requires(Permission.KEYS_MANAGE)
async def switch_off(request: web.Request) -> web.Response:
    """POST /settings/webhooks/{id}/off: at once, with an Undo."""
    endpoint_id = id_in(request)
    await switch_endpoint(endpoint_id, on=False, actor=actor_of(request), now=now(request))
    here = f"{PATH}/{endpoint_id}"
    return await go_to(request, here, say=_("The webhook is off"), undo_url=f"{here}/on")


@requires(Permission.KEYS_MANAGE)
async def renew(request: web.Request) -> web.Response:
    """POST /settings/webhooks/{id}/secret: another secret, shown once."""
    endpoint_id = id_in(request)
    await renew_secret(endpoint_id, actor=actor_of(request), now=now(request))
    return _made(request, await endpoint(endpoint_id))


@requires(Permission.KEYS_MANAGE)
async def remove(request: web.Request) -> web.Response:
    """POST /settings/webhooks/{id}/remove: for good."""
    await remove_endpoint(id_in(request), actor=actor_of(request), now=now(request))
    return await go_to(request, PATH, say=_("The webhook is removed"))


@requires(Permission.KEYS_MANAGE)
async def test(request: web.Request) -> web.Response:
    """POST /settings/webhooks/{id}/test."""
    endpoint_id = id_in(request)
    await send_test(endpoint_id, now=now(request))
    return await go_to(request, f"{PATH}/{endpoint_id}", say=_("The test is on its way"))


@requires(Permission.KEYS_MANAGE)
async def replay(request: web.Request) -> web.Response:
    """POST /settings/webhooks/{id}/deliveries/{delivery}/again."""
    endpoint_id = id_in(request)
    await send_again(endpoint_id, id_in(request, "delivery"), now=now(request))
    return await go_to(request, f"{PATH}/{endpoint_id}", say=_("It is sent again"))


@requires(Permission.KEYS_MANAGE)
async def replay_all(request: web.Request) -> web.Response:
    """POST /settings/webhooks/{id}/again: everything that did not arrive."""
    endpoint_id = id_in(request)
    await send_all_again(endpoint_id, actor=actor_of(request), now=now(request))
    return await go_to(request, f"{PATH}/{endpoint_id}", say=_("What did not arrive is sent again"))


def _edit(request: web.Request, form: Form, *, block: str | None = None, status: int = 200) -> web.Response:
    topics = [(topic, name, types_of(topic)) for topic, name in _topic_names().items()]
    allow_local = request.app[SETTINGS].webhook_local
    return page(
        request, "webhooks/new.html", block=block, status=status, form=form, topics=topics, allow_local=allow_local
    )


def _made(request: web.Request, chosen: EndpointView) -> web.Response:
    key = request.app[SETTINGS].secret_key
    assert key is not None
    secret = endpoint_secret(signing_key(key.get_secret_value()), chosen.id, chosen.salt)
    block = "form" if is_htmx(request) else None
    response = page(request, "webhooks/made.html", block=block, endpoint=chosen, secret=secret)
    response.headers["Cache-Control"] = "no-store"
    return response


def _topic_names() -> dict[Topic, str]:
    return {topic: _(name) for topic, name in TOPIC_NAMES.items()}


def _state_names() -> dict[State, tuple[str, str]]:
    return {state: (_(name), tint) for state, (name, tint) in STATE_NAMES.items()}


def _url(path: str, values: dict[str, str]) -> str:
    return f"{path}?{urlencode(values)}" if values else path


ROUTES = (
    web.get(PATH, show_list),
    web.get(f"{PATH}/new", show_new),
    web.post(f"{PATH}/new", add),
    web.get(PATH + r"/{id:\d{1,9}}", show_one),
    web.post(PATH + r"/{id:\d{1,9}}/on", switch_on),
    web.post(PATH + r"/{id:\d{1,9}}/off", switch_off),
    web.post(PATH + r"/{id:\d{1,9}}/secret", renew),
    web.post(PATH + r"/{id:\d{1,9}}/remove", remove),
    web.post(PATH + r"/{id:\d{1,9}}/test", test),
    web.post(PATH + r"/{id:\d{1,9}}/again", replay_all),
    web.get(PATH + r"/{id:\d{1,9}}/deliveries/{delivery}", show_delivery),
    web.post(PATH + r"/{id:\d{1,9}}/deliveries/{delivery}/again", replay),
)
