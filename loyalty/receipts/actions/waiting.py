"""Sales to people who are not registered yet: kept at the till, credited when their customer comes."""

from collections.abc import Sequence
from datetime import datetime

from loyalty import db, wording
from loyalty.conversations.actions.outbox import tell_customer
from loyalty.conversations.queries.recipients import recipient_of
from loyalty.customers.actions.profile import lock_customer
from loyalty.customers.queries import find_by_phone
from loyalty.errors import Conflict, NotFound, Refused
from loyalty.receipts.actions.sales import record_receipt
from loyalty.receipts.queries.waiting import WaitingSaleView, waiting_sale, waiting_sale_by_key
from loyalty.receipts.rules.sales import ReceiptDraft, ReceiptSource, checked
from loyalty.receipts.rules.waiting import WaitingState, new_token, waits_until
from loyalty.shop.queries import location, programme_at, shop
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor, ActorKind

NOBODY_YET = 0
"""Stands in the draft of a sale whose customer is not known."""

KEEP = """
INSERT INTO waiting_sale (token, phone, location_id, external_id, total, staff_id, state, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, $8) ON CONFLICT (location_id, external_id) DO NOTHING RETURNING id
"""

PUT_OFF = frozenset({"receipts_of_day", "receipt_too_soon", "location_is_closed"})
"""Reasons that pass: what they refuse waits on for the customer who came for it."""

# Whoever comes by the same link at the same moment waits here, and then finds nothing that waits. Indexes:
# waiting_sale_phone, waiting_sale_came, the unique one of the token.
TAKE = """
SELECT w.id, w.location_id, w.external_id, w.total, w.staff_id, w.created_at, s.phone AS staff_phone,
    l.name AS location_name
FROM waiting_sale w JOIN staff_member s ON s.id = w.staff_id JOIN location l ON l.id = w.location_id
WHERE w.state = 'waiting' AND w.expires_at > $2 AND (w.customer_id = $1 OR w.customer_id IS NULL
    AND (w.phone IN (SELECT phone FROM customer WHERE id = $1 OR merged_into_id = $1) OR w.token = ANY($3::text[])))
ORDER BY w.id FOR NO KEY UPDATE OF w
"""

DECIDE = "UPDATE waiting_sale SET state = $2, decided_at = $3, receipt_id = $4, reason = $5 WHERE id = $1"
KEEP_FOR = "UPDATE waiting_sale SET customer_id = $2, reason = $3 WHERE id = $1"

# Indexes: waiting_sale_phone, waiting_sale_came, the unique one of customers' phones.
DUE = """
SELECT coalesce(c.merged_into_id, c.id) AS id FROM waiting_sale w JOIN customer c ON c.phone = w.phone
WHERE w.state = 'waiting' AND w.expires_at > $1 AND w.customer_id IS NULL
UNION SELECT w.customer_id FROM waiting_sale w
WHERE w.state = 'waiting' AND w.expires_at > $1 AND w.customer_id IS NOT NULL
ORDER BY 1 LIMIT $2
"""

# Index: waiting_sale_expiring.
LAPSE = """
UPDATE waiting_sale SET state = 'lapsed', decided_at = $1 WHERE id IN (SELECT id FROM waiting_sale
    WHERE state = 'waiting' AND expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id
"""


@db.use_case
async def keep_waiting_sale(
    location_id: int, key: str, total: int, *, phone: str | None, actor: Actor, now: datetime
) -> WaitingSaleView:
    """Keep a sale of `total` minor units for whoever registers with `phone` (E.164), or by the link of its token.

    It waits for as many days as the programme says. The till's key makes it safe to send twice: the same key and
    body gives the sale as it stands now. Raises Conflict("key_was_used") for another body, Invalid like a sale,
    NotFound("location"), Refused("location_is_closed" | "own_account" | "phone_is_registered").
    """
    assert actor.staff_id is not None, "only people at a till keep sales"
    draft = checked(ReceiptDraft(ReceiptSource.TILL, location_id, key, NOBODY_YET, total))
    seen = await waiting_sale_by_key(location_id, draft.external_id)
    if seen is not None:
        return _same(seen, total, phone)
    place = await location(location_id)
    if not place.is_open:
        raise Refused("location_is_closed")
    if phone is not None and phone == actor.phone:
        raise Refused("own_account")
    if phone is not None and await find_by_phone(phone) is not None:
        raise Refused("phone_is_registered")
    until = waits_until(now, (await programme_at(now)).waiting_sale_days, place.time_zone)
    sale_id = await db.fetch_value(
        KEEP, new_token(), phone, location_id, draft.external_id, total, actor.staff_id, now, until
    )
    if sale_id is None:
        # The same press arrived twice at once: the other one has kept it.
        seen = await waiting_sale_by_key(location_id, draft.external_id)
        assert seen is not None
        return _same(seen, total, phone)
    await write_journal(actor, "waiting_sale.kept", subject_kind="waiting_sale", subject_id=sale_id, now=now)
    return await waiting_sale(sale_id)


@db.use_case
async def withdraw_waiting_sale(sale_id: int, *, actor: Actor, now: datetime) -> WaitingSaleView:
    """Take a sale back that nobody has come for; twice is once.

    Raises NotFound("waiting_sale"), Refused("waiting_sale_is_over") once something else became of it.
    """
    # Somebody may be registering for it just now: wait for the end of that.
    state = await db.fetch_value("SELECT state FROM waiting_sale WHERE id = $1 FOR NO KEY UPDATE", sale_id)
    if state is None:
        raise NotFound("waiting_sale")
    if state == WaitingState.WITHDRAWN:
        return await waiting_sale(sale_id)
    if state != WaitingState.WAITING:
        raise Refused("waiting_sale_is_over")
    await db.execute(DECIDE, sale_id, WaitingState.WITHDRAWN.value, now, None, None)
    await write_journal(actor, "waiting_sale.withdrawn", subject_kind="waiting_sale", subject_id=sale_id, now=now)
    return await waiting_sale(sale_id)


@db.use_case
async def credit_waiting_sales(customer_id: int, *, tokens: Sequence[str] = (), now: datetime) -> int:
    """Credit what waits for a customer's phone, and the sales of links' tokens; returns how many were credited.

    Each becomes a receipt under the key of its till, by the person who took it, as of `now`; the earning rules go by
    the hour of the sale. What a limit of the day refuses waits on for this customer; what another rule refuses is
    refused for good, and they are told. Safe to repeat: a sale is credited once, whoever comes for it.
    Raises NotFound("customer").
    """
    # Customers are locked before what waits for them; several at one sale take their turns at the sale.
    await lock_customer(customer_id)
    credited = 0
    for row in await db.fetch(TAKE, customer_id, now, list(tokens)):
        credited += await _credit(row, customer_id, now)
    return credited


async def credit_waiting_due(*, now: datetime, limit: int = 500) -> int:
    """Credit what waits for somebody who is registered: by whatever door they were, or put off by a limit.

    At most of `limit` customers; returns of how many.
    """
    due = await db.fetch(DUE, now, limit)
    for row in due:
        await credit_waiting_sales(row["id"], now=now)
    return len(due)


async def lapse_waiting_due(*, now: datetime, limit: int = 500) -> int:
    """Close the sales that nobody came for in time, at most `limit`; returns how many.

    Nothing depends on when it runs: what has lapsed is not credited anyway.
    """
    return len(await db.fetch(LAPSE, now, limit))


async def _credit(row: db.Row, customer_id: int, now: datetime) -> bool:
    draft = ReceiptDraft(
        ReceiptSource.TILL,
        row["location_id"],
        row["external_id"],
        customer_id,
        row["total"],
        sold_at=row["created_at"],
    )
    # The till's people answer for what they took: one's own sale is refused now as it would have been then.
    actor = Actor(ActorKind.STAFF, row["staff_id"], row["staff_phone"])
    try:
        # Whoever stands at a till is told of each refusal; here the words are our own, and said once.
        async with db.transaction():
            recorded = await record_receipt(draft, actor=actor, now=now)
    except (Refused, Conflict) as error:
        if error.reason in PUT_OFF:
            await db.execute(KEEP_FOR, row["id"], customer_id, error.reason)
        else:
            await db.execute(DECIDE, row["id"], WaitingState.REFUSED.value, now, None, error.reason)
            await _tell_refusal(row, customer_id, now)
        return False
    await db.execute(DECIDE, row["id"], WaitingState.CREDITED.value, now, recorded.receipt_id, None)
    return True


async def _tell_refusal(row: db.Row, customer_id: int, now: datetime) -> None:
    recipient = await recipient_of(customer_id, "waiting_sale_refused")
    if recipient is None:
        return
    chain = await shop()
    total = wording.money(row["total"], chain.currency, chain.exponent, recipient.language)
    values = {"total": total, "location": row["location_name"]}
    await tell_customer(recipient, values, dedupe_key=f"waiting_sale:{row['id']}", now=now)


def _same(seen: WaitingSaleView, total: int, phone: str | None) -> WaitingSaleView:
    """The sale kept under this key. Raises Conflict when it was another."""
    if (seen.total, seen.phone) != (total, phone):
        raise Conflict("key_was_used")
    return seen
