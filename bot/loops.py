"""Work that goes on for as long as the process does, whatever happens to it in between."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from loyalty import db
from loyalty.bell import Bell

AGAIN_SECONDS = 1.0
LAST_ROUND_SECONDS = 10.0

log = structlog.get_logger(__name__)


async def for_ever(name: str, work: Callable[[], Awaitable[object]]) -> None:
    """Run `work`, which ends by itself soon, again and again; when it fails, say so and go on in a second.

    Nothing is lost by a failure: whatever was not committed is still due. When cancelled, the round under way
    ends first, because it may stand in a transaction.
    """
    while True:
        round_ = asyncio.ensure_future(work())
        try:
            await asyncio.shield(round_)
        except asyncio.CancelledError:
            await asyncio.wait([round_], timeout=LAST_ROUND_SECONDS)
            raise
        except db.OUTAGES as error:
            log.warning("interrupted", work=name, kind=type(error).__name__)
            await asyncio.sleep(AGAIN_SECONDS)
        except Exception as error:  # noqa: BLE001  one message's trouble must not end the sending of all
            log.error("failed", work=name, kind=type(error).__name__)  # noqa: TRY400  its words may quote a row
            await asyncio.sleep(AGAIN_SECONDS)


async def end(loops: Sequence[asyncio.Task[None]], bell: Bell) -> None:
    """Cancel loops and wait for their last rounds; those that wait for the bell are not kept waiting."""
    for loop in loops:
        loop.cancel()
    while not all(loop.done() for loop in loops):
        bell.nudge_all()
        await asyncio.wait(loops, timeout=0.05)


async def cancelled(task: asyncio.Task[None]) -> None:
    """Cancel a task until it has ended: a cancellation that meets a client's timeout is taken for the timeout."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.2)
