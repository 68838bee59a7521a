"""The programme's settings as values, and what makes them sound. Pure."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from zoneinfo import available_timezones

import phonenumbers

from loyalty.errors import Invalid
from loyalty.money import MAX_MINOR

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
DRIVES_AT_MOST = 50
_FISCAL_DRIVE = re.compile(r"[0-9]{16}")
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_DAY = 24 * 60
_WEEK = 7 * _DAY


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
class Hours:
    """When a place is open, by the clock on its wall. `days`: Monday first, ("09:00", "21:00"), None: closed.

    A closing time that is not after the opening one lies on the next day; the same time is day and night.
    """

    days: tuple[tuple[str, str] | None, ...]

    @classmethod
    def from_body(cls, body: Sequence[Sequence[str] | None]) -> Self:
        """Read stored hours."""
        return cls(tuple((day[0], day[1]) if day else None for day in body))

    def to_body(self) -> list[list[str] | None]:
        """What `from_body` reads."""
        return [list(day) if day else None for day in self.days]

    def spans(self) -> list[tuple[int, int]]:
        """The same as minutes since Monday's midnight, the last one of each span no longer open."""
        found = []
        for number, day in enumerate(self.days):
            if day is None:
                continue
            opens, closes = (number * _DAY + _minute(text) for text in day)
            closes += _DAY if closes <= opens else 0
            found.append((opens, min(closes, _WEEK)))
            if closes > _WEEK:
                # Sunday night goes on when the week begins.
                found.append((0, closes - _WEEK))
        return found

    def is_open_at(self, local: datetime) -> bool:
        """Whether it is open at a moment of the location's own zone."""
        minute = local.weekday() * _DAY + local.hour * 60 + local.minute
        return any(opens <= minute < closes for opens, closes in self.spans())


@dataclass(frozen=True, slots=True)
class LocationView:
    """A place that sells. `burns_without_code`: a burn needs no proof that the customer is present.

    hours: None where nobody told them. fiscal_drives: numbers of the memories of its cash registers.
    """

    id: int
    name: str
    address: str
    time_zone: str
    burns_without_code: bool
    is_open: bool
    hours: Hours | None = None
    fiscal_drives: tuple[str, ...] = ()


class Rounding(StrEnum):
    """How a sale's earnings are rounded to the bonus step."""

    DOWN = "down"
    NEAREST = "nearest"
    UP = "up"


class Stacking(StrEnum):
    """What several earning rules that apply give on top of the tier's rate: the best one alone, or their sum."""

    BEST = "best"
    SUM = "sum"


class DebtPolicy(StrEnum):
    """What a refund does with earned bonuses that were spent already.

    `debt`: later earnings repay them. `clamp`: they are forgiven. `cash`: the till keeps their worth back.
    """

    DEBT = "debt"
    CLAMP = "clamp"
    CASH = "cash"


class TierBasis(StrEnum):
    """What raises a tier over the window: money paid, or visits."""

    PAID = "paid"
    VISITS = "visits"


class Effect(StrEnum):
    """What an earning rule does to the lines it covers.

    `multiply`: the tier's rate times `amount` basis points (20000 = twice). `add`: `amount` basis points of the
    money paid on top. `fixed`: `amount` hundredths of a bonus for the receipt.
    """

    MULTIPLY = "multiply"
    ADD = "add"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class Tier:
    """A step of the programme. `threshold`: minor units paid or visits made within the window, reached at >=."""

    id: int
    name: str
    threshold: int
    rate_bp: int


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """One earning rule as the owner set it. `kind` and `params` are read by `loyalty.bonuses.earning`.

    id: unique in the programme and never used again. amount: its unit depends on the effect.
    """

    id: int
    kind: str
    name: str
    effect: Effect
    amount: int
    is_on: bool = True
    params: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> Self:
        """Read a stored rule."""
        return cls(**{**body, "effect": Effect(body["effect"])})


@dataclass(frozen=True, slots=True)
class Programme:
    """Settings that the rules read. Money in minor units, bonuses in hundredths, 0 = no cap, no limit, no expiry.

    bonus_value:   minor units that one bonus pays. bonus_step: credits and burns are multiples of it.
    tiers:         by rising threshold, the first with threshold 0.
    tier_hold_days: a tier that the window no longer supports is kept so long; tier_warning_days: told so long before.
    *_lifetime_*:  how long bonuses of each source live; birthday_days_before: given so long before the day.
    rules:         earning rules in the owner's order; stacking: how those that apply come together.
    excluded_categories: what neither earns nor can be paid with bonuses (gift cards, tobacco, delivery, tips).
    receipts_day, burns_day, receipt_gap_minutes: limits of a customer against misuse. manual_credit_day: what one
                   person of the panel may credit by hand in a day; manual_credit_alone: at once, without a second one.
    claim_days:    how old a fiscal receipt sent in the chat may be; 0: none are taken. claims_day: how many a customer
                   may send in a day. claim_auto_total: up to which sum one of ours is credited
                   without a person; 0: none.
    waiting_sale_days: how long a sale waits for its customer to register.
    """

    tiers: tuple[Tier, ...]
    bonus_value: int = 100
    bonus_step: int = 100
    rounding: Rounding = Rounding.DOWN
    tier_basis: TierBasis = TierBasis.PAID
    tier_window_days: int = 365
    tier_hold_days: int = 30
    tier_warning_days: int = 14
    activation_delay_days: int = 0
    lifetime_months: int = 12
    manual_lifetime_months: int = 12
    expiry_warning_days: int = 7
    welcome_bonus: int = 20_000
    welcome_lifetime_days: int = 30
    birthday_bonus: int = 0
    birthday_days_before: int = 0
    birthday_lifetime_days: int = 30
    referral_bonus: int = 0
    referral_invitee_bonus: int = 0
    referral_lifetime_days: int = 90
    referral_cap_month: int = 10
    stacking: Stacking = Stacking.BEST
    rules: tuple[RuleSettings, ...] = ()
    excluded_categories: tuple[str, ...] = ()
    earn_cap_receipt: int = 0
    earn_cap_day: int = 0
    earn_cap_month: int = 0
    burn_share_bp: int = 3_000
    min_cash: int = 100
    burn_cap_receipt: int = 0
    burn_cap_day: int = 0
    hold_minutes: int = 15
    refund_grace_days: int = 14
    debt_policy: DebtPolicy = DebtPolicy.DEBT
    receipts_day: int = 0
    burns_day: int = 0
    receipt_gap_minutes: int = 0
    manual_credit_day: int = 0
    manual_credit_alone: int = 0
    claim_days: int = 14
    claims_day: int = 5
    claim_auto_total: int = 0
    waiting_sale_days: int = 30

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> Self:
        """Read a stored version; a key that a newer version brought may be missing and has its default."""
        readers: dict[str, Callable[[Any], Any]] = {
            "tiers": lambda tiers: tuple(Tier(**tier) for tier in tiers),
            "rules": lambda rules: tuple(RuleSettings.from_body(rule) for rule in rules),
            "excluded_categories": tuple,
            "rounding": Rounding,
            "tier_basis": TierBasis,
            "stacking": Stacking,
            "debt_policy": DebtPolicy,
        }
        known = {one.name for one in fields(cls)}
        return cls(**{name: readers.get(name, int)(value) for name, value in body.items() if name in known})

    def to_body(self) -> dict[str, Any]:
        """What `from_body` reads."""
        return asdict(self)

    def tier(self, tier_id: int) -> Tier:
        """The tier with this id; the base tier when the programme no longer has it."""
        return next((tier for tier in self.tiers if tier.id == tier_id), self.tiers[0])

    def tier_for(self, progress: int) -> Tier:
        """The highest tier whose threshold `progress` (minor units paid, or visits) reaches."""
        reached = [tier for tier in self.tiers if progress >= tier.threshold]
        # Nobody is below the base tier.
        return reached[-1] if reached else self.tiers[0]

    def next_tier(self, tier: Tier) -> Tier | None:
        """The tier after this one, or None at the top."""
        higher = [other for other in self.tiers if other.threshold > tier.threshold]
        return higher[0] if higher else None


def changed_fields(before: Programme, after: Programme) -> list[str]:
    """Names of the settings in which two versions differ, in their order."""
    return [one.name for one in fields(Programme) if getattr(before, one.name) != getattr(after, one.name)]


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


def check_hours(hours: Hours | None) -> None:
    """Raise Invalid("hours-0" … "hours-6") for a weekday of which one time is missing or is none."""
    for number, day in enumerate(hours.days if hours else ()):
        for text in day or ():
            if not _TIME_OF_DAY.fullmatch(text):
                raise Invalid(f"hours-{number}", "not_a_time" if text else "required")


def clean_drives(numbers: Collection[str]) -> list[str]:
    """Numbers of fiscal drives, each once and in order. Raises Invalid("fiscal_drives").

    Source of their form: the tag 1041 of the fiscal data format, 16 digits.
    """
    cleaned = sorted({"".join(number.split()) for number in numbers} - {""})
    if any(not _FISCAL_DRIVE.fullmatch(number) for number in cleaned):
        raise Invalid("fiscal_drives", "not_a_drive")
    if len(cleaned) > DRIVES_AT_MOST:
        raise Invalid("fiscal_drives", "too_many", limit=DRIVES_AT_MOST)
    return cleaned


def check_time_zone(time_zone: str) -> None:
    """Raise Invalid("time_zone") unless the IANA database knows the key."""
    if time_zone not in available_timezones():
        raise Invalid("time_zone", "unknown_choice")


def check_region(region: str) -> None:
    """Raise Invalid("region") unless phones can be written in that country (ISO 3166, two letters)."""
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise Invalid("region", "unknown_choice")


POSITIVE = ("bonus_value", "bonus_step", "tier_window_days", "hold_minutes", "waiting_sale_days")
DAYS_AT_MOST = 3_660
"""Ten years: a longer window or life is a slip of the hand, and dates beyond it leave the calendar."""
TIERS_AT_MOST = 12
RULES_AT_MOST = 50
CATEGORY_LENGTH = 64
CATEGORIES_AT_MOST = 100


def check_programme(programme: Programme) -> None:
    """Raise Invalid(field, reason) unless the settings can be lived by. Earning rules are checked by their room."""
    for one in fields(programme):
        value = getattr(programme, one.name)
        if isinstance(value, int):
            _check_number(one.name, value)
    if not 0 <= programme.burn_share_bp <= 10_000:
        raise Invalid("burn_share_bp", "not_a_share")
    # A burn of one step must be a whole number of minor units, or the till could not take the rest.
    if programme.bonus_step * programme.bonus_value % 100:
        raise Invalid("bonus_step", "not_a_whole_sum")
    _check_tiers(programme.tiers)
    _check_categories(programme.excluded_categories)
    if len(programme.rules) > RULES_AT_MOST:
        raise Invalid("rules", "too_many", limit=RULES_AT_MOST)
    if len({rule.id for rule in programme.rules}) != len(programme.rules):
        raise Invalid("rules", "ids_must_differ")


def _check_number(name: str, value: int) -> None:
    if value < 0:
        raise Invalid(name, "must_not_be_negative")
    if not value and name in POSITIVE:
        raise Invalid(name, "must_be_positive")
    limit = MAX_MINOR
    if "_days" in name:
        limit = DAYS_AT_MOST
    elif name.endswith("_months"):
        limit = DAYS_AT_MOST // 30
    elif name.endswith("_minutes"):
        limit = 24 * 60
    if value > limit:
        raise Invalid(name, "too_large", limit=limit)


def _check_tiers(tiers: tuple[Tier, ...]) -> None:
    thresholds = [tier.threshold for tier in tiers]
    if not thresholds or thresholds[0] != 0 or thresholds != sorted(set(thresholds)):
        raise Invalid("tiers", "thresholds_must_rise_from_zero")
    if len(tiers) > TIERS_AT_MOST:
        raise Invalid("tiers", "too_many", limit=TIERS_AT_MOST)
    if len({tier.id for tier in tiers}) != len(thresholds):
        raise Invalid("tiers", "ids_must_differ")
    # Facts begin at the base tier without asking the programme which that is.
    if tiers[0].id != 0:
        raise Invalid("tiers", "base_tier_is_zero")
    for tier in tiers:
        clean_line("tiers", tier.name, NAME_LENGTH)
        if not 0 <= tier.rate_bp <= 10_000:
            raise Invalid("tiers", "not_a_share")
        if tier.threshold > MAX_MINOR:
            raise Invalid("tiers", "too_large", limit=MAX_MINOR)


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def _check_categories(categories: tuple[str, ...]) -> None:
    if len(categories) > CATEGORIES_AT_MOST:
        raise Invalid("excluded_categories", "too_many", limit=CATEGORIES_AT_MOST)
    for category in categories:
        if category != clean_category(category) or not category:
            raise Invalid("excluded_categories", "odd_characters")


def clean_category(text: str) -> str:
    """A category of goods as it is kept and compared: one line, lower case. Raises Invalid("category")."""
    # Lowered first: some capitals become two letters, and the limit is that of the column.
    return clean_line("category", text.lower(), CATEGORY_LENGTH, required=False)
