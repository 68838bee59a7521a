"""Changing whose an account is where nobody has proven it, and where a messenger says that it has moved."""

from datetime import datetime

from loyalty import db
from loyalty.customers.actions.accounts import link_account, make_default, set_account_active
from loyalty.customers.actions.phones import change_phone
from loyalty.customers.actions.profile import lock_customer
from loyalty.customers.queries import MessengerAccountView, customer, messenger_account
from loyalty.customers.rules import LinkState
from loyalty.errors import Refused
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

# One open request an account, and none to where it was refused: nobody is asked about the same account for ever.
OPEN = """
INSERT INTO link_request (account_id, customer_id, state, created_at)
SELECT $1::bigint, $2::bigint, 'open', $3
WHERE NOT EXISTS (SELECT FROM link_request WHERE account_id = $1
    AND (state = 'open' OR state = 'refused' AND customer_id = $2))
ON CONFLICT DO NOTHING RETURNING id
"""


@db.use_case
async def open_link(account_id: int, customer_id: int, *, actor: Actor, now: datetime) -> int | None:
    """Ask whether an account is this customer's. None: it was asked before, or waits for another answer."""
    request_id: int | None = await db.fetch_value(OPEN, account_id, customer_id, now)
    if request_id is not None:
        await _note("link.asked", customer_id, account_id, actor=actor, now=now)
    return request_id


@db.use_case
async def close_link(request_id: int, state: LinkState, *, actor: Actor, now: datetime) -> None:
    """Keep what was decided. Raises Refused("request_is_closed") when somebody was faster."""
    row = await db.fetch_row(
        "UPDATE link_request SET state = $2, decided_at = $3, staff_id = $4 WHERE id = $1 AND state = 'open'"
        " RETURNING account_id, customer_id",
        request_id,
        state.value,
        now,
        actor.staff_id,
    )
    if row is None:
        raise Refused("request_is_closed")
    await _note(f"link.{state.value}", row["customer_id"], row["account_id"], actor=actor, now=now)


# Who goes by this name in the messenger already.
NAMESAKE = """
SELECT id, customer_id FROM messenger_account WHERE channel = $1 AND $2 IN (address, alias) AND id <> $3 LIMIT 1
"""
# A number replaces the name that is a number; any other name is the one to write to.
RENAME = """
UPDATE messenger_account SET phone = coalesce($3, phone),
    address = CASE WHEN $3::text IS NULL OR address ~ '^[0-9]+$' THEN $2 ELSE address END,
    alias = CASE WHEN $3::text IS NULL OR address ~ '^[0-9]+$' THEN alias ELSE $2 END
WHERE id = $1
"""


@db.use_case
async def move_account(account_id: int, name: str, phone: str | None, *, actor: Actor, now: datetime) -> bool:
    """The messenger says that an account goes by another name, with another number (E.164), from now on.

    The card's number changes with it if it was the account's, and nobody else has the new one. False: people are
    to look, because account or number are somebody else's already. Raises NotFound("account").
    """
    before = await messenger_account(account_id)
    if before.customer_id is not None:
        await lock_customer(before.customer_id)
    namesake = await db.fetch_row(NAMESAKE, before.channel, name, account_id)
    if namesake is not None and namesake["customer_id"] not in {None, before.customer_id}:
        await _note_move(before, actor=actor, now=now, reason="account_taken")
        return False
    if namesake is None:
        await db.execute(RENAME, account_id, name, phone)
    elif before.customer_id is not None:
        # They wrote from the new number before we were told: that chat is the living one.
        await link_account(namesake["id"], before.customer_id, actor=actor, now=now)
        if before.is_default:
            await make_default(namesake["id"], actor=actor, now=now)
        await set_account_active(account_id, is_active=False, reason="gone", now=now)
    await _note_move(before, actor=actor, now=now)
    return await _follow_with_phone(before, phone, actor=actor, now=now)


async def _follow_with_phone(before: MessengerAccountView, phone: str | None, *, actor: Actor, now: datetime) -> bool:
    if before.customer_id is None or phone is None or before.phone is None:
        return True
    if (await customer(before.customer_id)).phone != before.phone:
        return True
    try:
        await change_phone(before.customer_id, phone, actor=actor, now=now)
    except Refused:
        await _note_move(before, actor=actor, now=now, reason="phone_taken")
        return False
    return True


async def _note_move(account: MessengerAccountView, *, actor: Actor, now: datetime, **details: str) -> None:
    kind, subject = ("account", account.id) if account.customer_id is None else ("customer", account.customer_id)
    await write_journal(
        actor, "account.moved", subject_kind=kind, subject_id=subject, now=now, account=account.id, **details
    )


async def _note(action: str, customer_id: int, account_id: int, *, actor: Actor, now: datetime) -> None:
    await write_journal(actor, action, subject_kind="customer", subject_id=customer_id, now=now, account=account_id)
