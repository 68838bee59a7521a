"""Messages to many: what one says, whom it leaves out and why, how it stands. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from loyalty.conversations.content import Content
from loyalty.conversations.kinds.base import COMMON, Kind, variables_of
from loyalty.conversations.message_types import BULK
from loyalty.errors import Invalid
from loyalty.staff.rules import LANGUAGES

AT_MOST = 1_000_000
"""So many people at most are the audience of one campaign."""
TICKED_AT_MOST = 1_000
TEXT_LENGTH = 1_000
NAME_LENGTH = 80

ACKNOWLEDGED_VERSION = 1
"""Of the words below: kept with each campaign, so a change of theirs is a new version."""
ACKNOWLEDGEMENT: Mapping[str, str] = {
    "en": "The people I am writing to agreed to get advertising from us; the message says truthfully who sends it and "
    "what is offered; I answer for its content before the law on advertising and personal data.",
    "ru": "Люди, которым я пишу, согласились получать от нас рекламу; в сообщении правдиво сказано, кто его отправил и "
    "что предлагается; за его содержание перед законом о рекламе и персональных данных отвечаю я.",
    "uk": "Люди, яким я пишу, погодилися отримувати від нас рекламу; у повідомленні правдиво сказано, хто його "
    "надіслав і що пропонується; за його зміст перед законом про рекламу та персональні дані відповідаю я.",
}
"""What an author confirms before anything is sent, in the language in which they read it."""

_BRACED = re.compile(r"\{[a-z_]+\}")


class CampaignState(StrEnum):
    """How a campaign stands."""

    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class Skip(StrEnum):
    """Why somebody of the audience is not written to, in the order in which it is asked."""

    EXCLUDED = "excluded"
    NO_ACCOUNT = "no_account"
    BLOCKED = "blocked"
    NO_CONSENT = "no_consent"
    NOT_TAKEN = "not_taken"
    WINDOW_CLOSED = "window_closed"
    CAPPED = "frequency_cap"
    NOT_IN_BASE = "is_not_in_base"


class Fate(StrEnum):
    """What became of one person's message."""

    WAITING = "waiting"
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the author of a campaign confirmed: these words, of this version, in this language."""

    version: int
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class CampaignDraft:
    """A message to many. texts: {language: text}; whoever reads another language gets the shop's."""

    name: str
    texts: Mapping[str, str]
    acknowledged: Acknowledgement


def acknowledgement(language: str) -> Acknowledgement:
    """What is confirmed by somebody who reads this language."""
    known = language if language in ACKNOWLEDGEMENT else "en"
    return Acknowledgement(ACKNOWLEDGED_VERSION, known, ACKNOWLEDGEMENT[known])


def checked_texts(texts: Mapping[str, str], shop_language: str) -> dict[str, str]:
    """The texts without blanks. There must be one in the shop's language: everybody else gets that.

    Raises Invalid("text-ru", …): required, too long, a brace that opens nothing, a variable that there is not.
    """
    kept: dict[str, str] = {}
    for language in LANGUAGES:
        text = "\n".join(line.rstrip() for line in texts.get(language, "").splitlines()).strip()
        field = f"text-{language}"
        if not text and language == shop_language:
            raise Invalid(field, "required")
        if len(text) > TEXT_LENGTH:
            raise Invalid(field, "too_long", limit=TEXT_LENGTH)
        rest = _BRACED.sub("", text)
        if "{" in rest or "}" in rest:
            raise Invalid(field, "odd_braces", example="{first_name}")
        if unknown := sorted(variables_of(text) - COMMON):
            raise Invalid(field, "unknown_variable", name=f"{{{unknown[0]}}}")
        if text:
            kept[language] = text
    return kept


def checked_name(name: str, texts: Mapping[str, str], shop_language: str) -> str:
    """What a campaign is called: without a name, by the first words of its text. Raises Invalid("name")."""
    cleaned = " ".join(name.split())
    if len(cleaned) > NAME_LENGTH:
        raise Invalid("name", "too_long", limit=NAME_LENGTH)
    if cleaned and not cleaned.isprintable():
        raise Invalid("name", "odd_characters")
    if cleaned:
        return cleaned
    line = content_for(texts, shop_language, shop_language, "").text.partition("\n")[0]
    return line if len(line) <= NAME_LENGTH else f"{line[: NAME_LENGTH - 1].rsplit(' ', 1)[0]}…"


def content_for(texts: Mapping[str, str], language: str, shop_language: str, first_name: str) -> Content:
    """What one person reads. Who has no name is spoken to without it, and without the comma before it."""
    known = language if language in texts else shop_language
    words = Kind(BULK, frozenset(), {}).text(known, {"first_name": first_name}, texts[known])
    return Content(text=words)
