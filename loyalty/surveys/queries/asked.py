"""What was asked in a chat: so that a number typed there is known for a score."""

from loyalty import db
from loyalty.surveys.rules import KIND

SAID = "survey"
"""The kind of what is said about a score: a number that follows it is a score, too."""

# What we said there last that a number could answer: the question itself once it is out, a reply, a colleague's words.
# Index: message_account, backwards.
LAST_SAID = """
SELECT m.kind, m.content->'values'->>'invitation' AS invitation FROM message m
WHERE m.account_id = $1 AND m.direction = 'out' AND (m.priority = 0 OR m.staff_id IS NOT NULL
    OR m.kind = $2 AND m.status IN ('sending', 'sent', 'delivered', 'read', 'unknown'))
ORDER BY m.id DESC LIMIT 1
"""


async def question_in(account_id: int) -> int | None:
    """The invitation that a number typed in this chat answers; None when something else was said there last."""
    row = await db.fetch_row(LAST_SAID, account_id, KIND)
    if row is None or row["kind"] not in {KIND, SAID} or not (row["invitation"] or "").isdigit():
        return None
    return int(row["invitation"])
