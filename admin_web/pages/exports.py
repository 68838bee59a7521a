"""Customers taken out as files: asking for one, watching it, taking it, withdrawing it; the log of all that."""

from urllib.parse import urlencode

from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.base_columns import COLUMNS
from admin_web.base_look import KEPT, PATH, columns_of, list_url, location_value, look_of, part_url
from admin_web.downloads import hand_over
from admin_web.export_words import FORMATS, failure_of, file_words, letter_of, refusal, size_text, state_of, whom
from admin_web.filter_words import look_words, wrong
from admin_web.forms import Form, id_in, is_id, read_form
from admin_web.i18n import READER
from admin_web.i18n import gettext as _
from admin_web.keys import SETTINGS, now
from admin_web.render import go_to, is_htmx, page, toast
from loyalty.errors import Invalid, LoyaltyError, Refused
from loyalty.ids import new_key
from loyalty.office.actions.exports import Wish, ask_export, take_export, visible_export
from loyalty.office.actions.exports import withdraw as withdraw_export
from loyalty.office.exporting import KEPT_FOR, FileFormat, why_not
from loyalty.office.queries.exports import ExportView, downloads_of, exports, taker_of
from loyalty.segments.queries.base import Look
from loyalty.segments.queries.whole import count_of
from loyalty.staff.rules import Permission, may

EXPORTS = "/customers/exports"
ENOUGH = 286
"""The answer that ends htmx's asking again and again."""
SHOWN, ALL = "shown", "all"


@requires(Permission.CUSTOMERS_EXPORT)
async def show_list(request: web.Request) -> web.Response:
    """GET /customers/exports?before=: who took out what, the newest first; whoever may not see all sees their own."""
    before = request.query.get("before", "")
    person = staff_of(request)
    sees_all = may(person.role, Permission.EXPORTS_READ)
    found, following = await exports(
        staff_id=None if sees_all else person.id,
        before_id=int(before) if is_id(before) and len(before) < 10 else None,
    )
    is_part = "part" in request.query
    is_under_way = any(view.is_under_way for view in found)
    here = f"{EXPORTS}?{urlencode({'before': before})}" if before else EXPORTS
    return page(
        request,
        "exports/list.html",
        block="results" if is_part or request.headers.get("HX-Target") == "results" else None,
        status=ENOUGH if is_part and not is_under_way else 200,
        lines=[(view, await whom(view), _state(request, view), size_text(view.size)) for view in found],
        formats=_formats(),
        sees_all=sees_all,
        asked_again=f"{here}{'&' if before else '?'}part" if is_under_way else None,
        older=f"{EXPORTS}?before={following}" if following else None,
        newest=EXPORTS if before else None,
        days=KEPT_FOR.days,
    )


@requires(Permission.CUSTOMERS_EXPORT)
async def show_new(request: web.Request) -> web.Response:
    """GET /customers/exports/new?scope=&id=…&q=&f=: what is to stand in the file; a dialog for htmx."""
    is_all = "all" in request.query.getall("scope", [])
    ids = "" if is_all else ".".join(request.query.getall("id", []))
    form = Form({"scope": "all" if is_all else "", "ids": ids, "key": new_key(), "columns": SHOWN, "format": "xlsx"})
    return await _question(request, form)


@requires(Permission.CUSTOMERS_EXPORT)
async def begin(request: web.Request) -> web.Response:
    """POST /customers/exports?q=&f=: the file is made beside; its asker goes on with the list."""
    form = await read_form(request)
    try:
        wish, key = await _wish(request, form), form.value("key")[:40] or new_key()
        if not form.ok:
            return await _question(request, form, status=422)
        export_id = await ask_export(wish, key=key, actor=actor_of(request), now=now(request))
    except LoyaltyError as error:
        form.refuse(error)
        return await _question(request, form, status=422)
    said, here = _("The file is being made"), f"{EXPORTS}/{export_id}"
    if not is_htmx(request):
        return await go_to(request, here, say=said)
    # The dialog goes with its place.
    answer = web.Response(headers={"HX-Retarget": "#aside", "HX-Reswap": "innerHTML"})
    return toast(answer, said, link=(here, _("Show")))


@requires(Permission.CUSTOMERS_EXPORT)
async def show_one(request: web.Request) -> web.Response:
    """GET /customers/exports/{id}: how far it is, who took it; `part` for what is asked again."""
    person = staff_of(request)
    view = await visible_export(id_in(request), person)
    is_part = "part" in request.query
    reason = why_not(view.contents, taker_of(person))
    return page(
        request,
        "exports/show.html",
        block="progress" if is_part else None,
        status=ENOUGH if is_part and not view.is_awaited else 200,
        export=view,
        whom=await whom(view),
        base_url=_base_url(view),
        here=f"{EXPORTS}/{view.id}",
        state=_state(request, view),
        format=_formats()[view.format],
        size=size_text(view.size),
        can_be_taken=view.can_be_taken(now(request)),
        refusal=refusal(reason),
        failure=failure_of(view),
        letter=letter_of(view) if not view.is_under_way else "",
        columns=[COLUMNS[key].text for key in view.columns if key in COLUMNS],
        downloads=(await downloads_of([view.id]))[view.id],
    )


@requires(Permission.CUSTOMERS_EXPORT)
async def take(request: web.Request) -> web.StreamResponse:
    """POST /customers/exports/{id}/file: the file itself. Who takes it is written down, so no mere visit takes it."""
    person = staff_of(request)
    try:
        taken = await take_export(id_in(request), person, actor=actor_of(request), now=now(request))
    except Refused as error:
        return await go_to(request, f"{EXPORTS}/{id_in(request)}", say=refusal(error.reason))
    return await hand_over(request, taken)


@requires(Permission.CUSTOMERS_EXPORT)
async def withdraw(request: web.Request) -> web.Response:
    """POST /customers/exports/{id}/withdraw: nobody can take it any more, by its link neither."""
    export_id = id_in(request)
    said = _("Withdrawn: the link opens nothing any more")
    try:
        await withdraw_export(export_id, staff_of(request), actor=actor_of(request), now=now(request))
    except Refused as error:
        said = refusal(error.reason)
    return await go_to(request, f"{EXPORTS}/{export_id}", say=said)


async def _question(request: web.Request, form: Form, *, status: int = 200) -> web.Response:
    """The dialog: whom, what of them, as what, and where the link goes."""
    person = staff_of(request)
    try:
        look, chosen = _whom(request, form)
        said = _said(request, look, chosen)
    except Invalid as error:
        raise web.HTTPUnprocessableEntity(text=wrong(error)) from error
    return page(
        request,
        "exports/new.html",
        block="form" if request.method == "POST" else "dialog",
        status=status,
        form=form,
        count=await count_of(look, chosen, now=now(request)) if chosen != () else 0,
        is_all=chosen is None,
        found_by=await look_words(said if chosen is None else None),
        url=part_url(request, EXPORTS),
        back=list_url(request),
        shown=len(await columns_of(request)),
        every=len(COLUMNS),
        formats=_formats(),
        email=_address(request),
        shows_phones=may(person.role, Permission.PHONES_READ),
        days=KEPT_FOR.days,
    )


async def _wish(request: web.Request, form: Form) -> Wish:
    """What the form asks for, if the form is sound. Raises Invalid("filter")."""
    look, chosen = _whom(request, form)
    is_every = form.choice("columns", (SHOWN, ALL)) == ALL
    columns = tuple(COLUMNS) if is_every else tuple(one.key for one in await columns_of(request))
    said = _said(request, look, chosen)
    return Wish(
        look=look,
        chosen=chosen,
        said=said,
        format=FileFormat(form.choice("format", list(FileFormat))),
        columns=columns,
        words=await file_words(columns, said, None if chosen is None else len(chosen)),
        shows_phones=look.by_phone,
        language=READER.get().language,
        email=_address(request),
    )


def _whom(request: web.Request, form: Form) -> tuple[Look, tuple[int, ...] | None]:
    """The look, and those of it who were ticked; None for everybody found. Raises Invalid("filter")."""
    look = look_of(request)
    if form.value("scope") == "all":
        return look, None
    return look, tuple(sorted({int(one) for one in form.value("ids").split(".") if is_id(one)}))


def _said(request: web.Request, look: Look, chosen: tuple[int, ...] | None) -> dict[str, str]:
    """The order, and of everybody found the search, the filter and the locations, as an address says them."""
    said = {"sort": look.order, "dir": "desc" if look.descending else "asc"}
    if chosen is None:
        said |= {name: request.query.get(name, "") for name in ("q", "f")} | {"location": location_value(look)}
    return {name: text for name, text in said.items() if text}


def _address(request: web.Request) -> str:
    """Where the link goes: to whoever asks; empty where the shop has no mail server."""
    return staff_of(request).email if request.app[SETTINGS].smtp_host is not None else ""


def _base_url(view: ExportView) -> str:
    """The list as it is found today by what the file was made from; empty for those who were ticked."""
    if view.chosen is not None:
        return ""
    kept = {name: view.look[name] for name in KEPT if view.look.get(name)}
    return f"{PATH}?{urlencode(kept)}" if kept else PATH


def _state(request: web.Request, view: ExportView) -> tuple[str, str]:
    return state_of(view, is_over=not view.can_be_taken(now(request)))


def _formats() -> dict[FileFormat, str]:
    return {key: _(text) for key, text in FORMATS.items()}


ROUTES = (
    web.get(EXPORTS, show_list),
    web.get(f"{EXPORTS}/new", show_new),
    web.post(EXPORTS, begin),
    web.get(EXPORTS + r"/{id:\d{1,9}}", show_one),
    web.post(EXPORTS + r"/{id:\d{1,9}}/file", take),
    web.post(EXPORTS + r"/{id:\d{1,9}}/withdraw", withdraw),
)
