"""Where a customer can be written to: their messengers, phone and e-mail, on a tab of their card."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.chats import CHANNELS
from admin_web.forms import id_in
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import now
from admin_web.reach import cards_open_to
from admin_web.render import go_to
from loyalty.conversations.queries import AccountActivity, activity
from loyalty.customers.actions.accounts import answer_topics, make_default, set_topics, unlink_account
from loyalty.customers.queries import CustomerView, MessengerAccountView, accounts_of, places_of
from loyalty.customers.queries.links import links_about
from loyalty.customers.rules import MESSENGERS, Topic, Via
from loyalty.errors import NotFound
from loyalty.staff.rules import Permission

WHY_INACTIVE = {
    "blocked": mark("Has blocked us"),
    "gone": mark("No such account any more"),
}
TOPICS = {"service": mark("Purchases and the card"), "marketing": mark("Offers"), "surveys": mark("Surveys")}
"""What we write about, by its name in the address."""
BY_STAFF = "by staff"
"""Stands for the version of a text where a colleague keeps what a customer said to them."""


async def messengers_panel(request: web.Request, person: CustomerView) -> dict[str, Any]:
    """What the tab shows. Of requests those about cards that the reader may open."""
    links = await links_about(person.id)
    people = {one.customer_id for one in links} | {one.owner_id for one in links if one.owner_id is not None}
    cards = await cards_open_to(staff_of(request), people)
    places = await places_of(person.id)
    said = await activity([place.id for place in places])
    return {
        "accounts": [place for place in places if place.channel in MESSENGERS],
        "addresses": [place for place in places if place.channel not in MESSENGERS],
        "activity": said,
        "last_contact": {place.id: _last_contact(said.get(place.id)) for place in places},
        "channel_names": {channel: _(name) for channel, name in CHANNELS.items()},
        "why_inactive": {reason: _(name) for reason, name in WHY_INACTIVE.items()},
        "nothing_arrives": _("Nothing arrives there"),
        "topics": [(topic, _(name)) for topic, name in TOPICS.items()],
        "links": [one for one in links if one.customer_id in cards],
        "cards": cards,
    }


def _last_contact(said: AccountActivity | None) -> datetime | None:
    if said is None:
        return None
    return max((at for at in (said.last_heard, said.last_sent) if at is not None), default=None)


@requires(Permission.CUSTOMERS_EDIT)
async def do_make_default(request: web.Request) -> web.Response:
    """POST /customers/{id}/accounts/{account}/default: of their messengers, write to this one."""
    account_id = await _messenger_in(request)
    await make_default(account_id, actor=actor_of(request), now=now(request))
    return await _go_back(request, _("From now on we write there."))


@requires(Permission.CUSTOMERS_EDIT)
async def do_remove_account(request: web.Request) -> web.Response:
    """POST /customers/{id}/accounts/{account}/remove: nothing is sent there any more."""
    account_id = await _messenger_in(request)
    await unlink_account(account_id, actor=actor_of(request), now=now(request))
    return await _go_back(request, _("The messenger is removed."))


@requires(Permission.CUSTOMERS_EDIT)
async def do_set_topic(request: web.Request) -> web.Response:
    """POST …/accounts/{account}/topics/{topic}/{state}: whether that may be written there, on or off."""
    account_id, topic, state = await _account_in(request), request.match_info["topic"], request.match_info["state"]
    if topic not in TOPICS or state not in {"on", "off"}:
        raise NotFound("account")
    await _allow(request, account_id, {topic: state == "on"})
    back = f"/customers/{id_in(request)}/accounts/{account_id}/topics/{topic}/{'off' if state == 'on' else 'on'}"
    said = _("This may be written there again.") if state == "on" else _("This will not be written there any more.")
    return await _go_back(request, said, undo_url=back)


@requires(Permission.CUSTOMERS_EDIT)
async def do_unsubscribe(request: web.Request) -> web.Response:
    """POST …/accounts/{account}/unsubscribe: no offers and no surveys there; what concerns purchases still comes."""
    account_id = await _account_in(request)
    await _allow(request, account_id, {"marketing": False, "surveys": False})
    back = f"/customers/{id_in(request)}/accounts/{account_id}/subscribe"
    return await _go_back(request, _("Unsubscribed: no offers and no surveys there."), undo_url=back)


@requires(Permission.CUSTOMERS_EDIT)
async def do_subscribe(request: web.Request) -> web.Response:
    """POST …/accounts/{account}/subscribe: offers and surveys again, because the customer asked for them."""
    account_id = await _account_in(request)
    await _allow(request, account_id, {"marketing": True, "surveys": True})
    back = f"/customers/{id_in(request)}/accounts/{account_id}/unsubscribe"
    return await _go_back(request, _("Subscribed again."), undo_url=back)


async def _allow(request: web.Request, account_id: int, wanted: dict[str, bool]) -> None:
    """Change what may be written; a yes to offers or surveys is kept as a consent, too."""
    actor, at = actor_of(request), now(request)
    granted = {Topic(topic): True for topic, is_on in wanted.items() if is_on and topic != "service"}
    if granted:
        await answer_topics(account_id, granted, source=Via.PANEL.value, text_version=BY_STAFF, actor=actor, now=at)
        return
    await set_topics(
        account_id,
        service=wanted.get("service"),
        marketing=wanted.get("marketing"),
        surveys=wanted.get("surveys"),
        actor=actor,
        now=at,
    )


async def _go_back(request: web.Request, said: str, *, undo_url: str | None = None) -> web.Response:
    return await go_to(request, f"/customers/{id_in(request)}?tab=messengers", say=said, undo_url=undo_url)


async def _account_in(request: web.Request) -> int:
    """The account in the path, which must be this customer's: a messenger, their phone or e-mail."""
    return _one_of(await places_of(id_in(request)), request)


async def _messenger_in(request: web.Request) -> int:
    """The same of messengers alone: phone and e-mail stand on the card, and go with it."""
    return _one_of(await accounts_of(id_in(request)), request)


def _one_of(places: Sequence[MessengerAccountView], request: web.Request) -> int:
    account_id = id_in(request, "account")
    if account_id not in {place.id for place in places}:
        raise NotFound("account")
    return account_id


_BASE = "/customers/{id}/accounts/{account}"
ROUTES = (
    web.post(f"{_BASE}/default", do_make_default),
    web.post(f"{_BASE}/remove", do_remove_account),
    web.post(f"{_BASE}/unsubscribe", do_unsubscribe),
    web.post(f"{_BASE}/subscribe", do_subscribe),
    web.post(f"{_BASE}/topics/{{topic}}/{{state}}", do_set_topic),
)
