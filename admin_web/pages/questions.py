"""The questionnaire that newcomers answer in the chat: its order, and the form of one question."""

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.forms import Form, form_of, id_in, is_id, read_form
from admin_web.i18n import LANGUAGE_NAMES, mark
from admin_web.i18n import gettext as _
from admin_web.keys import SHOP, now
from admin_web.navigation import NavItem
from admin_web.render import go_to, is_htmx, page
from loyalty.customers.actions.questions import (
    delete_question,
    move_question,
    restore_question,
    save_question,
    set_asking,
)
from loyalty.customers.queries.questions import question, questions
from loyalty.customers.questionnaire import (
    ANSWER_LENGTH,
    CHOICE_LENGTH,
    CHOICES_AT_MOST,
    LABEL_LENGTH,
    QUESTIONS_AT_MOST,
    ChoiceDraft,
    Question,
    QuestionDraft,
    QuestionKind,
    said_in,
)
from loyalty.errors import LoyaltyError, NotFound
from loyalty.staff.rules import Permission

PATH = "/settings/questions"
NAV = NavItem(
    "questions",
    PATH,
    "user-plus",
    mark("Registration"),
    "settings",
    Permission.SHOP_MANAGE,
    under=("/settings/consents", "/settings/greeting"),
)
KINDS = {
    QuestionKind.TEXT: (mark("Words"), "text-align-start", mark("They write what they like.")),
    QuestionKind.DATE: (mark("Date"), "calendar", mark("A day, like an anniversary.")),
    QuestionKind.CHOICE: (mark("Choice"), "list-checks", mark("One of up to ten answers, by a button.")),
}
"""Kind of a question of the shop's own -> (its name, its icon, what people do)."""
OF_PROFILE = {
    QuestionKind.BIRTHDAY: (mark("Birthday"), "cake"),
    QuestionKind.GENDER: (mark("Gender"), "circle-user"),
}
MOVES = {"up": -1, "down": 1}


def title_of(asked: Question, language: str, shop_language: str) -> str:
    """What a question is called in the panel: its words in the reader's language, if it has them."""
    if asked.kind in OF_PROFILE:
        return _(OF_PROFILE[asked.kind][0])
    return said_in(asked.labels, language, shop_language)


@requires(Permission.SHOP_MANAGE)
async def show_list(request: web.Request) -> web.Response:
    """GET /settings/questions: what is asked, in its order."""
    return await _list(request)


async def _list(request: web.Request, block: str | None = None) -> web.Response:
    found, language = await questions(), request[SHOP].language
    return page(
        request,
        "questions/list.html",
        block=block,
        questions=[(one, title_of(one, language, language)) for one in found],
        kinds={kind: (_(name), symbol, _(hint)) for kind, (name, symbol, hint) in KINDS.items()},
        of_profile={kind: symbol for kind, (_name, symbol) in OF_PROFILE.items()},
        choices={one.id: [said_in(choice.labels, language, language) for choice in one.offered] for one in found},
        is_full=len(found) >= QUESTIONS_AT_MOST,
    )


@requires(Permission.SHOP_MANAGE)
async def show_new(request: web.Request) -> web.Response:
    """GET /settings/questions/new?kind=: the empty form of a kind, which is chosen in the list."""
    kind = request.query.get("kind", "")
    if kind not in KINDS:
        return await go_to(request, PATH)
    return _edit(request, Form({"kind": kind, "is_asked": "1"}), QuestionKind(kind), None)


@requires(Permission.SHOP_MANAGE)
async def show_one(request: web.Request) -> web.Response:
    """GET /settings/questions/{id}."""
    known = await question(id_in(request))
    values: dict[str, object] = {f"label_{code}": known.labels.get(code) for code in LANGUAGE_NAMES}
    for number, choice in enumerate(known.offered):
        values[f"choice_{number}_id"] = choice.id
        values |= {f"choice_{number}_{code}": choice.labels.get(code) for code in LANGUAGE_NAMES}
    values |= {"is_asked": "1" if known.is_asked else "", "is_required": "1" if known.is_required else ""}
    return _edit(request, form_of(values), known.kind, known)


@requires(Permission.SHOP_MANAGE)
async def save(request: web.Request) -> web.Response:
    """POST /settings/questions/new or …/{id}."""
    form = await read_form(request)
    known = await question(id_in(request)) if "id" in request.match_info else None
    if known is None and form.value("kind") not in KINDS:
        raise web.HTTPNotFound
    kind = known.kind if known else QuestionKind(form.value("kind"))
    draft = QuestionDraft(
        kind, _labels(form, "label"), _choices(form), form.checked("is_required"), form.checked("is_asked")
    )
    try:
        await save_question(known.id if known else None, draft, actor=actor_of(request), now=now(request))
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        return _edit(request, form, kind, known, block="form", status=422)
    return await go_to(request, PATH, say=_("Saved"))


def _labels(form: Form, field: str) -> dict[str, str]:
    return {code: form.value(f"{field}_{code}") for code in LANGUAGE_NAMES}


def _choices(form: Form) -> list[ChoiceDraft]:
    drafts = []
    for number in range(CHOICES_AT_MOST):
        known = form.value(f"choice_{number}_id")
        drafts.append(ChoiceDraft(int(known) if is_id(known) else None, _labels(form, f"choice_{number}")))
    return drafts


@requires(Permission.SHOP_MANAGE)
async def move(request: web.Request) -> web.Response:
    """POST /settings/questions/{id}/up or /down."""
    step = MOVES[request.match_info["move"]]
    await move_question(id_in(request), step, actor=actor_of(request), now=now(request))
    return await _list_again(request)


@requires(Permission.SHOP_MANAGE)
async def ask(request: web.Request) -> web.Response:
    """POST /settings/questions/{id}/ask: `is_asked` and, for those of the profile, `is_required`."""
    form = await read_form(request)
    await set_asking(
        id_in(request),
        is_asked=form.checked("is_asked"),
        is_required=form.checked("is_required") if "is_required" in form.values else None,
        actor=actor_of(request),
        now=now(request),
    )
    return await _list_again(request)


async def _list_again(request: web.Request) -> web.Response:
    return await (_list(request, "rows") if is_htmx(request) else go_to(request, PATH))


@requires(Permission.SHOP_MANAGE)
async def delete(request: web.Request) -> web.Response:
    """POST /settings/questions/{id}/delete: at once, with an Undo."""
    question_id = id_in(request)
    await delete_question(question_id, actor=actor_of(request), now=now(request))
    said = _("The question is deleted; its answers stay.")
    return await go_to(request, PATH, say=said, undo_url=f"{PATH}/{question_id}/restore")


@requires(Permission.SHOP_MANAGE)
async def restore(request: web.Request) -> web.Response:
    """POST /settings/questions/{id}/restore."""
    await restore_question(id_in(request), actor=actor_of(request), now=now(request))
    return await go_to(request, PATH, say=_("The question is back."))


def _edit(
    request: web.Request,
    form: Form,
    kind: QuestionKind,
    known: Question | None,
    *,
    block: str | None = None,
    status: int = 200,
) -> web.Response:
    own = request[SHOP].language
    return page(
        request,
        "questions/edit.html",
        block=block,
        status=status,
        form=form,
        kind=kind.value,
        kind_name=_(KINDS[kind][0]),
        kind_hint=_(KINDS[kind][2]),
        known=known,
        title=title_of(known, own, own) if known else _("New question"),
        url=request.path,
        codes=sorted(LANGUAGE_NAMES, key=lambda code: code != own),
        rows=range(CHOICES_AT_MOST),
        label_length=LABEL_LENGTH,
        choice_length=CHOICE_LENGTH,
        answer_length=ANSWER_LENGTH,
    )


ROUTES = (
    web.get(PATH, show_list),
    web.get(f"{PATH}/new", show_new),
    web.post(f"{PATH}/new", save),
    web.get(PATH + r"/{id:\d{1,9}}", show_one),
    web.post(PATH + r"/{id:\d{1,9}}", save),
    web.post(PATH + r"/{id:\d{1,9}}/{move:up|down}", move),
    web.post(PATH + r"/{id:\d{1,9}}/ask", ask),
    web.post(PATH + r"/{id:\d{1,9}}/delete", delete),
    web.post(PATH + r"/{id:\d{1,9}}/restore", restore),
)
