"""Segments of the demo: one filled on the cards, two given after sales, three by conditions, counted day by day."""

from datetime import datetime, timedelta

from loyalty import db
from loyalty.segments.actions.segments import add_segment
from loyalty.segments.actions.sizes import count_segment
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.segments.rules.trees import tree_from
from loyalty.staff.rules import Actor, ActorKind

ON_CARDS = SegmentDraft("Заказы в офис", "Берут на всех по пятницам, просят счёт")
AT_TILL = (
    SegmentDraft("Со своей кружкой", "Скидка на напиток, когда будет акция", is_at_till=True),
    SegmentDraft("Дегустаторы", "Хотят пробовать новые зёрна", is_at_till=True),
)
BY_CONDITIONS = (
    SegmentDraft(
        "Пропали",
        "Приходили часто, а месяц не были: позвать обратно",
        conditions=tree_from("visits:between:5..,last_visit:not_in:last-30"),
    ),
    SegmentDraft(
        "День рождения скоро",
        "Поздравить заранее",
        conditions=tree_from("birthday:soon:14,any(reachable:any:telegram.whatsapp,reachable:any:sms)"),
    ),
    SegmentDraft(
        "Не писать",
        "Отписались или заблокировали нас везде",
        is_exclusion=True,
        conditions=tree_from("any(none(reachable:any:telegram.whatsapp.sms.email),stopped:all:telegram.whatsapp)"),
    ),
)
SINCE = timedelta(days=150)
COUNTED_DAYS = 14
# How it came to today's size: a few fewer each day back.
COUNT_BACK = """
    INSERT INTO segment_size (segment_id, day, size, counted_at)
    SELECT segment_id, day - back, greatest(0, size - back * (1 + size / 60) + back * back % 3),
        counted_at - back * INTERVAL '1 day'
    FROM segment_size, generate_series(1, $2) back WHERE segment_id = $1
"""

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
    for draft in BY_CONDITIONS:
        made = await add_segment(draft, actor=actor, now=since)
        await count_segment(made, now=now)
        await db.execute(COUNT_BACK, made, COUNTED_DAYS)
