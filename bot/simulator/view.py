"""What the page shows: a chat as plain data, in steps, so that a page gets each thing once."""

from dataclasses import asdict
from typing import Any

from bot.simulator.chats import Chat
from bot.simulator.messengers import Side


class View:
    """One open page. The first step has everything, later ones what changed since."""

    def __init__(self, chat: Chat, place: Side) -> None:
        self._chat = chat
        self._place = place
        self._version = -1
        self._answered = chat.version
        self._status: dict[str, Any] = {}

    def step(self) -> dict[str, Any] | None:
        """The next thing to tell the page, None when nothing changed."""
        chat, place = self._chat, self._place
        status = self._told()
        if chat.version == self._version and status == self._status:
            return None
        step = {
            "ids": [message[chat.name_field] for message in chat.messages],
            "messages": [place.shown(message) for message in chat.changed_since(self._version)],
            "answers": [answer for version, answer in chat.answers if version > self._answered],
            "status": status,
        }
        self._version = self._answered = chat.version
        self._status = status
        return step

    def _told(self) -> dict[str, Any]:
        status = {**self._place.status(self._chat), "faults": asdict(self._place.faults)}
        if self._place.faults.any:
            status["hint"] = "faults_on"
        return status
