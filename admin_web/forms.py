"""What a person sent: the words as typed, kept for the next try, and what is wrong with them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from aiohttp import web

from admin_web.words import reason_text
from loyalty.errors import Invalid, LoyaltyError

GENERAL = ""
"""Errors under this name concern the form as a whole."""


@dataclass(slots=True)
class Form:
    """Values by field as typed, and one sentence by wrong field.

    Readers (`text`, `choice`, …) note what is wrong and return a harmless value; ask `ok` when all is read.
    """

    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong so far."""
        return not self.errors

    def value(self, name: str) -> str:
        """What stands in the field."""
        return self.values.get(name, "")

    def error(self, name: str) -> str:
        """What is wrong with the field; empty when nothing is."""
        return self.errors.get(name, "")

    def refuse(self, error: LoyaltyError) -> None:
        """Note an error of the house beside its field; one without a field concerns the whole form."""
        name = error.field if isinstance(error, Invalid) else GENERAL
        self.errors.setdefault(name, reason_text(error))

    def text(self, name: str, *, required: bool = False) -> str:
        """The trimmed words of a field."""
        value = self.value(name).strip()
        if required and not value:
            self.refuse(Invalid(name, "required"))
        return value

    def checked(self, name: str) -> bool:
        """Whether a box is ticked."""
        return bool(self.value(name))

    def choice(self, name: str, options: Collection[str]) -> str:
        """One of the options; the first of them when something else was sent."""
        value = self.value(name).strip()
        if value not in options:
            self.refuse(Invalid(name, "unknown_choice"))
            return next(iter(options), "")
        return value

    def number(self, name: str) -> int | None:
        """A whole number, or None for an empty field."""
        value = self.text(name)
        if not value:
            return None
        if not (value.isascii() and value.isdigit() and len(value) <= 9):
            self.refuse(Invalid(name, "not_a_number"))
            return None
        return int(value)

    def day(self, name: str) -> date | None:
        """A day of a date field, or None for an empty one."""
        value = self.text(name)
        if not value:
            return None
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.refuse(Invalid(name, "not_a_date"))
            return None


def form_of(values: Mapping[str, object]) -> Form:
    """A form filled from what is stored."""
    return Form({name: "" if value is None else str(value) for name, value in values.items()})


async def read_form(request: web.Request) -> Form:
    """What was posted; of repeated fields the last. Files are not taken. Raises HTTPBadRequest for no text."""
    try:
        data = await request.post()
    except (ValueError, LookupError):
        raise web.HTTPBadRequest from None
    values = {name: value for name, value in data.items() if isinstance(value, str)}
    # PostgreSQL keeps no NUL in texts, and no half of a surrogate pair is a character.
    if any(not _storable(text) for pair in values.items() for text in pair):
        raise web.HTTPBadRequest
    return Form(values)


def id_in(request: web.Request, name: str = "id") -> int:
    """The number in the path. Raises HTTPNotFound for what is none."""
    text = request.match_info[name]
    if not is_id(text):
        raise web.HTTPNotFound
    return int(text)


def is_id(text: str) -> bool:
    """Whether a text can be an id."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def _storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)
