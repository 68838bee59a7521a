"""What people are asked to agree to: versions that follow each other and are never changed."""

import asyncio
from typing import Any

import pytest

from loyalty.customers.actions.consent_texts import publish_consent
from loyalty.customers.actions.profile import set_consent
from loyalty.customers.consenting import HOUSE
from loyalty.customers.queries.consent_texts import agreed_by_version, newest_words, versions_of, words_of
from loyalty.customers.rules import Topic
from loyalty.errors import Invalid, LoyaltyError, NotFound, Refused
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_cashier, a_customer

pytestmark = pytest.mark.usefixtures("database")

BY: dict[str, Any] = {"actor": COMMAND, "now": NOW}


async def test_without_a_version_of_its_own_the_shop_asks_in_the_words_of_the_house():
    words = await newest_words(Topic.TERMS, "ru", "en")
    assert (words.mark, words.text) == ("1 ru", HOUSE[Topic.TERMS]["ru"])
    assert words.shown("{shop} & co").startswith("Несколько слов перед началом.\n\n{shop} & co хранит")


async def test_versions_count_on_from_the_house_and_old_ones_stay_as_they_were():
    owner = await a_cashier()
    assert await publish_consent(Topic.TERMS, {"en": "Terms of {shop}.", "ru": "Условия."}, actor=owner, now=NOW) == 2
    assert await publish_consent(Topic.TERMS, {"en": "New terms.", "ru": " "}, **BY) == 3
    newest, second, house = await versions_of(Topic.TERMS)
    assert (newest.version, newest.texts, newest.staff_name) == (3, {"en": "New terms."}, None)
    assert (second.version, second.texts, second.published_at) == (2, {"en": "Terms of {shop}.", "ru": "Условия."}, NOW)
    assert second.staff_name is not None
    assert (house.version, house.published_at) == (1, None)
    assert (await words_of(Topic.TERMS, "2 ru")).text == "Условия."
    assert len(await versions_of(Topic.MARKETING)) == 1


@pytest.mark.parametrize(
    ("texts", "language", "mark"),
    [({"en": "A", "ru": "Б"}, "uk", "2 ru"), ({"en": "A"}, "uk", "2 en"), ({"uk": "В", "ru": "Б"}, "uk", "2 uk")],
)
async def test_a_missing_language_is_asked_in_the_shops_or_in_any_that_was_published(texts, language, mark):
    await publish_consent(Topic.MARKETING, texts, **BY)
    assert (await newest_words(Topic.MARKETING, language, "ru")).mark == mark


@pytest.mark.parametrize(
    ("texts", "field", "reason"),
    [
        ({"en": " ", "ru": ""}, "text_en", "required"),
        ({"en": "Fine", "ru": "я" * 3501}, "text_ru", "too_long"),
        ({"en": "Dear {first_name}"}, "text_en", "unknown_variable"),
    ],
)
async def test_a_text_that_cannot_be_asked_is_refused_beside_its_field(texts, field, reason):
    with pytest.raises(Invalid) as refused:
        await publish_consent(Topic.TERMS, texts, **BY)
    assert (refused.value.field, refused.value.reason) == (field, reason)


async def test_the_words_in_force_are_no_new_version():
    for texts in (HOUSE[Topic.TERMS], {"en": "Ours."}):
        if texts["en"] == "Ours.":
            await publish_consent(Topic.TERMS, texts, **BY)
        with pytest.raises(Refused, match="consent_is_the_same"):
            await publish_consent(Topic.TERMS, texts, **BY)


async def test_two_owners_at_once_publish_two_versions():
    numbers = await asyncio.gather(*(publish_consent(Topic.TERMS, {"en": f"Terms {n}"}, **BY) for n in range(4)))
    assert sorted(numbers) == [2, 3, 4, 5]


@pytest.mark.parametrize("mark", ["2 en", "1 fr", "paper", ""])
async def test_a_text_that_was_never_published_is_not_found(mark):
    with pytest.raises(NotFound):
        await words_of(Topic.TERMS, mark)
    with pytest.raises(LoyaltyError):
        await words_of(Topic.SURVEYS, "1 en")


async def test_people_are_counted_by_the_version_that_their_newest_word_names():
    for marks in (["1 ru"], ["1 ru", "2 en"], ["2 uk"], ["2 ru", None], ["by hand"]):
        person = await a_customer()
        for mark in marks:
            await set_consent(
                person.id, Topic.TERMS, granted=mark is not None, source="panel", text_version=mark or "2 ru", **BY
            )
    assert await agreed_by_version(Topic.TERMS) == {1: 1, 2: 2, 0: 1}
