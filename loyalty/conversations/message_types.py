"""The types of messages there are, where each may go, and what the shop may say in its own words. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from loyalty.conversations.channels import CAPABILITIES, USUAL
from loyalty.conversations.kinds import KINDS
from loyalty.conversations.kinds.base import COMMON, Kind, variables_of
from loyalty.errors import Invalid

BULK = "bulk"
STAFF = "staff"
BY_PEOPLE = (BULK, STAFF)
"""Types that people write each time anew: they have channels and no text."""
NAMES = (*KINDS, *BY_PEOPLE)
LANGUAGES = ("en", "ru", "uk")
"""Those in which customers are written to."""
OWN_TEXT_LENGTH = 1000
SUBJECT_LENGTH = 120

_BRACED = re.compile(r"\{[a-z_]+\}")
Texts = Mapping[str, Mapping[str, str]]
"""{language: {"text": …, "subject": …}}; what is left out is said in the house's words."""


@dataclass(frozen=True, slots=True)
class MessageTypeView:
    """A type of message as the shop has it. channels: in the order of preference; none: nobody gets it.

    own_first: the messenger that a customer has chosen goes before the others. updated_at: None as long as it is the
    house's.
    """

    name: str
    channels: tuple[str, ...] = tuple(USUAL.split(","))
    own_first: bool = True
    texts: Texts = field(default_factory=dict)
    updated_at: datetime | None = None

    @property
    def kind(self) -> Kind | None:
        """What the house says in it; None for what people write."""
        return KINDS.get(self.name)

    @property
    def possible(self) -> tuple[str, ...]:
        """Where it may go."""
        return possible_channels(self.name)

    @property
    def variables(self) -> frozenset[str]:
        """What its texts may name; what only its buttons need is none of it."""
        return usable_variables(self.kind) if self.kind else frozenset()

    def own(self, language: str, part: str = "text") -> str:
        """The shop's own words; empty where it has none."""
        return self.texts.get(language, {}).get(part, "")


def possible_channels(name: str) -> tuple[str, ...]:
    """Where a type of message may go: what asks something only where people can answer."""
    kind = KINDS.get(name)
    return tuple(channel for channel, able in CAPABILITIES.items() if able.hears or kind is None or not kind.asks)


def usable_variables(kind: Kind) -> frozenset[str]:
    """The variables of a kind that mean something to people: numbers in the data of its buttons do not."""
    data = [kind.scale, *(data for row in kind.buttons.values() for _, data in row)]
    inner = {name for one in data for name in variables_of(one)}
    return (kind.variables - inner) | COMMON


def check_channels(name: str, channels: Sequence[str]) -> tuple[str, ...]:
    """The channels of a type, in the order of preference. Raises Invalid("channels")."""
    possible = possible_channels(name)
    for channel in channels:
        if channel not in CAPABILITIES:
            raise Invalid("channels", "unknown_choice")
        if channel not in possible:
            raise Invalid("channels", "cannot_be_asked_there")
    if len(set(channels)) != len(channels):
        raise Invalid("channels", "named_twice")
    return tuple(channels)


def check_texts(kind: Kind, texts: Texts) -> dict[str, dict[str, str]]:
    """The shop's own words without what is empty or as the house has it.

    Raises Invalid("text-ru" | "subject-ru", …): too long, a brace that opens nothing, a variable it does not have.
    """
    kept: dict[str, dict[str, str]] = {}
    for language, words in texts.items():
        if language not in LANGUAGES:
            raise Invalid(f"text-{language}", "unknown_choice")
        text = "\n".join(line.rstrip() for line in words.get("text", "").splitlines()).strip()
        subject = " ".join(words.get("subject", "").split())
        _check_words(f"text-{language}", text, kind, OWN_TEXT_LENGTH)
        _check_words(f"subject-{language}", subject, kind, SUBJECT_LENGTH)
        found = {"text": "" if text == kind.texts.get(language) else text, "subject": subject}
        if own := {part: value for part, value in found.items() if value}:
            kept[language] = own
    return kept


def _check_words(name: str, text: str, kind: Kind, limit: int) -> None:
    if len(text) > limit:
        raise Invalid(name, "too_long", limit=limit)
    rest = _BRACED.sub("", text)
    if "{" in rest or "}" in rest:
        raise Invalid(name, "odd_braces", example="{first_name}")
    if unknown := sorted(variables_of(text) - usable_variables(kind)):
        raise Invalid(name, "unknown_variable", name=f"{{{unknown[0]}}}")
