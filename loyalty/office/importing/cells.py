"""What people write into a cell, understood: days, moments, yes and no, a gender, a state. Pure.

Each raises Invalid(field, reason) with the key of the target that the column is.
"""

import re
from datetime import date, datetime, time
from typing import TypeVar

from loyalty.customers.rules import clean_text
from loyalty.errors import Invalid
from loyalty.office.importing import DateOrder

Choice = TypeVar("Choice")

_ISO = re.compile(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})", re.ASCII)
_LOCAL = re.compile(r"(\d{1,2})[-./](\d{1,2})[-./](\d{4}|\d{2})", re.ASCII)
_TIME = re.compile(r"(\d{1,2})[:.](\d{2})(?::(\d{2}))?(?:\.0+)?\s*([AaPp][Mm])?", re.ASCII)
_SEVERAL = re.compile(r"[,;\n|]")
NAMES_AT_MOST = 20

YES = frozenset({"yes", "y", "true", "1", "+", "да", "д", "истина", "так", "т", "on", "agreed", "согласен", "згоден"})
NO = frozenset({"no", "n", "false", "0", "-", "нет", "н", "ложь", "ні", "off", "не согласен", "не згоден"})
GENDERS = {
    **dict.fromkeys(("f", "female", "woman", "ж", "жен", "женский", "женщина", "жін", "жіноча", "жінка"), "f"),
    **dict.fromkeys(("m", "male", "man", "м", "муж", "мужской", "мужчина", "ч", "чол", "чоловіча", "чоловік"), "m"),
}
LANGUAGES = {
    **dict.fromkeys(("en", "english", "английский", "англійська"), "en"),
    **dict.fromkeys(("ru", "russian", "русский", "російська"), "ru"),
    **dict.fromkeys(("uk", "ua", "ukrainian", "украинский", "українська"), "uk"),
}


def day_in(text: str, field: str, order: DateOrder, *, today: date) -> date:
    """A day; a time beside it is passed over. Years of two digits lie in the past as near as can be.

    Raises Invalid(field, "not_a_date").
    """
    written = text.partition("T")[0].split()[0] if text.strip() else ""
    if found := _ISO.fullmatch(written):
        year, month, day = (int(part) for part in found.groups())
    elif found := _LOCAL.fullmatch(written):
        first, second, year = (int(part) for part in found.groups())
        if len(found[3]) == 2:
            year += 2000 if 2000 + year <= today.year else 1900
        day, month = (first, second) if order is DateOrder.DAY_FIRST else (second, first)
    else:
        raise Invalid(field, "not_a_date")
    try:
        return date(year, month, day)
    except ValueError:
        raise Invalid(field, "not_a_date") from None


def time_in(text: str, field: str) -> time:
    """A time of day, by 24 hours or with am and pm. Raises Invalid(field, "not_a_time")."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise Invalid(field, "not_a_time")
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[4]:
        if not 1 <= hour <= 12:
            raise Invalid(field, "not_a_time")
        hour = hour % 12 + (12 if found[4].lower() == "pm" else 0)
    try:
        return time(hour, minute, second)
    except ValueError:
        raise Invalid(field, "not_a_time") from None


def moment_in(text: str, field: str, order: DateOrder, *, today: date) -> datetime:
    """A day and a time on one wall, without a zone. Raises Invalid(field, "not_a_date" | "not_a_time")."""
    day = day_in(text, field, order, today=today)
    _, _, rest = text.strip().replace("T", " ", 1).partition(" ")
    if not rest.strip():
        raise Invalid(field, "not_a_time")
    # What a program writes of a zone or of parts of a second is not on anybody's wall.
    return datetime.combine(day, time_in(re.sub(r"(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?$", "", rest.strip()), field))


def yes_or_no(text: str, field: str) -> bool:
    """Whether a cell says yes. Raises Invalid(field, "not_yes_or_no")."""
    said = clean_text(text).casefold()
    if said in YES:
        return True
    if said in NO:
        return False
    raise Invalid(field, "not_yes_or_no")


def one_of(text: str, field: str, choices: dict[str, Choice]) -> Choice:
    """What a word stands for. Raises Invalid(field, "unknown_choice")."""
    found = choices.get(clean_text(text).casefold().rstrip("."))
    if found is None:
        raise Invalid(field, "unknown_choice")
    return found


def names_in(text: str, field: str, limit: int) -> list[str]:
    """Several names of one cell, parted by commas, semicolons or lines; each once, in any case.

    Raises Invalid(field, "too_long" | "too_many").
    """
    names: dict[str, str] = {}
    for part in _SEVERAL.split(text):
        if name := clean_text(part):
            names.setdefault(name.casefold(), name)
    if len(names) > NAMES_AT_MOST:
        raise Invalid(field, "too_many", limit=NAMES_AT_MOST)
    if any(len(name) > limit for name in names.values()):
        raise Invalid(field, "too_long", limit=limit)
    return list(names.values())


def share_in(text: str, field: str) -> int:
    """A percentage in basis points ("5", "5 %", "7,5"); 0 for none. Raises Invalid(field, "not_a_share")."""
    found = re.fullmatch(r"(\d{1,3})(?:[.,](\d{1,2})0*)?\s*%?", text.strip(), re.ASCII)
    if found is None:
        raise Invalid(field, "not_a_share")
    share = int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))
    if share > 10_000:
        raise Invalid(field, "not_a_share")
    return share
