"""Segments: all of them with their sizes, one with its people, making and changing them, by hand or by conditions."""

from dataclasses import replace
from urllib.parse import urlencode

from aiohttp import web
from markupsafe import Markup

from admin_web.auth import actor_of, requires, staff_of
from admin_web.charts import bars
from admin_web.filter_words import names_for, sentence, wrong
from admin_web.formats import format_date, num
from admin_web.forms import Form, form_of, id_in, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import now
from admin_web.navigation import NavItem
from admin_web.render import go_to, page
from loyalty.errors import Invalid, LoyaltyError, NotFound
from loyalty.segments.actions.segments import (
    add_member,
    add_segment,
    archive_segment,
    change_segment,
    remove_member,
    restore_segment,
)
from loyalty.segments.actions.sizes import count_segment
from loyalty.segments.filters import checked
from loyalty.segments.queries.base import Look, base_page
from loyalty.segments.queries.segments import (
    SegmentView,
    members,
    segment,
    segments,
    segments_asking_for,
    sizes_of,
    sizes_within,
)
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.segments.rules.trees import Condition, Group, tree_from, tree_text
from loyalty.staff.rules import Permission

PATH = "/segments"
NAV = NavItem("segments", PATH, "tags", mark("Segments"), "customers", Permission.CUSTOMERS_READ)


@requires(Permission.CUSTOMERS_READ)
async def show_list(request: web.Request) -> web.Response:
    """GET /segments: with their sizes, as far as the reader's rights reach."""
    return page(request, "segments/list.html", segments=await _as_reached(request, await segments()))


@requires(Permission.CUSTOMERS_READ)
async def show_one(request: web.Request) -> web.Response:
    """GET /segments/{id}?before=: a segment and who is in it."""
    chosen = await segment(id_in(request))
    if chosen.conditions is not None:
        return await _show_conditions(request, chosen, chosen.conditions)
    [chosen] = await _as_reached(request, [chosen])
    before, mine = request.query.get("before", ""), staff_of(request).location_ids
    found, following = await members(chosen.id, within=mine, before_id=int(before) if is_id(before) else None)
    here = f"{PATH}/{chosen.id}"
    return page(
        request,
        "segments/detail.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        segment=chosen,
        members=found,
        used=await segments_asking_for(chosen.id),
        chart=await _chart(request, chosen.id),
        base_url=_base_url(chosen.id),
        older=f"{here}?before={following}" if following else None,
        newest=here if before else None,
    )


async def _show_conditions(request: web.Request, chosen: SegmentView, tree: Group) -> web.Response:
    """A segment with conditions: what they ask, how many meet them now, and some of those who do."""
    names = await names_for([tree])
    whole = Group(parts=(Condition("segment", "any", str(chosen.id)),))
    look = Look(tree=whole, locations=staff_of(request).location_ids)
    found = await base_page(look, columns=("last_visit", "sold"), now=now(request))
    return page(
        request,
        "segments/conditions.html",
        segment=chosen,
        lines=[sentence(part, names) for part in tree.parts] if tree.joiner == "all" else [sentence(tree, names)],
        found=found,
        used=await segments_asking_for(chosen.id),
        chart=await _chart(request, chosen.id),
        base_url=_base_url(chosen.id),
        change_url=f"/customers?{urlencode({'f': tree_text(tree)})}",
    )


async def _as_reached(request: web.Request, found: list[SegmentView]) -> list[SegmentView]:
    """Segments with the sizes that the reader's locations reach; for the whole chain as they were counted."""
    mine = staff_of(request).location_ids
    if mine is None:
        return found
    sizes = await sizes_within([one.id for one in found], mine, now=now(request))
    return [replace(one, size=sizes[one.id]) for one in found]


async def _chart(request: web.Request, segment_id: int) -> Markup | None:
    """The size from day to day, once there is more than one day; it is the whole chain's, and for nobody else."""
    sizes = await sizes_of(segment_id, days=30) if staff_of(request).location_ids is None else []
    if len(sizes) < 2:
        return None
    points = [(format_date(day, "d MMM"), size) for day, size in sizes]
    return bars(points, label=_("Customers in the segment by day"), show=num)


def _base_url(segment_id: int) -> str:
    return f"/customers?f=segment:any:{segment_id}"


@requires(Permission.SEGMENTS_MANAGE)
async def save_conditions(request: web.Request) -> web.Response:
    """POST /segments/by-conditions: the filter `f` as a new segment, or, with `replaces`, as that one's conditions."""
    form = await read_form(request)
    actor, moment = actor_of(request), now(request)
    try:
        tree = checked(tree_from(form.value("f")))
        replaces = form.value("replaces")
        if is_id(replaces) and len(replaces) <= 9:
            kept = await segment(int(replaces))
            draft = SegmentDraft(kept.name, kept.description, kept.is_at_till, kept.is_exclusion, tree)
            await change_segment(kept.id, draft, actor=actor, now=moment)
            segment_id = kept.id
        else:
            draft = SegmentDraft(
                form.value("name"),
                form.value("description"),
                is_exclusion=form.checked("is_exclusion"),
                conditions=tree,
            )
            segment_id = await add_segment(draft, actor=actor, now=moment)
    except LoyaltyError as error:
        if isinstance(error, Invalid) and error.field == "filter":
            form.errors[""] = wrong(error)
        else:
            form.refuse(error)
        return page(
            request, "segments/save.html", block="form", status=422, form=form, replaceable=await with_conditions()
        )
    await count_segment(segment_id, now=moment)
    return await go_to(request, f"{PATH}/{segment_id}", say=_("The segment is saved."))


async def with_conditions() -> list[tuple[int, str]]:
    """(id, name) of living segments that have conditions."""
    return [(one.id, one.name) for one in await segments() if one.conditions is not None and one.archived_at is None]


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
    values["is_exclusion"] = "1" if chosen.is_exclusion else ""
    return _edit(request, form_of(values), chosen)


@requires(Permission.SEGMENTS_MANAGE)
async def save(request: web.Request) -> web.Response:
    """POST /segments/{id}/edit."""
    form, chosen = await read_form(request), await segment(id_in(request))
    try:
        await change_segment(chosen.id, _draft(form, chosen), actor=actor_of(request), now=now(request))
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


def _draft(form: Form, chosen: SegmentView | None = None) -> SegmentDraft:
    return SegmentDraft(
        form.value("name"),
        form.value("description"),
        form.checked("is_at_till"),
        form.checked("is_exclusion"),
        chosen.conditions if chosen else None,
    )


def _edit(request: web.Request, form: Form, chosen: SegmentView | None, *, status: int = 200) -> web.Response:
    return page(request, "segments/edit.html", block="form", status=status, form=form, segment=chosen, url=request.path)


ROUTES = (
    web.get(PATH, show_list),
    web.get(f"{PATH}/new", show_new),
    web.post(f"{PATH}/new", add),
    web.post(f"{PATH}/by-conditions", save_conditions),
    web.get(PATH + r"/{id:\d{1,9}}", show_one),
    web.get(PATH + r"/{id:\d{1,9}}/edit", show_edit),
    web.post(PATH + r"/{id:\d{1,9}}/edit", save),
    web.post(PATH + r"/{id:\d{1,9}}/archive", archive),
    web.post(PATH + r"/{id:\d{1,9}}/restore", restore),
    web.post(PATH + r"/{id:\d{1,9}}/members/{customer}/remove", remove),
    web.post(PATH + r"/{id:\d{1,9}}/members/{customer}/add", add_again),
)
