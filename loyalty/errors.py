"""What can go wrong, in four kinds.

LoyaltyError
├── NotFound   the thing named does not exist, or is not this person's to see
├── Invalid    a field of the input is wrong; names the field and the reason
├── Refused    the input is fine, the business says no
└── Conflict   the same key came with another body

A `reason` is a stable code in snake_case. Words for people live at the doors, in the reader's language.
`details` holds numbers the words may need (a limit, a date); never names, phones or texts.
"""

from typing import Any


class LoyaltyError(Exception):
    """Base of every refusal that a door turns into an answer."""

    def __init__(self, reason: str, **details: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details


class NotFound(LoyaltyError):
    """`reason` is the noun that was not found: "customer", "receipt"."""


class Invalid(LoyaltyError):
    """One field of the input is wrong."""

    def __init__(self, field: str, reason: str, **details: Any) -> None:
        super().__init__(reason, **details)
        self.field = field


class Refused(LoyaltyError):
    """A rule of the business says no."""


class Conflict(LoyaltyError):
    """The key was used before, with another body."""
