"""What the shop asks newcomers, and what they answer. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from loyalty.customers.rules import OLDEST_YEAR, check_note, clean_text
from loyalty.errors import Invalid

LABEL_LENGTH = 200
CHOICE_LENGTH = 60
ANSWER_LENGTH = 500
CHOICES_AT_LEAST = 2
CHOICES_AT_MOST = 10
"""A list in WhatsApp has no more."""
QUESTIONS_AT_MOST = 20
LAST_YEAR = 2199

_DATE = re.compile(r"\s*(\d{1,4})\s*[.\-/ ]\s*(\d{1,2})\s*[.\-/ ]\s*(\d{1,4})\s*(?:г\.?|р\.?)?\s*")

Labels = Mapping[str, str]


class QuestionKind(StrEnum):
    """What an answer is. Birthday and gender are of the profile and have words of their own."""

    BIRTHDAY = "birthday"
    GENDER = "gender"
    TEXT = "text"
    DATE = "date"
    CHOICE = "choice"


OF_PROFILE = frozenset({QuestionKind.BIRTHDAY, QuestionKind.GENDER})
GENDERS = ("f", "m")


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer on offer. Its id stays when its labels change, and is never given to another.

    is_removed: it is not offered any more, but people have given it.
    """

    id: int
    labels: Labels
    is_removed: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A question. labels: by language; the shop's own is always there. position: its place among the others."""

    id: int
    kind: QuestionKind
    labels: Labels
    choices: tuple[Choice, ...]
    is_required: bool
    is_asked: bool
    position: int
    deleted_at: datetime | None = None

    @property
    def key(self) -> str:
        """What a dialog and the steps of a registration call it."""
        return self.kind.value if self.kind in OF_PROFILE else f"question:{self.id}"

    @property
    def offered(self) -> tuple[Choice, ...]:
        """The choices that can be given now."""
        return tuple(choice for choice in self.choices if not choice.is_removed)

    def choice(self, choice_id: int | None) -> Choice | None:
        """One of its choices, also one that was removed."""
        return next((choice for choice in self.choices if choice.id == choice_id), None)


@dataclass(frozen=True, slots=True)
class Given:
    """An answer: one of the three, by the question's kind."""

    text: str | None = None
    day: date | None = None
    choice: int | None = None


@dataclass(frozen=True, slots=True)
class ChoiceDraft:
    """A choice as the owner wrote it; `id` None: a new one. Without any label it is to go."""

    id: int | None
    labels: Labels


@dataclass(frozen=True, slots=True)
class QuestionDraft:
    """A question as the owner wrote it, not yet checked."""

    kind: QuestionKind
    labels: Labels
    choices: Sequence[ChoiceDraft]
    is_required: bool
    is_asked: bool


def said_in(labels: Labels, language: str, shop_language: str) -> str:
    """The label in a language, else in the shop's, else in any; empty without any."""
    return labels.get(language) or labels.get(shop_language) or next(iter(labels.values()), "")


def checked_labels(labels: Labels, field: str, limit: int, shop_language: str) -> dict[str, str]:
    """The labels without blanks. Raises Invalid("<field>_<language>"): the shop's language must be there."""
    clean = {language: words for language, text in labels.items() if (words := clean_text(text))}
    if shop_language not in clean:
        raise Invalid(f"{field}_{shop_language}", "required")
    for language, words in clean.items():
        if len(words) > limit:
            raise Invalid(f"{field}_{language}", "too_long", limit=limit)
    return clean


def merged_choices(before: Sequence[Choice], drafts: Sequence[ChoiceDraft], shop_language: str) -> tuple[Choice, ...]:
    """The choices as the owner wants them: ids stay, new ones get new ids, those left out are kept as removed.

    Raises Invalid("choices" | "choice_<number>_<language>"), the numbers as the drafts stand.
    """
    written = [(number, draft) for number, draft in enumerate(drafts) if any(map(clean_text, draft.labels.values()))]
    if len(written) < CHOICES_AT_LEAST:
        raise Invalid("choices", "too_few_choices", limit=CHOICES_AT_LEAST)
    if len(written) > CHOICES_AT_MOST:
        raise Invalid("choices", "too_many", limit=CHOICES_AT_MOST)
    known, following = {choice.id for choice in before}, max((choice.id for choice in before), default=0) + 1
    found: list[Choice] = []
    for number, draft in written:
        labels = checked_labels(draft.labels, f"choice_{number}", CHOICE_LENGTH, shop_language)
        _refuse_twins(found, labels, f"choice_{number}")
        if draft.id in known and all(choice.id != draft.id for choice in found):
            assert draft.id is not None
            found.append(Choice(draft.id, labels))
        else:
            found.append(Choice(following, labels))
            following += 1
    kept = {choice.id for choice in found}
    return (*found, *(replace(choice, is_removed=True) for choice in before if choice.id not in kept))


def _refuse_twins(found: Sequence[Choice], labels: Labels, field: str) -> None:
    # Whoever types a label must mean one choice.
    for language, words in labels.items():
        if any(other.labels.get(language, "").casefold() == words.casefold() for other in found):
            raise Invalid(f"{field}_{language}", "named_twice")


def parse_day(text: str) -> date | None:
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
        day = date(int(last), int(month), int(first))
    except ValueError:
        return None
    return day if OLDEST_YEAR <= day.year <= LAST_YEAR else None


def read_typed(question: Question, text: str) -> Given:
    """What somebody typed as the answer: words, a date, or a choice by its label or its number.

    Raises Invalid("answer") with `required`, `too_long`, `not_a_date`, `unknown_choice`.
    """
    if question.kind is QuestionKind.TEXT:
        try:
            return Given(text=check_note(text, ANSWER_LENGTH))
        except Invalid as error:
            raise Invalid("answer", error.reason, **error.details) from None
    if question.kind is QuestionKind.DATE:
        day = parse_day(text)
        if day is None:
            raise Invalid("answer", "not_a_date")
        return Given(day=day)
    chosen = _choice_typed(question.offered, clean_text(text[:ANSWER_LENGTH]).casefold())
    if chosen is None:
        raise Invalid("answer", "unknown_choice")
    return Given(choice=chosen.id)


def _choice_typed(offered: Sequence[Choice], typed: str) -> Choice | None:
    for choice in offered:
        if any(label.casefold() == typed for label in choice.labels.values()):
            return choice
    number = typed.rstrip(".)")
    if number.isascii() and number.isdigit() and 0 < int(number[:3]) <= len(offered):
        return offered[int(number[:3]) - 1]
    return None


def check_given(question: Question, given: Given) -> None:
    """Raise Invalid("answer_<id>") for what cannot be an answer to this question."""
    fits = {
        QuestionKind.TEXT: given.text is not None and 0 < len(given.text) <= ANSWER_LENGTH,
        QuestionKind.DATE: given.day is not None and OLDEST_YEAR <= given.day.year <= LAST_YEAR,
        QuestionKind.CHOICE: question.choice(given.choice) is not None,
    }
    if not fits.get(question.kind):
        raise Invalid(f"answer_{question.id}", "wrong_type")
