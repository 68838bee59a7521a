"""Joining an account to the card it may belong to, where a number was named and not proven."""

from datetime import datetime

from loyalty import db, wording
from loyalty.bonuses.actions.once_only import grant_welcome
from loyalty.conversations.actions.outbox import tell_customer
from loyalty.conversations.queries.recipients import Recipient, recipient_of, texts_of
from loyalty.conversations.queries.types import channels_for
from loyalty.customers.actions.accounts import link_account
from loyalty.customers.actions.links import close_link, open_link
from loyalty.customers.actions.phones import release_phone
from loyalty.customers.actions.profile import lock_customer
from loyalty.customers.queries import accounts_of, customer, messenger_account
from loyalty.customers.queries.links import LinkRequestView, link_request, phone_owner
from loyalty.customers.rules import LinkState
from loyalty.errors import Refused
from loyalty.staff.rules import Actor

CHANNELS = {"telegram": "Telegram", "whatsapp": "WhatsApp"}
"""What people call the messengers, in every language."""

# Indexes: receipt_customer, fiscal_claim_customer, bonus_entry_customer.
HAS_A_PAST = """
SELECT EXISTS (SELECT FROM receipt WHERE customer_id = $1)
    OR EXISTS (SELECT FROM fiscal_claim WHERE customer_id = $1)
    OR EXISTS (SELECT FROM bonus_entry WHERE customer_id = $1 AND event <> 'welcome')
"""


@db.use_case
async def ask_link(account_id: int, customer_id: int, *, actor: Actor, now: datetime) -> int | None:
    """Ask whether an account is this customer's: staff, and the customer in a chat of theirs, if there is one.

    Of customers only those are asked who have proven their number: a yes of others is worth no more than the claim.
    Returns the request; None when it was asked before, or another answer about the account is waited for.
    """
    request_id = await open_link(account_id, customer_id, actor=actor, now=now)
    if request_id is None:
        return None
    recipient = await recipient_of(customer_id, "link_asked")
    if recipient is not None and (await customer(customer_id)).phone_verified_at is not None:
        account = await messenger_account(account_id)
        values = {
            "channel": CHANNELS[account.channel],
            "name": account.name or "—",
            "request": str(request_id),
        }
        await tell_customer(recipient, values, dedupe_key=f"link_asked:{request_id}", now=now)
    return request_id


@db.use_case
async def accept_link(request_id: int, *, actor: Actor, now: datetime) -> None:
    """The account is the customer's: it moves to their card, and is told so. The card it had stays behind, empty.

    Raises NotFound("link_request"), Refused("request_is_closed"), Refused("cards_must_be_merged") when that card has
    a past of its own.
    """
    request = await _lock(request_id)
    if request.owner_id not in {None, request.customer_id} and await db.fetch_value(HAS_A_PAST, request.owner_id):
        raise Refused("cards_must_be_merged")
    await close_link(request_id, LinkState.ACCEPTED, actor=actor, now=now)
    await link_account(request.account_id, request.customer_id, actor=actor, now=now)
    await _tell(request, "link_accepted", now=now)


@db.use_case
async def refuse_link(request_id: int, *, actor: Actor, now: datetime) -> None:
    """The account is somebody else's: it keeps a card of its own, with the welcome bonus that waited for the answer.

    Raises NotFound("link_request"), Refused("request_is_closed").
    """
    request = await _lock(request_id)
    await close_link(request_id, LinkState.REFUSED, actor=actor, now=now)
    if request.owner_id is not None:
        await grant_welcome(request.owner_id, actor=actor, now=now)
    await _tell(request, "link_refused", now=now)


@db.use_case
async def free_phone(phone: str, *, actor: Actor, now: datetime) -> list[int]:
    """Take a proven number from the card of somebody who only named it, so that it can go to whoever proved it.

    Returns the accounts of that card, which may be the prover's as well: `ask_link` asks them. None of it for a
    number that the shop itself wrote on a card: its owner has come.
    """
    owner = await phone_owner(phone)
    if owner is None or not owner.is_claimed:
        return []
    await release_phone(owner.customer_id, actor=actor, now=now)
    return [account.id for account in await accounts_of(owner.customer_id)]


async def _lock(request_id: int) -> LinkRequestView:
    """The request as it is once both its customers are held."""
    request = await link_request(request_id)
    for one in sorted({request.customer_id, request.owner_id or request.customer_id}):
        await lock_customer(one)
    current = await link_request(request_id)
    # Whoever moved the account meanwhile has changed whom there is to hold.
    if current.state is not LinkState.OPEN or current.owner_id != request.owner_id:
        raise Refused("request_is_closed")
    return current


async def _tell(request: LinkRequestView, kind: str, *, now: datetime) -> None:
    """Tell the chat that the request is about; one that cannot be written to hears of it when it writes."""
    account = await messenger_account(request.account_id)
    if not account.is_active or account.customer_id is None or account.channel not in await channels_for(kind):
        return
    person = await customer(account.customer_id)
    values = {"balance": wording.bonuses_in_words(max(0, person.balance), account.language)}
    recipient = Recipient(kind, account.id, account.language, person.name, await texts_of(kind))
    await tell_customer(recipient, values, dedupe_key=f"{kind}:{request.id}", now=now)
