"""Earning rules, one file each. `RULES` lists them in the order they act."""

from loyalty.bonuses.earning import tier_percent
from loyalty.bonuses.earning.base import Award, EarningRule, Sale
from loyalty.money import floor_to_step
from loyalty.shop.rules import Programme

RULES: tuple[EarningRule, ...] = (tier_percent.award,)

__all__ = ["RULES", "Award", "EarningRule", "Sale", "earn"]


def earn(sale: Sale, programme: Programme) -> tuple[int, list[Award]]:
    """What a sale earns (hundredths, rounded down once to the bonus step), and which rule gave what."""
    awards = [award for rule in RULES if (award := rule(sale, programme)) and award.bonuses]
    return floor_to_step(sum(award.bonuses for award in awards), programme.bonus_step), awards
