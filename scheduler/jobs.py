"""The duties: each does what is due, a little at a time, and is safe to run twice. `JOBS` lists them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from loyalty.bonuses.actions import expire_due
from loyalty.staff.rules import JOB


@dataclass(frozen=True, slots=True)
class Job:
    """A duty: called every so many seconds with the time; returns how much it did."""

    name: str
    every_seconds: int
    run: Callable[[datetime], Awaitable[int]]


async def expire_bonuses(now: datetime) -> int:
    """Write the entries of lots whose time is over; nothing that has expired can be spent meanwhile."""
    return await expire_due(actor=JOB, now=now, limit=500)


JOBS = (Job("expire bonuses", 30, expire_bonuses),)
