"""Names, phones, card numbers. Pure."""

import hashlib
import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

import phonenumbers

from loyalty.errors import Invalid

NEVER = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
"""Stands in the facts for "has not happened", so that paging by a date has an order."""

ERASED_NAME = "∅"
"""Stands for the name of somebody who was erased: nobody is called so, for a name has a letter."""
NAME_LENGTH = 100
EMAIL_LENGTH = 254
NOTE_LENGTH = 2000
OLDEST_YEAR = 1900
RESTORED_FOR = timedelta(days=30)
"""So long staff can take back that they deleted somebody; a purchase brings them back after it, too."""
CARD_NUMBERS = 10**7
_SPREAD = 7_368_787  # coprime to CARD_NUMBERS: every sequence value gets a card of its own
_OFFSET = 1_234_567
_EMAIL = re.compile(r"[^@\s<>\"',;]+@[^@\s<>\"',;]+\.[^@\s<>\"',;.]{2,}")
_JOINERS = "\u200c\u200d"  # emoji and some scripts are written with them


class Via(StrEnum):
    """By which door a customer came."""

    TELEGRAM = "telegram"
    WHATSAPP = "whatsapp"
    CASHIER = "cashier"
    PANEL = "panel"
    IMPORT = "import"
    API = "api"
    BOOKING = "booking"


MESSENGERS = frozenset({Via.TELEGRAM, Via.WHATSAPP})
"""Doors in which people register themselves, step by step."""


class Topic(StrEnum):
    """What a consent is about."""

    TERMS = "terms"
    MARKETING = "marketing"
    SURVEYS = "surveys"


class LinkState(StrEnum):
    """Whether an account that may be a customer's was found to be theirs."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"


TYPED_PHONE = "phone_typed"
"""The step of a registration in which somebody named a number without a proof that it is theirs."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known about a person, checked and normalised. Make it with `profile_from`."""

    name: str
    phone: str | None
    email: str | None
    gender: str | None
    birthday: date | None
    language: str
    home_location_id: int | None


def profile_from(
    *,
    name: str,
    phone: str,
    email: str = "",
    gender: str = "",
    birthday: date | None = None,
    language: str,
    home_location_id: int | None = None,
    region: str,
    today: date,
) -> Profile:
    """Check what a person typed. Empty texts mean "not known". Raises Invalid for the first wrong field."""
    if gender not in {"", "f", "m"}:
        raise Invalid("gender", "unknown_choice")
    return Profile(
        name=clean_name(name),
        phone=normalise_phone(phone, region) if phone.strip() else None,
        email=clean_email(email),
        gender=gender or None,
        birthday=check_birthday(birthday, today) if birthday else None,
        language=language,
        home_location_id=home_location_id,
    )


def clean_text(text: str) -> str:
    """Drop what cannot be seen (controls, direction marks, NUL), and fold runs of spaces."""
    composed = unicodedata.normalize("NFC", text)
    # Nearly always there is nothing to drop, and files have many lines.
    if composed.isprintable():
        return " ".join(composed.split())
    visible = (
        char if char in _JOINERS or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"} else " "
        for char in composed
    )
    return " ".join("".join(visible).split()).strip(_JOINERS + " ")


def clean_name(text: str) -> str:
    """A person's name as it will be kept and shown.

    Any script and emoji may stand in it; it needs a letter, and angle brackets are refused, because nobody is
    called like markup. Raises Invalid("name") with `required`, `too_long`, `no_letters`, `odd_characters`.
    """
    if len(text) > 20 * NAME_LENGTH:
        raise Invalid("name", "too_long", limit=NAME_LENGTH)
    name = clean_text(text)
    if not name:
        raise Invalid("name", "required")
    if len(name) > NAME_LENGTH:
        raise Invalid("name", "too_long", limit=NAME_LENGTH)
    if any(char in "<>" for char in name):
        raise Invalid("name", "odd_characters")
    if not any(char.isalpha() for char in name):
        raise Invalid("name", "no_letters")
    return name


def short_name(name: str) -> str:
    """The first word and an initial ("Maria S."): what a till may show with others looking on."""
    words = name.split()
    return f"{words[0]} {words[1][0]}." if len(words) > 1 else words[0]


def clean_email(text: str) -> str | None:
    """A plausible address, or None for nothing. Raises Invalid("email")."""
    email = clean_text(text)
    if not email:
        return None
    if len(email) > EMAIL_LENGTH or not _EMAIL.fullmatch(email):
        raise Invalid("email", "not_an_email")
    return email


def normalise_phone(text: str, region: str) -> str:
    """A phone in any spelling as E.164. `region` (ISO 3166) reads numbers without a country code.

    Raises Invalid("phone", "not_a_phone").
    """
    ascii_digits = "".join(str(unicodedata.digit(char)) if char.isdigit() else char for char in clean_text(text)[:40])
    try:
        number = phonenumbers.parse(ascii_digits, region)
    except phonenumbers.NumberParseException:
        raise Invalid("phone", "not_a_phone") from None
    if not phonenumbers.is_valid_number(number) or number.extension:
        raise Invalid("phone", "not_a_phone")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def check_birthday(birthday: date, today: date) -> date:
    """A birthday somebody alive may have. Raises Invalid("birthday", "not_a_birthday")."""
    if birthday.year < OLDEST_YEAR or birthday > today:
        raise Invalid("birthday", "not_a_birthday")
    return birthday


def birthday_code(birthday: date | None) -> int:
    """Month x 100 + day for the facts, where a year does not matter; 0 = unknown."""
    return birthday.month * 100 + birthday.day if birthday else 0


def card_number_for(sequence: int) -> str:
    """The card number of a sequence value: seven scattered digits and Luhn's check digit.

    Different for the first ten million values. Neighbours look unlike, so that a slip of a finger or a guess
    does not meet the next customer. Source of the check digit: ISO/IEC 7812-1.
    """
    digits = f"{(sequence * _SPREAD + _OFFSET) % CARD_NUMBERS:07d}"
    return digits + luhn_digit(digits)


def luhn_digit(digits: str) -> str:
    """The digit that makes a number pass Luhn's test."""
    total = 0
    for index, char in enumerate(reversed(digits)):
        value = int(char) * (2 if index % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def is_card_number(text: str) -> bool:
    """Whether eight digits pass as a card number."""
    return len(text) == 8 and text.isascii() and text.isdigit() and luhn_digit(text[:-1]) == text[-1]


REFERRAL_SIGNS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""No sign is taken for another when it is read aloud or written down."""
REFERRAL_LENGTH = 8


def new_referral_code() -> str:
    """A code to invite with: 31^8 of them, so that nobody guesses one of a shop's."""
    return "".join(secrets.choice(REFERRAL_SIGNS) for _ in range(REFERRAL_LENGTH))


CODE_SECONDS = 30
CODE_DIGITS = 6
CODE_NEIGHBOURS = (0, -1, 1)
"""Steps of time at which a code is taken: its own, and one to each side for slow hands and clocks."""


def code_step(now: datetime) -> int:
    """The 30-second step of time that `now` lies in."""
    return int(now.timestamp()) // CODE_SECONDS


def step_began(step: int) -> datetime:
    """The first moment of a step."""
    return NEVER + timedelta(seconds=step * CODE_SECONDS)


def card_code(key: bytes, customer_id: int, step: int) -> str:
    """The six digits that a card shows during a step. Source of the truncation: RFC 4226, section 5.3."""
    digest = hmac.digest(key, f"{customer_id}:{step}".encode(), hashlib.sha256)
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFF_FFFF
    return f"{number % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def code_key(secret: str) -> bytes:
    """The key of the card codes, drawn from the installation's secret: another secret only changes the codes."""
    return hmac.digest(secret.encode(), b"card code", hashlib.sha256)


@dataclass(frozen=True, slots=True)
class CardProof:
    """A code was shown: whose, and of which step. It pays for one burn."""

    customer_id: int
    step: int


def proof_of(key: bytes, customer_id: int, code: str, now: datetime) -> CardProof | None:
    """What `code` proves about a customer at `now`: the step whose code it is, or nothing."""
    current = code_step(now)
    for neighbour in CODE_NEIGHBOURS:
        step = current + neighbour
        if hmac.compare_digest(card_code(key, customer_id, step).encode(), code.encode()):
            return CardProof(customer_id, step)
    return None


def check_note(text: str, limit: int = NOTE_LENGTH) -> str:
    """A text of staff, with its line breaks. Raises Invalid("text")."""
    note = "\n".join(clean_text(line) for line in text.splitlines()).strip()
    if not note:
        raise Invalid("text", "required")
    if len(note) > limit:
        raise Invalid("text", "too_long", limit=limit)
    return note


class SearchKind(StrEnum):
    """By what a search text looks."""

    NAME = "name"
    EMAIL = "email"
    DIGITS = "digits"
    LAST_DIGITS = "last_digits"


@dataclass(frozen=True, slots=True)
class Search:
    """What a person typed into the one search box, understood. `phone`: the text as a whole number, if it is one."""

    kind: SearchKind
    text: str
    phone: str | None = None


def parse_search(text: str, region: str) -> Search | None:
    """Understand a search text: a phone in any spelling or a part of it, a card number, an e-mail, a name.

    None for nothing. Digits of one, two or four look at beginnings and ends: a trigram index cannot help there, and
    the last four are what a cashier is told.
    """
    needle = clean_text(text[:NAME_LENGTH]).lower()
    if not needle:
        return None
    digits = re.sub(r"[\s()+./-]", "", needle)
    if digits.isascii() and digits.isdigit():
        try:
            phone: str | None = normalise_phone(needle, region)
        except Invalid:
            phone = None
        kind = SearchKind.LAST_DIGITS if len(digits) in {1, 2, 4} else SearchKind.DIGITS
        return Search(kind, digits, phone)
    if "@" in needle:
        return Search(SearchKind.EMAIL, needle)
    return Search(SearchKind.NAME, needle)
