"""Dates as people type them."""

from datetime import date

import pytest

from bot.dialogs.questionnaire import parse_birthday


@pytest.mark.parametrize(
    ("text", "birthday"),
    [
        ("24.08.1991", date(1991, 8, 24)),
        ("24/8/1991", date(1991, 8, 24)),
        ("1991-08-24", date(1991, 8, 24)),
        (" 24 08 1991 г. ", date(1991, 8, 24)),
        ("٢٤.٠٨.١٩٩١", date(1991, 8, 24)),
        ("24.08.91", None),
        ("24.13.1991", None),
        ("24.08.2091", None),
        ("24.08.1091", None),
        ("24 августа", None),
        ("1" * 4000, None),
    ],
)
def test_birthdays_are_read_as_people_type_them(text, birthday):
    assert parse_birthday(text, date(2026, 3, 10)) == birthday
