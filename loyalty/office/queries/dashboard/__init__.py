"""The owner's figures: what is kept of them, and counting one part. A file for each part."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from loyalty import db
from loyalty.clock import business_date
from loyalty.errors import Invalid
from loyalty.office.dashboard import (
    FORGOTTEN,
    FORM,
    MIN_AGE,
    QUICK_MS,
    STANDING,
    Look,
    Part,
    Window,
    good_for,
    window_of,
)
from loyalty.office.queries.dashboard.answers import Answers, count_answers
from loyalty.office.queries.dashboard.asking import one_moment
from loyalty.office.queries.dashboard.bonuses import Bonuses, count_bonuses
from loyalty.office.queries.dashboard.messages import Messages, count_messages
from loyalty.office.queries.dashboard.owed import Owed, count_owed
from loyalty.office.queries.dashboard.rfm import Rfm, count_rfm
from loyalty.office.queries.dashboard.sales import Sales, count_sales
from loyalty.segments.queries.finding import SIZE

Figures = Sales | Bonuses | Owed | Messages | Answers | Rfm

FORMS: Mapping[Part, type[Figures]] = {
    Part.SALES: Sales,
    Part.BONUSES: Bonuses,
    Part.OWED: Owed,
    Part.MESSAGES: Messages,
    Part.ANSWERS: Answers,
    Part.RFM: Rfm,
}
FEW = 2_000
"""Of so many customers everything is counted while somebody waits for the page."""
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When what was only asked for was counted."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a look. figures None: nothing that is of its days; counted_at: as of when they are exact."""

    figures: Figures | None
    counted_at: datetime
    asked_at: datetime
    milliseconds: int

    @property
    def was_counted(self) -> bool:
        """Whether it was counted at all, if of other days."""
        return self.counted_at > NEVER

    @property
    def is_quick(self) -> bool:
        """Whether it may be counted while somebody waits, by what it took last."""
        return self.was_counted and self.milliseconds <= QUICK_MS

    def is_old(self, now: datetime) -> bool:
        """Whether somebody who looks now should see other figures."""
        least = timedelta(0) if self.is_quick else MIN_AGE
        return self.figures is None or now - self.counted_at > max(least, good_for(self.milliseconds))

    def is_due(self, now: datetime) -> bool:
        """Whether it is to be counted behind the page: what is quick is counted by whoever looks.

        When nobody has looked since it was counted, it is good for as long again as it was not looked at: an empty room
        costs ever less.
        """
        if self.is_quick or now - self.asked_at > FORGOTTEN:
            return False
        return self.is_old(now) and (self.figures is None or now - self.counted_at >= self.counted_at - self.asked_at)


# Index: the primary key.
KEPT = "SELECT key, figures, counted_at, milliseconds FROM dashboard_look WHERE key = ANY($1::text[])"
# Some dozens of rows: what was looked at within days.
ALL_KEPT = "SELECT key, figures, counted_at, milliseconds FROM dashboard_look ORDER BY counted_at, key"


async def kept(looks: Collection[Look], *, now: datetime, zone: str) -> dict[Look, Kept]:
    """What is kept of these looks, asked for in one statement; nothing of those that were never asked for."""
    rows = {row["key"]: row for row in await db.fetch(KEPT, [look.key for look in looks])}
    found = {look: _kept(look, rows[look.key], now, zone) for look in looks if look.key in rows}
    return {look: one for look, one in found.items() if one is not None}


async def due_looks(*, now: datetime, zone: str) -> list[Look]:
    """The looks that are to be counted now: those of which there is nothing first, then by age."""
    due: list[tuple[bool, datetime, Look]] = []
    for row in await db.fetch(ALL_KEPT):
        look = look_of(row)
        found = _kept(look, row, now, zone) if look is not None else None
        if look is not None and found is not None and found.is_due(now):
            due.append((found.figures is not None, found.counted_at, look))
    return [look for _, _, look in sorted(due, key=lambda one: one[:2])]


async def is_small() -> bool:
    """Whether everything can be counted while somebody waits."""
    size: int = await db.fetch_value(SIZE, FEW)
    return size <= FEW


async def count(look: Look, *, now: datetime, zone: str) -> Figures:
    """Count a look at `now`, all of it in one snapshot. Raises Invalid or ValueError for a period that is none."""
    window = window_of(look.period, now, zone) if look.part not in STANDING else None
    async with one_moment():
        return await (_count_standing(look, now, zone) if window is None else _count_period(look, window, now, zone))


async def _count_standing(look: Look, now: datetime, zone: str) -> Figures:
    if look.part is Part.OWED:
        return await count_owed(look.locations, zone=zone, now=now)
    return await count_rfm(look.locations, zone=zone, now=now)


async def _count_period(look: Look, window: Window, now: datetime, zone: str) -> Figures:
    match look.part:
        case Part.SALES:
            return await count_sales(window, look.locations, zone=zone, now=now)
        case Part.BONUSES:
            return await count_bonuses(window, look.locations)
        case Part.MESSAGES:
            return await count_messages(window, look.locations, zone=zone)
        case _:
            return await count_answers(window, look.locations, zone=zone)


def body_of(look: Look, figures: Figures | None, asked_at: datetime, *, now: datetime, zone: str) -> dict[str, Any]:
    """What is kept of a look, as JSON: what it is of, when it was last asked for, and what was counted."""
    body: dict[str, Any] = {"form": FORM, "look": look.to_body(), "asked_at": asked_at.isoformat()}
    if figures is not None:
        body |= {"days": _days(look, now, zone), "figures": asdict(figures)}
    return body


def look_of(row: db.Row) -> Look | None:
    """Which look a row is of; None for what another version has kept."""
    body = db.from_json(row["figures"])
    try:
        return Look.from_body(body["look"]) if body["form"] == FORM else None
    except (KeyError, ValueError, TypeError):
        return None


def _kept(look: Look, row: db.Row, now: datetime, zone: str) -> Kept | None:
    """Figures of other days than the period has by now are none: yesterday's "today" is not today's."""
    body = db.from_json(row["figures"])
    try:
        if body["form"] != FORM:
            return None
        asked_at, figures = datetime.fromisoformat(body["asked_at"]), None
        if "figures" in body and body["days"] == _days(look, now, zone):
            figures = FORMS[look.part].from_body(body["figures"])
    except (KeyError, ValueError, TypeError, Invalid):
        return None
    return Kept(figures, row["counted_at"], asked_at, row["milliseconds"])


def _days(look: Look, now: datetime, zone: str) -> dict[str, str]:
    """The days that a look has at `now`; of what stands now, today."""
    if look.part in STANDING:
        return {"day": business_date(now, zone).isoformat()}
    return window_of(look.period, now, zone).to_body()
