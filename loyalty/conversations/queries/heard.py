"""How often something was said in a chat lately: the log is the memory of those who count tries."""

from datetime import datetime

from loyalty import db

LOOKED = 100
"""So many lines of a chat are looked at, the newest: who writes more in a few minutes is no person."""
# Index: message_account.
HEARD = """
SELECT count(*)
FROM (SELECT direction, content, created_at FROM message WHERE account_id = $1 ORDER BY id DESC LIMIT $4) m
WHERE m.direction = 'in' AND m.content->>'text' = $2 AND m.created_at > $3
"""


async def heard_lately(account_id: int, text: str, *, since: datetime) -> int:
    """How often exactly this was said in a chat since then."""
    count: int = await db.fetch_value(HEARD, account_id, text, since, LOOKED)
    return count
