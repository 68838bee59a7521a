"""People of the demo with two cards: some that were found and made one, some that wait on the page of duplicates.

Everything is done by the actions of the till and the panel, each as of its moment.
"""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

from loyalty import db
from loyalty.customers.actions.profile import add_customer, change_profile, set_consent
from loyalty.customers.queries import CustomerView
from loyalty.customers.rules import Profile, Topic, Via
from loyalty.office.actions.merging import merge_cards
from loyalty.receipts.actions.sales import record_receipt
from loyalty.receipts.actions.visits import recount_visits
from loyalty.receipts.rules.sales import ReceiptDraft, ReceiptSource
from loyalty.staff.rules import Actor, ActorKind
from regulars.seed.profiles import TERMS_ON_PAPER
from regulars.seed.records import Place

MERGED, OPEN, MOVED = 3, 2, 1
"""How many were given a second card at the till and have one again; have two still, of one name and birthday; have
two because the number that they write from stood on no card any more."""
DOUBLES = MERGED + OPEN + MOVED
QUIET_DAYS = 20
"""Nobody who was here since is among them: their sales of today would not know of what the till did days ago."""
NEW_NUMBERS = ("+79990000377",)
TOTALS = (540_00, 1_280_00, 320_00, 760_00, 450_00, 980_00)

# People of long ago whose chats are quiet, and who let us write of offers, as they do again at the till. Who writes by
# WhatsApp does so from the number on the card.
KNOWN = """
SELECT c.id FROM customer c JOIN customer_facts f ON f.customer_id = c.id
WHERE NOT f.is_hidden AND f.sold > 0 AND f.last_visit_at < $1 AND f.next_booking_at <= $1
    AND c.birthday IS NOT NULL AND c.id % 5 <> 0
    AND NOT EXISTS (SELECT FROM hold h WHERE h.customer_id = c.id AND h.state IN ('asked', 'held'))
    AND NOT EXISTS (SELECT FROM link_request l WHERE l.customer_id = c.id)
    AND EXISTS (SELECT FROM messenger_account a JOIN conversation v ON v.account_id = a.id
        WHERE a.customer_id = c.id AND a.channel = $3 AND v.state = 'bot' AND v.last_message_at < $1
            AND ($3 <> 'whatsapp' OR a.phone = c.phone))
ORDER BY f.last_visit_at DESC, c.id LIMIT $2
"""


async def write_doubles(places: Sequence[Place], staff_id: int, now: datetime) -> None:
    """Give DOUBLES people a second card each, or as many as there are of whom nothing was heard lately."""
    silent = now - timedelta(days=QUIET_DAYS)
    known = await db.fetch(KNOWN, silent, MERGED + OPEN, "telegram")
    for number, row in enumerate(known):
        at = (now - timedelta(days=QUIET_DAYS - 3 * number)).replace(hour=9, minute=10 + number)
        second = await _add_again(row["id"], places[number % len(places)], TOTALS[number], at)
        if number < MERGED:
            # Whoever looks into it two days later has both cards before them.
            found_at = at + timedelta(days=2, hours=1)
            await merge_cards(second, row["id"], actor=Actor(ActorKind.STAFF, staff_id), now=found_at)
            # Days have left their last year since, as the nights' walk found out.
            await recount_visits(row["id"], now=now)
    writing = await db.fetch(KNOWN, silent, len(known) + MOVED, "whatsapp")
    taken = {row["id"] for row in known}
    left = [row["id"] for row in writing if row["id"] not in taken]
    for customer_id, phone in zip(left[:MOVED], NEW_NUMBERS, strict=False):
        await _come_by_old_number(customer_id, phone, places[0], staff_id, now - timedelta(days=6))


async def _add_again(customer_id: int, place: Place, total: int, at: datetime, *, phone: str | None = None) -> int:
    """Somebody forgot their card, and the till made another one of the same name and birthday; its id.

    Without a phone they buy something at once, of which nobody can be told.
    """
    row = await db.fetch_row("SELECT name, gender, birthday, language FROM customer WHERE id = $1", customer_id)
    assert row is not None, "it was just found"
    cashier = Actor(ActorKind.STAFF, place.cashier_id)
    profile = Profile(**row, phone=phone, email=None, home_location_id=place.id)
    second = await add_customer(profile, via=Via.CASHIER, actor=cashier, now=at)
    about: dict[str, Any] = {"source": "cashier", "text_version": TERMS_ON_PAPER, "actor": cashier, "now": at}
    for topic in (Topic.TERMS, Topic.MARKETING):
        await set_consent(second.id, topic, granted=True, **about)
    if phone is not None:
        return second.id
    draft = ReceiptDraft(ReceiptSource.TILL, place.id, f"seed-again-{customer_id}", second.id, total)
    await record_receipt(draft, actor=cashier, now=at + timedelta(minutes=2))
    return second.id


async def _come_by_old_number(customer_id: int, phone: str, place: Place, staff_id: int, at: datetime) -> None:
    """Somebody had their number changed on the card, writes from the old one still, and named that at the till."""
    old: list[str | None] = []

    def give_new(known: CustomerView) -> Profile:
        old.append(known.phone)
        return replace(Profile(**{field.name: getattr(known, field.name) for field in fields(Profile)}), phone=phone)

    await change_profile(customer_id, give_new, actor=Actor(ActorKind.STAFF, staff_id), now=at)
    await _add_again(customer_id, place, TOTALS[-1], at + timedelta(days=2), phone=old[0])
