"""Taking out of conversations what was said, and by whom. The counts of messages stay."""

from collections.abc import Sequence
from datetime import datetime

from loyalty import db
from loyalty.conversations.actions.moving import EVER_THEIRS
from loyalty.conversations.kinds.task_due import KIND as TASK_DUE

# What was theirs once and is somebody else's by now keeps its name; what they said there goes. Phones and e-mails that
# stood on their card before are known by what was sent there.
ACCOUNTS = f"""
SELECT a.id, a.address, a.alias FROM messenger_account a WHERE a.id IN (
    SELECT ever.id FROM unnest($1::bigint[]) person (id), LATERAL ({EVER_THEIRS.replace("$1", "person.id")}) ever
    UNION SELECT account_id FROM message WHERE customer_id = ANY($1) AND channel IN ('sms', 'email'))
    AND (a.customer_id IS NULL OR a.customer_id = ANY($1)) ORDER BY a.id
"""
MESSAGES = f"""
SELECT id FROM message WHERE account_id = ANY($2::bigint[])
UNION SELECT id FROM message WHERE customer_id = ANY($1::bigint[]) AND channel IN ('sms', 'email')
UNION SELECT m.id FROM unnest($1) person (id) CROSS JOIN LATERAL ({EVER_THEIRS.replace("$1", "person.id")}) ever
    JOIN message m ON m.account_id = ever.id AND m.customer_id = person.id
"""
# Files that we sent to this chat alone are its own; campaigns' are everybody's.
ERASE = f"""
WITH mine AS MATERIALIZED ({MESSAGES}), files AS (
    SELECT (m.content->>'attachment')::bigint AS id FROM mine JOIN message m ON m.id = mine.id
    WHERE m.kind = ANY($3::text[]) AND m.content ? 'attachment'
), attachments AS (
    DELETE FROM attachment WHERE id IN (SELECT id FROM files)
), pictures AS (
    DELETE FROM media WHERE message_id IN (SELECT id FROM mine)
), cards AS (
    DELETE FROM shown_card WHERE customer_id = ANY($1) OR message_id IN (SELECT id FROM mine)
), chats AS (
    UPDATE conversation SET session = '{{}}', waiting_since = NULL, unread = 0, staffed_at = NULL, assignee_id = NULL,
        state = 'bot'
    WHERE account_id = ANY($2)
)
UPDATE message SET content = '{{}}', customer_id = NULL, dedupe_key = NULL, external_id = NULL,
    status = CASE WHEN status IN ('queued', 'delayed', 'leased') THEN 'cancelled' ELSE status END,
    reason = CASE WHEN status IN ('queued', 'delayed', 'leased') THEN 'erased' ELSE reason END
WHERE id IN (SELECT id FROM mine)
"""
OWN_FILES = ["staff", "reply"]
# Colleagues were reminded in their own chats of what was to be done for these people; what waits there is not sent.
# Every chat that was ever a colleague's stands in the journal. Indexes: journal_entry_subject, message_account.
REMINDERS = """
UPDATE message SET content = '{}',
    status = CASE WHEN status IN ('queued', 'delayed', 'leased') THEN 'cancelled' ELSE status END,
    reason = CASE WHEN status IN ('queued', 'delayed', 'leased') THEN 'erased' ELSE reason END
WHERE kind = $2 AND account_id IN (SELECT (details->>'account')::bigint FROM staff_member s
        JOIN journal_entry j ON j.subject_kind = 'staff' AND j.subject_id = s.id AND j.action = 'staff.chat_linked')
    AND (content->'values'->>'about' = ANY($1::text[]) OR content->'values'->>'task' IN (
        SELECT id::text FROM task WHERE customer_id = ANY($3::bigint[])))
"""
# Names of updates are the messenger's, and some tell a phone. Read from end to end: nobody waits for it but who erases.
# What has not been taken yet is of whoever writes there now.
UPDATES = """
UPDATE incoming_update SET body = NULL, chat = NULL, external_id = 'erased:' || id
WHERE chat = ANY($1::text[]) AND state <> 'new'
"""
PATIENCE_SECONDS = 120


async def accounts_of_erased(customer_ids: Sequence[int]) -> list[db.Row]:
    """The accounts that go with these customers: id, address, alias."""
    return await db.fetch(ACCOUNTS, list(customer_ids))


async def erase(customer_ids: Sequence[int], account_ids: Sequence[int], *, now: datetime) -> None:
    """Empty all that was said with these customers and in these chats; what waits to be sent is not sent.

    Joins the caller's transaction, which holds the customers.
    """
    del now
    await db.execute(ERASE, list(customer_ids), list(account_ids), OWN_FILES)
    await db.execute(REMINDERS, [str(one) for one in customer_ids], TASK_DUE.name, list(customer_ids))


async def forget_names(account_ids: Sequence[int]) -> None:
    """Forget what the messenger calls the messages of these chats: some of its names tell a phone."""
    await db.execute("UPDATE message SET external_id = NULL WHERE account_id = ANY($1::bigint[])", list(account_ids))


async def erase_updates(chats: Sequence[str]) -> None:
    """Empty what messengers sent from these chats, and what it is called by."""
    if chats:
        await db.fetch_patiently(PATIENCE_SECONDS, UPDATES, list(chats))
