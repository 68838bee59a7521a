"""Erasing a person: who they were is gone for good, and the books stay as they were."""

from datetime import datetime

from loyalty import db
from loyalty.bonuses.actions import erasing as bonuses
from loyalty.bonuses.actions.once_only import hashes_of
from loyalty.campaigns.actions import erasing as campaigns
from loyalty.conversations.actions import erasing as conversations
from loyalty.customers.actions import erasing as customers
from loyalty.customers.actions.moving import hold_cards
from loyalty.errors import NotFound, Refused
from loyalty.office.actions import exports
from loyalty.receipts.actions import erasing as receipts
from loyalty.segments.actions import erasing as segments
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor
from loyalty.surveys.actions import erasing as surveys
from loyalty.tasks.actions import erasing as tasks
from loyalty.webhooks.actions.deliveries import tell
from loyalty.webhooks.rules import EventType

# Index: customer_merged_into.
CARDS = """
SELECT id, phone, merged_into_id, erased_at FROM customer WHERE id = $1 OR merged_into_id = $1 ORDER BY id
"""
# Which cards were one stays; what was on them does not.
MERGES = """
UPDATE merge SET moved = moved #- '{customers,profile}' WHERE survivor_id = ANY($1::bigint[])
    OR merged_id = ANY($1)
"""
# What somebody typed to find them; acts are a few hundred, and each is asked by the key of its rows.
SEARCHES = """
UPDATE mass_action a SET look = a.look - 'q',
    params = CASE WHEN a.total = 1 AND a.params ? 'comment' THEN a.params || '{"comment": ""}' ELSE a.params END
WHERE (a.look ? 'q' OR a.total = 1 AND a.params ? 'comment') AND EXISTS (SELECT FROM mass_action_row r
    WHERE r.action_id = a.id AND r.customer_id = ANY($1::bigint[]))
"""
# Lines of files that were found to be about them, along file_import_row_customer; and of files that nobody has tried
# out yet, by what stands in their cells. A file that is still to be read may be about anybody.
LINES = """
UPDATE file_import_row SET cells = '[]', details = NULL, before = NULL WHERE customer_id = ANY($1::bigint[])
"""
OPEN_LINES = """
UPDATE file_import_row r SET cells = '[]', details = NULL FROM file_import i
WHERE i.id = r.import_id AND r.customer_id IS NULL AND r.cells <> '[]' AND EXISTS (
    SELECT FROM jsonb_array_elements_text(r.cells) cell
    WHERE right(regexp_replace(cell, '[^0-9]', '', 'g'), 10) = ANY($1::text[]) OR lower(cell) = ANY($2::text[]))
"""
UNREAD = """
UPDATE file_import SET body = NULL, state = 'failed', failure = 'file_was_forgotten', finished_at = $1
WHERE state = 'reading' AND body IS NOT NULL
"""
WRITTEN_TO = "SELECT phone, email FROM customer WHERE id = ANY($1::bigint[])"


@db.use_case
async def erase_customer(customer_id: int, *, farewell: int | None = None, actor: Actor, now: datetime) -> None:
    """Erase a person, with every card that became theirs. Final; twice is once.

    Names, phones, places, words and files go; the ledger, receipts and visits stay as nobody's, sums unchanged. What
    waits to be sent is not sent, what is set aside for a sale is let go. A hash of the phone stays, so that whoever
    comes back is new and gets no gift twice. farewell: an account of theirs in which one more word is said.
    Raises NotFound("customer"), Refused("card_was_merged", customer_id=...), Refused("own_account").
    """
    await hold_cards([row["id"] for row in await db.fetch(CARDS, customer_id)] or [customer_id])
    # Read after the locks: a card may have come or gone with a merge.
    cards = await db.fetch(CARDS, customer_id)
    own = next((card for card in cards if card["id"] == customer_id), None)
    if own is None:
        raise NotFound("customer")
    if own["merged_into_id"] is not None:
        raise Refused("card_was_merged", customer_id=own["merged_into_id"])
    if own["erased_at"] is not None:
        return
    if actor.phone is not None and actor.phone in {card["phone"] for card in cards}:
        raise Refused("own_account")
    ids = [card["id"] for card in cards]
    await hold_cards(ids)
    await _forget_lines(ids, now=now)
    accounts = await conversations.accounts_of_erased(ids)
    account_ids = [account["id"] for account in accounts]
    await bonuses.keep_traces(*await hashes_of(ids))
    await bonuses.erase(ids, now=now)
    await receipts.erase(ids, [card["phone"] for card in cards if card["phone"]], now=now)
    await tasks.erase(ids)
    await conversations.erase(ids, account_ids, now=now)
    await conversations.erase_updates(_chats(accounts))
    await segments.erase(ids)
    await customers.erase(ids, account_ids, farewell, now=now)
    await db.execute(MERGES, ids)
    await db.execute(SEARCHES, ids)
    await campaigns.erase(ids, now=now)
    await surveys.erase(ids)
    await exports.erase(ids, now=now)
    await write_journal(actor, "customer.erased", subject_kind="customer", subject_id=customer_id, now=now)
    await tell(EventType.CUSTOMER_UPDATED, {"customer_id": customer_id, "fields": ["erased_at"]}, now=now)


@db.use_case
async def forget_addresses(*, now: datetime, limit: int = 100) -> int:
    """Forget where erased people were told that they are, once that has been sent; returns how many. Safe twice."""
    gone = await customers.forget_addresses(limit=limit, now=now)
    await conversations.forget_names([account["id"] for account in gone])
    await conversations.erase_updates(_chats(gone))
    return len(gone)


async def _forget_lines(customer_ids: list[int], *, now: datetime) -> None:
    """Empty what files said about them. Called while their phones and e-mails are known."""
    known = await db.fetch(WRITTEN_TO, customer_ids)
    phones = [row["phone"][-10:] for row in known if row["phone"]]
    mails = [row["email"].lower() for row in known if row["email"]]
    await db.execute(LINES, customer_ids)
    if phones or mails:
        await db.execute(OPEN_LINES, phones, mails)
    await db.execute(UNREAD, now)


def _chats(accounts: list[db.Row]) -> list[str]:
    """What the updates of these accounts call their chat."""
    return [name for account in accounts for name in (account["address"], account["alias"]) if name]
