"""The shop's own words in its dialogs."""

from typing import Any

import pytest

from loyalty.conversations.actions.greetings import save_words
from loyalty.conversations.greetings import GREETING, WELCOME
from loyalty.conversations.queries.greetings import all_words, own_words
from loyalty.errors import Invalid
from loyalty.staff.rules import COMMAND, LANGUAGES
from tests.builders import NOW

pytestmark = pytest.mark.usefixtures("database")

BY: dict[str, Any] = {"actor": COMMAND, "now": NOW}


def test_the_house_greets_in_every_language_with_its_variables_alone():
    for words in (GREETING, WELCOME):
        assert set(words.texts) == set(LANGUAGES)
        [variable] = words.variables
        assert all(f"{{{variable}}}" in text for text in words.texts.values())


async def test_own_words_are_kept_by_language_and_blank_ones_give_way_to_the_house(database):
    await save_words({"greeting": {"en": "Hello from {shop}", "ru": "Привет"}, "welcome": {"ru": "Рады вам"}}, **BY)
    await save_words({"greeting": {"en": "Hello from {shop}", "ru": "Привет"}, "welcome": {"ru": "Рады вам"}}, **BY)
    assert await all_words() == {
        "greeting": {"en": "Hello from {shop}", "ru": "Привет"},
        "welcome": {"ru": "Рады вам"},
    }
    await save_words({"greeting": {"en": "", "ru": "Привет"}, "welcome": {}}, **BY)
    assert await all_words() == {"greeting": {"ru": "Привет"}, "welcome": {}}
    assert await own_words("greeting", "en") == ""
    assert await database.fetchval("SELECT count(*) FROM journal_entry WHERE action = 'dialog_text.changed'") == 2


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("greeting", "x" * 601, "too_long"),
        ("greeting", "{first_name}", "unknown_variable"),
        ("welcome", "{shop}", "unknown_variable"),
    ],
)
async def test_words_that_cannot_be_said_are_refused_and_nothing_is_kept(name, text, reason):
    with pytest.raises(Invalid) as refused:
        await save_words({"greeting": {"en": "Hi"}, name: {"en": "Hi", "ru": text}}, **BY)
    assert (refused.value.field, refused.value.reason) == (f"{name}_ru", reason)
    assert await all_words() == {"greeting": {}, "welcome": {}}
