import ast
import string
from pathlib import Path

import pytest

from admin_web import messages
from admin_web.acts import ACTS
from admin_web.words import NOUNS, REASONS, ROLE_HINTS, ROLE_NAMES, reason_text
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.staff.rules import Role

ROOT = Path(__file__).parents[2]
SOURCES = [path for folder in ("loyalty", "admin_web") for path in (ROOT / folder).rglob("*.py")]


def literals(call, position):
    """The strings an argument can be, through conditionals; nothing for what is computed."""
    if len(call.args) <= position:
        return []
    pending, found = [call.args[position]], []
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
        elif isinstance(node, ast.IfExp):
            pending += [node.body, node.orelse]
    return found


def calls(name):
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and name in (getattr(node.func, "id", ""), getattr(node.func, "attr", "")):
                yield node


def used(name, position):
    return {text for call in calls(name) for text in literals(call, position)}


@pytest.mark.parametrize("language", messages.TRANSLATED)
def test_every_text_is_translated_and_nothing_is_fuzzy(language):
    stored = messages.stored(language)
    assert messages.untranslated(stored) == []
    assert [message.id for message in stored if message.fuzzy and message.id] == []


@pytest.mark.parametrize("language", messages.TRANSLATED)
def test_catalogues_are_in_step_with_the_code(language):
    fresh = messages.written(language, messages.renewed(language, messages.collect()))
    assert messages.catalogue_path(language).read_text() == fresh, "run: python -m admin_web.messages"


@pytest.mark.parametrize("language", messages.TRANSLATED)
def test_translations_keep_the_placeholders(language):
    for message in messages.stored(language):
        if not message.id:
            continue
        source = message.id[-1] if isinstance(message.id, tuple) else message.id
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        for text in texts:
            assert set(messages_placeholders(text)) == set(messages_placeholders(source)), message.id


def messages_placeholders(text):
    return [part.split(")")[0] for part in text.split("%(")[1:]]


@pytest.mark.parametrize("language", messages.TRANSLATED)
def test_russian_and_ukrainian_have_three_forms_of_a_number(language):
    stored = messages.stored(language)
    assert stored.num_plurals == 3
    assert all(len(message.string or ()) == 3 for message in stored if isinstance(message.id, tuple))


def test_every_reason_of_the_house_has_a_sentence():
    reasons = used("Invalid", 1) | used("Refused", 0) | used("Conflict", 0)
    assert reasons - REASONS.keys() == set()


def test_every_noun_that_can_be_missing_has_a_sentence():
    assert used("NotFound", 0) - NOUNS.keys() == set()


def test_every_act_of_the_journal_has_a_sentence():
    recorded = {"receipt.recorded", "location.burns_freely", "location.burns_with_code"}
    assert (used("write_journal", 1) | recorded) - ACTS.keys() == set()


def test_every_role_has_a_name_and_a_hint():
    assert set(ROLE_NAMES) == set(ROLE_HINTS) == set(Role)


def test_amounts_in_a_sentence_are_shown_as_people_read_them():
    assert reason_text(Refused("not_enough_bonuses", available=104_050)) == "There are only 1,040.50 bonuses to use."
    assert reason_text(Invalid("name", "too_long", limit=100)) == "At most 100 characters."


def test_an_unknown_code_still_gets_a_sentence():
    assert reason_text(Refused("never_heard_of")) == "This cannot be done."
    assert reason_text(NotFound("never_heard_of")) == "There is no such thing."


def test_a_sentence_survives_missing_figures():
    for reason, sentence in REASONS.items():
        names = {name for _, name, _, _ in string.Formatter().parse(sentence) if name}
        assert not names, reason
