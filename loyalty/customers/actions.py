"""Changing people: adding, correcting, consents, notes."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from datetime import date, datetime

from tortoise.exceptions import IntegrityError

from loyalty import db
from loyalty.customers.models import Consent, Customer, CustomerFacts, Note, RegistrationStep
from loyalty.customers.queries import ACCOUNT_COLUMNS, CustomerView, MessengerAccountView, customer, messenger_account
from loyalty.customers.rules import (
    MESSENGERS,
    NEVER,
    Profile,
    Topic,
    Via,
    birthday_code,
    card_number_for,
    check_note,
    clean_text,
    new_referral_code,
)
from loyalty.errors import Invalid, NotFound, Refused
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
        " home_location_id, created_at, created_via, created_by_id, updated_at, birthday_set_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::timestamptz, $11, $12, $10,"
        " CASE WHEN $7::date IS NOT NULL THEN $10 END)"
        " ON CONFLICT (phone) DO NOTHING RETURNING id",
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
    if via not in MESSENGERS:
        # A chat keeps the steps of its own.
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
    await write_journal(
        actor, "customer.changed", subject_kind="customer", subject_id=customer_id, now=now, fields=changed
    )
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
async def set_discount(customer_id: int, discount_bp: int, *, actor: Actor, now: datetime) -> None:
    """Give a personal discount in basis points, from the next quote on; 0 takes it away. The same again is nothing.

    Raises Invalid("discount"), NotFound("customer"), Refused("own_account").
    """
    if not 0 <= discount_bp <= 10_000:
        raise Invalid("discount", "not_a_share")
    await lock_customer(customer_id)
    before = await customer(customer_id)
    if actor.phone is not None and actor.phone == before.phone:
        raise Refused("own_account")
    if before.discount_bp == discount_bp:
        return
    await CustomerFacts.filter(customer_id=customer_id).update(discount_bp=discount_bp)
    await write_journal(
        actor,
        "discount.set",
        subject_kind="customer",
        subject_id=customer_id,
        now=now,
        discount_bp=discount_bp,
        discount_bp_before=before.discount_bp,
    )


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


KNOW_ACCOUNT = f"""
INSERT INTO messenger_account (channel, address, name, username, language, is_active, is_default, created_at)
VALUES ($1, $2, $3, $4, $5, true, false, $6)
ON CONFLICT (channel, address) DO UPDATE SET name = EXCLUDED.name, username = EXCLUDED.username
RETURNING {ACCOUNT_COLUMNS}
"""


@db.use_case
async def know_account(
    channel: str, address: str, *, name: str, username: str | None, language: str, now: datetime
) -> MessengerAccountView:
    """The account with this address, made when it is new; what it calls itself is kept up to date."""
    row = await db.fetch_row(KNOW_ACCOUNT, channel, address, clean_text(name)[:100], username, language, now)
    assert row is not None
    return MessengerAccountView(**row)


@db.use_case
async def link_account(account_id: int, customer_id: int, *, actor: Actor, now: datetime) -> None:
    """Make an account a person's; their first one becomes the one we write to. Twice is once.

    Whose it was before, loses it: an account has one person.
    """
    before = await messenger_account(account_id)
    if before.customer_id == customer_id:
        return
    owners = sorted({customer_id, before.customer_id or customer_id})
    for owner in owners:
        await lock_customer(owner)
    await db.execute(
        "UPDATE messenger_account SET customer_id = $2, linked_at = $3, is_active = true, is_default = NOT EXISTS"
        " (SELECT FROM messenger_account WHERE customer_id = $2 AND is_default) WHERE id = $1",
        account_id,
        customer_id,
        now,
    )
    for owner in owners:
        await db.execute(FIRST_BECOMES_DEFAULT, owner)
        await _count_reach(owner)
    await write_journal(
        actor, "account.linked", subject_kind="customer", subject_id=customer_id, now=now, account=account_id
    )


@db.use_case
async def unlink_account(account_id: int, *, actor: Actor, now: datetime) -> None:
    """Take an account from its person: nothing is sent there any more. Twice is once.

    Another account of theirs becomes the one we write to.
    """
    before = await messenger_account(account_id)
    if before.customer_id is None:
        return
    await lock_customer(before.customer_id)
    await db.execute(
        "UPDATE messenger_account SET customer_id = NULL, linked_at = NULL, is_default = false WHERE id = $1",
        account_id,
    )
    await db.execute(FIRST_BECOMES_DEFAULT, before.customer_id)
    await _count_reach(before.customer_id)
    await write_journal(
        actor, "account.unlinked", subject_kind="customer", subject_id=before.customer_id, now=now, account=account_id
    )


# The person's oldest account that can be written to, unless there is a default already.
FIRST_BECOMES_DEFAULT = """
UPDATE messenger_account SET is_default = true
WHERE id = (SELECT id FROM messenger_account WHERE customer_id = $1 ORDER BY is_active DESC, id LIMIT 1)
    AND NOT EXISTS (SELECT FROM messenger_account WHERE customer_id = $1 AND is_default)
"""


@db.use_case
async def make_default(account_id: int, *, actor: Actor, now: datetime) -> None:
    """Of a person's accounts, write to this one. Raises NotFound("account") for one that is nobody's."""
    chosen = await messenger_account(account_id)
    if chosen.customer_id is None:
        raise NotFound("account")
    await lock_customer(chosen.customer_id)
    if chosen.is_default:
        return
    # The base allows one default a person at any moment: the old one goes first.
    await db.execute(
        "UPDATE messenger_account SET is_default = false WHERE customer_id = $1 AND is_default", chosen.customer_id
    )
    await db.execute("UPDATE messenger_account SET is_default = true WHERE id = $1", account_id)
    await write_journal(
        actor, "account.default", subject_kind="customer", subject_id=chosen.customer_id, now=now, account=account_id
    )


@db.use_case
async def set_account_active(account_id: int, *, is_active: bool) -> None:
    """Keep whether an account can be written to: it blocked us, or took that back. Twice is once."""
    known = await messenger_account(account_id)
    if known.is_active == is_active:
        return
    if known.customer_id is not None:
        await lock_customer(known.customer_id)
    await db.execute("UPDATE messenger_account SET is_active = $2 WHERE id = $1", account_id, is_active)
    if known.customer_id is not None:
        await _count_reach(known.customer_id)


@db.use_case
async def set_language(account_id: int, language: str, *, actor: Actor, now: datetime) -> None:
    """The language an account reads; its person's too, once it has one."""
    known = await messenger_account(account_id)
    if known.customer_id is not None:
        await lock_customer(known.customer_id)
        await db.execute(
            "UPDATE customer SET language = $2, updated_at = $3 WHERE id = $1", known.customer_id, language, now
        )
        await write_journal(
            actor, "customer.changed", subject_kind="customer", subject_id=known.customer_id, now=now,
            fields=["language"],
        )  # fmt: skip
    await db.execute("UPDATE messenger_account SET language = $2 WHERE id = $1", account_id, language)


@db.use_case
async def confirm_identity(
    customer_id: int, *, language: str, birthday: date | None, actor: Actor, now: datetime
) -> None:
    """The owner of a phone has shown that it is theirs: keep that, and what was not known about them."""
    await lock_customer(customer_id)
    await db.execute(
        "UPDATE customer SET phone_verified_at = coalesce(phone_verified_at, $2), language = $3,"
        " birthday = coalesce(birthday, $4), updated_at = $2,"
        " birthday_set_at = CASE WHEN birthday IS NULL AND $4::date IS NOT NULL THEN $2 ELSE birthday_set_at END"
        " WHERE id = $1",
        customer_id,
        now,
        language,
        birthday,
    )
    await db.execute(
        "UPDATE customer_facts SET birthday_code = $2 WHERE customer_id = $1 AND birthday_code = 0",
        customer_id,
        birthday_code(birthday),
    )
    await write_journal(actor, "phone.verified", subject_kind="customer", subject_id=customer_id, now=now)


async def _count_reach(customer_id: int) -> None:
    """Whether any account of theirs can be written to. The caller holds the customer."""
    await db.execute(
        "UPDATE customer_facts SET telegram = EXISTS (SELECT FROM messenger_account WHERE customer_id = $1"
        " AND channel = 'telegram' AND is_active) WHERE customer_id = $1",
        customer_id,
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
