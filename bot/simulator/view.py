"""What the chat page shows: a person's chat as plain data, in steps, so that a page gets each thing once."""

import time
from dataclasses import asdict
from typing import Any

from bot.simulator.exchange import Exchange
from bot.simulator.faults import Faults
from bot.simulator.people import Person
from bot.simulator.webhook import Webhook

PRESS_SECONDS = 15


class View:
    """One open page. The first step has everything, later ones what changed since."""

    def __init__(self, person: Person, exchange: Exchange, webhook: Webhook, faults: Faults) -> None:
        self._person = person
        self._exchange = exchange
        self._webhook = webhook
        self._faults = faults
        self._version = -1
        self._answered = person.version
        self._status: dict[str, Any] = {}

    def step(self) -> dict[str, Any] | None:
        """The next thing to tell the page, None when nothing changed."""
        person = self._person
        status = self.status()
        if person.version == self._version and status == self._status:
            return None
        changed = [m for m in person.messages if person.versions.get(m["message_id"], 0) > self._version]
        step = {
            "ids": [message["message_id"] for message in person.messages],
            "messages": [shown(message) for message in changed],
            "answers": [answer for version, answer in person.answers if version > self._answered],
            "status": status,
        }
        self._version = self._answered = person.version
        self._status = status
        return step

    def status(self) -> dict[str, Any]:
        """All that is not a message."""
        person, now = self._person, time.time()
        waits = [update["message"] for update in self._exchange.updates.pending if is_message_of(update, person.id)]
        presses = [
            [press.message_id, press.data]
            for press in self._exchange.presses.values()
            if press.person_id == person.id and not press.answered and now - press.at < PRESS_SECONDS
        ]
        return {
            "typing": person.typing_until > now,
            "blocked": person.blocked,
            "keyboard": person.keyboard,
            "placeholder": person.keyboard_options.get("input_field_placeholder", ""),
            "waiting": [message["message_id"] for message in waits],
            "presses": presses,
            "hint": self._hint(),
            "faults": asdict(self._faults),
        }

    def _hint(self) -> str:
        if any(asdict(self._faults).values()):
            return "faults_on"
        if self._webhook.url:
            return "webhook_fails" if self._webhook.is_failing else ""
        return "" if self._exchange.updates.is_polled else "asleep"


def is_message_of(update: dict[str, Any], person_id: int) -> bool:
    """Whether a queued update is a message of that person; injected ones may be anything."""
    message = update.get("message")
    chat = message.get("chat") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(chat, dict):
        return False
    return chat.get("id") == person_id and isinstance(message.get("message_id"), int)


def shown(message: dict[str, Any]) -> dict[str, Any]:
    """One message, as the page draws it."""
    photo = message.get("photo")
    contact = message.get("contact")
    return {
        "id": message["message_id"],
        "out": message["outgoing"],
        "at": message["date"],
        "edited": "edit_date" in message,
        "text": message.get("text", message.get("caption", "")),
        "entities": message.get("entities", message.get("caption_entities", [])),
        "photo": photo and {"file": photo[-1]["file_id"], "width": photo[-1]["width"], "height": photo[-1]["height"]},
        "contact": contact and {"name": contact["first_name"], "phone": contact["phone_number"]},
        "buttons": message.get("reply_markup", {}).get("inline_keyboard", []),
        "quote": quote(message.get("reply_to_message")),
    }


def quote(message: dict[str, Any] | None) -> dict[str, str] | None:
    """The message answered to, in short."""
    if message is None:
        return None
    return {"name": message["from"]["first_name"], "text": message.get("text", message.get("caption", ""))[:120]}
