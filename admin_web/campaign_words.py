"""Messages to many in words: how one stands, what became of each person's, why somebody was left out."""

from collections.abc import Mapping

from admin_web.chats import WHY
from admin_web.i18n import gettext, mark
from loyalty.campaigns.rules import CampaignState, Fate, Skip

STATES = {
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
}
SKIPS: Mapping[str, str] = {
    Skip.EXCLUDED: mark("They are in a segment that gets no campaigns"),
    Skip.NO_ACCOUNT: mark("There is no account to write to"),
    Skip.BLOCKED: mark("They have blocked us, or their account is gone"),
    Skip.NO_CONSENT: mark("They have not agreed to advertising"),
    Skip.NOT_TAKEN: mark("They turned advertising off there"),
    Skip.WINDOW_CLOSED: mark("They last wrote over 24 hours ago, so WhatsApp does not let us write"),
    Skip.CAPPED: mark("They got enough advertising lately"),
    Skip.NOT_IN_BASE: mark("They left the client base since"),
}


def skip_text(reason: Skip) -> str:
    """Why somebody is not written to."""
    return gettext(SKIPS[reason])


def reason_of(fate: Fate, reason: str | None) -> str:
    """Why somebody was left out, or why their message did not arrive; empty where there is nothing to say."""
    if reason is None:
        return ""
    return gettext(SKIPS[Skip(reason)]) if fate is Fate.SKIPPED else gettext(WHY.get(reason, reason))
