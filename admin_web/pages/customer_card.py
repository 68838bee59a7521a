"""The card of one person: what is known, what was bought, what moved, what was said, what colleagues wrote."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.bonus_words import EVENTS, KINDS, SOURCES, TIER_REASONS
from admin_web.charts import bars
from admin_web.formats import format_date, money
from admin_web.forms import Form, id_in, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import SHOP, now
from admin_web.pages.conversation_chat import customer_place, opened
from admin_web.pages.customer_answers import answers_shown
from admin_web.pages.customer_appointments import appointments_panel
from admin_web.pages.customer_labels import labels_of
from admin_web.pages.customer_messengers import messengers_panel
from admin_web.pages.customer_nps import nps_panel
from admin_web.pages.customer_registration import CONSENTS, registration_panel
from admin_web.pages.customer_segments import segments_of
from admin_web.pages.customer_timeline import timeline_panel
from admin_web.pages.label_rules import rules_of
from admin_web.pages.tasks import tasks_of
from admin_web.render import go_to, is_htmx, page, toast
from loyalty.bonuses.actions.manual import adjust
from loyalty.bonuses.actions.requests import ask_credit
from loyalty.bonuses.queries import Account, account, entries, tier_history, waiting_credits_of
from loyalty.bonuses.rules import Source, expiries
from loyalty.clock import business_date
from loyalty.customers.actions.notes import add_note, delete_note, edit_note, restore_note
from loyalty.customers.queries import (
    CustomerView,
    consents,
    customer,
    notes,
    visited_locations,
)
from loyalty.customers.queries.archive import deletion_of
from loyalty.errors import LoyaltyError, NotFound
from loyalty.ids import new_key
from loyalty.money import parse_amount
from loyalty.office.queries.merges import merges_into
from loyalty.receipts.queries import habits, receipts_of
from loyalty.shop.queries import locations, programme_at
from loyalty.staff.rules import Permission, may

TABS = {
    "profile": mark("Profile"),
    "bonuses": mark("Bonuses"),
    "receipts": mark("Receipts"),
    "nps": mark("NPS"),
    "appointments": mark("Visits"),
    "timeline": mark("Timeline"),
    "registration": mark("Registration"),
    "conversation": mark("Conversation"),
    "messengers": mark("Messengers"),
    "notes": mark("Notes"),
}
TAB_NEEDS = {"conversation": Permission.MESSAGES_READ, "nps": Permission.SURVEYS_READ}
"""What a tab asks for beyond the card itself."""
DIRECTIONS = {"credit": 1, "debit": -1}

RECEIPT_SOURCES = {"till": mark("Till"), "api": mark("API"), "import": mark("Import"), "chat": mark("Chat")}
# A lot ends with its last local day; an instant before that end lies on the day people know.
_A_MOMENT = timedelta(microseconds=1)


@requires(Permission.CUSTOMERS_READ)
async def show_card(request: web.Request) -> web.Response:
    """GET /customers/{id}?tab=: one person."""
    tab = request.query.get("tab", "profile")
    tab = tab if tab in TABS else "profile"
    if not _may_see(request, tab):
        raise web.HTTPForbidden
    return await _card(request, tab)


async def _card(request: web.Request, tab: str, **more: Any) -> web.Response:
    person = await customer(id_in(request))
    deletion = await deletion_of(person.id) if person.deleted_at else None
    programme = await programme_at(now(request))
    data = await PANELS[tab](request, person)
    return page(
        request,
        "customers/card.html",
        block="panel" if request.headers.get("HX-Target") == "tabpanel" else None,
        person=person,
        tier=programme.tier(person.tier_id),
        deletion=deletion,
        merges=await merges_into(person.id),
        now=now(request),
        is_restorable=deletion is not None and deletion.until > now(request),
        programme=programme,
        tab=tab,
        tabs=[
            (key, _(text), f"/customers/{person.id}?tab={key}", _count(key, person))
            for key, text in TABS.items()
            if _may_see(request, key)
        ],
        **(data | more),
    )


def _may_see(request: web.Request, tab: str) -> bool:
    return tab not in TAB_NEEDS or may(staff_of(request).role, TAB_NEEDS[tab])


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
        "tier_last_day": person.tier_until - _A_MOMENT if person.tier_until else None,
        "places": places,
        "visited": await visited_locations(person.id),
        "consent_names": _translated(CONSENTS),
        "consents": await consents(person.id),
        "answers": await answers_shown(request, person.id),
        "by_rules": await rules_of(person.id),
        **await labels_of(person.id),
        **await segments_of(person.id, now=now(request)),
        **await tasks_of(request, person),
    }


async def _bonuses_panel(request: web.Request, person: CustomerView) -> dict[str, Any]:
    before = request.query.get("before", "")
    standing = await account(person.id, now=now(request))
    found, following = await entries(person.id, before_id=int(before) if is_id(before) else None)
    return {
        "account": standing,
        "asked_for": await waiting_credits_of(person.id),
        "last_day": standing.next_expiry[0] - _A_MOMENT if standing.next_expiry else None,
        "expiries": expiries([view.lot for view in standing.lots], now(request), request[SHOP].time_zone),
        "expiry_sources": _expiry_sources(standing, request[SHOP].time_zone),
        "for_ever": sum(view.lot.remaining for view in standing.lots if view.lot.expires_at is None),
        "kind_names": {kind: _(name) for kind, (name, _tint) in KINDS.items()},
        "kind_tints": {kind: tint for kind, (_name, tint) in KINDS.items()},
        "event_names": _translated(EVENTS),
        "entries": found,
        "following_entry": following,
        "tiers": await tier_history(person.id),
        "tier_reasons": _translated(TIER_REASONS),
    }


def _expiry_sources(standing: Account, zone: str) -> dict[date | None, str]:
    """Where the bonuses of a last day came from, in words; None: those that never expire."""
    sources: dict[date | None, dict[str, None]] = {}
    for view in standing.lots:
        ends = view.lot.expires_at
        day = business_date(ends - _A_MOMENT, zone) if ends else None
        sources.setdefault(day, {})[_(SOURCES[Source(view.source)])] = None
    return {day: ", ".join(names) for day, names in sources.items()}


async def _receipts_panel(request: web.Request, person: CustomerView) -> dict[str, Any]:
    found, following = await receipts_of(person.id, before=_receipt_place(request.query.get("before", "")))
    return {
        "receipts": found,
        "receipt_sources": _translated(RECEIPT_SOURCES),
        "following_receipt": f"{following[0].isoformat()}~{following[1]}" if following else None,
    }


async def _conversation_panel(request: web.Request, person: CustomerView) -> dict[str, Any]:
    before = request.query.get("before", "")
    form = Form({"key": new_key(), "account": request.query.get("account", "")})
    place = await customer_place(person)
    return await opened(request, place, form, before_id=int(before) if is_id(before) else None)


async def _notes_panel(request: web.Request, person: CustomerView) -> dict[str, Any]:
    del request
    return {"notes": await notes(person.id), "note_form": Form()}


PANELS: dict[str, Callable[[web.Request, CustomerView], Awaitable[dict[str, Any]]]] = {
    "profile": _profile_panel,
    "bonuses": _bonuses_panel,
    "receipts": _receipts_panel,
    "nps": nps_panel,
    "appointments": appointments_panel,
    "timeline": timeline_panel,
    "registration": registration_panel,
    "conversation": _conversation_panel,
    "messengers": messengers_panel,
    "notes": _notes_panel,
}


def _translated(names: Mapping[Any, str]) -> dict[Any, str]:
    """Marked names in the reader's language."""
    return {key: _(name) for key, name in names.items()}


def _receipt_place(text: str) -> tuple[datetime, int] | None:
    moment, _tilde, number = text.partition("~")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (at, int(number)) if is_id(number) and at.tzinfo is not None else None


@requires(Permission.BONUSES_ADJUST)
async def show_adjust(request: web.Request) -> web.Response:
    """GET /customers/{id}/bonuses/{direction}: the form of a manual credit or debit; a dialog for htmx."""
    return await _adjust_page(request, Form({"key": new_key()}))


@requires(Permission.BONUSES_ADJUST)
async def do_adjust(request: web.Request) -> web.Response:
    """POST /customers/{id}/bonuses/{direction}. The form's key makes a second click harmless."""
    form = await read_form(request)
    customer_id = id_in(request)
    asks = form.value("ask") == "1" and _sign(request) > 0
    try:
        amount = parse_amount(form.value("amount"), 2, field="amount")
        await (ask_credit if asks else adjust)(
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
        return await _adjust_page(request, form, status=422, can_ask=error.reason == "needs_second_person")
    say = _("A colleague is asked. Nothing has changed yet.") if asks else _("Done. The balance has changed.")
    return await go_to(request, f"/customers/{customer_id}?tab=bonuses", say=say)


async def _adjust_page(request: web.Request, form: Form, *, status: int = 200, can_ask: bool = False) -> web.Response:
    person = await customer(id_in(request))
    return page(
        request,
        "customers/adjust.html",
        block="form" if request.method == "POST" else "dialog",
        status=status,
        form=form,
        person=person,
        account=await account(person.id, now=now(request)),
        crediting=_sign(request) > 0,
        can_ask=can_ask,
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
        await add_note(id_in(request), form.value("text"), actor=actor_of(request), now=now(request))
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
    await edit_note(
        id_in(request), id_in(request, "note"), form.value("text"), actor=actor_of(request), now=now(request)
    )
    return await _notes_again(request, Form(), 200)


@requires(Permission.NOTES_WRITE)
async def do_delete_note(request: web.Request) -> web.Response:
    """POST /customers/{id}/notes/{note}/delete; can be taken back."""
    customer_id, note_id = id_in(request), id_in(request, "note")
    await delete_note(customer_id, note_id, actor=actor_of(request), now=now(request))
    undo_url = f"/customers/{customer_id}/notes/{note_id}/restore"
    if is_htmx(request):
        return toast(await _notes_again(request, Form(), 200), _("The note is deleted."), undo_url)
    return await go_to(request, f"/customers/{customer_id}?tab=notes", say=_("The note is deleted."), undo_url=undo_url)


@requires(Permission.NOTES_WRITE)
async def do_restore_note(request: web.Request) -> web.Response:
    """POST /customers/{id}/notes/{note}/restore."""
    customer_id = id_in(request)
    await restore_note(customer_id, id_in(request, "note"), actor=actor_of(request), now=now(request))
    return await go_to(request, f"/customers/{customer_id}?tab=notes")


async def _notes_again(request: web.Request, form: Form, status: int) -> web.Response:
    """The notes with what has become of them: the part for htmx, the card for a browser without scripts."""
    if not is_htmx(request):
        if status == 200:
            return await go_to(request, f"/customers/{id_in(request)}?tab=notes")
        response = await _card(request, "notes", note_form=form)
        response.set_status(status)
        return response
    person = await customer(id_in(request))
    return page(
        request, "customers/card.html", block="notes", status=status, person=person, notes=await notes(person.id),
        note_form=form,
    )  # fmt: skip


ROUTES = (
    web.get("/customers/{id}", show_card),
    web.get("/customers/{id}/bonuses/{direction}", show_adjust),
    web.post("/customers/{id}/bonuses/{direction}", do_adjust),
    web.post("/customers/{id}/notes", do_add_note),
    web.post("/customers/{id}/notes/{note}", do_edit_note),
    web.post("/customers/{id}/notes/{note}/delete", do_delete_note),
    web.post("/customers/{id}/notes/{note}/restore", do_restore_note),
)
