"""Becoming a customer: language, terms, offers, phone, name, questions. Broken off, it goes on where it was.

Nothing is written about a person before the last answer; then all of it is, with the time of each step.
"""

from dataclasses import replace
from typing import Any

from bot.channels.base import EventKind
from bot.dialogs import questionnaire
from bot.dialogs.base import CUSTOMER, Dialog, Reply, Turn, button_value, said
from bot.dialogs.welcome import finish, written
from bot.texts import TEXTS, say
from loyalty.conversations.content import Button
from loyalty.conversations.greetings import GREETING
from loyalty.conversations.queries.greetings import own_words
from loyalty.conversations.rules import Said
from loyalty.customers.actions.accounts import set_language
from loyalty.customers.queries import customer
from loyalty.customers.queries.consent_texts import newest_words
from loyalty.customers.queries.links import phone_owner
from loyalty.customers.queries.questions import questions, unanswered
from loyalty.customers.questionnaire import OF_PROFILE, Question
from loyalty.customers.rules import NAME_LENGTH, TYPED_PHONE, Topic, clean_name, normalise_phone
from loyalty.errors import Invalid
from loyalty.staff.rules import LANGUAGES


async def begin(turn: Turn) -> Reply:
    """The first question, in the language the messenger tells."""
    return await _ask_language(turn, {**turn.session.data, "steps": [["started", turn.now.isoformat()]]})


async def on_language(turn: Turn) -> Reply:
    """A language was chosen, by button or by its name."""
    chosen = button_value(turn.event) if turn.event.kind is EventKind.BUTTON else _language_named(turn.event.text)
    if chosen not in LANGUAGES:
        return await _ask_language(turn, turn.session.data)
    await set_language(turn.account.id, chosen, actor=CUSTOMER, now=turn.now)
    return await _ask_terms(replace(turn, language=chosen), _done(turn, "language"))


async def on_terms(turn: Turn) -> Reply:
    """The terms were agreed to; nothing but the button, or its words, counts."""
    agreed = turn.event.kind is EventKind.BUTTON or _is_said(turn, "registration.agree")
    if turn.event.kind is EventKind.START:
        return await _ask_terms(turn, turn.session.data)
    if not agreed:
        again = await _ask_terms(turn, turn.session.data)
        return replace(again, said=(said(turn.say("registration.agree_first")), *again.said))
    return await _ask_offers(turn, _done(turn, "terms"))


async def on_offers(turn: Turn) -> Reply:
    """Whether we may write about offers: yes or no, by button or in words. Neither is assumed."""
    if turn.event.kind is EventKind.BUTTON:
        chosen = button_value(turn.event)
    else:
        chosen = next((word for word in ("yes", "no") if _is_said(turn, f"registration.offers_{word}")), "")
    if chosen not in {"yes", "no"}:
        again = await _ask_offers(turn, turn.session.data)
        if turn.event.kind is EventKind.START:
            return again
        return replace(again, said=(said(turn.say("registration.offers_choose")), *again.said))
    return await _go_to_phone(turn, {**_done(turn, "offers"), "offers": chosen == "yes"})


async def _go_to_phone(turn: Turn, data: Any) -> Reply:
    """Ask for the number, unless the messenger vouches for the one that they write from."""
    if turn.can.can_ask_contact:
        return _ask_phone(turn, data)
    if turn.account.phone is None:
        return _ask_phone(turn, data, "registration.phone_type")
    thanks = said(turn.say("registration.phone_of_chat", phone=turn.account.phone))
    return await _with_phone(turn, {**_done_in(data, "phone", turn), "phone": turn.account.phone}, thanks)


async def on_phone(turn: Turn) -> Reply:
    """The own contact proves the number; a typed one, or somebody else's, does not.

    A typed one counts only where the messenger cannot show a contact: it is kept as what it is, somebody's word.
    """
    event, data = turn.event, turn.session.data
    if event.kind is not EventKind.CONTACT and not turn.can.can_ask_contact:
        return await _typed_phone(turn)
    if event.kind is not EventKind.CONTACT:
        key = "registration.phone" if event.kind is EventKind.START else "registration.phone_by_button"
        return _ask_phone(turn, data, key)
    if not event.is_own_phone:
        return _ask_phone(
            turn, data, "registration.phone_not_own" if turn.can.can_ask_contact else "registration.phone_type"
        )
    try:
        phone = normalise_phone(event.phone, turn.chain.region)
    except Invalid:
        return _ask_phone(turn, data, "registration.phone_wrong")
    thanks = said(turn.say("registration.phone_thanks"), menu=())
    return await _with_phone(turn, {**_done(turn, "phone"), "phone": phone}, thanks)


async def _typed_phone(turn: Turn) -> Reply:
    """A number without a proof. Nothing is told of whom the shop knows by it."""
    if turn.event.kind is not EventKind.TEXT:
        return _ask_phone(turn, turn.session.data, "registration.phone_type")
    try:
        phone = normalise_phone(turn.event.text, turn.chain.region)
    except Invalid:
        return _ask_phone(turn, turn.session.data, "registration.phone_unread")
    data = {**_done(turn, TYPED_PHONE), "phone": phone}
    return _ask_name(turn, data, said(turn.say("registration.phone_kept")))


async def _with_phone(turn: Turn, data: Any, thanks: Said) -> Reply:
    """Go on with a proven number: ask only for what is missing."""
    owner = await phone_owner(data["phone"])
    if owner is None or owner.is_claimed:
        return _ask_name(turn, data, thanks)
    # Somebody the shop knows already, from a till or another account.
    known = await customer(owner.customer_id)
    data["name"] = known.name
    missing = {question.id for question in await unanswered(known.id)}
    data["passed"] = [question.key for question in await questions() if question.id not in missing]
    return await _next_question(turn, data, thanks)


async def on_name(turn: Turn) -> Reply:
    """A name as its owner writes it, or as the messenger knows it, by one tap."""
    event = turn.event
    text = turn.account.name if event.kind is EventKind.BUTTON else event.text
    if event.kind not in {EventKind.BUTTON, EventKind.TEXT}:
        return _ask_name(turn, turn.session.data)
    try:
        name = clean_name(text)
    except Invalid as error:
        values = {"limit": str(NAME_LENGTH)} if error.reason == "too_long" else {}
        wrong = turn.say(f"registration.name_{error.reason}", **values)
        return replace(_ask_name(turn, turn.session.data), said=(_name_question(turn, wrong),))
    return await _next_question(turn, {**_done(turn, "name"), "name": name})


async def on_question(turn: Turn) -> Reply:
    """The answer to a question of the shop's. One that it deleted meanwhile is passed over."""
    data = dict(turn.session.data)
    # A session of the time when only the birthday was asked does not name it.
    key = data.get("question", turn.session.step)
    asked = next((question for question in await questions() if question.key == key), None)
    if asked is None:
        return await _next_question(turn, _passed(data, key))
    if turn.event.kind is EventKind.START:
        return await _next_question(turn, data)
    answer = questionnaire.heard(turn, asked, can_skip=not asked.is_required)
    if isinstance(answer, str):
        return _ask_question(turn, data, asked, wrong=answer)
    if answer.is_skipped:
        return await _next_question(turn, _passed(data, key))
    data = _passed(_done(turn, key), key)
    if answer.birthday is not None:
        data["birthday"] = answer.birthday.isoformat()
    elif answer.gender is not None:
        data["gender"] = answer.gender
    elif answer.given is not None:
        data["answers"] = {**data.get("answers", {}), str(asked.id): written(answer.given)}
    return await _next_question(turn, data)


def _passed(data: Any, key: str) -> dict[str, Any]:
    """The session's data, which knows that a question was answered or skipped."""
    return {**data, "passed": [*data.get("passed", []), key]}


async def _next_question(turn: Turn, data: Any, *before: Said) -> Reply:
    """Ask what is asked now and was not yet, in the shop's order; after the last one, the person is written."""
    passed = data.get("passed", [])
    left = [question for question in await questions() if question.is_asked and question.key not in passed]
    if left:
        return _ask_question(turn, data, left[0], *before)
    return await finish(turn, data, *before)


def _ask_question(turn: Turn, data: Any, asked: Question, *before: Said, wrong: str = "") -> Reply:
    step = asked.kind.value if asked.kind in OF_PROFILE else "question"
    words = questionnaire.ask(turn, asked, step, wrong=wrong, can_skip=not asked.is_required)
    return Reply((*before, words), step, {**data, "question": asked.key})


async def _ask_language(turn: Turn, data: Any) -> Reply:
    names = tuple((turn.button(say(code, "language.name"), "language", code),) for code in LANGUAGES)
    own = await own_words(GREETING.name, turn.language)
    greeting = GREETING.text(turn.language, {"shop": _shop(turn)}, own)
    question = f"{greeting}\n{turn.say('registration.which_language')}"
    return Reply((said(question, buttons=names),), "language", data)


async def _ask_terms(turn: Turn, data: Any) -> Reply:
    """The newest terms; which these are is known to the session, however long the answer takes."""
    words = await newest_words(Topic.TERMS, turn.language, turn.chain.language)
    agree = turn.button(turn.say("registration.agree"), "terms", "yes")
    asked = _asked(turn, words.shown(_shop(turn)), (agree,))
    return Reply(asked, "terms", {**data, "terms_text": words.mark})


def _asked(turn: Turn, text: str, row: tuple[Button, ...]) -> tuple[Said, ...]:
    """A text with buttons; one that is too long to stand above them stands before them, whole."""
    if len(text) <= turn.can.asking_length:
        return (said(text, buttons=(row,)),)
    return said(text), said(turn.say("registration.agree_ask"), buttons=(row,))


async def _ask_offers(turn: Turn, data: Any) -> Reply:
    words = await newest_words(Topic.MARKETING, turn.language, turn.chain.language)
    yes, no = (turn.button(turn.say(f"registration.offers_{word}"), "offers", word) for word in ("yes", "no"))
    question = said(words.shown(_shop(turn)), buttons=((yes, no),))
    return Reply((question,), "offers", {**data, "offers_text": words.mark})


def _shop(turn: Turn) -> str:
    return turn.chain.name or "Regulars"


def _ask_phone(turn: Turn, data: Any, key: str = "registration.phone") -> Reply:
    return Reply((said(turn.say(key), ask_contact=turn.say("registration.share")),), "phone", data)


def _ask_name(turn: Turn, data: Any, *before: Said) -> Reply:
    return Reply((*before, _name_question(turn, turn.say("registration.name"))), "name", data)


def _name_question(turn: Turn, text: str) -> Said:
    try:
        known = clean_name(turn.account.name)
    except Invalid:
        return said(text)
    return said(text, buttons=((turn.button(known, "name", "own"),),))


def _done(turn: Turn, step: str) -> dict[str, Any]:
    """The session's data with one more step and its time."""
    return _done_in(turn.session.data, step, turn)


def _done_in(data: Any, step: str, turn: Turn) -> dict[str, Any]:
    return {**data, "steps": [*data.get("steps", []), [step, turn.now.isoformat()]]}


def _is_said(turn: Turn, key: str) -> bool:
    text = turn.event.text.strip().casefold()
    return any(texts[key].casefold() == text for texts in TEXTS.values())


def _language_named(text: str) -> str:
    wanted = text.strip().casefold()
    return next((code for code in LANGUAGES if say(code, "language.name").casefold() == wanted), "")


DIALOG = Dialog(
    steps={
        "language": on_language,
        "terms": on_terms,
        "offers": on_offers,
        "phone": on_phone,
        "name": on_name,
        "birthday": on_question,
        "gender": on_question,
        "question": on_question,
    }
)
