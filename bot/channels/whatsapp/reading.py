"""Reading JSON of which nothing can be trusted: no field to exist, none to have its type."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

ADDRESS_LENGTH = 140
"""The longest name of a person that is kept: a business-scoped id has up to 128 letters and digits and a country."""
NUMBER = re.compile(r"\d{5,20}", re.ASCII)
# A business-scoped id is a country, a dot, letters and digits. Others without a space are taken as they are.
SCOPED = re.compile(r"[!-~]+", re.ASCII)
# As far as a date can be told.
LAST_SECOND = 253_402_300_799


def at(value: object, *path: str | int) -> Any:
    """What lies at the end of a path, like ("profile", "name"); None where there is no such way."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, Mapping) else None
        else:
            value = value[step] if isinstance(value, list) and -len(value) <= step < len(value) else None
    return value


def objects(value: object) -> Sequence[Mapping[str, Any]]:
    """The objects of a list; none where there is no list."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def words(value: object, limit: int = 4096) -> str:
    """A text that the base can keep: without NUL, and without half a surrogate pair. Empty for anything else."""
    return value[:limit].encode(errors="replace").decode().replace("\x00", "") if isinstance(value, str) else ""


def whole(value: object) -> int | None:
    """A whole number that is not negative, told as a number or as text; None for anything else."""
    if type(value) is int:
        return value if 0 <= value < 2**63 else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return None


def seconds(value: object) -> int | None:
    """A time in seconds since 1970, told as a number or as text."""
    told = whole(value)
    return told if told is not None and told <= LAST_SECOND else None


def moment(value: object) -> datetime | None:
    """The same as a time."""
    told = seconds(value)
    return datetime.fromtimestamp(told, UTC) if told is not None else None


def wa_id(value: object) -> str:
    """A person's number as WhatsApp writes it, digits alone; "" for anything else."""
    told = str(value) if type(value) is int and 0 <= value < 10**20 else value
    told = told.removeprefix("+") if isinstance(told, str) else ""
    return told if NUMBER.fullmatch(told) else ""


def scoped_id(value: object) -> str:
    """A person's business-scoped id; "" for anything else, a number too: those are told from it by their digits."""
    if not isinstance(value, str) or len(value) > ADDRESS_LENGTH or value.isdigit():
        return ""
    return value if SCOPED.fullmatch(value) else ""
