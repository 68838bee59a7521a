"""Inboxes: what lies in them by number or address, the newest first, whichever way it came."""

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

from bot.simulator.chats import Chat

MOST_CONVERSATIONS = 300
MOST_LISTED = 100
PREVIEW_LENGTH = 90


class Conversation(Chat):
    """All that came for one number or address; `id` is made up, so that nobody's number lies in a link.

    `is_unreachable`: what comes is taken and does not reach the reader.
    """

    id: str

    def __init__(self, mailroom: "Conversations", address: str) -> None:
        super().__init__()
        self._mailroom = mailroom
        self.id = f"{mailroom.name[0]}{100_000_000 + secrets.randbelow(900_000_000)}"
        self.address = address
        self.phone = None
        self.is_unreachable = False

    @property
    def full_name(self) -> str:
        """The number or address itself."""
        return self.address

    def keep(self) -> None:
        """All pages of the inbox list this conversation too."""
        self._mailroom.touched(self)

    def receive(self, message: dict[str, Any]) -> dict[str, Any]:
        """Something arrived now; answers it with its id."""
        message = {"id": secrets.token_urlsafe(9), "outgoing": False, "date": time.time(), **message}
        self.append(message)
        self.touch(message["id"])
        return message

    def dump(self) -> dict[str, Any]:
        """For the store."""
        return {
            "id": self.id,
            "address": self.address,
            "is_unreachable": self.is_unreachable,
            "messages": self.messages,
        }


class Conversations:
    """The conversations of one inbox. `name` is the inbox's; `entrance` stands for the inbox while none is chosen."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.changed: Callable[[], None] = lambda: None
        self.entrance = Conversation(self, "")
        self.entrance.id = name
        # By address, the one that was touched last being the last.
        self._known: dict[str, Conversation] = {}

    def newest_first(self) -> Sequence[Conversation]:
        """All of them."""
        return list(reversed(self._known.values()))

    def find(self, address: str) -> Conversation | None:
        """Of that number or address, if anything ever came for it."""
        return self._known.get(address)

    def of(self, address: str) -> Conversation:
        """Of that number or address; the oldest gives way to a new one."""
        there = self._known.pop(address, None) or Conversation(self, address)
        self._known[address] = there
        for old in list(self._known)[:-MOST_CONVERSATIONS]:
            del self._known[old]
        return there

    def touched(self, changed: Conversation) -> None:
        """Wake the pages that show another conversation: their list changed."""
        for one in (self.entrance, *self._known.values()):
            if one is not changed and one.looking:
                one.bell.ring()
        self.changed()

    def listed(self, preview: Callable[[dict[str, Any]], str]) -> list[dict[str, Any]]:
        """The newest ones for the page, with the beginning of what came last."""
        listed = []
        for one in self.newest_first()[:MOST_LISTED]:
            last = one.messages[-1] if one.messages else None
            listed.append(
                {
                    "id": one.id,
                    "address": one.address,
                    "at": last["date"] if last else 0,
                    "preview": preview(last)[:PREVIEW_LENGTH] if last else "",
                    "count": len(one.messages),
                }
            )
        return listed

    def dump(self) -> list[dict[str, Any]]:
        """For the store."""
        return [one.dump() for one in self._known.values()]

    def load(self, kept: Sequence[dict[str, Any]]) -> None:
        """From the store."""
        for one in kept:
            conversation = self.of(one["address"])
            conversation.id = one["id"]
            conversation.is_unreachable = one["is_unreachable"]
            conversation.messages = one["messages"]
