"""One conversation: what is said in it and done with it, in the inbox and on a customer's card alike."""

from datetime import datetime
from urllib.parse import quote, urlencode

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.chats import Answer, Chat, Place, answer_to, chat_data, colleagues_for, open_chat
from admin_web.forms import Form, id_in, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.keys import SHOP, now
from admin_web.render import go_to, is_htmx, page, toast
from admin_web.uploads import read_upload
from loyalty.conversations.actions import staff as acts
from loyalty.conversations.answering import PICTURES, Upload
from loyalty.conversations.channels import CAPABILITIES
from loyalty.conversations.message_types import STAFF
from loyalty.conversations.queries import activity, media_body
from loyalty.conversations.queries.inbox import main_account, sent_attachment
from loyalty.conversations.queries.types import channels_for
from loyalty.customers.queries import CustomerView, MessengerAccountView, customer, messenger_account, places_of
from loyalty.errors import Invalid, LoyaltyError, NotFound
from loyalty.ids import new_key
from loyalty.staff.queries import staff_member
from loyalty.staff.rules import Actor, Permission

PATH = "/conversations"
PICTURE_SECONDS = 3600
KEY_LENGTH = 60
NOBODY = "nobody"
VALUE = "value-"
"""What the names of fields for a template's variables begin with."""


@requires(Permission.MESSAGES_READ)
async def show_news(request: web.Request) -> web.Response:
    """GET …/chat?since=: the conversation as it is now, or 204 while it is as the asker has it."""
    place = await place_of(request)
    if not is_htmx(request):
        return web.Response(status=303, headers={"Location": place.here})
    await acts.mark_read(place.ids)
    chat = await open_chat(place)
    if request.query.get("since") == chat.version:
        return web.Response(status=204)
    return await _part(request, chat, Form({"key": new_key()}))


@requires(Permission.MESSAGES_READ)
async def show_answer(request: web.Request) -> web.Response:
    """GET …/chat/answer?account=&template=: the box to answer in, through another account or by another template."""
    place = await place_of(request)
    if not is_htmx(request):
        return web.Response(status=303, headers={"Location": place.here})
    wanted = {name: request.query.get(name, "") for name in ("account", "template")}
    form = Form({**wanted, "key": new_key()})
    chat = await open_chat(place)
    answer = await _answer(request, chat, form, is_fresh=True)
    return page(request, "chats/_answer.html", **chat_data(chat, form, answer, is_inbox=_is_inbox(request)))


@requires(Permission.MESSAGES_WRITE)
async def do_write(request: web.Request) -> web.Response:
    """POST …/chat: a reply, perhaps with a file. The form's key makes a second click harmless."""
    form, upload = await read_upload(request)
    place = await place_of(request)
    account = _chosen(place, form.value("account"))
    if not form.ok:
        return await _chat_again(request, place, form, status=422)
    try:
        await _say(place, account, form, upload, actor=actor_of(request), now=now(request))
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        return await _chat_again(request, place, form, status=422)
    fresh = Form({"key": new_key(), "account": str(account.id)})
    return await _chat_again(request, place, fresh, is_fresh=True)


@requires(Permission.MESSAGES_WRITE)
async def do_assign(request: web.Request) -> web.Response:
    """POST …/chat/assign: to a colleague, or to nobody."""
    form = await read_form(request)
    place = await place_of(request)
    _main(place)
    wanted, seen = form.value("assignee"), form.value("seen")
    colleague = int(wanted) if is_id(wanted) else None
    if colleague is None and wanted != NOBODY:
        raise web.HTTPBadRequest
    try:
        if colleague is not None and all(one.id != colleague for one in await colleagues_for(place)):
            await staff_member(colleague)
            raise Invalid("assignee", "unknown_choice")
        await acts.assign(
            place.ids,
            colleague,
            seen=int(seen) if is_id(seen) else None,
            actor=actor_of(request),
            now=now(request),
        )
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        form.errors = {"": next(iter(form.errors.values()))}
        return await _chat_again(request, place, form, status=422)
    return await _chat_again(request, place, Form({"key": new_key()}))


@requires(Permission.MESSAGES_WRITE)
async def do_mark_answered(request: web.Request) -> web.Response:
    """POST …/chat/answered: nobody needs to look any more."""
    place = await place_of(request)
    _main(place)
    await acts.mark_answered(place.ids, actor=actor_of(request), now=now(request))
    return await _chat_again(request, place, Form({"key": new_key()}))


@requires(Permission.MESSAGES_WRITE)
async def do_close(request: web.Request) -> web.Response:
    """POST …/chat/close: at once, with an Undo."""
    place = await place_of(request)
    _main(place)
    await acts.close(place.ids, actor=actor_of(request), now=now(request))
    undo_url = f"{place.base}/chat/reopen"
    answer = await _chat_again(request, place, Form({"key": new_key()}), say=_("The conversation is closed"))
    return toast(answer, _("The conversation is closed"), undo_url) if is_htmx(request) else answer


@requires(Permission.MESSAGES_WRITE)
async def do_reopen(request: web.Request) -> web.Response:
    """POST …/chat/reopen: among those that staff have to do with."""
    place = await place_of(request)
    _main(place)
    await acts.reopen(place.ids, actor=actor_of(request), now=now(request))
    return await _chat_again(request, place, Form({"key": new_key()}))


@requires(Permission.MESSAGES_WRITE)
async def do_hand_back(request: web.Request) -> web.Response:
    """POST …/chat/bot: the bot answers from now on."""
    place = await place_of(request)
    _main(place)
    await acts.hand_back(place.ids, actor=actor_of(request), now=now(request))
    return await _chat_again(request, place, Form({"key": new_key()}))


@requires(Permission.MESSAGES_READ)
async def show_media(request: web.Request) -> web.Response:
    """GET …/media/{media}: a picture that was sent to us; what is none comes as a file to keep."""
    place = await place_of(request)
    media_id = id_in(request, "media")
    body, mime, name = await media_body(media_id, place.ids)
    return _file(body, mime, name or f"file-{media_id}")


@requires(Permission.MESSAGES_READ)
async def show_attachment(request: web.Request) -> web.Response:
    """GET …/attachments/{attachment}: the same for what was sent by us."""
    place = await place_of(request)
    name, mime, body = await sent_attachment(id_in(request, "attachment"), place.ids)
    return _file(body, mime, name)


def _file(body: bytes, mime: str, name: str) -> web.Response:
    """A browser shows pictures itself; anything else that people send is only handed out."""
    headers = {"Cache-Control": f"private, max-age={PICTURE_SECONDS}"}
    if mime not in PICTURES:
        mime, headers["Content-Disposition"] = (
            "application/octet-stream",
            f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        )
    return web.Response(body=body, content_type=mime, headers=headers)


async def place_of(request: web.Request) -> Place:
    """Whose conversation this address means. Raises NotFound("account" | "customer")."""
    if "account" not in request.match_info:
        return await customer_place(await customer(id_in(request)))
    account = await messenger_account(id_in(request, "account"))
    base = f"{PATH}/{account.id}"
    # The list beside it stays as it is.
    kept = urlencode({name: request.query[name] for name in ("show", "q") if name in request.query})
    here = f"{base}?{kept}" if kept else base
    channels = await channels_for(STAFF)
    if account.customer_id is None:
        return Place(account.name or _("Without a name"), [account], here, base, account.id, None, channels)
    person = await customer(account.customer_id)
    return Place(person.name, await _accounts(person.id, channels), here, base, account.id, person.id, channels)


async def customer_place(person: CustomerView) -> Place:
    """The conversation of a customer, as their card shows it."""
    channels = await channels_for(STAFF)
    base, accounts = f"/customers/{person.id}", await _accounts(person.id, channels)
    main = await main_account([account.id for account in accounts])
    here = f"{base}?tab=conversation"
    main = main or (accounts[0].id if accounts else None)
    return Place(person.name, accounts, here, base, main, person.id, channels)


async def _accounts(customer_id: int, channels: tuple[str, ...]) -> list[MessengerAccountView]:
    """A person's messengers, and their phone and e-mail where staff may write there or something was said."""
    places = await places_of(customer_id)
    others = [one.id for one in places if not CAPABILITIES[one.channel].hears and one.channel not in channels]
    told = await activity(others) if others else {}
    return [one for one in places if one.id not in others or one.id in told]


async def opened(
    request: web.Request, place: Place, form: Form, *, before_id: int | None = None, at: int | None = None
) -> dict[str, object]:
    """A conversation that somebody opens, for the templates; what was unread in it is read by that."""
    if place.ids:
        await acts.mark_read(place.ids)
    chat = await open_chat(place, before_id=before_id, at=at)
    return chat_data(chat, form, await _answer(request, chat, form), is_inbox=_is_inbox(request))


async def _answer(request: web.Request, chat: Chat, form: Form, *, is_fresh: bool = False) -> Answer:
    return await answer_to(chat, form, shop=request[SHOP].name, now=now(request), is_fresh=is_fresh)


async def _part(
    request: web.Request, chat: Chat, form: Form, *, status: int = 200, is_fresh: bool = False
) -> web.Response:
    answer = await _answer(request, chat, form, is_fresh=is_fresh)
    data = chat_data(chat, form, answer, is_inbox=_is_inbox(request))
    return page(request, "chats/_chat.html", status=status, **data)


async def _say(
    place: Place, account: MessengerAccountView, form: Form, upload: Upload | None, *, actor: Actor, now: datetime
) -> None:
    """What the form has, as it is meant: an answer, a template filled in, or a note for colleagues."""
    key, text = form.value("key")[:KEY_LENGTH] or new_key(), form.value("text")
    if form.value("kind") == "note":
        if upload is not None:
            raise Invalid("file", "notes_have_no_files")
        await acts.add_note(_main(place), text, key=key, actor=actor, now=now)
    elif form.value("kind") == "template":
        if not is_id(form.value("template")):
            raise Invalid("template", "required")
        typed = {name.removeprefix(VALUE): value for name, value in form.values.items() if name.startswith(VALUE)}
        await acts.send_template(account.id, int(form.value("template")), typed, key=key, actor=actor, now=now)
    else:
        await acts.write_to(account.id, text, upload=upload, key=key, actor=actor, now=now)


def _chosen(place: Place, wanted: str) -> MessengerAccountView:
    """The account that was chosen; without a choice the one it is about, else one that can be written to."""
    if wanted:
        found = [account for account in place.accounts if str(account.id) == wanted]
    else:
        found = sorted(place.accounts, key=lambda account: (not account.is_active, account.id != place.main))
    if not found:
        raise NotFound("account")
    return found[0]


def _main(place: Place) -> int:
    if place.main is None:
        raise NotFound("account")
    return place.main


async def _chat_again(
    request: web.Request, place: Place, form: Form, *, status: int = 200, is_fresh: bool = False, say: str | None = None
) -> web.Response:
    """The conversation with what has become of it: the part for htmx, a page for a browser without scripts."""
    if not is_htmx(request) and status == 200:
        return await go_to(request, place.here, say=say)
    chat = await open_chat(place)
    if is_htmx(request):
        return await _part(request, chat, form, status=status, is_fresh=is_fresh or status != 200)
    answer = await _answer(request, chat, form)
    data = chat_data(chat, form, answer, is_inbox=False)
    return page(request, "conversations/alone.html", status=status, title=place.name, **data)


def _is_inbox(request: web.Request) -> bool:
    return "account" in request.match_info


def _routes(base: str) -> tuple[web.RouteDef, ...]:
    return (
        web.get(f"{base}/chat", show_news),
        web.get(f"{base}/chat/answer", show_answer),
        web.post(f"{base}/chat", do_write),
        web.post(f"{base}/chat/assign", do_assign),
        web.post(f"{base}/chat/answered", do_mark_answered),
        web.post(f"{base}/chat/close", do_close),
        web.post(f"{base}/chat/reopen", do_reopen),
        web.post(f"{base}/chat/bot", do_hand_back),
        web.get(f"{base}/media/{{media}}", show_media),
        web.get(f"{base}/attachments/{{attachment}}", show_attachment),
    )


ROUTES = (*_routes(f"{PATH}/{{account}}"), *_routes("/customers/{id}"))
