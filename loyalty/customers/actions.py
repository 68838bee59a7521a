"""Changing people: adding, correcting, consents, notes."""

from dataclasses import asdict, fields
from datetime import datetime

from tortoise.exceptions import IntegrityError

from loyalty import db
from loyalty.customers.models import Consent, Customer, CustomerFacts, Note, RegistrationStep
from loyalty.customers.queries import CustomerView, customer
from loyalty.customers.rules import NEVER, Profile, Topic, Via, birthday_code, card_number_for, check_note
from loyalty.errors import NotFound, Refused
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor


async def lock_customer(customer_id: int) -> None:
    """Hold a customer until the transaction ends. Always the first lock; several customers by rising id.

    What is decided on must be read in a later statement: this one sees the world from before the wait.
    Raises NotFound("customer").
    """
    held = await db.fetch_value(
        "SELECT customer_id FROM customer_facts WHERE customer_id = $1 FOR NO KEY UPDATE", customer_id
    )
    if held is None:
        raise NotFound("customer")


@db.use_case
async def add_customer(
    profile: Profile, *, via: Via, actor: Actor, now: datetime, phone_verified: bool = False
) -> CustomerView:
    """Add a person with a new card. Raises Refused("phone_taken", customer_id=...) when the phone has an owner."""
    sequence = await db.fetch_value("SELECT nextval('card_number_seq')")
    row = await db.fetch_row(
        "INSERT INTO customer (name, phone, phone_verified_at, email, card_number, gender, birthday, language,"
        " home_location_id, created_at, created_via, created_by_id)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (phone) DO NOTHING RETURNING id",
        profile.name,
        profile.phone,
        now if phone_verified and profile.phone else None,
        profile.email,
        card_number_for(sequence),
        profile.gender,
        profile.birthday,
        profile.language,
        profile.home_location_id,
        now,
        via.value,
        actor.staff_id,
    )
    if row is None:
        await _refuse_taken_phone(profile.phone)
    assert row is not None
    await CustomerFacts.create(
        customer_id=row["id"],
        created_at=now,
        first_visit_at=NEVER,
        last_visit_at=NEVER,
        birthday_code=birthday_code(profile.birthday),
    )
    await RegistrationStep.create(customer_id=row["id"], step="added", via=via.value, at=now)
    await write_journal(actor, "customer.added", subject_kind="customer", subject_id=row["id"], now=now, via=via.value)
    return await customer(row["id"])


@db.use_case
async def update_profile(customer_id: int, profile: Profile, *, actor: Actor, now: datetime) -> CustomerView:
    """Correct a profile; the journal names the fields that changed, not their contents.

    A changed phone is unverified again. Raises Refused("phone_taken", customer_id=...).
    """
    await lock_customer(customer_id)
    before = await customer(customer_id)
    changed = [field.name for field in fields(profile) if getattr(before, field.name) != getattr(profile, field.name)]
    if not changed:
        return before
    if "phone" in changed and profile.phone is not None:
        owner = await db.fetch_value("SELECT id FROM customer WHERE phone = $1", profile.phone)
        if owner is not None:
            raise Refused("phone_taken", customer_id=owner)
    values = asdict(profile)
    if "phone" in changed:
        values["phone_verified_at"] = None
    try:
        await Customer.filter(id=customer_id).update(**values)
    except IntegrityError as error:  # somebody else was given the phone since we looked
        raise Refused("phone_taken") from error
    if "birthday" in changed:
        await CustomerFacts.filter(customer_id=customer_id).update(birthday_code=birthday_code(profile.birthday))
    await write_journal(
        actor, "customer.changed", subject_kind="customer", subject_id=customer_id, now=now, fields=changed
    )
    return await customer(customer_id)


@db.use_case
async def set_consent(
    customer_id: int,
    topic: Topic,
    *,
    granted: bool,
    source: str,
    text_version: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Keep what a customer said about a topic. Nothing is overwritten: the newest word holds."""
    await lock_customer(customer_id)
    await Consent.create(
        customer_id=customer_id,
        topic=topic,
        granted=granted,
        source=source,
        text_version=text_version,
        at=now,
    )
    await write_journal(
        actor,
        "consent.granted" if granted else "consent.withdrawn",
        subject_kind="customer",
        subject_id=customer_id,
        now=now,
        topic=topic.value,
    )


@db.use_case
async def add_note(customer_id: int, text: str, *, actor: Actor, now: datetime) -> int:
    """Write a note about a customer; returns its id. Raises Invalid("text")."""
    note = check_note(text)
    await customer(customer_id)
    row = await Note.create(customer_id=customer_id, staff_id=actor.staff_id, text=note, created_at=now)
    await write_journal(actor, "note.added", subject_kind="customer", subject_id=customer_id, now=now, note=row.id)
    note_id: int = row.id
    return note_id


@db.use_case
async def edit_note(customer_id: int, note_id: int, text: str, *, actor: Actor, now: datetime) -> None:
    """Change one's own note. Raises Invalid("text"), NotFound("note"), Refused("not_your_note")."""
    note = check_note(text)
    row = await _note(customer_id, note_id)
    if row.staff_id != actor.staff_id:
        raise Refused("not_your_note")
    await Note.filter(id=note_id).update(text=note, edited_at=now)
    await write_journal(actor, "note.edited", subject_kind="customer", subject_id=customer_id, now=now, note=note_id)


@db.use_case
async def delete_note(customer_id: int, note_id: int, *, actor: Actor, now: datetime) -> None:
    """Hide a note; `restore_note` takes it back. Raises NotFound("note")."""
    await _note(customer_id, note_id)
    await Note.filter(id=note_id).update(deleted_at=now)
    await write_journal(actor, "note.deleted", subject_kind="customer", subject_id=customer_id, now=now, note=note_id)


@db.use_case
async def restore_note(customer_id: int, note_id: int, *, actor: Actor, now: datetime) -> None:
    """Show a hidden note again. Raises NotFound("note")."""
    if not await Note.filter(id=note_id, customer_id=customer_id).update(deleted_at=None):
        raise NotFound("note")
    await write_journal(actor, "note.restored", subject_kind="customer", subject_id=customer_id, now=now, note=note_id)


async def _note(customer_id: int, note_id: int) -> Note:
    row = await Note.get_or_none(id=note_id, customer_id=customer_id, deleted_at=None)
    if row is None:
        raise NotFound("note")
    return row


async def _refuse_taken_phone(phone: str | None) -> None:
    owner = await db.fetch_value("SELECT id FROM customer WHERE phone = $1", phone)
    raise Refused("phone_taken", customer_id=owner)
