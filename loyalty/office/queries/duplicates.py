"""Cards that may be one person's: looked for while somebody waits in a small base, and each night in a large one."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.customers.queries import reach
from loyalty.office.queries.merges import Found
from loyalty.segments.queries.finding import SIZE, SMALL

PAIRS = 100
"""So many are shown."""
KEPT = 1_000
"""So many are kept of a night's look: some will be merged, and some may not be seen by everybody."""
PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Pair:
    """Two cards that may be one person's. by: name, phone, email, username."""

    by: str
    one: Found
    other: Found


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Pairs of cards that are alike. looked_at: when the base was looked through; None: just now.

    is_awaited: it is large, and no night has passed over it yet.
    """

    pairs: list[Pair]
    looked_at: datetime | None = None
    is_awaited: bool = False


# Of people who are alike the oldest card is compared with each of the others. The base is read from end to end, once.
DUPLICATES = f"""
WITH known AS MATERIALIZED (
    SELECT c.id, c.search_name, c.birthday, c.phone, lower(c.email) AS email FROM customer c
    JOIN customer_facts f ON f.customer_id = c.id WHERE NOT f.is_hidden AND {reach.within("c.id", "$2")}
), pair AS (
    (SELECT 'phone' AS by, least(a.customer_id, k.id) AS one, greatest(a.customer_id, k.id) AS other
    FROM messenger_account a JOIN known k ON k.phone = a.phone JOIN known mine ON mine.id = a.customer_id
    WHERE a.customer_id <> k.id LIMIT $1)
    UNION ALL
    (SELECT 'phone', min(a.customer_id), max(a.customer_id)
    FROM messenger_account a JOIN known k ON k.id = a.customer_id
    WHERE a.phone IS NOT NULL GROUP BY a.phone HAVING count(DISTINCT a.customer_id) > 1 LIMIT $1)
    UNION ALL
    (SELECT 'email', min(id), max(id) FROM known WHERE email IS NOT NULL GROUP BY email HAVING count(*) > 1 LIMIT $1)
    UNION ALL
    (SELECT 'name', min(id), max(id) FROM known WHERE birthday IS NOT NULL
    GROUP BY search_name, birthday HAVING count(*) > 1 LIMIT $1)
    UNION ALL
    (SELECT 'username', min(a.customer_id), max(a.customer_id) FROM messenger_account a
    JOIN known k ON k.id = a.customer_id
    WHERE a.username <> '' GROUP BY lower(a.username) HAVING count(DISTINCT a.customer_id) > 1 LIMIT $1)
)
SELECT DISTINCT ON (p.one, p.other) p.by, p.one, p.other, a.name, a.phone, a.card_number, b.name AS other_name,
    b.phone AS other_phone, b.card_number AS other_card
FROM pair p JOIN customer a ON a.id = p.one JOIN customer b ON b.id = p.other
ORDER BY p.one, p.other, array_position(ARRAY['phone', 'email', 'name', 'username'], p.by) LIMIT $1
"""
# As they are by now: who was merged, deleted or erased since is in no pair.
SEEN = f"""
SELECT p.by, p.one, p.other, a.name, a.phone, a.card_number, b.name AS other_name, b.phone AS other_phone,
    b.card_number AS other_card
FROM duplicate_look l, jsonb_to_recordset(l.pairs) p (by text, one bigint, other bigint)
    JOIN customer a ON a.id = p.one JOIN customer b ON b.id = p.other
    JOIN customer_facts mine ON mine.customer_id = p.one JOIN customer_facts theirs ON theirs.customer_id = p.other
WHERE NOT mine.is_hidden AND NOT theirs.is_hidden AND {reach.within("p.one", "$2")} AND {reach.within("p.other", "$2")}
ORDER BY p.one, p.other LIMIT $1
"""
LOOKED_AT = "SELECT max(at) FROM duplicate_look"


async def duplicates(*, within: Collection[int] | None = None) -> Duplicates:
    """Cards that may be one person's, PAIRS at most: the same phone, e-mail, name with birthday, name in a messenger.

    within: both are reached by these locations, None for all. In a large base, those that the last night found.
    """
    places = None if within is None else list(within)
    if not await is_large():
        return Duplicates(_pairs(await db.fetch_patiently(PATIENCE_SECONDS, DUPLICATES, PAIRS, places)))
    looked_at = await last_look_at()
    if looked_at is None:
        return Duplicates([], is_awaited=True)
    return Duplicates(_pairs(await db.fetch(SEEN, PAIRS, places)), looked_at)


async def is_large() -> bool:
    """Whether nobody should wait until the base is read from end to end."""
    size: int = await db.fetch_value(SIZE, SMALL)
    return size > SMALL


async def last_look_at() -> datetime | None:
    """When a night last looked through the base."""
    at: datetime | None = await db.fetch_value(LOOKED_AT)
    return at


def _pairs(rows: list[db.Row]) -> list[Pair]:
    return [
        Pair(
            row["by"],
            Found(row["one"], row["name"], row["phone"], row["card_number"]),
            Found(row["other"], row["other_name"], row["other_phone"], row["other_card"]),
        )
        for row in rows
    ]
