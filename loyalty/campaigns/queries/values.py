"""What the variables of a campaign are for one person."""

from datetime import datetime

from loyalty import db
from loyalty.campaigns.rules.texts import Words
from loyalty.conversations.queries.recipients import first_name
from loyalty.shop.queries import programme_at
from loyalty.shop.rules import Programme
from loyalty.wording import bonuses_in_words

# By the primary keys.
OF_ONE = """
SELECT c.name, c.language, f.balance, f.tier_id, l.name AS location
FROM customer c JOIN customer_facts f ON f.customer_id = c.id LEFT JOIN location l ON l.id = c.home_location_id
WHERE c.id = $1
"""


def values_of(row: db.Row, words: Words, bonus: int, programme: Programme, shop_language: str) -> dict[str, str]:
    """By name, in the language that the person of `row` reads; empty for what is not known of them."""
    language = row["language"] if row["language"] in words.texts else shop_language
    return {
        "first_name": first_name(row["name"]),
        "balance": bonuses_in_words(max(0, row["balance"]), language),
        "tier": programme.tier(row["tier_id"]).name,
        "location": row["location"] or "",
        "bonus": bonuses_in_words(bonus, language) if bonus else "",
    }


async def values_for(
    customer_id: int | None, words: Words, bonus: int, *, language: str, now: datetime
) -> dict[str, str]:
    """Of one person, told in a language; nobody's are empty."""
    row = await db.fetch_row(OF_ONE, customer_id) if customer_id is not None else None
    if row is None:
        return {}
    return values_of({**row, "language": language}, words, bonus, await programme_at(now), language)
