"""Which message of ours a gateway means that knows it by a name of its own alone."""

from loyalty import db

# Index: message_named.
NAMED = """
SELECT id FROM message WHERE channel = 'sms' AND direction = 'out' AND external_id = $1 ORDER BY id DESC LIMIT 1
"""


async def sms_named(external_id: str) -> int | None:
    """The SMS that the gateway gave this name; None when there is none."""
    found: int | None = await db.fetch_value(NAMED, external_id)
    return found
