"""Ready answers: what staff answer often, in words of their own."""

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.forms import Form, form_of, id_in, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import now
from admin_web.navigation import NavItem
from admin_web.render import go_to, page
from loyalty.conversations.actions.canned import delete_canned_reply, restore_canned_reply, save_canned_reply
from loyalty.conversations.answering import TITLE_LENGTH
from loyalty.conversations.queries.inbox import CannedReplyView, canned_replies, canned_reply
from loyalty.conversations.rules import TEXT_LENGTH
from loyalty.errors import LoyaltyError, NotFound
from loyalty.staff.rules import Permission

PATH = "/settings/canned-replies"
NAV = NavItem("canned_replies", PATH, "zap", mark("Ready answers"), "settings", Permission.MESSAGES_WRITE)


@requires(Permission.MESSAGES_WRITE)
async def show_list(request: web.Request) -> web.Response:
    """GET /settings/canned-replies."""
    return page(request, "canned_replies/list.html", replies=await canned_replies())


@requires(Permission.MESSAGES_WRITE)
async def show_new(request: web.Request) -> web.Response:
    """GET /settings/canned-replies/new."""
    return _edit(request, Form(), None)


@requires(Permission.MESSAGES_WRITE)
async def show_one(request: web.Request) -> web.Response:
    """GET /settings/canned-replies/{id}."""
    known = await canned_reply(id_in(request))
    return _edit(request, form_of({"title": known.title, "text": known.text}), known)


@requires(Permission.MESSAGES_WRITE)
async def save(request: web.Request) -> web.Response:
    """POST /settings/canned-replies/new or …/{id}."""
    form = await read_form(request)
    known = await canned_reply(id_in(request)) if "id" in request.match_info else None
    try:
        await save_canned_reply(
            known.id if known else None,
            form.value("title"),
            form.value("text"),
            actor=actor_of(request),
            now=now(request),
        )
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        return _edit(request, form, known, block="form", status=422)
    return await go_to(request, PATH, say=_("Saved"))


@requires(Permission.MESSAGES_WRITE)
async def delete(request: web.Request) -> web.Response:
    """POST /settings/canned-replies/{id}/delete: at once, with an Undo."""
    reply_id = id_in(request)
    await delete_canned_reply(reply_id, actor=actor_of(request), now=now(request))
    return await go_to(request, PATH, say=_("The answer is deleted."), undo_url=f"{PATH}/{reply_id}/restore")


@requires(Permission.MESSAGES_WRITE)
async def restore(request: web.Request) -> web.Response:
    """POST /settings/canned-replies/{id}/restore."""
    await restore_canned_reply(id_in(request), actor=actor_of(request), now=now(request))
    return await go_to(request, PATH, say=_("The answer is back."))


def _edit(
    request: web.Request,
    form: Form,
    known: CannedReplyView | None,
    *,
    block: str | None = None,
    status: int = 200,
) -> web.Response:
    return page(
        request,
        "canned_replies/edit.html",
        block=block,
        status=status,
        form=form,
        known=known,
        url=request.path,
        title_length=TITLE_LENGTH,
        text_length=TEXT_LENGTH,
    )


ROUTES = (
    web.get(PATH, show_list),
    web.get(f"{PATH}/new", show_new),
    web.post(f"{PATH}/new", save),
    web.get(PATH + r"/{id:\d{1,9}}", show_one),
    web.post(PATH + r"/{id:\d{1,9}}", save),
    web.post(PATH + r"/{id:\d{1,9}}/delete", delete),
    web.post(PATH + r"/{id:\d{1,9}}/restore", restore),
)
