"""What the chat page shows of a chat in Telegram."""

import time
from typing import Any

from bot.simulator.telegram.exchange import Exchange
from bot.simulator.telegram.people import Person
from bot.simulator.telegram.webhook import Webhook

PRESS_SECONDS = 15


def status(person: Person, exchange: Exchange, webhook: Webhook) -> dict[str, Any]:
    """All that is not a message."""
    now = time.time()
    waits = [update["message"] for update in exchange.updates.pending if is_message_of(update, person.id)]
    presses = [
        [press.message_id, press.data]
        for press in exchange.presses.values()
        if press.person_id == person.id and not press.answered and now - press.at < PRESS_SECONDS
    ]
    return {
        "typing": person.typing_until > now,
        "blocked": person.blocked,
        "keyboard": person.keyboard,
        "placeholder": person.keyboard_options.get("input_field_placeholder", ""),
        "waiting": [message["message_id"] for message in waits],
        "presses": presses,
        "hint": hint(exchange, webhook),
    }


def hint(exchange: Exchange, webhook: Webhook) -> str:
    """What keeps the bot from hearing people, nothing when it hears them."""
    if webhook.url:
        return "webhook_fails" if webhook.is_failing else ""
    return "" if exchange.updates.is_polled else "asleep"


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
    file = message.get("document")
    return {
        "id": message["message_id"],
        "out": message["outgoing"],
        "at": message["date"],
        "edited": "edit_date" in message,
        "text": message.get("text", message.get("caption", "")),
        "entities": message.get("entities", message.get("caption_entities", [])),
        "photo": photo and {"file": photo[-1]["file_id"], "width": photo[-1]["width"], "height": photo[-1]["height"]},
        "document": file and {"file": file["file_id"], "name": file["file_name"], "size": file["file_size"]},
        "contact": contact and {"name": contact["first_name"], "phone": contact["phone_number"]},
        "buttons": message.get("reply_markup", {}).get("inline_keyboard", []),
        "quote": quote(message.get("reply_to_message")),
    }


def quote(message: dict[str, Any] | None) -> dict[str, str] | None:
    """The message answered to, in short."""
    if message is None:
        return None
    return {"name": message["from"]["first_name"], "text": message.get("text", message.get("caption", ""))[:120]}
