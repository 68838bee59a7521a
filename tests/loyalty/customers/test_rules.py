from datetime import date

import pytest

from loyalty.customers.rules import (
    SearchKind,
    card_number_for,
    check_birthday,
    clean_email,
    clean_name,
    is_card_number,
    normalise_phone,
    parse_search,
    short_name,
)
from loyalty.errors import Invalid


@pytest.mark.parametrize(
    "text",
    [
        "+7 916 123-45-67",
        "8 (916) 123 45 67",
        "89161234567",
        "7 916 1234567",
        "９１６１２３４５６７",
        "9161234567",
        "\u202a+7 916 123-45-67\u202c",
        "tel:+7-916-123-45-67",
        "٨٩١٦١٢٣٤٥٦٧",
    ],
)
def test_a_phone_in_any_spelling_is_one_number(text):
    assert normalise_phone(text, "RU") == "+79161234567"


@pytest.mark.parametrize("text", ["", "12", "hello", "+7 916", "+999 1234567", "9" * 50, "\x00", "+79161234567 ext. 5"])
def test_what_is_no_phone_is_refused(text):
    with pytest.raises(Invalid) as refused:
        normalise_phone(text, "RU")
    assert (refused.value.field, refused.value.reason) == ("phone", "not_a_phone")


def test_the_region_reads_local_numbers():
    assert normalise_phone("067 123 45 67", "UA") == "+380671234567"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  Мария   Соколова ", "Мария Соколова"),
        ("Їжак 🦔", "Їжак 🦔"),
        ("Ann\u202e\u200fa\x00 B\u0007", "Ann a B"),
        ("Zoe\u0308", "Zoë"),
        ("O'Neil-Smith Jr.", "O'Neil-Smith Jr."),
        ("👩\u200d🍳 Шеф", "👩\u200d🍳 Шеф"),
    ],
)
def test_a_name_keeps_what_can_be_seen(text, name):
    assert clean_name(text) == name


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "required"),
        ("\x00\u202e", "required"),
        ("🦔", "no_letters"),
        ("12345", "no_letters"),
        ("<b>Иван</b>", "odd_characters"),
        ("Я" * 101, "too_long"),
        ("Я" * 10_000, "too_long"),
    ],
)
def test_a_name_that_cannot_be_one_is_refused(text, reason):
    with pytest.raises(Invalid) as refused:
        clean_name(text)
    assert refused.value.reason == reason


def test_a_till_shows_a_first_name_and_an_initial():
    assert [short_name(name) for name in ("Мария Соколова", "Cher")] == ["Мария С.", "Cher"]


def test_card_numbers_differ_and_check_themselves():
    numbers = {card_number_for(sequence) for sequence in range(1, 20_001)}
    assert len(numbers) == 20_000
    assert all(is_card_number(number) for number in numbers)
    one = card_number_for(7)
    assert not is_card_number(one[:-1] + str((int(one[-1]) + 1) % 10))
    swapped = one[:2] + one[3] + one[2] + one[4:]
    assert swapped == one or not is_card_number(swapped)


@pytest.mark.parametrize("day", [date(1899, 12, 31), date(2026, 3, 11)])
def test_a_birthday_nobody_alive_has_is_refused(day):
    with pytest.raises(Invalid):
        check_birthday(day, date(2026, 3, 10))


def test_an_email_is_plausible_or_refused():
    assert clean_email(" anna@example.com ") == "anna@example.com"
    assert clean_email("") is None
    for wrong in ("anna", "anna@", "a b@example.com", "a@example", "<a@example.com>"):
        with pytest.raises(Invalid):
            clean_email(wrong)


@pytest.mark.parametrize(
    ("text", "kind", "needle", "phone"),
    [
        ("  Анна ", SearchKind.NAME, "анна", None),
        ("Ан", SearchKind.NAME, "ан", None),
        ("8525", SearchKind.LAST_DIGITS, "8525", None),
        ("916 12", SearchKind.DIGITS, "91612", None),
        ("8 916 123-45-67", SearchKind.DIGITS, "89161234567", "+79161234567"),
        ("Anna@Ex", SearchKind.EMAIL, "anna@ex", None),
    ],
)
def test_one_box_understands_what_is_typed(text, kind, needle, phone):
    search = parse_search(text, "RU")
    assert search is not None
    assert (search.kind, search.text, search.phone) == (kind, needle, phone)


def test_nothing_is_no_search():
    assert parse_search(" \x00 ", "RU") is None
