"""Acts on many customers: asking what is to be done, beginning it, watching it, ending it, taking it back."""

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.base_look import KEPT, PATH, address_now, list_url, location_value, look_of, part_url
from admin_web.filter_words import look_words, names_for, sentence, wrong
from admin_web.formats import num
from admin_web.forms import Form, id_in, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import ngettext
from admin_web.keys import now
from admin_web.label_words import importance_choices
from admin_web.mass_words import ROW_STATES, STATES, order_title, row_reason, title, undo_text
from admin_web.pages.campaign_edit import new_campaign_url
from admin_web.reach import cards_open_to
from admin_web.render import go_to, is_htmx, leave_toast, page
from loyalty.customers.queries.categories import categories, importance_classes
from loyalty.customers.rules import RESTORED_FOR
from loyalty.errors import Invalid, LoyaltyError, NotFound, Refused
from loyalty.ids import new_key
from loyalty.money import parse_amount, parse_share
from loyalty.office.actions import mass
from loyalty.office.mass import AT_ONCE, NEEDS, MassKind, MassState, Order, RowState
from loyalty.office.queries.mass import MassView, left_out, mass_action, mass_actions, mass_rows
from loyalty.segments.queries.base import Look, base_totals
from loyalty.segments.queries.segments import segments
from loyalty.shop.queries import programme_at
from loyalty.staff.rules import Permission, may

ACTIONS = "/customers/actions"
ENOUGH = 286
"""The answer that ends htmx's asking again and again."""
KINDS = {
    "category": (MassKind.CATEGORY_GIVE, MassKind.CATEGORY_TAKE),
    "segment": (MassKind.SEGMENT_ADD, MassKind.SEGMENT_REMOVE),
    "importance": (MassKind.IMPORTANCE,),
    "discount": (MassKind.DISCOUNT,),
    "bonuses": (MassKind.BONUSES,),
    "delete": (MassKind.DELETE,),
}
"""What the bar of the list offers, and what each can do: the first, or with `way=back` the second."""


@dataclass(frozen=True, slots=True)
class Whom:
    """Who is meant: everybody found, or those who were ticked."""

    look: Look | None
    ids: tuple[int, ...]
    count: int

    @property
    def chosen(self) -> Look | tuple[int, ...]:
        """As an act takes it."""
        return self.ids if self.look is None else self.look


@requires(Permission.CUSTOMERS_BULK)
async def show_list(request: web.Request) -> web.Response:
    """GET /customers/actions?before=: every act on many, the newest first."""
    before = request.query.get("before", "")
    person = staff_of(request)
    found, following = await mass_actions(
        # Whom the acts of others concern may be out of reach.
        staff_id=person.id if person.location_ids is not None else None,
        before_id=int(before) if is_id(before) and len(before) < 10 else None,
    )
    return page(
        request,
        "mass/list.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        actions=[(one, title(one), await look_words(one.look), _base_url(one)) for one in found],
        states=_states(),
        older=f"{ACTIONS}?before={following}" if following else None,
        newest=ACTIONS if before else None,
    )


@requires(Permission.CUSTOMERS_BULK)
async def show_new(request: web.Request) -> web.Response:
    """GET /customers/actions/new?kind=&scope=&id=…&q=&f=: the question; a dialog for htmx."""
    if "kind" not in request.query:
        return await go_to(request, list_url(request))
    if request.query["kind"] == "message":
        return await go_to(request, new_campaign_url(request))
    kind = _kind_in(request, request.query.get("kind", ""))
    is_all = "all" in request.query.getall("scope", [])
    ids = "" if is_all else ".".join(request.query.getall("id", []))
    form = Form({"kind": kind, "scope": "all" if is_all else "", "ids": ids, "key": new_key(), "way": "there"})
    return await _question(request, form)


@requires(Permission.CUSTOMERS_BULK)
async def begin(request: web.Request) -> web.Response:
    """POST /customers/actions?q=&f=: a few are done at once, with an Undo; many are watched on a page of their own."""
    form = await read_form(request)
    kind = _kind_in(request, form.value("kind"))
    try:
        whom = await _whom(request, form)
        order = _order(kind, form)
        if not _is_sure(form, order, whom):
            return await _question(request, form, order=order)
        action_id = await mass.begin(
            order,
            whom.chosen,
            key=form.value("key")[:40] or new_key(),
            look=_said(request, whom.look) if whom.look else None,
            actor=actor_of(request),
            now=now(request),
        )
    except LoyaltyError as error:
        form.refuse(Invalid("target", "required") if isinstance(error, NotFound) else error)
        return await _question(request, form, status=422)
    return await _begun(request, action_id, list_url(request) if not is_htmx(request) else address_now(request))


@requires(Permission.CUSTOMERS_BULK)
async def show_one(request: web.Request) -> web.Response:
    """GET /customers/actions/{id}?state=&after=: how far it is, what became of each; `part` for what is asked again."""
    view = await mass_action(id_in(request))
    is_part = "part" in request.query
    block = "progress" if is_part else "results" if request.headers.get("HX-Target") == "results" else None
    state = request.query.get("state", "")
    wanted = RowState(state) if state in list(RowState) else None
    after = request.query.get("after", "")
    place = int(after) if is_id(after) else 0
    # What is asked again each second is told in few words.
    mine = staff_of(request).location_ids
    rows, following = ([], None) if is_part else await mass_rows(view.id, state=wanted, within=mine, after_id=place)
    reasons = [] if view.state is MassState.RUNNING else await left_out(view.id)
    here = f"{ACTIONS}/{view.id}"
    counts = {"done": view.done, "skipped": view.skipped, "failed": view.failed, "waiting": view.total - view.worked}
    return page(
        request,
        "mass/show.html",
        block=block,
        status=ENOUGH if is_part and view.state is not MassState.RUNNING else 200,
        is_part=is_part,
        action=view,
        title=title(view),
        found_by=await look_words(view.look),
        base_url=_base_url(view),
        here=here,
        states=_states(),
        pace=round(view.pace(now(request))),
        seconds_left=view.seconds_left(now(request)),
        undo_text=undo_text(view),
        may_act=may(staff_of(request).role, NEEDS[view.kind]),
        left_out=[(row_reason(reason), count) for reason, count in reasons],
        rows=[(row, row_reason(row.reason)) for row in rows],
        row_states={key: (_(text), tint) for key, (text, tint) in ROW_STATES.items()},
        tabs=[("", _("All"), here, view.total)]
        + [(key, _(ROW_STATES[RowState(key)][0]), f"{here}?state={key}", count) for key, count in counts.items()],
        state=wanted.value if wanted else "",
        beginning=f"{here}?{urlencode({'state': state})}" if after else None,
        following=f"{here}?{urlencode({'state': state, 'after': following})}" if following else None,
    )


@requires(Permission.CUSTOMERS_BULK)
async def change(request: web.Request) -> web.Response:
    """POST /customers/actions/{id}/{deed}: let it stand still, go on, or end early; what is done stays done."""
    view = await _mine(request)
    deed = {"pause": mass.pause, "resume": mass.resume, "cancel": mass.cancel}[request.match_info["deed"]]
    said = None
    try:
        await deed(view.id, actor=actor_of(request), now=now(request))
    except Refused as error:
        said = row_reason(error.reason)
    return await go_to(request, f"{ACTIONS}/{view.id}", say=said)


@requires(Permission.CUSTOMERS_BULK)
async def undo(request: web.Request) -> web.Response:
    """POST /customers/actions/{id}/undo: from the page of the act, or from the Undo of a toast."""
    view = await _mine(request)
    try:
        undo_id = await mass.undo(view.id, actor=actor_of(request), now=now(request))
    except Refused as error:
        return await go_to(request, f"{ACTIONS}/{view.id}", say=row_reason(error.reason))
    came_from = urlsplit(request.headers.get("HX-Current-URL", "") or request.headers.get("Referer", "")).path
    if came_from == PATH:
        return await _begun(request, undo_id, address_now(request))
    if (await mass_action(undo_id)).total <= AT_ONCE:
        await mass.finish(undo_id, now=now(request))
    return await go_to(request, f"{ACTIONS}/{undo_id}")


async def _begun(request: web.Request, action_id: int, back: str) -> web.Response:
    """Few: done now, and back to the list. Many, or nobody changed: the page that tells how it goes."""
    view = await mass_action(action_id)
    if view.total > AT_ONCE:
        return await go_to(request, f"{ACTIONS}/{action_id}")
    await mass.finish(action_id, now=now(request))
    view = await mass_action(action_id)
    if not view.done:
        return await go_to(request, f"{ACTIONS}/{action_id}")
    said = ngettext("Done for %(num)s customer", "Done for %(num)s customers", view.done)
    if view.undo_of is not None:
        said = ngettext("Undone for %(num)s customer", "Undone for %(num)s customers", view.done)
    said %= {"num": num(view.done)}
    if left := view.skipped + view.failed:
        said = f"{said}, {_('left out: %(num)s') % {'num': num(left)}}"
    await leave_toast(request, said, f"{ACTIONS}/{action_id}/undo" if view.can_undo else None)
    return await go_to(request, back)


async def _question(request: web.Request, form: Form, *, status: int = 200, order: Order | None = None) -> web.Response:
    """The dialog. order: it is sound, and stands here to be agreed to with its sum."""
    kind = form.value("kind")
    try:
        whom = await _whom(request, form)
        tree = look_of(request).tree
    except Invalid as error:
        raise web.HTTPUnprocessableEntity(text=wrong(error)) from error
    programme = await programme_at(now(request))
    total = abs(order.amount) * whom.count if order else 0
    limit = programme.manual_credit_day
    form.values["agreed"] = str(total) if order else ""
    filtered = sentence(tree, await names_for([tree])) if tree.parts else ""
    return page(
        request,
        "mass/new.html",
        block="form" if request.method == "POST" else "dialog",
        status=status,
        form=form,
        kind=kind,
        whom=whom,
        search=request.query.get("q", "") if whom.look else "",
        filtered=filtered if whom.look else "",
        url=part_url(request, ACTIONS),
        back=list_url(request),
        order=order,
        question=order_title(order.kind, "", order.amount) if order else "",
        total=total,
        day_limit=limit if order and order.amount > 0 and 0 < limit < total else 0,
        days=RESTORED_FOR.days,
        targets=await _targets(kind),
    )


async def _targets(kind: str) -> list[tuple[str, str]]:
    """(id, name) of what can be given or taken."""
    if kind == "category":
        return [(str(one.id), one.name) for one in await categories(sized=False) if one.archived_at is None]
    if kind == "segment":
        usable = [one for one in await segments() if one.archived_at is None and one.conditions is None]
        return [(str(one.id), one.name) for one in usable]
    return importance_choices(await importance_classes(sized=False), 0) if kind == "importance" else []


async def _whom(request: web.Request, form: Form) -> Whom:
    if form.value("scope") == "all":
        look = look_of(request)
        return Whom(look, (), (await base_totals(look, now=now(request))).count)
    ticked = {int(one) for one in form.value("ids").split(".") if is_id(one)}
    ids = tuple(sorted(ticked & await cards_open_to(staff_of(request), ticked)))
    return Whom(None, ids, len(ids))


def _order(kind: str, form: Form) -> Order:
    """What the form asks for. Raises Invalid."""
    there, *back = KINDS[kind]
    deed = back[0] if back and form.value("way") == "back" else there
    if deed is MassKind.DELETE:
        if form.value("word").strip().casefold() != _("Delete").casefold():
            raise Invalid("word", "not_the_word")
        return Order(deed)
    if deed is MassKind.BONUSES:
        amount = parse_amount(form.value("amount"), 2, field="amount")
        if not amount:
            raise Invalid("amount", "must_be_positive")
        if not form.value("comment").strip():
            raise Invalid("comment", "required")
        return Order(deed, amount=-amount if form.value("way") == "back" else amount, comment=form.value("comment"))
    if deed is MassKind.DISCOUNT:
        return Order(deed, target=parse_share(form.value("discount"), field="discount"))
    target = form.value("target")
    if not is_id(target) or len(target) > (9 if kind != "importance" else 4):
        raise Invalid("target", "required")
    return Order(deed, target=int(target))


def _is_sure(form: Form, order: Order, whom: Whom) -> bool:
    """Money of many is agreed to with its sum, and anew when that is another one by now."""
    return order.kind is not MassKind.BONUSES or form.value("agreed") == str(abs(order.amount) * whom.count)


def _kind_in(request: web.Request, kind: str) -> str:
    """What is to be done. Raises HTTPNotFound for nothing that is offered, HTTPForbidden."""
    if kind not in KINDS:
        raise web.HTTPNotFound
    if not may(staff_of(request).role, NEEDS[KINDS[kind][0]]):
        raise web.HTTPForbidden
    return kind


async def _mine(request: web.Request) -> MassView:
    """The act of the path, for those who may do what it does. Raises NotFound, HTTPForbidden."""
    view = await mass_action(id_in(request))
    if not may(staff_of(request).role, NEEDS[view.kind]):
        raise web.HTTPForbidden
    return view


def _said(request: web.Request, look: Look) -> dict[str, str]:
    """The search, the filter and the locations, as an address says them."""
    said = {name: request.query.get(name, "") for name in ("q", "f")} | {"location": location_value(look)}
    return {name: text for name, text in said.items() if text}


def _base_url(view: MassView) -> str:
    """The list as it is found today by what the act was made from; empty for those who were ticked."""
    if view.look is None:
        return ""
    kept = {name: view.look[name] for name in KEPT if view.look.get(name)}
    return f"{PATH}?{urlencode(kept)}" if kept else PATH


def _states() -> dict[MassState, tuple[str, str]]:
    return {key: (_(text), tint) for key, (text, tint) in STATES.items()}


ROUTES = (
    web.get(ACTIONS, show_list),
    web.get(f"{ACTIONS}/new", show_new),
    web.post(ACTIONS, begin),
    web.get(ACTIONS + r"/{id:\d{1,9}}", show_one),
    web.post(ACTIONS + r"/{id:\d{1,9}}/{deed:pause|resume|cancel}", change),
    web.post(ACTIONS + r"/{id:\d{1,9}}/undo", undo),
)
