"""The shop's questions: asked of newcomers one after the other, and of customers who look for them in the settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.channels.base import EventKind
from bot.dialogs.base import CUSTOMER, Dialog, Reply, Turn, button_value, said
from bot.texts import TEXTS
from loyalty.clock import business_date
from loyalty.conversations.content import Button
from loyalty.conversations.rules import Said
from loyalty.customers.actions.profile import correct_birthday
from loyalty.customers.actions.questions import keep_answers, name_gender
from loyalty.customers.queries.questions import unanswered
from loyalty.customers.questionnaire import (
    ANSWER_LENGTH,
    GENDERS,
    Given,
    Question,
    QuestionKind,
    parse_day,
    read_typed,
    said_in,
)
from loyalty.customers.rules import Via, check_birthday
from loyalty.errors import Invalid, Refused

SKIP = "skip"
STEP = "own_question"


@dataclass(frozen=True, slots=True)
class Heard:
    """What somebody answered: a birthday, a gender, or the answer to one of the shop's own; nothing: they skip it."""

    birthday: date | None = None
    gender: str | None = None
    given: Given | None = None

    @property
    def is_skipped(self) -> bool:
        """Whether nothing was said."""
        return self == Heard()


def ask(turn: Turn, asked: Question, step: str, *, wrong: str = "", can_skip: bool) -> Said:
    """The question with its buttons, which answer `step`. wrong: why it is asked once more."""
    buttons = [(Button(label, data),) for label, data in _offered(turn, asked, step)]
    if can_skip:
        buttons.append((turn.button(turn.say("registration.skip"), step, SKIP),))
    words = _words(turn, asked)
    # What is wrong with a birthday says what is wanted: the question itself would only repeat it.
    text = wrong if wrong and asked.kind is QuestionKind.BIRTHDAY else f"{wrong}\n{words}" if wrong else words
    return said(text, buttons=tuple(buttons))


def _offered(turn: Turn, asked: Question, step: str) -> list[tuple[str, str]]:
    """Label and data of what can be pressed."""
    if asked.kind is QuestionKind.GENDER:
        pairs = [(turn.say(f"registration.gender_{gender}"), gender) for gender in GENDERS]
    else:
        pairs = [(said_in(one.labels, turn.language, turn.chain.language), str(one.id)) for one in asked.offered]
    return [(label, turn.button(label, step, value).data) for label, value in pairs]


def _words(turn: Turn, asked: Question) -> str:
    if asked.kind is QuestionKind.BIRTHDAY:
        return turn.say("registration.birthday")
    if asked.kind is QuestionKind.GENDER:
        return turn.say("registration.gender")
    words = said_in(asked.labels, turn.language, turn.chain.language)
    return turn.say("questions.date", question=words) if asked.kind is QuestionKind.DATE else words


def heard(turn: Turn, asked: Question, *, can_skip: bool) -> Heard | str:
    """What the event answers to a question, or why that is no answer to it, in the person's language."""
    event = turn.event
    value = button_value(event) if event.kind is EventKind.BUTTON else ""
    is_skip = value == SKIP or (event.kind is EventKind.TEXT and _is_said(event.text, "registration.skip"))
    if is_skip:
        return Heard() if can_skip else turn.say("questions.required")
    if asked.kind is QuestionKind.BIRTHDAY:
        birthday = parse_birthday(event.text, business_date(turn.now, turn.chain.time_zone))
        return Heard(birthday=birthday) if birthday else turn.say("registration.birthday_wrong")
    if asked.kind is QuestionKind.GENDER:
        gender = value or next((one for one in GENDERS if _is_said(event.text, f"registration.gender_{one}")), "")
        return Heard(gender=gender) if gender in GENDERS else turn.say("questions.unknown_choice")
    return _own(turn, asked, value)


def _own(turn: Turn, asked: Question, value: str) -> Heard | str:
    """The answer to one of the shop's own questions."""
    if value:
        is_offered = any(str(choice.id) == value for choice in asked.offered)
        return Heard(given=Given(choice=int(value))) if is_offered else turn.say("questions.unknown_choice")
    try:
        return Heard(given=read_typed(asked, turn.event.text if turn.event.kind is EventKind.TEXT else ""))
    except Invalid as error:
        if error.reason == "required":
            return turn.say("questions.text")
        values = {"limit": str(ANSWER_LENGTH)} if error.reason == "too_long" else {}
        return turn.say(f"questions.{error.reason}", **values)


def parse_birthday(text: str, today: date) -> date | None:
    """A birthday in any of the usual spellings; None for what is none."""
    day = parse_day(text)
    try:
        return check_birthday(day, today) if day else None
    except Invalid:
        return None


def _is_said(text: str, key: str) -> bool:
    typed = text.strip().casefold()
    return any(texts[key].casefold() == typed for texts in TEXTS.values())


# ------------------------------------------------------------------------- of a registered customer


async def begin(turn: Turn) -> Reply:
    """Ask what nothing is known about yet; any of it may be skipped."""
    return await _next(turn, [])


async def on_answer(turn: Turn) -> Reply:
    """Keep the answer to the question that was asked, and ask the next one."""
    passed, asked_id = list(turn.session.data.get("passed", [])), turn.session.data.get("asked")
    asked = next((one for one in await unanswered(turn.customer_id()) if one.id == asked_id), None)
    if asked is not None:
        answer = heard(turn, asked, can_skip=True)
        if isinstance(answer, str):
            again = ask(turn, asked, STEP, wrong=answer, can_skip=True)
            return Reply((again,), STEP, turn.session.data)
        if not await _keep(turn, asked, answer):
            passed.append(asked.id)
    return await _next(turn, passed)


async def _keep(turn: Turn, asked: Question, answer: Heard) -> bool:
    """Keep one answer; False: there is none, or it is not taken any more."""
    customer_id = turn.customer_id()
    try:
        if answer.birthday is not None:
            await correct_birthday(customer_id, answer.birthday, actor=CUSTOMER, now=turn.now)
        elif answer.gender is not None:
            await name_gender(customer_id, answer.gender, actor=CUSTOMER, now=turn.now)
        elif answer.given is not None:
            via = Via(turn.account.channel)
            await keep_answers(customer_id, {asked.id: answer.given}, via=via, actor=CUSTOMER, now=turn.now)
    except Refused:
        return False
    return not answer.is_skipped


async def _next(turn: Turn, passed: Sequence[int]) -> Reply:
    left = [one for one in await unanswered(turn.customer_id()) if one.id not in passed]
    if not left:
        return Reply((said(turn.say("questions.done"), menu=turn.menu()),))
    data: dict[str, Any] = {"asked": left[0].id, "passed": list(passed)}
    return Reply((ask(turn, left[0], STEP, can_skip=True),), STEP, data)


DIALOG = Dialog(steps={STEP: on_answer}, buttons={"questions_ask": begin}, typed=frozenset({STEP}))
