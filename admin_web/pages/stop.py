"""The link under an SMS or an e-mail by which its reader ends advertising, or has it again."""

from dataclasses import replace

from aiohttp import web

from admin_web.auth import public
from admin_web.forms import read_form
from admin_web.i18n import READER
from admin_web.i18n import gettext as _
from admin_web.keys import SETTINGS, now
from admin_web.render import page
from loyalty.conversations.stopping import PATH, account_of, stop_key
from loyalty.customers.actions.accounts import answer_topics
from loyalty.customers.queries import MessengerAccountView, messenger_account
from loyalty.customers.rules import Topic
from loyalty.errors import NotFound
from loyalty.staff.rules import Actor, ActorKind

ONE_CLICK = "List-Unsubscribe"
"""What a mail program posts by itself when its reader unsubscribes there. Source: RFC 8058."""


@public
async def show(request: web.Request) -> web.Response:
    """GET /stop/{token}: changes nothing, since mail programs open links on their own."""
    account = await _account(request)
    return _page(request, account)


@public
async def change(request: web.Request) -> web.Response:
    """POST /stop/{token}: no more advertising there; with `again`, advertising once more."""
    account = await _account(request)
    if account is None:
        return _page(request, None)
    form = await read_form(request)
    await answer_topics(
        account.id,
        {Topic.MARKETING: bool(form.value("again")) and not form.value(ONE_CLICK)},
        source=account.channel,
        text_version=f"link {account.language}",
        actor=Actor(ActorKind.CUSTOMER),
        now=now(request),
    )
    return _page(request, await messenger_account(account.id), is_done=True)


def _page(request: web.Request, account: MessengerAccountView | None, *, is_done: bool = False) -> web.Response:
    how = {
        "sms": _("What we send by SMS is meant. News of your purchases and your card still come."),
        "email": _("What we send by e-mail is meant. News of your purchases and your card still come."),
    }.get(account.channel if account else "", "")
    return page(request, "stop.html", status=200 if account else 404, account=account, how=how, is_done=is_done)


async def _account(request: web.Request) -> MessengerAccountView | None:
    """Whose link it is; the page speaks their language."""
    secret = request.app[SETTINGS].secret_key
    assert secret is not None
    account_id = account_of(stop_key(secret.get_secret_value()), request.match_info["token"])
    try:
        account = await messenger_account(account_id) if account_id is not None else None
    except NotFound:
        account = None
    if account is not None:
        READER.set(replace(READER.get(), language=account.language))
    return account


ROUTES = (
    web.get(PATH + "/{token}", show),
    web.post(PATH + "/{token}", change),
)
