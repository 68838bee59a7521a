"""E-mails to people of the panel: a row first, sent later, tried again until somebody knows what became of it.

A letter that is sent twice does no harm, so one whose answer was lost is sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from loyalty import db

WAKE = "letters"
LEASE = timedelta(minutes=2)
"""So long a letter is in one sender's hands; one of a sender that died is due again after that."""
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360))
"""Before the second try, the third …; after the last one it has failed."""

QUEUE = """
INSERT INTO staff_letter (key, staff_id, address, subject, text, state, attempts, due_at, created_at)
SELECT $1, s.id, s.email, $3, $4, 'queued', 0, $5::timestamptz, $5 FROM staff_member s WHERE s.id = $2 AND s.is_active
ON CONFLICT (key) DO NOTHING RETURNING id
"""
# Index: staff_letter_queued.
LEASE_SOME = """
UPDATE staff_letter SET attempts = attempts + 1, due_at = $2
WHERE id IN (SELECT id FROM staff_letter WHERE state = 'queued' AND due_at <= $1 ORDER BY due_at, id LIMIT $3
    FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id, address, subject, text, attempts,
    coalesce((SELECT language FROM staff_member WHERE id = staff_id), (SELECT language FROM shop)) AS language
"""
# Only by whoever tried last: another sender has it in hands after a lease that lapsed.
SETTLED = """
UPDATE staff_letter SET state = $3::varchar, reason = $4, subject = '', text = '',
    sent_at = CASE WHEN $3::varchar = 'sent' THEN $5::timestamptz END
WHERE id = $1 AND state = 'queued' AND attempts = $2
"""
LATER = "UPDATE staff_letter SET due_at = $3, reason = $4 WHERE id = $1 AND state = 'queued' AND attempts = $2"


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter in a sender's hands, for the so-many-th time."""

    id: int
    address: str
    subject: str = field(repr=False)
    text: str = field(repr=False)
    attempts: int
    language: str


async def queue_letter(staff_id: int, *, key: str, subject: str, text: str, now: datetime) -> bool:
    """Put a letter to a colleague into the caller's transaction. The same key writes once; who has left gets none."""
    if await db.fetch_value(QUEUE, key, staff_id, subject, text, now) is None:
        return False
    db.wake(WAKE)
    return True


@db.use_case
async def lease_letters(*, limit: int, now: datetime) -> list[Letter]:
    """Take letters that are due, the longest due first."""
    return [Letter(**row) for row in await db.fetch(LEASE_SOME, now, now + LEASE, limit)]


async def letter_sent(letter: Letter, *, now: datetime) -> None:
    """The mail server has taken it: its words go."""
    await db.execute(SETTLED, letter.id, letter.attempts, "sent", None, now)


async def letter_failed(letter: Letter, reason: str, *, for_good: bool = False, now: datetime) -> None:
    """It was not sent, or nobody knows. It is tried again after a pause, unless there is no use in it."""
    pauses: Sequence[timedelta] = () if for_good else PAUSES[letter.attempts - 1 :]
    if pauses:
        await db.execute(LATER, letter.id, letter.attempts, now + pauses[0], reason)
    else:
        await db.execute(SETTLED, letter.id, letter.attempts, "failed", reason, now)
