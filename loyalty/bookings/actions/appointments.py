"""Recording and changing appointments. Each use case is one transaction and leaves a line in the journal."""

from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.bonuses.actions.tiers import follow_visits
from loyalty.bookings.actions.counting import recount_bookings
from loyalty.bookings.queries import AppointmentView, appointment
from loyalty.bookings.rules import AppointmentDraft, Changes, Door, Guest, Source, State, checked
from loyalty.clock import business_date
from loyalty.customers.actions.moving import hold_cards
from loyalty.customers.actions.profile import add_customer
from loyalty.customers.queries import find_by_phone
from loyalty.customers.rules import Profile, Via, clean_name
from loyalty.errors import Conflict, Invalid, NotFound, Refused
from loyalty.receipts.actions.visits import bring_back
from loyalty.shop.queries import location, shop
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor


@dataclass(frozen=True, slots=True)
class Booked:
    """What recording led to. `repeated`: the key was known, and nothing was done. `is_new`: the customer is."""

    appointment: AppointmentView
    repeated: bool = False
    is_new: bool = False


@db.use_case
async def record_appointment(draft: AppointmentDraft, *, door: Door, actor: Actor, now: datetime) -> Booked:
    """Keep an appointment, and count what follows from it.

    The key (location, external id) makes it safe to send twice: the same body is answered with the appointment as it
    is by now, marked `repeated`. A guest whose phone nobody has becomes a customer, without any consent, and with the
    phone unverified. Somebody who was deleted from the base is back in it; a merged card stands for the one it became.
    Raises Conflict("key_was_used") for the same key with another body, Invalid for a bad draft, for an unknown phone
    without a name, for a team member or a service that is not there, NotFound("customer" | "location"),
    Refused("location_is_closed") for what is still to come there.
    """
    place = await location(draft.location_id)
    draft = checked(draft, place.time_zone, now)
    seen = await _seen(draft)
    if seen is not None:
        return seen
    if not place.is_open and draft.state is State.PLANNED and draft.starts_at > now:
        raise Refused("location_is_closed")
    customer_id, is_new = await _guest(draft, actor=actor, now=now)
    customer_id = await _locked(customer_id)
    await _check_choices(draft)
    appointment_id: int = await db.fetch_value(
        INSERT,
        customer_id,
        *_columns(draft, place.time_zone),
        draft.location_id,
        draft.source.value,
        draft.external_id,
        draft.body_hash(),
        door.value,
        actor.staff_id,
        actor.api_key_id,
        now,
    )
    await db.execute(ADD_SERVICES, appointment_id, list(draft.service_ids))
    if draft.state in {State.PLANNED, State.CAME}:
        await bring_back(customer_id, actor=actor, now=now)
    await _note("appointment.added", appointment_id, customer_id, draft.state, actor=actor, now=now)
    await _count(customer_id, {draft.state}, actor=actor, now=now)
    return Booked(await appointment(appointment_id), is_new=is_new)


@db.use_case
async def change_appointment(appointment_id: int, changes: Changes, *, actor: Actor, now: datetime) -> AppointmentView:
    """Correct an appointment: only the named fields; the same again is nothing. Any state may follow any.

    Somebody who came and was deleted from the base is back in it.
    Raises NotFound("appointment"), and Invalid like `record_appointment`.
    """
    known = await _locked_appointment(appointment_id)
    before = _draft_of(known)
    draft = checked(changes.over(before), known.time_zone, now)
    if draft == before:
        return known
    if draft.team_member_id != before.team_member_id or draft.service_ids != before.service_ids:
        await _check_choices(draft)
    await db.execute(UPDATE, appointment_id, *_columns(draft, known.time_zone), now)
    if draft.service_ids != before.service_ids:
        await db.execute("DELETE FROM appointment_service WHERE appointment_id = $1", appointment_id)
        await db.execute(ADD_SERVICES, appointment_id, list(draft.service_ids))
    if draft.state is State.CAME:
        await bring_back(known.customer_id, actor=actor, now=now)
    await _note(
        "appointment.changed" if draft.state is before.state else f"appointment.{draft.state}",
        appointment_id,
        known.customer_id,
        draft.state,
        actor=actor,
        now=now,
        before=before.state,
    )
    await _count(known.customer_id, {before.state, draft.state}, actor=actor, now=now)
    return await appointment(appointment_id)


SEEN = "SELECT id, body_hash FROM appointment WHERE location_id = $1 AND external_id = $2"  # appointment_external
INSERT = """
    INSERT INTO appointment (customer_id, team_member_id, starts_at, ends_at, business_date, state, tips, location_id,
        source, external_id, body_hash, created_via, created_by_id, api_key_id, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15) RETURNING id
"""
UPDATE = """
    UPDATE appointment SET team_member_id = $2, starts_at = $3, ends_at = $4, business_date = $5, state = $6, tips = $7,
        updated_at = $8 WHERE id = $1
"""
ADD_SERVICES = "INSERT INTO appointment_service (appointment_id, service_id) SELECT $1, unnest($2::int[])"
WHOSE = "SELECT coalesce(merged_into_id, id) AS id, erased_at IS NOT NULL AS is_erased FROM customer WHERE id = $1"
CHOICES = """
    SELECT ($1::int IS NULL OR EXISTS (SELECT FROM team_member WHERE id = $1)) AS team_member_id,
        (SELECT count(*) FROM service WHERE id = ANY($2::int[])) = cardinality($2) AS service_ids
"""


async def _seen(draft: AppointmentDraft) -> Booked | None:
    """The answer under a key that is known. One after the other: nobody else begins with this key meanwhile."""
    if draft.external_id is None:
        return None
    name = f"appointment {draft.location_id} {draft.external_id}"
    await db.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", name)
    row = await db.fetch_row(SEEN, draft.location_id, draft.external_id)
    if row is None:
        return None
    if row["body_hash"] != draft.body_hash():
        raise Conflict("key_was_used")
    return Booked(await appointment(row["id"]), repeated=True)


async def _guest(draft: AppointmentDraft, *, actor: Actor, now: datetime) -> tuple[int, bool]:
    """Whose appointment it is, and whether they are new."""
    if draft.guest is None:
        assert draft.customer_id is not None, "`checked` has looked"
        return draft.customer_id, False
    owner = await find_by_phone(draft.guest.phone)
    if owner is not None:
        return owner, False
    try:
        profile = await _profile(draft.guest, draft.location_id)
        return (await add_customer(profile, via=Via.BOOKING, actor=actor, now=now)).id, True
    except Refused as refused:
        # Somebody was added with this phone since we looked.
        if refused.reason != "phone_taken" or refused.details.get("customer_id") is None:
            raise
        return refused.details["customer_id"], False


async def _profile(guest: Guest, location_id: int) -> Profile:
    language = (await shop()).language
    return Profile(clean_name(guest.name), guest.phone, None, None, None, language, location_id)


async def _locked(customer_id: int) -> int:
    """Lock the customer, or whoever their card has become; returns whom."""
    while True:
        await hold_cards([customer_id])
        person = await db.fetch_row(WHOSE, customer_id)
        if person is None or person["is_erased"]:
            raise NotFound("customer")
        if person["id"] == customer_id:
            return customer_id
        customer_id = person["id"]


async def _locked_appointment(appointment_id: int) -> AppointmentView:
    """The appointment behind its customer's lock: read again, because a merge may have moved it before."""
    known = await appointment(appointment_id)
    while True:
        await hold_cards([known.customer_id])
        again = await appointment(appointment_id)
        if again.customer_id == known.customer_id:
            return again
        known = again


async def _check_choices(draft: AppointmentDraft) -> None:
    row = await db.fetch_row(CHOICES, draft.team_member_id, list(draft.service_ids))
    assert row is not None
    for field, is_there in row.items():
        if not is_there:
            raise Invalid(field, "unknown_choice")


def _columns(draft: AppointmentDraft, zone: str) -> tuple[object, ...]:
    """What a change may change, in the order of both statements."""
    day = business_date(draft.starts_at, zone)
    return draft.team_member_id, draft.starts_at, draft.ends_at, day, draft.state.value, draft.tips


def _draft_of(known: AppointmentView) -> AppointmentDraft:
    return AppointmentDraft(
        known.location_id,
        known.starts_at,
        known.customer_id,
        None,
        known.ends_at,
        State(known.state),
        Source(known.source),
        known.team_member_id,
        tuple(known.service_ids),
        known.tips,
        known.external_id,
    )


async def _count(customer_id: int, states: set[State], *, actor: Actor, now: datetime) -> None:
    await recount_bookings(customer_id, now=now)
    if State.CAME in states:
        await follow_visits(customer_id, actor=actor, now=now)


async def _note(
    action: str, appointment_id: int, customer_id: int, state: State, *, actor: Actor, now: datetime, **more: State
) -> None:
    details = {"customer": customer_id, "state": state.value, **{name: one.value for name, one in more.items()}}
    await write_journal(actor, action, now=now, subject_kind="appointment", subject_id=appointment_id, **details)
