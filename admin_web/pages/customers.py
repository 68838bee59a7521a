"""The client base: a list that finds anyone, and the card of one person."""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.charts import bars
from admin_web.formats import format_date, money
from admin_web.forms import Form, form_of, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import SHOP, now
from admin_web.navigation import NavItem
from admin_web.render import go_to, is_htmx, page, toast
from loyalty.bonuses.actions import adjust
from loyalty.bonuses.queries import account, entries, tier_history
from loyalty.clock import business_date
from loyalty.customers.actions import add_customer, add_note, delete_note, edit_note, restore_note, update_profile
from loyalty.customers.queries import (
    DEFAULT_SORT,
    SORTS,
    Cursor,
    CustomerView,
    consents,
    customer,
    customer_page,
    notes,
    registration_steps,
    totals,
    visited_locations,
)
from loyalty.customers.rules import Profile, Search, Via, parse_search, profile_from
from loyalty.errors import LoyaltyError, NotFound
from loyalty.ids import new_key
from loyalty.money import parse_amount
from loyalty.receipts.queries import habits, receipts_of
from loyalty.shop.queries import locations, programme_at
from loyalty.staff.queries import staff_list
from loyalty.staff.rules import LANGUAGES, Permission, may

NAV = NavItem(
    "customers", "/customers", "users", mark("Client base"), "customers", Permission.CUSTOMERS_READ, in_bar=True
)

TABS = {
    "profile": mark("Profile"),
    "bonuses": mark("Bonuses"),
    "receipts": mark("Receipts"),
    "registration": mark("Registration"),
    "notes": mark("Notes"),
}
FIRST_ASCENDING = {"name"}
DIRECTIONS = {"credit": 1, "debit": -1}


# ---------------------------------------------------------------------------------------- the list


@requires(Permission.CUSTOMERS_READ)
async def show_list(request: web.Request) -> web.Response:
    """GET /customers?q=&sort=&dir=&after=|before=: everything that shapes the list is in its address."""
    query = request.query
    sort = query.get("sort", "")
    sort = sort if sort in SORTS else DEFAULT_SORT
    descending = query.get("dir", "asc" if sort in FIRST_ASCENDING else "desc") != "asc"
    found = await customer_page(
        _search(request),
        sort=sort,
        descending=descending,
        after=_cursor(query.get("after")),
        before=_cursor(query.get("before")),
        by_phone=_sees_phones(request),
    )
    return page(
        request,
        "customers/list.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        found=found,
        search=query.get("q", ""),
        sort=sort,
        descending=descending,
        programme=await programme_at(now(request)),
        columns=_columns(request, sort, descending=descending),
        previous=_page_url(request, "before", found.previous),
        following=_page_url(request, "after", found.following),
    )


@requires(Permission.CUSTOMERS_READ)
async def show_totals(request: web.Request) -> web.Response:
    """GET /customers/totals?q=: the numbers of a large result, counted after its page was shown."""
    counted = await totals(_search(request), by_phone=_sees_phones(request))
    return page(request, "customers/_totals.html", total=counted.count, sold=counted.sold, balance=counted.balance)


def _search(request: web.Request) -> Search | None:
    return parse_search(request.query.get("q", ""), request[SHOP].region)


def _sees_phones(request: web.Request) -> bool:
    return may(staff_of(request).role, Permission.PHONES_READ)


def _columns(request: web.Request, sort: str, *, descending: bool) -> dict[str, tuple[str, str]]:
    """Sort key -> (address that sorts by it, direction now or ""). A second click turns the order round."""
    columns = {}
    for key in SORTS:
        if key == sort:
            turned = "asc" if descending else "desc"
            columns[key] = (_list_url(request, sort=key, dir=turned), "desc" if descending else "asc")
        else:
            columns[key] = (_list_url(request, sort=key, dir="asc" if key in FIRST_ASCENDING else "desc"), "")
    return columns


def _list_url(request: web.Request, **changes: str) -> str:
    kept = {name: value for name, value in request.query.items() if name in {"q", "sort", "dir"} and value}
    return str(request.rel_url.with_path("/customers").with_query(kept | changes))


def _page_url(request: web.Request, side: str, cursor: Cursor | None) -> str | None:
    if cursor is None:
        return None
    packed = json.dumps([cursor.value, cursor.id, cursor.before], ensure_ascii=False, separators=(",", ":"))
    return _list_url(request, **{side: base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")})


def _cursor(text: str | None) -> Cursor | None:
    """A place from an address; one that nobody made is the beginning of the list."""
    if not text:
        return None
    try:
        value, id_, before = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        cursor = Cursor(value, int(id_), int(before))
    except (ValueError, TypeError, binascii.Error):
        return None
    return cursor if isinstance(value, str | int) and abs(cursor.id) < 2**62 else None


# ---------------------------------------------------------------------------------------- the card


@requires(Permission.CUSTOMERS_READ)
async def show_card(request: web.Request) -> web.Response:
    """GET /customers/{id}?tab=: one person."""
    tab = request.query.get("tab", "profile")
    tab = tab if tab in TABS else "profile"
    return await _card(request, tab)


async def _card(request: web.Request, tab: str, **more: Any) -> web.Response:
    person = await customer(_id(request))
    programme = await programme_at(now(request))
    data = await PANELS[tab](request, person)
    return page(
        request,
        "customers/card.html",
        block="panel" if request.headers.get("HX-Target") == "tabpanel" else None,
        person=person,
        tier=programme.tier(person.tier_id),
        programme=programme,
        tab=tab,
        tabs=[(key, _(text), f"/customers/{person.id}?tab={key}", _count(key, person)) for key, text in TABS.items()],
        **data,
        **more,
    )


def _count(tab: str, person: CustomerView) -> int | None:
    return person.receipts if tab == "receipts" else None


async def _profile_panel(request: web.Request, person: CustomerView) -> dict[str, Any]:
    today = business_date(now(request), request[SHOP].time_zone)
    seen = await habits(person.id, today=today, now=now(request))
    programme = await programme_at(now(request))
    following = programme.next_tier(programme.tier(person.tier_id))
    places = {place.id: place.name for place in await locations()}
    points = [(format_date(month, "LLL"), sold) for month, sold in seen.months]
    return {
        "every_days": seen.every_days,
        "chart": bars(points, label=_("Purchases by month"), show=money),
        "following": following,
        "places": places,
        "visited": await visited_locations(person.id),
        "consents": await consents(person.id),
    }


async def _bonuses_panel(request: web.Request, person: CustomerView) -> dict[str, Any]:
    before = request.query.get("before", "")
    found, following = await entries(person.id, before_id=int(before) if _is_id(before) else None)
    return {
        "account": await account(person.id, now=now(request)),
        "entries": found,
        "following_entry": following,
        "tiers": await tier_history(person.id),
        "this_moment": now(request),
    }


async def _receipts_panel(request: web.Request, person: CustomerView) -> dict[str, Any]:
    found, following = await receipts_of(person.id, before=_receipt_place(request.query.get("before", "")))
    return {"receipts": found, "following_receipt": f"{following[0].isoformat()}~{following[1]}" if following else None}


async def _registration_panel(request: web.Request, person: CustomerView) -> dict[str, Any]:
    del request
    return {
        "steps": await registration_steps(person.id),
        "consents": await consents(person.id),
        "staff_names": {member.id: member.name for member in await staff_list()},
    }


async def _notes_panel(request: web.Request, person: CustomerView) -> dict[str, Any]:
    del request
    return {"notes": await notes(person.id), "note_form": Form()}


PANELS: dict[str, Callable[[web.Request, CustomerView], Awaitable[dict[str, Any]]]] = {
    "profile": _profile_panel,
    "bonuses": _bonuses_panel,
    "receipts": _receipts_panel,
    "registration": _registration_panel,
    "notes": _notes_panel,
}


def _id(request: web.Request, name: str = "id") -> int:
    text = request.match_info[name]
    if not _is_id(text):
        raise NotFound("customer")
    return int(text)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _receipt_place(text: str) -> tuple[datetime, int] | None:
    moment, _, number = text.partition("~")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (at, int(number)) if _is_id(number) and at.tzinfo is not None else None


# ---------------------------------------------------------------------------------------- changing


@requires(Permission.CUSTOMERS_EDIT)
async def show_new(request: web.Request) -> web.Response:
    """GET /customers/new."""
    return await _profile_page(request, form_of({"language": request[SHOP].language}), None)


@requires(Permission.CUSTOMERS_EDIT)
async def add(request: web.Request) -> web.Response:
    """POST /customers."""
    form = await read_form(request)
    profile = _read_profile(request, form)
    if profile is not None:
        try:
            person = await add_customer(profile, via=Via.PANEL, actor=actor_of(request), now=now(request))
        except LoyaltyError as error:
            form.refuse(error)
        else:
            return await go_to(request, f"/customers/{person.id}", say=_("The customer is added."))
    return await _profile_page(request, form, None, status=422)


@requires(Permission.CUSTOMERS_EDIT)
async def show_edit(request: web.Request) -> web.Response:
    """GET /customers/{id}/edit."""
    person = await customer(_id(request))
    values = {name: getattr(person, name) for name in Profile.__slots__}
    return await _profile_page(request, form_of(values), person)


@requires(Permission.CUSTOMERS_EDIT)
async def edit(request: web.Request) -> web.Response:
    """POST /customers/{id}/edit."""
    person = await customer(_id(request))
    form = await read_form(request)
    profile = _read_profile(request, form)
    if profile is not None:
        try:
            await update_profile(person.id, profile, actor=actor_of(request), now=now(request))
        except LoyaltyError as error:
            form.refuse(error)
        else:
            return await go_to(request, f"/customers/{person.id}", say=_("Saved."))
    return await _profile_page(request, form, person, status=422)


def _read_profile(request: web.Request, form: Form) -> Profile | None:
    """The profile in the form, or None with the form saying what is wrong."""
    birthday, home = form.day("birthday"), form.number("home_location_id")
    language = form.choice("language", LANGUAGES)
    try:
        profile = profile_from(
            name=form.value("name"),
            phone=form.value("phone"),
            email=form.value("email"),
            gender=form.value("gender"),
            birthday=birthday,
            language=language,
            home_location_id=home,
            region=request[SHOP].region,
            today=business_date(now(request), request[SHOP].time_zone),
        )
    except LoyaltyError as error:
        form.refuse(error)
        return None
    return profile if form.ok else None


async def _profile_page(
    request: web.Request, form: Form, person: CustomerView | None, *, status: int = 200
) -> web.Response:
    return page(
        request,
        "customers/edit.html",
        block="form",
        status=status,
        form=form,
        person=person,
        places=await locations(),
    )


@requires(Permission.BONUSES_ADJUST)
async def show_adjust(request: web.Request) -> web.Response:
    """GET /customers/{id}/bonuses/{direction}: the form of a manual credit or debit; a dialog for htmx."""
    return await _adjust_page(request, Form({"key": new_key()}))


@requires(Permission.BONUSES_ADJUST)
async def do_adjust(request: web.Request) -> web.Response:
    """POST /customers/{id}/bonuses/{direction}. The form's key makes a second click harmless."""
    form = await read_form(request)
    customer_id = _id(request)
    try:
        amount = parse_amount(form.value("amount"), 2, field="amount")
        await adjust(
            customer_id,
            amount * _sign(request),
            form.value("comment"),
            key=form.value("key")[:60] or new_key(),
            actor=actor_of(request),
            now=now(request),
        )
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        return await _adjust_page(request, form, status=422)
    return await go_to(request, f"/customers/{customer_id}?tab=bonuses", say=_("Done. The balance has changed."))


async def _adjust_page(request: web.Request, form: Form, *, status: int = 200) -> web.Response:
    person = await customer(_id(request))
    return page(
        request,
        "customers/adjust.html",
        block="form" if request.method == "POST" else "dialog",
        status=status,
        form=form,
        person=person,
        account=await account(person.id, now=now(request)),
        crediting=_sign(request) > 0,
    )


def _sign(request: web.Request) -> int:
    direction = request.match_info["direction"]
    if direction not in DIRECTIONS:
        raise web.HTTPNotFound
    return DIRECTIONS[direction]


@requires(Permission.NOTES_WRITE)
async def do_add_note(request: web.Request) -> web.Response:
    """POST /customers/{id}/notes."""
    form = await read_form(request)
    try:
        await add_note(_id(request), form.value("text"), actor=actor_of(request), now=now(request))
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        return await _notes_again(request, form, 422)
    return await _notes_again(request, Form(), 200)


@requires(Permission.NOTES_WRITE)
async def do_edit_note(request: web.Request) -> web.Response:
    """POST /customers/{id}/notes/{note}: new words in place of the old."""
    form = await read_form(request)
    await edit_note(_id(request), _id(request, "note"), form.value("text"), actor=actor_of(request), now=now(request))
    return await _notes_again(request, Form(), 200)


@requires(Permission.NOTES_WRITE)
async def do_delete_note(request: web.Request) -> web.Response:
    """POST /customers/{id}/notes/{note}/delete; can be taken back."""
    customer_id, note_id = _id(request), _id(request, "note")
    await delete_note(customer_id, note_id, actor=actor_of(request), now=now(request))
    undo_url = f"/customers/{customer_id}/notes/{note_id}/restore"
    if is_htmx(request):
        return toast(await _notes_again(request, Form(), 200), _("The note is deleted."), undo_url)
    return await go_to(request, f"/customers/{customer_id}?tab=notes", say=_("The note is deleted."), undo_url=undo_url)


@requires(Permission.NOTES_WRITE)
async def do_restore_note(request: web.Request) -> web.Response:
    """POST /customers/{id}/notes/{note}/restore."""
    customer_id = _id(request)
    await restore_note(customer_id, _id(request, "note"), actor=actor_of(request), now=now(request))
    return await go_to(request, f"/customers/{customer_id}?tab=notes")


async def _notes_again(request: web.Request, form: Form, status: int) -> web.Response:
    """The notes with what has become of them: the part for htmx, the card for a browser without scripts."""
    if not is_htmx(request):
        if status == 200:
            return await go_to(request, f"/customers/{_id(request)}?tab=notes")
        response = await _card(request, "notes", note_form=form)
        response.set_status(status)
        return response
    person = await customer(_id(request))
    return page(
        request, "customers/card.html", block="notes", status=status, person=person, notes=await notes(person.id),
        note_form=form,
    )  # fmt: skip


ROUTES = (
    web.get("/customers", show_list),
    web.post("/customers", add),
    web.get("/customers/totals", show_totals),
    web.get("/customers/new", show_new),
    web.get("/customers/{id}", show_card),
    web.get("/customers/{id}/edit", show_edit),
    web.post("/customers/{id}/edit", edit),
    web.get("/customers/{id}/bonuses/{direction}", show_adjust),
    web.post("/customers/{id}/bonuses/{direction}", do_adjust),
    web.post("/customers/{id}/notes", do_add_note),
    web.post("/customers/{id}/notes/{note}", do_edit_note),
    web.post("/customers/{id}/notes/{note}/delete", do_delete_note),
    web.post("/customers/{id}/notes/{note}/restore", do_restore_note),
)
