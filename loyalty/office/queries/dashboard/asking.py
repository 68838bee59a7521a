"""How the owner's figures are asked for: patiently, in one snapshot, each statement planned for its own values."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from loyalty import db
from loyalty.clock import end_of_day, start_of_day
from loyalty.office.dashboard import Step, Window

PATIENCE_SECONDS = 900
SETTINGS = """
SELECT set_config('statement_timeout', $1, true), set_config('work_mem', '64MB', true),
    set_config('plan_cache_mode', 'force_custom_plan', true)
"""

PLACES = {
    Step.HOUR: "extract(hour FROM {moment})::int",
    Step.DAY: "({day} - {first})",
    Step.MONTH: (
        "(12 * (extract(year FROM {day}) - extract(year FROM {first}::date))"
        " + extract(month FROM {day}) - extract(month FROM {first}::date))::int"
    ),
}


@asynccontextmanager
async def one_moment() -> AsyncIterator[None]:
    """What is asked inside is of one moment, and may take its time."""
    async with db.transaction():
        await db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        await db.execute(SETTINGS, f"{PATIENCE_SECONDS}s")
        yield


async def ask(sql: str, *params: Any) -> list[db.Row]:
    """All rows."""
    return await db.fetch_patiently(PATIENCE_SECONDS, sql, *params)


def place(step: Step, *, day: str, moment: str, first: str) -> str:
    """SQL: the number of the hour, day or month in a period that begins with `first`; by the local day and moment."""
    return PLACES[step].format(day=day, moment=moment, first=first)


def not_before(day: date) -> datetime:
    """A moment before the day begins anywhere: for indexes of moments, where the day is some location's own."""
    return datetime.combine(day, time.min, UTC) - timedelta(days=1)


def bounds(window: Window, zone: str) -> tuple[datetime, datetime]:
    """The first instant of a period by the shop's clock, and the first one after it."""
    return start_of_day(window.first, zone), end_of_day(window.last, zone)


def bounds_before(window: Window, zone: str) -> tuple[datetime, datetime]:
    """The same of the period that it is compared with, as far as that counts."""
    return start_of_day(window.before_first, zone), window.until or end_of_day(window.before_last, zone)
