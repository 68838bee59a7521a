"""Changing what is known of people: adding, correcting, consents, the code they invite with."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from datetime import date, datetime

from tortoise.exceptions import IntegrityError

from loyalty import db
from loyalty.customers.actions.addresses import SPEAK, add_addresses, keep_addresses, take_from_merged
from loyalty.customers.actions.cards import free_card_numbers
from loyalty.customers.models import Consent, Customer, CustomerFacts, RegistrationStep
from loyalty.customers.queries import CustomerView, customer, find_by_phone
from loyalty.customers.rules import (
    MESSENGERS,
    NEVER,
    Profile,
    Topic,
    Via,
    birthday_code,
    new_referral_code,
)
from loyalty.errors import NotFound, Refused
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor
from loyalty.webhooks.actions.deliveries import tell, tell_each
from loyalty.webhooks.rules import EventType

LOCK = """
SELECT customer_id FROM customer_facts WHERE customer_id = ANY($1::bigint[]) ORDER BY customer_id FOR NO KEY UPDATE
"""
SHOW_AGAIN = """
WITH back AS (
    UPDATE customer SET deleted_at = NULL, deleted_by_id = NULL, updated_at = $2
    WHERE id = $1 AND deleted_at IS NOT NULL AND merged_into_id IS NULL AND erased_at IS NULL RETURNING id
), shown AS (
    UPDATE customer_facts SET is_hidden = false FROM back WHERE customer_id = back.id
)
SELECT EXISTS (SELECT FROM back)
"""
# A form that is sent twice is among the last acts of its sender. Index: journal_entry_staff.
ADDED_BY = """
SELECT subject_id FROM (SELECT * FROM journal_entry WHERE staff_id = $1 ORDER BY id DESC LIMIT 200) lately
WHERE action IN ('customer.added', 'customer.restored') AND details ->> 'key' = $2 LIMIT 1
"""
ADDING_LOCK = 0x4144_4421
"""The class of advisory locks on keys of forms that add somebody."""


async def lock_customer(customer_id: int) -> None:
    """Hold a customer until the transaction ends. Always the first lock; several customers by rising id.

    What is decided on must be read in a later statement: this one sees the world from before the wait.
    Raises NotFound("customer"), Refused("card_was_merged", customer_id=...) with the card that it is now: nothing is
    written on one that is only a way to another. `hold_cards` of merging holds such a card.
    """
    held = await db.fetch_row(
        "SELECT is_hidden FROM customer_facts WHERE customer_id = $1 FOR NO KEY UPDATE", customer_id
    )
    if held is None:
        raise NotFound("customer")
    if held["is_hidden"]:
        survivor = await db.fetch_value("SELECT merged_into_id FROM customer WHERE id = $1", customer_id)
        if survivor is not None:
            raise Refused("card_was_merged", customer_id=survivor)


async def lock_customers(customer_ids: Sequence[int]) -> list[int]:
    """Hold several customers until the transaction ends, by rising id; returns those that there are."""
    rows = await db.fetch(LOCK, list(customer_ids))
    return [row["customer_id"] for row in rows]


async def tell_change(customer_id: int, changed: Sequence[str], now: datetime) -> None:
    """Who listens is told which fields changed, and reads for itself what they are now."""
    await tell(EventType.CUSTOMER_UPDATED, {"customer_id": customer_id, "fields": list(changed)}, now=now)


async def tell_changes(customer_ids: Sequence[int], changed: Sequence[str], now: datetime) -> None:
    """As `tell_change`, of many."""
    told = [{"customer_id": one, "fields": list(changed)} for one in customer_ids]
    await tell_each(EventType.CUSTOMER_UPDATED, told, now=now)


@db.use_case
async def add_customer(
    profile: Profile,
    *,
    via: Via,
    actor: Actor,
    now: datetime,
    phone_verified: bool = False,
    key: str | None = None,
) -> CustomerView:
    """Add a person with a new card.

    Whoever has the phone and was deleted is in the base again instead, as they were, with what was not known of them.
    key: of a form, by which `added_by` finds them.
    Raises Refused("phone_taken", customer_id=...) when the phone has another owner.
    """
    [card_number] = await free_card_numbers(1)
    row = await db.fetch_row(
        "INSERT INTO customer (name, phone, phone_verified_at, email, card_number, gender, birthday, language,"
        " home_location_id, created_at, created_via, created_by_id, updated_at, birthday_set_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::timestamptz, $11, $12, $10,"
        " CASE WHEN $7::date IS NOT NULL THEN $10 END)"
        " ON CONFLICT (phone) DO NOTHING RETURNING id",
        profile.name,
        profile.phone,
        now if phone_verified and profile.phone else None,
        profile.email,
        card_number,
        profile.gender,
        profile.birthday,
        profile.language,
        profile.home_location_id,
        now,
        via.value,
        actor.staff_id,
    )
    if row is None:
        return await _bring_back(profile, actor=actor, now=now, key=key)
    await CustomerFacts.create(
        customer_id=row["id"],
        created_at=now,
        first_visit_at=NEVER,
        last_visit_at=NEVER,
        birthday_code=birthday_code(profile.birthday),
    )
    await add_addresses([row["id"]], now=now)
    if via not in MESSENGERS:
        # A chat keeps the steps of its own.
        await RegistrationStep.create(customer_id=row["id"], step="added", via=via.value, at=now)
    told = {"via": via.value} | ({"key": key} if key else {})
    await write_journal(actor, "customer.added", subject_kind="customer", subject_id=row["id"], now=now, **told)
    await tell(EventType.CUSTOMER_CREATED, {"customer_id": row["id"]}, now=now)
    return await customer(row["id"])


async def added_by(key: str, actor: Actor) -> int | None:
    """Whom this person of the panel added by this key lately. The key is theirs until the transaction ends."""
    await db.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", ADDING_LOCK, key)
    added: int | None = await db.fetch_value(ADDED_BY, actor.staff_id, key)
    return added


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
        await take_from_merged(customer_id, profile.phone, now=now)
        owner = await db.fetch_value("SELECT id FROM customer WHERE phone = $1", profile.phone)
        if owner is not None:
            raise Refused("phone_taken", customer_id=owner)
    values = asdict(profile) | {"updated_at": now}
    if "birthday" in changed:
        values["birthday_set_at"] = now if profile.birthday else None
    if "phone" in changed:
        values["phone_verified_at"] = None
    try:
        await Customer.filter(id=customer_id).update(**values)
    except IntegrityError as error:  # somebody else was given the phone since we looked
        raise Refused("phone_taken") from error
    if "birthday" in changed:
        await CustomerFacts.filter(customer_id=customer_id).update(birthday_code=birthday_code(profile.birthday))
    if not {"phone", "email", "language"}.isdisjoint(changed):
        await keep_addresses([customer_id], now=now)
    await write_journal(
        actor, "customer.changed", subject_kind="customer", subject_id=customer_id, now=now, fields=changed
    )
    await tell_change(customer_id, changed, now)
    return await customer(customer_id)


@db.use_case
async def change_profile(
    customer_id: int, change: Callable[[CustomerView], Profile], *, actor: Actor, now: datetime
) -> CustomerView:
    """Correct a part of a profile: `change` makes it anew out of what it is after the lock.

    Two programs that correct different fields at once both count. Raises what `change` and `update_profile` raise.
    """
    await lock_customer(customer_id)
    return await update_profile(customer_id, change(await customer(customer_id)), actor=actor, now=now)


@db.use_case
async def correct_birthday(customer_id: int, birthday: date, *, actor: Actor, now: datetime) -> None:
    """A customer names their birthday, or corrects it: once, because gifts hang on it. The same again is nothing.

    Raises NotFound("customer"), Refused("birthday_was_changed").
    """
    await lock_customer(customer_id)
    before = await customer(customer_id)
    if before.birthday == birthday:
        return
    changed = await db.fetch_value(
        "UPDATE customer SET birthday = $2, birthday_set_at = $3, updated_at = $3,"
        " birthday_changes = birthday_changes + (birthday IS NOT NULL)::int"
        " WHERE id = $1 AND (birthday IS NULL OR birthday_changes = 0) RETURNING id",
        customer_id,
        birthday,
        now,
    )
    if changed is None:
        raise Refused("birthday_was_changed")
    await CustomerFacts.filter(customer_id=customer_id).update(birthday_code=birthday_code(birthday))
    await write_journal(
        actor, "customer.changed", subject_kind="customer", subject_id=customer_id, now=now, fields=["birthday"]
    )
    await tell_change(customer_id, ["birthday"], now)


@db.use_case
async def referral_code_of(customer_id: int) -> str:
    """The code that a customer invites with, made when it is first asked for. Raises NotFound("customer")."""
    await lock_customer(customer_id)
    while True:
        code: str | None = await db.fetch_value(
            "UPDATE customer SET referral_code = coalesce(referral_code, $2) WHERE id = $1 AND (referral_code IS NOT"
            " NULL OR NOT EXISTS (SELECT FROM customer WHERE referral_code = $2)) RETURNING referral_code",
            customer_id,
            new_referral_code(),
        )
        if code is not None:
            return code


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
async def add_steps(customer_id: int, steps: Sequence[tuple[str, datetime]], *, via: Via) -> None:
    """Keep what somebody did on the way in: (step, when), in any order."""
    await db.execute(
        "INSERT INTO registration_step (customer_id, step, via, at)"
        " SELECT $1, part.step, $2, part.at FROM unnest($3::text[], $4::timestamptz[]) part (step, at)",
        customer_id,
        via.value,
        [step for step, _ in steps],
        [at for _, at in steps],
    )


@db.use_case
async def confirm_identity(
    customer_id: int, *, language: str, birthday: date | None, gender: str | None = None, actor: Actor, now: datetime
) -> None:
    """The owner of a phone has shown that it is theirs: keep that, and what was not known about them.

    Whoever was deleted is in the base again.
    """
    await lock_customer(customer_id)
    await show_again(customer_id, actor=actor, now=now)
    await db.execute(
        "UPDATE customer SET phone_verified_at = coalesce(phone_verified_at, $2), language = $3,"
        " birthday = coalesce(birthday, $4), gender = coalesce(gender, $5), updated_at = $2,"
        " birthday_set_at = CASE WHEN birthday IS NULL AND $4::date IS NOT NULL THEN $2 ELSE birthday_set_at END"
        " WHERE id = $1",
        customer_id,
        now,
        language,
        birthday,
        gender,
    )
    await db.execute(
        "UPDATE customer_facts SET birthday_code = $2 WHERE customer_id = $1 AND birthday_code = 0",
        customer_id,
        birthday_code(birthday),
    )
    await db.execute(SPEAK, [customer_id])
    await write_journal(actor, "phone.verified", subject_kind="customer", subject_id=customer_id, now=now)
    await tell_change(customer_id, ["phone_verified_at"], now)


async def show_again(customer_id: int, *, actor: Actor, now: datetime, **details: object) -> bool:
    """Take back that a locked customer was deleted, however long ago: they are here again. False: they were not.

    A merged or erased card stays hidden.
    """
    if not await db.fetch_value(SHOW_AGAIN, customer_id, now):
        return False
    await write_journal(actor, "customer.restored", subject_kind="customer", subject_id=customer_id, now=now, **details)
    await tell_change(customer_id, ["deleted_at"], now)
    return True


async def _bring_back(profile: Profile, *, actor: Actor, now: datetime, key: str | None) -> CustomerView:
    """Whoever has the phone, if they were deleted: what was not known about them is now."""
    assert profile.phone is not None
    owner = await find_by_phone(profile.phone)
    if owner is None:  # somebody else was given the phone, and gave it up again, since we tried
        raise Refused("phone_taken")
    await lock_customer(owner)
    told = {"key": key} if key else {}
    if not await show_again(owner, actor=actor, now=now, **told):
        raise Refused("phone_taken", customer_id=owner)
    known = await customer(owner)
    before = {field.name: getattr(known, field.name) for field in fields(Profile)}
    whole = {name: value if value is not None else getattr(profile, name) for name, value in before.items()}
    return await update_profile(owner, Profile(**whole), actor=actor, now=now)
