"""Messages to many in words: how one stands, what became of each person's, why somebody was left out."""

from collections.abc import Mapping

from admin_web.chats import WHY
from admin_web.i18n import READER, gettext, mark
from loyalty.campaigns.rules.drafts import CampaignTopic
from loyalty.campaigns.rules.repeating import DAYS, Every, Repeat
from loyalty.campaigns.rules.states import CampaignState, Fate, PauseReason, Skip
from loyalty.campaigns.rules.texts import ButtonKind
from loyalty.wording import locale

STATES = {
    CampaignState.DRAFT: (mark("Draft"), ""),
    CampaignState.SCHEDULED: (mark("Waits for its time"), "acc"),
    CampaignState.RUNNING: (mark("Being sent"), "acc"),
    CampaignState.PAUSED: (mark("Paused"), "warn"),
    CampaignState.FINISHED: (mark("Sent out"), "good"),
    CampaignState.CANCELLED: (mark("Ended early"), ""),
}
FATES = {
    Fate.WAITING: (mark("Waits"), ""),
    Fate.QUEUED: (mark("In the queue"), ""),
    Fate.SENT: (mark("Went out"), "good"),
    Fate.DELIVERED: (mark("Arrived"), "good"),
    Fate.READ: (mark("Was read"), "good"),
    Fate.FAILED: (mark("Did not arrive"), "bad"),
    Fate.UNKNOWN: (mark("Nobody knows"), "warn"),
    Fate.CANCELLED: (mark("Not sent"), ""),
    Fate.SKIPPED: (mark("Left out of it"), "warn"),
    Fate.CONTROL: (mark("Control group"), "violet"),
}
SKIPS: Mapping[str, str] = {
    Skip.EXCLUDED: mark("They are in a segment that gets no campaigns"),
    Skip.NO_ACCOUNT: mark("There is no account to write to"),
    Skip.BLOCKED: mark("They have blocked us, or their account is gone"),
    Skip.NO_CONSENT: mark("They have not agreed to advertising"),
    Skip.NOT_TAKEN: mark("They turned advertising off there"),
    Skip.WINDOW_CLOSED: mark("They last wrote over 24 hours ago, so WhatsApp does not let us write"),
    Skip.VARIABLE_MISSING: mark("Something that the text names is not known of them"),
    Skip.CAPPED: mark("They got enough advertising lately"),
    Skip.NOT_IN_BASE: mark("They left the client base since"),
    Skip.TOO_LATE: mark("Their turn came after the last moment for sending"),
}
PAUSES = {
    PauseReason.ERRORS: mark(
        "It stands still by itself: too many messages did not arrive. See below why, then let it go on or end it."
    ),
    PauseReason.TOKEN_REVOKED: mark(
        "It stands still by itself: a messenger does not take our token any more. Mend that under Channels."
    ),
    PauseReason.TOO_LATE: mark("It did not begin: its last moment for sending had passed."),
    PauseReason.NO_AUDIENCE: mark(
        "It could not begin: its filter asks for something that is not there any more. Choose its audience anew."
    ),
}
EVERY = {
    Every.WEEK: mark("Every week"),
    Every.MONTH: mark("Every month"),
    Every.CRON: mark("By a line of cron"),
}
TOPICS = {
    CampaignTopic.MARKETING: (
        mark("Offer"),
        mark("Reaches those who agreed to advertising, within the limit of messages a person."),
    ),
    CampaignTopic.SERVICE: (
        mark("News of the service"),
        mark("What people must know, like other hours. Reaches everybody who takes messages; no advertising."),
    ),
}
BUTTONS = {
    ButtonKind.LINK: mark("Opens an address"),
    ButtonKind.REPLY: mark("Answers with its words"),
    ButtonKind.CARD: mark("Shows the card"),
}
VARIABLE_NAMES = {
    "first_name": mark("First name"),
    "balance": mark("Bonuses they have"),
    "tier": mark("Tier"),
    "location": mark("Home location"),
    "bonus": mark("Bonuses of this message"),
}


def skip_text(reason: Skip) -> str:
    """Why somebody is not written to."""
    return gettext(SKIPS[reason])


def reason_of(fate: Fate, reason: str | None) -> str:
    """Why somebody was left out, or why their message did not arrive; empty where there is nothing to say."""
    if reason is None:
        return ""
    return gettext(SKIPS[Skip(reason)]) if fate is Fate.SKIPPED else gettext(WHY.get(reason, reason))


def repeat_words(repeat: Repeat | None) -> str:
    """How often it is sent, in words; empty for once."""
    if repeat is None:
        return ""
    if repeat.every is Every.CRON:
        return gettext("by cron: %(line)s") % {"line": repeat.cron}
    minute, hour, day, _, days = repeat.cron.split()
    at = f"{int(hour):02d}:{int(minute):02d}"
    if repeat.every is Every.WEEK:
        names = dict(zip(DAYS, weekdays(), strict=True))
        return gettext("%(days)s at %(time)s") % {"days": ", ".join(names[one] for one in days.split(",")), "time": at}
    if day == "last":
        return gettext("on the last day of each month at %(time)s") % {"time": at}
    return gettext("on day %(day)s of each month at %(time)s") % {"day": day, "time": at}


def weekdays() -> list[str]:
    """The days of the week, short, from Monday on."""
    names = locale(READER.get().language).days["stand-alone"]["abbreviated"]
    return [str(names[day]).capitalize() for day in range(7)]
