"""Files of customers: asking for one, taking it, withdrawing it, and its end by time or by an erasure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.office.exporting import CELLS, ERASED, WITHDRAWN, ExportState, FileFormat, FileWords, why_not
from loyalty.office.queries.exports import ExportView, export, taker_of
from loyalty.segments.queries.base import Look
from loyalty.segments.queries.whole import count_of
from loyalty.staff.actions import write_journal
from loyalty.staff.queries import StaffView, staff_member
from loyalty.staff.rules import Actor

TICKED_AT_MOST = 1_000
WAITING_AT_MOST = 3
"""So many files of one person may be under way."""
# Who takes an erased person out of the base holds it alone, who begins to read the base for a file beside others.
ERASING_LOCK = 0x4552_4153_4558_504F  # "ERASEXPO"

ASK = """
INSERT INTO file_export (key, look, chosen, format, columns, words, location_ids, shows_phones, language, email, state,
    total, rows, size, staff_id, created_at)
VALUES ($1, $2::jsonb, $3::jsonb, $4, $5::jsonb, $6::jsonb, $7::jsonb, $8, $9, $10, 'queued', $11, 0, 0, $12, $13)
ON CONFLICT (key) DO NOTHING RETURNING id
"""
# Index: file_export_waiting.
WAITING = "SELECT count(*) FROM file_export WHERE state IN ('queued', 'running') AND staff_id = $1"
TAKEN = "INSERT INTO file_download (export_id, staff_id, by_link, at) VALUES ($1, $2, $3, $4)"
WITHDRAW = """
UPDATE file_export SET state = 'cancelled', failure = $2, finished_at = coalesce(finished_at, $3::timestamptz)
WHERE id = $1 AND state IN ('queued', 'running', 'done') RETURNING id
"""
EMPTY = "DELETE FROM file_export_piece WHERE export_id = ANY($1::int[])"
# Files are hundreds: no index is worth its keep.
EXPIRED = """
UPDATE file_export SET state = 'expired' WHERE id IN (SELECT id FROM file_export
    WHERE state = 'done' AND expires_at <= $1 ORDER BY id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED) RETURNING id
"""
# Whom a filter has found is not known any more, so any such file may hold them; those who were ticked are known.
HOLDING = """
UPDATE file_export e SET state = 'cancelled', failure = $2, finished_at = coalesce(e.finished_at, $3::timestamptz)
WHERE e.state IN ('queued', 'running', 'done') AND (e.chosen IS NULL
    OR EXISTS (SELECT FROM jsonb_array_elements_text(e.chosen) one WHERE one::bigint = ANY($1::bigint[])))
RETURNING e.id
"""
# What somebody typed to find them.
SEARCHES = """
UPDATE file_export SET look = look - 'q'
WHERE look ? 'q' AND created_at >= (SELECT min(created_at) FROM customer_facts WHERE customer_id = ANY($1::bigint[]))
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants as a file. chosen: those who were ticked, else all whom the look finds.

    said: the search, the filter and the order, as an address says them. columns: keys of the base's columns. email:
    where the link goes; empty where no mail can be sent. shows_phones: whether its asker may see them.
    """

    look: Look
    chosen: tuple[int, ...] | None
    said: dict[str, str]
    format: FileFormat
    columns: tuple[str, ...]
    words: FileWords
    shows_phones: bool
    language: str
    email: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that may be handed over now: its pieces follow."""

    id: int
    name: str
    format: FileFormat
    size: int


@db.use_case
async def ask_export(wish: Wish, *, key: str, actor: Actor, now: datetime) -> int:
    """Have a file made of everybody found, or of those who were ticked; returns its id. The same key asks once.

    Who stands in it is settled when it is begun, in some seconds. Raises Invalid("columns"), Refused("nobody_is_found"
    | "too_many_customers" | "too_many_files").
    """
    if not wish.columns or not set(wish.columns) <= set(CELLS):
        raise Invalid("columns", "unknown_choice")
    if wish.chosen is not None and len(wish.chosen) > TICKED_AT_MOST:
        raise Refused("too_many_customers", limit=TICKED_AT_MOST)
    if (known := await db.fetch_value("SELECT id FROM file_export WHERE key = $1", f"form:{key}")) is not None:
        return int(known)
    if await db.fetch_value(WAITING, actor.staff_id) >= WAITING_AT_MOST:
        raise Refused("too_many_files", limit=WAITING_AT_MOST)
    total = await count_of(wish.look, wish.chosen, now=now)
    if not total:
        raise Refused("nobody_is_found")
    export_id = await db.fetch_value(
        ASK,
        f"form:{key}",
        db.to_json(wish.said),
        None if wish.chosen is None else db.to_json(wish.chosen),
        wish.format.value,
        db.to_json(wish.columns),
        db.to_json(wish.words.to_body()),
        None if wish.look.locations is None else db.to_json(wish.look.locations),
        wish.shows_phones,
        wish.language,
        wish.email,
        total,
        actor.staff_id,
        now,
    )
    if export_id is None:
        return int(await db.fetch_value("SELECT id FROM file_export WHERE key = $1", f"form:{key}"))
    shown = "phone" in wish.columns and wish.shows_phones
    await _note("export.asked", export_id, actor=actor, now=now, customers=total, phones=shown)
    return int(export_id)


@db.use_case
async def take_export(export_id: int, person: StaffView, *, actor: Actor, now: datetime) -> Taken:
    """Let somebody of the panel have a file; who took it and when is kept.

    Raises NotFound("export") for one that they may not know of, Refused("file_is_not_ready" | "file_is_gone" |
    "file_has_expired" | "file_shows_phones" | "file_is_of_other_locations").
    """
    view = await visible_export(export_id, person)
    _check(view, person, now=now)
    return await _hand_over(view, person.id, actor=actor, now=now)


@db.use_case
async def take_by_link(export_id: int, *, actor: Actor, now: datetime) -> Taken:
    """Let whoever has the link have a file: for its asker, by the asker's rights of now. Raises as `take_export`."""
    view = await export(export_id)
    await may_take_by_link(view, now=now)
    return await _hand_over(view, None, actor=actor, now=now)


async def may_take_by_link(view: ExportView, *, now: datetime) -> None:
    """Raise Refused like `take_export` unless whoever has the link may have the file now."""
    if view.staff_id is None:
        raise Refused("file_is_not_yours")
    _check(view, await staff_member(view.staff_id), now=now)


@db.use_case
async def withdraw(export_id: int, person: StaffView, *, actor: Actor, now: datetime) -> None:
    """End a file before its time, also one that is being made: its link opens nothing from now on. Twice is once.

    Raises NotFound("export") for one that they may not know of, Refused("file_is_gone") when there is none any more.
    """
    view = await visible_export(export_id, person)
    if view.state is ExportState.CANCELLED:
        return
    if await db.fetch_value(WITHDRAW, export_id, WITHDRAWN, now) is None:
        raise Refused("file_is_gone")
    await db.execute(EMPTY, [export_id])
    await _note("export.withdrawn", export_id, actor=actor, now=now)


@db.use_case
async def expire_exports(*, now: datetime, limit: int) -> int:
    """Delete the files whose time is over; returns how many. That there was one stays. Safe twice."""
    ended = [row["id"] for row in await db.fetch(EXPIRED, now, limit)]
    await db.execute(EMPTY, ended)
    return len(ended)


async def erase(customer_ids: Sequence[int], *, now: datetime) -> None:
    """Withdraw every file that may hold these people, in the transaction that erases them.

    A file that begins meanwhile waits for its end, and does not find them.
    """
    await db.execute("SELECT pg_advisory_xact_lock($1)", ERASING_LOCK)
    ended = [row["id"] for row in await db.fetch(HOLDING, list(customer_ids), ERASED, now)]
    await db.execute(EMPTY, ended)
    await db.execute(SEARCHES, list(customer_ids))


async def visible_export(export_id: int, person: StaffView) -> ExportView:
    """A file that somebody may know of: their own, or anybody's for who sees all. Raises NotFound("export")."""
    view, taker = await export(export_id), taker_of(person)
    if view.staff_id != taker.staff_id and not taker.may_see_all:
        raise NotFound("export")
    return view


def _check(view: ExportView, person: StaffView, *, now: datetime) -> None:
    """Raise Refused unless there is a file, and this person may have it."""
    if reason := why_not(view.contents, taker_of(person)):
        raise Refused(reason)
    if view.is_under_way:
        raise Refused("file_is_not_ready")
    if not view.can_be_taken(now):
        is_over = view.state in {ExportState.DONE, ExportState.EXPIRED}
        raise Refused("file_has_expired" if is_over else "file_is_gone")


async def _hand_over(view: ExportView, staff_id: int | None, *, actor: Actor, now: datetime) -> Taken:
    """Write down who takes it; None: whoever has the link."""
    by_link = staff_id is None
    await db.execute(TAKEN, view.id, staff_id, by_link, now)
    await _note("export.taken", view.id, actor=actor, now=now, by_link=by_link)
    return Taken(view.id, f"{view.words.title or 'customers'}-{view.id}", view.format, view.size)


async def _note(action: str, export_id: int, *, actor: Actor, now: datetime, **details: object) -> None:
    await write_journal(actor, action, subject_kind="export", subject_id=export_id, now=now, **details)
