"""Classes of importance: made, named, ordered and put away on the page of the categories."""

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.forms import id_in, read_form
from admin_web.i18n import gettext as _
from admin_web.keys import now
from admin_web.pages.categories import PATH as SHOWN_AT
from admin_web.pages.categories import labels_page
from admin_web.render import go_to, is_htmx, toast
from loyalty.customers.actions.importance import add_class, archive_class, move_class, rename_class, restore_class
from loyalty.errors import LoyaltyError, NotFound
from loyalty.staff.rules import Permission

PATH = "/importance"
MOVES = {"up": 1, "down": -1}


@requires(Permission.SEGMENTS_MANAGE)
async def add(request: web.Request) -> web.Response:
    """POST /importance: above all others."""
    form = await read_form(request)
    try:
        await add_class(form.value("name"), actor=actor_of(request), now=now(request))
    except LoyaltyError as error:
        form.refuse(error)
        return await labels_page(request, block="importance", new_class=form, status=422)
    return await _again(request, _("The class is made."))


@requires(Permission.SEGMENTS_MANAGE)
async def save(request: web.Request) -> web.Response:
    """POST /importance/{id}: another name."""
    form, class_id = await read_form(request), id_in(request)
    try:
        await rename_class(class_id, form.value("name"), actor=actor_of(request), now=now(request))
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        return await labels_page(request, block="importance", edited_class=(class_id, form), status=422)
    return await _again(request, _("Saved."))


@requires(Permission.SEGMENTS_MANAGE)
async def move(request: web.Request) -> web.Response:
    """POST /importance/{id}/{up|down}."""
    way = MOVES[request.match_info["way"]]
    await move_class(id_in(request), way, actor=actor_of(request), now=now(request))
    return await _again(request)


@requires(Permission.SEGMENTS_MANAGE)
async def archive(request: web.Request) -> web.Response:
    """POST /importance/{id}/archive: at once, with an Undo; refused while customers are in it."""
    class_id = id_in(request)
    await archive_class(class_id, actor=actor_of(request), now=now(request))
    return await _again(request, _("The class is archived."), f"{PATH}/{class_id}/restore")


@requires(Permission.SEGMENTS_MANAGE)
async def restore(request: web.Request) -> web.Response:
    """POST /importance/{id}/restore."""
    await restore_class(id_in(request), actor=actor_of(request), now=now(request))
    return await go_to(request, SHOWN_AT, say=_("The class is in use again."))


async def _again(request: web.Request, said: str | None = None, undo_url: str | None = None) -> web.Response:
    """The classes as they are now."""
    if not is_htmx(request):
        return await go_to(request, SHOWN_AT, say=said, undo_url=undo_url)
    shown = await labels_page(request, block="importance")
    return toast(shown, said, undo_url) if said else shown


ROUTES = (
    web.post(PATH, add),
    web.post(PATH + r"/{id:\d{1,4}}", save),
    web.post(PATH + r"/{id:\d{1,4}}/{way:up|down}", move),
    web.post(PATH + r"/{id:\d{1,4}}/archive", archive),
    web.post(PATH + r"/{id:\d{1,4}}/restore", restore),
)
