"""What the inbox of staff shows: conversations by who has to do with them, and what was said in them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from loyalty import db
from loyalty.conversations.rules import ConversationState
from loyalty.customers.queries import reach
from loyalty.errors import NotFound

ROWS = 30
MOST_ROWS = 300
PEOPLE = 10
SHORTEST_SEARCH = 2
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


class Show(StrEnum):
    """Which conversations: one's own, nobody's, all that are open, closed ones."""

    MINE = "mine"
    UNASSIGNED = "unassigned"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A conversation in the list, with what its person said last, or staff to them (`author`)."""

    account_id: int
    customer_id: int | None
    name: str
    channel: str
    state: ConversationState
    unread: int
    waiting_since: datetime | None
    last_message_at: datetime
    assignee_id: int | None
    assignee: str | None
    direction: str | None
    kind: str | None
    text: str | None
    status: str | None
    author: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """A message that has the words one looked for. `direction` log: a note."""

    message_id: int
    account_id: int
    name: str
    channel: str
    direction: str
    text: str
    author: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Desk:
    """Who has to do with a chat: where staff stand in it, and when its person last said something."""

    account_id: int
    state: ConversationState
    assignee_id: int | None
    assignee: str | None
    staffed_at: datetime | None
    unread: int
    heard_at: datetime | None
    waiting_since: datetime | None


@dataclass(frozen=True, slots=True)
class TemplateView:
    """A template that WhatsApp has approved. variables: [{"name", "fallback"}], as {{1}}, {{2}} … count them."""

    id: int
    name: str
    language: str
    body: str
    variables: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class CannedReplyView:
    """An answer that staff give often."""

    id: int
    title: str
    text: str
    author: str | None
    updated_at: datetime


# What people said last, along message_account: what the bot says of its own accord tells nobody who has to answer.
ROW = """
SELECT c.account_id, a.customer_id, coalesce(p.name, a.name) AS name, a.channel, c.state, c.unread, c.waiting_since,
    c.last_message_at, c.assignee_id, s.name AS assignee, last.direction, last.kind, last.text, last.status,
    author.name AS author
FROM conversation c JOIN messenger_account a ON a.id = c.account_id LEFT JOIN customer p ON p.id = a.customer_id
    LEFT JOIN staff_member s ON s.id = c.assignee_id
    LEFT JOIN LATERAL (SELECT m.direction, m.kind, m.content->>'text' AS text, m.status, m.staff_id FROM message m
        WHERE m.account_id = c.account_id AND (m.direction = 'in' OR m.kind = 'staff')
        ORDER BY m.id DESC LIMIT 1) last ON true
    LEFT JOIN staff_member author ON author.id = last.staff_id
"""
# $1 is whose list it is.
SHOWN = {
    Show.MINE: "c.state = 'open' AND c.assignee_id = $1::int",
    Show.UNASSIGNED: "c.state = 'open' AND c.assignee_id IS NULL AND $1::int IS NOT NULL",
    Show.OPEN: "c.state = 'open' AND $1::int IS NOT NULL",
    Show.CLOSED: "c.state = 'closed' AND $1::int IS NOT NULL",
}
ORDER = "ORDER BY c.last_message_at DESC, c.account_id DESC"
# Chats of people whom some locations reach; nobody's are the whole chain's. NULL is the whole chain.
CHAT_WITHIN = f"""
({{0}}::int[] IS NULL OR EXISTS (SELECT FROM messenger_account whose
    WHERE whose.id = c.account_id AND {reach.reached("whose.customer_id", "{0}")}))
"""


async def inbox(
    show: Show,
    staff_id: int,
    *,
    within: Collection[int] | None = None,
    before: tuple[datetime, int] | None = None,
    limit: int = ROWS,
) -> tuple[list[InboxRow], bool]:
    """Conversations from a place on, those where something was said last first; and whether there are more.

    within: of people whom these locations reach, None for everybody. Indexes: conversation_open, conversation_closed.
    """
    moment, account_id = before or (_NEVER, 2**62)
    rows = await db.fetch(
        f"{ROW} WHERE {SHOWN[show]} AND (c.last_message_at, c.account_id) < ($2, $3::bigint)"
        f" AND {CHAT_WITHIN.format('$5')} {ORDER} LIMIT $4",
        staff_id,
        moment,
        account_id,
        min(limit, MOST_ROWS) + 1,
        _places(within),
    )
    return [_row(row) for row in rows[:limit]], len(rows) > limit


async def inbox_counts(staff_id: int, *, within: Collection[int] | None = None) -> dict[Show, int]:
    """How many conversations are one's own, nobody's, open; of people within reach. Index: conversation_open."""
    row = await db.fetch_row(
        "SELECT count(*) FILTER (WHERE assignee_id = $1) AS mine, count(*) FILTER (WHERE assignee_id IS NULL)"
        f" AS unassigned, count(*) AS open FROM conversation c WHERE state = 'open' AND {CHAT_WITHIN.format('$2')}",
        staff_id,
        _places(within),
    )
    return {Show(name): count for name, count in (row or {}).items()}


# Customers along customer_name_trigrams, the others among the few accounts that are nobody's; a colleague's chat, in
# which they are reminded of tasks, is no stranger's.
PEOPLE_NAMED = f"""
{ROW} WHERE c.account_id IN (
    SELECT known.id FROM customer q JOIN messenger_account known ON known.customer_id = q.id
    WHERE lower(q.name) LIKE lower($1)
    UNION ALL SELECT nobodys.id FROM messenger_account nobodys
    WHERE nobodys.customer_id IS NULL AND lower(nobodys.name) LIKE lower($1)
        AND NOT EXISTS (SELECT FROM staff_chat WHERE staff_chat.account_id = nobodys.id)
) AND {CHAT_WITHIN.format("$3")} {ORDER} LIMIT $2
"""


async def people_named(fragment: str, *, within: Collection[int] | None = None) -> list[InboxRow]:
    """Conversations of people whose names have a fragment, PEOPLE at most, the latest first; of those within reach."""
    return [_row(row) for row in await db.fetch(PEOPLE_NAMED, like(fragment), PEOPLE, _places(within))]


# Index: message_words, whose condition is repeated here.
WORDS = f"""
SELECT m.id AS message_id, m.account_id, coalesce(p.name, a.name) AS name, a.channel, m.direction,
    m.content->>'text' AS text, s.name AS author, m.created_at
FROM (SELECT * FROM message c WHERE content->>'text' ILIKE $1 AND (direction <> 'out' OR kind = 'staff')
        AND id < $2 AND {CHAT_WITHIN.format("$4")} ORDER BY id DESC LIMIT $3) m
    JOIN messenger_account a ON a.id = m.account_id LEFT JOIN customer p ON p.id = a.customer_id
    LEFT JOIN staff_member s ON s.id = m.staff_id
ORDER BY m.id DESC
"""


async def messages_saying(
    fragment: str, *, within: Collection[int] | None = None, before_id: int | None = None
) -> tuple[list[Found], int | None]:
    """What people and staff wrote with a fragment in it, the newest first; and where earlier ones begin.

    within: in chats of people whom these locations reach, None for everybody's.
    """
    rows = await db.fetch(WORDS, like(fragment), before_id or 2**62, ROWS + 1, _places(within))
    found = [Found(**row) for row in rows[:ROWS]]
    return found, found[-1].message_id if len(rows) > ROWS else None


def like(fragment: str) -> str:
    """A pattern for LIKE that finds this fragment: its signs mean only themselves."""
    escaped = fragment.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _places(within: Collection[int] | None) -> list[int] | None:
    return None if within is None else list(within)


def _row(row: db.Row) -> InboxRow:
    return InboxRow(**{**row, "state": ConversationState(row["state"])})


DESKS = """
SELECT c.account_id, c.state, c.assignee_id, s.name AS assignee, c.staffed_at, c.unread, c.heard_at, c.waiting_since
FROM conversation c LEFT JOIN staff_member s ON s.id = c.assignee_id WHERE c.account_id = ANY($1::bigint[])
"""


async def desks(account_ids: list[int]) -> dict[int, Desk]:
    """Where staff stand in these chats, by account; an account without a chat is not there."""
    rows = await db.fetch(DESKS, account_ids)
    return {row["account_id"]: Desk(**{**row, "state": ConversationState(row["state"])}) for row in rows}


async def main_account(account_ids: list[int]) -> int | None:
    """Of a person's accounts the one to look at first: open before others, then where they were heard last."""
    main: int | None = await db.fetch_value(
        "SELECT account_id FROM conversation WHERE account_id = ANY($1::bigint[])"
        " ORDER BY state = 'open' DESC, heard_at DESC NULLS LAST, account_id LIMIT 1",
        account_ids,
    )
    return main


AROUND = """
SELECT max(id) AS last, count(*) AS newer FROM (
    SELECT id FROM message WHERE account_id = ANY($1::bigint[]) AND id > $2 ORDER BY id LIMIT $3) few
"""


async def page_around(account_ids: list[int], message_id: int, *, newer: int = 20) -> int | None:
    """Where a page begins that has this message and some newer ones; None when that is the newest page."""
    row = await db.fetch_row(AROUND, account_ids, message_id, newer)
    return row["last"] + 1 if row and row["newer"] == newer else None


TEMPLATES = "SELECT id, name, language, body, variables FROM message_template WHERE status = 'approved'"


async def templates(language: str) -> list[TemplateView]:
    """Templates that may be sent now, those of a language first."""
    rows = await db.fetch(f"{TEMPLATES} ORDER BY language <> $1, name, language", language)
    return [_template(row) for row in rows]


async def template(template_id: int) -> TemplateView:
    """One that may be sent now. Raises NotFound("template")."""
    row = await db.fetch_row(f"{TEMPLATES} AND id = $1", template_id)
    if row is None:
        raise NotFound("template")
    return _template(row)


def _template(row: db.Row) -> TemplateView:
    return TemplateView(**{**row, "variables": db.from_json(row["variables"])})


CANNED = """
SELECT r.id, r.title, r.text, s.name AS author, r.updated_at FROM canned_reply r
    LEFT JOIN staff_member s ON s.id = r.staff_id WHERE r.deleted_at IS NULL
"""


async def canned_replies() -> list[CannedReplyView]:
    """The answers that staff give often, by title."""
    return [CannedReplyView(**row) for row in await db.fetch(f"{CANNED} ORDER BY lower(r.title)")]


async def canned_reply(reply_id: int) -> CannedReplyView:
    """One of them. Raises NotFound("canned_reply")."""
    row = await db.fetch_row(f"{CANNED} AND r.id = $1", reply_id)
    if row is None:
        raise NotFound("canned_reply")
    return CannedReplyView(**row)


# Only what was sent into one of these chats: numbers cannot be walked through. Index: message_account.
ATTACHMENT = """
SELECT name, mime, body FROM attachment WHERE id = $1 AND EXISTS (SELECT FROM message m
    WHERE m.account_id = ANY($2::bigint[]) AND (m.content->>'attachment')::bigint = $1)
"""


async def sent_attachment(attachment_id: int, account_ids: list[int]) -> tuple[str, str, bytes]:
    """Name, type and bytes of what was sent into one of these chats. Raises NotFound("media")."""
    row = await db.fetch_row(ATTACHMENT, attachment_id, account_ids)
    if row is None:
        raise NotFound("media")
    return row["name"], row["mime"], row["body"]
