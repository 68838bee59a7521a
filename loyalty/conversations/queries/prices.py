"""What channels charge for a message."""

from loyalty import db
from loyalty.conversations.channels import CAPABILITIES
from loyalty.conversations.prices import Price, checked_prices

# A row a channel.
PRICES = "SELECT channel, advertising, service FROM message_price"


async def prices() -> dict[str, Price]:
    """The prices of all channels, in their order; parts that nobody has told are None."""
    rows = [row for row in await db.fetch(PRICES) if row["channel"] in CAPABILITIES]
    return checked_prices({row["channel"]: Price(row["advertising"], row["service"]) for row in rows})
