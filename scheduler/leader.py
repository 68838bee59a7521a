"""One process leads: it alone runs the jobs, and only while its lock connection answers.

The jobs themselves are safe under two leaders, which a torn network can make for a few seconds; the lock keeps
the work from being done twice, not the books from being wrong.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from time import perf_counter

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from loyalty.clock import system_now
from loyalty.db import OUTAGES, ServerLock
from scheduler.jobs import Job

LEADER_LOCK = 0x4C45_4144_4552_0001  # "LEADER"
PULSE_SECONDS = 1.0
LOST_AFTER_SECONDS = 3.0
DRAIN_SECONDS = 20.0

log = structlog.get_logger(__name__)


@asynccontextmanager
async def leading(url: str, jobs: tuple[Job, ...], clock: Callable[[], datetime]) -> AsyncIterator[None]:
    """Stand for leader, and run `jobs` while being it, until left. A job under way is waited for."""
    candidate = asyncio.create_task(_stand(ServerLock(url, LEADER_LOCK), jobs, clock))
    try:
        yield
    finally:
        candidate.cancel()
        with suppress(asyncio.CancelledError):
            await candidate


async def _stand(lock: ServerLock, jobs: tuple[Job, ...], clock: Callable[[], datetime]) -> None:
    """Try for the lock each second; lead while it is held; begin again when it is lost, whatever happens.

    A candidate that gave up would leave a process that looks alive while nobody does the duties.
    """
    try:
        while True:
            try:
                if await lock.take():
                    await _lead(lock, jobs, clock)
            except OUTAGES as error:
                log.warning("leader lock out of reach", kind=type(error).__name__)
                await lock.release()
            except Exception as error:  # noqa: BLE001  a password that was changed may be changed back
                log.error("leader lock refused", kind=type(error).__name__)  # noqa: TRY400  its words may quote a row
                await lock.release()
            await asyncio.sleep(PULSE_SECONDS)
    finally:
        await lock.release()


async def _lead(lock: ServerLock, jobs: tuple[Job, ...], clock: Callable[[], datetime]) -> None:
    """Run the jobs until the lock's connection stops answering."""
    log.info("leading")
    running: set[asyncio.Task[None]] = set()
    # The schedule lives in memory: what is due stands in the tables, so nothing is missed by a restart.
    schedule = AsyncIOScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
    )
    for job in jobs:
        schedule.add_job(_tracked, "interval", (job, clock, running), seconds=job.every_seconds, id=job.name)
        # A new leader does at once what fell due before it. The schedule ticks by the wall, whatever `clock` says.
        schedule.get_job(job.name).modify(next_run_time=system_now())
    schedule.start()
    try:
        while await lock.is_held(within=LOST_AFTER_SECONDS):  # noqa: ASYNC110  a pulse is what this loop is
            await asyncio.sleep(PULSE_SECONDS)
        log.warning("leader lock lost")
        await lock.release()
    finally:
        schedule.pause()
        # APScheduler would cancel what is under way: let it end, because it stands in a transaction.
        if running:
            await asyncio.wait(running, timeout=DRAIN_SECONDS)
        schedule.shutdown(wait=False)


async def _tracked(job: Job, clock: Callable[[], datetime], running: set[asyncio.Task[None]]) -> None:
    """Run a job in a task that shutting down waits for. A job that fails is told and tried again at its time."""
    task = asyncio.create_task(_run(job, clock))
    running.add(task)
    task.add_done_callback(running.discard)
    await asyncio.shield(task)


async def _run(job: Job, clock: Callable[[], datetime]) -> None:
    started = perf_counter()
    try:
        done = await job.run(clock())
    except OUTAGES as error:
        # What was due still is, and is done at the job's next time.
        log.warning("job interrupted", job=job.name, kind=type(error).__name__)
        return
    except Exception as error:  # noqa: BLE001  one duty's trouble must not end the others
        log.error("job failed", job=job.name, kind=type(error).__name__)  # noqa: TRY400  its words may quote a row
        return
    if done:
        log.info("job done", job=job.name, done=done, seconds=round(perf_counter() - started, 3))
