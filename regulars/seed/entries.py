"""The links by which people of the demo came: on each shop's tables, on a flyer, in a profile of the shop."""

from collections.abc import Sequence
from datetime import datetime

from loyalty import db
from loyalty.customers.actions.entry_links import add_entry_link
from loyalty.staff.rules import Actor, ActorKind
from regulars.seed.records import Place

ON_TABLES = "На столиках"
ELSEWHERE = (("Листовка у метро", "листовка"), ("Шапка профиля", "instagram"))
"""(name, source)"""

# The first account of whoever came by a chat is the one that opened the link, before the first word.
CAME = """
    UPDATE customer c SET entry_link_id = CASE
        WHEN c.id % 4 = 1 THEN ($2::int[])[1 + c.id / 4 % cardinality($2::int[])]
        ELSE (SELECT id FROM entry_link l WHERE l.location_id = c.home_location_id) END
    WHERE c.created_via IN ('telegram', 'whatsapp') AND c.created_at > $1 AND c.id % 4 IN (0, 1)
"""
OPENED = """
    INSERT INTO entry_visit (link_id, account_id, at)
    SELECT DISTINCT ON (c.id) c.entry_link_id, a.id, a.created_at
    FROM customer c JOIN messenger_account a ON a.customer_id = c.id AND a.channel = c.created_via
    WHERE c.entry_link_id IS NOT NULL ORDER BY c.id, a.id
"""
# Others opened one and are customers already, or never went on.
LOOKED = """
    INSERT INTO entry_visit (link_id, account_id, at)
    SELECT ($2::int[])[1 + a.id % cardinality($2::int[])], a.id,
        a.created_at + ($1 - a.created_at) * (0.1 + a.id % 8 * 0.1)
    FROM messenger_account a WHERE a.channel IN ('telegram', 'whatsapp') AND a.id % 6 = 2 AND a.created_at < $1
    ON CONFLICT (link_id, account_id) DO NOTHING
"""


async def write_entries(places: Sequence[Place], owner_id: int, *, began: datetime, now: datetime) -> None:
    """Make the links through the panel's own action, and count who came by them."""
    owner = Actor(ActorKind.STAFF, owner_id)
    there = [
        await add_entry_link(f"{ON_TABLES}: {place.name}", "столик", location_id=place.id, actor=owner, now=began)
        for place in places
    ]
    away = [await add_entry_link(name, source, location_id=None, actor=owner, now=began) for name, source in ELSEWHERE]
    await db.execute(CAME, began, away)
    await db.execute(OPENED)
    await db.execute(LOOKED, now, [*away, *there])
