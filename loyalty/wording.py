"""Amounts, dates and counted nouns in a person's language. Pure; every number goes through Babel.

Money comes in minor units of a currency, bonuses in hundredths. Source of the plural rules: CLDR.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache

import phonenumbers
from babel import Locale, dates, numbers

NBSP = "\u00a0"
MINUS = "\u2212"
MASK = "···"

SIGNS = {
    "RUB": "₽", "UAH": "₴", "KZT": "₸", "BYN": "Br", "GEL": "₾", "AMD": "֏", "AZN": "₼", "TRY": "₺", "EUR": "€",
    "USD": "$", "GBP": "£", "PLN": "zł", "CZK": "Kč", "ILS": "₪", "JPY": "¥", "KRW": "₩", "VND": "₫",
}  # fmt: skip
"""Signs people know; other currencies show their code."""
SIGN_FIRST = {"USD", "EUR", "GBP", "JPY", "ILS", "KRW"}
"""Written before the number in English; Russian and Ukrainian write every sign after it."""

BONUSES = {
    "en": {"one": "bonus", "other": "bonuses"},
    "ru": {"one": "бонус", "few": "бонуса", "many": "бонусов", "other": "бонуса"},
    "uk": {"one": "бонус", "few": "бонуси", "many": "бонусів", "other": "бонуса"},
}
VISITS = {
    "en": {"one": "visit", "other": "visits"},
    "ru": {"one": "визит", "few": "визита", "many": "визитов", "other": "визита"},
    "uk": {"one": "візит", "few": "візити", "many": "візитів", "other": "візиту"},
}


def mark(message: str) -> str:
    """Mark a constant for the panel's catalogues; it is translated where it is shown."""
    return message


@cache
def locale(language: str) -> Locale:
    """Babel's data of a language, parsed once."""
    return Locale.parse(language)


def sign_of(currency: str) -> str:
    """The sign of a currency (ISO 4217), or its code."""
    return SIGNS.get(currency, currency)


@lru_cache(maxsize=4096)
def decimal(amount: int, exponent: int, language: str) -> str:
    """`amount` units of 10^-exponent: 1 840 or 1 840.50, all the decimals or none."""
    whole, fraction = divmod(abs(amount), 10**exponent)
    pattern = f"#,##0.{'0' * exponent}" if fraction else "#,##0"
    value = Decimal(whole) + Decimal(fraction).scaleb(-exponent)
    text = numbers.format_decimal(value, pattern, locale=locale(language))
    return MINUS + text if amount < 0 else text


def money(minor: int, currency: str, exponent: int, language: str) -> str:
    """A sum of money: 1 840 ₽."""
    digits = decimal(abs(minor), exponent, language)
    if language == "en" and currency in SIGN_FIRST:
        text = sign_of(currency) + digits
    else:
        text = digits + NBSP + sign_of(currency)
    return MINUS + text if minor < 0 else text


def bonuses(hundredths: int, language: str) -> str:
    """An amount of bonuses without the noun: 1 040."""
    return decimal(hundredths, 2, language)


@lru_cache(maxsize=4096)
def bonuses_in_words(hundredths: int, language: str) -> str:
    """An amount of bonuses with its noun: 21 бонус, 92 бонуса, 95 бонусов, 2.50 bonuses."""
    return bonuses(hundredths, language) + NBSP + plural(Decimal(abs(hundredths)) / 100, BONUSES[language], language)


@lru_cache(maxsize=4096)
def visits_in_words(count: int, language: str) -> str:
    """A number of visits with its noun: 21 визит, 3 visits."""
    return decimal(count, 0, language) + NBSP + plural(count, VISITS[language], language)


@lru_cache(maxsize=256)
def percent(basis_points: int, language: str) -> str:
    """A share, with the decimals it has: 7.5%."""
    return numbers.format_percent(basis_points / 10_000, "#,##0.##%", locale=locale(language))


def plural(count: int | Decimal, forms: Mapping[str, str], language: str) -> str:
    """The form of a counted noun that goes with `count`, by CLDR's categories (one, few, many, other)."""
    whole = count == int(count)
    return forms.get(locale(language).plural_form(int(count) if whole else count), forms["other"])


@lru_cache(maxsize=4096)
def day(value: date, language: str) -> str:
    """A day: 22 Aug 2026."""
    return dates.format_date(value, "d MMM y", locale=locale(language))


@lru_cache(maxsize=4096)
def moment(at: datetime, zone: str, language: str) -> str:
    """A moment by the clock of a zone: 22 August, 18:30."""
    return dates.format_datetime(at, "d MMMM, HH:mm", tzinfo=dates.get_timezone(zone), locale=locale(language))


def phone_masked(number: str) -> str:
    """An international number of which one can see the country and the last two digits: +7 ··· ··-05."""
    try:
        code = phonenumbers.parse(number).country_code
    except phonenumbers.NumberParseException:
        return MASK
    return f"+{code}{NBSP}{MASK}{NBSP}··-{number[-2:]}"
