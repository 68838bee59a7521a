"""Becoming a customer: language, terms, phone, name, birthday. It can be broken off and goes on where it was.

Nothing is written about a person before the last answer; then all of it is, with the time of each step.
"""

import re
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from bot.channels.base import EventKind
from bot.dialogs import join
from bot.dialogs.base import CUSTOMER, Dialog, Reply, Turn, button_value, said
from bot.texts import TERMS_VERSION, TEXTS, say
from loyalty import wording
from loyalty.bonuses.actions.once_only import grant_welcome
from loyalty.bonuses.actions.referrals import begin_referral
from loyalty.bonuses.queries import account as bonus_account
from loyalty.clock import business_date
from loyalty.conversations.rules import Said
from loyalty.customers.actions.accounts import link_account, set_language
from loyalty.customers.actions.profile import add_customer, add_steps, confirm_identity, set_consent
from loyalty.customers.queries import customer, find_by_phone
from loyalty.customers.rules import (
    NAME_LENGTH,
    Profile,
    Topic,
    Via,
    check_birthday,
    clean_name,
    normalise_phone,
    short_name,
)
from loyalty.errors import Invalid, Refused
from loyalty.shop.queries import programme_at
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
    return _ask_phone(turn, _done(turn, "terms"))


async def on_phone(turn: Turn) -> Reply:
    """The own contact proves the number; a typed one, or somebody else's, does not."""
    event, data = turn.event, turn.session.data
    if event.kind is not EventKind.CONTACT:
        key = "registration.phone" if event.kind is EventKind.START else "registration.phone_by_button"
        return _ask_phone(turn, data, key)
    if not event.is_own_phone:
        return _ask_phone(turn, data, "registration.phone_not_own")
    try:
        phone = normalise_phone(event.phone, turn.chain.region)
    except Invalid:
        return _ask_phone(turn, data, "registration.phone_wrong")
    data = {**_done(turn, "phone"), "phone": phone}
    thanks = said(turn.say("registration.phone_thanks"), menu=())
    known_id = await find_by_phone(phone)
    if known_id is None:
        return _ask_name(turn, data, thanks)
    # Somebody the shop knows already, from a till or another account: ask only for what is missing.
    known = await customer(known_id)
    data["name"] = known.name
    if known.birthday is None:
        return _ask_birthday(turn, data, thanks)
    return await _finish(turn, data, None, thanks)


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
        return await _finish(turn, turn.session.data, None)
    if event.kind is EventKind.START:
        return _ask_birthday(turn, turn.session.data)
    birthday = parse_birthday(event.text, business_date(turn.now, turn.chain.time_zone))
    if birthday is None:
        wrong = said(turn.say("registration.birthday_wrong"), buttons=((_skip(turn),),))
        return Reply((wrong,), "birthday", turn.session.data)
    return await _finish(turn, _done(turn, "birthday"), birthday)


async def _ask_language(turn: Turn, data: Any) -> Reply:
    names = tuple((turn.button(say(code, "language.name"), "language", code),) for code in LANGUAGES)
    question = turn.say("registration.language", shop=turn.chain.name or "Regulars")
    return Reply((said(question, buttons=names),), "language", data)


def _ask_terms(turn: Turn, data: Any) -> Reply:
    text = turn.say("registration.terms", shop=turn.chain.name or "Regulars")
    agree = turn.button(turn.say("registration.agree"), "terms", "yes")
    return Reply((said(text, buttons=((agree,),)),), "terms", data)


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


async def _finish(turn: Turn, data: Any, birthday: date | None, *before: Said) -> Reply:
    """Write the person, or find the one whose verified phone it is, and announce the welcome bonus."""
    customer_id, is_known = await _person(turn, data, birthday)
    await link_account(turn.account.id, customer_id, actor=CUSTOMER, now=turn.now)
    await set_consent(
        customer_id,
        Topic.TERMS,
        granted=True,
        source=turn.account.channel,
        text_version=f"{TERMS_VERSION} {turn.language}",
        actor=CUSTOMER,
        now=turn.now,
    )
    steps = [(step, datetime.fromisoformat(at)) for step, at in data["steps"]]
    await add_steps(customer_id, [*steps, ("registered", turn.now)], via=Via(turn.account.channel))
    invited = await _keep_invitation(turn, customer_id, data, is_new=not is_known)
    lines = await _greet(turn, customer_id, short_name(data["name"]).split()[0], is_known=is_known)
    if invited:
        lines.append(turn.say("registration.invited", bonuses=turn.bonuses(invited)))
    if await join.credit_in_vain(turn, customer_id, data.get("sales", ())):
        lines.append(turn.say("join.over"))
    return Reply((*before, said("\n".join(lines), menu=turn.menu())))


async def _greet(turn: Turn, customer_id: int, name: str, *, is_known: bool) -> list[str]:
    """Give the welcome bonus, if it was not given before, and say so.

    What the account holds is told as it was before the purchases of links: those have messages of their own.
    """
    given = await grant_welcome(customer_id, actor=CUSTOMER, now=turn.now)
    standing = await bonus_account(customer_id, now=turn.now)
    if is_known and not given:
        return [turn.say("registration.done_again", name=name, balance=turn.bonuses(max(0, standing.balance)))]
    lines = [turn.say("registration.done", name=name)]
    if given:
        lines.append(turn.say("registration.welcome", bonuses=turn.bonuses(given)))
        if standing.next_expiry is not None:
            last_day = business_date(standing.next_expiry[0] - standing.next_expiry[0].resolution, turn.chain.time_zone)
            lines.append(turn.say("registration.welcome_until", day=wording.day(last_day, turn.language)))
    return lines


async def _keep_invitation(turn: Turn, customer_id: int, data: Any, *, is_new: bool) -> int:
    """Keep by whose invitation they came, if by anybody's; what their first purchase brings them for it."""
    code = data.get("invited_with")
    if not code or not await begin_referral(customer_id, code, is_new=is_new, now=turn.now):
        return 0
    return (await programme_at(turn.now)).referral_invitee_bonus


async def _person(turn: Turn, data: Any, birthday: date | None) -> tuple[int, bool]:
    """(id, whether the shop knew them)."""
    known_id = await find_by_phone(data["phone"])
    if known_id is None:
        profile = Profile(data["name"], data["phone"], None, None, birthday, turn.language, None)
        via = Via(turn.account.channel)
        try:
            added = await add_customer(profile, via=via, actor=CUSTOMER, now=turn.now, phone_verified=True)
        except Refused as refused:
            # A till added this phone in the same moment.
            known_id = refused.details["customer_id"]
        else:
            return added.id, False
    assert known_id is not None
    await confirm_identity(known_id, language=turn.language, birthday=birthday, actor=CUSTOMER, now=turn.now)
    return known_id, True


def _done(turn: Turn, step: str) -> dict[str, Any]:
    """The session's data with one more step and its time."""
    data = dict(turn.session.data)
    data["steps"] = [*data.get("steps", []), [step, turn.now.isoformat()]]
    return data


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
        "phone": on_phone,
        "name": on_name,
        "birthday": on_birthday,
    }
)
