"""Becoming a customer: language, terms, offers, phone, name, birthday. Broken off, it goes on where it was.

Nothing is written about a person before the last answer; then all of it is, with the time of each step.
"""

import re
from dataclasses import replace
from datetime import date
from typing import Any

from bot.channels.base import EventKind
from bot.dialogs.base import CUSTOMER, Dialog, Reply, Turn, button_value, said
from bot.dialogs.welcome import finish
from bot.texts import TEXTS, say
from loyalty.clock import business_date
from loyalty.conversations.rules import Said
from loyalty.customers.actions.accounts import set_language
from loyalty.customers.queries import customer
from loyalty.customers.queries.links import phone_owner
from loyalty.customers.rules import NAME_LENGTH, TYPED_PHONE, check_birthday, clean_name, normalise_phone
from loyalty.errors import Invalid
from loyalty.staff.rules import LANGUAGES

_DATE = re.compile(r"\s*(\d{1,4})\s*[.\-/ ]\s*(\d{1,2})\s*[.\-/ ]\s*(\d{1,4})\s*(?:г\.?|р\.?)?\s*")


async def begin(turn: Turn) -> Reply:
    """The first question, in the language the messenger tells."""
    return await _ask_language(turn, {**turn.session.data, "steps": [["started", turn.now.isoformat()]]})


async def on_language(turn: Turn) -> Reply:
    """A language was chosen, by button or by its name."""
    chosen = button_value(turn.event) if turn.event.kind is EventKind.BUTTON else _language_named(turn.event.text)
    if chosen not in LANGUAGES:
        return await _ask_language(turn, turn.session.data)
    await set_language(turn.account.id, chosen, actor=CUSTOMER, now=turn.now)
    return _ask_terms(replace(turn, language=chosen), _done(turn, "language"))


async def on_terms(turn: Turn) -> Reply:
    """The terms were agreed to; nothing but the button, or its words, counts."""
    agreed = turn.event.kind is EventKind.BUTTON or _is_said(turn, "registration.agree")
    if turn.event.kind is EventKind.START:
        return _ask_terms(turn, turn.session.data)
    if not agreed:
        again = _ask_terms(turn, turn.session.data)
        return replace(again, said=(said(turn.say("registration.agree_first")), *again.said))
    return _ask_offers(turn, _done(turn, "terms"))


async def on_offers(turn: Turn) -> Reply:
    """Whether we may write about offers: yes or no, by button or in words. Neither is assumed."""
    if turn.event.kind is EventKind.BUTTON:
        chosen = button_value(turn.event)
    else:
        chosen = next((word for word in ("yes", "no") if _is_said(turn, f"registration.offers_{word}")), "")
    if chosen not in {"yes", "no"}:
        key = "registration.offers" if turn.event.kind is EventKind.START else "registration.offers_choose"
        return _ask_offers(turn, turn.session.data, key)
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
    if known.birthday is None:
        return _ask_birthday(turn, data, thanks)
    return await finish(turn, data, None, thanks)


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
    return _ask_birthday(turn, {**_done(turn, "name"), "name": name})


async def on_birthday(turn: Turn) -> Reply:
    """A date in any of the usual spellings, or none."""
    event = turn.event
    if event.kind is EventKind.BUTTON or (event.kind is EventKind.TEXT and _is_said(turn, "registration.skip")):
        return await finish(turn, turn.session.data, None)
    if event.kind is EventKind.START:
        return _ask_birthday(turn, turn.session.data)
    birthday = parse_birthday(event.text, business_date(turn.now, turn.chain.time_zone))
    if birthday is None:
        wrong = said(turn.say("registration.birthday_wrong"), buttons=((_skip(turn),),))
        return Reply((wrong,), "birthday", turn.session.data)
    return await finish(turn, _done(turn, "birthday"), birthday)


async def _ask_language(turn: Turn, data: Any) -> Reply:
    names = tuple((turn.button(say(code, "language.name"), "language", code),) for code in LANGUAGES)
    question = turn.say("registration.language", shop=turn.chain.name or "Regulars")
    return Reply((said(question, buttons=names),), "language", data)


def _ask_terms(turn: Turn, data: Any) -> Reply:
    text = turn.say("registration.terms", shop=turn.chain.name or "Regulars")
    agree = turn.button(turn.say("registration.agree"), "terms", "yes")
    return Reply((said(text, buttons=((agree,),)),), "terms", data)


def _ask_offers(turn: Turn, data: Any, key: str = "registration.offers") -> Reply:
    yes, no = (turn.button(turn.say(f"registration.offers_{word}"), "offers", word) for word in ("yes", "no"))
    return Reply((said(turn.say(key), buttons=((yes, no),)),), "offers", data)


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


def _ask_birthday(turn: Turn, data: Any, *before: Said) -> Reply:
    question = said(turn.say("registration.birthday"), buttons=((_skip(turn),),))
    return Reply((*before, question), "birthday", data)


def _skip(turn: Turn) -> Any:
    return turn.button(turn.say("registration.skip"), "birthday", "skip")


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


def parse_birthday(text: str, today: date) -> date | None:
    """A date as people type it: day first ("24.08.1991", "24/8/1991") or year first ("1991-08-24")."""
    match = _DATE.fullmatch(text[:40])
    if match is None:
        return None
    first, month, last = match.groups()
    if len(first) == 4:
        first, last = last, first
    if len(last) != 4 or len(first) > 2:
        return None
    try:
        return check_birthday(date(int(last), int(month), int(first)), today)
    except (ValueError, Invalid):
        return None


DIALOG = Dialog(
    steps={
        "language": on_language,
        "terms": on_terms,
        "offers": on_offers,
        "phone": on_phone,
        "name": on_name,
        "birthday": on_birthday,
    }
)
