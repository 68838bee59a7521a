"""People: each has a private chat with the bot."""

import re
import time
from typing import Any, Literal

from bot.simulator.chats import Chat
from bot.simulator.telegram.exchange import Exchange

TYPING_SECONDS = 5.0
KEPT_FIELDS = (
    *("id", "first_name", "last_name", "phone", "language_code", "username", "blocked", "started"),
    *("messages", "keyboard", "keyboard_options", "last_message_id"),
)
COMMAND = re.compile(r"/[A-Za-z0-9_]{1,32}(@[A-Za-z0-9_]{3,32})?")


class Person(Chat):
    """One human and their private chat with the bot; the chat's id is the person's.

    `messages` is the chat as the person sees it, oldest first, each a Bot API Message with `outgoing` (True: the
    person wrote it); deleted ones are gone, edited ones are changed in place. `keyboard` is the reply keyboard
    shown now. What the person does answers the id of the update the bot gets.
    """

    name_field = "message_id"
    id: int
    phone: str

    def __init__(
        self,
        exchange: Exchange,
        person_id: int,
        *,
        first_name: str,
        last_name: str = "",
        phone: str,
        language_code: str = "en",
        username: str | None = None,
    ) -> None:
        super().__init__()
        self._exchange = exchange
        self.id = person_id
        self.first_name = first_name
        self.last_name = last_name
        self.phone = phone
        self.language_code = language_code
        self.username = username
        self.blocked = False
        # The bot may write only to those who wrote first.
        self.started = False
        self.keyboard: list[list[dict[str, Any]]] | None = None
        self.keyboard_options: dict[str, Any] = {}
        self.typing_until = 0.0
        self.last_message_id = 0

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    # ------------------------------------------------------------------------------- the person acts

    def start(self, payload: str = "") -> int:
        """Press Start, perhaps after a deep link."""
        return self.send(f"/start {payload}".strip())

    def send(self, text: str) -> int:
        """Write a text; a leading command is marked as one."""
        content: dict[str, Any] = {"text": text}
        if command := COMMAND.match(text):
            content["entities"] = [{"type": "bot_command", "offset": 0, "length": command.end()}]
        update_id = self._say(content)
        self._use_keyboard(text)
        return update_id

    def share_contact(self, *, phone: str | None = None, user_id: int | Literal["own"] | None = "own") -> int:
        """Share the own number; `user_id=None` forwards a card without an owner, another id is a forgery."""
        contact: dict[str, Any] = {"phone_number": phone or self.phone, "first_name": self.first_name}
        if self.last_name:
            contact["last_name"] = self.last_name
        if user_id is not None:
            contact["user_id"] = self.id if user_id == "own" else user_id
        update_id = self._say({"contact": contact})
        self._use_keyboard(None)
        return update_id

    def send_photo(self, data: bytes, caption: str = "") -> int:
        """Send a photo; the bot gets two sizes of it."""
        content: dict[str, Any] = {"photo": self._exchange.photos.add(data).sizes()}
        if caption:
            content["caption"] = caption
        return self._say(content)

    def tap(self, message_id: int, data: str) -> int:
        """Press an inline button. A message that is gone arrives as an inaccessible one."""
        found = self.find(message_id)
        message = bare(found) if found else {"message_id": message_id, "chat": self.chat(), "date": 0}
        query = {
            "id": self._exchange.press(self.id, message_id, data),
            "from": self.user(),
            "message": message,
            "chat_instance": str(self.id * 7919),
            "data": data,
        }
        update_id = self._exchange.updates.push({"callback_query": query}, kind="callback_query")
        self.touch()
        return update_id

    def block(self) -> int:
        """Stop the bot: it may not write any more."""
        self.blocked = True
        return self._membership("member", "kicked")

    def unblock(self) -> int:
        """Let the bot write again."""
        self.blocked = False
        return self._membership("kicked", "member")

    # ---------------------------------------------------------------------------------- the bot acts

    def receive(self, content: dict[str, Any]) -> dict[str, Any]:
        """A message of the bot appears; answers it as the Bot API does."""
        message = self._append(self._exchange.bot, content, outgoing=False)
        self.typing_until = 0.0
        self.touch(message["message_id"])
        return bare(message)

    def show_keyboard(self, rows: list[list[dict[str, Any]]] | None, options: dict[str, Any]) -> None:
        """Replace the reply keyboard, or take it away with None."""
        self.keyboard, self.keyboard_options = rows, options
        self.touch()

    def edit(self, message: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
        """Change a message in place; a field of None goes away."""
        message.update(changes)
        if changes.keys() - {"reply_markup"}:
            # New buttons alone do not make a message an edited one.
            message["edit_date"] = int(time.time())
        for name in [name for name, value in message.items() if value is None]:
            del message[name]
        self.touch(message["message_id"])
        return bare(message)

    def delete(self, message: dict[str, Any]) -> None:
        """Take a message out of the chat."""
        self.messages.remove(message)
        self.versions.pop(message["message_id"], None)
        self.touch()

    def type(self) -> None:
        """Typing dots for five seconds or until the next message."""
        self.typing_until = time.time() + TYPING_SECONDS
        self.touch()

    def hear(self, answer: dict[str, Any]) -> None:
        """The bot answered a tap."""
        self.answers = [*self.answers[-19:], (self.version + 1, answer)]
        self.touch()

    # ------------------------------------------------------------------------------------------ store

    def dump(self) -> dict[str, Any]:
        """For the store."""
        return {name: getattr(self, name) for name in KEPT_FIELDS}

    @classmethod
    def load(cls, exchange: Exchange, kept: dict[str, Any]) -> "Person":
        """From the store."""
        person = cls(exchange, kept["id"], first_name=kept["first_name"], phone=kept["phone"])
        for name in KEPT_FIELDS:
            setattr(person, name, kept[name])
        person.versions = {message["message_id"]: 0 for message in person.messages}
        return person

    # ------------------------------------------------------------------------------------------ facts

    def user(self) -> dict[str, Any]:
        """The person as a Bot API User."""
        return {
            "id": self.id,
            "is_bot": False,
            **self._name(),
            "language_code": self.language_code,
        }

    def chat(self) -> dict[str, Any]:
        """The chat as a Bot API Chat."""
        return {"id": self.id, **self._name(), "type": "private"}

    def keep(self) -> None:
        self._exchange.changed()

    def _name(self) -> dict[str, str]:
        names = {"first_name": self.first_name, "last_name": self.last_name, "username": self.username}
        return {field: value for field, value in names.items() if value}

    def _say(self, content: dict[str, Any]) -> int:
        # A chat application unblocks the bot before it lets its owner write again.
        if self.blocked:
            self.unblock()
        self.started = True
        message = self._append(self.user(), content, outgoing=True)
        update_id = self._exchange.updates.push({"message": bare(message)}, kind="message")
        self.touch(message["message_id"])
        return update_id

    def _append(self, sender: dict[str, Any], content: dict[str, Any], *, outgoing: bool) -> dict[str, Any]:
        self.last_message_id += 1
        message = {
            "message_id": self.last_message_id,
            "from": sender,
            "chat": self.chat(),
            "date": int(time.time()),
            **content,
            "outgoing": outgoing,
        }
        self.append(message)
        return message

    def _use_keyboard(self, text: str | None) -> None:
        """A keyboard for one use goes once one of its buttons was used; None stands for a shared contact."""
        if self.keyboard is None or not self.keyboard_options.get("one_time_keyboard"):
            return
        if text is None or any(button["text"] == text for row in self.keyboard for button in row):
            self.show_keyboard(None, {})

    def _membership(self, old: str, new: str) -> int:
        def member(status: str) -> dict[str, Any]:
            return {"user": self._exchange.bot, "status": status} | ({"until_date": 0} if status == "kicked" else {})

        change = {
            "chat": self.chat(),
            "from": self.user(),
            "date": int(time.time()),
            "old_chat_member": member(old),
            "new_chat_member": member(new),
        }
        update_id = self._exchange.updates.push({"my_chat_member": change}, kind="my_chat_member")
        self.touch()
        return update_id


def bare(message: dict[str, Any]) -> dict[str, Any]:
    """A message as the Bot API shows it."""
    return {name: value for name, value in message.items() if name != "outgoing"}
