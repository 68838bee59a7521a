"""How our accounts in messengers do, and what came in that nobody could handle."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from loyalty import db

PAGE_ROWS = 50
LATELY = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class ChannelState:
    """An account of ours. source: "telegram:123456". paused_until, reason: why nothing is sent through it now.

    senders: workers that said they were alive within the last seconds. queued, delayed: messages that leave next, and
    at their time.
    """

    source: str
    paused_until: datetime | None
    reason: str | None
    senders: int
    queued: int
    delayed: int

    @property
    def channel(self) -> str:
        """The messenger it is in."""
        return self.source.partition(":")[0]


@dataclass(frozen=True, slots=True)
class FailedUpdate:
    """Something that came and broke its step. `reason` is the kind of the error. is_whole: its body is still here.

    customer_id, name: whose chat it came from, where that is known.
    """

    id: int
    source: str
    reason: str | None
    received_at: datetime
    is_whole: bool
    account_id: int | None
    customer_id: int | None
    name: str | None


# Indexes: message_queued, message_delayed; the other tables have a line for each account of ours.
STATES = """
SELECT source.source, p.paused_until, p.reason,
    (SELECT count(*) FROM sender_pulse s WHERE s.source = source.source AND s.at > $2) AS senders,
    (SELECT count(*) FROM message m WHERE m.channel = split_part(source.source, ':', 1)
        AND m.status = 'queued') AS queued,
    (SELECT count(*) FROM message m WHERE m.channel = split_part(source.source, ':', 1)
        AND m.status = 'delayed') AS delayed
FROM (SELECT source FROM channel_link UNION SELECT source FROM sender_pulse WHERE at > $2
    UNION SELECT source FROM channel_pause WHERE paused_until > $1) source
    LEFT JOIN channel_pause p ON p.source = source.source AND p.paused_until > $1
ORDER BY source.source
"""


async def channel_states(*, now: datetime) -> list[ChannelState]:
    """Our accounts in messengers, as they are now."""
    return [ChannelState(**row) for row in await db.fetch(STATES, now, now - LATELY)]


# Index: incoming_update_failed.
FAILED = """
SELECT u.id, u.source, u.reason, u.received_at, u.body IS NOT NULL AS is_whole, a.id AS account_id, a.customer_id,
    coalesce(c.name, a.name) AS name
FROM incoming_update u
    LEFT JOIN messenger_account a ON a.channel = split_part(u.source, ':', 1) AND a.address = u.chat
    LEFT JOIN customer c ON c.id = a.customer_id
WHERE u.state = 'failed' AND u.id < $1 ORDER BY u.id DESC LIMIT $2
"""


async def failed_updates(*, before_id: int | None = None) -> tuple[list[FailedUpdate], int | None]:
    """What nobody could handle, newest first: PAGE_ROWS at most, and where earlier ones begin."""
    rows = await db.fetch(FAILED, before_id or 2**62, PAGE_ROWS + 1)
    found = [FailedUpdate(**row) for row in rows[:PAGE_ROWS]]
    return found, found[-1].id if len(rows) > PAGE_ROWS else None
