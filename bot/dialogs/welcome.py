"""The end of a registration: the person is written, or found, and greeted with what they get."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from bot.dialogs import entry, join, topics
from bot.dialogs.base import CUSTOMER, Reply, Turn, said
from bot.texts import TERMS_VERSION
from loyalty import wording
from loyalty.bonuses.actions.once_only import grant_welcome
from loyalty.bonuses.actions.referrals import begin_referral
from loyalty.bonuses.queries import account as bonus_account
from loyalty.clock import business_date
from loyalty.conversations.greetings import WELCOME
from loyalty.conversations.queries.greetings import own_words
from loyalty.conversations.rules import Said
from loyalty.customers.actions.accounts import link_account
from loyalty.customers.actions.profile import add_customer, add_steps, confirm_identity, set_consent
from loyalty.customers.actions.questions import keep_answers
from loyalty.customers.queries import find_by_phone
from loyalty.customers.questionnaire import Given
from loyalty.customers.rules import TYPED_PHONE, Profile, Topic, Via, short_name
from loyalty.errors import Refused
from loyalty.office.actions.links import ask_link, free_phone


@dataclass(frozen=True, slots=True)
class _Found:
    """Who came. `is_known`: the shop had them. `may_be_id`: the customer whose number they named without a proof.

    claimants: accounts that had named the number which this person has proven.
    """

    id: int
    is_known: bool = False
    may_be_id: int | None = None
    claimants: tuple[int, ...] = ()


async def finish(turn: Turn, data: Any, *before: Said) -> Reply:
    """Write the person, or find the one whose verified phone it is, and announce the welcome bonus."""
    found = await _person(turn, data)
    await link_account(turn.account.id, found.id, actor=CUSTOMER, now=turn.now)
    await set_consent(
        found.id,
        Topic.TERMS,
        granted=True,
        source=turn.account.channel,
        text_version=_shown(turn, data, "terms_text"),
        actor=CUSTOMER,
        now=turn.now,
    )
    # Of a registration that began before the question was asked, there is no answer.
    if "offers" in data:
        text = _shown(turn, data, "offers_text")
        await topics.answer(turn, Topic.MARKETING, granted=data["offers"], text_version=text)
    await _keep_answers(turn, found.id, data)
    await entry.keep(turn, found.id, data)
    steps = [(step, datetime.fromisoformat(at)) for step, at in data["steps"]]
    await add_steps(found.id, [*steps, ("registered", turn.now)], via=Via(turn.account.channel))
    invited = await _keep_invitation(turn, found.id, data, is_new=not found.is_known)
    lines = await _greet(turn, found, short_name(data["name"]).split()[0])
    if invited:
        lines.append(turn.say("registration.invited", bonuses=turn.bonuses(invited)))
    if await join.credit_in_vain(turn, found.id, data.get("sales", ())):
        lines.append(turn.say("join.over"))
    for account_id in found.claimants:
        await ask_link(account_id, found.id, actor=CUSTOMER, now=turn.now)
    return Reply((*before, said("\n".join(lines), menu=turn.menu())))


def _shown(turn: Turn, data: Any, name: str) -> str:
    """Which text the person answered to. Sessions of the time when there was only one do not say so."""
    return str(data.get(name, f"{TERMS_VERSION} {turn.language}"))


def written(given: Given) -> dict[str, Any]:
    """An answer as a session keeps it."""
    return {"text": given.text, "day": given.day.isoformat() if given.day else None, "choice": given.choice}


async def _keep_answers(turn: Turn, customer_id: int, data: Any) -> None:
    """Keep what was answered to the shop's own questions."""
    answers: dict[int, Given | None] = {
        int(number): Given(one["text"], date.fromisoformat(one["day"]) if one["day"] else None, one["choice"])
        for number, one in data.get("answers", {}).items()
    }
    if answers:
        via = Via(turn.account.channel)
        await keep_answers(customer_id, answers, via=via, actor=CUSTOMER, now=turn.now)


async def _greet(turn: Turn, found: _Found, name: str) -> list[str]:
    """Give the welcome bonus, if it was not given before, and say so.

    What the account holds is told as it was before the purchases of links: those have messages of their own. Whoever
    may be another customer waits for it until that is decided.
    """
    if found.may_be_id is not None:
        asked = await ask_link(turn.account.id, found.may_be_id, actor=CUSTOMER, now=turn.now)
        if asked is not None:
            return [await _welcome(turn, name), turn.say("registration.link_waiting")]
    given = await grant_welcome(found.id, actor=CUSTOMER, now=turn.now)
    standing = await bonus_account(found.id, now=turn.now)
    if found.is_known and not given:
        return [turn.say("registration.done_again", name=name, balance=turn.bonuses(max(0, standing.balance)))]
    lines = [await _welcome(turn, name)]
    if given:
        lines.append(turn.say("registration.welcome", bonuses=turn.bonuses(given)))
        if standing.next_expiry is not None:
            last_day = business_date(standing.next_expiry[0] - standing.next_expiry[0].resolution, turn.chain.time_zone)
            lines.append(turn.say("registration.welcome_until", day=wording.day(last_day, turn.language)))
    return lines


async def _welcome(turn: Turn, name: str) -> str:
    """The first words to a new customer, the shop's own if it has any."""
    return WELCOME.text(turn.language, {"first_name": name}, await own_words(WELCOME.name, turn.language))


async def _keep_invitation(turn: Turn, customer_id: int, data: Any, *, is_new: bool) -> int:
    """Keep by whose invitation they came, if by anybody's; what their first purchase brings them for it."""
    code = data.get("invited_with")
    if not code or not await begin_referral(customer_id, code, is_new=is_new, now=turn.now):
        return 0
    return turn.programme.referral_invitee_bonus


async def _person(turn: Turn, data: Any) -> _Found:
    """Whoever came, by the number they gave: joined to its owner only if they have proven it."""
    # The messenger may vouch by now for what was typed.
    is_proven = turn.account.phone == data["phone"] or all(step != TYPED_PHONE for step, _ in data["steps"])
    claimants = await free_phone(data["phone"], actor=CUSTOMER, now=turn.now) if is_proven else []
    owner = await find_by_phone(data["phone"])
    if owner is None:
        try:
            added = await _add(turn, data, data["phone"], is_proven=is_proven)
        except Refused as refused:
            # A till added this phone in the same moment.
            owner = refused.details["customer_id"]
        else:
            return _Found(added, claimants=tuple(claimants))
    assert owner is not None
    if not is_proven:
        return _Found(await _add(turn, data, None, is_proven=False), may_be_id=owner)
    await confirm_identity(
        owner,
        language=turn.language,
        birthday=_birthday(data),
        gender=data.get("gender"),
        actor=CUSTOMER,
        now=turn.now,
    )
    return _Found(owner, is_known=True)


def _birthday(data: Any) -> date | None:
    return date.fromisoformat(data["birthday"]) if "birthday" in data else None


async def _add(turn: Turn, data: Any, phone: str | None, *, is_proven: bool) -> int:
    profile = Profile(data["name"], phone, None, data.get("gender"), _birthday(data), turn.language, None)
    via = Via(turn.account.channel)
    added = await add_customer(profile, via=via, actor=CUSTOMER, now=turn.now, phone_verified=is_proven)
    return added.id
