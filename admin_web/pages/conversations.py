"""Conversations: who waits for an answer, and the chat of a customer or of somebody who has not registered."""

from dataclasses import dataclass

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.chats import CHANNELS, Chat, chat_data, heard_name, open_chat
from admin_web.forms import Form, id_in, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import now
from admin_web.navigation import NavItem
from admin_web.render import go_to, is_htmx, page
from loyalty.conversations.actions.outbox import mark_answered, write_to
from loyalty.conversations.queries import WaitingChat, media_body, waiting_chats, waiting_count
from loyalty.customers.queries import MessengerAccountView, accounts_of, customer, messenger_account
from loyalty.errors import LoyaltyError, NotFound
from loyalty.ids import new_key
from loyalty.staff.rules import Permission

PATH = "/conversations"
NAV = NavItem(
    "conversations",
    PATH,
    "message-circle",
    mark("Conversations"),
    "customers",
    Permission.MESSAGES_READ,
    in_bar=True,
)

# What a browser shows itself; anything else that people send is only handed out.
PICTURES = ("image/jpeg", "image/png", "image/webp")
PICTURE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Place:
    """Whose conversation an address means: a customer's with all their accounts, or one account's alone."""

    name: str
    accounts: list[MessengerAccountView]
    here: str
    base: str


@dataclass(frozen=True, slots=True)
class Row:
    """A chat that waits. `words`: what was said last, or what was done when nothing was said.

    is_failed: we could not make anything of it, and there are no words.
    """

    chat: WaitingChat
    href: str
    channel: str
    words: str
    is_failed: bool


@requires(Permission.MESSAGES_READ)
async def show_list(request: web.Request) -> web.Response:
    """GET /conversations: chats that wait for staff, the longest waiting first."""
    waiting = await waiting_chats()
    count = await waiting_count()
    return page(request, "conversations/list.html", rows=[_row(chat) for chat in waiting], count=count)


def _row(chat: WaitingChat) -> Row:
    is_failed = chat.last_kind == "failed"
    person = f"/customers/{chat.customer_id}?tab=conversation"
    return Row(
        chat=chat,
        href=person if chat.customer_id is not None else f"{PATH}/{chat.account_id}",
        channel=_(CHANNELS.get(chat.channel, chat.channel)),
        words=chat.last_text or ("" if is_failed else heard_name(chat.last_kind)),
        is_failed=is_failed,
    )


@requires(Permission.MESSAGES_READ)
async def show_chat(request: web.Request) -> web.Response:
    """GET /conversations/{account}: the chat of somebody who has not registered; a customer's is on their card."""
    account = await messenger_account(id_in(request, "account"))
    if account.customer_id is not None:
        return web.Response(status=303, headers={"Location": f"/customers/{account.customer_id}?tab=conversation"})
    before = request.query.get("before", "")
    place = await _place(request)
    chat = await _chat(place, before_id=int(before) if is_id(before) else None)
    return page(
        request,
        "conversations/chat.html",
        title=place.name,
        account=account,
        **chat_data(chat, Form({"key": new_key()})),
    )


@requires(Permission.MESSAGES_READ)
async def show_news(request: web.Request) -> web.Response:
    """GET …/chat?since=: the newest lines, or 204 while they are as the asker has them."""
    place = await _place(request)
    if not is_htmx(request):
        return web.Response(status=303, headers={"Location": place.here})
    chat = await _chat(place)
    if request.query.get("since") == chat.version:
        return web.Response(status=204)
    return page(request, "chats/_live.html", **chat_data(chat, Form()))


@requires(Permission.MESSAGES_WRITE)
async def do_write(request: web.Request) -> web.Response:
    """POST …/chat: a reply. The form's key makes a second click harmless."""
    form = await read_form(request)
    place = await _place(request)
    account = _chosen(place.accounts, form.value("account"))
    try:
        await write_to(
            account.id,
            form.value("text"),
            key=form.value("key")[:60] or new_key(),
            actor=actor_of(request),
            now=now(request),
        )
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        return await _chat_again(request, place, form, status=422)
    return await _chat_again(request, place, Form({"key": new_key(), "account": str(account.id)}))


@requires(Permission.MESSAGES_WRITE)
async def do_mark_answered(request: web.Request) -> web.Response:
    """POST …/chat/answered: nobody needs to look any more."""
    place = await _place(request)
    for account in place.accounts:
        await mark_answered(account.id, actor=actor_of(request), now=now(request))
    return await _chat_again(request, place, Form({"key": new_key()}))


@requires(Permission.MESSAGES_READ)
async def show_media(request: web.Request) -> web.Response:
    """GET …/media/{media}: a picture that was sent; what is none comes as a file to keep."""
    place = await _place(request)
    media_id = id_in(request, "media")
    body, mime = await media_body(media_id, [account.id for account in place.accounts])
    headers = {"Cache-Control": f"private, max-age={PICTURE_SECONDS}"}
    if mime not in PICTURES:
        mime, headers["Content-Disposition"] = "application/octet-stream", f'attachment; filename="file-{media_id}"'
    return web.Response(body=body, content_type=mime, headers=headers)


async def _place(request: web.Request) -> Place:
    if "account" in request.match_info:
        account = await messenger_account(id_in(request, "account"))
        here = f"{PATH}/{account.id}"
        return Place(account.name or _("Without a name"), [account], here, here)
    person = await customer(id_in(request))
    base = f"/customers/{person.id}"
    return Place(person.name, await accounts_of(person.id), f"{base}?tab=conversation", base)


async def _chat(place: Place, *, before_id: int | None = None) -> Chat:
    return await open_chat(place.accounts, here=place.here, base=place.base, before_id=before_id)


def _chosen(accounts: list[MessengerAccountView], wanted: str) -> MessengerAccountView:
    """The account that was chosen; without a choice the first that can be written to, else the default one."""
    if wanted:
        found = [account for account in accounts if str(account.id) == wanted]
    else:
        found = sorted(accounts, key=lambda account: not account.is_active)
    if not found:
        raise NotFound("account")
    return found[0]


async def _chat_again(request: web.Request, place: Place, form: Form, *, status: int = 200) -> web.Response:
    """The conversation with what has become of it: the part for htmx, a page for a browser without scripts."""
    if not is_htmx(request) and status == 200:
        return await go_to(request, place.here)
    data = chat_data(await _chat(place), form)
    if not is_htmx(request):
        return page(request, "conversations/chat.html", status=status, title=place.name, account=None, **data)
    return page(request, "chats/_chat.html", status=status, was_sent=status == 200, **data)


def _routes(base: str) -> tuple[web.RouteDef, ...]:
    return (
        web.get(f"{base}/chat", show_news),
        web.post(f"{base}/chat", do_write),
        web.post(f"{base}/chat/answered", do_mark_answered),
        web.get(f"{base}/media/{{media}}", show_media),
    )


ROUTES = (
    web.get(PATH, show_list),
    web.get(f"{PATH}/{{account}}", show_chat),
    *_routes(f"{PATH}/{{account}}"),
    *_routes("/customers/{id}"),
)
