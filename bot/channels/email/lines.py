"""Open lines to the mail server: a few, kept for a short while, because greeting and signing in cost more than a mail.

A server closes lines as it likes; on one that was kept the first word tells, before anything was given away.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from aiosmtplib import SMTP, SMTPException

LINES = 10
"""As many as mail servers let one client have."""
KEPT_SECONDS = 20.0
# Servers end a talk after some number of mails; so do we, before they do it amid one.
MAILS = 50
CALL_SECONDS = 15.0
CONNECT_SECONDS = 10.0
GOODBYE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server. security: starttls, tls or none. user "": it wants nobody to sign in."""

    host: str
    port: int
    security: str
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(slots=True)
class Line:
    """One open line, the mails that went over it, and until when it is kept unused."""

    smtp: SMTP
    mails: int = 0
    until: float = 0.0

    @property
    def is_kept(self) -> bool:
        """Whether mails went over it before: the server may have closed it since."""
        return self.mails > 0


class Lines:
    """The lines to one server. hello: whose name greets it.

    tls: how its certificate is held against the authorities; None for the usual way.
    """

    def __init__(self, server: Server, hello: str, tls: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._hello = hello
        self._tls = tls
        self._free: list[Line] = []
        self._room = asyncio.Semaphore(LINES)
        self._sweeping: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def room(self) -> AsyncIterator[None]:
        """Wait until there may be one more line."""
        async with self._room:
            yield

    async def take(self, *, is_fresh: bool = False) -> Line:
        """A line, open and greeted: one that was kept, unless it is to be a fresh one."""
        while self._free and not is_fresh:
            line = self._free.pop()
            if line.smtp.is_connected and line.until > time.monotonic():
                return line
            line.smtp.close()
        smtp = SMTP(
            hostname=self._server.host,
            port=self._server.port,
            use_tls=self._server.security == "tls",
            start_tls=self._server.security == "starttls",
            username=self._server.user or None,
            password=self._server.password or None,
            # Found out by itself, it could take as long as a name server that does not answer.
            local_hostname=self._hello,
            timeout=CALL_SECONDS,
            tls_context=self._tls,
        )
        async with asyncio.timeout(CONNECT_SECONDS):
            await smtp.connect(timeout=CONNECT_SECONDS)
        return Line(smtp)

    def give_back(self, line: Line) -> None:
        """A mail went over it: others may."""
        line.mails += 1
        if line.mails >= MAILS or not line.smtp.is_connected:
            line.smtp.close()
            return
        line.until = time.monotonic() + KEPT_SECONDS
        self._free.append(line)
        if self._sweeping is None or self._sweeping.done():
            self._sweeping = asyncio.create_task(self._sweep())

    async def _sweep(self) -> None:
        """Say goodbye on lines that nobody used for a while, until there is none."""
        while self._free:
            await asyncio.sleep(max(0.05, self._free[0].until - time.monotonic()))
            old = [line for line in self._free if line.until <= time.monotonic()]
            self._free = [line for line in self._free if line not in old]
            await _end(old)

    async def close(self) -> None:
        """Let all lines go."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.wait([self._sweeping])
        free, self._free = self._free, []
        await _end(free)


async def _end(lines: list[Line]) -> None:
    await asyncio.gather(*(_goodbye(line) for line in lines))


async def _goodbye(line: Line) -> None:
    with suppress(SMTPException, TimeoutError, OSError):
        async with asyncio.timeout(GOODBYE_SECONDS):
            await line.smtp.quit()
    line.smtp.close()
