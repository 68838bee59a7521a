"""What a campaign says: its words, their variables, its buttons. Pure.

The words never pass through a template engine: names out of a list are put in, in one pass, and what they bring in is
never looked into.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import urlsplit

from loyalty.conversations.content import SAID, Button, Content, Link
from loyalty.conversations.kinds.base import Kind, variables_of
from loyalty.conversations.message_types import BULK
from loyalty.errors import Invalid
from loyalty.staff.rules import LANGUAGES

TEXT_LENGTH = 1_000
FALLBACK_LENGTH = 60
LABEL_LENGTH = 20
"""Characters that every messenger shows on a button."""
DATA_BYTES = 64
"""What a messenger carries back when a button is pressed."""
URL_LENGTH = 500
BUTTONS_AT_MOST = 3
LETTERS = "ABC"
"""What the wordings are called, in their order; so many there are at most."""

VARIABLES = ("first_name", "balance", "tier", "location", "bonus")
"""What a text may name: how one is spoken to, their bonuses, tier and home location, and what the campaign gives."""
CAN_BE_MISSING = frozenset({"first_name", "location"})
"""What is not known of everybody."""
LEFT_OUT: None = None
"""Instead of a fallback: those of whom it is not known are not written to."""

Texts = Mapping[str, str]
"""{language: text}; whoever reads another language gets the shop's."""
Fallbacks = Mapping[str, Mapping[str, str] | None]
"""{variable: {language: text}}, or LEFT_OUT; a name without one is left out of the sentence."""

VARIABLE = re.compile(r"\{[a-z_]+\}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]")
"""Nobody can see these, and some of them no base keeps."""


class ButtonKind(StrEnum):
    """What a button does: open an address, say its label, show the customer's card."""

    LINK = "link"
    REPLY = "reply"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class CampaignButton:
    """A button under the message. labels: {language: label}. url: of a link."""

    kind: ButtonKind
    labels: Mapping[str, str]
    url: str = ""

    def to_body(self) -> dict[str, object]:
        """As it is kept."""
        return {"kind": self.kind.value, "labels": dict(self.labels), "url": self.url}


@dataclass(frozen=True, slots=True)
class Words:
    """All that a campaign says. attachment: the number of a stored picture or file; 0 for none.

    template: the number of the approved template that goes where a text may not be sent; 0 for none. other_texts: of
    each wording after the first, which differs in its text alone.
    """

    texts: Texts
    fallbacks: Fallbacks = field(default_factory=dict)
    buttons: Sequence[CampaignButton] = ()
    attachment: int = 0
    template: int = 0
    other_texts: Sequence[Texts] = ()

    @property
    def wordings(self) -> tuple["Words", ...]:
        """Each wording as if there were no other."""
        return tuple(replace(self, texts=texts, other_texts=()) for texts in (self.texts, *self.other_texts))

    @property
    def named(self) -> set[str]:
        """The variables that some language of some wording names."""
        return {name for texts in (self.texts, *self.other_texts) for name in _named(texts)}

    @property
    def needed(self) -> list[str]:
        """Variables without which a person is not written to."""
        return [name for name in VARIABLES if name in self.named and self.fallbacks.get(name, {}) is LEFT_OUT]


def buttons_from(body: Sequence[Mapping[str, object]] | None) -> tuple[CampaignButton, ...]:
    """The buttons as they were kept."""
    found = []
    for one in body or ():
        labels = one["labels"]
        assert isinstance(labels, Mapping)
        found.append(CampaignButton(ButtonKind(str(one["kind"])), dict(labels), str(one.get("url") or "")))
    return tuple(found)


def text_field(variant: int, language: str) -> str:
    """What the text of a wording in a language is called: text-ru, text-b-ru and so on."""
    return f"text-{LETTERS[variant].lower()}-{language}" if variant else f"text-{language}"


def checked_words(words: Words, shop_language: str) -> Words:
    """The words without blanks. There must be a text in the shop's language: everybody else gets that.

    Wordings are compared by their words alone: each is told in the same languages, and no two are the same.

    Raises Invalid("text-ru" | "text-b-ru", …): required, too long, a brace that opens nothing, a variable that there is
    not, told in another wording, the same as another; Invalid("wordings", …) for too many of them;
    Invalid("fallback-location-ru", …); Invalid("label-1-ru" | "url-1" | "buttons", …).
    """
    first, *others = _wordings(words, shop_language)
    named = {name for texts in (first, *others) for name in _named(texts)}
    fallbacks = {name: _fallback(name, words.fallbacks, shop_language) for name in VARIABLES if name in named}
    buttons = _buttons(words.buttons, shop_language)
    kept = {name: told for name, told in fallbacks.items() if told != {}}
    return Words(first, kept, buttons, words.attachment, words.template, tuple(others))


def content_for(words: Words, language: str, shop_language: str, values: Mapping[str, str]) -> Content:
    """What one person reads of the first wording: `values` are of theirs; what is empty is told by its fallback.

    Who has no name, and for whom there is none, is spoken to without it, and without the comma before it.
    """
    known = language if language in words.texts else shop_language
    told = {name: values.get(name) or _told(words.fallbacks.get(name), known, shop_language) for name in VARIABLES}
    text = Kind(BULK, frozenset(VARIABLES), {}).text(known, told, words.texts[known])
    buttons, links = [], []
    for button in words.buttons:
        label = button.labels.get(known) or button.labels[shop_language]
        if button.kind is ButtonKind.LINK:
            links.append(Link(label, button.url))
        else:
            data = "card" if button.kind is ButtonKind.CARD else f"{SAID}{label}"
            buttons.append((Button(label, data),))
    return Content(
        text=text,
        buttons=tuple(buttons),
        links=tuple(links),
        attachment=words.attachment,
        stand_in=words.template,
        values={name: value for name, value in told.items() if value} if words.template else {},
    )


def _told(fallback: Mapping[str, str] | None, language: str, shop_language: str) -> str:
    return (fallback or {}).get(language) or (fallback or {}).get(shop_language) or ""


def _named(texts: Texts) -> set[str]:
    return {name for text in texts.values() for name in variables_of(text)}


def _wordings(words: Words, shop_language: str) -> list[Texts]:
    wordings = (words.texts, *words.other_texts)
    if len(wordings) > len(LETTERS):
        raise Invalid("wordings", "too_many", limit=len(LETTERS))
    found: list[Texts] = [
        {one: text for one in LANGUAGES if (text := _text(texts, one, text_field(variant, one), shop_language))}
        for variant, texts in enumerate(wordings)
    ]
    told = {language for texts in found for language in texts}
    for variant, texts in enumerate(found):
        if missing := sorted(told - texts.keys()):
            raise Invalid(text_field(variant, missing[0]), "told_in_another_wording")
        if texts in found[:variant]:
            raise Invalid(text_field(variant, shop_language), "same_wording")
    return found


def _text(texts: Texts, language: str, name: str, shop_language: str) -> str:
    text = "\n".join(line.rstrip() for line in texts.get(language, "").replace("\t", " ").splitlines()).strip()
    if not text and language == shop_language:
        raise Invalid(name, "required")
    if len(text) > TEXT_LENGTH:
        raise Invalid(name, "too_long", limit=TEXT_LENGTH)
    if _CONTROL.search(text):
        raise Invalid(name, "odd_characters")
    rest = VARIABLE.sub("", text)
    if "{" in rest or "}" in rest:
        raise Invalid(name, "odd_braces", example="{first_name}")
    if unknown := sorted(variables_of(text) - set(VARIABLES)):
        raise Invalid(name, "unknown_variable", name=f"{{{unknown[0]}}}")
    return text


def _fallback(name: str, fallbacks: Fallbacks, shop_language: str) -> Mapping[str, str] | None:
    """What stands in for a variable; empty for one that needs nothing."""
    if name not in CAN_BE_MISSING:
        return {}
    asked = fallbacks.get(name, {})
    if asked is LEFT_OUT:
        return LEFT_OUT
    kept: dict[str, str] = {}
    for language in LANGUAGES:
        text = " ".join(asked.get(language, "").split())
        if len(text) > FALLBACK_LENGTH:
            raise Invalid(f"fallback-{name}-{language}", "too_long", limit=FALLBACK_LENGTH)
        if "{" in text or "}" in text or _CONTROL.search(text):
            raise Invalid(f"fallback-{name}-{language}", "odd_characters")
        if text:
            kept[language] = text
    # A sentence without a name is still one; without anything else it is not.
    if shop_language not in kept and (kept or name != "first_name"):
        raise Invalid(f"fallback-{name}-{shop_language}", "required")
    return kept


def _buttons(buttons: Sequence[CampaignButton], shop_language: str) -> tuple[CampaignButton, ...]:
    if len(buttons) > BUTTONS_AT_MOST:
        raise Invalid("buttons", "too_many", limit=BUTTONS_AT_MOST)
    kept = []
    for number, button in enumerate(buttons, 1):
        labels = {language: _label(button, number, language, shop_language) for language in LANGUAGES}
        url = button.url.strip() if button.kind is ButtonKind.LINK else ""
        if button.kind is ButtonKind.LINK:
            _check_url(url, f"url-{number}")
        kept.append(CampaignButton(button.kind, {name: text for name, text in labels.items() if text}, url))
    for language in LANGUAGES:
        told = [(one.labels.get(language) or one.labels[shop_language]).casefold() for one in kept]
        if len(set(told)) < len(told):
            raise Invalid("buttons", "named_twice")
    return tuple(kept)


def _label(button: CampaignButton, number: int, language: str, shop_language: str) -> str:
    label, name = " ".join(button.labels.get(language, "").split()), f"label-{number}-{language}"
    if not label and language == shop_language:
        raise Invalid(name, "required")
    if len(label) > LABEL_LENGTH or len(f"{SAID}{label}".encode()) > DATA_BYTES:
        raise Invalid(name, "too_long", limit=LABEL_LENGTH)
    if _CONTROL.search(label):
        raise Invalid(name, "odd_characters")
    return label


def _check_url(url: str, name: str) -> None:
    """Raise Invalid unless it is an https address that every messenger opens."""
    if not url:
        raise Invalid(name, "required")
    if len(url) > URL_LENGTH:
        raise Invalid(name, "too_long", limit=URL_LENGTH)
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        parts.port  # noqa: B018  raises for one that is none
    except ValueError:
        raise Invalid(name, "not_a_url") from None
    if parts.scheme != "https":
        raise Invalid(name, "must_be_https")
    if "." not in host or parts.username is not None or not url.isascii() or _CONTROL.search(url) or " " in url:
        raise Invalid(name, "not_a_url")
