"""Numbers and nouns as people of three languages write them."""

from datetime import date
from decimal import Decimal

import pytest

from loyalty import wording

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("language", "hundredths", "text"),
    [
        ("ru", 2_100, "21 бонус"),
        ("ru", 9_200, "92 бонуса"),
        ("ru", 1_100, "11 бонусов"),
        ("ru", 0, "0 бонусов"),
        ("ru", 250, "2,50 бонуса"),
        ("ru", -9_200, "\u221292 бонуса"),
        ("uk", 9_200, "92 бонуси"),
        ("uk", 1_200, "12 бонусів"),
        ("en", 100, "1 bonus"),
        ("en", 104_000, "1,040 bonuses"),
    ],
)
def test_bonuses_are_counted_in_the_grammar_of_the_language(language, hundredths, text):
    assert wording.bonuses_in_words(hundredths, language).replace(NBSP, " ") == text


@pytest.mark.parametrize(
    ("language", "currency", "exponent", "minor", "text"),
    [
        ("ru", "RUB", 2, 184_000, "1 840 ₽"),
        ("ru", "RUB", 2, 184_050, "1 840,50 ₽"),
        ("en", "USD", 2, 184_000, "$1,840"),
        ("en", "KWD", 3, 1_500, "1.500 KWD"),
        ("uk", "JPY", 0, -1_500, "\u22121 500 ¥"),
    ],
)
def test_money_has_its_sign_where_readers_look_for_it(language, currency, exponent, minor, text):
    assert wording.money(minor, currency, exponent, language).replace(NBSP, " ") == text


def test_a_noun_with_a_fraction_takes_the_form_for_fractions():
    assert wording.plural(Decimal("1.5"), {"one": "a", "few": "b", "many": "c", "other": "d"}, "ru") == "d"


def test_a_day_is_named_in_the_language():
    assert wording.day(date(2026, 8, 22), "ru") == "22 авг. 2026"
    assert wording.day(date(2026, 8, 22), "en") == "22 Aug 2026"
