"""A turn of a chat: one update, one step of its dialog, saved together."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.conversations.channels import CAPABILITIES
from loyalty.conversations.queries import PendingUpdate
from loyalty.conversations.rules import CARD_OPEN, Heard, Outcome, Said
from loyalty.customers.actions.accounts import know_account
from loyalty.customers.queries import MessengerAccountView
from loyalty.customers.rules import code_step, step_began
from loyalty.errors import NotFound
from loyalty.shop.queries import IN_FORCE, shop
from loyalty.shop.rules import ShopView


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose chat it is, as the messenger tells.

    `language` is one of ours or empty, and counts only for an account that is new. `name` is cleaned as
    `customers.rules.clean_text` does. `alias` is another name for the same account, by which it may have been known
    before; `phone`, in E.164, is one that the messenger vouches for.
    """

    channel: str
    address: str
    name: str
    username: str | None
    language: str
    alias: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class OpenTurn:
    """What a step is told: whose turn it is, where the dialog stands, whether staff are waited for, or answer now.

    programme: the one in force, for `shop.queries.programme_of`; not every step wants to know it.
    """

    account: MessengerAccountView
    session: dict[str, Any]
    is_waiting: bool
    chain: ShopView
    programme: str
    is_staffed: bool = False


Step = Callable[[OpenTurn], Awaitable[Outcome]]

# A known customer is locked before their conversation: one order everywhere, kept here because the rows of the
# chat are locked above the join that has read `held`. The chat's own rows are seen as they are after the wait.
LOCK_CHAT = f"""
WITH held AS MATERIALIZED (
    SELECT f.customer_id FROM messenger_account a JOIN customer_facts f ON f.customer_id = a.customer_id
    WHERE a.channel = $1 AND (a.address = $2 OR a.alias = $2) FOR NO KEY UPDATE OF f
)
SELECT a.id, a.channel, a.address, a.customer_id, a.name, a.username, a.language, a.is_active, a.is_default,
    a.created_at, a.linked_at, a.alias, a.phone, a.inactive_reason, a.inactive_at, a.takes_service, a.takes_marketing,
    a.takes_surveys, c.session, c.waiting_since IS NOT NULL AS is_waiting, c.staffed_at IS NOT NULL AS is_staffed,
    s.name AS shop_name, s.currency, s.exponent, s.region, s.language AS shop_language, s.time_zone,
    (SELECT state = 'new' FROM incoming_update WHERE id = $3) AS is_pending,
    ({IN_FORCE.format(now="$4")}) AS programme
FROM messenger_account a JOIN conversation c ON c.account_id = a.id CROSS JOIN (SELECT count(*) FROM held) first, shop s
WHERE a.channel = $1 AND (a.address = $2 OR a.alias = $2) FOR NO KEY UPDATE OF c, a
"""
# After the lock, in a statement of its own: only then is it sure that nobody else took this update. Nothing is
# saved unless the update is closed here. CASE: NOT EXISTS would become a join, which reads all that is new while the
# statistics do not know of a rush; and the update is found by its number, not among dead entries of what was new.
SAVE = """
WITH closed AS (
    UPDATE incoming_update SET state = $16::text, reason = $17::text, done_at = $3
    WHERE id = $18::bigint AND CASE state WHEN 'new' THEN (
        SELECT older.id FROM incoming_update older WHERE older.source = incoming_update.source
            AND older.chat = incoming_update.chat
            AND (older.position, older.id) < (incoming_update.position, incoming_update.id)
            AND older.state = 'new' LIMIT 1) IS NULL END RETURNING id
), said AS (
    INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, dedupe_key,
        external_id, created_at, due_at, attempts)
    SELECT a.id, a.customer_id, a.channel, part.direction, part.kind, part.content::jsonb,
        CASE part.direction WHEN 'in' THEN 'received' ELSE 'queued' END, 0, part.dedupe_key, part.external_id,
        $3::timestamptz, CASE part.direction WHEN 'out' THEN $3 END, 0
    FROM closed JOIN messenger_account a ON a.id = $1::bigint,
        unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) WITH ORDINALITY
        part (direction, kind, content, dedupe_key, external_id, number) ORDER BY part.number
    RETURNING id, direction, kind
), card AS (
    INSERT INTO shown_card (message_id, customer_id, closes_at, due_at)
    SELECT id, $2::bigint, $9::timestamptz, $10::timestamptz FROM said WHERE kind = 'card' AND direction = 'out'
), file AS (
    INSERT INTO media (message_id, file_id, mime, size, name, state, due_at, attempts)
    SELECT id, $11::text, $12::text, $13::int, $19::text, 'wanted', $3, 0 FROM said
    WHERE direction = 'in' AND $11 <> ''
)
UPDATE conversation SET session = $14::jsonb, last_message_at = $3,
    heard_at = CASE WHEN $20::boolean THEN $3 ELSE heard_at END,
    state = CASE WHEN $15 THEN 'open' ELSE state END, unread = unread + coalesce($15, false)::int,
    waiting_since = CASE WHEN $15::boolean IS NULL THEN waiting_since WHEN $15 THEN coalesce(waiting_since, $3) END
FROM closed WHERE account_id = $1 RETURNING closed.id
"""
# What was said on the way in belongs to the customer that came of it.
CLAIM = """
UPDATE message SET customer_id = a.customer_id FROM messenger_account a
WHERE message.account_id = $1 AND message.customer_id IS NULL AND a.id = $1 AND a.customer_id IS NOT NULL
"""
# A person looks at one card: those above it in the chat close.
CLOSE_OTHER_CARDS = """
UPDATE shown_card SET closes_at = $2, due_at = $2 WHERE customer_id = $1 AND closes_at > $2 AND due_at IS NOT NULL
"""


class _TakenBefore(Exception):
    """Somebody else closed the update: what the step did is to be undone."""


async def take_turn(update: PendingUpdate, sender: Sender, step: Step, *, now: datetime) -> bool:
    """Run one step on one update, and save its session and replies with it, or nothing at all.

    False: somebody else took the update, or an older one of the chat is still to be taken. `step` may call
    other use cases, which join this transaction, and must not touch the network: it runs again after a
    deadlock. What it raises is raised, with nothing saved.
    """
    try:
        await _take_turn(update, sender, step, now)
    except _TakenBefore:
        return False
    return True


@db.use_case
async def _take_turn(update: PendingUpdate, sender: Sender, step: Step, now: datetime) -> None:
    turn = await _lock_chat(update, sender, now)
    outcome = await step(turn)
    await _save(update, turn, outcome, now)
    if turn.account.customer_id is None:
        await db.execute(CLAIM, turn.account.id)


Apology = Callable[[str], Said]
"""What is said in a language when a step broke."""


async def fail_turn(
    update: PendingUpdate, sender: Sender | None, apology: Apology | None, *, reason: str, now: datetime
) -> None:
    """Keep an update that broke its step as failed, show it to staff in its chat, and let the chat go on.

    `reason`: the kind of the error, without its words. Without a `sender` only the update is marked.
    """
    with suppress(_TakenBefore):
        await _fail_turn(update, sender, apology, reason[:60], now)


@db.use_case
async def _fail_turn(
    update: PendingUpdate, sender: Sender | None, apology: Apology | None, reason: str, now: datetime
) -> None:
    if sender is None:
        await db.execute(
            "UPDATE incoming_update SET state = 'failed', reason = $2, done_at = $3 WHERE id = $1 AND state = 'new'",
            update.id,
            reason,
            now,
        )
        return
    turn = await _lock_chat(update, sender, now)
    replies = (apology(turn.account.language),) if apology else ()
    outcome = Outcome(heard=Heard("failed"), replies=replies, session=turn.session, waiting=True)
    await _save(update, turn, outcome, now, failure=reason)


async def _lock_chat(update: PendingUpdate, sender: Sender, now: datetime) -> OpenTurn:
    """The chat, held until the transaction ends, with what its owner is called by now.

    Raises _TakenBefore for an update that was closed before we came; SAVE knows of those closed while we waited.
    """
    row = await db.fetch_row(LOCK_CHAT, sender.channel, sender.address, update.id, now)
    if row is None or _is_news(sender, row):
        account = await know_account(
            sender.channel,
            sender.address,
            name=sender.name,
            username=sender.username,
            language=sender.language or (await shop()).language,
            alias=sender.alias,
            phone=sender.phone,
            now=now,
        )
        await db.execute(
            "INSERT INTO conversation (account_id, session, last_message_at) VALUES ($1, '{}', $2)"
            " ON CONFLICT (account_id) DO NOTHING",
            account.id,
            now,
        )
        row = await db.fetch_row(LOCK_CHAT, sender.channel, sender.address, update.id, now)
        if row is None:
            raise NotFound("account")
    if not row["is_pending"]:
        raise _TakenBefore
    return OpenTurn(
        MessengerAccountView(**{field: row[field] for field in MessengerAccountView.__slots__}),
        db.from_json(row["session"]),
        row["is_waiting"],
        ShopView(
            row["shop_name"], row["currency"], row["exponent"], row["region"], row["shop_language"], row["time_zone"]
        ),
        row["programme"],
        row["is_staffed"],
    )


def _is_news(sender: Sender, row: dict[str, Any]) -> bool:
    """Whether the messenger tells of an account what we do not know yet; what it leaves out is no news."""
    return (
        (sender.name or row["name"], sender.username) != (row["name"], row["username"])
        or (sender.alias is not None and (sender.address, sender.alias) != (row["address"], row["alias"]))
        or (sender.phone is not None and sender.phone != row["phone"])
    )


async def _save(
    update: PendingUpdate, turn: OpenTurn, outcome: Outcome, now: datetime, *, failure: str | None = None
) -> None:
    """Close the update and write what follows from it. Raises _TakenBefore when it was closed already."""
    heard, replies = outcome.heard, outcome.replies
    lines: list[tuple[str, str, str, str | None, str | None]] = []
    if heard is not None:
        lines.append(("in", heard.kind, db.to_json(heard.to_body()), None, heard.external_id))
    for number, reply in enumerate(replies):
        # An apology leaves the keys to the replies of the update's next try.
        key = f"turn:{update.id}:{number}" if failure is None else None
        lines.append(("out", reply.kind, db.to_json(reply.content.to_body()), key, None))
    if any(reply.kind == "card" for reply in replies):
        await db.execute(CLOSE_OTHER_CARDS, turn.account.customer_id, now)
    closed = await db.fetch_value(
        SAVE,
        turn.account.id,
        None if outcome.is_nobodys else turn.account.customer_id,
        now,
        *map(list, zip(*lines, strict=True)) if lines else ([], [], [], [], []),
        now + CARD_OPEN,
        # A card that cannot be changed where it stands is never due.
        step_began(code_step(now) + 1) if CAPABILITIES[turn.account.channel].can_edit else None,
        heard.file_id if heard else "",
        heard.mime if heard else "",
        heard.size if heard else 0,
        db.to_json(outcome.session),
        outcome.waiting,
        "failed" if failure else "done",
        failure,
        update.id,
        heard.file_name if heard else "",
        heard is not None,
    )
    if closed is None:
        raise _TakenBefore
    db.wake(f"conversations:{turn.account.id}")
    if replies:
        db.wake("messages")
    if heard is not None and heard.file_id:
        db.wake("media")
