"""What all chats share: the bot's identity, the people, the queue of updates, photos and button presses."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Container
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from bot.simulator.email.attachments import Attachments
from bot.simulator.photos import Photos
from bot.simulator.telegram.updates import UpdateQueue

if TYPE_CHECKING:
    from bot.simulator.telegram.people import Person

MOST_PRESSES = 1000
KEPT_PRESSES = 50


@dataclass(slots=True)
class Press:
    """A tap on an inline button, until the bot answers it."""

    person_id: int
    message_id: int
    data: str
    answered: bool = False
    at: float = field(default_factory=time.time)


class Exchange:
    """The state behind the API. `changed` is called after every change that is worth keeping."""

    def __init__(self, *, token: str, bot_name: str, bot_username: str) -> None:
        number = token.partition(":")[0]
        self.bot = {
            "id": int(number) if number.isdecimal() else 7_000_000_001,
            "is_bot": True,
            "first_name": bot_name,
            "username": bot_username,
        }
        self.people: dict[int, Person] = {}
        self.updates = UpdateQueue()
        self.photos = Photos()
        self.documents = Attachments()
        self.presses: OrderedDict[str, Press] = OrderedDict()
        # Chats that nobody reads: those of these ids, and those known from injected updates only.
        self.silent_ids: Container[int] = ()
        self.silent_chats: dict[int, dict[str, Any]] = {}
        self.silent_message_ids: dict[int, int] = {}
        self.commands: dict[str, list[dict[str, str]]] = {}
        self.changed: Callable[[], None] = lambda: None

    def press(self, person_id: int, message_id: int, data: str) -> str:
        """Note a tap and answer the id of its callback query."""
        query_id = str(secrets.randbits(62))
        self.presses[query_id] = Press(person_id, message_id, data)
        while len(self.presses) > MOST_PRESSES:
            self.presses.popitem(last=False)
        return query_id

    def silent_chat(self, chat_id: int) -> dict[str, Any] | None:
        """A chat that nobody reads, None when there is none of this id."""
        if chat_id in self.silent_ids:
            return {"id": chat_id, "type": "private", "first_name": "Somebody"}
        return self.silent_chats.get(chat_id)

    def inject(self, update: dict[str, Any]) -> int:
        """Queue any update as it is; the chat it names becomes known to the bot."""
        for content in update.values():
            place = content.get("message", content) if isinstance(content, dict) else None
            chat = place.get("chat") if isinstance(place, dict) else None
            if isinstance(chat, dict) and isinstance(chat.get("id"), int) and chat["id"] not in self.people:
                self.silent_chats[chat["id"]] = chat
        number = self.updates.push(update)
        self.changed()
        return number

    def dump(self) -> dict[str, Any]:
        """For the store: all but the people, who dump themselves, and old button presses."""
        return {
            "next_id": self.updates.next_id,
            "pending": list(self.updates.pending),
            "allowed": sorted(self.updates.allowed),
            "photos": self.photos.dump(),
            "documents": self.documents.dump(),
            "commands": self.commands,
            "presses": [[query_id, asdict(press)] for query_id, press in list(self.presses.items())[-KEPT_PRESSES:]],
            "silent_chats": list(self.silent_chats.values()),
        }

    def load(self, kept: dict[str, Any]) -> None:
        """From the store."""
        self.updates.next_id = max(self.updates.next_id, kept["next_id"])
        self.updates.pending.extend(kept["pending"])
        self.updates.allowed = frozenset(kept["allowed"])
        self.photos.load(kept["photos"])
        self.documents.load(kept.get("documents", []))
        self.commands = kept["commands"]
        self.presses.update({query_id: Press(**press) for query_id, press in kept["presses"]})
        self.silent_chats = {chat["id"]: chat for chat in kept["silent_chats"]}
