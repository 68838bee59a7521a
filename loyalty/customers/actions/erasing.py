"""Taking out of people's tables who they were. Final: what is gone is kept nowhere."""

from collections.abc import Sequence
from datetime import datetime

from loyalty import db
from loyalty.customers.actions.cards import free_card_numbers
from loyalty.customers.rules import ERASED_NAME

# A card that nobody knows the number of; the others stay as they are, and name nobody.
PERSON = """
UPDATE customer SET name = $3, phone = NULL, phone_verified_at = NULL, email = NULL, gender = NULL, birthday = NULL,
    birthday_set_at = NULL, birthday_changes = 0, referral_code = NULL, card_number = part.card_number, erased_at = $4,
    updated_at = $4
FROM unnest($1::bigint[], $2::text[]) part (id, card_number) WHERE customer.id = part.id
"""
FACTS = """
UPDATE customer_facts SET birthday_code = 0, is_hidden = true, discount_bp = 0, discount_rule_id = 0, importance_id = 0,
    importance_rule_id = 0, telegram = false, whatsapp = false, sms = false, email = false
WHERE customer_id = ANY($1::bigint[])
"""
# Indexes: note_customer, answer's unique one, customer_category_customer.
WORDS = """
WITH notes AS (DELETE FROM note WHERE customer_id = ANY($1::bigint[])),
answers AS (DELETE FROM answer WHERE customer_id = ANY($1)),
categories AS (DELETE FROM customer_category WHERE customer_id = ANY($1))
UPDATE link_request SET state = 'refused', decided_at = $2
WHERE (customer_id = ANY($1) OR account_id = ANY($3::bigint[])) AND state = 'open'
"""
# An account is a chat with its messages and stays as one with nobody. The one in which its person said so is still
# written to once: it is nobody's, and yet linked since the erasure. `forget_addresses` does the rest.
ACCOUNTS = """
WITH visits AS (DELETE FROM entry_visit WHERE account_id = ANY($1::bigint[]))
UPDATE messenger_account SET customer_id = NULL, is_default = false, phone = NULL, name = '', username = NULL,
    alias = CASE WHEN stays THEN alias END, linked_at = CASE WHEN stays THEN $3::timestamptz END, is_active = stays,
    inactive_reason = CASE WHEN NOT stays THEN 'erased' END, inactive_at = CASE WHEN NOT stays THEN $3 END,
    address = CASE WHEN stays THEN address ELSE 'erased:' || one.id END
FROM (SELECT id, id IS NOT DISTINCT FROM $2::bigint AS stays FROM unnest($1) account (id)) one
WHERE messenger_account.id = one.id
"""
# Nobody has written there since, and our last word is out.
FORGET = """
WITH gone AS (
    SELECT a.id, a.address, a.alias FROM messenger_account a LEFT JOIN conversation c ON c.account_id = a.id
    WHERE a.customer_id IS NULL AND a.linked_at IS NOT NULL AND (c.heard_at IS NULL OR c.heard_at <= a.linked_at)
        AND NOT EXISTS (SELECT FROM message m WHERE m.account_id = a.id AND m.direction = 'out'
            AND m.status IN ('queued', 'delayed', 'leased', 'sending'))
    ORDER BY a.id LIMIT $1 FOR NO KEY UPDATE OF a SKIP LOCKED
), forgotten AS (
    UPDATE messenger_account SET address = 'erased:' || gone.id, linked_at = NULL, is_active = false,
        inactive_reason = 'erased', inactive_at = $2, name = '', username = NULL, alias = NULL, phone = NULL
    FROM gone WHERE messenger_account.id = gone.id
)
SELECT id, address, alias FROM gone
"""  # indexes: messenger_account_erased, message_pending


async def erase(
    customer_ids: Sequence[int], account_ids: Sequence[int], farewell: int | None, *, now: datetime
) -> None:
    """Take out who these cards and accounts were of. `farewell`: an account that is written to once more.

    Joins the caller's transaction, which holds the customers.
    """
    await db.execute(WORDS, list(customer_ids), now, list(account_ids))
    await db.execute(ACCOUNTS, list(account_ids), farewell, now)
    numbers = await free_card_numbers(len(customer_ids))
    await db.execute(PERSON, list(customer_ids), numbers, ERASED_NAME, now)
    await db.execute(FACTS, list(customer_ids))


async def forget_addresses(*, limit: int, now: datetime) -> list[db.Row]:
    """Forget where erased people were written to, once our last word to them is out; what was forgotten."""
    return await db.fetch(FORGET, limit, now)
