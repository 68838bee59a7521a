"""Where people are written to by their profile: the phone and the e-mail on their card are accounts, too."""

from collections.abc import Sequence
from datetime import datetime

from loyalty import db

WANTED = """
SELECT c.id AS customer_id, place.channel, place.address, c.language
FROM customer c, LATERAL (VALUES ('sms', c.phone), ('email', c.email)) place (channel, address)
WHERE c.id = ANY($1::bigint[]) AND place.address IS NOT NULL
"""
# What does not stand on the card any more is nobody's; what was said there stays with it.
LET_GO = f"""
UPDATE messenger_account a SET customer_id = NULL, linked_at = NULL
WHERE a.customer_id = ANY($1::bigint[]) AND a.channel IN ('sms', 'email') AND NOT EXISTS (SELECT FROM ({WANTED}) wanted
    WHERE (wanted.customer_id, wanted.channel, wanted.address) = (a.customer_id, a.channel, a.address))
"""
# A number that was somebody else's begins anew: what they said of it was theirs. An address that one person left and
# came back to is the same one.
RETURN = f"""
UPDATE messenger_account a SET customer_id = wanted.customer_id, linked_at = $2
FROM ({WANTED}) wanted WHERE a.channel = 'email' AND wanted.channel = 'email' AND a.address = wanted.address
    AND a.customer_id IS NULL AND NOT EXISTS (SELECT FROM messenger_account mine
        WHERE mine.customer_id = wanted.customer_id AND mine.channel = 'email')
    AND a.id = (SELECT min(id) FROM messenger_account one WHERE one.channel = 'email'
        AND one.address = wanted.address AND one.customer_id IS NULL)
"""
KEEP = f"""
INSERT INTO messenger_account AS a (channel, address, customer_id, name, language, is_active, is_default, created_at,
    linked_at)
SELECT wanted.channel, wanted.address, wanted.customer_id, '', wanted.language, true, false, $2, $2
FROM ({WANTED}) wanted WHERE NOT EXISTS (SELECT FROM messenger_account mine
    WHERE (mine.customer_id, mine.channel) = (wanted.customer_id, wanted.channel))
ORDER BY wanted.customer_id, wanted.channel
ON CONFLICT (channel, address) WHERE channel <> 'email' DO UPDATE SET customer_id = EXCLUDED.customer_id,
    linked_at = EXCLUDED.linked_at, language = EXCLUDED.language, is_active = true, inactive_reason = NULL,
    inactive_at = NULL, takes_service = true, takes_marketing = true, takes_surveys = true
"""
SPEAK = """
UPDATE messenger_account a SET language = c.language FROM customer c
WHERE c.id = ANY($1::bigint[]) AND a.customer_id = c.id AND a.channel IN ('sms', 'email') AND a.language <> c.language
"""
REACH = """
UPDATE customer_facts SET telegram = 'telegram' = ANY(channels), whatsapp = 'whatsapp' = ANY(channels),
    sms = 'sms' = ANY(channels), email = 'email' = ANY(channels)
FROM (SELECT wanted.id, coalesce(array_agg(a.channel) FILTER (WHERE a.is_active), '{}') AS channels
    FROM unnest($1::bigint[]) wanted (id) LEFT JOIN messenger_account a ON a.customer_id = wanted.id
    GROUP BY wanted.id) reached
WHERE customer_facts.customer_id = reached.id
"""


async def keep_addresses(customer_ids: Sequence[int], *, now: datetime) -> None:
    """Have the accounts of these customers' phones and e-mails be as their profiles say. The caller holds them."""
    await db.execute(LET_GO, customer_ids)
    await db.execute(RETURN, customer_ids, now)
    await db.execute(KEEP, customer_ids, now)
    await db.execute(SPEAK, customer_ids)
    await count_reach(customer_ids)


async def add_addresses(customer_ids: Sequence[int], *, now: datetime) -> None:
    """The same for customers who are new."""
    await db.execute(KEEP, customer_ids, now)
    await count_reach(customer_ids)


async def count_reach(customer_ids: Sequence[int]) -> None:
    """Keep in the facts by which channels these customers can be written to. The caller holds them."""
    await db.execute(REACH, customer_ids)


TAKE = """
UPDATE customer SET phone = NULL, phone_verified_at = NULL, updated_at = $3
WHERE phone = $2 AND merged_into_id = $1 RETURNING id
"""


async def take_from_merged(customer_id: int, phone: str, *, now: datetime) -> None:
    """Take a number off a card of theirs that became this one, so that it can stand here. The caller holds this one."""
    merged = await db.fetch_value(TAKE, customer_id, phone, now)
    if merged is not None:
        await keep_addresses([merged], now=now)
