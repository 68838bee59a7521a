"""Inviting people after their purchases, and asking those whose time has come.

Two steps. A receipt whose delay is over makes an invitation that waits, unless the person has one of the last ninety
days; nothing is kept of receipts that the programme does not mean. An invitation whose time has come is judged once
more and becomes a message, or says why it did not: so there is a row at most for each person and pause.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from loyalty import db
from loyalty.conversations.actions.bulk import BulkMessage, queue_bulk
from loyalty.conversations.kinds.said import service_content
from loyalty.conversations.queries.recipients import first_name, texts_of
from loyalty.customers.actions.profile import lock_customers
from loyalty.customers.rules import Topic
from loyalty.surveys.queries.programme import COLUMNS, ProgrammeView, view_of
from loyalty.surveys.queries.reach import split_statement
from loyalty.surveys.rules import KIND, TOO_LATE, Skip

LOOKED_AT_ONCE = 2_000
LATE_COMMITS = 1_000
"""Numbers are given before the commit: of so many receipts before the place, those that came late are met again."""
SAID_AGAIN = timedelta(days=30)
"""Of somebody who cannot be asked it is kept so seldom: their next receipts before that leave no row."""
ASKED_AT_ONCE = 200
AHEAD = 500
"""So many questions wait in the outbox at most, so that a run can be cancelled; those of the night do not count."""

# Who was asked since $1, waits, or turned out since $2 to be somebody who cannot be asked. What was taken back, and
# what a run found, is no reason. Index: survey_invitation_customer.
LATELY = """i.customer_id = r.customer_id AND (i.state = 'waiting' OR i.asked_at > $1
    OR i.state IN ('skipped', 'expired') AND i.created_at > $2 AND i.run_id IS NULL
        AND i.reason IS DISTINCT FROM 'refunded')"""
# One worker at a time.
HOLD = f"SELECT {COLUMNS} FROM survey_programme WHERE id = 1 AND is_on FOR NO KEY UPDATE SKIP LOCKED"
# By the primary key, in the order in which receipts came, as far as they are ripe.
NEXT = "SELECT id, at > $2 AS is_ahead FROM receipt WHERE id > $1 ORDER BY id LIMIT $3"
# Of each person the newest receipt that counts, unless they were invited lately. By the primary key of receipt;
# survey_invitation_customer.
MEANT = f"""
SELECT DISTINCT ON (r.customer_id) r.id, r.customer_id FROM receipt r
    JOIN customer_facts f ON f.customer_id = r.customer_id
WHERE r.id > $3 AND r.id <= $4 AND (r.id > $5 OR r.at > $6) AND r.at <= $7 AND r.at > $8
    AND r.kind = 'sale' AND r.refunded < r.total AND r.total >= $9 AND r.source <> 'import'
    AND ($10::int[] IS NULL OR r.location_id = ANY($10)) AND NOT f.is_hidden
    AND NOT EXISTS (SELECT FROM survey_invitation i WHERE {LATELY})
ORDER BY r.customer_id, r.id DESC
"""
# Behind the locks of these people, in a statement of its own: somebody may have been quicker. Who served is told by the
# appointment of that day, if there was one. Indexes: receipt_pkey, appointment_customer.
INVITE = f"""
INSERT INTO survey_invitation (key, customer_id, receipt_id, location_id, cashier_id, team_member_id, state, due_at,
    created_at)
SELECT 'receipt:' || r.id, r.customer_id, r.id, r.location_id, r.staff_id, served.team_member_id, 'waiting', $4, $4
FROM unnest($3::bigint[]) one (id) JOIN receipt r ON r.id = one.id
    JOIN customer_facts f ON f.customer_id = r.customer_id AND NOT f.is_hidden
    LEFT JOIN LATERAL (SELECT a.team_member_id FROM appointment a WHERE a.customer_id = r.customer_id
        AND a.location_id = r.location_id AND a.business_date = r.business_date AND a.state = 'came'
        AND a.starts_at BETWEEN r.at - INTERVAL '24 hours' AND r.at + INTERVAL '1 hour'
        ORDER BY a.starts_at DESC LIMIT 1) served ON true
WHERE NOT EXISTS (SELECT FROM survey_invitation i WHERE {LATELY})
ORDER BY r.customer_id ON CONFLICT (key) DO NOTHING RETURNING id
"""
PLACE = "UPDATE survey_programme SET looked_at = $1 WHERE id = 1"

# Index: survey_invitation_due.
TOO_OLD = """
UPDATE survey_invitation SET state = 'expired' WHERE id IN (SELECT id FROM survey_invitation
    WHERE state = 'waiting' AND due_at < $1 ORDER BY due_at, id LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED)
"""
DUE = """
SELECT id, customer_id FROM survey_invitation WHERE state = 'waiting' AND due_at <= $1 ORDER BY due_at, id LIMIT $2
"""
# Along message_queued, in which little lies.
OPEN = "SELECT count(*) FROM message WHERE status = 'queued' AND kind = $1"
TAKE = """
SELECT id FROM survey_invitation WHERE id = ANY($1::bigint[]) AND state = 'waiting' ORDER BY id FOR NO KEY UPDATE
"""
# Who left the base, or got their money back, is not asked; the others are split like everybody.
FOUND = """
SELECT i.customer_id AS id, false AS is_marked FROM survey_invitation i WHERE i.id = ANY($1::bigint[])
"""
JUDGED = """
SELECT i.id, i.customer_id, c.name, c.language, l.name AS location, split.account_id,
    CASE WHEN f.is_hidden THEN 'is_not_in_base' WHEN r.refunded >= r.total THEN 'refunded'
        ELSE split.reason END AS reason
FROM survey_invitation i JOIN customer c ON c.id = i.customer_id JOIN customer_facts f ON f.customer_id = i.customer_id
    JOIN ({split}) split ON split.customer_id = i.customer_id
    LEFT JOIN receipt r ON r.id = i.receipt_id LEFT JOIN location l ON l.id = i.location_id
WHERE i.id = ANY($1::bigint[]) ORDER BY i.customer_id
"""
LEAVE_OUT = """
UPDATE survey_invitation i SET state = 'skipped', reason = part.reason
FROM unnest($1::bigint[], $2::text[]) part (id, reason) WHERE i.id = part.id
"""
ASKED = """
UPDATE survey_invitation i SET state = 'asked', asked_at = $3, message_id = m.id
FROM unnest($1::bigint[], $2::text[]) part (id, key) JOIN message m ON m.dedupe_key = part.key WHERE i.id = part.id
"""


@db.use_case
async def invite_due(*, now: datetime, limit: int = LOOKED_AT_ONCE) -> int:
    """Invite whoever bought, once the programme's delay is over; returns how many receipts were looked at.

    Only receipts that came since the programme was switched on; after a time in which nothing ran, none that is more
    than three days late. Two workers at once do what one does.
    """
    row = await db.fetch_row(HOLD)
    if row is None:
        return 0
    programme = view_of(row)
    ripe = now - programme.draft.delay
    passed = []
    for receipt in await db.fetch(NEXT, programme.looked_at, ripe, limit):
        if receipt["is_ahead"]:
            break
        passed.append(receipt["id"])
    place = passed[-1] if passed else programme.looked_at
    await _invite(programme, place, ripe, now)
    if passed:
        await db.execute(PLACE, place)
    return len(passed)


async def _invite(programme: ProgrammeView, place: int, ripe: datetime, now: datetime) -> None:
    wanted, lately = programme.draft, (now - programme.draft.pause, now - SAID_AGAIN)
    rows = await db.fetch(
        MEANT,
        *lately,
        programme.looked_at - LATE_COMMITS,
        place,
        programme.looked_at,
        programme.updated_at,
        ripe,
        ripe - TOO_LATE,
        wanted.minimum,
        None if wanted.location_ids is None else list(wanted.location_ids),
    )
    if rows:
        await lock_customers([row["customer_id"] for row in rows])
        await db.execute(INVITE, *lately, [row["id"] for row in rows], now)


async def ask_due(*, now: datetime, limit: int = ASKED_AT_ONCE) -> int:
    """Ask those whose time has come, a few at a time; returns how many invitations were dealt with.

    A question is sent at most once, and not at night. What is due for three days already is not asked any more.
    """
    await db.execute(TOO_OLD, now - TOO_LATE)
    dealt_with = 0
    while (room := min(limit, AHEAD - int(await db.fetch_value(OPEN, KIND)))) > 0:
        step = await _ask_some(room, now=now)
        dealt_with += step
        if step < room:
            break
    return dealt_with


@db.use_case
async def _ask_some(limit: int, *, now: datetime) -> int:
    """One transaction of `ask_due`: people first, by rising id, then their invitations."""
    due: dict[int, int] = {}
    for row in await db.fetch(DUE, now, limit):
        # One question a person; another that waits is judged after it.
        due.setdefault(row["customer_id"], row["id"])
    if not due:
        return 0
    await lock_customers(sorted(due))
    ids = [row["id"] for row in await db.fetch(TAKE, list(due.values()))]
    if not ids:
        return 0
    split = await split_statement(FOUND, [ids], other="other.id <> ALL($1::bigint[])", now=now)
    rows = await db.fetch_planned(JUDGED.format(split=split.sql), *split.params)
    out = [row for row in rows if row["reason"] is not None]
    if out:
        await db.execute(LEAVE_OUT, [row["id"] for row in out], [Skip(row["reason"]).value for row in out])
    await _ask([row for row in rows if row["reason"] is None], now)
    return len(ids)


async def _ask(rows: Sequence[db.Row], now: datetime) -> None:
    if not rows:
        return
    own = await texts_of(KIND)
    copies = [
        BulkMessage(
            row["account_id"],
            service_content(
                KIND,
                row["language"],
                {
                    "first_name": first_name(row["name"]),
                    "location": row["location"] or "",
                    "invitation": str(row["id"]),
                },
                own,
            ),
            f"survey:{row['id']}",
        )
        for row in rows
    ]
    await queue_bulk(copies, topic=Topic.SURVEYS, kind=KIND, now=now)
    await db.execute(ASKED, [row["id"] for row in rows], [copy.key for copy in copies], now)
