"""Whom rights reach that end with locations: those who belong to one of them, or have been there.

Belonging needs no visit; a visit that was wholly taken back is none.
"""

from collections.abc import Collection

from loyalty import db

# Of one customer, or of those that a statement has found. Indexes: the primary keys of customer and customer_location.
REACHED = """
(EXISTS (SELECT FROM customer home WHERE home.id = {customer} AND home.home_location_id = ANY({places}::int[]))
    OR EXISTS (SELECT FROM customer_location been WHERE been.customer_id = {customer} AND been.visits > 0
        AND been.location_id = ANY({places}::int[])))
"""


def reached(customer: str, places: str) -> str:
    """SQL: whether a customer is reached by these locations. Both are SQL themselves: a column, a parameter."""
    return REACHED.format(customer=customer, places=places)


def within(customer: str, places: str) -> str:
    """SQL: the same where the parameter may be NULL, which stands for the whole chain."""
    return f"({places}::int[] IS NULL OR {reached(customer, places)})"


# A card that was merged is the one that it became. Index: the primary key.
AMONG = f"""
SELECT c.id FROM customer c
WHERE c.id = ANY($1::bigint[]) AND {reached("coalesce(c.merged_into_id, c.id)", "$2")}
"""


# Indexes: the primary key, customer_location_customer.
REACHING = """
SELECT home_location_id AS id FROM customer WHERE id = $1 AND home_location_id IS NOT NULL
UNION SELECT location_id FROM customer_location WHERE customer_id = $1 AND visits > 0
"""


async def locations_reaching(customer_id: int) -> set[int]:
    """The locations that reach a customer."""
    return {row["id"] for row in await db.fetch(REACHING, customer_id)}


async def reached_among(customer_ids: Collection[int], location_ids: Collection[int]) -> set[int]:
    """Those of these customers whom these locations reach."""
    rows = await db.fetch(AMONG, list(customer_ids), list(location_ids))
    return {row["id"] for row in rows}
