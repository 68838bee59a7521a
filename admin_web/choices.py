"""Lists to choose from, in the reader's language: zones, countries, currencies."""

import functools
from zoneinfo import available_timezones

import phonenumbers

from admin_web.i18n import LANGUAGE_NAMES, READER
from loyalty.shop.rules import CURRENCY_EXPONENTS
from loyalty.wording import SIGNS, locale

Options = list[tuple[str, str]]

# Zones that repeat others under old names, or are no places.
_NOT_PLACES = ("Etc/", "SystemV/", "US/", "Brazil/", "Canada/", "Chile/", "Mexico/", "posix/", "right/")


@functools.cache
def time_zones() -> Options:
    """Places of the IANA database and UTC, by name."""
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith(_NOT_PLACES))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


def regions() -> Options:
    """Countries whose phones can be typed without a code, with that code."""
    return _regions(READER.get().language)


def currencies() -> Options:
    """Currencies on offer with their sign and name."""
    return _currencies(READER.get().language)


def languages() -> Options:
    """The languages of the panel by their own names."""
    return list(LANGUAGE_NAMES.items())


@functools.cache
def _regions(language: str) -> Options:
    names = locale(language).territories
    options = [
        (region, f"{names.get(region, region)} (+{phonenumbers.country_code_for_region(region)})")
        for region in phonenumbers.SUPPORTED_REGIONS
    ]
    return sorted(options, key=lambda option: option[1].casefold())


@functools.cache
def _currencies(language: str) -> Options:
    names = locale(language).currencies
    return [
        (code, " · ".join(part for part in (code, SIGNS.get(code, ""), names.get(code, "")) if part))
        for code in CURRENCY_EXPONENTS
    ]
