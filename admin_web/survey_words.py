"""Surveys in words: groups and their colours, where a question stands, why somebody is not asked, periods."""

from admin_web.formats import num
from admin_web.i18n import gettext, mark, ngettext
from loyalty.surveys.rules import Group, ProgrammeDraft, Skip, State

GROUPS = {
    Group.PROMOTER: (mark("Promoters"), "c3", "good"),
    Group.PASSIVE: (mark("Passives"), "c5", ""),
    Group.DETRACTOR: (mark("Detractors"), "c2", "bad"),
}
"""Group -> (its name, the class of its colour in charts, the tint of its badge)."""
STATES = {
    State.WAITING: (mark("Will be asked"), ""),
    State.ASKED: (mark("Asked, no answer"), "acc"),
    State.ANSWERED: (mark("Answered"), "good"),
    State.SKIPPED: (mark("Not asked"), ""),
    State.EXPIRED: (mark("Not asked: too late"), "warn"),
}
SKIPS = {
    Skip.EXCLUDED: mark("A segment keeps them out of what is sent to many"),
    Skip.NO_ACCOUNT: mark("They have no messenger in which they could answer"),
    Skip.BLOCKED: mark("They have blocked us there"),
    Skip.NO_CONSENT: mark("They want no surveys"),
    Skip.NOT_TAKEN: mark("They have turned surveys off in their chat"),
    Skip.ASKED_LATELY: mark("They were asked lately"),
    Skip.WINDOW_CLOSED: mark("More than 24 hours since they wrote, and no template stands in"),
    Skip.REFUNDED: mark("The purchase was refunded"),
    Skip.NOT_IN_BASE: mark("They have left the client base"),
    Skip.CANCELLED: mark("The survey was ended before their turn"),
}
PERIODS = {
    "30d": mark("30 days"),
    "90d": mark("90 days"),
    "12m": mark("12 months"),
    "36m": mark("3 years"),
}
USUAL = "90d"


def group_words() -> dict[str, tuple[str, str, str]]:
    """Groups in the reader's language, by their code."""
    return {group.value: (gettext(name), tint, badge) for group, (name, tint, badge) in GROUPS.items()}


def state_words() -> dict[str, tuple[str, str]]:
    """Where questions stand, in the reader's language, by its code."""
    return {state.value: (gettext(name), tint) for state, (name, tint) in STATES.items()}


def skip_text(reason: str | None) -> str:
    """Why somebody was not asked; empty where nothing is known."""
    return gettext(SKIPS[Skip(reason)]) if reason in set(Skip) else ""


def asked_when(programme: ProgrammeDraft) -> str:
    """After which purchases the bot asks, in one line."""
    if not programme.is_on:
        return gettext("The bot asks nobody after purchases: that is switched off")
    if not programme.delay_hours:
        return gettext("The bot asks right after a purchase")
    hours = programme.delay_hours
    if hours % 24 == 0:
        said = ngettext(
            "The bot asks %(n)s day after a purchase", "The bot asks %(n)s days after a purchase", hours // 24
        )
        return said % {"n": num(hours // 24)}
    said = ngettext("The bot asks %(n)s hour after a purchase", "The bot asks %(n)s hours after a purchase", hours)
    return said % {"n": num(hours)}
