"""A person's chat with us, whichever messenger it is in: its messages, and who looks at it."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from bot.simulator.bell import Bell

MOST_MESSAGES = 500


class Chat(ABC):
    """What the page needs of a chat.

    `messages` is the chat as the person sees it, oldest first, each with `outgoing` (True: the person wrote it).
    `name_field` is the field that tells a message from others. `looking` is how many pages show the chat now.
    """

    name_field = "id"
    id: int | str
    phone: str | None

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.bell = Bell()
        self.looking = 0
        # What was answered to taps, for pages that are open now: (number, answer).
        self.answers: list[tuple[int, dict[str, Any]]] = []
        self.version = 0
        self.versions: dict[Any, int] = {}

    @property
    @abstractmethod
    def full_name(self) -> str:
        """The name, as the person's own messenger shows it."""

    @property
    def own_phone(self) -> str:
        """The number they would share, be it known or not."""
        return self.phone or ""

    @abstractmethod
    def keep(self) -> None:
        """Something of the chat is worth keeping in the store."""

    def look(self, pages: int) -> None:
        """So many more pages, or fewer, show the chat."""
        self.looking += pages

    def find(self, name: Any) -> dict[str, Any] | None:
        """A message of the chat."""
        return next((message for message in self.messages if message[self.name_field] == name), None)

    def touch(self, name: Any = None) -> None:
        """Something changed, that message perhaps: wake those who look and have it kept."""
        self.version += 1
        if name is not None:
            self.versions[name] = self.version
        self.bell.ring()
        self.keep()

    def append(self, message: dict[str, Any]) -> None:
        """A new message; the oldest give way."""
        self.messages.append(message)
        for old in self.messages[:-MOST_MESSAGES]:
            self.versions.pop(old[self.name_field], None)
        del self.messages[:-MOST_MESSAGES]

    def changed_since(self, version: int) -> list[dict[str, Any]]:
        """The messages that are new or different."""
        return [message for message in self.messages if self.versions.get(message[self.name_field], 0) > version]

    async def wait_for(
        self,
        predicate: Callable[[dict[str, Any]], bool],
        *,
        timeout: float = 10.0,  # noqa: ASYNC109 - part of the promise: the error says what is there
    ) -> dict[str, Any]:
        """The first message to the person that satisfies the predicate, present or to come."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    for message in self.messages:
                        if not message["outgoing"] and predicate(message):
                            return message
                    await self.bell.wait()
        except TimeoutError:
            there = [self.told(message) for message in self.messages if not message["outgoing"]]
            raise TimeoutError(f"{self.full_name} got no such message within {timeout} s, but: {there}") from None

    def told(self, message: dict[str, Any]) -> str:
        """A message in short, for errors."""
        return str(message.get("text", message.get("caption", "photo")))
