"""Categories and classes of importance: one page, where both are made and changed in place."""

from typing import Any

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.forms import Form, id_in, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import now
from admin_web.label_words import color_choices
from admin_web.navigation import NavItem
from admin_web.render import go_to, is_htmx, page, toast
from loyalty.customers.actions.categories import (
    add_category,
    archive_category,
    change_category,
    restore_category,
)
from loyalty.customers.labels import CLASSES_AT_MOST, NAME_LENGTH, CategoryDraft, next_color
from loyalty.customers.queries.categories import CategoryView, categories, category, importance_classes
from loyalty.errors import LoyaltyError, NotFound
from loyalty.segments.queries.segments import SegmentView, segments
from loyalty.staff.rules import Permission

PATH = "/categories"
NAV = NavItem(
    "categories", PATH, "tag", mark("Categories"), "customers", Permission.CUSTOMERS_READ, under=("/importance",)
)


@requires(Permission.CUSTOMERS_READ)
async def show_list(request: web.Request) -> web.Response:
    """GET /categories?edit=&class=: all of them; one category, or one class, as a form in its place."""
    return await labels_page(request)


@requires(Permission.SEGMENTS_MANAGE)
async def add(request: web.Request) -> web.Response:
    """POST /categories."""
    form = await read_form(request)
    try:
        await add_category(_draft(form), actor=actor_of(request), now=now(request))
    except LoyaltyError as error:
        form.refuse(error)
        return await labels_page(request, new=form, status=422)
    return await _again(request, _("The category is made."))


@requires(Permission.SEGMENTS_MANAGE)
async def save(request: web.Request) -> web.Response:
    """POST /categories/{id}: another name or colour."""
    form, chosen = await read_form(request), await category(id_in(request))
    try:
        await change_category(chosen.id, _draft(form), actor=actor_of(request), now=now(request))
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        return await labels_page(request, edited=(chosen.id, form), status=422)
    return await _again(request, _("Saved."))


@requires(Permission.SEGMENTS_MANAGE)
async def archive(request: web.Request) -> web.Response:
    """POST /categories/{id}/archive: at once, with an Undo."""
    category_id = id_in(request)
    await archive_category(category_id, actor=actor_of(request), now=now(request))
    return await _again(request, _("The category is archived."), f"{PATH}/{category_id}/restore")


@requires(Permission.SEGMENTS_MANAGE)
async def restore(request: web.Request) -> web.Response:
    """POST /categories/{id}/restore."""
    await restore_category(id_in(request), actor=actor_of(request), now=now(request))
    return await go_to(request, PATH, say=_("The category is in use again."))


async def labels_page(
    request: web.Request,
    *,
    block: str = "categories",
    new: Form | None = None,
    edited: tuple[int, Form] | None = None,
    new_class: Form | None = None,
    edited_class: tuple[int, Form] | None = None,
    status: int = 200,
) -> web.Response:
    """Both lists with what is being typed; only the part that htmx asks for."""
    shown = await categories()
    classes = await importance_classes()
    query = request.query if request.method == "GET" else {}
    if edited is None:
        edited = _chosen(query.get("edit", ""), {one.id: _form(one) for one in shown})
    if edited_class is None:
        edited_class = _chosen(query.get("class", ""), {one.id: Form({"name": one.name}) for one in classes})
    data: dict[str, Any] = {
        "categories": shown,
        "used_by": _used_by(await segments()),
        "colors": color_choices(),
        "new": new or Form({"color": next_color([one.color for one in shown if one.archived_at is None])}),
        "edited_id": edited[0] if edited else None,
        "edited": edited[1] if edited else Form(),
        "classes": [one for one in classes if one.archived_at is None],
        "old_classes": [one for one in classes if one.archived_at is not None],
        "is_full": sum(one.archived_at is None for one in classes) >= CLASSES_AT_MOST,
        "most": CLASSES_AT_MOST,
        "new_class": new_class or Form(),
        "edited_class_id": edited_class[0] if edited_class else None,
        "edited_class": edited_class[1] if edited_class else Form(),
        "name_length": NAME_LENGTH,
    }
    target = request.headers.get("HX-Target")
    return page(
        request,
        "categories/list.html",
        block=target if target in {"categories", "importance"} else block,
        status=status,
        **data,
    )


def _used_by(found: list[SegmentView]) -> dict[str, list[SegmentView]]:
    """The segments in use whose conditions name a category, by its id as conditions write it."""
    used: dict[str, list[SegmentView]] = {}
    for segment in found:
        if segment.conditions is None or segment.archived_at is not None:
            continue
        asked = (one.value.split(".") for one in segment.conditions.conditions if one.field == "category")
        for category_id in {value for values in asked for value in values}:
            used.setdefault(category_id, []).append(segment)
    return used


def _chosen(text: str, forms: dict[int, Form]) -> tuple[int, Form] | None:
    """The row that the address names, with its form."""
    number = int(text) if is_id(text) else None
    return (number, forms[number]) if number in forms else None


def _form(one: CategoryView) -> Form:
    return Form({"name": one.name, "color": one.color})


def _draft(form: Form) -> CategoryDraft:
    return CategoryDraft(form.value("name"), form.value("color"))


async def _again(request: web.Request, said: str, undo_url: str | None = None) -> web.Response:
    """The list as it is now, with a word about what was done."""
    if not is_htmx(request):
        return await go_to(request, PATH, say=said, undo_url=undo_url)
    return toast(await labels_page(request), said, undo_url)


ROUTES = (
    web.get(PATH, show_list),
    web.post(PATH, add),
    web.post(PATH + r"/{id:\d{1,9}}", save),
    web.post(PATH + r"/{id:\d{1,9}}/archive", archive),
    web.post(PATH + r"/{id:\d{1,9}}/restore", restore),
)
