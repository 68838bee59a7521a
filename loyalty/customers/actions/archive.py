"""Hiding people from the base, and bringing them back. Erasure is another act, and final."""

from collections.abc import Sequence
from datetime import datetime

from loyalty import db
from loyalty.customers.actions.profile import lock_customers
from loyalty.customers.labels import checked_ids
from loyalty.customers.rules import RESTORED_FOR
from loyalty.errors import NotFound, Refused
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor
from loyalty.webhooks.actions.deliveries import tell_each
from loyalty.webhooks.rules import EventType

# A merged or erased card is hidden already, and stays so.
DELETE = """
WITH gone AS (
    UPDATE customer SET deleted_at = $2, deleted_by_id = $3, updated_at = $2
    WHERE id = ANY($1::bigint[]) AND deleted_at IS NULL AND merged_into_id IS NULL AND erased_at IS NULL
    RETURNING id
), hidden AS (
    UPDATE customer_facts SET is_hidden = true FROM gone WHERE customer_id = gone.id
)
SELECT id FROM gone ORDER BY id
"""
RESTORE = """
WITH back AS (
    UPDATE customer SET deleted_at = NULL, deleted_by_id = NULL, updated_at = $2
    WHERE id = ANY($1::bigint[]) AND deleted_at > $3 AND merged_into_id IS NULL AND erased_at IS NULL
    RETURNING id
), shown AS (
    UPDATE customer_facts SET is_hidden = false FROM back WHERE customer_id = back.id
)
SELECT id FROM back ORDER BY id
"""
LATE = """
SELECT count(*) FROM customer
WHERE id = ANY($1::bigint[]) AND deleted_at <= $2 AND merged_into_id IS NULL AND erased_at IS NULL
"""
SAME = """
SELECT c.id FROM unnest($1::bigint[], $2::timestamptz[]) part (id, at)
    JOIN customer c ON c.id = part.id AND c.deleted_at = part.at
"""


@db.use_case
async def delete_customers(customer_ids: Sequence[int], *, actor: Actor, now: datetime) -> int:
    """Hide up to PER_CALL customers from the base; returns how many. Twice is once.

    Their bonuses, messages and card stay, and the till and the chat still know them: a purchase brings them back.
    `restore_customers` does for RESTORED_FOR. Merged and erased cards are left out.
    Raises Invalid("customers", "too_many"), NotFound("customer") when none of them is one.
    """
    ids = await lock_customers(checked_ids(list(customer_ids)))
    if customer_ids and not ids:
        raise NotFound("customer")
    gone = await hide_customers(ids, actor=actor, now=now)
    await _note("customer.deleted", gone, actor=actor, now=now)
    return len(gone)


async def hide_customers(held: Sequence[int], *, actor: Actor, now: datetime) -> list[int]:
    """Hide customers whom the caller holds; who was hidden. Each is told of.

    Joins the caller's transaction, which keeps a journal of its own.
    """
    gone = [row["id"] for row in await db.fetch(DELETE, list(held), now, actor.staff_id)]
    await _tell_all(gone, now=now)
    return gone


@db.use_case
async def restore_customers(customer_ids: Sequence[int], *, actor: Actor, now: datetime) -> int:
    """Show up to PER_CALL deleted customers in the base again; returns how many. Twice is once.

    Raises Refused("restore_is_over") when any of them was deleted RESTORED_FOR ago or earlier: nobody comes back
    then. Else raises like `delete_customers`.
    """
    ids = await lock_customers(checked_ids(list(customer_ids)))
    if customer_ids and not ids:
        raise NotFound("customer")
    if await db.fetch_value(LATE, ids, now - RESTORED_FOR):
        raise Refused("restore_is_over", days=RESTORED_FOR.days)
    back = [row["id"] for row in await db.fetch(RESTORE, ids, now, now - RESTORED_FOR)]
    await _tell_all(back, now=now)
    await _note("customer.restored", back, actor=actor, now=now)
    return len(back)


async def show_customers(held: Sequence[int], deleted_at: Sequence[datetime], *, now: datetime) -> list[int]:
    """Show customers again whom the caller holds, who are deleted since just then; who came back.

    Nobody does who was brought back meanwhile, or was deleted RESTORED_FOR ago. As `hide_customers`.
    """
    rows = await db.fetch(SAME, list(held), list(deleted_at))
    back = [row["id"] for row in await db.fetch(RESTORE, [row["id"] for row in rows], now, now - RESTORED_FOR)]
    await _tell_all(back, now=now)
    return back


async def _note(action: str, changed: list[int], *, actor: Actor, now: datetime) -> None:
    """One line of an act: about the customer, or with the ids of all of them."""
    if len(changed) == 1:
        await write_journal(actor, action, now=now, subject_kind="customer", subject_id=changed[0])
    elif changed:
        await write_journal(actor, action, now=now, customers=len(changed), ids=changed)


async def _tell_all(changed: list[int], *, now: datetime) -> None:
    told = [{"customer_id": customer_id, "fields": ["deleted_at"]} for customer_id in changed]
    await tell_each(EventType.CUSTOMER_UPDATED, told, now=now)
