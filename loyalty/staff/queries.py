"""Reads of people of the panel and of the journal."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from loyalty.db import Row, fetch, fetch_row, from_json
from loyalty.errors import NotFound
from loyalty.staff.models import StaffInvitation
from loyalty.staff.rules import Actor, ActorKind, Role, Scope, token_hash


@dataclass(frozen=True, slots=True)
class StaffView:
    """A person of the panel. Sessions begun before `sessions_from` are void.

    location_id: where they usually stand at the till. location_ids: the locations that their rights end with, rising;
    None for the whole chain, locations of tomorrow too.
    """

    id: int
    email: str
    name: str
    role: Role
    phone: str | None
    language: str | None
    location_id: int | None
    is_active: bool
    has_password: bool
    sessions_from: datetime
    created_at: datetime
    location_ids: tuple[int, ...] | None = None

    @property
    def actor(self) -> Actor:
        """The same person as the one who acts."""
        return Actor(ActorKind.STAFF, staff_id=self.id, phone=self.phone)


@dataclass(frozen=True, slots=True)
class ApiKeyView:
    """A key of another program, without its secret. `location_ids` None: every location, new ones too.

    last_used_at: to the minute.
    """

    id: int
    name: str
    prefix: str
    scopes: frozenset[Scope]
    location_ids: frozenset[int] | None
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    @property
    def actor(self) -> Actor:
        """The program as the one who acts."""
        return Actor(ActorKind.API, api_key_id=self.id)

    def reaches(self, location_id: int) -> bool:
        """Whether the key may speak for a location."""
        return self.location_ids is None or location_id in self.location_ids


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One act. `staff_name` is the name today, of the person or of the key; `details` holds ids, codes and numbers."""

    id: int
    at: datetime
    actor_kind: ActorKind
    staff_id: int | None
    staff_name: str | None
    action: str
    subject_kind: str | None
    subject_id: int | None
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class JournalFilters:
    """What to show of the journal. `since` counts, `until` no longer does.

    within: for `reader_id`, whose rights end with these locations: their own acts, and those about customers whom the
    locations reach, about receipts made there, about the locations themselves.
    """

    staff_id: int | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    subject_kind: str | None = None
    subject_id: int | None = None
    reader_id: int | None = None
    within: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class JournalPage:
    """Lines, newest first; `next_before` continues, None at the end."""

    lines: list[JournalLine] = field(default_factory=list)
    next_before: int | None = None


# Primary key backwards; by person and by subject their own indexes, journal_entry_staff and journal_entry_subject.
# Periods walk from the newest line: a journal is read near its end.
# Customers and receipts belong to rooms above: asked in SQL, nothing is imported.
WITHIN = """
($9::int[] IS NULL OR j.staff_id = $10 OR CASE j.subject_kind
    WHEN 'location' THEN j.subject_id = ANY($9::int[])
    WHEN 'receipt' THEN EXISTS (SELECT FROM receipt r WHERE r.id = j.subject_id AND r.location_id = ANY($9::int[]))
    WHEN 'customer' THEN EXISTS (SELECT FROM customer c WHERE c.id = j.subject_id
            AND c.home_location_id = ANY($9::int[]))
        OR EXISTS (SELECT FROM customer_location p WHERE p.customer_id = j.subject_id AND p.visits > 0
            AND p.location_id = ANY($9::int[]))
    ELSE false END)
"""
JOURNAL = f"""
SELECT j.id, j.at, j.actor_kind, j.staff_id, coalesce(s.name, k.name) AS staff_name, j.action, j.subject_kind,
    j.subject_id, j.details
FROM journal_entry j LEFT JOIN staff_member s ON s.id = j.staff_id LEFT JOIN api_key k ON k.id = j.api_key_id
WHERE ($1::bigint IS NULL OR j.id < $1) AND ($2::int IS NULL OR j.staff_id = $2)
    AND ($3::text IS NULL OR j.action = $3)
    AND ($4::timestamptz IS NULL OR j.at >= $4) AND ($5::timestamptz IS NULL OR j.at < $5)
    AND ($6::text IS NULL OR j.subject_kind = $6) AND ($7::bigint IS NULL OR j.subject_id = $7) AND {WITHIN}
ORDER BY j.id DESC LIMIT $8
"""


# Asked by every request: plain SQL, which costs a quarter of the ORM's call. Index: the primary key of staff_location.
STAFF_MEMBER = """
SELECT s.id, s.email, s.name, s.role, s.phone, s.language, s.location_id, s.is_active,
    s.password_hash IS NOT NULL AS has_password, s.sessions_from, s.created_at,
    (SELECT array_agg(location_id ORDER BY location_id) FROM staff_location WHERE staff_id = s.id) AS location_ids
FROM staff_member s
"""


KEY = "SELECT id, name, prefix, scopes, location_ids, created_at, last_used_at, revoked_at FROM api_key"


async def api_key(key_id: int) -> ApiKeyView:
    """One key, revoked or not. Raises NotFound("api_key")."""
    row = await fetch_row(f"{KEY} WHERE id = $1", key_id)
    if row is None:
        raise NotFound("api_key")
    return _key_view(row)


async def api_key_by(secret: str) -> ApiKeyView | None:
    """The key with this text, revoked or not; None when it is no key of ours. Index: the unique one of the hash."""
    row = await fetch_row(f"{KEY} WHERE secret_hash = $1", token_hash(secret))
    return _key_view(row) if row is not None else None


async def api_keys() -> list[ApiKeyView]:
    """All keys, the newest first, those that were revoked last."""
    return [_key_view(row) for row in await fetch(f"{KEY} ORDER BY revoked_at IS NOT NULL, id DESC")]


async def staff_member(staff_id: int) -> StaffView:
    """One person, active or not. Raises NotFound("staff")."""
    row = await fetch_row(f"{STAFF_MEMBER} WHERE s.id = $1", staff_id)
    if row is None:
        raise NotFound("staff")
    return _staff_view(row)


async def staff_list() -> list[StaffView]:
    """Everybody by name, those who left last."""
    return [_staff_view(row) for row in await fetch(f"{STAFF_MEMBER} ORDER BY s.is_active DESC, s.name, s.id")]


async def invited_by(token: str, now: datetime) -> StaffView:
    """Whom an unused invitation that has not run out is for. Raises NotFound("invitation")."""
    invitation = await StaffInvitation.get_or_none(token_hash=token_hash(token)).select_related("staff")
    if invitation is None or invitation.used_at is not None or invitation.expires_at <= now:
        raise NotFound("invitation")
    if not invitation.staff.is_active:
        raise NotFound("invitation")
    return await staff_member(invitation.staff_id)


async def journal_page(filters: JournalFilters, before_id: int | None = None, limit: int = 50) -> JournalPage:
    """Lines of the journal, newest first, from below `before_id`."""
    rows = await fetch(
        JOURNAL,
        before_id,
        filters.staff_id,
        filters.action,
        filters.since,
        filters.until,
        filters.subject_kind,
        filters.subject_id,
        limit + 1,
        None if filters.within is None else list(filters.within),
        filters.reader_id,
    )
    lines = [_journal_line(row) for row in rows[:limit]]
    return JournalPage(lines, next_before=lines[-1].id if len(rows) > limit else None)


async def journal_actions() -> list[str]:
    """Codes of the acts on record, in order: what the journal can be filtered by."""
    # A loose index scan is not worth an index: the codes are few and the page is rare.
    rows = await fetch("SELECT DISTINCT action FROM journal_entry ORDER BY action")
    return [row["action"] for row in rows]


def _staff_view(row: Row) -> StaffView:
    places = row["location_ids"]
    return StaffView(**{**row, "role": Role(row["role"]), "location_ids": None if places is None else tuple(places)})


def _key_view(row: dict[str, Any]) -> ApiKeyView:
    # A scope that an older version knew opens nothing here.
    scopes = frozenset(Scope(name) for name in from_json(row["scopes"]) if name in list(Scope))
    places = from_json(row["location_ids"])
    return ApiKeyView(**{**row, "scopes": scopes, "location_ids": None if places is None else frozenset(places)})


def _journal_line(row: dict[str, Any]) -> JournalLine:
    details = row["details"]
    return JournalLine(
        **{name: row[name] for name in ("id", "at", "staff_id", "staff_name", "action")},
        actor_kind=ActorKind(row["actor_kind"]),
        subject_kind=row["subject_kind"],
        subject_id=row["subject_id"],
        details=json.loads(details) if isinstance(details, str) else details,
    )
