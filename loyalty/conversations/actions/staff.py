"""What staff do in conversations: answer, note, share out, close, hand back to the bot.

Acts take the accounts of one person, the one they are about first: the others follow where they are open too.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from loyalty import db
from loyalty.conversations.answering import (
    SILENCE,
    Upload,
    check_answer,
    filled_in,
    template_values,
    window_ends,
    windows,
)
from loyalty.conversations.channels import CAPABILITIES
from loyalty.conversations.content import Content
from loyalty.conversations.kinds.back import TEXTS
from loyalty.conversations.message_types import STAFF
from loyalty.conversations.queries.inbox import template
from loyalty.conversations.queries.types import channels_for
from loyalty.conversations.rules import TEXT_LENGTH, ConversationState
from loyalty.customers.queries import MessengerAccountView, messenger_account
from loyalty.customers.rules import check_note
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.staff.actions import write_journal
from loyalty.staff.queries import staff_member
from loyalty.staff.rules import JOB, Actor, Permission, may

WAKE = "conversations"
"""The topic that rings when a conversation changes: "conversations:17" for account 17."""

# Whoever answers first has the conversation; the bot keeps out of it from now on. Where nobody can answer, there is
# none to have.
STAFF_REPLY = """
WITH said AS (
    INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, dedupe_key,
        staff_id, created_at, due_at, attempts)
    SELECT a.id, a.customer_id, a.channel, 'out', 'staff', $2::jsonb, 'queued', 0, $3::text, $4::int,
        $5::timestamptz, $5, 0
    FROM messenger_account a WHERE a.id = $1::bigint ON CONFLICT (dedupe_key) DO NOTHING RETURNING id, account_id
), taken AS (
    INSERT INTO conversation (account_id, session, last_message_at, state, staffed_at, assignee_id)
    SELECT account_id, '{}', $5, 'open', $5, $4 FROM said WHERE $6::boolean
    ON CONFLICT (account_id) DO UPDATE SET waiting_since = NULL, last_message_at = EXCLUDED.last_message_at,
        state = 'open', unread = 0, staffed_at = coalesce(conversation.staffed_at, EXCLUDED.staffed_at),
        assignee_id = coalesce(conversation.assignee_id, EXCLUDED.assignee_id)
)
SELECT id FROM said
"""


@db.use_case
async def write_to(
    account_id: int, text: str, *, upload: Upload | None = None, key: str, actor: Actor, now: datetime
) -> None:
    """A person of the panel writes into a chat, perhaps with a picture or file. The same key says it once.

    The chat waits no longer, is theirs unless it is somebody's, and the bot is silent there from now on.
    Raises Invalid("text" | "file"), NotFound("account"), Refused("account_blocked" | "staff_not_there" |
    "window_closed").
    """
    words = check_note(text, TEXT_LENGTH) if upload is None or text.strip() else ""
    account = await _writable(account_id)
    check_answer(words, upload, account.channel)
    heard_at = await db.fetch_value("SELECT heard_at FROM conversation WHERE account_id = $1", account_id)
    ends = window_ends(account.channel, heard_at)
    if ends is not None and ends <= now:
        raise Refused("window_closed")
    attachment = await keep_attachment(upload, actor, now) if upload is not None else 0
    if not await _say(account, Content(text=words, attachment=attachment), key, actor, now) and attachment:
        # The form was sent before: its file lies there already.
        await db.execute("DELETE FROM attachment WHERE id = $1", attachment)


@db.use_case
async def send_template(
    account_id: int, template_id: int, typed: Mapping[str, str], *, key: str, actor: Actor, now: datetime
) -> None:
    """Write by an approved template, which may begin a conversation at any time. The same key says it once.

    Raises Invalid(variable), NotFound("account" | "template"), Refused("account_blocked" | "staff_not_there" |
    "templates_not_there").
    """
    account = await _writable(account_id)
    if account.channel not in windows():
        raise Refused("templates_not_there")
    chosen = await template(template_id)
    values = template_values(chosen.variables, typed)
    text = filled_in(chosen.body, list(values.values()))
    await _say(account, Content(text=text, template=chosen.id, values=values), key, actor, now)


async def _writable(account_id: int) -> MessengerAccountView:
    account = await messenger_account(account_id)
    if not account.is_active:
        raise Refused("account_blocked")
    if account.channel not in await channels_for(STAFF):
        raise Refused("staff_not_there")
    return account


async def keep_attachment(upload: Upload, actor: Actor, now: datetime) -> int:
    """Keep a picture or file that is to be sent; its number, by which messages name it."""
    attachment: int = await db.fetch_value(
        "INSERT INTO attachment (name, mime, size, body, staff_id, created_at) VALUES ($1, $2, $3, $4, $5, $6)"
        " RETURNING id",
        upload.name,
        upload.mime,
        len(upload.body),
        upload.body,
        actor.staff_id,
        now,
    )
    return attachment


async def _say(account: MessengerAccountView, content: Content, key: str, actor: Actor, now: datetime) -> bool:
    """Queue it; False when this key was used."""
    body = db.to_json(content.to_body())
    hears = CAPABILITIES[account.channel].hears
    message_id = await db.fetch_value(STAFF_REPLY, account.id, body, f"staff:{key}", actor.staff_id, now, hears)
    if message_id is None:
        return False
    await write_journal(
        actor, "message.written", subject_kind="account", subject_id=account.id, now=now, message=message_id
    )
    db.wake("messages")
    _ring([account.id])
    return True


NOTE = """
INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, dedupe_key,
    staff_id, created_at, attempts)
SELECT a.id, a.customer_id, a.channel, 'log', 'note', $2::jsonb, 'received', 0, $3::text, $4::int, $5::timestamptz, 0
FROM messenger_account a WHERE a.id = $1::bigint ON CONFLICT (dedupe_key) DO NOTHING RETURNING id
"""


@db.use_case
async def add_note(account_id: int, text: str, *, key: str, actor: Actor, now: datetime) -> None:
    """A word among staff that stands in the conversation; its person never sees it. The same key says it once.

    Raises Invalid("text"), NotFound("account").
    """
    words = check_note(text, TEXT_LENGTH)
    await messenger_account(account_id)
    content = db.to_json(Content(text=words).to_body())
    message_id = await db.fetch_value(NOTE, account_id, content, f"note:{key}", actor.staff_id, now)
    if message_id is None:
        return
    await write_journal(
        actor, "conversation.noted", subject_kind="account", subject_id=account_id, now=now, message=message_id
    )
    _ring([account_id])


# Of two who take a conversation at once, the second meets an assignee whom they have not seen.
ASSIGN = """
UPDATE conversation SET assignee_id = $3, state = 'open'
WHERE account_id = ANY($1::bigint[]) AND (account_id = $2 OR state = 'open')
    AND (account_id <> $2 OR assignee_id IS NOT DISTINCT FROM $4) RETURNING account_id
"""


@db.use_case
async def assign(
    account_ids: Sequence[int], colleague: int | None, *, seen: int | None, actor: Actor, now: datetime
) -> None:
    """Give a conversation to a colleague, or to nobody; it is open from now on. `seen`: who had it so far.

    Raises Invalid("assignee"), NotFound("account"), Refused("conversation_taken") when somebody else has it by now.
    """
    if colleague is not None:
        person = await staff_member(colleague)
        if not (person.is_active and may(person.role, Permission.MESSAGES_WRITE)):
            raise Invalid("assignee", "unknown_choice")
    main = account_ids[0]
    changed = await _changed(ASSIGN, list(account_ids), main, colleague, seen)
    if main not in changed:
        row = await db.fetch_row("SELECT assignee_id FROM conversation WHERE account_id = $1", main)
        if row is None:
            raise NotFound("account")
        if row["assignee_id"] != colleague:
            raise Refused("conversation_taken")
        return
    action = "conversation.assigned" if colleague is not None else "conversation.released"
    await write_journal(actor, action, subject_kind="account", subject_id=main, now=now, staff=colleague)


@db.use_case
async def mark_answered(account_ids: Sequence[int], *, actor: Actor, now: datetime) -> None:
    """A conversation waits for staff no longer. Twice is once."""
    done = await _changed(
        "UPDATE conversation SET waiting_since = NULL, unread = 0 WHERE account_id = ANY($1::bigint[])"
        " AND waiting_since IS NOT NULL RETURNING account_id",
        list(account_ids),
    )
    if done:
        await write_journal(actor, "conversation.answered", subject_kind="account", subject_id=account_ids[0], now=now)


@db.use_case
async def mark_read(account_ids: Sequence[int]) -> None:
    """Somebody has looked at a conversation: nothing in it is unread. Not an act for the journal."""
    await _changed(
        "UPDATE conversation SET unread = 0 WHERE account_id = ANY($1::bigint[]) AND unread > 0 RETURNING account_id",
        list(account_ids),
    )


@db.use_case
async def reopen(account_ids: Sequence[int], *, actor: Actor, now: datetime) -> None:
    """Put a conversation among those that staff have to do with. Twice is once."""
    main = account_ids[0]
    opened = await _changed(
        "UPDATE conversation SET state = 'open' WHERE account_id = $1 AND state <> 'open' RETURNING account_id", main
    )
    if opened:
        await write_journal(actor, "conversation.reopened", subject_kind="account", subject_id=main, now=now)


LEAVE = """
WITH held AS (
    SELECT account_id, staffed_at IS NOT NULL AS was_staffed FROM conversation
    WHERE account_id = ANY($1::bigint[]) AND (account_id = $2 AND state <> $3 OR state = 'open')
    ORDER BY account_id FOR NO KEY UPDATE
)
UPDATE conversation c SET state = $3, staffed_at = NULL, waiting_since = NULL, unread = 0,
    assignee_id = CASE WHEN $3 = 'closed' THEN c.assignee_id END
FROM held WHERE c.account_id = held.account_id RETURNING c.account_id, held.was_staffed
"""


@db.use_case
async def close(account_ids: Sequence[int], *, actor: Actor, now: datetime) -> None:
    """Staff are done with a conversation; whatever its person says next opens it again. Twice is once.

    Where a person had answered, the bot says that it is back.
    """
    await _leave(account_ids, ConversationState.CLOSED, "conversation.closed", actor, now)


@db.use_case
async def hand_back(account_ids: Sequence[int], *, actor: Actor, now: datetime) -> None:
    """Leave a conversation to the bot, which says that it is back where a person had answered. Twice is once."""
    await _leave(account_ids, ConversationState.BOT, "conversation.handed_back", actor, now)


async def _leave(
    account_ids: Sequence[int], state: ConversationState, action: str, actor: Actor, now: datetime
) -> None:
    rows = await db.fetch(LEAVE, list(account_ids), account_ids[0], state.value)
    if not rows:
        return
    await _say_back([row["account_id"] for row in rows if row["was_staffed"]], now)
    await write_journal(actor, action, subject_kind="account", subject_id=account_ids[0], now=now)
    _ring([row["account_id"] for row in rows])


# Who waits goes on waiting: only the silence of the bot ends. Index: conversation_open.
FALL_SILENT = """
WITH silent AS (
    SELECT account_id FROM conversation c
    WHERE state = 'open' AND staffed_at <= $2 AND NOT EXISTS (SELECT FROM message m
        WHERE m.account_id = c.account_id AND m.kind = 'staff' AND m.created_at > $2)
    ORDER BY account_id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE conversation c SET staffed_at = NULL, state = CASE WHEN c.waiting_since IS NULL THEN 'bot' ELSE c.state END,
    assignee_id = CASE WHEN c.waiting_since IS NOT NULL THEN c.assignee_id END
FROM silent WHERE c.account_id = silent.account_id RETURNING c.account_id
"""


@db.use_case
async def hand_back_silent(*, now: datetime, limit: int) -> int:
    """Conversations in which staff have fallen silent go back to the bot, which says so; returns how many."""
    left = await _changed(FALL_SILENT, limit, now - SILENCE)
    await _say_back(left, now)
    for account_id in left:
        await write_journal(JOB, "conversation.handed_back", subject_kind="account", subject_id=account_id, now=now)
    return len(left)


# Where nothing may be sent any more, the bot says nothing.
SAY_BACK = """
INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, created_at, due_at,
    attempts)
SELECT a.id, a.customer_id, a.channel, 'out', 'reply', jsonb_build_object('text', said.text), 'queued', 0,
    $2::timestamptz, $2, 0
FROM messenger_account a JOIN conversation c ON c.account_id = a.id
    JOIN unnest($3::text[], $4::text[]) said (language, text) ON said.language = a.language
WHERE a.id = ANY($1::bigint[]) AND a.is_active AND (NOT $5::jsonb ? a.channel
    OR c.heard_at > $2 - ($5::jsonb ->> a.channel)::int * interval '1 hour')
"""


async def _say_back(account_ids: Sequence[int], now: datetime) -> None:
    if account_ids:
        await db.execute(SAY_BACK, list(account_ids), now, list(TEXTS), list(TEXTS.values()), db.to_json(windows()))
        db.wake("messages")


async def _changed(sql: str, *params: object) -> list[int]:
    """Run a statement that returns the accounts whose conversations it changed, and ring for them."""
    changed = [row["account_id"] for row in await db.fetch(sql, *params)]
    _ring(changed)
    return changed


def _ring(account_ids: Sequence[int]) -> None:
    for account_id in account_ids:
        db.wake(f"{WAKE}:{account_id}")
