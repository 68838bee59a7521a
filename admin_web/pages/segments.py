"""Segments filled by hand: all of them with their sizes, one with its people, making and changing them."""

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.forms import Form, form_of, id_in, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import now
from admin_web.navigation import NavItem
from admin_web.render import go_to, page
from loyalty.errors import LoyaltyError, NotFound
from loyalty.segments.actions.segments import (
    add_member,
    add_segment,
    archive_segment,
    change_segment,
    remove_member,
    restore_segment,
)
from loyalty.segments.queries.segments import SegmentView, members, segment, segments
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.staff.rules import Permission

PATH = "/segments"
NAV = NavItem("segments", PATH, "tags", mark("Segments"), "customers", Permission.CUSTOMERS_READ)


@requires(Permission.CUSTOMERS_READ)
async def show_list(request: web.Request) -> web.Response:
    """GET /segments."""
    return page(request, "segments/list.html", segments=await segments())


@requires(Permission.CUSTOMERS_READ)
async def show_one(request: web.Request) -> web.Response:
    """GET /segments/{id}?before=: a segment and who is in it."""
    chosen = await segment(id_in(request))
    before = request.query.get("before", "")
    found, following = await members(chosen.id, before_id=int(before) if is_id(before) else None)
    here = f"{PATH}/{chosen.id}"
    return page(
        request,
        "segments/detail.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        segment=chosen,
        members=found,
        older=f"{here}?before={following}" if following else None,
        newest=here if before else None,
    )


@requires(Permission.SEGMENTS_MANAGE)
async def show_new(request: web.Request) -> web.Response:
    """GET /segments/new."""
    return _edit(request, Form(), None)


@requires(Permission.SEGMENTS_MANAGE)
async def add(request: web.Request) -> web.Response:
    """POST /segments/new."""
    form = await read_form(request)
    try:
        segment_id = await add_segment(_draft(form), actor=actor_of(request), now=now(request))
    except LoyaltyError as error:
        form.refuse(error)
        return _edit(request, form, None, status=422)
    return await go_to(request, f"{PATH}/{segment_id}", say=_("The segment is made. Add people from their cards."))


@requires(Permission.SEGMENTS_MANAGE)
async def show_edit(request: web.Request) -> web.Response:
    """GET /segments/{id}/edit."""
    chosen = await segment(id_in(request))
    values = {"name": chosen.name, "description": chosen.description, "is_at_till": "1" if chosen.is_at_till else ""}
    return _edit(request, form_of(values), chosen)


@requires(Permission.SEGMENTS_MANAGE)
async def save(request: web.Request) -> web.Response:
    """POST /segments/{id}/edit."""
    form, chosen = await read_form(request), await segment(id_in(request))
    try:
        await change_segment(chosen.id, _draft(form), actor=actor_of(request), now=now(request))
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        return _edit(request, form, chosen, status=422)
    return await go_to(request, f"{PATH}/{chosen.id}", say=_("Saved"))


@requires(Permission.SEGMENTS_MANAGE)
async def archive(request: web.Request) -> web.Response:
    """POST /segments/{id}/archive: at once, with an Undo."""
    segment_id = id_in(request)
    await archive_segment(segment_id, actor=actor_of(request), now=now(request))
    undo_url = f"{PATH}/{segment_id}/restore"
    return await go_to(request, PATH, say=_("The segment is archived"), undo_url=undo_url)


@requires(Permission.SEGMENTS_MANAGE)
async def restore(request: web.Request) -> web.Response:
    """POST /segments/{id}/restore."""
    segment_id = id_in(request)
    await restore_segment(segment_id, actor=actor_of(request), now=now(request))
    return await go_to(request, f"{PATH}/{segment_id}", say=_("The segment is in use again"))


@requires(Permission.SEGMENTS_MANAGE)
async def remove(request: web.Request) -> web.Response:
    """POST /segments/{id}/members/{customer}/remove: at once, with an Undo."""
    segment_id, customer_id = id_in(request), id_in(request, "customer")
    await remove_member(segment_id, customer_id, actor=actor_of(request), now=now(request))
    here = f"{PATH}/{segment_id}"
    return await go_to(request, here, say=_("Taken out of the segment"), undo_url=f"{here}/members/{customer_id}/add")


@requires(Permission.SEGMENTS_MANAGE)
async def add_again(request: web.Request) -> web.Response:
    """POST /segments/{id}/members/{customer}/add: what an Undo asks for."""
    segment_id = id_in(request)
    await add_member(segment_id, id_in(request, "customer"), actor=actor_of(request), now=now(request))
    return await go_to(request, f"{PATH}/{segment_id}")


def _draft(form: Form) -> SegmentDraft:
    return SegmentDraft(form.value("name"), form.value("description"), form.checked("is_at_till"))


def _edit(request: web.Request, form: Form, chosen: SegmentView | None, *, status: int = 200) -> web.Response:
    return page(request, "segments/edit.html", block="form", status=status, form=form, segment=chosen, url=request.path)


ROUTES = (
    web.get(PATH, show_list),
    web.get(f"{PATH}/new", show_new),
    web.post(f"{PATH}/new", add),
    web.get(PATH + r"/{id:\d{1,9}}", show_one),
    web.get(PATH + r"/{id:\d{1,9}}/edit", show_edit),
    web.post(PATH + r"/{id:\d{1,9}}/edit", save),
    web.post(PATH + r"/{id:\d{1,9}}/archive", archive),
    web.post(PATH + r"/{id:\d{1,9}}/restore", restore),
    web.post(PATH + r"/{id:\d{1,9}}/members/{customer}/remove", remove),
    web.post(PATH + r"/{id:\d{1,9}}/members/{customer}/add", add_again),
)
