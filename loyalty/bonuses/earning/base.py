"""What an earning rule sees, what it may ask the owner for, and what it says. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from loyalty.errors import Invalid
from loyalty.shop.rules import RuleSettings

WORDS_AT_MOST = 100
WORD_LENGTH = 64


@dataclass(frozen=True, slots=True)
class SaleLine:
    """A line as the rules see it. `base`: its money after discounts, less what bonuses paid; 0 when excluded."""

    base: int
    category: str = ""
    sku: str = ""


@dataclass(frozen=True, slots=True)
class Sale:
    """A sale as the rules see it, at the local day and minute of its location.

    is_first: the customer has no other purchase. promo_uses: of the code, by this customer and by everybody.
    earned_today, earned_month: hundredths that purchases brought the customer so far.
    """

    lines: tuple[SaleLine, ...]
    tier_id: int
    location_id: int
    day: date
    minute: int
    birthday: date | None = None
    is_first: bool = False
    promo_code: str | None = None
    promo_uses: tuple[int, int] = (0, 0)
    earned_today: int = 0
    earned_month: int = 0


@dataclass(frozen=True, slots=True)
class Award:
    """What one rule gave, and on which base: kept on the receipt, so that a refund never asks today's rules.

    rate_bp: of the base; 0 for a fixed sum. rule_id: the owner's rule, None for the tier's own rate.
    """

    rule: str
    base: int
    rate_bp: int
    bonuses: int
    rule_id: int | None = None
    name: str = ""

    def snapshot(self) -> dict[str, Any]:
        """As stored on the receipt."""
        kept = {"rule": self.rule, "base": self.base, "rate_bp": self.rate_bp, "bonuses": self.bonuses}
        return kept if self.rule_id is None else kept | {"rule_id": self.rule_id, "name": self.name}


class FieldKind(StrEnum):
    """What a parameter of a rule is; a form draws its widget by it.

    `weekdays`: numbers 1 (Monday) to 7. `time`: minutes since midnight. `day`: an ISO date or nothing.
    `words`: texts in lower case. `locations`: ids. `number`: from `low` to `high`. `code`: letters and digits.
    """

    WEEKDAYS = "weekdays"
    TIME = "time"
    DAY = "day"
    WORDS = "words"
    LOCATIONS = "locations"
    NUMBER = "number"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter that a rule asks the owner for."""

    name: str
    kind: FieldKind
    low: int = 0
    high: int = 0


Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EarningRule:
    """A kind of rule: its name, its parameters, and whether it covers a line of a sale."""

    kind: str
    fields: tuple[Field, ...]
    covers: Callable[[Params, Sale, SaleLine], bool]


def check_params(rule: EarningRule, settings: RuleSettings) -> None:
    """Raise Invalid(parameter, reason) unless the rule can be lived by."""
    known = {field.name for field in rule.fields}
    if unknown := sorted(settings.params.keys() - known):
        raise Invalid(unknown[0], "unknown_choice")
    for field in rule.fields:
        if field.name not in settings.params:
            raise Invalid(field.name, "required")
        _CHECKS[field.kind](field, settings.params[field.name])


def _check_numbers(field: Field, value: Any, low: int, high: int) -> None:
    if not isinstance(value, list) or not value:
        raise Invalid(field.name, "required")
    if len(value) != len(set(map(str, value))) or len(value) > WORDS_AT_MOST:
        raise Invalid(field.name, "too_many", limit=WORDS_AT_MOST)
    for one in value:
        _check_number(field, one, low, high)


def _check_number(field: Field, value: Any, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Invalid(field.name, "not_a_number")
    if not low <= value <= high:
        raise Invalid(field.name, "not_in_range", low=low, high=high)


def _check_words(field: Field, value: Any) -> None:
    if not isinstance(value, list) or len(value) > WORDS_AT_MOST:
        raise Invalid(field.name, "too_many", limit=WORDS_AT_MOST)
    for word in value:
        if not isinstance(word, str) or not word.strip() or word != word.strip().lower() or not word.isprintable():
            raise Invalid(field.name, "odd_characters")
        if len(word) > WORD_LENGTH:
            raise Invalid(field.name, "too_long", limit=WORD_LENGTH)


def _check_day(field: Field, value: Any) -> None:
    if value is None:
        return
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        raise Invalid(field.name, "not_a_date") from None


def _check_code(field: Field, value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise Invalid(field.name, "required")
    if value != clean_code(value) or len(value) > 32:
        raise Invalid(field.name, "odd_characters")


def clean_code(text: str) -> str:
    """A promo code as it is kept and compared: letters, digits and dashes in upper case."""
    return "".join(char for char in text.strip().upper() if char.isalnum() or char == "-")


_CHECKS: dict[FieldKind, Callable[[Field, Any], None]] = {
    FieldKind.WEEKDAYS: lambda field, value: _check_numbers(field, value, 1, 7),
    FieldKind.LOCATIONS: lambda field, value: _check_numbers(field, value, 1, 2**31 - 1),
    FieldKind.TIME: lambda field, value: _check_number(field, value, 0, 24 * 60),
    FieldKind.NUMBER: lambda field, value: _check_number(field, value, field.low, field.high),
    FieldKind.DAY: _check_day,
    FieldKind.WORDS: _check_words,
    FieldKind.CODE: _check_code,
}
