"""Keeping the links by which people come, who opened them, and whom each of them brought."""

from datetime import datetime

from loyalty import db
from loyalty.customers.actions.profile import lock_customer
from loyalty.customers.models import EntryLink
from loyalty.customers.rules import clean_text, new_referral_code
from loyalty.errors import Invalid, NotFound
from loyalty.shop.queries import location
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor
from loyalty.webhooks.actions.deliveries import tell
from loyalty.webhooks.rules import EventType

NAME_LENGTH = 80
SOURCE_LENGTH = 40

ADD = """
INSERT INTO entry_link (code, name, source, location_id, staff_id, created_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (code) DO NOTHING RETURNING id
"""
# A link that is not shown any more hangs on its wall still: it goes on counting.
OPEN = """
WITH opened AS (SELECT id FROM entry_link WHERE code = $1),
kept AS (INSERT INTO entry_visit (link_id, account_id, at) SELECT id, $2, $3 FROM opened
    ON CONFLICT (link_id, account_id) DO NOTHING)
SELECT id FROM opened
"""
# Whoever has come through a chat before was not brought by this link. Index: registration_step_customer.
CAME = """
UPDATE customer c SET entry_link_id = l.id, updated_at = $3,
    home_location_id = coalesce(c.home_location_id, (SELECT id FROM location WHERE id = l.location_id AND is_open))
FROM entry_link l, customer before
WHERE c.id = $1 AND l.id = $2 AND before.id = c.id AND c.entry_link_id IS NULL
    AND NOT EXISTS (SELECT FROM registration_step s WHERE s.customer_id = $1 AND s.step = 'registered')
RETURNING before.home_location_id IS DISTINCT FROM c.home_location_id AS has_home
"""


@db.use_case
async def add_entry_link(name: str, source: str, *, location_id: int | None, actor: Actor, now: datetime) -> int:
    """Make a link with a code of its own; returns its id.

    Raises Invalid("name" | "source"), NotFound("location").
    """
    values = (_text("name", name, NAME_LENGTH), _text("source", source, SOURCE_LENGTH), await _place(location_id))
    link_id: int | None = None
    while link_id is None:
        link_id = await db.fetch_value(ADD, new_referral_code(), *values, actor.staff_id, now)
    await write_journal(actor, "entry_link.added", subject_kind="entry_link", subject_id=link_id, now=now)
    return link_id


@db.use_case
async def change_entry_link(
    link_id: int, name: str, source: str, *, location_id: int | None, actor: Actor, now: datetime
) -> None:
    """Call a link otherwise, or hang it elsewhere; its code stays, and so does the home of those who came by it.

    Raises Invalid("name" | "source"), NotFound("entry_link" | "location").
    """
    values = {
        "name": _text("name", name, NAME_LENGTH),
        "source": _text("source", source, SOURCE_LENGTH),
        "location_id": await _place(location_id),
    }
    before = await EntryLink.select_for_update(no_key=True).get_or_none(id=link_id, deleted_at=None)
    if before is None:
        raise NotFound("entry_link")
    changed = [field for field, value in values.items() if getattr(before, field) != value]
    if not changed:
        return
    await EntryLink.filter(id=link_id).update(**values)
    await write_journal(
        actor, "entry_link.changed", subject_kind="entry_link", subject_id=link_id, now=now, fields=changed
    )


@db.use_case
async def delete_entry_link(link_id: int, *, actor: Actor, now: datetime) -> None:
    """Show a link no more; whoever opens it is greeted and counted still. Raises NotFound("entry_link")."""
    if not await EntryLink.filter(id=link_id, deleted_at=None).update(deleted_at=now):
        raise NotFound("entry_link")
    await write_journal(actor, "entry_link.deleted", subject_kind="entry_link", subject_id=link_id, now=now)


@db.use_case
async def restore_entry_link(link_id: int, *, actor: Actor, now: datetime) -> None:
    """Show a link again. Raises NotFound("entry_link")."""
    if not await EntryLink.filter(id=link_id).exclude(deleted_at=None).update(deleted_at=None):
        raise NotFound("entry_link")
    await write_journal(actor, "entry_link.restored", subject_kind="entry_link", subject_id=link_id, now=now)


@db.use_case
async def open_entry_link(code: str, account_id: int, *, now: datetime) -> int | None:
    """An account has come by the link with this code: kept once for each of both. Returns the link, None for none."""
    link_id: int | None = await db.fetch_value(OPEN, code, account_id, now)
    return link_id


@db.use_case
async def keep_entry_link(customer_id: int, link_id: int, *, actor: Actor, now: datetime) -> None:
    """Keep by which link a person came, and its place as their home if they have none.

    Only of somebody's first registration in a chat, before its steps are kept; nothing else changes what is known.
    """
    await lock_customer(customer_id)
    row = await db.fetch_row(CAME, customer_id, link_id, now)
    if row is None:
        return
    await write_journal(
        actor, "customer.entered", subject_kind="customer", subject_id=customer_id, now=now, entry_link=link_id
    )
    if row["has_home"]:
        changed = {"customer_id": customer_id, "fields": ["home_location_id"]}
        await tell(EventType.CUSTOMER_UPDATED, changed, now=now)


async def _place(location_id: int | None) -> int | None:
    return None if location_id is None else (await location(location_id)).id


def _text(field: str, text: str, limit: int) -> str:
    cleaned = clean_text(text)
    if not cleaned:
        raise Invalid(field, "required")
    if len(cleaned) > limit:
        raise Invalid(field, "too_long", limit=limit)
    return cleaned
