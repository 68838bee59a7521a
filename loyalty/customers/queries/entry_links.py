"""Reading the links by which people come, and what each of them brought."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.errors import NotFound

PAGE_ROWS = 50
SOURCES_AT_MOST = 50


@dataclass(frozen=True, slots=True)
class EntryLinkView:
    """A link by which people come. `deleted_at`: not shown any more, but it works still."""

    id: int
    code: str
    name: str
    source: str
    location_id: int | None
    location_name: str | None
    created_at: datetime
    staff_name: str | None
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class EntryCounts:
    """What a link brought: accounts that opened it, people who registered by it, those who have bought."""

    opened: int
    registered: int
    bought: int

    @property
    def registered_bp(self) -> int | None:
        """Which share of those who opened it registered: whole percents in basis points, None when nobody opened it."""
        return self.registered * 100 // self.opened * 100 if self.opened else None

    @property
    def bought_bp(self) -> int | None:
        """Which share of those who registered have bought, likewise; None when nobody registered."""
        return self.bought * 100 // self.registered * 100 if self.registered else None


COLUMNS = """
    l.id, l.code, l.name, l.source, l.location_id, place.name AS location_name, l.created_at, s.name AS staff_name,
    l.deleted_at
"""
JOINED = """
    LEFT JOIN location place ON place.id = l.location_id LEFT JOIN staff_member s ON s.id = l.staff_id
"""
# The links are chosen first: only what belongs to them is counted. Indexes: the unique one of entry_visit,
# customer_entry_link.
COUNTED = f"""
WITH few AS (SELECT * FROM entry_link l WHERE {{which}} ORDER BY l.id DESC LIMIT {PAGE_ROWS + 1})
SELECT {COLUMNS}, coalesce(opened.count, 0) AS opened, coalesce(came.registered, 0) AS registered,
    coalesce(came.bought, 0) AS bought
FROM few l {JOINED}
    LEFT JOIN (SELECT link_id, count(*) FROM entry_visit WHERE link_id IN (SELECT id FROM few) GROUP BY link_id) opened
        ON opened.link_id = l.id
    LEFT JOIN (SELECT c.entry_link_id, count(*) AS registered, count(*) FILTER (WHERE f.receipts > 0) AS bought
        FROM customer c JOIN customer_facts f ON f.customer_id = c.id
        WHERE c.entry_link_id IN (SELECT id FROM few) GROUP BY c.entry_link_id) came ON came.entry_link_id = l.id
ORDER BY l.id DESC
"""
LIST = COUNTED.format(
    which="l.deleted_at IS NULL AND ($1::int IS NULL OR l.location_id = $1) AND ($2::text IS NULL OR l.source = $2)"
    " AND l.id < $3 AND ($4::int[] IS NULL OR l.location_id = ANY($4::int[]))"
)
ONE = COUNTED.format(which="l.id = $1")


async def entry_links(
    *,
    location_id: int | None = None,
    source: str | None = None,
    within: Collection[int] | None = None,
    before: int | None = None,
) -> tuple[list[tuple[EntryLinkView, EntryCounts]], int | None]:
    """Links that are shown, newest first, PAGE_ROWS at most, of one place or source; and where the next ones begin.

    within: only those that hang at these locations, None for all.
    """
    places = None if within is None else list(within)
    rows = await db.fetch(LIST, location_id, source, before or 2**31 - 1, places)
    found = [_counted(row) for row in rows[:PAGE_ROWS]]
    return found, found[-1][0].id if len(rows) > PAGE_ROWS else None


async def entry_link(link_id: int) -> tuple[EntryLinkView, EntryCounts]:
    """One link, deleted or not. Raises NotFound("entry_link")."""
    row = await db.fetch_row(ONE, link_id)
    if row is None:
        raise NotFound("entry_link")
    return _counted(row)


async def entry_sources() -> list[str]:
    """The sources of the links that are shown, those with most links first."""
    rows = await db.fetch(
        "SELECT source FROM entry_link WHERE deleted_at IS NULL GROUP BY source"
        " ORDER BY count(*) DESC, source LIMIT $1",
        SOURCES_AT_MOST,
    )
    return [row["source"] for row in rows]


async def entry_link_of(customer_id: int) -> EntryLinkView | None:
    """By which link a customer came, if by any."""
    row = await db.fetch_row(
        f"SELECT {COLUMNS} FROM customer c JOIN entry_link l ON l.id = c.entry_link_id {JOINED} WHERE c.id = $1",
        customer_id,
    )
    return EntryLinkView(**row) if row else None


def _counted(row: db.Row) -> tuple[EntryLinkView, EntryCounts]:
    counts = EntryCounts(*(row.pop(name) for name in ("opened", "registered", "bought")))
    return EntryLinkView(**row), counts
