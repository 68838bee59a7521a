"""Words of the shop's own in its dialogs: what a newcomer reads first, and last. Pure."""

from collections.abc import Mapping

from loyalty.conversations.kinds.base import Kind, variables_of
from loyalty.customers.rules import check_note
from loyalty.errors import Invalid

GREETING = Kind(
    "greeting",
    frozenset({"shop"}),
    {
        "en": "{shop}: bonuses for your purchases.",
        "ru": "{shop}: бонусы за ваши покупки.",
        "uk": "{shop}: бонуси за ваші покупки.",
    },
)
WELCOME = Kind(
    "welcome",
    frozenset({"first_name"}),
    {
        "en": "Welcome, {first_name}.",
        "ru": "Добро пожаловать, {first_name}.",
        "uk": "Ласкаво просимо, {first_name}.",
    },
)
WORDS: Mapping[str, Kind] = {words.name: words for words in (GREETING, WELCOME)}
LENGTHS = {"greeting": 600, "welcome": 1000}
"""The greeting stands above a question with buttons."""


def checked_words(name: str, texts: Mapping[str, str]) -> dict[str, str]:
    """The shop's own words by language; a blank one is left out: there the house's are said.

    Raises Invalid("<name>_<language>").
    """
    clean = {}
    for language, text in texts.items():
        if not text.strip():
            continue
        field = f"{name}_{language}"
        try:
            clean[language] = check_note(text, LENGTHS[name])
        except Invalid as error:
            raise Invalid(field, error.reason, **error.details) from None
        for variable in sorted(variables_of(text) - WORDS[name].variables):
            raise Invalid(field, "unknown_variable", name=f"{{{variable}}}")
    return clean
