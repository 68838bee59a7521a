"""What a message of a campaign costs in each channel, as the owner has told it by now."""

from loyalty import db
from loyalty.conversations.prices import charged_for
from loyalty.conversations.queries.prices import prices

CATEGORY = "SELECT category FROM message_template WHERE id = $1"


async def message_prices(topic: str, template: int) -> dict[str, int]:
    """In hundredths of a minor unit, in the channels whose price is known. template: 0 for none."""
    category = await db.fetch_value(CATEGORY, template) if template else None
    return charged_for(await prices(), topic=topic, category=category or "")
