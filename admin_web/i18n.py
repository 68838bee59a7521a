"""Languages of the panel: catalogues, and who is reading.

Texts in the code are English and marked with `_` or `gettext` (translated now), `ngettext` (by number) or
`mark` (a constant, translated when shown). Catalogues are compiled in memory when the process starts.
"""

import functools
import io
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from loyalty import wording
from loyalty.staff.rules import LANGUAGES

SOURCE_LANGUAGE = "en"
LANGUAGE_NAMES = {"en": "English", "ru": "Русский", "uk": "Українська"}
LOCALE_FOLDER = Path(__file__).parent / "locale"


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom texts, numbers and dates are made: language, zone, the shop's money, and now."""

    language: str = SOURCE_LANGUAGE
    time_zone: str = "UTC"
    currency: str = "EUR"
    exponent: int = 2
    now: datetime = datetime(2000, 1, 1, tzinfo=UTC)


NOBODY = Reader()
READER: ContextVar[Reader] = ContextVar("reader", default=NOBODY)
"""Set by the middleware for each request; the default serves tests and refusals before it."""


@functools.cache
def catalogue(language: str) -> NullTranslations:
    """The compiled texts of a language; the source language needs none."""
    path = LOCALE_FOLDER / language / "LC_MESSAGES" / "messages.po"
    if language == SOURCE_LANGUAGE or not path.is_file():
        return NullTranslations()
    with path.open("rb") as source:
        texts = read_po(source, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, texts)
    compiled.seek(0)
    return Translations(compiled)


def gettext(message: str) -> str:
    """The text in the reader's language."""
    return str(catalogue(READER.get().language).gettext(message)) if message else ""


def ngettext(singular: str, plural: str, number: int) -> str:
    """The text for a number in the reader's language; placeholders are left for the caller to fill."""
    return str(catalogue(READER.get().language).ngettext(singular, plural, number))


mark = wording.mark
"""Mark a constant for the catalogues; it is translated where it is shown."""


def choose_language(*wishes: str | None, browser: str = "", fallback: str = SOURCE_LANGUAGE) -> str:
    """The first wish we speak, else the first of the browser's `Accept-Language`, else the fallback."""
    for wish in (*wishes, *_accepted(browser)):
        if wish in LANGUAGES:
            return str(wish)
    return fallback


def _accepted(header: str) -> list[str]:
    """Languages of an `Accept-Language` header, best first, without regions. Source: RFC 9110, 12.5.4."""
    ranked: list[tuple[float, str]] = []
    for part in header[:500].split(","):
        tag, _, parameters = part.strip().partition(";")
        quality = parameters.strip().removeprefix("q=") or "1"
        try:
            ranked.append((-float(quality), tag.partition("-")[0].lower()))
        except ValueError:
            continue
    return [tag for _, tag in sorted(ranked, key=lambda pair: pair[0])]
