"""Earning rules, one file each, and how they come together. `RULES` lists them. Pure.

The tier's rate earns on every eligible line. The owner's rules give something on top of it, to the lines that they
cover: all of them (`sum`), or the one that gives most (`best`; of equals, the first in the owner's order). All is
counted in exact fractions, rounded once, cut by the caps, and then divided again: over the rules for the record, and
over the lines, by largest remainder, so that a refund can give each line its share back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from loyalty.bonuses.earning import birthday, category, first_purchase, location, promo_code, weekday_hours
from loyalty.bonuses.earning.base import (
    Award,
    EarningRule,
    Field,
    FieldKind,
    Sale,
    SaleLine,
    check_params,
    clean_code,
)
from loyalty.errors import Invalid, Refused
from loyalty.money import HUNDREDTHS, MAX_MINOR, floor_to_step, round_to_step, split
from loyalty.shop.rules import Effect, Programme, Rounding, RuleSettings, Stacking, clean_line

RULES: dict[str, EarningRule] = {
    module.RULE.kind: module.RULE
    for module in (category, location, weekday_hours, birthday, first_purchase, promo_code)
}

TIER_PERCENT = "tier_percent"
RULE_NAME_LENGTH = 80
MOST_TIMES_BP = 1_000_000

__all__ = [
    "RULES",
    "Award",
    "Earned",
    "EarningRule",
    "Field",
    "FieldKind",
    "Sale",
    "SaleLine",
    "check_rules",
    "clean_code",
    "earn",
]


@dataclass(frozen=True, slots=True)
class Earned:
    """What a sale earns, in hundredths; the awards and the lines each sum up to it."""

    bonuses: int
    awards: list[Award]
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Share:
    """What a rule gives each line before rounding, in hundredths times the common denominator."""

    award: Award
    lines: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.lines)


def earn(sale: Sale, programme: Programme) -> Earned:
    """What a sale earns under a programme, and which rule gave what on which base.

    Raises Refused("promo_code_unknown" | "promo_code_not_now" | "promo_code_was_used" | "promo_code_is_over") for a
    promo code that gives nothing: whoever names it should hear why.
    """
    scale = programme.bonus_value * 10**8
    live = [settings for settings in programme.rules if settings.is_on and settings.kind in RULES]
    _check_promo_code(sale, live)
    extras = [share for settings in live if (share := _share(settings, sale, programme, scale)).total]
    if programme.stacking is Stacking.BEST and extras:
        extras = [max(extras, key=lambda share: share.total)]
    shares = [_tier_share(sale, programme), *extras]
    exact = sum(share.total for share in shares)
    bonuses = min(_round(exact, scale, programme), _cap(sale, programme))
    weights = [sum(parts) for parts in zip(*(share.lines for share in shares), strict=True)]
    return Earned(bonuses, _awards(shares, bonuses, scale), tuple(split(bonuses, weights)))


def check_rules(programme: Programme) -> None:
    """Raise Invalid(field, reason, rule=id) unless every earning rule can be lived by."""
    codes = [settings.params.get("code") for settings in programme.rules if settings.kind == promo_code.RULE.kind]
    for settings in programme.rules:
        try:
            _check_rule(settings)
            if settings.kind == promo_code.RULE.kind and codes.count(settings.params["code"]) > 1:
                raise Invalid("code", "code_is_taken")  # noqa: TRY301  told with the rule it is about
        except Invalid as error:
            raise Invalid(error.field, error.reason, **{**error.details, "rule": settings.id}) from None


def _check_rule(settings: RuleSettings) -> None:
    if settings.kind not in RULES:
        raise Invalid("kind", "unknown_choice")
    clean_line("name", settings.name, RULE_NAME_LENGTH)
    if settings.amount <= 0:
        raise Invalid("amount", "must_be_positive")
    if settings.effect is Effect.MULTIPLY and not 10_000 < settings.amount <= MOST_TIMES_BP:
        raise Invalid("amount", "not_a_multiple")
    if settings.effect is Effect.ADD and settings.amount > 10_000:
        raise Invalid("amount", "not_a_share")
    if settings.amount > MAX_MINOR:
        raise Invalid("amount", "too_large")
    check_params(RULES[settings.kind], settings)
    if settings.kind == category.RULE.kind and not (settings.params["categories"] or settings.params["skus"]):
        raise Invalid("categories", "required")


def _check_promo_code(sale: Sale, live: Sequence[RuleSettings]) -> None:
    if sale.promo_code is None:
        return
    for settings in live:
        if settings.kind == promo_code.RULE.kind and settings.params["code"] == sale.promo_code:
            promo_code.check(settings.params, sale)
            return
    raise Refused("promo_code_unknown")


def _tier_share(sale: Sale, programme: Programme) -> _Share:
    rate_bp = programme.tier(sale.tier_id).rate_bp
    lines = tuple(line.base * HUNDREDTHS * rate_bp * 10_000 for line in sale.lines)
    return _Share(Award(TIER_PERCENT, sum(line.base for line in sale.lines), rate_bp, 0), lines)


def _share(settings: RuleSettings, sale: Sale, programme: Programme, scale: int) -> _Share:
    """What one of the owner's rules gives on top."""
    rule = RULES[settings.kind]
    bases = [line.base if rule.covers(settings.params, sale, line) else 0 for line in sale.lines]
    if not any(bases):
        return _Share(Award(settings.kind, 0, 0, 0, settings.id, settings.name), tuple(bases))
    tier_bp, rate_bp = programme.tier(sale.tier_id).rate_bp, 0
    if settings.effect is Effect.MULTIPLY:
        rate_bp = tier_bp * (settings.amount - 10_000) // 10_000
        parts = [one * HUNDREDTHS * tier_bp * (settings.amount - 10_000) for one in bases]
    elif settings.effect is Effect.ADD:
        rate_bp = settings.amount
        parts = [one * HUNDREDTHS * rate_bp * 10_000 for one in bases]
    else:
        parts = split(settings.amount * scale, bases)
    return _Share(Award(settings.kind, sum(bases), rate_bp, 0, settings.id, settings.name), tuple(parts))


def _round(exact: int, scale: int, programme: Programme) -> int:
    """Exact hundredths (times `scale`) as a multiple of the bonus step: the one place where earnings are rounded."""
    step = programme.bonus_step
    match programme.rounding:
        case Rounding.DOWN:
            return exact // (scale * step) * step
        case Rounding.NEAREST:
            return round_to_step(exact, scale, step)
        case Rounding.UP:
            return -(-exact // (scale * step)) * step


def _cap(sale: Sale, programme: Programme) -> int:
    caps = [
        (programme.earn_cap_receipt, 0),
        (programme.earn_cap_day, sale.earned_today),
        (programme.earn_cap_month, sale.earned_month),
    ]
    left = min((max(0, cap - used) for cap, used in caps if cap), default=MAX_MINOR)
    return floor_to_step(left, programme.bonus_step)


def _awards(shares: Sequence[_Share], bonuses: int, scale: int) -> list[Award]:
    """The awards with their parts of what was earned: in order, so that rounding and caps cut the last ones."""
    awards, before, exact = [], 0, 0
    for share in shares:
        exact += share.total
        upto = bonuses if share is shares[-1] else min(bonuses, exact // scale)
        given = replace(share.award, bonuses=upto - before)
        before = upto
        if given.bonuses:
            awards.append(given)
    return awards
