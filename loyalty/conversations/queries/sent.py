"""Everything we sent, newest first: lines by what they are about, where they went and what became of them; counts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from loyalty import db
from loyalty.conversations.rules import Status
from loyalty.customers.queries import reach

ROWS = 50
LOOKED = 100_000
"""So many of a period's newest messages are looked through at once: a rare kind in a long period costs no more."""
COUNTED = 10_000
"""What there is more of is not counted further."""
_EVER = datetime(2000, 1, 1, tzinfo=UTC)
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


class Fate(StrEnum):
    """What became of messages, as people ask for it."""

    WAITING = "waiting"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


FATES = {
    Fate.WAITING: (Status.QUEUED, Status.DELAYED, Status.LEASED, Status.SENDING),
    Fate.SENT: (Status.SENT,),
    Fate.DELIVERED: (Status.DELIVERED,),
    Fate.READ: (Status.READ,),
    Fate.FAILED: (Status.FAILED,),
    Fate.UNKNOWN: (Status.UNKNOWN,),
    Fate.CANCELLED: (Status.CANCELLED,),
}
FATE_OF = {status: fate for fate, statuses in FATES.items() for status in statuses}
LOST = frozenset({Fate.FAILED, Fate.UNKNOWN, Fate.CANCELLED})
"""Few, and found by an index of their own however long ago they were."""


@dataclass(frozen=True, slots=True)
class SentFilters:
    """Which messages of ours. since, until: when they were put into the outbox, the end left out.

    within: to people whom these locations reach, None for everybody.
    """

    kind: str | None = None
    channel: str | None = None
    fate: Fate | None = None
    since: datetime | None = None
    until: datetime | None = None
    within: Collection[int] | None = None


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message of ours. `words`: the first line of its text. staff_name: who wrote it, None for what we say ourselves.

    name: the customer's, else what the account is called. instead_of: the channel of another account of the person that
    could not be written to; is_again: it was sent before through the same one. is_replaced: another went instead.
    """

    id: int
    account_id: int
    channel: str
    kind: str
    words: str
    picture: str | None
    has_file: bool
    status: Status
    reason: str | None
    created_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    staff_name: str | None
    customer_id: int | None
    name: str
    instead_of: str | None
    is_again: bool
    is_replaced: bool


@dataclass(frozen=True, slots=True)
class SentPage:
    """Lines, newest first. next_before: where older ones begin, None when there are none.

    is_cut: the LOOKED newest ones were looked through, and older ones not yet.
    """

    messages: list[SentMessage]
    next_before: int | None
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """How many there are. `is_least`: there may be more. is_told: whether their channels tell of such a thing."""

    count: int
    is_least: bool
    is_told: bool


TELLS = frozenset({"whatsapp"})
"""Channels that always tell what became of a message after they took it. An SMS gateway may; others never do."""
TOLD = frozenset({Fate.DELIVERED, Fate.READ})

# Along message_told: the newest ones of the period from a place on. Those that were lost: along message_lost.
PLACE = """
m.direction = 'out' AND m.created_at >= $1 AND (m.created_at, m.id) < ($2::timestamptz, $3::bigint)
"""
LOST_PLACE = f"m.status IN ('failed', 'unknown', 'cancelled') AND {PLACE}"
NEWEST = "FROM message m WHERE {place} ORDER BY m.created_at DESC, m.id DESC"
WANTED = f"""
($4::text IS NULL OR few.kind = $4) AND ($5::text IS NULL OR few.channel = $5)
AND ($6::text[] IS NULL OR few.status = ANY($6::text[])) AND {reach.within("few.customer_id", "$7")}
"""
PAGE = f"""
SELECT m.id, m.account_id, m.channel, m.kind, m.content->>'picture' AS picture,
    left(split_part(ltrim(coalesce(m.content->>'text', ''), E' \\n'), E'\\n', 1), 200) AS words,
    (m.content->>'attachment') IS NOT NULL AS has_file, m.status, m.reason, m.created_at, m.sent_at, m.delivered_at,
    m.read_at, s.name AS staff_name, m.customer_id, coalesce(p.name, a.name) AS name,
    CASE WHEN before.account_id <> m.account_id THEN before.channel END AS instead_of,
    before.account_id IS NOT DISTINCT FROM m.account_id AS is_again,
    EXISTS (SELECT FROM message after WHERE after.instead_of_id = m.id) AS is_replaced
FROM (SELECT * FROM (SELECT m.* {NEWEST} LIMIT $8) few WHERE {WANTED} LIMIT $9) m
    JOIN messenger_account a ON a.id = m.account_id LEFT JOIN customer p ON p.id = m.customer_id
    LEFT JOIN staff_member s ON s.id = m.staff_id LEFT JOIN message before ON before.id = m.instead_of_id
ORDER BY m.created_at DESC, m.id DESC
"""
# The last one that was looked at, when as many were as may be.
LAST_LOOKED = f"SELECT m.id {NEWEST} OFFSET $4 LIMIT 1"
COUNTS = f"""
SELECT few.channel, few.status, count(*) AS looked, count(*) FILTER (WHERE {WANTED}) AS found
FROM (SELECT m.channel, m.status, m.kind, m.customer_id {NEWEST} LIMIT $8) few GROUP BY few.channel, few.status
"""


async def sent_messages(filters: SentFilters, *, before_id: int | None = None) -> SentPage:
    """A page of them: ROWS at most, fewer where the LOOKED newest ones from `before_id` on hold no more."""
    place, period = _place(filters.fate), await _period(filters, before_id)
    rows = await db.fetch(PAGE.format(place=place), *period, *_wanted(filters, filters.fate), LOOKED, ROWS + 1)
    found = [SentMessage(**{**row, "status": Status(row["status"])}) for row in rows[:ROWS]]
    if len(rows) > ROWS:
        return SentPage(found, found[-1].id, is_cut=False)
    last: int | None = await db.fetch_value(LAST_LOOKED.format(place=place), *period, LOOKED - 1)
    return SentPage(found, last, is_cut=last is not None)


async def sent_tallies(filters: SentFilters) -> dict[Fate, Tally]:
    """How many there are by what became of them, whichever fate is asked for; COUNTED is as far as anybody counts."""
    period, wanted = await _period(filters, None), _wanted(filters, None)
    rows = await db.fetch(COUNTS.format(place=PLACE), *period, *wanted, LOOKED)
    is_cut = sum(row["looked"] for row in rows) >= LOOKED
    if is_cut:
        lost = await db.fetch(COUNTS.format(place=LOST_PLACE), *period, *wanted, LOOKED)
        rows = [row for row in rows if FATE_OF[Status(row["status"])] not in LOST] + lost
    is_told = any(row["found"] and row["channel"] in TELLS for row in rows) or filters.channel in TELLS
    counts = dict.fromkeys(Fate, 0)
    for row in rows:
        counts[FATE_OF[Status(row["status"])]] += row["found"]
    return {
        fate: Tally(
            min(count, COUNTED),
            is_least=count > COUNTED or (is_cut and fate not in LOST),
            is_told=is_told or fate not in TOLD or count > 0,
        )
        for fate, count in counts.items()
    }


def _place(fate: Fate | None) -> str:
    return LOST_PLACE if fate in LOST else PLACE


def _wanted(filters: SentFilters, fate: Fate | None) -> tuple[object, ...]:
    statuses = [status.value for status in FATES[fate]] if fate is not None else None
    return filters.kind, filters.channel, statuses, None if filters.within is None else list(filters.within)


async def _period(filters: SentFilters, before_id: int | None) -> tuple[datetime, datetime, int]:
    """From when on, and up to which place: the end of the period, or the message where the page before ended."""
    end = (filters.until or _NEVER, 0)
    if before_id is not None:
        at: datetime | None = await db.fetch_value("SELECT created_at FROM message WHERE id = $1", before_id)
        end = min(end, (at, before_id)) if at is not None else end
    return filters.since or _EVER, *end
