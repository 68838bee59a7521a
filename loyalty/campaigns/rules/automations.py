"""Automations: what a list of steps may hold, how it is kept, and what becomes of one who is on the way. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from loyalty.campaigns.rules.drafts import BONUS_AT_MOST, BONUS_DAYS_AT_MOST, NAME_LENGTH, CampaignTopic
from loyalty.campaigns.rules.texts import Words, checked_words
from loyalty.errors import Invalid

STEPS_AT_MOST = 20
WAIT_AT_MOST = 365 * 24 * 60
"""Minutes of one wait."""
TITLE_LENGTH = 200
DUE_DAYS_AT_MOST = 365
LATE_WITHIN = timedelta(days=3)
"""After a time in which nothing ran, what happened longer ago is let be: it would come as a surprise."""
TRIES = 5
"""So often a step is tried that breaks for a reason that is no rule's."""
TRIED_AGAIN_AFTER = timedelta(minutes=10)


NO_WORDS = Words({})


class StepKind(StrEnum):
    """What a step does."""

    WAIT = "wait"
    CONDITION = "condition"
    MESSAGE = "message"
    BONUS = "bonus"
    CATEGORY = "category"
    SEGMENT = "segment"
    TASK = "task"


class RunState(StrEnum):
    """How one person's way stands."""

    WAITING = "waiting"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class Outcome(StrEnum):
    """What became of a step: passed is gone by, with a reason."""

    DONE = "done"
    PASSED = "passed"


class Stop(StrEnum):
    """Why somebody's way ended before its last step."""

    CONDITION = "condition_not_met"
    SWITCHED_OFF = "switched_off"
    NOT_IN_BASE = "is_not_in_base"
    MERGED = "card_was_merged"
    WAS_THERE = "was_there"
    NO_LONGER = "no_longer_so"
    UNEXPECTED = "unexpected"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is done, or waited for. Which of the fields count, its kind says.

    minutes: of a wait. filter: of a condition, as addresses have it. words, topic: of a message. amount: hundredths,
    days: for how long they are good, of a bonus. id, gives: which category or segment, and whether it is given or
    taken. title, assignee_id, days: of a task, and in how many days it is due; 0 for whenever.
    """

    kind: StepKind
    minutes: int = 0
    filter: str = ""
    words: Words = NO_WORDS
    topic: CampaignTopic = CampaignTopic.MARKETING
    amount: int = 0
    days: int = 0
    id: int = 0
    gives: bool = True
    title: str = ""
    assignee_id: int | None = None

    def to_body(self) -> dict[str, object]:
        """As it is kept."""
        body: dict[str, object] = {"kind": self.kind.value}
        match self.kind:
            case StepKind.WAIT:
                body["minutes"] = self.minutes
            case StepKind.CONDITION:
                body["filter"] = self.filter
            case StepKind.MESSAGE:
                fallbacks = {name: told if told is None else dict(told) for name, told in self.words.fallbacks.items()}
                body |= {"texts": dict(self.words.texts), "fallbacks": fallbacks, "topic": self.topic.value}
            case StepKind.BONUS:
                body |= {"amount": self.amount, "days": self.days}
            case StepKind.CATEGORY | StepKind.SEGMENT:
                body |= {"id": self.id, "gives": self.gives}
            case StepKind.TASK:
                body |= {"title": self.title, "assignee_id": self.assignee_id, "days": self.days}
        return body


@dataclass(frozen=True, slots=True)
class AutomationDraft:
    """An automation as somebody tells of it. params: of its trigger, by name. conditions: a filter's line."""

    name: str
    trigger: str
    params: Mapping[str, int]
    conditions: str = ""
    steps: Sequence[Step] = ()

    @property
    def bonus(self) -> int:
        """What its messages may name: the bonus that it gives first, in hundredths."""
        return next((step.amount for step in self.steps if step.kind is StepKind.BONUS), 0)

    @property
    def advertises(self) -> bool:
        """Whether it says anything that only those may be told who agreed to advertising."""
        return any(one.kind is StepKind.MESSAGE and one.topic is CampaignTopic.MARKETING for one in self.steps)

    @property
    def writes(self) -> bool:
        """Whether it writes to anybody."""
        return any(one.kind is StepKind.MESSAGE for one in self.steps)


def step_from(body: Mapping[str, object]) -> Step:
    """Read what `to_body` made."""
    kind = StepKind(str(body["kind"]))
    if kind is StepKind.MESSAGE:
        texts, fallbacks = body["texts"], body["fallbacks"]
        assert isinstance(texts, Mapping)
        assert isinstance(fallbacks, Mapping)
        return Step(kind, words=Words(dict(texts), dict(fallbacks)), topic=CampaignTopic(str(body["topic"])))
    return Step(kind, **{name: value for name, value in body.items() if name != "kind"})  # type: ignore[arg-type]


def checked_automation(draft: AutomationDraft, shop_language: str) -> AutomationDraft:
    """The draft without blanks; its trigger and its filters are looked at by those who know them.

    Raises Invalid("name" | "steps"), and of the third step Invalid("3-…"), as its form calls the field.
    """
    name = " ".join(draft.name.split())
    if not name:
        raise Invalid("name", "required")
    if len(name) > NAME_LENGTH:
        raise Invalid("name", "too_long", limit=NAME_LENGTH)
    if not name.isprintable():
        raise Invalid("name", "odd_characters")
    if not draft.steps:
        raise Invalid("steps", "required")
    if len(draft.steps) > STEPS_AT_MOST:
        raise Invalid("steps", "too_many", limit=STEPS_AT_MOST)
    steps = []
    for number, step in enumerate(draft.steps, 1):
        try:
            steps.append(_checked(step, draft.bonus, shop_language))
        except Invalid as error:
            raise Invalid(f"{number}-{error.field}", error.reason, **error.details) from error
    return replace(draft, name=name, steps=tuple(steps))


def _checked(step: Step, bonus: int, shop_language: str) -> Step:
    match step.kind:
        case StepKind.WAIT:
            _within("minutes", step.minutes, 1, WAIT_AT_MOST)
        case StepKind.CONDITION:
            if not step.filter:
                raise Invalid("filter", "required")
        case StepKind.MESSAGE:
            return _checked_message(step, bonus, shop_language)
        case StepKind.BONUS:
            if not 0 < step.amount <= BONUS_AT_MOST:
                raise Invalid("amount", "too_large" if step.amount > 0 else "required")
            _within("days", step.days, 1, BONUS_DAYS_AT_MOST)
        case StepKind.CATEGORY | StepKind.SEGMENT if not step.id:
            raise Invalid("id", "required")
        case StepKind.TASK:
            return _checked_task(step)
    return step


def _checked_message(step: Step, bonus: int, shop_language: str) -> Step:
    words = checked_words(step.words, shop_language)
    if "bonus" in words.named and not bonus:
        raise Invalid(f"text-{shop_language}", "named_and_not_given")
    return replace(step, words=words)


def _checked_task(step: Step) -> Step:
    title = " ".join(step.title.split())
    if not title:
        raise Invalid("title", "required")
    if len(title) > TITLE_LENGTH:
        raise Invalid("title", "too_long", limit=TITLE_LENGTH)
    _within("days", step.days, 0, DUE_DAYS_AT_MOST)
    return replace(step, title=title)


def _within(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise Invalid(name, "out_of_range", least=least, most=most)
