"""One phone number of ours in WhatsApp, which always calls us."""

import asyncio
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import quote

import structlog

from bot.channels.base import (
    Event,
    Forged,
    Outgoing,
    Progress,
    Rejected,
    SendError,
    Store,
    TemplateNews,
    Unanswered,
)
from bot.channels.reading import read_json
from bot.channels.whatsapp.client import GraphClient
from bot.channels.whatsapp.parse import START, parse
from bot.channels.whatsapp.pieces import arrivals
from bot.channels.whatsapp.serialise import bodies
from loyalty.conversations.channels import CAPABILITIES, WHATSAPP
from loyalty.conversations.content import Content
from loyalty.conversations.rules import Arrived
from loyalty.errors import Invalid

NAME = WHATSAPP
# Of all calls that one message takes; the sender's own patience is longer.
SEND_SECONDS = 45.0
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0
SIGNATURE_HEADER = "X-Hub-Signature-256"

log = structlog.get_logger(__name__)


class WhatsAppChannel:
    """One phone number. `app_secret` signs what comes; `verify_token` is what Meta is told beside our address."""

    name = NAME
    capabilities = CAPABILITIES[NAME]

    def __init__(
        self, *, access_token: str, phone_number_id: str, app_secret: str, verify_token: str, api_url: str
    ) -> None:
        self._client = GraphClient(access_token, phone_number_id, api_url)
        self._phone_number_id = phone_number_id
        self._app_secret = app_secret.encode()
        self._verify_token = verify_token.encode()
        self._number = ""
        self.source = f"{NAME}:{phone_number_id}"

    async def close(self) -> None:
        await self._client.close()

    # ------------------------------------------------------------------------------------------ arriving

    async def introduce(self, commands: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        # The menu is a list under our messages; commands need no telling.
        del commands

    async def link(self, payload: str) -> str:
        if not self._number:
            self._number = await self._client.phone_number()
        if not self._number:
            raise Unanswered("no_answer", "the answer names no phone number")
        return f"https://wa.me/{self._number}?text={quote(f'{START} ', safe='')}{quote(payload, safe='')}"

    async def receive(self, store: Store) -> None:
        """WhatsApp calls us: nothing is to be done for ever.

        Ends when our number was learnt late, so that whoever began this makes the link into the chat known.
        """
        del store
        if self._number:
            await asyncio.Event().wait()
        pause = FIRST_PAUSE_SECONDS
        while not self._number:
            try:
                await self.link("")
            except SendError as error:
                log.warning("number not learnt", channel=NAME, reason=error.reason, wait=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def challenge(self, query: Mapping[str, str]) -> str:
        given = query.get("hub.verify_token", "").encode(errors="surrogateescape")
        if not hmac.compare_digest(given, self._verify_token) or query.get("hub.mode") != "subscribe":
            raise Forged
        return query.get("hub.challenge", "")

    def admit(self, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Sequence[Arrived]:
        del query
        signed = "sha256=" + hmac.new(self._app_secret, body, hashlib.sha256).hexdigest()
        # As bytes: a header may hold what is not ASCII, which the comparison of texts refuses.
        given = headers.get(SIGNATURE_HEADER, "").encode(errors="surrogateescape")
        if not hmac.compare_digest(given, signed.encode()):
            raise Forged
        try:
            call = read_json(body)
            if not isinstance(call, dict):
                raise Invalid("body", "is not a call of a webhook")
            if not isinstance(call.get("entry"), list):
                raise Invalid("entry", "is not a list")
            return arrivals(call)
        except (ValueError, RecursionError):
            raise Invalid("body", "is not JSON") from None

    def parse(self, body: bytes) -> Event | Progress | TemplateNews | None:
        return parse(body, self._phone_number_id)

    async def fetch(self, file_id: str, *, limit: int) -> bytes:
        return await self._client.download(file_id, limit=limit)

    # ------------------------------------------------------------------------------------------- sending

    async def send(self, message: Outgoing) -> str:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                media_id = sent = ""
                if message.file is not None and message.template is None:
                    media_id = await self._client.upload(message.file)
                for body in bodies(message, media_id):
                    sent = await self._client.send(body)
                return sent
        except TimeoutError as error:
            raise Unanswered("no_answer", "TimeoutError") from error

    def units(self, message: Outgoing) -> int:
        """Templates are charged for; what answers within the hours after their last word is free.

        Source: developers.facebook.com/docs/whatsapp/pricing
        """
        return int(message.template is not None)

    async def edit(self, address: str, message_id: str, content: Content, picture: bytes) -> None:
        # What was sent stays as it is: `capabilities` say so, and nobody asks for it.
        del address, message_id, content, picture
        raise Rejected("cannot_edit")

    async def answer_button(self, event: Event, *, notice: str = "", remove: bool = False) -> None:
        """A pressed button waits for nothing, and what was sent stays as it is."""

    async def leave(self, chat: str, hint: str) -> None:
        """Groups are not among the chats that reach us."""
