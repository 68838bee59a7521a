"""Numbers of cards that nobody has."""

from loyalty import db
from loyalty.customers.rules import card_number_for

NEXT = "SELECT nextval('card_number_seq') AS number FROM generate_series(1, $1::int)"
# What the sequence gives may be a number that somebody brought along.
FREE = """
SELECT part.number FROM unnest($1::text[]) WITH ORDINALITY part (number, place)
WHERE NOT EXISTS (SELECT FROM customer WHERE card_number = part.number) ORDER BY part.place
"""


async def free_card_numbers(count: int) -> list[str]:
    """So many card numbers that nobody has, each given once."""
    free: list[str] = []
    while len(free) < count:
        drawn = [card_number_for(row["number"]) for row in await db.fetch(NEXT, count - len(free))]
        free += [row["number"] for row in await db.fetch(FREE, drawn)]
    return free
