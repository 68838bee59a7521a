"""Sending letters to people of the panel by the shop's mail server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import structlog

from bot.channels.base import Channel, Outgoing, Rejected, SendError, Unreachable
from bot.loops import end, for_ever
from loyalty.bell import Bell
from loyalty.conversations.content import Content
from loyalty.staff.letters import WAKE, Letter, lease_letters, letter_failed, letter_sent

AT_ONCE = 5

log = structlog.get_logger(__name__)


class Postman:
    """Sends what is due. Any number may run, in any number of processes: each letter is one's at a time.

    linked: puts links into a letter in the place of their marks.
    """

    def __init__(
        self, channel: Channel, linked: Callable[[str], str], bell: Bell, clock: Callable[[], datetime]
    ) -> None:
        self._channel = channel
        self._linked = linked
        self._bell = bell
        self._clock = clock

    async def send_due(self) -> None:
        """Send what is due, then wait for more."""
        while letters := await lease_letters(limit=AT_ONCE, now=self._clock()):
            await asyncio.gather(*(self._send(letter) for letter in letters))
        await self._bell.wait(WAKE)

    async def _send(self, letter: Letter) -> None:
        content = Content(text=self._linked(letter.text), subject=letter.subject)
        try:
            await self._channel.send(Outgoing(letter.id, letter.address, letter.language, content))
        except SendError as error:
            log.warning("letter not sent", letter=letter.id, reason=error.reason)
            for_good = isinstance(error, Rejected | Unreachable)
            await letter_failed(letter, error.reason, for_good=for_good, now=self._clock())
        except Exception as error:  # noqa: BLE001  one letter's trouble must not end the others
            log.error("letter not sent", letter=letter.id, kind=type(error).__name__)  # noqa: TRY400  its words may quote it
            await letter_failed(letter, "not_sent", now=self._clock())
        else:
            await letter_sent(letter, now=self._clock())


@asynccontextmanager
async def sending_letters(
    channel: Channel | None, linked: Callable[[str], str], bell: Bell, clock: Callable[[], datetime]
) -> AsyncIterator[None]:
    """Send what is due while inside; without a mail server, nothing. On leaving, what is being sent may end."""
    loops = []
    if channel is not None:
        loops.append(asyncio.create_task(for_ever("letters", Postman(channel, linked, bell, clock).send_due)))
    try:
        yield
    finally:
        await end(loops, bell)
