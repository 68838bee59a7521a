"""A sale to somebody who is not registered yet. Pure."""

import re
import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from loyalty.clock import business_date, end_of_day

TOKEN_LENGTH = 16
"""Signs of the token in a link: 96 random bits, so that nobody comes by a sale that they were not shown."""
_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}")
# Our receipts never begin with a nought, and a keypad has no letters.
_NUMBER = re.compile(r"0-?([1-9][0-9]{0,17})")


class WaitingState(StrEnum):
    """Where a sale stands that waits for its customer. `refused`: a rule said no when it was to be credited."""

    WAITING = "waiting"
    CREDITED = "credited"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    REFUSED = "refused"


def new_token() -> str:
    """A token for a link."""
    return secrets.token_urlsafe(12)


def is_token(text: str) -> bool:
    """Whether a text can be a token of ours."""
    return _TOKEN.fullmatch(text) is not None


def short_number(sale_id: int) -> str:
    """What a waiting sale is called at the till, unlike any receipt: "0-12"."""
    return f"0-{sale_id}"


def id_of(number: str) -> int | None:
    """Which waiting sale a number names, typed with its dash or without; None for a number of anything else."""
    match = _NUMBER.fullmatch(number)
    return int(match[1]) if match else None


def waits_until(now: datetime, days: int, zone: str) -> datetime:
    """When a sale of `now` stops waiting: at the end of the local day so many days later."""
    return end_of_day(business_date(now, zone) + timedelta(days=days), zone)
