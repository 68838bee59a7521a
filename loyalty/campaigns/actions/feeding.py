"""Turning recipients into messages, a few seconds of pace ahead of the senders, and counting what became of them.

One worker at a time feeds a campaign: it holds the campaign's row. A worker that dies has fed nothing of its last part;
the key of each message says it once whatever happens.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from loyalty import db
from loyalty.campaigns.actions.erring import pause_by_itself
from loyalty.campaigns.queries.plans import COLUMNS, words_of
from loyalty.campaigns.queries.values import values_of
from loyalty.campaigns.rules.states import PauseReason, Skip
from loyalty.campaigns.rules.texts import ButtonKind, Words, content_for
from loyalty.conversations.actions.bulk import BulkMessage, queue_bulk
from loyalty.conversations.content import Link
from loyalty.shop.queries import programme_at, shop

LinkFor = Callable[[int, int, int], str]
"""(campaign, customer, button) → the address that counts who follows it."""

AHEAD = 500
"""So many messages of a campaign wait in the outbox at most; the fastest channel sends them within seconds."""
WORK_SECONDS = 4.0
"""So long a worker goes on at a time; those who end a process wait for it."""
COUNTED_FOR = timedelta(days=3)
"""So long after its end what messengers report of a campaign is counted anew."""

# Index: campaign_running.
RUNNING = "SELECT id FROM campaign WHERE state = 'running' ORDER BY id"
# By the state: those that stand still are few, and nothing is asked of those that are over.
PAUSED = "SELECT id FROM campaign WHERE state = 'paused' FOR NO KEY UPDATE SKIP LOCKED"
TASK = f"""
SELECT {COLUMNS}, place FROM campaign WHERE id = $1 AND state = 'running' FOR NO KEY UPDATE SKIP LOCKED
"""
# A message that failed went to another account of its person: that one counts. Both indexes: recipient_open; a failed
# one's by message_instead_of.
FOLLOW = """
UPDATE recipient r SET message_id = s.id, account_id = s.account_id FROM message s
WHERE r.campaign_id = $1 AND r.state = ANY($2::text[]) AND s.instead_of_id = r.message_id RETURNING r.customer_id
"""
# To whom it was sent the campaign's bonus is due, if it has one.
SETTLE = """
UPDATE recipient r SET state = CASE WHEN c.bonus > 0 AND m.status IN ('sent', 'delivered', 'read', 'unknown')
    THEN 'due' ELSE 'done' END
FROM message m, campaign c
WHERE r.campaign_id = $1 AND c.id = $1 AND r.state = 'queued' AND m.id = r.message_id
    AND m.status IN ('sent', 'delivered', 'read', 'unknown', 'failed', 'cancelled')
    AND m.reason IS DISTINCT FROM 'campaign_paused'
"""
# What nobody is about to send leaves the outbox. Index: recipient_open.
TAKE_BACK = """
UPDATE message m SET status = 'cancelled', reason = 'campaign_paused', leased_until = NULL
FROM recipient r WHERE r.campaign_id = $1 AND r.state = 'queued' AND m.id = r.message_id
    AND m.status IN ('queued', 'delayed')
"""
# Of what was taken back, nothing goes out again.
NO_MORE = """
UPDATE message m SET reason = $2 FROM recipient r
WHERE r.campaign_id = $1 AND r.state = 'queued' AND m.id = r.message_id AND m.status = 'cancelled'
    AND m.reason = 'campaign_paused'
"""
# What waits for the morning keeps nobody else waiting.
OPEN = """
SELECT count(*) FILTER (WHERE m.status <> 'delayed') AS ahead, count(*) AS open
FROM recipient r JOIN message m ON m.id = r.message_id WHERE r.campaign_id = $1 AND r.state = 'queued'
"""
# By the primary key.
NEXT = """
SELECT r.customer_id, r.account_id, r.variant, c.name, c.language, f.is_hidden, f.balance, f.tier_id,
    l.name AS location
FROM (SELECT customer_id, account_id, variant FROM recipient
        WHERE campaign_id = $1 AND customer_id > $2 AND state = 'waiting' ORDER BY customer_id LIMIT $3) r
JOIN customer c ON c.id = r.customer_id JOIN customer_facts f ON f.customer_id = r.customer_id
    LEFT JOIN location l ON l.id = c.home_location_id
ORDER BY r.customer_id
"""
KEEP = """
UPDATE recipient r SET state = 'queued', message_id = m.id
FROM unnest($2::bigint[], $3::text[]) part (customer_id, key) JOIN message m ON m.dedupe_key = part.key
WHERE r.campaign_id = $1 AND r.customer_id = part.customer_id
"""
LEAVE_OUT = """
UPDATE recipient SET state = 'skipped', reason = $3, account_id = NULL
WHERE campaign_id = $1 AND customer_id = ANY($2::bigint[])
"""
PLACE = "UPDATE campaign SET place = $2, skipped = skipped + $3 WHERE id = $1"
# Whoever has not got it by the last moment does not get it.
TOO_LATE = """
WITH late AS (
    UPDATE recipient SET state = 'skipped', reason = 'too_late', account_id = NULL
    WHERE campaign_id = $1 AND state = 'waiting' RETURNING 1
)
UPDATE campaign SET skipped = skipped + (SELECT count(*) FROM late)::int WHERE id = $1
"""
FINISH = "UPDATE campaign SET state = 'finished', finished_at = $2 WHERE id = $1"
COUNT = """
UPDATE campaign SET queued = found.queued, sent = found.sent, delivered = found.delivered, read = found.read,
    failed = found.failed, unknown = found.unknown, counted_at = $2,
    cancelled = found.cancelled + CASE WHEN campaign.state = 'cancelled' THEN found.waiting ELSE 0 END
FROM (SELECT count(*) FILTER (WHERE r.state = 'waiting')::int AS waiting,
        count(*) FILTER (WHERE m.status IN ('queued', 'delayed', 'leased', 'sending')
            OR m.status = 'cancelled' AND m.reason = 'campaign_paused')::int AS queued,
        count(*) FILTER (WHERE m.status IN ('sent', 'delivered', 'read'))::int AS sent,
        count(*) FILTER (WHERE m.status IN ('delivered', 'read'))::int AS delivered,
        count(*) FILTER (WHERE m.status = 'read')::int AS read,
        count(*) FILTER (WHERE m.status = 'failed')::int AS failed,
        count(*) FILTER (WHERE m.status = 'unknown')::int AS unknown,
        count(*) FILTER (WHERE m.status = 'cancelled' AND m.reason IS DISTINCT FROM 'campaign_paused')::int AS cancelled
    FROM recipient r LEFT JOIN message m ON m.id = r.message_id
    WHERE r.campaign_id = $1 AND r.state NOT IN ('skipped', 'control')) found
WHERE id = $1
"""
# Counting a large one takes longer, and is done less often; one that is over is counted now and then.
STALE = """
SELECT id FROM campaign WHERE counted_at <= $1::timestamptz - make_interval(secs => CASE
        WHEN state NOT IN ('running', 'paused') THEN 300 WHEN total > 200000 THEN 60 WHEN total > 20000 THEN 10
        ELSE 1 END)
    AND (state IN ('running', 'paused') OR finished_at > $2 OR counted_at < finished_at) ORDER BY id
"""


async def feed_due(*, link: LinkFor | None = None, now: datetime, seconds: float = WORK_SECONDS) -> int:
    """Feed every campaign that runs, by turns, and count those whose figures are old; returns how many were fed.

    link: what a person's copy says instead of the address of a button, so that following it is counted.
    """
    until, fed = time.monotonic() + seconds, 0
    while running := [row["id"] for row in await db.fetch(RUNNING)]:
        step = sum([await feed(campaign_id, link=link, now=now) for campaign_id in running])
        fed += step
        if not step or time.monotonic() >= until:
            break
    await _hold_back()
    for row in await db.fetch(STALE, now, now - COUNTED_FOR):
        await count(row["id"], now=now)
    return fed


@db.use_case
async def feed(campaign_id: int, *, link: LinkFor | None = None, now: datetime) -> int:
    """Put the next messages of a campaign into the outbox, if it has few there; returns how many people it is on.

    0: it has enough there, is over, stands still, or somebody else feeds it. Who left the base since is left out.
    """
    task = await db.fetch_row(TASK, campaign_id)
    if task is None:
        return 0
    if task["send_until"] is not None and task["send_until"] <= now:
        await _end_late(campaign_id)
    await settle(campaign_id)
    there = await db.fetch_row(OPEN, campaign_id)
    assert there is not None, "a count has one row"
    room = AHEAD - there["ahead"]
    if room <= 0:
        return 0
    rows = await db.fetch(NEXT, campaign_id, task["place"], room)
    if not rows:
        if not there["open"]:
            await db.execute(FINISH, campaign_id, now)
            await count(campaign_id, now=now)
        return 0
    await _queue(campaign_id, [row for row in rows if not row["is_hidden"]], task, link, now)
    gone = [row["customer_id"] for row in rows if row["is_hidden"]]
    if gone:
        await db.execute(LEAVE_OUT, campaign_id, gone, Skip.NOT_IN_BASE.value)
    await db.execute(PLACE, campaign_id, rows[-1]["customer_id"], len(gone))
    return len(rows)


async def settle(campaign_id: int) -> None:
    """Let go of the recipients whose message is settled, in the caller's transaction."""
    while await db.fetch(FOLLOW, campaign_id, ["queued"]):
        pass
    await db.execute(SETTLE, campaign_id)


async def take_back(campaign_id: int) -> None:
    """Take out of the outbox what nobody is about to send, in the transaction of whoever holds the campaign."""
    await settle(campaign_id)
    await db.execute(TAKE_BACK, campaign_id)


@db.use_case
async def count(campaign_id: int, *, now: datetime) -> None:
    """Count what became of everybody's message by now. A hundred thousand people take a tenth of a second or two."""
    # What was sent may be reported as failed later, and then goes to another account.
    while await db.fetch(FOLLOW, campaign_id, ["queued", "done"]):
        pass
    await db.execute(COUNT, campaign_id, now)
    if await pause_by_itself(campaign_id, now=now):
        await take_back(campaign_id)


@db.use_case
async def _hold_back() -> None:
    """What went to another account while its campaign stood still waits there, too."""
    for row in await db.fetch(PAUSED):
        await take_back(row["id"])


async def _end_late(campaign_id: int) -> None:
    """Nobody else gets it: who waits is left out, and what waits for the morning is not sent."""
    await db.execute(TOO_LATE, campaign_id)
    await take_back(campaign_id)
    await db.execute(NO_MORE, campaign_id, PauseReason.TOO_LATE.value)


async def _queue(campaign_id: int, rows: Sequence[db.Row], task: db.Row, link: LinkFor | None, now: datetime) -> None:
    words, language = words_of(task), (await shop()).language
    programme, wordings = await programme_at(now), words.wordings
    copies = []
    for row in rows:
        values = values_of(row, words, task["bonus"], programme, language)
        content = content_for(wordings[row["variant"]], row["language"], language, values)
        if link is not None and content.links:
            content = replace(content, links=_counted(content.links, campaign_id, row["customer_id"], words, link))
        copies.append(BulkMessage(row["account_id"], content, f"campaign:{campaign_id}:{row['customer_id']}"))
    await queue_bulk(copies, topic=task["topic"], now=now)
    await db.execute(KEEP, campaign_id, [row["customer_id"] for row in rows], [copy.key for copy in copies])


def _counted(
    links: Sequence[Link], campaign_id: int, customer_id: int, words: Words, link: LinkFor
) -> tuple[Link, ...]:
    places = [place for place, button in enumerate(words.buttons) if button.kind is ButtonKind.LINK]
    return tuple(
        Link(one.text, link(campaign_id, customer_id, place)) for place, one in zip(places, links, strict=True)
    )
