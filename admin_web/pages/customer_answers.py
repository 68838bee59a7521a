"""What a customer answered to the shop's own questions: a part of their card, and its form."""

from dataclasses import dataclass
from datetime import date, datetime

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.formats import format_date
from admin_web.forms import Form, form_of, id_in, is_id, read_form
from admin_web.i18n import gettext as _
from admin_web.keys import SHOP, now
from admin_web.render import go_to, page
from loyalty.customers.actions.questions import keep_answers
from loyalty.customers.queries import customer
from loyalty.customers.queries.questions import AnswerView, answers_of
from loyalty.customers.questionnaire import ANSWER_LENGTH, Choice, Given, Question, QuestionKind, said_in
from loyalty.customers.rules import Via, check_note
from loyalty.errors import Invalid, LoyaltyError, NotFound
from loyalty.staff.rules import Permission


@dataclass(frozen=True, slots=True)
class AnswerShown:
    """An answer in words; empty for none. `is_deleted`: the question is gone, its answer stays."""

    title: str
    words: str
    at: datetime | None
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class AnswerField:
    """A question as a field of the form. options: of a choice, what can be chosen."""

    name: str
    title: str
    kind: str
    options: list[tuple[str, str]]


async def answers_shown(request: web.Request, customer_id: int) -> list[AnswerShown]:
    """The shop's own questions with what this customer answered, in the shop's language."""
    language = request[SHOP].language
    return [
        AnswerShown(
            said_in(view.question.labels, language, language),
            words_of(view.question, view.given, language) if view.given else "",
            view.at,
            view.question.deleted_at is not None,
        )
        for view in await answers_of(customer_id)
    ]


def words_of(asked: Question, given: Given, language: str) -> str:
    """An answer in words."""
    if given.day is not None:
        return format_date(given.day, "d MMMM y")
    if given.text is not None:
        return given.text
    chosen = asked.choice(given.choice)
    return said_in(chosen.labels, language, language) if chosen else ""


@requires(Permission.CUSTOMERS_EDIT)
async def show(request: web.Request) -> web.Response:
    """GET /customers/{id}/answers: the form; a dialog for htmx."""
    views = await _views(request)
    values = {_name(view.question): _value(view.given) for view in views}
    return await _form(request, form_of(values), views)


@requires(Permission.CUSTOMERS_EDIT)
async def save(request: web.Request) -> web.Response:
    """POST /customers/{id}/answers: what is emptied is taken back. Sent twice it changes nothing more."""
    form, views, customer_id = await read_form(request), await _views(request), id_in(request)
    answers = {view.question.id: _read(form, view.question) for view in views if _name(view.question) in form.values}
    if form.ok:
        try:
            await keep_answers(customer_id, answers, via=Via.PANEL, actor=actor_of(request), now=now(request))
        except NotFound:
            raise
        except LoyaltyError as error:
            form.refuse(error)
        else:
            return await go_to(request, f"/customers/{customer_id}", say=_("Saved"))
    return await _form(request, form, views, status=422)


async def _views(request: web.Request) -> list[AnswerView]:
    return [view for view in await answers_of(id_in(request)) if view.question.deleted_at is None]


async def _form(request: web.Request, form: Form, views: list[AnswerView], *, status: int = 200) -> web.Response:
    language = request[SHOP].language
    return page(
        request,
        "customers/answers.html",
        block="form" if request.method == "POST" else "dialog",
        status=status,
        form=form,
        person=await customer(id_in(request)),
        fields=[_field(view, language) for view in views],
        answer_length=ANSWER_LENGTH,
    )


def _field(view: AnswerView, language: str) -> AnswerField:
    asked = view.question
    offered: list[Choice] = list(asked.offered)
    chosen = asked.choice(view.given.choice) if view.given else None
    if chosen is not None and chosen.is_removed:
        # Who gave it keeps it, until somebody says otherwise.
        offered.append(chosen)
    options = [("", "—"), *((str(one.id), said_in(one.labels, language, language)) for one in offered)]
    return AnswerField(_name(asked), said_in(asked.labels, language, language), asked.kind.value, options)


def _name(asked: Question) -> str:
    return f"answer_{asked.id}"


def _value(given: Given | None) -> str | date | int | None:
    if given is None:
        return None
    return given.text or given.day or given.choice


def _read(form: Form, asked: Question) -> Given | None:
    """What stands in the field of a question; None for nothing."""
    name = _name(asked)
    typed = form.text(name)
    if not typed:
        return None
    if asked.kind is QuestionKind.DATE:
        day = form.day(name)
        return Given(day=day) if day else None
    if asked.kind is QuestionKind.CHOICE:
        if not is_id(typed) or asked.choice(int(typed)) is None:
            form.refuse(Invalid(name, "unknown_choice"))
            return None
        return Given(choice=int(typed))
    try:
        return Given(text=check_note(typed, ANSWER_LENGTH))
    except Invalid as error:
        form.refuse(Invalid(name, error.reason, **error.details))
        return None


ROUTES = (web.get("/customers/{id}/answers", show), web.post("/customers/{id}/answers", save))
