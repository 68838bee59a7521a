"""The programme's settings as values, and what makes them sound. Pure."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Self
from zoneinfo import available_timezones

import phonenumbers

from loyalty.errors import Invalid

CURRENCY_EXPONENTS = {
    "RUB": 2,
    "UAH": 2,
    "BYN": 2,
    "KZT": 2,
    "UZS": 2,
    "GEL": 2,
    "AMD": 2,
    "AZN": 2,
    "KGS": 2,
    "MDL": 2,
    "TRY": 2,
    "EUR": 2,
    "USD": 2,
    "GBP": 2,
    "PLN": 2,
    "CZK": 2,
    "BGN": 2,
    "RSD": 2,
    "RON": 2,
    "ILS": 2,
    "AED": 2,
    "JPY": 0,
    "KRW": 0,
    "VND": 0,
    "CLP": 0,
    "ISK": 0,
    "KWD": 3,
    "BHD": 3,
    "OMR": 3,
    "JOD": 3,
    "TND": 3,
}
"""Decimals of the currencies on offer. Source: ISO 4217."""


NAME_LENGTH = 100
ADDRESS_LENGTH = 200


@dataclass(frozen=True, slots=True)
class ShopView:
    """The chain. `exponent`: decimals of the currency."""

    name: str
    currency: str
    exponent: int
    region: str
    language: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class LocationView:
    """A place that sells. `burns_without_code`: a burn needs no proof that the customer is present."""

    id: int
    name: str
    address: str
    time_zone: str
    burns_without_code: bool
    is_open: bool


@dataclass(frozen=True, slots=True)
class Tier:
    """A step of the programme. `threshold`: minor units paid within the window, reached at >=."""

    id: int
    name: str
    threshold: int
    rate_bp: int


@dataclass(frozen=True, slots=True)
class Programme:
    """Settings that the rules read. Money in minor units, bonuses in hundredths, 0 = no cap or no expiry.

    bonus_value:  minor units that one bonus pays. bonus_step: credits and burns are multiples of it.
    tiers:        by rising threshold, the first with threshold 0.
    """

    tiers: tuple[Tier, ...]
    bonus_value: int = 100
    bonus_step: int = 100
    tier_window_days: int = 365
    activation_delay_days: int = 0
    lifetime_months: int = 12
    welcome_bonus: int = 20_000
    welcome_lifetime_days: int = 30
    burn_share_bp: int = 3_000
    min_cash: int = 100
    burn_cap_receipt: int = 0
    burn_cap_day: int = 0
    refund_grace_days: int = 14

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> Self:
        """Read a stored version; a key that a newer version brought may be missing and has its default."""
        known = {field.name for field in fields(cls)} - {"tiers"}
        tiers = tuple(Tier(**tier) for tier in body["tiers"])
        return cls(tiers=tiers, **{name: value for name, value in body.items() if name in known})

    def to_body(self) -> dict[str, Any]:
        """What `from_body` reads."""
        return asdict(self)

    def tier(self, tier_id: int) -> Tier:
        """The tier with this id; the base tier when the programme no longer has it."""
        return next((tier for tier in self.tiers if tier.id == tier_id), self.tiers[0])

    def tier_for(self, paid: int) -> Tier:
        """The highest tier whose threshold `paid` reaches."""
        return [tier for tier in self.tiers if paid >= tier.threshold][-1]

    def next_tier(self, tier: Tier) -> Tier | None:
        """The tier after this one, or None at the top."""
        higher = [other for other in self.tiers if other.threshold > tier.threshold]
        return higher[0] if higher else None


def clean_line(field: str, text: str, limit: int, *, required: bool = True) -> str:
    """A text on one line of at most `limit` characters. Raises Invalid(field)."""
    cleaned = " ".join(text.split())
    if required and not cleaned:
        raise Invalid(field, "required")
    if len(cleaned) > limit:
        raise Invalid(field, "too_long", limit=limit)
    if not cleaned.isprintable():
        raise Invalid(field, "odd_characters")
    return cleaned


def check_time_zone(time_zone: str) -> None:
    """Raise Invalid("time_zone") unless the IANA database knows the key."""
    if time_zone not in available_timezones():
        raise Invalid("time_zone", "unknown_choice")


def check_region(region: str) -> None:
    """Raise Invalid("region") unless phones can be written in that country (ISO 3166, two letters)."""
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise Invalid("region", "unknown_choice")


def check_programme(programme: Programme) -> None:
    """Raise Invalid(field, reason) unless the settings can be lived by."""
    for name in ("bonus_value", "bonus_step", "tier_window_days"):
        if getattr(programme, name) <= 0:
            raise Invalid(name, "must_be_positive")
    for name in (
        "activation_delay_days",
        "lifetime_months",
        "welcome_bonus",
        "welcome_lifetime_days",
        "min_cash",
        "burn_cap_receipt",
        "burn_cap_day",
        "refund_grace_days",
    ):
        if getattr(programme, name) < 0:
            raise Invalid(name, "must_not_be_negative")
    if not 0 <= programme.burn_share_bp <= 10_000:
        raise Invalid("burn_share_bp", "not_a_share")
    # A burn of one step must be a whole number of minor units, or the till could not take the rest.
    if programme.bonus_step * programme.bonus_value % 100:
        raise Invalid("bonus_step", "not_a_whole_sum")
    thresholds = [tier.threshold for tier in programme.tiers]
    if not thresholds or thresholds[0] != 0 or thresholds != sorted(set(thresholds)):
        raise Invalid("tiers", "thresholds_must_rise_from_zero")
    if len({tier.id for tier in programme.tiers}) != len(thresholds):
        raise Invalid("tiers", "ids_must_differ")
    if any(not 0 <= tier.rate_bp <= 10_000 for tier in programme.tiers):
        raise Invalid("tiers", "not_a_share")
