"""Segments of the demo: one that the marketer fills on the cards, two that the tills give after a sale."""

from datetime import datetime, timedelta

from loyalty import db
from loyalty.segments.actions.segments import add_segment
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.staff.rules import Actor, ActorKind

ON_CARDS = SegmentDraft("Заказы в офис", "Берут на всех по пятницам, просят счёт")
AT_TILL = (
    SegmentDraft("Со своей кружкой", "Скидка на напиток, когда будет акция", is_at_till=True),
    SegmentDraft("Дегустаторы", "Хотят пробовать новые зёрна", is_at_till=True),
)
SINCE = timedelta(days=150)

FILL_ON_CARDS = """
    INSERT INTO segment_member (segment_id, customer_id, added_at, staff_id)
    SELECT $1, c.id, least($3::timestamptz, greatest(c.created_at, $2::timestamptz) + c.id % 40 * INTERVAL '1 day'), $4
    FROM customer c WHERE c.id % 23 = 5
"""
# Given by whoever rang up the customer's last sale, a minute after it; nobody rings up a receipt from the chat.
FILL_AT_TILL = """
    INSERT INTO segment_member (segment_id, customer_id, added_at, staff_id)
    SELECT $1, c.id, r.at + INTERVAL '1 minute', r.staff_id
    FROM customer c CROSS JOIN LATERAL (
        SELECT at, staff_id FROM receipt WHERE customer_id = c.id AND kind = 'sale' AND source = 'till'
        ORDER BY at DESC LIMIT 1
    ) r WHERE c.id % 13 = $3 AND r.at > $2
"""


async def write_segments(marketer_id: int, now: datetime) -> None:
    """Make the segments and fill them from the customers there are."""
    since = now - SINCE
    actor = Actor(ActorKind.STAFF, marketer_id)
    made = await add_segment(ON_CARDS, actor=actor, now=since)
    await db.execute(FILL_ON_CARDS, made, since, now - timedelta(hours=3), marketer_id)
    for rest, draft in enumerate(AT_TILL, 2):
        made = await add_segment(draft, actor=actor, now=since)
        await db.execute(FILL_AT_TILL, made, since, rest)
