"""One address that we write from, through one mail server."""

import asyncio
import ssl
from collections.abc import Callable
from datetime import datetime

from aiosmtplib import SMTPResponseException, SMTPServerDisconnected

from bot.channels.base import Away, Outgoing, Unanswered
from bot.channels.email.compose import composed, domain_of, envelope_of
from bot.channels.email.errors import FAILED_CALL, Stage, refused
from bot.channels.email.lines import Line, Lines, Server
from bot.channels.oneway import OneWay
from loyalty.conversations.channels import CAPABILITIES, EMAIL
from loyalty.gateways import Mailbox

NAME = EMAIL
# Of all that one mail takes; the sender's own patience is longer.
SEND_SECONDS = 40.0
SOURCE_LENGTH = 40
CLOSING = 421


class EmailChannel(OneWay):
    """One sender. `tls`: for a server whose certificate is not known to this machine."""

    name = NAME
    capabilities = CAPABILITIES[NAME]

    def __init__(
        self,
        server: Server,
        *,
        sender: Mailbox,
        reply_to: Mailbox | None = None,
        clock: Callable[[], datetime],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._lines = Lines(server, domain_of(sender.address), tls)
        self._sender = sender
        self._reply_to = reply_to
        self._clock = clock
        self.source = f"{NAME}:{sender.address}"[:SOURCE_LENGTH]

    async def close(self) -> None:
        await self._lines.close()

    async def send(self, message: Outgoing) -> str:
        mail = composed(message, self._sender, self._reply_to, self._clock())
        talk = _Talk(envelope_of(self._sender.address), envelope_of(message.address), mail.as_bytes())
        try:
            async with asyncio.timeout(SEND_SECONDS), self._lines.room():
                await self._carry(talk)
        except TimeoutError as error:
            if talk.stage is Stage.TEXT:
                raise Unanswered("no_answer", "TimeoutError") from error
            raise Away("TimeoutError") from error
        return str(mail["Message-ID"])[1:-1]

    async def _carry(self, talk: "_Talk") -> None:
        """Have it sent over some line. A kept one that was closed meanwhile costs nothing: a fresh one follows."""
        line = await self._line(talk)
        try:
            await self._over(line, talk)
        except FAILED_CALL as error:
            if not (line.is_kept and talk.stage is Stage.FROM and _is_goodbye(error)):
                raise refused(error, talk.stage) from None
            line = await self._line(talk, is_fresh=True)
            try:
                await self._over(line, talk)
            except FAILED_CALL as again:
                raise refused(again, talk.stage) from None

    async def _line(self, talk: "_Talk", *, is_fresh: bool = False) -> Line:
        talk.stage = Stage.HELLO
        try:
            return await self._lines.take(is_fresh=is_fresh)
        except FAILED_CALL as error:
            raise refused(error, Stage.HELLO) from None

    async def _over(self, line: Line, talk: "_Talk") -> None:
        """Say it all over one line, which is kept when that went well."""
        is_whole = False
        try:
            await talk.say(line)
            is_whole = True
        finally:
            if is_whole:
                self._lines.give_back(line)
            else:
                line.smtp.close()


class _Talk:
    """What a mail server is told of one mail, and how far that came."""

    def __init__(self, sender: str, recipient: str, mail: bytes) -> None:
        self._sender = sender
        self._recipient = recipient
        self._mail = mail
        self.stage = Stage.HELLO

    async def say(self, line: Line) -> None:
        self.stage = Stage.FROM
        await line.smtp.mail(self._sender)
        self.stage = Stage.TO
        await line.smtp.rcpt(self._recipient)
        self.stage = Stage.TEXT
        await line.smtp.data(self._mail)


def _is_goodbye(error: Exception) -> bool:
    if isinstance(error, SMTPResponseException):
        return error.code == CLOSING
    return isinstance(error, SMTPServerDisconnected)
