"""What the bot says, in each language. Keys are the same everywhere; a test holds the files against each other."""

from collections.abc import Mapping
from string import Formatter

from bot.texts import en, ru, uk
from loyalty.customers.consenting import HOUSE_VERSION

TEXTS: Mapping[str, Mapping[str, str]] = {"en": en.TEXTS, "ru": ru.TEXTS, "uk": uk.TEXTS}
TERMS_VERSION = str(HOUSE_VERSION)
"""Of the house's own terms and question about offers."""


def say(language: str, key: str, /, **values: str) -> str:
    """The text of `key` with its variables filled in; values are never looked into. KeyError for an unknown key."""
    return TEXTS.get(language, en.TEXTS)[key].format_map(values)


def variables_of(text: str) -> set[str]:
    """The variables that a text names."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def keys_said(label: str, keys: Mapping[str, str]) -> str | None:
    """Which of the things on offer a label means, in whatever language it was shown: text key -> its name."""
    wanted = label.strip().casefold()
    for key, name in keys.items():
        if any(texts[key].casefold() == wanted for texts in TEXTS.values()):
            return name
    return None
