"""The mail server: SMTP on loopback with a login, in the weather of its faults."""

import asyncio
import hmac
import logging
from collections.abc import Callable
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from bot.simulator.email.account import MailAccount
from bot.simulator.email.faults import EmailFaults

HOST = "127.0.0.1"
MOST_BYTES = 25 * 1024 * 1024
LONGEST_LINE = 4096
MOST_CALLS = 1000
OK = "250 OK"

# It tells every step of every client, with addresses; only what breaks is worth a line.
logging.getLogger("mail.log").setLevel(logging.ERROR)


class Handler:
    """Answers each step of a client; `take` gets address and message, `is_gone` tells of mailboxes that are not."""

    def __init__(
        self, account: MailAccount, take: Callable[[str, bytes], None], is_gone: Callable[[str], bool]
    ) -> None:
        self.faults = EmailFaults()
        self.calls: list[tuple[str, str]] = []
        self._account = account
        self._take = take
        self._is_gone = is_gone

    def check_login(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any
    ) -> AuthResult:
        """Whether a client is the shop."""
        assert isinstance(given, LoginPassword)
        right = b"\0".join((self._account.user.encode(), self._account.password.encode()))
        is_right = hmac.compare_digest(b"\0".join((given.login, given.password)), right)
        self._note("AUTH", given.login.decode(errors="replace"))
        # Not handled: the server itself answers 535 then.
        return AuthResult(success=is_right and not self.faults.unauthorized, handled=False)

    async def handle_MAIL(  # noqa: N802 - named by aiosmtpd, as the two below are
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """A message begins."""
        if self.faults.slow:
            await asyncio.sleep(self.faults.slow)
        self._note("MAIL", address)
        if self.faults.take("server_errors"):
            await broken(server)
        # A connection of before the revocation is of no use either.
        if self.faults.unauthorized or not session.authenticated:
            return "530 5.7.0 Authentication required"
        if self.faults.retry_after > 0:
            await server.push(f"421 4.7.0 Too many messages, come back in {self.faults.retry_after} seconds")
            await closed(server)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return OK

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Whom it is for."""
        self._note("RCPT", address)
        if self.faults.take("greylisted"):
            return "451 4.7.1 Greylisted, please come again"
        if self.faults.take("blocked") or self._is_gone(address):
            return "550 5.1.1 No such mailbox"
        envelope.rcpt_tos.append(address)
        return OK

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """What it says."""
        content = envelope.content
        assert isinstance(content, bytes)
        for address in envelope.rcpt_tos:
            self._take(address, content)
        self._note("DATA", f"{len(content)} bytes")
        if self.faults.take("lose_answers"):
            await broken(server)
        return "250 2.0.0 Taken"

    def _note(self, command: str, what: str) -> None:
        self.calls.append((command, what))
        del self.calls[:-MOST_CALLS]


async def broken(server: SMTP) -> None:
    """The line breaks without a word; this never returns."""
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()
    await asyncio.get_running_loop().create_future()


async def closed(server: SMTP) -> None:
    """The line is closed after what was said; this never returns."""
    assert server.transport is not None
    server.transport.close()
    # The server ends this conversation's task once the line is gone.
    await asyncio.get_running_loop().create_future()


class Line(SMTP):
    """One connection. Lines of texts may be longer than the standard has them: what comes is to be seen."""

    line_length_limit = LONGEST_LINE


class MailServer:
    """Listens on loopback while it is open."""

    def __init__(self, handler: Handler, port: int) -> None:
        self._handler = handler
        self._wanted_port = port
        self._server: asyncio.Server | None = None
        self._lines: set[Line] = set()

    @property
    def port(self) -> int:
        """Where it listens; 0 while it does not."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server is not None else 0

    async def open(self) -> None:
        """Listen. Twice is once."""
        if self._server is None:
            self._server = await asyncio.get_running_loop().create_server(self._line, HOST, self._wanted_port)

    async def close(self) -> None:
        """Listen no more, and hang up."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for line in self._lines:
            if line.transport is not None:
                line.transport.close()
        self._lines.clear()
        await server.wait_closed()

    def _line(self) -> Line:
        line = Line(
            self._handler,
            hostname="simulator",
            ident="SMTP",
            data_size_limit=MOST_BYTES,
            enable_SMTPUTF8=True,
            # Nothing leaves the machine, so nobody can listen to the password on the way.
            auth_require_tls=False,
            authenticator=self._handler.check_login,
            loop=asyncio.get_running_loop(),
        )
        # Those that have hung up need not be hung up on.
        self._lines = {one for one in self._lines if one.transport is not None}
        self._lines.add(line)
        return line
