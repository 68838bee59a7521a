"""Every text is there in every language, with the same variables, and says what the code asks for."""

import re
from pathlib import Path

import pytest

from bot.dialogs.engine import COMMANDS, COMMANDS_SHOWN, LABELS
from bot.texts import TEXTS, keys_said, say, variables_of
from loyalty.conversations.kinds import KINDS
from loyalty.conversations.kinds.base import variables_of as variables_of_kind
from loyalty.staff.rules import LANGUAGES

BOT = Path(__file__).parents[2] / "bot"
TOPICS = {key.partition(".")[0] for key in TEXTS["en"] if "." in key} - {"settings"}
ASKED = re.compile(rf'"((?:{"|".join(TOPICS)})\.[a-z_]+)"')


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_missing_in_any_language(language):
    assert TEXTS[language].keys() == TEXTS["en"].keys()
    assert [key for key, text in TEXTS[language].items() if not text.strip()] == []


@pytest.mark.parametrize("key", TEXTS["en"])
def test_a_text_names_the_same_variables_in_every_language(key):
    assert {language: variables_of(TEXTS[language][key]) for language in LANGUAGES} == {
        language: variables_of(TEXTS["en"][key]) for language in LANGUAGES
    }


def test_every_text_that_the_dialogs_ask_for_is_there():
    asked = {key for file in BOT.glob("dialogs/*.py") for key in ASKED.findall(file.read_text())}
    assert len(asked) > 30
    assert asked - TEXTS["en"].keys() == set()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_service_message_is_there_in_every_language_and_names_only_its_variables(kind):
    assert set(kind.texts) == set(LANGUAGES)
    texts = [*kind.texts.values(), kind.scale, *(data for row in kind.buttons.values() for _, data in row)]
    assert {variable for text in texts for variable in variables_of_kind(text)} == kind.variables
    assert set(kind.buttons) in (set(), set(LANGUAGES))


def test_a_line_without_values_is_left_out_and_values_are_not_looked_into():
    text = KINDS["receipt"].text("en", {"total": "{earned}", "location": "<b>", "balance": "92 bonuses"})
    assert text == "Thank you for your purchase: {earned}, <b>.\nNow on your card: 92 bonuses."


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_label_of_the_menu_is_understood_in_every_language(language):
    for key, name in LABELS.items():
        assert keys_said(say(language, key).upper() + " ", LABELS) == name


def test_every_command_on_offer_works_and_is_described():
    for commands in COMMANDS_SHOWN.values():
        assert {name for name, _ in commands} <= COMMANDS.keys()
