"""What the chat page shows of a chat in WhatsApp."""

import time
from typing import Any

from bot.simulator.whatsapp.exchange import Exchange
from bot.simulator.whatsapp.formatting import formatted
from bot.simulator.whatsapp.people import Person


def status(person: Person, exchange: Exchange) -> dict[str, Any]:
    """All that is not a message."""
    return {
        "typing": person.typing_until > time.time(),
        "blocked": person.blocked,
        "keyboard": None,
        "placeholder": "",
        "waiting": [
            message["id"] for change in exchange.hook.pending for message in change["value"].get("messages", [])
        ],
        "presses": [],
        "window": person.window_is_open,
        "offers": person.takes_offers,
        "hint": hint(person, exchange),
    }


def hint(person: Person, exchange: Exchange) -> str:
    """What keeps the two from hearing each other, nothing when they do."""
    if not exchange.hook.verified:
        return "unverified"
    if exchange.hook.is_failing:
        return "webhook_fails"
    return "window_closed" if person.last_wrote_at and not person.window_is_open else ""


def shown(message: dict[str, Any]) -> dict[str, Any]:
    """One message, as the page draws it."""
    source = message.get("text", message.get("caption", ""))
    # What people write is shown as they see it in WhatsApp: marks become letters of another kind on both sides.
    text, entities = formatted(source)
    return {
        "id": message["id"],
        "out": message["outgoing"],
        "at": message["date"],
        "edited": False,
        "text": text,
        "entities": entities,
        "photo": message.get("image"),
        "contact": message.get("contact"),
        "document": message.get("document"),
        "location": message.get("location"),
        "buttons": [[message["link"]]] if "link" in message else [],
        "replies": message.get("buttons", []),
        "list": message.get("list"),
        "answered": message.get("answered", ""),
        "header": message.get("header", ""),
        "footer": message.get("footer", ""),
        "description": message.get("description", ""),
        "template": message.get("template", ""),
        "reaction": message.get("their_reaction" if message["outgoing"] else "reaction", ""),
        "read": bool(message.get("read")),
        "quote": None,
    }
