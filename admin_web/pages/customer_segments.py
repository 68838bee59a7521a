"""The segments on a customer's card: chips to take away, and one to add."""

from datetime import datetime
from typing import Any

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.forms import id_in, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.keys import now
from admin_web.render import go_to, is_htmx, page, toast
from loyalty.customers.queries import customer
from loyalty.errors import NotFound
from loyalty.segments.actions.segments import add_member, remove_member
from loyalty.segments.queries.segments import chips, met_by
from loyalty.staff.rules import Permission


async def segments_of(customer_id: int, *, now: datetime) -> dict[str, Any]:
    """What `customers/_segments.html` shows, wherever it stands: segments by hand, and those whose conditions fit."""
    return {"chips": await chips(customer_id), "met": await met_by(customer_id, now=now)}


@requires(Permission.SEGMENTS_MANAGE)
async def add(request: web.Request) -> web.Response:
    """POST /customers/{id}/segments: the one that was chosen."""
    wanted = (await read_form(request)).value("segment")
    if not is_id(wanted) or len(wanted) > 9:
        raise NotFound("segment")
    await add_member(int(wanted), id_in(request), actor=actor_of(request), now=now(request))
    return await _again(request)


@requires(Permission.SEGMENTS_MANAGE)
async def add_again(request: web.Request) -> web.Response:
    """POST /customers/{id}/segments/{segment}/add: what an Undo asks for."""
    await add_member(id_in(request, "segment"), id_in(request), actor=actor_of(request), now=now(request))
    return await go_to(request, f"/customers/{id_in(request)}")


@requires(Permission.SEGMENTS_MANAGE)
async def remove(request: web.Request) -> web.Response:
    """POST /customers/{id}/segments/{segment}/remove: at once, with an Undo."""
    customer_id, segment_id = id_in(request), id_in(request, "segment")
    await remove_member(segment_id, customer_id, actor=actor_of(request), now=now(request))
    said, undo_url = _("Taken out of the segment"), f"/customers/{customer_id}/segments/{segment_id}/add"
    if is_htmx(request):
        return toast(await _again(request), said, undo_url)
    return await go_to(request, f"/customers/{customer_id}", say=said, undo_url=undo_url)


async def _again(request: web.Request) -> web.Response:
    """The chips as they are now: the part for htmx, the card for a browser without scripts."""
    customer_id = id_in(request)
    if not is_htmx(request):
        return await go_to(request, f"/customers/{customer_id}")
    return page(
        request,
        "customers/_segments.html",
        person=await customer(customer_id),
        **await segments_of(customer_id, now=now(request)),
    )


ROUTES = (
    web.post("/customers/{id}/segments", add),
    web.post(r"/customers/{id}/segments/{segment:\d{1,9}}/add", add_again),
    web.post(r"/customers/{id}/segments/{segment:\d{1,9}}/remove", remove),
)
