"""A share of the money paid, at the rate of the customer's tier."""

from loyalty.bonuses.earning.base import Award, Sale
from loyalty.money import bonuses_of, share_of
from loyalty.shop.rules import Programme


def award(sale: Sale, programme: Programme) -> Award | None:
    """Bonuses worth the tier's share of the base."""
    rate_bp = programme.tier(sale.tier_id).rate_bp
    bonuses = share_of(bonuses_of(sale.base, programme.bonus_value), rate_bp)
    return Award("tier_percent", sale.base, rate_bp, bonuses)
