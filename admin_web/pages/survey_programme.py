"""After which purchases people are asked, what they are told, and what becomes of what they answer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.forms import Form, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import SETTINGS, SHOP, now
from admin_web.message_preview import preview_of
from admin_web.message_words import SYMBOLS, channel_name, set_up
from admin_web.pages.surveys import PATH as SURVEYS
from admin_web.render import go_to, is_htmx, page
from admin_web.survey_words import GROUPS
from loyalty.conversations.message_types import LANGUAGES, OWN_TEXT_LENGTH, Texts
from loyalty.conversations.queries.types import message_type
from loyalty.errors import Invalid, LoyaltyError
from loyalty.money import parse_amount
from loyalty.shop.queries import locations
from loyalty.staff.queries import staff_list
from loyalty.staff.rules import Permission, may
from loyalty.surveys.actions.programme import set_programme
from loyalty.surveys.queries.programme import ProgrammeView, survey_programme
from loyalty.surveys.rules import (
    EVERYWHERE,
    KIND,
    LINK_LENGTH,
    LONGEST_DELAY,
    LONGEST_PAUSE,
    PARTS,
    PAUSE_DAYS,
    TEXT_LENGTH,
    Group,
    ProgrammeDraft,
)
from loyalty.surveys.thanks import HOUSE, words

PATH = f"{SURVEYS}/programme"
PART_NAMES = {"thanks": mark("Thanks"), "prompt": mark("Asks for a comment")}


@requires(Permission.SURVEYS_MANAGE)
async def show(request: web.Request) -> web.Response:
    """GET /surveys/programme: how it is set."""
    return await _edit(request, Form(await _values(request, await survey_programme())))


@requires(Permission.SURVEYS_MANAGE)
async def save(request: web.Request) -> web.Response:
    """POST /surveys/programme: keeps it; without scripts `step` show shows the words instead."""
    form = await read_form(request)
    if form.value("step") == "show":
        return await _edit(request, form, block="form")
    try:
        draft = await _draft(request, form)
        if not form.ok:
            return await _edit(request, form, block="form", status=422)
        await set_programme(draft, _questions(form), seen=_seen(form), actor=actor_of(request), now=now(request))
    except LoyaltyError as error:
        form.refuse(error)
        # What was typed stays; saving again puts it over what the other person saved.
        form.values["seen"] = _moment(await survey_programme())
        return await _edit(request, form, block="form", status=422)
    return await go_to(request, SURVEYS, say=_("Saved"))


@requires(Permission.SURVEYS_MANAGE)
async def preview(request: web.Request) -> web.Response:
    """POST /surveys/programme/preview: the question and the thanks of the form, as somebody would get them."""
    form = await read_form(request)
    if not is_htmx(request):
        return await _edit(request, form)
    return page(request, "surveys/_preview.html", **await _previewed(request, form))


async def _edit(request: web.Request, form: Form, *, block: str | None = None, status: int = 200) -> web.Response:
    view = await message_type(KIND)
    assert view.kind is not None
    ready = set_up(request.app[SETTINGS])
    return page(
        request,
        "surveys/programme.html",
        block=block,
        status=status,
        url=PATH,
        back=SURVEYS,
        places=[place for place in await locations() if place.is_open],
        colleagues=[("", _("Nobody in particular")), *await _colleagues()],
        channels=[(channel_name(one), SYMBOLS.get(one, "message-circle"), one in ready) for one in view.channels],
        house_question=view.kind.texts,
        house=HOUSE,
        parts=[
            (part, f"{_(GROUPS[Group(part.partition('_')[2])][0])}: {_(PART_NAMES[part.partition('_')[0]])}")
            for part in PARTS
        ],
        question_length=OWN_TEXT_LENGTH,
        text_length=TEXT_LENGTH,
        link_length=LINK_LENGTH,
        longest_delay=LONGEST_DELAY,
        shortest_pause=PAUSE_DAYS,
        longest_pause=LONGEST_PAUSE,
        everywhere=EVERYWHERE,
        **await _previewed(request, form),
    )


async def _previewed(request: web.Request, form: Form) -> dict[str, Any]:
    """The question through its channels, and what each group is answered in the language that is shown."""
    view, shop = await message_type(KIND), request[SHOP]
    texts: Texts = {language: {"text": form.value(f"text-{language}")} for language in LANGUAGES}
    shown = await preview_of(view, form, texts, shop)
    draft = ProgrammeDraft(texts=_texts(form))
    answered = [
        (
            _(GROUPS[group][0]),
            GROUPS[group][2],
            "\n\n".join(words(draft, shown.language, f"{part}_{group}") for part in PART_NAMES),
        )
        for group in Group
    ]
    languages = sorted(LANGUAGES, key=lambda one: (one != shop.language, LANGUAGES.index(one)))
    return {"form": form, "preview": shown, "answered": answered, "language_codes": languages}


async def _values(request: web.Request, view: ProgrammeView) -> dict[str, str]:
    """A form filled with the programme; what is the house's stands as a placeholder, but the question."""
    draft, kind = view.draft, await message_type(KIND)
    assert kind.kind is not None
    values = {
        "seen": _moment(view),
        "is_on": "1" if draft.is_on else "",
        "delay_hours": str(draft.delay_hours),
        "pause_days": str(draft.pause_days),
        "minimum": _plain(draft.minimum, request[SHOP].exponent) if draft.minimum else "",
        "where": "some" if draft.location_ids is not None else "all",
        "bonus": _plain(draft.bonus, 2) if draft.bonus else "",
        "makes_tasks": "1" if draft.makes_tasks else "",
        "assignee_id": str(draft.assignee_id or ""),
    }
    values |= {f"at-{one}": "1" for one in draft.location_ids or ()}
    values |= {f"link-{key}": url for key, url in draft.links.items()}
    values |= {f"text-{code}": kind.own(code) or kind.kind.texts.get(code, "") for code in LANGUAGES}
    return values | {
        f"text-{code}-{part}": draft.text(code, part) for code in LANGUAGES for part in PARTS if draft.text(code, part)
    }


async def _draft(request: web.Request, form: Form) -> ProgrammeDraft:
    """What the form says; what cannot be read is noted beside its field."""
    known = [place.id for place in await locations()]
    picked = tuple(one for one in known if form.checked(f"at-{one}"))
    delay, pause = form.number("delay_hours"), form.number("pause_days")
    for name, value in (("delay_hours", delay), ("pause_days", pause)):
        if value is None:
            form.refuse(Invalid(name, "required"))
    assignee = form.value("assignee_id")
    return ProgrammeDraft(
        is_on=form.checked("is_on"),
        delay_hours=delay or 0,
        pause_days=pause or PAUSE_DAYS,
        minimum=_amount(form, "minimum", request[SHOP].exponent),
        location_ids=picked if form.choice("where", ("all", "some")) == "some" else None,
        texts=_texts(form),
        links={key: form.value(f"link-{key}") for key in (EVERYWHERE, *map(str, known))},
        bonus=_amount(form, "bonus", 2),
        makes_tasks=form.checked("makes_tasks"),
        assignee_id=int(assignee) if assignee.isascii() and assignee.isdigit() and len(assignee) < 10 else None,
    )


def _texts(form: Form) -> dict[str, dict[str, str]]:
    return {code: {part: form.value(f"text-{code}-{part}") for part in PARTS} for code in LANGUAGES}


def _questions(form: Form) -> Mapping[str, str]:
    return {code: form.value(f"text-{code}") for code in LANGUAGES}


def _amount(form: Form, name: str, exponent: int) -> int:
    if not form.value(name).strip():
        return 0
    try:
        return parse_amount(form.value(name), exponent, field=name)
    except Invalid as error:
        form.refuse(error)
        return 0


def _plain(amount: int, exponent: int) -> str:
    """An amount as it is typed."""
    whole, rest = divmod(amount, 10**exponent)
    return f"{whole}.{rest:0{exponent}}" if rest else str(whole)


async def _colleagues() -> list[tuple[str, str]]:
    """Who may be given a task about a customer."""
    return [
        (str(one.id), one.name)
        for one in await staff_list()
        if one.is_active and may(one.role, Permission.CUSTOMERS_READ)
    ]


def _moment(view: ProgrammeView) -> str:
    return view.updated_at.isoformat() if view.updated_at else ""


def _seen(form: Form) -> datetime | None:
    try:
        return datetime.fromisoformat(form.value("seen")) if form.value("seen") else None
    except ValueError:
        raise web.HTTPBadRequest from None


ROUTES = (web.get(PATH, show), web.post(PATH, save), web.post(f"{PATH}/preview", preview))
