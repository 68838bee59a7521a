"""What happens to people of the panel (invitations, passwords, roles) and to keys; the journal everyone writes to.

Each use case is one transaction and leaves a line in the journal. Passwords are hashed in a thread and outside
the transaction: it takes about 50 ms of processor on purpose.
"""

import asyncio
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from tortoise.exceptions import IntegrityError

from loyalty.db import execute, fetch, use_case
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.staff.models import ApiKey, JournalEntry, StaffInvitation, StaffMember
from loyalty.staff.queries import StaffView, invited_by, staff_member
from loyalty.staff.rules import (
    INVITATION_LIFETIME,
    KEY_PREFIX,
    KEY_START,
    KEY_USE_SECONDS,
    RESET_LIFETIME,
    Actor,
    ActorKind,
    Role,
    Scope,
    check_language,
    check_password,
    check_phone,
    check_reach,
    clean_email,
    clean_name,
    token_hash,
)

_HASHER = PasswordHasher()
# Verified when there is no account or no password, so that both answers take the same time.
_NOBODYS_HASH = _HASHER.hash(secrets.token_urlsafe(16))


async def write_journal(
    actor: Actor,
    action: str,
    *,
    now: datetime,
    subject_kind: str | None = None,
    subject_id: int | None = None,
    **details: Any,
) -> None:
    """Add one line to the journal; joins the caller's transaction, so an undone act leaves no line.

    `action` is a stable code ("location.added"); `details` holds ids, codes and numbers, never names,
    phones or texts: the journal is append-only and must survive an erasure.
    """
    await JournalEntry.create(
        at=now,
        actor_kind=actor.kind.value,
        staff_id=actor.staff_id,
        api_key_id=actor.api_key_id,
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
        details=details,
    )


@use_case
async def invite(
    email: str,
    name: str,
    role: Role,
    location_id: int | None = None,
    phone: str | None = None,
    *,
    location_ids: Collection[int] | None = None,
    actor: Actor,
    now: datetime,
) -> str:
    """Add an account without a password; returns the token of the link that sets one, valid seven days, once.

    `location_ids`: what their rights are for; None for the whole chain. Raises Invalid for a field, Invalid("email",
    "email_taken") when somebody has the address, Invalid("location_id" | "location_ids", "unknown_choice").
    """
    address, called = clean_email(email), clean_name(name)
    check_phone(phone)
    check_reach(role, location_ids, location_id)
    if await StaffMember.filter(email=address).exists():
        raise Invalid("email", "email_taken")
    try:
        row = await StaffMember.create(
            email=address,
            name=called,
            role=role.value,
            phone=phone,
            location_id=location_id,
            sessions_from=now,
            created_at=now,
        )
    except IntegrityError as error:
        raise _what_clashed(error) from None
    reach = await _limit(row.id, location_ids) if location_ids is not None else {}
    about: dict[str, Any] = {"role": role.value, **reach}
    await write_journal(actor, "staff.invited", now=now, subject_kind="staff", subject_id=row.id, **about)
    return await _new_token(row.id, INVITATION_LIFETIME, now)


@use_case
async def reset_password(staff_id: int, *, actor: Actor, now: datetime) -> str:
    """A new link for somebody who forgot the password or lost the invitation: valid a day, once.

    Older links stop working; the password in use works until the new one is set. Raises NotFound("staff"),
    Refused("staff_is_disabled").
    """
    row = await _locked(staff_id)
    if not row.is_active:
        raise Refused("staff_is_disabled")
    await write_journal(actor, "staff.reset", now=now, subject_kind="staff", subject_id=staff_id)
    lifetime = RESET_LIFETIME if row.password_hash else INVITATION_LIFETIME
    return await _new_token(staff_id, lifetime, now)


async def accept_invitation(token: str, password: str, *, now: datetime, name: str | None = None) -> StaffView:
    """Set the password by a link, and the name as its owner writes it; every older session ends.

    Raises NotFound("invitation") when the link was used or ran out, Invalid("password").
    """
    person = await invited_by(token, now)
    check_password(password, person.email)
    called = person.name if name is None else clean_name(name)
    hashed = await asyncio.to_thread(_HASHER.hash, password)
    return await _take_invitation(token, hashed, called, now)


@use_case
async def _take_invitation(token: str, hashed: str, name: str, now: datetime) -> StaffView:
    # Locked and looked at again: two clicks on one link must not both count.
    invitation = await StaffInvitation.filter(token_hash=token_hash(token)).select_for_update(no_key=True).first()
    if invitation is None or invitation.used_at is not None or invitation.expires_at <= now:
        raise NotFound("invitation")
    row = await _locked(invitation.staff_id)
    if not row.is_active:
        raise NotFound("invitation")
    invitation.used_at = now
    await invitation.save(update_fields=["used_at"])
    row.password_hash, row.name, row.sessions_from = hashed, name, now
    await row.save(update_fields=["password_hash", "name", "sessions_from"])
    actor = Actor(ActorKind.STAFF, staff_id=row.id)
    await write_journal(actor, "staff.joined", now=now, subject_kind="staff", subject_id=row.id)
    return await staff_member(row.id)


async def sign_in(email: str, password: str, now: datetime) -> StaffView:
    """Who this is. Raises Refused("wrong_email_or_password") alike for unknown, disabled and mistaken.

    Takes the same work whether or not the account exists. The caller slows down guessing.
    """
    row = await StaffMember.get_or_none(email=email.strip().lower(), is_active=True)
    known = row.password_hash if row is not None else None
    is_right = await asyncio.to_thread(_matches, known or _NOBODYS_HASH, password)
    if row is None or known is None or not is_right:
        raise Refused("wrong_email_or_password")
    fresh = await asyncio.to_thread(_HASHER.hash, password) if _HASHER.check_needs_rehash(known) else None
    return await _signed_in(row.id, fresh, now)


@use_case
async def _signed_in(staff_id: int, fresh_hash: str | None, now: datetime) -> StaffView:
    row = await _locked(staff_id)
    if fresh_hash is not None:
        row.password_hash = fresh_hash
        await row.save(update_fields=["password_hash"])
    person = await staff_member(row.id)
    await write_journal(person.actor, "staff.signed_in", now=now)
    return person


@use_case
async def update_staff(
    staff_id: int,
    *,
    name: str,
    role: Role,
    location_id: int | None,
    location_ids: Collection[int] | None,
    phone: str | None,
    actor: Actor,
    now: datetime,
) -> StaffView:
    """Change who somebody is in the panel. A new role, or other locations, count from their next click.

    `location_ids`: what their rights are for; None for the whole chain.
    Raises NotFound("staff"), Invalid for a field, Refused("last_owner").
    """
    called = clean_name(name)
    check_phone(phone)
    check_reach(role, location_ids, location_id)
    row = await _locked(staff_id)
    if row.role == Role.OWNER and role is not Role.OWNER:
        await _keep_an_owner(staff_id)
    changed = {
        field: value
        for field, value in (("name", called), ("role", role.value), ("location_id", location_id), ("phone", phone))
        if getattr(row, field) != value
    }
    reach = await _limit(staff_id, location_ids)
    if not changed and not reach:
        return await staff_member(staff_id)
    role_before = row.role
    if changed:
        row.update_from_dict(changed)
        try:
            await row.save(update_fields=list(changed))
        except IntegrityError as error:
            raise _what_clashed(error) from None
    roles = {"role": role.value, "role_before": role_before} if "role" in changed else {}
    about: dict[str, Any] = {"fields": sorted({*changed, *reach}), **roles, **reach}
    await write_journal(actor, "staff.changed", now=now, subject_kind="staff", subject_id=staff_id, **about)
    return await staff_member(staff_id)


@use_case
async def rename(staff_id: int, name: str, *, actor: Actor, now: datetime) -> StaffView:
    """Change one's own name. Raises Invalid("name")."""
    called = clean_name(name)
    row = await _locked(staff_id)
    if row.name != called:
        row.name = called
        await row.save(update_fields=["name"])
        await write_journal(actor, "staff.changed", now=now, subject_kind="staff", subject_id=staff_id, fields=["name"])
    return await staff_member(staff_id)


@use_case
async def disable(staff_id: int, *, actor: Actor, now: datetime) -> None:
    """Shut an account: its sessions and links end, its past stays. Twice is once.

    Raises NotFound("staff"), Refused("last_owner"), Refused("own_account_stays").
    """
    row = await _locked(staff_id)
    if not row.is_active:
        return
    if actor.staff_id == staff_id:
        raise Refused("own_account_stays")
    if row.role == Role.OWNER:
        await _keep_an_owner(staff_id)
    row.is_active, row.sessions_from = False, now
    await row.save(update_fields=["is_active", "sessions_from"])
    await _void_links(staff_id, now)
    await write_journal(actor, "staff.disabled", now=now, subject_kind="staff", subject_id=staff_id)


@use_case
async def enable(staff_id: int, *, actor: Actor, now: datetime) -> None:
    """Open an account again; its password is the old one. Twice is once. Raises NotFound("staff")."""
    row = await _locked(staff_id)
    if row.is_active:
        return
    row.is_active = True
    await row.save(update_fields=["is_active"])
    await write_journal(actor, "staff.enabled", now=now, subject_kind="staff", subject_id=staff_id)


@use_case
async def set_language(staff_id: int, language: str | None) -> None:
    """What the panel speaks to somebody; None follows their browser. Raises Invalid("language")."""
    check_language(language)
    row = await _locked(staff_id)
    row.language = language
    await row.save(update_fields=["language"])


async def change_password(staff_id: int, old: str, new: str, *, actor: Actor, now: datetime) -> StaffView:
    """Change one's own password; every session begun before `now` ends.

    Raises Invalid("old", "wrong_password"), Invalid("password").
    """
    row = await StaffMember.get_or_none(id=staff_id)
    if row is None:
        raise NotFound("staff")
    if not await asyncio.to_thread(_matches, row.password_hash or _NOBODYS_HASH, old):
        raise Invalid("old", "wrong_password")
    check_password(new, row.email)
    hashed = await asyncio.to_thread(_HASHER.hash, new)
    return await _save_password(staff_id, row.password_hash, hashed, actor, now)


@use_case
async def _save_password(staff_id: int, seen: str | None, hashed: str, actor: Actor, now: datetime) -> StaffView:
    row = await _locked(staff_id)
    # Somebody changed it while we were hashing: what was proven no longer holds.
    if row.password_hash != seen:
        raise Invalid("old", "wrong_password")
    row.password_hash, row.sessions_from = hashed, now
    await row.save(update_fields=["password_hash", "sessions_from"])
    await _void_links(staff_id, now)
    await write_journal(actor, "staff.password_changed", now=now, subject_kind="staff", subject_id=staff_id)
    return await staff_member(staff_id)


@use_case
async def end_sessions(staff_id: int, *, actor: Actor, now: datetime) -> StaffView:
    """Sign somebody out everywhere. Raises NotFound("staff")."""
    row = await _locked(staff_id)
    row.sessions_from = now
    await row.save(update_fields=["sessions_from"])
    await write_journal(actor, "staff.sessions_ended", now=now, subject_kind="staff", subject_id=staff_id)
    return await staff_member(staff_id)


@use_case
async def add_key(
    name: str, scopes: Collection[Scope], location_ids: Collection[int] | None, *, actor: Actor, now: datetime
) -> str:
    """Make a key for another program; returns its text, which nobody can read again.

    `location_ids` None: every location, new ones too; the caller has looked that the named ones exist.
    Raises Invalid("name"), Invalid("scopes" | "location_ids", "required") for none.
    """
    called = clean_name(name)
    if not scopes:
        raise Invalid("scopes", "required")
    if location_ids is not None and not location_ids:
        raise Invalid("location_ids", "required")
    key = KEY_START + secrets.token_urlsafe(32)
    row = await ApiKey.create(
        name=called,
        prefix=key[:KEY_PREFIX],
        secret_hash=token_hash(key),
        scopes=sorted(set(scopes)),
        location_ids=None if location_ids is None else sorted(set(location_ids)),
        created_at=now,
        created_by_id=actor.staff_id,
    )
    await write_journal(actor, "key.added", now=now, subject_kind="key", subject_id=row.id, scopes=row.scopes)
    return key


@use_case
async def revoke_key(key_id: int, *, actor: Actor, now: datetime) -> None:
    """End a key for ever. Twice is once. Raises NotFound("api_key")."""
    row = await ApiKey.filter(id=key_id).select_for_update(no_key=True).first()
    if row is None:
        raise NotFound("api_key")
    if row.revoked_at is None:
        row.revoked_at = now
        await row.save(update_fields=["revoked_at"])
        await write_journal(actor, "key.revoked", now=now, subject_kind="key", subject_id=key_id)


async def note_key_use(key_id: int, now: datetime) -> None:
    """Keep that a key was used, unless that was kept within the last minute."""
    await execute(
        "UPDATE api_key SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)",
        key_id,
        now,
        now - timedelta(seconds=KEY_USE_SECONDS),
    )


async def _locked(staff_id: int) -> StaffMember:
    row = await StaffMember.filter(id=staff_id).select_for_update(no_key=True).first()
    if row is None:
        raise NotFound("staff")
    return row


async def _limit(staff_id: int, location_ids: Collection[int] | None) -> dict[str, list[int]]:
    """Let somebody's rights end with these locations, or with none. Returns what changed, for the journal.

    The account is locked, or was made by this transaction. Raises Invalid("location_ids", "unknown_choice").
    """
    wanted = sorted(set(location_ids or ()))
    before = await fetch("SELECT location_id FROM staff_location WHERE staff_id = $1 ORDER BY 1", staff_id)
    if [row["location_id"] for row in before] == wanted:
        return {}
    await execute("DELETE FROM staff_location WHERE staff_id = $1", staff_id)
    kept = await fetch(
        "INSERT INTO staff_location (staff_id, location_id)"
        " SELECT $1::int, id FROM location WHERE id = ANY($2::int[]) RETURNING location_id",
        staff_id,
        wanted,
    )
    if len(kept) != len(wanted):
        raise Invalid("location_ids", "unknown_choice")
    return {"location_ids": wanted}


async def _keep_an_owner(staff_id: int) -> None:
    """Refuse when nobody else could run the installation.

    All owners are locked in one order, so that two owners cannot disable each other at the same moment.
    """
    owners = (
        await StaffMember.filter(role=Role.OWNER, is_active=True, password_hash__isnull=False)
        .order_by("id")
        .select_for_update(no_key=True)
    )
    if not any(owner.id != staff_id for owner in owners):
        raise Refused("last_owner")


async def _new_token(staff_id: int, lifetime: timedelta, now: datetime) -> str:
    await _void_links(staff_id, now)
    token = secrets.token_urlsafe(32)
    await StaffInvitation.create(staff_id=staff_id, token_hash=token_hash(token), expires_at=now + lifetime)
    return token


async def _void_links(staff_id: int, now: datetime) -> None:
    await StaffInvitation.filter(staff_id=staff_id, used_at__isnull=True).update(used_at=now)


def _what_clashed(error: IntegrityError) -> Invalid:
    """The base refused the row: the address was taken a moment ago, or there is no such location."""
    return Invalid("email", "email_taken") if "email" in str(error) else Invalid("location_id", "unknown_choice")


def _matches(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
