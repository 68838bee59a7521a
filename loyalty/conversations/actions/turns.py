"""A turn of a chat: one update, one step of its dialog, saved together."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.conversations.queries import PendingUpdate
from loyalty.conversations.rules import CARD_OPEN, Heard, Outcome, Said
from loyalty.customers.actions import know_account
from loyalty.customers.queries import MessengerAccountView, messenger_account
from loyalty.customers.rules import code_step, step_began
from loyalty.errors import NotFound
from loyalty.shop.queries import shop


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose chat it is, as the messenger tells.

    `language` is one of ours or empty, and counts only for an account that is new. `name` is cleaned as
    `customers.rules.clean_text` does.
    """

    channel: str
    address: str
    name: str
    username: str | None
    language: str


@dataclass(frozen=True, slots=True)
class OpenTurn:
    """What a step is told: whose turn it is, where the dialog stands, whether staff are waited for already."""

    account: MessengerAccountView
    session: dict[str, Any]
    is_waiting: bool


Step = Callable[[OpenTurn], Awaitable[Outcome]]

# A known customer is locked before their conversation: one order everywhere.
LOCK_OWNER = """
SELECT f.customer_id FROM messenger_account a JOIN customer_facts f ON f.customer_id = a.customer_id
WHERE a.channel = $1 AND a.address = $2 FOR NO KEY UPDATE OF f
"""
LOCK_CHAT = """
SELECT a.id, a.channel, a.address, a.customer_id, a.name, a.username, a.language, a.is_active, a.is_default,
    a.created_at, a.linked_at, c.session, c.waiting_since IS NOT NULL AS is_waiting
FROM messenger_account a JOIN conversation c ON c.account_id = a.id
WHERE a.channel = $1 AND a.address = $2 FOR NO KEY UPDATE OF c
"""
# In a statement of its own, after the lock: only now is it sure that nobody else took this update.
CLOSE = """
UPDATE incoming_update SET state = 'done', done_at = $2 WHERE id = $1 AND state = 'new' AND NOT EXISTS (
    SELECT FROM incoming_update older WHERE older.source = incoming_update.source
        AND older.chat = incoming_update.chat AND older.external_id < incoming_update.external_id
        AND older.state = 'new') RETURNING id
"""
SAVE = """
WITH said AS (
    INSERT INTO message (account_id, customer_id, direction, kind, content, status, priority, dedupe_key, external_id,
        created_at, due_at, attempts)
    SELECT $1::bigint, $2::bigint, part.direction, part.kind, part.content::jsonb,
        CASE part.direction WHEN 'in' THEN 'received' ELSE 'queued' END, 0, part.dedupe_key, part.external_id,
        $3::timestamptz, CASE part.direction WHEN 'out' THEN $3 END, 0
    FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) WITH ORDINALITY
        part (direction, kind, content, dedupe_key, external_id, number) ORDER BY part.number
    RETURNING id, direction, kind
), card AS (
    INSERT INTO shown_card (message_id, customer_id, closes_at, due_at)
    SELECT id, $2, $9::timestamptz, $10::timestamptz FROM said WHERE kind = 'card' AND direction = 'out'
), file AS (
    INSERT INTO media (message_id, file_id, mime, size, state, due_at, attempts)
    SELECT id, $11::text, $12::text, $13::int, 'wanted', $3, 0 FROM said WHERE direction = 'in' AND $11 <> ''
)
UPDATE conversation SET session = $14::jsonb, last_message_at = $3,
    waiting_since = CASE WHEN $15::boolean IS NULL THEN waiting_since WHEN $15 THEN coalesce(waiting_since, $3) END
WHERE account_id = $1
"""
# A person looks at one card: those above it in the chat close.
CLOSE_OTHER_CARDS = """
UPDATE shown_card SET closes_at = $2, due_at = $2 WHERE customer_id = $1 AND closes_at > $2 AND due_at IS NOT NULL
"""


@db.use_case
async def take_turn(update: PendingUpdate, sender: Sender, step: Step, *, now: datetime) -> bool:
    """Run one step on one update, and save its session and replies with it, or nothing at all.

    False: somebody else took the update, or an older one of the chat is still to be taken. `step` may call
    other use cases, which join this transaction, and must not touch the network: it runs again after a
    deadlock. What it raises is raised, with nothing saved.
    """
    await db.execute(LOCK_OWNER, sender.channel, sender.address)
    turn = await _lock_chat(sender, now)
    if await db.fetch_value(CLOSE, update.id, now) is None:
        return False
    outcome = await step(turn)
    after = await messenger_account(turn.account.id)
    await _save(update, turn, after, outcome, now)
    if after.customer_id is not None and turn.account.customer_id is None:
        # What was said on the way in is theirs from now on.
        await db.execute(
            "UPDATE message SET customer_id = $2 WHERE account_id = $1 AND customer_id IS NULL",
            after.id,
            after.customer_id,
        )
    return True


@db.use_case
async def fail_turn(
    update: PendingUpdate, sender: Sender | None, reply: Said | None, *, reason: str, now: datetime
) -> None:
    """Keep an update that broke its step as failed, show it to staff in its chat, and let the chat go on.

    `reason`: the kind of the error, without its words. Without a `sender` only the update is marked.
    """
    closed = await db.fetch_value(
        "UPDATE incoming_update SET state = 'failed', reason = $2, done_at = $3"
        " WHERE id = $1 AND state = 'new' RETURNING id",
        update.id,
        reason[:60],
        now,
    )
    if closed is None or sender is None:
        return
    turn = await _lock_chat(sender, now)
    heard = Heard("failed")
    replies = (reply,) if reply else ()
    outcome = Outcome(heard=heard, replies=replies, session=turn.session, waiting=True)
    await _save(update, turn, turn.account, outcome, now)


async def _lock_chat(sender: Sender, now: datetime) -> OpenTurn:
    """The chat, held until the transaction ends, with what its owner is called by now."""
    row = await db.fetch_row(LOCK_CHAT, sender.channel, sender.address)
    if row is None or (row["name"], row["username"]) != (sender.name, sender.username):
        account = await know_account(
            sender.channel,
            sender.address,
            name=sender.name,
            username=sender.username,
            language=sender.language or (await shop()).language,
            now=now,
        )
        await db.execute(
            "INSERT INTO conversation (account_id, session, last_message_at) VALUES ($1, '{}', $2)"
            " ON CONFLICT (account_id) DO NOTHING",
            account.id,
            now,
        )
        row = await db.fetch_row(LOCK_CHAT, sender.channel, sender.address)
        if row is None:
            raise NotFound("account")
    session, is_waiting = db.from_json(row.pop("session")), row.pop("is_waiting")
    return OpenTurn(MessengerAccountView(**row), session, is_waiting)


async def _save(
    update: PendingUpdate, turn: OpenTurn, after: MessengerAccountView, outcome: Outcome, now: datetime
) -> None:
    heard, replies = outcome.heard, outcome.replies
    lines: list[tuple[str, str, str, str | None, str | None]] = []
    if heard is not None:
        lines.append(("in", heard.kind, db.to_json(heard.to_body()), None, heard.external_id))
    for number, reply in enumerate(replies):
        lines.append(("out", reply.kind, db.to_json(reply.content.to_body()), f"turn:{update.id}:{number}", None))
    if any(reply.kind == "card" for reply in replies):
        await db.execute(CLOSE_OTHER_CARDS, after.customer_id, now)
    await db.execute(
        SAVE,
        turn.account.id,
        after.customer_id,
        now,
        *map(list, zip(*lines, strict=True)) if lines else ([], [], [], [], []),
        now + CARD_OPEN,
        step_began(code_step(now) + 1),
        heard.file_id if heard else "",
        heard.mime if heard else "",
        heard.size if heard else 0,
        db.to_json(outcome.session),
        outcome.waiting,
    )
    if replies:
        db.wake("messages")
    if heard is not None and heard.file_id:
        db.wake("media")
