"""What was said goes with the person when two cards of theirs become one."""

from datetime import datetime

from loyalty import db
from loyalty.customers.actions.handing import hand_back

# Every account that was ever this customer's: those of now, those that the journal names, those that came or went with
# a merge. Indexes: messenger_account_customer, journal_entry_subject, merge_survivor, merge_merged.
EVER_THEIRS = """
SELECT id FROM messenger_account WHERE customer_id = $1
UNION SELECT (details->>'account')::bigint FROM journal_entry
    WHERE subject_kind = 'customer' AND subject_id = $1 AND action IN ('account.linked', 'account.unlinked')
UNION SELECT (pair->>0)::bigint FROM merge, jsonb_array_elements(moved->'customers'->'accounts') pair
    WHERE $1 IN (survivor_id, merged_id)
"""
# What was said by SMS and e-mail is found by the person; what came with a merge by the merge. Indexes: message_places,
# message_account, merge_survivor.
MINE = f"""
SELECT id FROM message WHERE customer_id = $1 AND channel IN ('sms', 'email')
UNION SELECT m.id FROM message m WHERE m.customer_id = $1 AND m.account_id IN ({EVER_THEIRS})
UNION SELECT m.id FROM merge, jsonb_array_elements(moved->'conversations'->'message') one
    JOIN message m ON m.id = one::bigint AND m.customer_id = $1
WHERE merge.survivor_id = $1
"""
MOVE = f"UPDATE message SET customer_id = $2 WHERE id IN ({MINE}) RETURNING id"
# An open card shows the code of a card that is none any more: it closes.
CLOSE_CARDS = """
UPDATE shown_card SET closes_at = $2, due_at = $2 WHERE customer_id = $1 AND closes_at > $2 AND due_at IS NOT NULL
"""


async def move(merged_id: int, survivor_id: int, *, now: datetime) -> dict[str, list[int]]:
    """Make what was said with one customer another's; which messages. Before the customer's accounts move."""
    await db.execute(CLOSE_CARDS, merged_id, now)
    return {"message": [row["id"] for row in await db.fetch(MOVE, merged_id, survivor_id)]}


async def move_back(merged_id: int, survivor_id: int, remembered: dict[str, list[int]], *, now: datetime) -> None:
    """Take `move` back."""
    await db.execute(CLOSE_CARDS, survivor_id, now)
    await hand_back(remembered, survivor_id, merged_id)
