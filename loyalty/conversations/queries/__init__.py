"""Reading conversations: what waits to be handled, what was said, who waits for an answer, whose code it is."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from loyalty import db
from loyalty.conversations.content import Content
from loyalty.conversations.rules import Status
from loyalty.customers.rules import CODE_SECONDS, CardProof, proof_of
from loyalty.errors import NotFound, Refused

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class PendingUpdate:
    """An update that waits to be handled."""

    id: int
    position: int
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class MessageView:
    """A line of a conversation. `media_id`: its picture; `media_state`: whether it is here yet.

    file_name, file_mime: of what came or was sent with it.
    """

    id: int
    account_id: int
    channel: str
    direction: str
    kind: str
    content: Content
    status: Status
    reason: str | None
    created_at: datetime
    sent_at: datetime | None
    staff_name: str | None
    media_id: int | None
    media_state: str | None
    file_name: str | None
    file_mime: str | None


@dataclass(frozen=True, slots=True)
class WaitingChat:
    """A chat that staff are to look at, with the last line of its person."""

    account_id: int
    customer_id: int | None
    name: str
    channel: str
    waiting_since: datetime
    last_text: str
    last_kind: str


@dataclass(frozen=True, slots=True)
class AccountActivity:
    """How much was said in one account's chat. `last_heard`: when its person last wrote."""

    account_id: int
    received: int
    sent: int
    last_heard: datetime | None
    last_sent: datetime | None


# From chat to chat along incoming_update_new: a chat with many updates costs no more than one with few.
CHATS = """
WITH RECURSIVE chats AS (
    (SELECT chat::text FROM incoming_update WHERE source = $1 AND state = 'new' AND chat IS NOT NULL
        ORDER BY chat LIMIT 1)
    UNION ALL
    SELECT (SELECT further.chat::text FROM incoming_update further WHERE further.source = $1 AND further.state = 'new'
        AND further.chat > chats.chat ORDER BY further.chat LIMIT 1) FROM chats WHERE chats.chat IS NOT NULL
)
SELECT several.chat, first.* FROM (SELECT chat FROM chats WHERE chat IS NOT NULL LIMIT 1000) several
LEFT JOIN LATERAL (
    SELECT id, position, body, received_at FROM incoming_update WHERE source = $1 AND chat = several.chat
        AND state = 'new' AND several.chat <> ALL($3::text[]) ORDER BY position, id LIMIT $2
) first ON true
UNION ALL (
    SELECT NULL, id, position, body, received_at FROM incoming_update
    WHERE source = $1 AND chat IS NULL AND state = 'new' ORDER BY position, id LIMIT $2
)
"""
# IS NOT DISTINCT FROM would read what is new of every chat.
OLDEST = """
SELECT id, position, body, received_at FROM incoming_update
WHERE source = $1 AND {chat} AND state = 'new' ORDER BY position, id LIMIT $2
"""
NEXT_OF_CHAT = 20
FIRST_OF_CHAT = 3
"""Updates that are read with their chat; most chats have one."""


async def pending_chats(source: str, busy: Iterable[str | None] = ()) -> dict[str | None, list[PendingUpdate]]:
    """Chats with updates that nobody has handled, a thousand at most; None for updates of no chat.

    With each the FIRST_OF_CHAT of its updates at most, in their order; with those that are `busy` none.
    """
    found: dict[str | None, list[PendingUpdate]] = {}
    for row in await db.fetch(CHATS, source, FIRST_OF_CHAT, [chat for chat in busy if chat is not None]):
        updates = found.setdefault(row.pop("chat"), [])
        if row["id"] is not None:
            updates.append(PendingUpdate(**row))
    return found


async def oldest_updates(source: str, chat: str | None) -> list[PendingUpdate]:
    """The updates of a chat that are to be handled next, NEXT_OF_CHAT at most, in their order."""
    if chat is None:
        rows = await db.fetch(OLDEST.format(chat="chat IS NULL"), source, NEXT_OF_CHAT)
    else:
        rows = await db.fetch(OLDEST.format(chat="chat = $3"), source, NEXT_OF_CHAT, chat)
    return [PendingUpdate(**row) for row in rows]


async def was_ignored_before(source: str, chat: str, position: int) -> bool:
    """Whether an earlier update of this chat was left alone."""
    seen: bool = await db.fetch_value(
        "SELECT EXISTS (SELECT FROM incoming_update WHERE source = $1 AND chat = $2 AND position < $3"
        " AND state = 'ignored')",
        source,
        chat,
        position,
    )
    return seen


MESSAGES = """
SELECT m.id, m.account_id, a.channel, m.direction, m.kind, m.content, m.status, m.reason, m.created_at, m.sent_at,
    s.name AS staff_name, file.id AS media_id, file.state AS media_state,
    coalesce(file.name, sent.name) AS file_name, coalesce(file.mime, sent.mime) AS file_mime
FROM message m JOIN messenger_account a ON a.id = m.account_id LEFT JOIN staff_member s ON s.id = m.staff_id
    LEFT JOIN LATERAL (SELECT id, state, name, mime FROM media WHERE message_id = m.id LIMIT 1) file ON true
    LEFT JOIN attachment sent ON sent.id = (m.content->>'attachment')::bigint
WHERE m.account_id = ANY($1::bigint[]) AND m.id < $2 ORDER BY m.id DESC LIMIT $3
"""  # indexes: message_account, media_message


async def messages(account_ids: list[int], *, before_id: int | None = None) -> tuple[list[MessageView], int | None]:
    """What was said in these accounts' chats: PAGE_ROWS at most, oldest first; and where earlier ones begin."""
    rows = await db.fetch(MESSAGES, account_ids, before_id or 2**62, PAGE_ROWS + 1)
    views = [
        MessageView(
            **{**row, "content": Content.from_body(db.from_json(row["content"])), "status": Status(row["status"])}
        )
        for row in rows[:PAGE_ROWS]
    ]
    return views[::-1], views[-1].id if len(rows) > PAGE_ROWS else None


# Index: conversation_waiting.
WAITING = """
SELECT c.account_id, a.customer_id, coalesce(p.name, nullif(a.name, ''), a.address) AS name, a.channel,
    c.waiting_since, coalesce(last.text, '') AS last_text, coalesce(last.kind, '') AS last_kind
FROM conversation c JOIN messenger_account a ON a.id = c.account_id LEFT JOIN customer p ON p.id = a.customer_id
    LEFT JOIN LATERAL (SELECT m.content->>'text' AS text, m.kind FROM message m WHERE m.account_id = c.account_id
        AND m.direction = 'in' ORDER BY m.id DESC LIMIT 1) last ON true
WHERE c.waiting_since IS NOT NULL ORDER BY c.waiting_since LIMIT $1
"""


async def waiting_chats(limit: int = 100) -> list[WaitingChat]:
    """Chats that wait for staff, the longest waiting first."""
    return [WaitingChat(**row) for row in await db.fetch(WAITING, limit)]


async def waiting_since(account_ids: list[int]) -> datetime | None:
    """Since when the first of these chats has waited for staff; None when none does."""
    since: datetime | None = await db.fetch_value(
        "SELECT min(waiting_since) FROM conversation WHERE account_id = ANY($1::bigint[])", account_ids
    )
    return since


async def waiting_count() -> int:
    """How many chats wait for staff."""
    count: int = await db.fetch_value("SELECT count(*) FROM conversation WHERE waiting_since IS NOT NULL")
    return count


ACTIVITY = """
SELECT account_id, count(*) FILTER (WHERE direction = 'in') AS received,
    count(*) FILTER (WHERE status IN ('sent', 'delivered', 'read')) AS sent,
    max(created_at) FILTER (WHERE direction = 'in') AS last_heard, max(sent_at) AS last_sent
FROM message WHERE account_id = ANY($1::bigint[]) GROUP BY account_id
"""  # index: message_account


async def activity(account_ids: list[int]) -> dict[int, AccountActivity]:
    """How much was said, for each account in which anything was."""
    return {row["account_id"]: AccountActivity(**row) for row in await db.fetch(ACTIVITY, account_ids)}


async def media_body(media_id: int, account_ids: list[int]) -> tuple[bytes, str, str]:
    """A stored picture or file of one of these chats, its type, and its name or "". Raises NotFound("media")."""
    row = await db.fetch_row(
        "SELECT media.body, media.mime, media.name FROM media JOIN message m ON m.id = media.message_id"
        " WHERE media.id = $1 AND media.state = 'stored' AND m.account_id = ANY($2::bigint[])",
        media_id,
        account_ids,
    )
    if row is None:
        raise NotFound("media")
    return row["body"], row["mime"], row["name"]


# A code lives for a step and its neighbours; a card that closed a moment ago may still be held up to the till.
OPEN_CARDS = "SELECT DISTINCT customer_id FROM shown_card WHERE closes_at > $1"  # index: shown_card_closes


async def find_by_card_code(code: str, *, key: bytes, now: datetime) -> CardProof | None:
    """Whose card shows this code, among the cards that are open.

    Raises Refused("code_is_ambiguous") when two cards happen to show the same: the QR tells them apart.
    """
    rows: list[dict[str, Any]] = await db.fetch(OPEN_CARDS, now - timedelta(seconds=2 * CODE_SECONDS))
    proofs = [proof for row in rows if (proof := proof_of(key, row["customer_id"], code, now))]
    if len(proofs) > 1:
        raise Refused("code_is_ambiguous")
    return proofs[0] if proofs else None


async def links_of(sources: Collection[str], payload: str) -> dict[str, str]:
    """For accounts of ours the addresses that open a chat there and tell it `payload`, as far as they are known."""
    rows = await db.fetch("SELECT source, link FROM channel_link WHERE source = ANY($1) AND link <> ''", list(sources))
    return {row["source"]: row["link"] + payload for row in rows}
