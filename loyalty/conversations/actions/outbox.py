"""The outbox: queueing, leasing to a worker, and what became of the call. State in the table, never in a worker.

queued → leased → sending → sent; `sending` is committed just before the call, so that a worker that dies leaves
no more than its calls in flight in doubt.
"""

from datetime import datetime, timedelta
from typing import Any

from loyalty import db
from loyalty.conversations.content import Button, Content
from loyalty.conversations.kinds import KINDS
from loyalty.conversations.rules import LEASE, SENDING, TEXT_LENGTH, Leased, PauseReason, Priority, Status, retry_at
from loyalty.customers.queries import messenger_account
from loyalty.customers.rules import check_note
from loyalty.errors import Refused
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

# The account to write to: the default one, or another that can be written to. Index: messenger_account_customer.
QUEUE = """
INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, dedupe_key,
    created_at, due_at, attempts)
SELECT a.id, a.customer_id, a.channel, 'out', $2::text, $3::jsonb, 'queued', 1, $4::text, $5::timestamptz, $5, 0
FROM messenger_account a WHERE a.id = $1::bigint ON CONFLICT (dedupe_key) DO NOTHING RETURNING id
"""
RECIPIENT = """
SELECT a.id, c.language FROM messenger_account a JOIN customer c ON c.id = a.customer_id
WHERE a.customer_id = $1 AND a.is_active AND a.takes_service ORDER BY a.is_default DESC, a.id LIMIT 1
"""


async def recipient_of(customer_id: int) -> tuple[int, str] | None:
    """(account to write to, language) of a customer; None when nowhere can be written to."""
    row = await db.fetch_row(RECIPIENT, customer_id)
    return (row["id"], row["language"]) if row else None


def service_content(kind: str, language: str, values: dict[str, str]) -> Content:
    """What a service message of this kind says."""
    said = KINDS[kind]
    row = tuple(Button(label, data) for label, data in said.row(language, values))
    return Content(text=said.text(language, values), buttons=(row,) if row else ())


async def queue_service(account_id: int, kind: str, content: Content, *, dedupe_key: str, now: datetime) -> None:
    """Put a service message into the outbox, in the caller's transaction. The same key says it once."""
    await db.execute(QUEUE, account_id, kind, db.to_json(content.to_body()), dedupe_key, now)
    db.wake("messages")


STAFF_REPLY = """
WITH said AS (
    INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, dedupe_key,
        staff_id, created_at, due_at, attempts)
    SELECT a.id, a.customer_id, a.channel, 'out', 'staff', $2::jsonb, 'queued', 0, $3::text, $4::int,
        $5::timestamptz, $5, 0
    FROM messenger_account a WHERE a.id = $1::bigint ON CONFLICT (dedupe_key) DO NOTHING RETURNING id, account_id
)
INSERT INTO conversation (account_id, session, last_message_at) SELECT account_id, '{}', $5 FROM said
ON CONFLICT (account_id) DO UPDATE SET waiting_since = NULL, last_message_at = EXCLUDED.last_message_at
RETURNING (SELECT id FROM said)
"""


@db.use_case
async def write_to(account_id: int, text: str, *, key: str, actor: Actor, now: datetime) -> None:
    """A person of the panel writes into a chat, which then waits no longer. The same key says it once.

    Raises Invalid("text"), NotFound("account"), Refused("account_blocked").
    """
    words = check_note(text, TEXT_LENGTH)
    account = await messenger_account(account_id)
    if not account.is_active:
        raise Refused("account_blocked")
    content = db.to_json(Content(text=words).to_body())
    message_id = await db.fetch_value(STAFF_REPLY, account_id, content, f"staff:{key}", actor.staff_id, now)
    if message_id is None:
        return
    await write_journal(
        actor, "message.written", subject_kind="account", subject_id=account_id, now=now, message=message_id
    )
    db.wake("messages")


@db.use_case
async def mark_answered(account_id: int, *, actor: Actor, now: datetime) -> None:
    """A chat waits for staff no longer. Twice is once."""
    done = await db.fetch_value(
        "UPDATE conversation SET waiting_since = NULL WHERE account_id = $1 AND waiting_since IS NOT NULL"
        " RETURNING account_id",
        account_id,
    )
    if done is not None:
        await write_journal(actor, "conversation.answered", subject_kind="account", subject_id=account_id, now=now)


# By urgency and age, along message_queued; message_pending tells whether the chat has something to send before.
LEASE_SOME = """
WITH due AS (
    SELECT m.id FROM message m
    WHERE m.status = 'queued' AND m.due_at <= $1 AND m.channel = $4
        AND NOT EXISTS (SELECT FROM message before WHERE before.account_id = m.account_id
            AND before.priority = m.priority AND before.id < m.id
            AND before.status IN ('queued', 'leased', 'sending'))
    ORDER BY m.priority, m.id LIMIT $3 FOR NO KEY UPDATE OF m SKIP LOCKED
)
UPDATE message SET status = 'leased', leased_until = $2, attempts = message.attempts + 1
FROM due, messenger_account a WHERE message.id = due.id AND a.id = message.account_id
RETURNING message.id, message.kind, message.content, message.priority, message.attempts, message.created_at,
    message.customer_id, message.account_id, a.address, a.alias, a.language, a.customer_id AS account_customer_id,
    a.is_active
"""


async def lease_messages(channel: str, *, limit: int, now: datetime) -> list[Leased]:
    """Take messages that are due, the most urgent first, one of a chat at a time so that they leave in order."""
    rows = await db.fetch(LEASE_SOME, now, now + LEASE, limit, channel)
    leased = [
        Leased(
            **{
                **row,
                "content": Content.from_body(db.from_json(row["content"])),
                "priority": Priority(row["priority"]),
            }
        )
        for row in rows
    ]
    return sorted(leased, key=lambda message: (message.priority, message.id))


async def begin_sending(message_id: int, *, now: datetime) -> bool:
    """Commit that the call is about to be made. False: the lease is lost, somebody else has the message."""
    begun = await db.fetch_value(
        "UPDATE message SET status = 'sending', leased_until = $3 WHERE id = $1 AND status = 'leased'"
        " AND leased_until > $2 RETURNING true",
        message_id,
        now,
        now + SENDING,
    )
    return bool(begun)


async def settle_sent(message_id: int, external_id: str, *, now: datetime) -> None:
    """The messenger has accepted it."""
    await db.execute(
        "UPDATE message SET status = 'sent', external_id = $2, sent_at = $3, leased_until = NULL, reason = NULL"
        " WHERE id = $1 AND status = 'sending'",
        message_id,
        external_id,
        now,
    )


async def settle_failed(message_id: int, reason: str) -> None:
    """It will not be sent."""
    await db.execute(
        "UPDATE message SET status = 'failed', reason = $2, leased_until = NULL"
        " WHERE id = $1 AND status IN ('leased', 'sending')",
        message_id,
        reason,
    )


async def settle_postponed(message_id: int, reason: str, *, until: datetime) -> None:
    """It was not accepted through no fault of its own: this try does not count."""
    await db.execute(
        "UPDATE message SET status = 'queued', reason = $2, due_at = $3, attempts = attempts - 1, leased_until = NULL"
        " WHERE id = $1 AND status IN ('leased', 'sending')",
        message_id,
        reason,
        until,
    )


async def settle_unknown(message: Leased, reason: str, *, now: datetime) -> None:
    """Nobody knows whether it arrived. Replies and service messages are sent again, campaigns are not."""
    again: datetime | None = None
    status = Status.UNKNOWN
    if message.priority < Priority.BULK:
        again = retry_at(message.attempts, now)
        status = Status.QUEUED if again else Status.FAILED
    await db.execute(
        "UPDATE message SET status = $2, reason = $3, due_at = $4, leased_until = NULL"
        " WHERE id = $1 AND status = 'sending'",
        message.id,
        status.value,
        reason,
        again or now,
    )


# What a worker that died left behind. A lease never led to a call; of a call nobody knows what became.
RECOVER = """
UPDATE message SET leased_until = NULL, due_at = $1,
    status = CASE WHEN status = 'sending' AND priority = 2 THEN 'unknown' ELSE 'queued' END,
    reason = CASE status WHEN 'sending' THEN 'answer_lost' ELSE reason END
WHERE status IN ('leased', 'sending') AND leased_until < $1 RETURNING id
"""


async def recover_lapsed(*, now: datetime) -> int:
    """Put back what dead workers held; returns how many. Index: message_leased."""
    return len(await db.fetch(RECOVER, now))


async def pause_channel(source: str, reason: PauseReason, *, seconds: float, now: datetime) -> datetime:
    """Send nothing through an account of ours for a while; a pause only grows. Returns its end."""
    until: datetime = await db.fetch_value(
        "INSERT INTO channel_pause (source, paused_until, reason, at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (source) DO UPDATE SET at = $4, reason = EXCLUDED.reason,"
        " paused_until = greatest(channel_pause.paused_until, EXCLUDED.paused_until) RETURNING paused_until",
        source,
        now + timedelta(seconds=seconds),
        reason.value,
        now,
    )
    return until


async def paused_until(source: str, *, now: datetime) -> datetime | None:
    """The end of the pause of an account of ours, if it is paused."""
    row: Any = await db.fetch_value(
        "SELECT paused_until FROM channel_pause WHERE source = $1 AND paused_until > $2", source, now
    )
    return row if isinstance(row, datetime) else None
