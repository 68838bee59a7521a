"""Files of appointments: the dry run, the run, and taking it back. Each line goes through the bookings' own door."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.bookings.actions.appointments import change_appointment, record_appointment
from loyalty.bookings.actions.team import add_service, add_team_member
from loyalty.bookings.queries import AppointmentView, appointment
from loyalty.bookings.rules import Changes, Door, ServiceDraft, State, TeamMemberDraft
from loyalty.clock import business_date
from loyalty.customers.actions.profile import lock_customers
from loyalty.errors import Invalid, LoyaltyError
from loyalty.office.actions.import_checking import cells_by_target
from loyalty.office.actions.import_task import (
    Line,
    Outcome,
    Task,
    count,
    expect,
    fetch_all_of_it,
    keep,
    mark,
    next_lines,
)
from loyalty.office.importing import Mode, Pass, RowState
from loyalty.office.importing.bookings import FIELDS, Booking, BookingGround, booking_from, booking_of
from loyalty.shop.queries import locations, shop

ROWS, RUN_ROWS = 1_000, 50
COMPARED = ("starts_at", "ends_at", "state", "team_member_id", "service_ids", "tips")
NAMES = """
SELECT 'team' AS kind, id, name FROM team_member WHERE archived_at IS NULL
UNION ALL SELECT 'services', id, name FROM service WHERE archived_at IS NULL ORDER BY id
"""
# A further line of an appointment says the same, or is left out. Of somebody new the first line tells the name.
TWINS = """
WITH draft AS (
    SELECT number, details->'draft' AS body FROM file_import_row
    WHERE import_id = $1 AND number > $2 AND expected IS NULL
), led AS (
    SELECT number, body, min(number) OVER (PARTITION BY body->>'location_id', body->>'external_id') AS head,
        coalesce(bool_or(body->>'name' <> '') OVER (PARTITION BY body->>'phone' ORDER BY number
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS is_named
    FROM draft
), judged AS (
    SELECT led.number, led.head, led.is_named, led.head <> led.number AS is_further, head.body = led.body AS is_same
    FROM led JOIN draft head ON head.number = led.head
)
UPDATE file_import_row r SET
    reason = CASE WHEN is_further AND NOT is_same THEN 'line_differs' WHEN is_further THEN 'line_says_so' END,
    expected = CASE WHEN is_further AND NOT is_same THEN 'refused' WHEN is_further THEN 'same' END,
    details = CASE WHEN is_further THEN jsonb_build_object('line', judged.head)
        ELSE r.details || jsonb_build_object('is_named', is_named) END
FROM judged WHERE r.import_id = $1 AND r.number = judged.number RETURNING r.number
"""
# Indexes: appointment_external; the unique one on phones.
FOUND = """
SELECT part.place, a.id AS appointment_id, coalesce(p.merged_into_id, p.id) AS customer_id
FROM unnest($1::int[], $2::text[], $3::text[]) WITH ORDINALITY part (location_id, external_id, phone, place)
    LEFT JOIN appointment a ON a.location_id = part.location_id AND a.external_id = part.external_id
    LEFT JOIN customer p ON p.phone = part.phone
ORDER BY part.place
"""
CHECKED = "UPDATE file_import SET state = 'checked' WHERE id = $1"
UNDO_NEXT = """
SELECT number, before FROM file_import_row WHERE import_id = $1 AND number < $2 AND state IN ('added', 'changed')
ORDER BY number DESC LIMIT $3
"""
UNDONE = """
UPDATE file_import_row SET state = CASE WHEN $3::text IS NULL THEN 'undone' ELSE state END, reason = $3
WHERE import_id = $1 AND number = $2
"""
PLACE = "UPDATE file_import SET place = $2 WHERE id = $1"


@dataclass(frozen=True, slots=True)
class Found:
    """What is there already: the appointment of a line's key, and whose phone it is."""

    appointment: AppointmentView | None
    customer_id: int | None


async def check_some(task: Task) -> int:
    """Go on with a dry run; returns how many lines were gone through. Joins a transaction that holds the import."""
    if task.settings.stage is Pass.TWINS:
        await fetch_all_of_it(TWINS, task)
        await keep(task, replace(task.settings, stage=Pass.DECIDE), task.settings.header)
        return ROWS
    lines = await next_lines(task, ROWS)
    is_first = task.settings.stage is Pass.PARSE
    if not lines:
        if is_first:
            await keep(task, replace(task.settings, stage=Pass.TWINS), task.settings.header)
            return ROWS
        await db.execute(CHECKED, task.id)
        return 0
    ground = await _ground(task)
    if is_first:
        await _parse(task, lines, ground)
        await keep(task, task.settings, lines[-1].number)
    else:
        await _decide(task, lines, ground)
    return len(lines)


async def run_some(task: Task) -> int:
    """Do the next lines; returns how many. Joins a transaction that holds the import."""
    lines = await next_lines(task, RUN_ROWS)
    if not lines:
        return 0
    ground = await _ground(task)
    todo = {line.number: booking_from(line.details["draft"]) for line in lines if "draft" in line.details}
    found = await _found(list(todo.values()))
    await lock_customers(sorted({one.customer_id for one in found if one.customer_id is not None}))
    outcomes = []
    for line in lines:
        if line.number in todo:
            outcomes.append(await _run_one(task, line, todo[line.number], ground))
        else:
            details = {name: value for name, value in line.details.items() if name == "line"}
            # Without a draft it is left out, says the same as another one, or was of somebody who was erased.
            state = line.expected if line.expected is RowState.SAME else RowState.REFUSED
            outcomes.append(Outcome(line.number, state, line.reason or "is_not_in_base", line.field, details))
    await mark(task, outcomes)
    await count(task, outcomes)
    return len(lines)


async def undo_some(task: Task) -> int:
    """Take the next lines back, from the last one on: what was added is cancelled, what was changed is as before.

    What somebody has changed since stays. Who came by the file stays in the base.
    """
    rows = await db.fetch(UNDO_NEXT, task.id, task.place, RUN_ROWS)
    for row in rows:
        before = db.from_json(row["before"]) or {}
        await db.execute(UNDONE, task.id, row["number"], await _undo_one(task, before))
    if rows:
        await db.execute(PLACE, task.id, rows[-1]["number"])
    return len(rows)


async def _parse(task: Task, lines: Sequence[Line], ground: BookingGround) -> None:
    outcomes = []
    for line in lines:
        try:
            booking = booking_of(cells_by_target(line.cells, task.settings.mapping), ground)
        except Invalid as error:
            outcomes.append(Outcome(line.number, RowState.REFUSED, error.reason, error.field, error.details))
        else:
            outcomes.append(Outcome(line.number, None, details={"draft": booking.to_body()}))
    await expect(task, outcomes)


async def _decide(task: Task, lines: Sequence[Line], ground: BookingGround) -> None:
    todo = [line for line in lines if line.expected is None and "draft" in line.details]
    bookings = [booking_from(line.details["draft"]) for line in todo]
    closed = {place.id for place in await locations() if not place.is_open}
    # What was emptied since it was read is of somebody who was erased.
    expected = {
        line.number: Outcome(line.number, RowState.REFUSED, "is_not_in_base")
        for line in lines
        if not (line.expected or line.details)
    }
    for line, booking, found in zip(todo, bookings, await _found(bookings), strict=True):
        state, reason, field = _decided(booking, found, ground, is_named=bool(line.details.get("is_named")))
        is_ahead = booking.state is State.PLANNED and booking.starts_at > ground.now
        if state is RowState.ADDED and booking.location_id in closed and is_ahead:
            state, reason, field = RowState.REFUSED, "location_is_closed", "location"
        details = line.details if state is not RowState.REFUSED else None
        expected[line.number] = Outcome(line.number, state, reason, field, details, found.customer_id)
    await expect(task, list(expected.values()))
    await count(task, [expected.get(line.number) or Outcome(line.number, line.expected) for line in lines])


def _decided(
    booking: Booking, found: Found, ground: BookingGround, *, is_named: bool
) -> tuple[RowState, str | None, str | None]:
    """What becomes of a line, why, and because of which cell."""
    if found.appointment is None:
        if found.customer_id is None and not booking.name and not is_named:
            return RowState.REFUSED, "required", "name"
        return RowState.ADDED, None, None
    if not _differences(booking, found.appointment, ground):
        return RowState.SAME, None, None
    if ground.options.mode is not Mode.OVERWRITE:
        return RowState.SAME, "left_as_it_is", None
    return RowState.CHANGED, None, None


def _differences(booking: Booking, known: AppointmentView, ground: BookingGround) -> dict[str, Any]:
    """What a line says otherwise than an appointment, by field. What it does not say is no difference."""
    draft = booking.draft(ground)
    said = {name: getattr(draft, name) for name in COMPARED}
    said["service_ids"] = tuple(sorted(draft.service_ids))
    known_values = {name: getattr(known, name) for name in COMPARED}
    known_values["service_ids"] = tuple(sorted(known.service_ids))
    silent = {name for name in ("ends_at", "team_member_id", "service_ids") if not said[name]}
    if len(draft.service_ids) < len(booking.services) or (booking.team_member and draft.team_member_id is None):
        # Names that are still to be made are other ones.
        silent = set()
    return {name: value for name, value in said.items() if name not in silent and value != known_values[name]}


async def _run_one(task: Task, line: Line, booking: Booking, ground: BookingGround) -> Outcome:
    try:
        async with db.transaction():
            return await _record(task, line, booking, ground)
    except Invalid as error:
        return Outcome(line.number, RowState.REFUSED, error.reason[:40], FIELDS.get(error.field, error.field)[:40])
    except LoyaltyError as error:
        return Outcome(line.number, RowState.REFUSED, error.reason[:40])
    except db.OUTAGES:
        raise
    except Exception:  # noqa: BLE001  whatever it was, it is told by line
        return Outcome(line.number, RowState.REFUSED, "not_done")


async def _record(task: Task, line: Line, booking: Booking, ground: BookingGround) -> Outcome:
    ground = await _with_made(task, booking, ground)
    [found] = await _found([booking])
    if found.appointment is None:
        made = await record_appointment(booking.draft(ground), door=Door.IMPORT, actor=task.actor, now=task.now)
        before: dict[str, Any] = {"appointment": made.appointment.id, "new": True}
        return Outcome(line.number, RowState.ADDED, customer_id=made.appointment.customer_id, before=before)
    state, reason, field = _decided(booking, found, ground, is_named=True)
    if state is not RowState.CHANGED:
        return Outcome(line.number, state, reason, field, customer_id=found.appointment.customer_id)
    changes = _differences(booking, found.appointment, ground)
    former = {name: [_plain(getattr(found.appointment, name)), _plain(value)] for name, value in changes.items()}
    await change_appointment(
        found.appointment.id, Changes(frozenset(changes), **changes), actor=task.actor, now=task.now
    )
    before = {"appointment": found.appointment.id, "changes": former}
    return Outcome(line.number, RowState.CHANGED, customer_id=found.appointment.customer_id, before=before)


async def _with_made(task: Task, booking: Booking, ground: BookingGround) -> BookingGround:
    """The ground with whoever serves and whatever is done, made where the file names them first."""
    team, services = dict(ground.team), dict(ground.services)
    if booking.team_member and booking.team_member.casefold() not in team:
        draft = TeamMemberDraft(booking.team_member, location_id=booking.location_id)
        team[booking.team_member.casefold()] = (await add_team_member(draft, actor=task.actor, now=task.now))[0]
    for name in booking.services:
        if name.casefold() not in services:
            services[name.casefold()] = (await add_service(ServiceDraft(name), actor=task.actor, now=task.now))[0]
    if len(team) == len(ground.team) and len(services) == len(ground.services):
        return ground
    return await _ground(task)


async def _undo_one(task: Task, before: Mapping[str, Any]) -> str | None:
    """Take one line back; why it stays, else None."""
    known = await appointment(before["appointment"])
    if before.get("new"):
        if known.updated_at != known.created_at:
            return "changed_since"
        back = Changes(frozenset({"state"}), state=State.CANCELLED)
    else:
        former = {name: pair for name, pair in before["changes"].items() if _plain(getattr(known, name)) == pair[1]}
        if len(former) < len(before["changes"]):
            return "changed_since"
        values = {name: _full(name, pair[0]) for name, pair in former.items()}
        back = Changes(frozenset(values), **values)
    try:
        async with db.transaction():
            await change_appointment(known.id, back, actor=task.actor, now=task.now)
    except LoyaltyError as error:
        return error.reason[:40]
    return None


async def _found(bookings: Sequence[Booking]) -> list[Found]:
    rows = await db.fetch(
        FOUND,
        [one.location_id for one in bookings],
        [one.external_id for one in bookings],
        [one.phone for one in bookings],
    )
    return [
        Found(await appointment(row["appointment_id"]) if row["appointment_id"] else None, row["customer_id"])
        for row in rows
    ]


async def _ground(task: Task) -> BookingGround:
    chain = await shop()
    places: dict[str, tuple[int, str]] = {}
    for place in await locations():
        places.setdefault(place.name.casefold(), (place.id, place.time_zone))
    names: dict[str, dict[str, int]] = {"team": {}, "services": {}}
    for row in await db.fetch(NAMES):
        names[row["kind"]].setdefault(row["name"].casefold(), row["id"])
    return BookingGround(
        options=task.settings.options,
        region=chain.region,
        exponent=chain.exponent,
        today=business_date(task.now, chain.time_zone),
        now=task.now,
        places=places,
        team=names["team"],
        services=names["services"],
    )


def _plain(value: Any) -> Any:
    """A field as JSON keeps it."""
    if isinstance(value, datetime):
        return value.isoformat()
    return sorted(value) if isinstance(value, list | tuple) else value


def _full(name: str, value: Any) -> Any:
    """A field out of JSON."""
    if name in {"starts_at", "ends_at"} and value is not None:
        return datetime.fromisoformat(value)
    if name == "service_ids":
        return tuple(value)
    return State(value) if name == "state" else value
