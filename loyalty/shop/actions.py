"""What changes about the chain. Each use case is one transaction and leaves a line in the journal."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from loyalty.db import execute, fetch, fetch_value, use_case
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.shop import models
from loyalty.shop.queries import has_receipts, location, names_programme, programme_at, shop
from loyalty.shop.rules import (
    ADDRESS_LENGTH,
    CURRENCY_EXPONENTS,
    NAME_LENGTH,
    Hours,
    LocationView,
    Programme,
    ShopView,
    changed_fields,
    check_hours,
    check_programme,
    check_region,
    check_time_zone,
    clean_drives,
    clean_line,
)
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor, check_language


@use_case
async def update_shop(
    *, name: str, currency: str, region: str, language: str, time_zone: str, actor: Actor, now: datetime
) -> ShopView:
    """Change the chain's settings.

    Raises Invalid for a field, Refused("currency_is_fixed") once a receipt exists: sums are stored in its
    minor units and would change their meaning.
    """
    called = clean_line("name", name, NAME_LENGTH)
    if currency not in CURRENCY_EXPONENTS:
        raise Invalid("currency", "unknown_choice")
    check_region(region)
    check_language(language)
    check_time_zone(time_zone)
    row = await models.Shop.filter(id=1).select_for_update(no_key=True).get()
    if row.currency != currency and await has_receipts():
        raise Refused("currency_is_fixed")
    wanted = {
        "name": called,
        "currency": currency,
        "exponent": CURRENCY_EXPONENTS[currency],
        "region": region,
        "language": language,
        "time_zone": time_zone,
    }
    changed = {field: value for field, value in wanted.items() if getattr(row, field) != value}
    if changed:
        row.update_from_dict(changed)
        await row.save(update_fields=list(changed))
        await write_journal(actor, "shop.changed", now=now, fields=sorted(changed))
    return await shop()


@use_case
async def add_location(
    *,
    name: str,
    address: str = "",
    time_zone: str,
    hours: Hours | None = None,
    fiscal_drives: Collection[str] = (),
    actor: Actor,
    now: datetime,
) -> LocationView:
    """Add a place that sells. Raises Invalid for a field, as `update_location` does."""
    check_time_zone(time_zone)
    check_hours(hours)
    row = await models.Location.create(
        name=clean_line("name", name, NAME_LENGTH),
        address=clean_line("address", address, ADDRESS_LENGTH, required=False),
        time_zone=time_zone,
        hours=hours.to_body() if hours else None,
        created_at=now,
    )
    await _set_drives(row.id, clean_drives(fiscal_drives))
    await write_journal(actor, "location.added", now=now, subject_kind="location", subject_id=row.id)
    return await location(row.id)


@use_case
async def update_location(
    location_id: int,
    *,
    name: str,
    address: str,
    time_zone: str,
    burns_without_code: bool,
    hours: Hours | None,
    fiscal_drives: Collection[str],
    actor: Actor,
    now: datetime,
) -> LocationView:
    """Change a location; `hours` None: not told. Raises NotFound("location"), Invalid for a field.

    A fiscal drive stands at one location: Invalid("fiscal_drives", "drive_taken", location_id=..., drive=...).
    """
    check_time_zone(time_zone)
    check_hours(hours)
    drives = clean_drives(fiscal_drives)
    wanted = {
        "name": clean_line("name", name, NAME_LENGTH),
        "address": clean_line("address", address, ADDRESS_LENGTH, required=False),
        "time_zone": time_zone,
        "burns_without_code": burns_without_code,
        "hours": hours.to_body() if hours else None,
    }
    row = await _locked(location_id)
    before = await location(location_id)
    changed = {field: value for field, value in wanted.items() if getattr(row, field) != value}
    if changed:
        row.update_from_dict(changed)
        await row.save(update_fields=list(changed))
    if drives != list(before.fiscal_drives):
        await _set_drives(location_id, drives)
        changed["fiscal_drives"] = drives
    if not changed:
        return before
    subject: dict[str, Any] = {"subject_kind": "location", "subject_id": location_id}
    if "burns_without_code" in changed:
        # A line of its own: this switch decides whether burning needs a proof.
        await write_journal(actor, _burning_act(allowed=burns_without_code), now=now, **subject)
    if rest := sorted(changed.keys() - {"burns_without_code"}):
        await write_journal(actor, "location.changed", now=now, **subject, fields=rest)
    return await location(location_id)


@use_case
async def close_location(location_id: int, *, actor: Actor, now: datetime) -> None:
    """Stop selling there; its past stays. Twice is once. Raises NotFound("location")."""
    await _set_open(location_id, actor=actor, now=now, is_open=False)


@use_case
async def reopen_location(location_id: int, *, actor: Actor, now: datetime) -> None:
    """Sell there again. Twice is once. Raises NotFound("location")."""
    await _set_open(location_id, actor=actor, now=now, is_open=True)


@use_case
async def set_programme(programme: Programme, *, effective_from: datetime, actor: Actor, now: datetime) -> int:
    """Add a version of the programme, in force from `effective_from`, which is not behind `now`; returns its id.

    The journal names the settings that differ from what would have been in force then. Raises Invalid for a field,
    Invalid("effective_from", "in_the_past"): what was sold was sold by the rules of its time.
    """
    check_programme(programme)
    if effective_from < now:
        raise Invalid("effective_from", "in_the_past")
    changed = changed_fields(await programme_at(effective_from), programme)
    row = await models.Programme.create(
        effective_from=effective_from, body=programme.to_body(), staff_id=actor.staff_id, created_at=now
    )
    await write_journal(actor, "programme.set", now=now, subject_kind="programme", subject_id=row.id, fields=changed)
    return row.id


@use_case
async def cancel_programme(version_id: int, *, actor: Actor, now: datetime) -> None:
    """Take back a version whose time has not come. Twice is NotFound("programme").

    Raises Refused("programme_has_begun"): what somebody earned by stays on record.
    """
    await lock_programme()
    row = await models.Programme.filter(id=version_id).first()
    if row is None:
        raise NotFound("programme")
    if row.effective_from <= now or await names_programme(version_id):
        raise Refused("programme_has_begun")
    await row.delete()
    await write_journal(actor, "programme.cancelled", now=now, subject_kind="programme", subject_id=version_id)


async def lock_programme() -> None:
    """Let nobody else change the programme until the open use case ends."""
    await fetch_value("SELECT id FROM shop WHERE id = 1 FOR NO KEY UPDATE")


async def _set_open(location_id: int, *, actor: Actor, now: datetime, is_open: bool) -> None:
    row = await _locked(location_id)
    if row.is_open is is_open:
        return
    row.is_open = is_open
    await row.save(update_fields=["is_open"])
    action = "location.reopened" if is_open else "location.closed"
    await write_journal(actor, action, now=now, subject_kind="location", subject_id=location_id)


async def _set_drives(location_id: int, drives: list[str]) -> None:
    """Let a location have these fiscal drives, in order, and no others."""
    await execute("DELETE FROM fiscal_drive WHERE location_id = $1 AND fn <> ALL ($2::text[])", location_id, drives)
    # Whoever gives the same drive to another location at once waits here, and then finds it taken.
    await execute(
        "INSERT INTO fiscal_drive (fn, location_id) SELECT fn, $1 FROM unnest($2::text[]) fn ON CONFLICT DO NOTHING",
        location_id,
        drives,
    )
    taken = await fetch(
        "SELECT fn, location_id FROM fiscal_drive WHERE fn = ANY ($2::text[]) AND location_id <> $1 ORDER BY fn",
        location_id,
        drives,
    )
    if taken:
        other = taken[0]
        raise Invalid("fiscal_drives", "drive_taken", location_id=other["location_id"], drive=other["fn"])


async def _locked(location_id: int) -> models.Location:
    row = await models.Location.filter(id=location_id).select_for_update(no_key=True).first()
    if row is None:
        raise NotFound("location")
    return row


def _burning_act(*, allowed: bool) -> str:
    return "location.burns_freely" if allowed else "location.burns_with_code"
