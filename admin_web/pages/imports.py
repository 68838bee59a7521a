"""Files that are brought in: sending one, saying what its columns are, the dry run, doing it, taking it back."""

from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.formats import num
from admin_web.forms import Form, id_in, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark, ngettext
from admin_web.import_words import (
    DATE_ORDERS,
    EXPECTED,
    KINDS,
    MODES,
    OUTCOMES,
    STATES,
    badges,
    choices,
    column_choices,
    column_name,
    failure_text,
    line_reason,
    read_text,
)
from admin_web.keys import now
from admin_web.navigation import NavItem
from admin_web.render import go_to, is_htmx, page
from admin_web.words import reason_text
from loyalty.errors import Invalid, LoyaltyError, Refused
from loyalty.ids import new_key
from loyalty.office.actions import imports
from loyalty.office.importing import (
    FILE_BYTES,
    KEPT_FOR,
    ROWS_AT_MOST,
    DateOrder,
    ImportState,
    Kind,
    Mode,
    Options,
    RowState,
)
from loyalty.office.importing.columns import DATES
from loyalty.office.queries.imports import (
    BEFORE_A_RUN,
    ImportLine,
    ImportView,
    file_import,
    file_imports,
    import_lines,
    import_outcomes,
    import_reasons,
    sample,
)
from loyalty.staff.rules import Permission

PATH = "/customers/imports"
NAV = NavItem("imports", PATH, "file-up", mark("Import"), "customers", Permission.CUSTOMERS_IMPORT)
BODY_LIMIT = FILE_BYTES + 2**20
MAPPED = frozenset({ImportState.MAPPING, ImportState.CHECKED})
"""In these one says what the columns are."""
DEEDS = {
    "start": imports.start,
    "pause": imports.pause,
    "resume": imports.resume,
    "cancel": imports.cancel,
    "undo": imports.undo,
}


@requires(Permission.CUSTOMERS_IMPORT)
async def show_list(request: web.Request) -> web.Response:
    """GET /customers/imports?before=: every file that was brought in, the newest first."""
    before = request.query.get("before", "")
    found, following = await file_imports(before_id=int(before) if is_id(before) and len(before) < 10 else None)
    return page(
        request,
        "imports/list.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        imports=[(one, failure_text(one)) for one in found],
        kinds={kind: _(text) for kind, text in KINDS.items()},
        states=badges(STATES),
        older=f"{PATH}?before={following}" if following else None,
        newest=PATH if before else None,
    )


@requires(Permission.CUSTOMERS_IMPORT)
async def show_new(request: web.Request) -> web.Response:
    """GET /customers/imports/new?kind=: the form that sends a file."""
    return _form(request, Form({"kind": _kind(request.query.get("kind", "")).value, "key": new_key()}))


@requires(Permission.CUSTOMERS_IMPORT)
async def send(request: web.Request) -> web.Response:
    """POST /customers/imports: the file is kept; a small one is read at once."""
    form, name, body = await _sent(request)
    if not name and form.ok:
        form.refuse(Invalid("file", "required"))
    if form.ok:
        try:
            import_id = await imports.keep_file(
                _kind(form.value("kind")),
                name,
                body,
                key=form.value("key")[:40] or new_key(),
                actor=actor_of(request),
                now=now(request),
            )
        except LoyaltyError as error:
            form.refuse(error)
        else:
            await imports.finish(import_id, now=now(request))
            return await go_to(request, f"{PATH}/{import_id}")
    form.values["key"] = new_key()
    return _form(request, form, status=422)


@requires(Permission.CUSTOMERS_IMPORT)
async def show_one(request: web.Request) -> web.Response:
    """GET /customers/imports/{id}?state=&after=&columns: what is to be said or seen; `part` is asked each second."""
    view = await file_import(id_in(request))
    if "part" in request.query:
        if not view.is_working and is_htmx(request):
            return web.Response(headers={"HX-Refresh": "true"})
        return page(request, "imports/show.html", block="progress", **_progress(request, view), is_part=True)
    if view.state is ImportState.MAPPING or (view.state is ImportState.CHECKED and "columns" in request.query):
        return await _columns(request, view, _mapping_form(view))
    return await _results(request, view)


@requires(Permission.CUSTOMERS_IMPORT)
async def check(request: web.Request) -> web.Response:
    """POST /customers/imports/{id}/check: what the columns are; the dry run begins, and of a small file ends."""
    view, form = await file_import(id_in(request)), await read_form(request)
    mapping = [form.value(f"mapping-{index}") for index in range(len(view.settings.columns))]
    mode = form.choice("mode", [key for key, _text in choices(MODES[view.kind])])
    order = form.choice("date_order", list(DateOrder)) if "date_order" in form.values else DateOrder.DAY_FIRST
    options = Options(Mode(mode), DateOrder(order), form.checked("make_missing"))
    header = form.value("header")
    if form.ok:
        try:
            await imports.check(
                view.id,
                mapping,
                options,
                header=int(header) if is_id(header) and len(header) < 8 else None,
                actor=actor_of(request),
                now=now(request),
            )
        except LoyaltyError as error:
            form.refuse(error)
        else:
            await imports.finish(view.id, now=now(request))
            return await go_to(request, f"{PATH}/{view.id}")
    if view.state not in MAPPED:
        return await go_to(request, f"{PATH}/{view.id}", say=form.error(""))
    return await _columns(request, view, form, status=422)


@requires(Permission.CUSTOMERS_IMPORT)
async def change(request: web.Request) -> web.Response:
    """POST /customers/imports/{id}/{deed}: begin, stand still, go on, end early, take back; a small one at once."""
    import_id, deed = id_in(request), request.match_info["deed"]
    said = None
    try:
        await DEEDS[deed](import_id, actor=actor_of(request), now=now(request))
    except (Refused, Invalid) as error:
        said = reason_text(error)
    else:
        await imports.finish(import_id, now=now(request))
    return await go_to(request, f"{PATH}/{import_id}", say=said)


async def _sent(request: web.Request) -> tuple[Form, str, bytes]:
    """(the form, the name of its file, what is in it)."""
    if not request.content_type.startswith("multipart/"):
        return await read_form(request), "", b""
    wide = request.clone(client_max_size=BODY_LIMIT)
    try:
        form = await read_form(wide)
    except web.HTTPRequestEntityTooLarge:
        form = Form()
        form.refuse(Invalid("file", "file_too_large", limit=FILE_BYTES // 2**20))
        return form, "", b""
    file = (await wide.post()).get("file")
    if not isinstance(file, web.FileField):
        return form, "", b""
    with file.file as content:
        return form, file.filename.replace("\x00", ""), content.read()


def _form(request: web.Request, form: Form, *, status: int = 200) -> web.Response:
    kind = _kind(form.value("kind"))
    return page(
        request,
        "imports/new.html",
        status=status,
        form=form,
        kind=kind.value,
        kinds=[(one.value, _(text)) for one, text in KINDS.items()],
        megabytes=FILE_BYTES // 2**20,
        rows=ROWS_AT_MOST,
        days=KEPT_FOR.days,
    )


async def _columns(request: web.Request, view: ImportView, form: Form, *, status: int = 200) -> web.Response:
    """What each column is, with what stands in it."""
    lines = await sample(view)
    names = view.settings.columns
    columns = [
        (
            index,
            name or _("Column %(num)s") % {"num": num(index + 1)},
            [line.cells[index] for line in lines if index < len(line.cells) and line.cells[index]],
        )
        for index, name in enumerate(names)
    ]
    found = view.settings.header
    first = lines[0].number if lines else 1
    return page(
        request,
        "imports/columns.html",
        status=status,
        form=form,
        view=view,
        here=f"{PATH}/{view.id}",
        columns=columns,
        targets=column_choices(view.kind),
        modes=choices(MODES[view.kind]),
        date_orders=choices(DATE_ORDERS),
        has_dates=any(key in DATES for key in view.settings.mapping) or "date_order" in form.values,
        headers=[
            (str(found or first), _("Line %(num)s names the columns") % {"num": num(found or first)}),
            ("0", _("No line names the columns")),
        ],
        read_as=read_text(view),
        makes=_("categories and segments") if view.kind is Kind.CUSTOMERS else _("colleagues and services"),
    )


async def _results(request: web.Request, view: ImportView) -> web.Response:
    """What became, or would become, of each line."""
    state = request.query.get("state", "")
    wanted = RowState(state) if state in list(RowState) else None
    after = request.query.get("after", "")
    place = int(after) if is_id(after) and len(after) < 8 else 0
    is_settled = view.state not in {ImportState.READING, ImportState.CHECKING, ImportState.FAILED}
    lines, following = await import_lines(view, state=wanted, after=place) if is_settled else ([], None)
    counts = await import_outcomes(view) if is_settled else {}
    reasons = await import_reasons(view) if is_settled and not view.is_working else []
    words = badges(EXPECTED if view.state in BEFORE_A_RUN else OUTCOMES)
    here = f"{PATH}/{view.id}"
    return page(
        request,
        "imports/show.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        **_progress(request, view),
        is_part=False,
        lines=[_shown(view, line) for line in lines],
        outcomes=words,
        tabs=[("", _("All"), here, view.total)]
        + [(key.value, text, f"{here}?state={key.value}", counts.get(key, 0)) for key, (text, _tint) in words.items()],
        state=wanted.value if wanted else "",
        reasons=[
            (line_reason(why, _blank(why)), column_name(view.kind, field), count) for why, field, count in reasons
        ],
        counts=counts,
        beginning=f"{here}?{urlencode({'state': state})}" if after else None,
        following=f"{here}?{urlencode({'state': state, 'after': following})}" if following else None,
        is_settled=is_settled,
    )


def _progress(request: web.Request, view: ImportView) -> dict[str, Any]:
    """What the upper part of the page says."""
    moment = now(request)
    work = view.added + view.changed
    return {
        "view": view,
        "here": f"{PATH}/{view.id}",
        "kind": _(KINDS[view.kind]),
        "states": badges(STATES),
        "failure": failure_text(view) if view.state is ImportState.FAILED else "",
        "read_as": read_text(view),
        "pace": round(view.pace(moment)),
        "seconds_left": view.seconds_left(moment),
        "can_undo": view.can_undo(moment),
        "start_text": ngettext("Bring in %(num)s line", "Bring in %(num)s lines", work) % {"num": num(work)},
        "days": KEPT_FOR.days,
        "for_people": view.kind is Kind.CUSTOMERS,
    }


def _shown(view: ImportView, line: ImportLine) -> dict[str, object]:
    """A line for the table: whom it is about, what becomes of it, why, and the cell that is meant."""
    by_target = {key: cell for key, cell in zip(view.settings.mapping, line.cells, strict=False) if key}
    name = by_target.get("name") or " ".join(
        by_target[part] for part in ("first_name", "last_name") if by_target.get(part)
    )
    known_by = next((by_target[key] for key in ("phone", "card", "email") if by_target.get(key)), "")
    is_there = line.customer_id is not None and (line.state is not RowState.ADDED or view.state not in BEFORE_A_RUN)
    return {
        "number": line.number,
        "name": name or known_by or "—",
        "known_by": known_by if name else "",
        "href": f"/customers/{line.customer_id}" if is_there else None,
        "state": line.state,
        "reason": line_reason(line.reason, line.details),
        "column": column_name(view.kind, line.field),
        "cell": by_target.get(line.field or "", ""),
    }


def _blank(reason: str) -> dict[str, str]:
    """For a sentence about several lines, whose figures differ."""
    return {"line": "…"} if reason in {"line_differs", "line_says_so", "line_was_refused"} else {}


def _mapping_form(view: ImportView) -> Form:
    options = view.settings.options
    mode = options.mode if options.mode in MODES[view.kind] else next(iter(MODES[view.kind]))
    values = {f"mapping-{index}": key for index, key in enumerate(view.settings.mapping)}
    return Form(
        {
            **values,
            "mode": mode.value,
            "date_order": options.date_order.value,
            "make_missing": "1" if options.make_missing else "",
            "header": str(view.settings.header),
        }
    )


def _kind(text: str) -> Kind:
    return Kind(text) if text in list(Kind) else Kind.CUSTOMERS


ROUTES = (
    web.get(PATH, show_list),
    web.get(f"{PATH}/new", show_new),
    web.post(PATH, send),
    web.get(PATH + r"/{id:\d{1,9}}", show_one),
    web.post(PATH + r"/{id:\d{1,9}}/check", check),
    web.post(PATH + r"/{id:\d{1,9}}/{deed:start|pause|resume|cancel|undo}", change),
)
