"""Taking messages out of the outbox, and what became of each. State in the table, never in a worker.

queued → leased → sending → sent; `sending` is committed just before the call, so that a worker that dies leaves
no more than its calls in flight in doubt. What is not due yet is `delayed`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from loyalty import db
from loyalty.conversations.channels import USUAL
from loyalty.conversations.content import Content
from loyalty.conversations.kinds import PATIENT
from loyalty.conversations.rules import LEASE, SENDING, Cap, Leased, PauseReason, Priority, Status, Tried, retry_pause
from loyalty.ids import new_key

NO_CAP = Cap()
# Nothing while our account is paused. By urgency and age, along message_queued; message_pending tells whether the chat
# has something to send before, of the same urgency. What waits for the morning holds up nothing. Asked row by row: NOT
# EXISTS becomes a join, which reads all that waits once for each while the statistics do not know of a new campaign.
LEASE_SOME = """
WITH due AS (
    SELECT m.id, m.account_id FROM message m
    WHERE m.channel = split_part($1, ':', 1) AND m.status = 'queued' AND m.priority <= $2
        AND NOT EXISTS (SELECT FROM channel_pause WHERE source = $1 AND paused_until > $6)
        AND (SELECT before.id FROM message before WHERE before.account_id = m.account_id
            AND before.direction = 'out' AND before.priority = m.priority AND before.id < m.id
            AND before.status IN ('queued', 'delayed', 'leased', 'sending')
            AND (before.status <> 'delayed' OR before.reason IS DISTINCT FROM 'quiet_hours') LIMIT 1) IS NULL
    ORDER BY m.priority, m.id LIMIT $3 FOR NO KEY UPDATE OF m SKIP LOCKED
)
UPDATE message SET status = 'leased', leased_until = $4, attempts = message.attempts + 1
FROM due JOIN messenger_account a ON a.id = due.account_id LEFT JOIN conversation c ON c.account_id = a.id
WHERE message.id = due.id
RETURNING message.id, message.kind, message.content, message.priority, message.topic, message.attempts,
    message.created_at, message.customer_id, message.account_id, message.reason, a.address, a.alias, a.language,
    a.customer_id AS account_customer_id, a.is_active, c.heard_at,
    CASE message.topic WHEN 'service' THEN a.takes_service WHEN 'marketing' THEN a.takes_marketing
        ELSE a.takes_surveys END AS is_taken,
    CASE WHEN message.topic <> 'service' THEN (SELECT granted FROM consent
        WHERE consent.customer_id = message.customer_id AND consent.topic = message.topic
        ORDER BY id DESC LIMIT 1) END AS is_granted,
    CASE WHEN message.topic <> 'service' OR message.priority = 2 OR message.kind = ANY($5::text[])
        THEN (SELECT coalesce((SELECT l.time_zone FROM customer p JOIN location l ON l.id = p.home_location_id
            WHERE p.id = message.customer_id), shop.time_zone) FROM shop) END AS quiet_zone,
    CASE WHEN message.topic = 'marketing' AND $7 > 0 THEN (SELECT count(*) FROM message other
        WHERE other.customer_id = message.customer_id AND other.topic = 'marketing' AND other.direction = 'out'
            AND other.created_at > $6 - make_interval(days => $8) AND other.id <> message.id
            AND other.status IN ('sending', 'sent', 'delivered', 'read', 'unknown'))::int ELSE 0 END AS others
"""


async def lease_messages(
    source: str, *, limit: int, now: datetime, least: Priority = Priority.BULK, cap: Cap = NO_CAP
) -> list[Leased]:
    """Take messages that are due, the most urgent first, one of a chat at a time so that they leave in order.

    source: the account of ours that they leave through; while it is paused there are none. least: nothing less urgent
    than this. cap: within whose days advertising is counted.
    """
    rows = await db.fetch(LEASE_SOME, source, int(least), limit, now + LEASE, PATIENT, now, cap.messages, cap.days)
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


# While our account is paused nothing begins, whoever leased it before. CASE: found by number alone, because in
# message_leased lie the dead entries of all that went before, until a vacuum.
SETTLE_AND_BEGIN = """
WITH settled AS (
    UPDATE message SET status = 'sent', external_id = done.external_id, sent_at = done.at, leased_until = NULL,
        reason = NULL
    FROM unnest($1::bigint[], $2::text[], $3::timestamptz[]) done (id, external_id, at)
    WHERE message.id = done.id AND message.status = 'sending' RETURNING message.account_id
), begun AS (
    UPDATE message SET status = CASE WHEN pause.until IS NULL THEN 'sending' ELSE 'delayed' END,
        leased_until = CASE WHEN pause.until IS NULL THEN $6::timestamptz END, due_at = coalesce(pause.until, due_at),
        attempts = attempts - (pause.until IS NOT NULL)::int,
        units = ($8::smallint[])[array_position($4::bigint[], message.id)]
    FROM (SELECT max(paused_until) AS until FROM channel_pause WHERE source = $7 AND paused_until > $5) pause
    WHERE id = ANY($4::bigint[]) AND CASE status WHEN 'leased' THEN leased_until > $5 END RETURNING id, status
)
SELECT account_id, NULL AS id FROM settled UNION ALL SELECT NULL, id FROM begun WHERE status = 'sending'
"""


async def settle_and_begin(
    done: Sequence[tuple[int, str, datetime]],
    message_ids: Sequence[int],
    source: str,
    *,
    units: Sequence[int] = (),
    now: datetime,
) -> set[int]:
    """Commit what the messenger has accepted, and that the next calls are about to be made; returns for which.

    done: (message, the messenger's name for it, when). What it reported meanwhile stands. Of the next ones, the lease
    of those not returned is lost, or there is a pause, after which they are due again. All of it or nothing; twice is
    once. units: of each of the next ones, for how many messages the channel charges.
    """
    ids, names, moments = zip(*sorted(done), strict=True) if done else ((), (), ())
    rows = await db.fetch(SETTLE_AND_BEGIN, ids, names, moments, message_ids, now, now + SENDING, source, units)
    for row in rows:
        if row["account_id"] is not None:
            db.wake(f"conversations:{row['account_id']}")
    return {row["id"] for row in rows if row["id"] is not None}


# The number of the try tells whether it is still our lease.
RELEASE = """
UPDATE message SET status = 'queued', leased_until = NULL, attempts = message.attempts - 1
FROM unnest($1::bigint[], $2::int[]) held (id, attempts)
WHERE message.id = held.id AND message.attempts = held.attempts AND message.status IN ('leased', 'sending')
"""


async def release(held: Sequence[tuple[int, int]]) -> None:
    """Put back what was leased, (message, number of the try) each, by whoever knows that no call was made."""
    if held:
        await db.execute(RELEASE, [one[0] for one in held], [one[1] for one in held])
        db.wake("messages")


# Whoever took a lease knows until when it is, to the microsecond.
RELEASE_UNHEARD = """
UPDATE message SET status = 'queued', leased_until = NULL, attempts = attempts - 1
WHERE channel = split_part($1, ':', 1) AND status = 'leased' AND leased_until = ANY($2::timestamptz[])
"""


async def release_unheard(source: str, leased_at: Sequence[datetime]) -> None:
    """Put back what `lease_messages` took at these moments, by the caller who never heard what that was.

    Another's lease of the same microsecond is lost as well, before any call was made.
    """
    await db.execute(RELEASE_UNHEARD, source, [at + LEASE for at in leased_at])
    db.wake("messages")


# Whoever held a message may speak of it only while they hold it; a messenger may at any time, but what has arrived has
# not failed.
HELD = "status IN ('leased', 'sending')"
REPORTED = "status NOT IN ('received', 'delivered', 'read', 'failed', 'cancelled')"
FAIL = """
UPDATE message SET status = 'failed', reason = $2, leased_until = NULL WHERE id = $1 AND {open} RETURNING account_id
"""
POSTPONE = """
UPDATE message SET status = 'delayed', reason = $2, due_at = $3, leased_until = NULL,
    attempts = greatest(attempts - $4::int, 0)
WHERE id = $1 AND {open}
"""
# To the next account of the person that takes it and was not tried for this yet, in the order of its type. Answers of a
# dialog belong to their chat.
FALL_BACK = f"""
WITH RECURSIVE tried AS (
    SELECT id, account_id, instead_of_id FROM message WHERE id = $1
    UNION ALL SELECT m.id, m.account_id, m.instead_of_id FROM message m JOIN tried ON m.id = tried.instead_of_id
), next AS (
    SELECT a.id, a.channel FROM message m JOIN messenger_account a ON a.customer_id = m.customer_id
        LEFT JOIN message_type t ON t.name = m.kind,
        LATERAL (SELECT string_to_array(coalesce(t.channels, '{USUAL}'), ',') AS names) wanted
    WHERE m.id = $1 AND m.priority > 0 AND a.is_active AND a.id NOT IN (SELECT account_id FROM tried)
        AND a.channel = ANY(wanted.names)
        AND CASE m.topic WHEN 'service' THEN a.takes_service WHEN 'marketing' THEN a.takes_marketing
            ELSE a.takes_surveys END
    ORDER BY a.is_default AND coalesce(t.own_first, true) DESC, array_position(wanted.names, a.channel::text), a.id
    LIMIT 1
)
INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, topic, dedupe_key,
    instead_of_id, created_at, due_at, attempts)
SELECT next.id, m.customer_id, next.channel, 'out', m.kind, m.content, 'queued', m.priority, m.topic,
    'instead:' || m.id, m.id, $2, $2, 0
FROM message m, next WHERE m.id = $1 ON CONFLICT (dedupe_key) DO NOTHING RETURNING id
"""


@db.use_case
async def settle_failed(
    message_id: int, reason: str, *, falls_back: bool = True, is_reported: bool = False, now: datetime
) -> bool:
    """It will not be sent: another account of its person, if there is one, gets it instead. Returns whether one does.

    `falls_back`: False when no other account would do. `is_reported`: the messenger says so by itself. Twice is once.
    Replies, which belong to their chat, go nowhere else.
    """
    account_id = await db.fetch_value(FAIL.format(open=REPORTED if is_reported else HELD), message_id, reason)
    if account_id is None:
        return False
    db.wake(f"conversations:{account_id}")
    instead = await db.fetch_value(FALL_BACK, message_id, now) if falls_back else None
    if instead is not None:
        db.wake("messages")
    return instead is not None


async def settle_postponed(
    message_id: int, reason: str, *, until: datetime, is_counted: bool = False, is_reported: bool = False
) -> None:
    """It was not accepted through no fault of its own: this try does not count, unless `is_counted`."""
    await db.execute(
        POSTPONE.format(open=REPORTED if is_reported else HELD),
        message_id,
        reason,
        until,
        int(not is_counted),
    )


async def settle_unknown(message: Tried, reason: str, *, now: datetime) -> None:
    """Nobody knows whether it arrived. Replies and service messages are sent again, campaigns are not."""
    if message.priority >= Priority.BULK:
        await _leave_sending(message.id, Status.UNKNOWN, reason, now)
    elif pause := retry_pause(message.attempts):
        await _leave_sending(message.id, Status.DELAYED, reason, now + pause)
    else:
        await settle_failed(message.id, reason, now=now)


async def _leave_sending(message_id: int, status: Status, reason: str, due_at: datetime) -> None:
    await db.execute(
        "UPDATE message SET status = $2, reason = $3, due_at = $4, leased_until = NULL"
        " WHERE id = $1 AND status = 'sending'",
        message_id,
        status.value,
        reason,
        due_at,
    )


async def tried(message_id: int, channel: str) -> Tried | None:
    """A message of ours that a channel reports of; None for a number that is none, or another channel's."""
    row = await db.fetch_row(
        "SELECT m.id, m.kind, m.priority, m.attempts, m.account_id, a.language FROM message m"
        " JOIN messenger_account a ON a.id = m.account_id WHERE m.id = $1 AND m.direction = 'out' AND m.channel = $2",
        message_id,
        channel,
    )
    return Tried(**{**row, "priority": Priority(row["priority"])}) if row else None


# What a worker that died left behind. A lease never led to a call; of a call nobody knows what became.
RECOVER = """
UPDATE message SET leased_until = NULL, due_at = $1,
    status = CASE WHEN status = 'sending' AND priority = 2 THEN 'unknown' ELSE 'queued' END,
    reason = CASE status WHEN 'sending' THEN 'answer_lost' ELSE reason END
WHERE status IN ('leased', 'sending') AND leased_until < $1 RETURNING id
"""
# What is due by now, the oldest first, a little at a time. Index: message_delayed.
WAKE = """
UPDATE message SET status = 'queued' WHERE id IN (SELECT id FROM message
    WHERE status = 'delayed' AND due_at <= $1 ORDER BY due_at LIMIT 2000 FOR NO KEY UPDATE SKIP LOCKED) RETURNING id
"""


async def recover_lapsed(*, now: datetime) -> int:
    """Put back what dead workers held; returns how many. Index: message_leased."""
    return len(await db.fetch(RECOVER, now))


async def queue_delayed(*, now: datetime) -> int:
    """Queue what was put off until now; returns how many."""
    return len(await db.fetch(WAKE, now))


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


GONE = timedelta(seconds=10)


def new_sender() -> str:
    """A name for a sender."""
    return new_key()


async def pulse(sender: str, source: str, *, now: datetime) -> int:
    """Say that a sender of this account of ours is alive; returns how many are, itself among them."""
    live: int = await db.fetch_value(
        "WITH said AS (INSERT INTO sender_pulse (id, source, at) VALUES ($1, $2, $3)"
        " ON CONFLICT (id) DO UPDATE SET at = EXCLUDED.at RETURNING id), forgotten AS (DELETE FROM sender_pulse"
        " WHERE at < $5 AND id <> $1) SELECT count(*) + 1 FROM sender_pulse WHERE source = $2 AND at > $4 AND id <> $1",
        sender,
        source,
        now,
        now - GONE,
        now - 100 * GONE,
    )
    return live


async def fall_silent(sender: str) -> None:
    """A sender ends: the others share its part of the pace."""
    await db.execute("DELETE FROM sender_pulse WHERE id = $1", sender)
