"""What channels charge for a message, as the owner tells it. Pure.

A price is in hundredths of a minor unit, because many an SMS costs less than a cent; what messages cost is in whole
minor units. None is a price that nobody has told: it is never taken for nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from loyalty.conversations.channels import CAPABILITIES
from loyalty.conversations.templating import Category
from loyalty.errors import Invalid

FINER = 2
"""So many digits more than money has a price."""
HUNDREDTHS = 100
"""Stored units in one minor unit."""
MOST = 10**9
"""A price above this is a slip of the hand: a hundred thousand with two decimals."""
BY_CATEGORY = {Category.MARKETING: "advertising", Category.UTILITY: "service"}
"""Which price a template has where its category decides."""


@dataclass(frozen=True, slots=True)
class Price:
    """What one message costs in a channel: an offer, and anything else."""

    advertising: int | None = None
    service: int | None = None


Prices = Mapping[str, Price]
"""By channel."""
UNKNOWN = Price()
PARTS = ("advertising", "service")


def checked_prices(prices: Prices) -> dict[str, Price]:
    """The prices of all channels, in their order; one that is not named is not known.

    Raises Invalid("sms-advertising" …, "not_in_range"), Invalid("channels", "unknown_choice").
    """
    if prices.keys() - CAPABILITIES.keys():
        raise Invalid("channels", "unknown_choice")
    for channel, price in prices.items():
        for part in PARTS:
            told = getattr(price, part)
            if told is not None and not 0 <= told <= MOST:
                raise Invalid(f"{channel}-{part}", "too_large" if told > 0 else "not_a_number")
    return {channel: prices.get(channel, UNKNOWN) for channel in CAPABILITIES}


def charged_for(prices: Prices, *, topic: str, category: str = "") -> dict[str, int]:
    """What a message about this costs in each channel whose price is known.

    category: of the template that goes where a text may not be sent. There it decides, and not the topic: who charges
    for templates does not ask what we think that they are about.
    """
    part = "advertising" if topic == "marketing" else "service"
    found = {}
    for channel, price in prices.items():
        by = BY_CATEGORY.get(Category(category), "") if category and CAPABILITIES[channel].window_hours else part
        told = getattr(price, by) if by else None
        if told is not None:
            found[channel] = told
    return found


def cost_of(units: int, price: int) -> int:
    """What so many messages cost, in minor units, to the nearest; halves go up."""
    return (2 * units * price + HUNDREDTHS) // (2 * HUNDREDTHS)
