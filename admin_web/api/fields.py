"""Fields that requests and answers share, with their units and limits."""

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from loyalty.errors import Invalid
from loyalty.money import MAX_MINOR

NUMBER_LIMIT = 2**53 - 1
"""Beyond it JSON's readers lose digits."""
LOCATION_LIMIT = 2**31 - 1
CURSOR_LENGTH = 200
FIRST_YEAR, LAST_YEAR = 1970, 9000


class In(BaseModel):
    """What is sent: nothing else may stand in it, and no value is bent into another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Out(BaseModel):
    """What is answered."""

    model_config = ConfigDict(frozen=True)


def _storable(text: str) -> str:
    """PostgreSQL keeps no NUL in texts, and no half of a surrogate pair is a character."""
    if "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise PydanticCustomError("odd_characters", "odd characters")
    return text


def _written_out(given: Any) -> datetime:
    """A number would pass as seconds since 1970: a moment is a date and a time, as RFC 3339 writes them."""
    try:
        if isinstance(given, str) and _MOMENT.match(given):
            return datetime.fromisoformat(given.upper())
    except ValueError:
        pass
    raise PydanticCustomError("not_a_moment", "not a moment")


def _in_calendar(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise PydanticCustomError("not_a_moment", "not a moment")
    return moment


STORABLE = AfterValidator(_storable)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}", re.ASCII)
Moment = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_calendar)]
Id = Annotated[int, Field(ge=1, le=NUMBER_LIMIT)]
LocationId = Annotated[int, Field(ge=1, le=LOCATION_LIMIT, description="Id of a location.", examples=[1])]
Money = Annotated[int, Field(ge=0, le=MAX_MINOR, description="Minor units of the currency (kopecks, cents).")]
Bonuses = Annotated[int, Field(ge=0, le=MAX_MINOR, description="Hundredths of a bonus: 100 is one bonus.")]
Language = Literal["en", "ru", "uk"]
Code = Annotated[
    str,
    Field(
        pattern=r"^([0-9]{6}|[0-9]{14})$",
        description="What the customer's card shows: its 6 digits, or the 14 of its QR code.",
        examples=["482913"],
    ),
]
CursorText = Annotated[
    str,
    Field(max_length=CURSOR_LENGTH, description="Where the page begins: `next_cursor` of the page before."),
    STORABLE,
]
NextCursor = Annotated[str | None, Field(description="Send it as `cursor` for the next page; null at the end.")]


def cursor_of(*numbers: int) -> str:
    """A place between two rows, in a form that says nothing to anybody else."""
    return base64.urlsafe_b64encode(".".join(map(str, numbers)).encode()).decode().rstrip("=")


def numbers_of(cursor: str, count: int) -> list[int]:
    """What `cursor_of` was made from. Raises Invalid("cursor", "not_a_cursor")."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error):
        raise Invalid("cursor", "not_a_cursor") from None
    parts = text.split(".")
    if len(parts) != count or not all(part.isdigit() and len(part) <= 16 for part in parts):
        raise Invalid("cursor", "not_a_cursor")
    return [int(part) for part in parts]


def micros_of(moment: datetime) -> int:
    """A moment as a whole number, none of its digits lost."""
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
