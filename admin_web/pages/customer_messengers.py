"""Where a customer can be written to: their messengers, on a tab of their card."""

from datetime import datetime
from typing import Any

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.chats import CHANNELS
from admin_web.forms import id_in
from admin_web.i18n import gettext as _
from admin_web.keys import now
from admin_web.render import go_to
from loyalty.conversations.queries import AccountActivity, activity
from loyalty.customers.actions.accounts import make_default, unlink_account
from loyalty.customers.queries import CustomerView, accounts_of
from loyalty.errors import NotFound
from loyalty.staff.rules import Permission


async def messengers_panel(request: web.Request, person: CustomerView) -> dict[str, Any]:
    """What the tab shows."""
    del request
    accounts = await accounts_of(person.id)
    said = await activity([account.id for account in accounts])
    return {
        "accounts": accounts,
        "activity": said,
        "last_contact": {account.id: _last_contact(said.get(account.id)) for account in accounts},
        "channel_names": {channel: _(name) for channel, name in CHANNELS.items()},
    }


def _last_contact(said: AccountActivity | None) -> datetime | None:
    if said is None:
        return None
    return max((at for at in (said.last_heard, said.last_sent) if at is not None), default=None)


@requires(Permission.CUSTOMERS_EDIT)
async def do_make_default(request: web.Request) -> web.Response:
    """POST /customers/{id}/accounts/{account}/default: of their messengers, write to this one."""
    account_id = await _account_in(request)
    await make_default(account_id, actor=actor_of(request), now=now(request))
    return await go_to(request, f"/customers/{id_in(request)}?tab=messengers", say=_("From now on we write there."))


@requires(Permission.CUSTOMERS_EDIT)
async def do_remove_account(request: web.Request) -> web.Response:
    """POST /customers/{id}/accounts/{account}/remove: nothing is sent there any more."""
    account_id = await _account_in(request)
    await unlink_account(account_id, actor=actor_of(request), now=now(request))
    return await go_to(request, f"/customers/{id_in(request)}?tab=messengers", say=_("The messenger is removed."))


async def _account_in(request: web.Request) -> int:
    """The account in the path, which must be this customer's."""
    account_id = id_in(request, "account")
    if account_id not in {account.id for account in await accounts_of(id_in(request))}:
        raise NotFound("account")
    return account_id


ROUTES = (
    web.post("/customers/{id}/accounts/{account}/default", do_make_default),
    web.post("/customers/{id}/accounts/{account}/remove", do_remove_account),
)
