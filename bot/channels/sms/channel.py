"""One sender's name at one gateway."""

import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import aiohttp

from bot.channels.base import Away, Forged, Outgoing, Progress, Rejected, SendError, Unanswered
from bot.channels.oneway import OneWay, fitted
from bot.channels.reading import TooLong, at, patience, read, read_json, words
from bot.channels.sms.errors import answered
from bot.channels.sms.parse import KEY, NAME_LENGTH, REFERENCE, Callback, arrivals, progress
from bot.channels.sms.template import Call, address_of, body_of
from loyalty.conversations.channels import CAPABILITIES, SMS, sms_size
from loyalty.conversations.rules import Arrived

NAME = SMS
CALL_SECONDS = 20.0
CONNECT_SECONDS = 5.0
LONGEST_ANSWER = 2**18
# No call was made: nothing was sent on a line that never came to be.
NO_LINE = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
FAILED_CALL = (aiohttp.ClientError, TimeoutError, OSError)


class SmsChannel(OneWay):
    """One sender. `callback_url`: where the gateway is to tell us what became of a message."""

    name = NAME
    capabilities = CAPABILITIES[NAME]

    def __init__(self, call: Call, *, sender: str, callback: Callback, callback_url: str = "") -> None:
        self._call = call
        self._sender = sender
        self._callback = callback
        self._callback_url = callback_url
        self._session: aiohttp.ClientSession | None = None
        self.source = f"{NAME}:{sender}"

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    # ------------------------------------------------------------------------------------------ arriving

    def admit(self, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Sequence[Arrived]:
        del headers
        # As bytes: an address may hold what is not ASCII, which the comparison of texts refuses.
        given = query.get(KEY, "").encode(errors="surrogatepass")
        if not self._callback.secret or not hmac.compare_digest(given, self._callback.secret.encode()):
            raise Forged
        return arrivals(self._callback, query, body)

    def parse(self, body: bytes) -> Progress | None:
        return progress(self._callback, body)

    # ------------------------------------------------------------------------------------------- sending

    async def send(self, message: Outgoing) -> str:
        text = self._text(message)
        if not text:
            raise Rejected("rejected", "there are no words")
        values = {
            "to": message.address,
            "digits": message.address.removeprefix("+"),
            "text": text,
            "sender": self._sender,
            "id": str(message.reference),
            "callback": self._told_at(message.reference),
        }
        try:
            return await self._send(values) or str(message.reference)
        except SendError:
            raise
        except NO_LINE as error:
            raise Away(type(error).__name__) from error
        except FAILED_CALL as error:
            # The call may have gone through. Without the error's words: they hold the address, and with it the keys.
            raise Unanswered("no_answer", type(error).__name__) from None

    def units(self, message: Outgoing) -> int:
        """The parts that it is cut into: a gateway charges for each."""
        return sms_size(self._text(message)).parts

    def _text(self, message: Outgoing) -> str:
        return fitted(message, self.capabilities, "\n").text

    async def _send(self, values: Mapping[str, str]) -> str:
        """Make the call; returns the gateway's name of the message, "" where it is not asked for."""
        headers = {"Authorization": self._call.authorization} if self._call.authorization else {}
        body = body_of(self._call, values)
        if body is not None:
            headers["Content-Type"] = f"{self._call.content_type}; charset=utf-8"
        async with self._opened().request(
            self._call.method, address_of(self._call, values), data=body, headers=headers, allow_redirects=False
        ) as answer:
            if not 200 <= answer.status < 300:
                raise answered(answer.status, patience(answer.headers.get("Retry-After")))
            return await self._named(answer) if self._call.id_path else ""

    async def _named(self, answer: aiohttp.ClientResponse) -> str:
        """The gateway's name of what it took. Raises Rejected: some say 200 and tell below that they took nothing."""
        try:
            told = read_json(await read(answer, LONGEST_ANSWER))
        except (TooLong, ValueError, RecursionError):
            told = None
        steps = [int(step) if step.isdigit() else step for step in self._call.id_path.split(".")]
        found = at(told, *steps)
        name = str(found) if type(found) is int else words(found)
        if not name or len(name) > NAME_LENGTH:
            raise Rejected("rejected", f"HTTP {answer.status} without a name of the message")
        return name

    def _told_at(self, reference: int) -> str:
        if not self._callback.secret:
            return ""
        return f"{self._callback_url}?{urlencode({KEY: self._callback.secret, REFERENCE: reference})}"

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=CALL_SECONDS, sock_connect=CONNECT_SECONDS)
            # A line each: on one that was kept nobody could tell whether a message went before it broke, and a GET
            # would go twice.
            connector = aiohttp.TCPConnector(limit=0, force_close=True)
            self._session = aiohttp.ClientSession(timeout=timeout, connector=connector)
        return self._session
