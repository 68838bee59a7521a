"""The mailboxes: what came into them by e-mail."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiohttp
from aiohttp import web

from bot.simulator.email.account import MailAccount
from bot.simulator.email.attachments import Attachments
from bot.simulator.email.faults import EmailFaults
from bot.simulator.email.letters import read_letter
from bot.simulator.email.server import Handler, MailServer
from bot.simulator.email.words import WORDS
from bot.simulator.inboxes import Conversation, Conversations
from bot.simulator.loopback import is_loopback
from bot.simulator.manners import done, read, refused
from bot.simulator.messengers import Act

PRESS_SECONDS = 10


class Mailbox:
    """A mail server on loopback, and everyone's messages by their address. Without an account nobody can send."""

    name = "email"
    title = "E-mail"
    words: Mapping[str, Mapping[str, str]] = WORDS

    def __init__(self, account: MailAccount | None) -> None:
        self.conversations = Conversations(self.name)
        self.entrance = self.conversations.entrance
        self.acts: Mapping[str, Act] = {"reach": reach, "unsubscribe": unsubscribe}
        self._attachments = Attachments()
        self._handler = Handler(account or MailAccount(), self._take, self._is_gone)
        self._server = MailServer(self._handler, account.port) if account is not None else None

    @property
    def faults(self) -> EmailFaults:
        """What goes wrong here; change it at any time."""
        return self._handler.faults

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Commands with an address or a size, oldest first, a thousand at most."""
        return self._handler.calls

    @property
    def port(self) -> int:
        """Where the server listens; 0 while it does not."""
        return self._server.port if self._server is not None else 0

    def box(self, address: str) -> Conversation:
        """The conversation of an address; it is there from now on."""
        return self.conversations.of(address.lower())

    # ------------------------------------------------------------------------------------- for the page

    def routes(self) -> list[web.RouteDef]:
        """It is reached by SMTP alone."""
        return []

    def chats(self) -> Sequence[Conversation]:
        return self.conversations.newest_first()

    def shown(self, message: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": message["id"],
            "at": message["date"],
            "from": message["sender"],
            "subject": message["subject"],
            "text": message["text"],
            "files": message["files"],
            "copies": message["copies"],
            "can_stop": bool(message["stop_url"]),
            "stopped": message["stopped"],
        }

    def status(self, chat: Conversation) -> dict[str, Any]:
        return {
            "conversations": self.conversations.listed(lambda message: message["subject"] or message["text"]),
            "unreachable": chat.is_unreachable,
            "hint": "is_unreachable" if chat.is_unreachable else "",
        }

    def file(self, name: str) -> web.Response | None:
        found = self._attachments.find(name)
        if found is None:
            return None
        # Whatever it is, it is handed over, never shown as a page of ours.
        headers = {"Content-Disposition": "attachment"}
        return web.Response(body=found.data, content_type="application/octet-stream", headers=headers)

    # ------------------------------------------------------------------------------------------- life

    def dump(self) -> dict[str, Any]:
        return {"conversations": self.conversations.dump(), "attachments": self._attachments.dump()}

    def load(self, kept: dict[str, Any]) -> None:
        self.conversations.load(kept["conversations"])
        self._attachments.load(kept["attachments"])

    def on_change(self, changed: Callable[[], None]) -> None:
        self.conversations.changed = changed

    async def start(self) -> None:
        if self._server is not None:
            await self._server.open()

    def end_waiting(self) -> None:
        """Nobody waits here for an answer."""

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.close()

    def _is_gone(self, address: str) -> bool:
        there = self.conversations.find(address.lower())
        return there is not None and there.is_unreachable

    def _take(self, address: str, raw: bytes) -> None:
        letter = read_letter(raw)
        box = self.box(address)
        same = (one for one in box.messages if letter.message_id and one["message_id"] == letter.message_id)
        if (known := next(same, None)) is not None:
            # Mail programs show a message that came twice once.
            known["copies"] += 1
            box.touch(known["id"])
            return
        files = [self._attachments.add(*file) for file in letter.files]
        box.receive(
            {
                "message_id": letter.message_id,
                "sender": letter.sender,
                "subject": letter.subject,
                "text": letter.text,
                "stop_url": letter.stop_url,
                "stopped": False,
                "copies": 1,
                "files": [{"file": one.id, "name": one.name, "size": len(one.data)} for one in files],
            }
        )


async def reach(box: Conversation, request: web.Request) -> web.Response:
    """Remove a mailbox, or bring it back."""
    box.is_unreachable = bool((await read(request)).get("unreachable"))
    box.touch()
    return done()


async def unsubscribe(box: Conversation, request: web.Request) -> web.Response:
    """Press the link of a message as a mail program does. Source: RFC 8058."""
    message = box.find((await read(request)).get("message"))
    if message is None or not is_loopback(message["stop_url"]):
        return refused("stop_failed")
    timeout = aiohttp.ClientTimeout(total=PRESS_SECONDS)
    form = {"List-Unsubscribe": "One-Click"}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(message["stop_url"], data=form, allow_redirects=False) as answer,
        ):
            is_done = 200 <= answer.status < 300
    except (aiohttp.ClientError, TimeoutError, ValueError):
        is_done = False
    if not is_done:
        return refused("stop_failed")
    message["stopped"] = True
    box.touch(message["id"])
    return done()
