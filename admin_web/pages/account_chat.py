"""The Telegram in which one is reminded of tasks: linking it by a code that works once, and letting go of it."""

from typing import Any

from aiohttp import web

from admin_web.auth import actor_of, signed_in, staff_of
from admin_web.chat_links import chat_links, drawn
from admin_web.i18n import gettext as _
from admin_web.keys import now
from admin_web.render import go_to, is_htmx, page
from loyalty.conversations.actions.reminding import stop_reminding
from loyalty.conversations.channels import TELEGRAM
from loyalty.tasks.actions.chats import new_chat_code
from loyalty.tasks.queries import staff_chat
from loyalty.tasks.rules import CODE_LIFETIME

PATH = "/account/telegram"
ACCOUNT = "/account"
PAYLOAD = "s_"
"""What stands before the code in a link; the bot reads it."""
STILL_ASKING = 204


async def chat_panel(request: web.Request, code: str | None = None) -> dict[str, Any]:
    """What `account/_telegram.html` shows. code: one that was just made, which nobody can read again."""
    chat = await staff_chat(staff_of(request).id)
    way = (await chat_links(request, PAYLOAD + (code or ""))).get(TELEGRAM)
    return {
        "chat": chat if chat is not None and chat.account_id is not None else None,
        "has_bot": way is not None,
        "code": code if way is not None else None,
        "way": way,
        "typed": f"/start {PAYLOAD}{code}" if code else "",
        "drawn": drawn(way) if way is not None and code else "",
        "minutes": CODE_LIFETIME.seconds // 60,
    }


@signed_in
async def show_state(request: web.Request) -> web.Response:
    """GET /account/telegram: nothing while a code waits to be used, then what it has linked."""
    if not is_htmx(request):
        return web.Response(status=303, headers={"Location": ACCOUNT})
    chat = await staff_chat(staff_of(request).id)
    if chat is not None and chat.code_expires_at is not None and chat.code_expires_at > now(request):
        return web.Response(status=STILL_ASKING)
    return page(request, "account/_telegram.html", **await chat_panel(request))


@signed_in
async def make_code(request: web.Request) -> web.Response:
    """POST /account/telegram: a code, shown once. A code that waited before works no more."""
    code = await new_chat_code(staff_of(request).id, now=now(request))
    template = "account/_telegram.html" if is_htmx(request) else "account/telegram.html"
    return page(request, template, **await chat_panel(request, code))


@signed_in
async def unlink(request: web.Request) -> web.Response:
    """POST /account/telegram/unlink: at once. It is linked again by another code."""
    await stop_reminding(staff_of(request).id, actor=actor_of(request), now=now(request))
    return await go_to(request, ACCOUNT, say=_("No reminders come to Telegram any more."))


ROUTES = (
    web.get(PATH, show_state),
    web.post(PATH, make_code),
    web.post(f"{PATH}/unlink", unlink),
)
