"""Reading what other programs answer, of which nothing can be trusted: no field to exist, none to have its type."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import aiohttp

# As far as a date can be told.
LAST_SECOND = 253_402_300_799
LONGEST_PAUSE_SECONDS = 3600.0
# Longer than Python reads or writes without being told to.
LONG_NUMBER = 400
CHUNK = 2**16


class TooLong(ValueError):
    """There are more bytes than somebody wants to hold."""


async def read(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    """The bytes of an answer. Raises TooLong above `limit`: a length that was told may be wrong."""
    body = bytearray()
    async for chunk in answer.content.iter_chunked(CHUNK):
        body += chunk
        if len(body) > limit:
            raise TooLong
    return bytes(body)


def read_json(body: bytes | str) -> Any:
    """JSON with numbers of any length: those beyond all sense stay text. Raises ValueError and RecursionError."""
    return json.loads(body, parse_int=lambda digits: int(digits) if len(digits) < LONG_NUMBER else digits)


def patience(header: str | None) -> float | None:
    """The seconds that a Retry-After asks for, within reason."""
    told = whole(header)
    return min(max(float(told), 1.0), LONGEST_PAUSE_SECONDS) if told is not None else None


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
