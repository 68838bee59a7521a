"""The phones: what they got by SMS."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from bot.simulator.inboxes import Conversation, Conversations
from bot.simulator.manners import done, read
from bot.simulator.messengers import Act
from bot.simulator.sms.api import Api
from bot.simulator.sms.faults import SmsFaults
from bot.simulator.sms.gateway import Gateway
from bot.simulator.sms.reports import Reports
from bot.simulator.sms.words import WORDS


class SmsInbox:
    """The gateway's API below `/sms`, and everyone's messages by their number."""

    name = "sms"
    title = "SMS"
    words: Mapping[str, Mapping[str, str]] = WORDS

    def __init__(self, gateway: Gateway) -> None:
        self.conversations = Conversations(self.name)
        self.entrance = self.conversations.entrance
        self.reports = Reports(self._told)
        self.acts: Mapping[str, Act] = {"reach": reach}
        self._api = Api(gateway, self.conversations, self.reports)

    @property
    def faults(self) -> SmsFaults:
        """What goes wrong here; change it at any time."""
        return self._api.faults

    @property
    def calls(self) -> list[dict[str, Any]]:
        """Fields as they came, oldest first, a thousand at most."""
        return self._api.calls

    def phone(self, number: str) -> Conversation:
        """The conversation of a number like +79165550101; it is there from now on."""
        return self.conversations.of(number)

    # ------------------------------------------------------------------------------------- for the page

    def routes(self) -> list[web.RouteDef]:
        return self._api.routes()

    def chats(self) -> Sequence[Conversation]:
        return self.conversations.newest_first()

    def shown(self, message: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": message["id"],
            "at": message["date"],
            "from": message["sender"],
            "text": message["text"],
            "parts": message["parts"],
            "failed": message["status"] == "failed",
        }

    def status(self, chat: Conversation) -> dict[str, Any]:
        return {
            "conversations": self.conversations.listed(lambda message: message["text"]),
            "unreachable": chat.is_unreachable,
            "hint": "is_unreachable" if chat.is_unreachable else "reports_fail" if self.reports.is_failing else "",
        }

    def file(self, name: str) -> web.Response | None:
        """SMS carry no files."""

    # ------------------------------------------------------------------------------------------- life

    def dump(self) -> dict[str, Any]:
        return {"conversations": self.conversations.dump(), "pending": list(self.reports.pending)}

    def load(self, kept: dict[str, Any]) -> None:
        self.conversations.load(kept["conversations"])
        self.reports.pending.extend(kept["pending"])

    def on_change(self, changed: Callable[[], None]) -> None:
        self.conversations.changed = changed

    async def start(self) -> None:
        self.reports.start()

    def end_waiting(self) -> None:
        """Nobody waits here for an answer."""

    async def stop(self) -> None:
        await self.reports.stop()

    def _told(self) -> None:
        """A report was taken or refused: the hint may be another, and the queue is."""
        self.conversations.touched(self.entrance)


async def reach(phone: Conversation, request: web.Request) -> web.Response:
    """Switch a phone off, or on again."""
    phone.is_unreachable = bool((await read(request)).get("unreachable"))
    phone.touch()
    return done()
