"""What an earning rule sees and says. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from loyalty.shop.rules import Programme


@dataclass(frozen=True, slots=True)
class Sale:
    """A sale as the rules see it. `base`: eligible money after discounts, less what bonuses paid."""

    base: int
    tier_id: int


@dataclass(frozen=True, slots=True)
class Award:
    """What one rule gave, and on which base: kept on the receipt, so that a refund never asks today's rules."""

    rule: str
    base: int
    rate_bp: int
    bonuses: int

    def snapshot(self) -> dict[str, Any]:
        """As stored on the receipt."""
        return {"rule": self.rule, "base": self.base, "rate_bp": self.rate_bp, "bonuses": self.bonuses}


EarningRule = Callable[[Sale, Programme], Award | None]
