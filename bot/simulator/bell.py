"""Waking those who wait for a change."""

import asyncio


class Bell:
    """Rings for everyone who waits now. Look first, then wait: nothing is lost while nobody awaits in between."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Wake all; call it from the loop's own thread."""
        for future in list(self._waiting):
            if not future.done():
                future.set_result(None)

    def next_ring(self) -> asyncio.Future[None]:
        """A future of the next ring. It counts from this very call, not from the first await; cancel it unused."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)
        return future

    async def wait(self) -> None:
        """Until the next ring."""
        await self.next_ring()
