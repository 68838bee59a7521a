"""A fiscal receipt that a customer sends: what its QR code says, whether it is taken, and what is to become of it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from loyalty.errors import Invalid, Refused
from loyalty.money import parse_amount
from loyalty.receipts.rules.sales import FiscalKey
from loyalty.shop.rules import Programme

TEXT_LENGTH = 1000
"""No code of a receipt is longer; what is longer is somebody's letter."""
SALE = 1
"""The kind of operation that earns; 2 to 4 are returns and purchases from people."""
CLOCK_ERROR = timedelta(hours=1)
"""So far ahead of ours may the clock of a cash register be that is known to us."""
ZONE_ERROR = timedelta(hours=12)
"""So far may the time of a receipt be off whose location, and with it the zone, is not known."""
SAME_SALE = timedelta(hours=2)
"""A receipt of the same sum and location within so much time may be the same sale."""

NAMES = {"t", "s", "fn", "i", "fp", "n"}
_FORMS = {
    "t": re.compile(r"[0-9]{8}T[0-9]{4}(?:[0-9]{2})?", re.ASCII),
    "s": re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,3})?", re.ASCII),
    "fn": re.compile(r"[0-9]{1,16}", re.ASCII),
    "i": re.compile(r"[0-9]{1,10}", re.ASCII),
    "fp": re.compile(r"[0-9]{1,10}", re.ASCII),
    "n": re.compile(r"[0-9]", re.ASCII),
}


class ClaimState(StrEnum):
    """Where a claim stands. `matched`: a till had credited the same receipt. A refused one may still be approved."""

    WAITING = "waiting"
    APPROVED = "approved"
    MATCHED = "matched"
    REFUSED = "refused"


class ClaimSource(StrEnum):
    """How the code came."""

    PHOTO = "photo"
    TEXT = "text"


class Wait(StrEnum):
    """Why a claim waits for a person. What recording the sale refuses is a reason as well."""

    UNKNOWN_DRIVE = "unknown_drive"
    LOOKS_CREDITED = "looks_credited"
    SUM_DIFFERS = "sum_differs"
    OVER_LIMIT = "over_limit"


class Refusal(StrEnum):
    """Why a claim was refused: the first by the receipt of a till, the others by a colleague."""

    CREDITED_TO_ANOTHER = "credited_to_another"
    NOT_OURS = "not_ours"
    NOT_CONFIRMED = "not_confirmed"
    RETURNED = "returned"
    CREDITED_BEFORE = "credited_before"


BY_HAND = (Refusal.NOT_CONFIRMED, Refusal.CREDITED_BEFORE, Refusal.RETURNED, Refusal.NOT_OURS)
"""What a colleague may name, the likely first."""

FREED_BY_REPORT = (Wait.UNKNOWN_DRIVE, Wait.OVER_LIMIT)
"""Reasons to wait that end when a till or provider tells of the same receipt."""


@dataclass(frozen=True, slots=True)
class FiscalQr:
    """What the code says. `total` in minor units; `local`: by the clock of the cash register; `operation`: 1 to 4."""

    key: FiscalKey
    total: int
    local: datetime
    operation: int

    def sold_at(self, zone: str) -> datetime:
        """When it was sold, the cash register standing in `zone`. UTC."""
        return self.local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def read_qr(text: str, exponent: int) -> FiscalQr | None:
    """Read the code of a Russian cash register, alone or in an address or a letter; None for no such code.

    t=20261105T1530[SS]&s=1234.56&fn=…&i=…&fp=…&n=1, in any order. `exponent`: decimals of the shop's currency.
    Raises Invalid("receipt", "fiscal_code_unreadable") for one that is cut off or mistyped.
    """
    if len(text) > TEXT_LENGTH:
        return None
    for word in text.split():
        given = _pairs(word)
        if {"fn", "fp"} <= {name for name, _ in given}:
            return _read(given, exponent)
    return None


def _pairs(word: str) -> list[tuple[str, str]]:
    query = word.rpartition("?")[2].partition("#")[0]
    parts = [part.partition("=") for part in query.replace("&amp;", "&").split("&")]
    return [(name.lower(), unquote(value)) for name, sign, value in parts if sign]


def _read(given: list[tuple[str, str]], exponent: int) -> FiscalQr:
    values = {name: value for name, value in given if name in NAMES}
    named = sum(name in NAMES for name, _ in given)
    if named != len(NAMES) or values.keys() != NAMES:
        raise Invalid("receipt", "fiscal_code_unreadable")
    if any(not form.fullmatch(values[name]) for name, form in _FORMS.items()):
        raise Invalid("receipt", "fiscal_code_unreadable")
    key = FiscalKey(values["fn"], int(values["i"]), int(values["fp"]))
    try:
        whole, _point, fraction = values["s"].partition(".")
        total = parse_amount(f"{whole}.{fraction.rstrip('0') or '0'}", exponent, field="receipt")
        local = datetime.strptime(values["t"].ljust(15, "0"), "%Y%m%dT%H%M%S")  # noqa: DTZ007  its zone comes later
    except (ValueError, Invalid):
        raise Invalid("receipt", "fiscal_code_unreadable") from None
    if total <= 0 or local.year < 2000:
        raise Invalid("receipt", "fiscal_code_unreadable")
    return FiscalQr(key, total, local, int(values["n"]))


def check_claim(qr: FiscalQr, sold_at: datetime, programme: Programme, *, is_ours: bool, now: datetime) -> None:
    """Raise Refused for what is not taken, whoever sends it.

    "claims_not_taken", "claim_not_a_sale", "claim_in_future", "claim_too_old" (days=...). `is_ours`: the cash
    register is known, and with it the zone of its clock.
    """
    if not programme.claim_days:
        raise Refused("claims_not_taken")
    if qr.operation != SALE:
        raise Refused("claim_not_a_sale")
    error = CLOCK_ERROR if is_ours else ZONE_ERROR
    if sold_at > now + error:
        raise Refused("claim_in_future")
    if sold_at < now - timedelta(days=programme.claim_days) - (timedelta() if is_ours else error):
        raise Refused("claim_too_old", days=programme.claim_days)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a claimed receipt.

    location_id: of the report, else of the cash register; None: neither is known. reported: the sum that a till or
    provider told of; None: nobody did. looks_credited: a receipt of this location and sum, at about this time, was
    credited already.
    """

    total: int
    location_id: int | None
    reported: int | None
    looks_credited: bool


def why_wait(evidence: Evidence, programme: Programme) -> Wait | None:
    """Why a claim needs a person; None: it is credited at once.

    A report proves that there was a sale, not that nobody was credited for it: what looks credited waits in any case.
    """
    if evidence.reported is not None and evidence.reported != evidence.total:
        return Wait.SUM_DIFFERS
    if evidence.location_id is None:
        return Wait.UNKNOWN_DRIVE
    if evidence.looks_credited:
        return Wait.LOOKS_CREDITED
    if evidence.reported is None and evidence.total > programme.claim_auto_total:
        return Wait.OVER_LIMIT
    return None
