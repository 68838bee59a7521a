"""Sales to people who were not registered: some still wait, some have come, one was taken back, one forgotten."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from loyalty import db
from loyalty.receipts.actions.waiting import (
    credit_waiting_sales,
    keep_waiting_sale,
    lapse_waiting_due,
    withdraw_waiting_sale,
)
from loyalty.receipts.queries.waiting import WaitingSaleView
from loyalty.staff.rules import Actor, ActorKind
from regulars.seed.records import Place

NOBODYS_PHONES = ("+79990000101", "+79990000102", "+79990000103")
FORGOTTEN = timedelta(days=45)

# The newest who came by the chat and were not at a till today: the programme may limit a day's receipts.
NEWEST = """
    SELECT c.id FROM customer c JOIN customer_facts f ON f.customer_id = c.id
    WHERE c.created_via = 'telegram' AND f.telegram AND f.last_visit_at < $1 ORDER BY c.created_at DESC, c.id LIMIT 2
"""

# What the newcomers were told has been read by now, like everything else in the chats.
TOLD = """
    WITH told AS (
        UPDATE message SET status = 'sent', sent_at = created_at + INTERVAL '1 second', attempts = 1
        WHERE status = 'queued' AND kind = 'receipt' RETURNING account_id, created_at
    )
    UPDATE conversation SET last_message_at = told.created_at FROM told WHERE conversation.account_id = told.account_id
"""


async def keep_sales(places: Sequence[Place], *, now: datetime) -> None:
    """Live a few of them through the till's own actions, at the end of everything else."""
    by_phone, taken_back, forgotten = NOBODYS_PHONES
    await _keep(places[0], "forgotten", 540_00, forgotten, now - FORGOTTEN)
    await lapse_waiting_due(now=now)
    await _keep(places[0], "by-phone", 1_260_00, by_phone, now - timedelta(hours=2))
    await _keep(places[0], "by-link", 380_00, None, now - timedelta(minutes=50))
    mistaken = await _keep(places[1], "mistaken", 2_900_00, taken_back, now - timedelta(hours=1))
    await withdraw_waiting_sale(mistaken.id, actor=_cashier(places[1]), now=mistaken.created_at + timedelta(minutes=2))
    people = await db.fetch(NEWEST, now - timedelta(days=2))
    for number, (person, total) in enumerate(zip(people, (720_00, 1_450_00), strict=False)):
        kept = await _keep(places[number], f"came-{number}", total, None, now - timedelta(minutes=12 - number))
        came_at = kept.created_at + timedelta(minutes=3)
        await credit_waiting_sales(person["id"], tokens=[kept.token], now=came_at)
    await db.execute(TOLD)


async def _keep(place: Place, key: str, total: int, phone: str | None, at: datetime) -> WaitingSaleView:
    return await keep_waiting_sale(place.id, f"seed-{key}", total, phone=phone, actor=_cashier(place), now=at)


def _cashier(place: Place) -> Actor:
    return Actor(ActorKind.STAFF, place.cashier_id)
