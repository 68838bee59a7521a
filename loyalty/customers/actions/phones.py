"""Changing whose number a phone is: by proof, never by word alone."""

from datetime import datetime

from loyalty import db
from loyalty.customers.actions.addresses import keep_addresses, take_from_merged
from loyalty.customers.actions.profile import lock_customer
from loyalty.errors import Refused
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor, ActorKind
from loyalty.webhooks.actions.deliveries import tell
from loyalty.webhooks.rules import EventType

# A number that its person only named, or none at all where nobody else has this one.
PROVE = """
UPDATE customer SET phone = $2, phone_verified_at = $3, updated_at = $3
WHERE id = $1 AND phone_verified_at IS NULL AND (phone = $2
    OR phone IS NULL AND NOT EXISTS (SELECT FROM customer other WHERE other.phone = $2)) RETURNING id
"""


async def keep_vouched_phone(customer_id: int, phone: str, *, now: datetime) -> None:
    """A messenger vouches for a number of the customer's account. The caller holds the customer.

    It proves the number that stands on the card, and fills an empty place there; another number stays.
    """
    if await db.fetch_value(PROVE, customer_id, phone, now) is None:
        return
    await keep_addresses([customer_id], now=now)
    await write_journal(
        Actor(ActorKind.CUSTOMER), "phone.verified", subject_kind="customer", subject_id=customer_id, now=now
    )
    await _tell(customer_id, ["phone", "phone_verified_at"], now)


@db.use_case
async def change_phone(customer_id: int, phone: str, *, actor: Actor, now: datetime) -> None:
    """The customer has proven this number (E.164): it is theirs from now on. The same again proves it once more.

    Raises NotFound("customer"), Refused("phone_taken", customer_id=...) when it is somebody else's.
    """
    await lock_customer(customer_id)
    await take_from_merged(customer_id, phone, now=now)
    owner = await db.fetch_value("SELECT id FROM customer WHERE phone = $1", phone)
    if owner is not None and owner != customer_id:
        raise Refused("phone_taken", customer_id=owner)
    await db.execute(
        "UPDATE customer SET phone = $2, phone_verified_at = $3, updated_at = $3 WHERE id = $1",
        customer_id,
        phone,
        now,
    )
    await keep_addresses([customer_id], now=now)
    await write_journal(
        actor,
        "phone.verified" if owner == customer_id else "phone.changed",
        subject_kind="customer",
        subject_id=customer_id,
        now=now,
    )
    await _tell(customer_id, ["phone", "phone_verified_at"], now)


@db.use_case
async def release_phone(customer_id: int, *, actor: Actor, now: datetime) -> None:
    """Take a number from a card: somebody else has proven that it is theirs. Raises NotFound("customer")."""
    await lock_customer(customer_id)
    await db.execute(
        "UPDATE customer SET phone = NULL, phone_verified_at = NULL, updated_at = $2 WHERE id = $1", customer_id, now
    )
    await keep_addresses([customer_id], now=now)
    await write_journal(actor, "phone.released", subject_kind="customer", subject_id=customer_id, now=now)
    await _tell(customer_id, ["phone", "phone_verified_at"], now)


async def _tell(customer_id: int, changed: list[str], now: datetime) -> None:
    await tell(EventType.CUSTOMER_UPDATED, {"customer_id": customer_id, "fields": changed}, now=now)
