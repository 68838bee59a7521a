from datetime import UTC, date, datetime, timedelta

import pytest

from admin_web import formats
from admin_web.i18n import READER, Reader, choose_language

NOW = datetime(2026, 11, 22, 22, 30, tzinfo=UTC)  # in Moscow it is the 23rd already


@pytest.fixture
def read_as():
    """Choose who reads; the reader of before comes back."""
    tokens = []

    def choose(language="ru", currency="RUB", exponent=2, time_zone="Europe/Moscow"):
        tokens.append(READER.set(Reader(language, time_zone, currency, exponent, NOW)))

    yield choose
    for token in reversed(tokens):
        READER.reset(token)


@pytest.mark.parametrize(
    ("reader", "minor", "text"),
    [
        (("ru", "RUB", 2), 184_000, "1\u00a0840\u00a0₽"),
        (("ru", "RUB", 2), 184_050, "1\u00a0840,50\u00a0₽"),
        (("ru", "RUB", 2), -500, "−5\u00a0₽"),
        (("ru", "RUB", 2), -50, "−0,50\u00a0₽"),
        (("ru", "USD", 2), 100, "1\u00a0$"),
        (("en", "USD", 2), 184_050, "$1,840.50"),
        (("en", "RUB", 2), 184_000, "1,840\u00a0₽"),
        (("uk", "UAH", 2), 1_000_000, "10\u00a0000\u00a0₴"),
        (("en", "JPY", 0), 1_840, "¥1,840"),
        (("en", "KWD", 3), 1_005, "1.005\u00a0KWD"),
        (("ru", "RUB", 2), 0, "0\u00a0₽"),
        (("ru", "RUB", 2), None, "—"),
    ],
)
def test_money_has_decimals_only_when_there_are_any(read_as, reader, minor, text):
    read_as(*reader)
    assert formats.money(minor) == text


@pytest.mark.parametrize(
    ("hundredths", "plain", "signed"),
    [
        (104_000, "1\u00a0040", "+1\u00a0040"),
        (50, "0,50", "+0,50"),
        (-55_200, "−552", "−552"),
        (0, "0", "0"),
        (None, "—", "—"),
    ],
)
def test_bonuses_are_shown_whole_when_they_are(read_as, hundredths, plain, signed):
    read_as()
    assert formats.bonuses(hundredths) == plain
    assert formats.signed(hundredths) == signed


def test_a_phone_is_shown_as_people_write_it_or_masked(read_as):
    read_as()
    assert formats.phone("+79632738905") == "+7\u00a0963\u00a0273-89-05"
    assert formats.phone_masked("+79632738905") == "+7\u00a0···\u00a0··-05"
    assert formats.phone_masked("+380501234567") == "+380\u00a0···\u00a0··-67"
    assert formats.phone(None) == formats.phone_masked(None) == "—"


@pytest.mark.parametrize(
    ("days", "text"),
    [(0, "сегодня"), (1, "вчера"), (2, "2 дня назад"), (21, "21 день назад"), (27, "27 дней назад")],
)
def test_recent_days_are_counted_in_the_shops_zone(read_as, days, text):
    read_as()
    assert f">{text}</time>" in formats.ago(NOW - timedelta(days=days))


def test_older_days_are_named_with_the_year_when_it_is_another(read_as):
    read_as()
    assert ">22 авг.</time>" in formats.ago(date(2026, 8, 22))
    assert ">22 авг. 2025</time>" in formats.ago(date(2025, 8, 22))
    assert 'title="22 авг. 2026"' in formats.ago(date(2026, 8, 22))


def test_never_is_a_dash(read_as):
    read_as()
    never = datetime(1970, 1, 1, tzinfo=UTC)
    assert formats.ago(never) == formats.format_date(None) == formats.format_datetime(never) == "—"


def test_moments_are_shown_in_the_shops_zone(read_as):
    read_as("en")
    assert formats.format_datetime(NOW) == "23 Nov 2026, 01:30"
    assert formats.format_date(NOW, "d") == "23"


def test_shares_and_numbers_follow_the_language(read_as):
    read_as()
    assert formats.percent(550) == "5,5%"
    assert formats.num(10_400) == "10\u00a0400"
    assert formats.num(-1) == "−1"


@pytest.mark.parametrize(("name", "text"), [("Мария Соколова", "МС"), ("anna", "A"), ("", "?"), ("А Б В", "АБ")])
def test_initials_are_two_letters_at_most(name, text):
    assert formats.initials(name) == text


def test_a_name_keeps_its_tint():
    assert formats.hue("Мария") == formats.hue("Мария")
    assert 0 <= formats.hue("Мария") < 8


@pytest.mark.parametrize("header", ["", ";;;", "ru;q=x", "x" * 10_000, "*"])
def test_an_odd_header_falls_back(header):
    assert choose_language(browser=header, fallback="uk") == "uk"
