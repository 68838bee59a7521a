"""Automations in words: what begins one, what its steps do, how somebody's way stands and why it ended."""

from collections.abc import Mapping, Sequence

from admin_web.campaign_words import SKIPS, TOPICS
from admin_web.filter_words import look_words
from admin_web.formats import bonuses, money, num
from admin_web.i18n import gettext, mark, ngettext
from admin_web.words import REASONS
from loyalty.campaigns.rules.automations import AutomationDraft, RunState, Step, StepKind, Stop
from loyalty.customers.queries.categories import categories
from loyalty.segments.queries.segments import segments
from loyalty.staff.queries import staff_list

TRIGGERS: Mapping[str, tuple[str, str, str]] = {
    "registered": (mark("Somebody registers"), mark("Wherever they do; people from a file do not count."), "user-plus"),
    "receipt": (mark("Somebody buys"), mark("Each purchase, or the one that makes it a visit of a number."), "receipt"),
    "no_visit": (mark("Somebody stays away"), mark("Once for each time that they come and stay away again."), "moon"),
    "expiring": (mark("Bonuses are about to expire"), mark("Once for each day on which some expire."), "hourglass"),
    "birthday": (mark("A birthday comes"), mark("On the day, or some days before it; once a year."), "cake"),
    "tier": (mark("A level changes"), mark("Once for each change."), "medal"),
    "low_nps": (mark("Somebody gives a low score"), mark("Once for each answer to a survey."), "thumbs-down"),
    "segment": (
        mark("Somebody comes into a segment"),
        mark("Once a day at most; who is in a segment of conditions already does not count."),
        "layers",
    ),
    "booking": (
        mark("Somebody is booked for tomorrow"),
        mark("It ends by itself when that is called off."),
        "calendar",
    ),
}
"""What begins one: its name, what to know about it, its symbol."""
PARAMS: Mapping[tuple[str, str], str] = {
    ("receipt", "minimum"): mark("For at least"),
    ("receipt", "visit"): mark("Visit of this number, 0 for any purchase"),
    ("no_visit", "days"): mark("For so many days"),
    ("expiring", "days"): mark("So many days before"),
    ("birthday", "days"): mark("So many days before, 0 for the day itself"),
    ("tier", "up"): mark("Only when it rises"),
    ("low_nps", "score"): mark("Of at most"),
    ("segment", "segment"): mark("Segment"),
}
"""What a trigger is asked with, as its form calls it."""
STEPS: Mapping[StepKind, tuple[str, str]] = {
    StepKind.WAIT: (mark("Wait"), "clock"),
    StepKind.CONDITION: (mark("Go on only with"), "funnel"),
    StepKind.MESSAGE: (mark("Write"), "message-circle"),
    StepKind.BONUS: (mark("Give bonuses"), "gift"),
    StepKind.CATEGORY: (mark("Category"), "tag"),
    StepKind.SEGMENT: (mark("Segment"), "layers"),
    StepKind.TASK: (mark("Task for a colleague"), "list-checks"),
}
STATES: Mapping[RunState, tuple[str, str]] = {
    RunState.WAITING: (mark("On the way"), "acc"),
    RunState.DONE: (mark("To the end"), "good"),
    RunState.STOPPED: (mark("Ended before"), ""),
    RunState.FAILED: (mark("Broke"), "bad"),
}
STOPS: Mapping[str, str] = {
    Stop.CONDITION: mark("They did not meet a condition on the way"),
    Stop.SWITCHED_OFF: mark("It was switched off"),
    Stop.NOT_IN_BASE: mark("They left the client base"),
    Stop.MERGED: mark("Their card became another one"),
    Stop.NO_LONGER: mark("What it began with was called off or taken back"),
    Stop.UNEXPECTED: mark("A step broke several times"),
}
READY = {
    "welcome": mark("Says hello after registering and tells how the card works."),
    "win_back": mark("Gives bonuses to those who came at least twice and stay away for 45 days, and tells them."),
    "birthday": mark("A gift and a message three days before the birthday."),
    "expiring": mark("Tells people a week before some of their bonuses expire."),
    "review": mark("Asks three hours after the third visit how it was."),
    "second_visit": mark("A gift for coming again, two hours after the second visit."),
}
"""What each of the ready-made ones does."""


def why(reason: str | None) -> str:
    """Why a way ended, or a step was gone by; empty where there is nothing to say."""
    if not reason:
        return ""
    if reason in STOPS:
        return gettext(STOPS[reason])
    if reason in SKIPS:
        return gettext(SKIPS[reason])
    return gettext(REASONS.get(reason, reason))


def trigger_words(draft: AutomationDraft, segment_names: Mapping[int, str]) -> str:
    """What begins it, with its numbers."""
    params = draft.params
    match draft.trigger:
        case "receipt":
            return _receipt_words(params)
        case "no_visit":
            days = params["days"]
            return ngettext("Somebody stays away for %(num)s day", "Somebody stays away for %(num)s days", days) % {
                "num": num(days)
            }
        case "expiring":
            days = params["days"]
            return ngettext("Bonuses expire in %(num)s day", "Bonuses expire in %(num)s days", days) % {
                "num": num(days)
            }
        case "birthday" if params["days"]:
            days = params["days"]
            return ngettext("%(num)s day before a birthday", "%(num)s days before a birthday", days) % {
                "num": num(days)
            }
        case "tier" if params["up"]:
            return gettext("A level rises")
        case "low_nps":
            return gettext("Somebody gives a score of at most %(score)s") % {"score": num(params["score"])}
        case "segment":
            name = segment_names.get(params["segment"], "—")
            return gettext("Somebody comes into the segment “%(name)s”") % {"name": name}
    return gettext(TRIGGERS[draft.trigger][0])


def _receipt_words(params: Mapping[str, int]) -> str:
    visit, minimum = params["visit"], params["minimum"]
    if visit and minimum:
        return gettext("Visit %(number)s, with a purchase from %(money)s") % {
            "number": num(visit),
            "money": money(minimum),
        }
    if visit:
        return gettext("Visit %(number)s") % {"number": num(visit)}
    if minimum:
        return gettext("Somebody buys for at least %(money)s") % {"money": money(minimum)}
    return gettext(TRIGGERS["receipt"][0])


async def segment_names() -> dict[int, str]:
    """Every segment by its number."""
    return {one.id: one.name for one in await segments()}


async def step_lines(steps: Sequence[Step]) -> list[tuple[Step, str, str, str]]:
    """Each step: itself, its symbol, what it does in words, and its text or filter in words."""
    names = {
        StepKind.SEGMENT: await segment_names(),
        StepKind.CATEGORY: {one.id: one.name for one in await categories(sized=False)},
    }
    people = {one.id: one.name for one in await staff_list()}
    return [(one, STEPS[one.kind][1], *(await _step_words(one, names, people))) for one in steps]


async def _step_words(
    step: Step, names: Mapping[StepKind, Mapping[int, str]], people: Mapping[int, str]
) -> tuple[str, str]:
    match step.kind:
        case StepKind.WAIT:
            return gettext("Wait: %(time)s") % {"time": wait_words(step.minutes)}, ""
        case StepKind.CONDITION:
            return gettext("Go on only with"), await look_words({"f": step.filter})
        case StepKind.MESSAGE:
            return gettext("Write: %(topic)s") % {"topic": gettext(TOPICS[step.topic][0])}, ""
        case StepKind.BONUS:
            told = ngettext("%(bonuses)s for %(num)s day", "%(bonuses)s for %(num)s days", step.days)
            return gettext("Give bonuses"), told % {"bonuses": bonuses(step.amount), "num": num(step.days)}
        case StepKind.TASK:
            who = people.get(step.assignee_id or 0, gettext("nobody in particular"))
            return gettext("Task for %(name)s") % {"name": who}, step.title
    name = names[step.kind].get(step.id, "—")
    if step.kind is StepKind.CATEGORY:
        said = mark("Give the category “%(name)s”") if step.gives else mark("Take off the category “%(name)s”")
    else:
        said = mark("Put into the segment “%(name)s”") if step.gives else mark("Take out of the segment “%(name)s”")
    return gettext(said) % {"name": name}, ""


def wait_words(minutes: int) -> str:
    """How long a wait is, in its largest whole unit."""
    if minutes % 1440 == 0:
        return ngettext("%(num)s day", "%(num)s days", minutes // 1440) % {"num": num(minutes // 1440)}
    if minutes % 60 == 0:
        return ngettext("%(num)s hour", "%(num)s hours", minutes // 60) % {"num": num(minutes // 60)}
    return ngettext("%(num)s minute", "%(num)s minutes", minutes) % {"num": num(minutes)}
