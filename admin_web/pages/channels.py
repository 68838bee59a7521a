"""Channels: how our accounts in messengers do, and what came in that nobody could handle."""

from dataclasses import dataclass

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.chats import CHANNELS, WHY
from admin_web.forms import id_in, is_id
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import now
from admin_web.navigation import NavItem
from admin_web.render import go_to, page
from loyalty.conversations.actions.arrivals import dismiss_update, replay_update
from loyalty.conversations.queries.channels import ChannelState, FailedUpdate, channel_states, failed_updates
from loyalty.staff.rules import Permission

PATH = "/settings/channels"
NAV = NavItem("channels", PATH, "radio-tower", mark("Channels"), "settings", Permission.SHOP_MANAGE)


@dataclass(frozen=True, slots=True)
class Row:
    """A line about an account of ours. `why`: why nothing is sent through it now."""

    state: ChannelState
    channel: str
    why: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A line about an update. `href`: the chat that it came from, where there is one."""

    update: FailedUpdate
    channel: str
    href: str | None


@requires(Permission.SHOP_MANAGE)
async def show(request: web.Request) -> web.Response:
    """GET /settings/channels?before=: our accounts, and what failed, newest first."""
    before = request.query.get("before", "")
    states = await channel_states(now=now(request))
    found, earlier = await failed_updates(before_id=int(before) if is_id(before) else None)
    return page(
        request,
        "channels/list.html",
        rows=[_row(state) for state in states],
        failed=[_failed(update) for update in found],
        earlier=f"{PATH}?before={earlier}" if earlier else None,
        is_later_page=bool(before),
    )


def _row(state: ChannelState) -> Row:
    return Row(state, _name(state.source), _(WHY[state.reason]) if state.reason in WHY else state.reason or "")


def _failed(update: FailedUpdate) -> Failed:
    href = None
    if update.customer_id is not None:
        href = f"/customers/{update.customer_id}?tab=conversation"
    elif update.account_id is not None:
        href = f"/conversations/{update.account_id}"
    return Failed(update, _name(update.source), href)


def _name(source: str) -> str:
    channel = source.partition(":")[0]
    return _(CHANNELS.get(channel, channel))


@requires(Permission.SHOP_MANAGE)
async def do_replay(request: web.Request) -> web.Response:
    """POST /settings/channels/updates/{id}/replay: take it once more."""
    await replay_update(id_in(request), actor=actor_of(request), now=now(request))
    return await go_to(request, PATH, say=_("It is taken once more. If it fails again, it comes back here."))


@requires(Permission.SHOP_MANAGE)
async def do_dismiss(request: web.Request) -> web.Response:
    """POST /settings/channels/updates/{id}/dismiss: nobody needs to look."""
    await dismiss_update(id_in(request), actor=actor_of(request), now=now(request))
    return await go_to(request, PATH, say=_("Put away."))


ROUTES = (
    web.get(PATH, show),
    web.post(PATH + "/updates/{id}/replay", do_replay),
    web.post(PATH + "/updates/{id}/dismiss", do_dismiss),
)
