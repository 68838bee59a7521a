"""What an update of WhatsApp says, in nobody's words. Source of the shapes: the reference of its webhooks."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import phonenumbers

from bot.channels.base import Event, EventKind, Progress, TemplateNews
from bot.channels.reading import at, moment, read_json, whole, words
from bot.channels.whatsapp.errors import reported
from bot.channels.whatsapp.pieces import Person, person_of, recipient_of
from bot.channels.whatsapp.reading import scoped_id, wa_id
from loyalty.conversations.actions.turns import Sender
from loyalty.conversations.channels import WHATSAPP
from loyalty.conversations.content import SAID
from loyalty.conversations.rules import Status
from loyalty.customers.rules import clean_text

OURS = "whatsapp_business_account"
START = "/start"
FILES = ("document", "audio", "video", "voice", "sticker")
ID_LENGTH = 160

STATUSES: Mapping[str, Status] = {
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.READ,
    "played": Status.READ,
    "failed": Status.FAILED,
}
TEMPLATE_STATUSES: Mapping[str, str] = {
    "APPROVED": "approved",
    "REINSTATED": "approved",
    "REJECTED": "rejected",
    "PENDING": "pending",
    "IN_APPEAL": "pending",
    "PAUSED": "paused",
    "DISABLED": "disabled",
    "PENDING_DELETION": "disabled",
    "DELETED": "disabled",
    "ARCHIVED": "disabled",
}
"""What an event makes of a template; others, like a warning, leave it as it was."""
PREFERENCES: Mapping[str, EventKind] = {"stop": EventKind.STOPPED, "resume": EventKind.RESUMED}
MOVES = ("user_changed_number", "customer_changed_number", "user_changed_user_id")

Said = Mapping[str, Any]


def parse(body: bytes, phone_number_id: str) -> Event | Progress | TemplateNews | None:
    """What an update says; None for what is no concern of ours. Raises ValueError for what cannot be read."""
    piece = read_json(body)
    if not isinstance(piece, dict) or "odd" in piece:
        raise ValueError("the call had not the shape of a webhook")
    if piece.get("object") not in (OURS, None):
        return None
    number = at(piece, "metadata", "phone_number_id")
    if number is not None and str(number) != phone_number_id:
        # Of another number of the same business.
        return None
    if "message" in piece:
        return _from_message(piece)
    if "status" in piece:
        return _from_status(piece["status"])
    if "preference" in piece:
        return _from_preference(piece)
    if "moved" in piece:
        current = scoped_id(at(piece, "moved", "user_id", "current"))
        return Event(EventKind.MOVED, _sender(piece), data=current) if current else None
    if piece.get("field") == "message_template_status_update":
        return _from_template(piece.get("value"))
    return None


# ------------------------------------------------------------------------------------------------ people


def _sender(piece: Said) -> Sender:
    """Who did this. Raises ValueError where nobody is named."""
    person = person_of(piece)
    if not person.address:
        raise ValueError("nobody is named whose message this is")
    profile = at(piece, "contacts", 0, "profile")
    # The name is compared with the one that is kept, so it is cleaned the same way.
    name = clean_text(words(at(profile, "name"), 300))[:100]
    username = clean_text(words(at(profile, "username"), 100)).removeprefix("@")[:64]
    return Sender(
        WHATSAPP,
        person.address,
        name,
        username or None,
        "",
        alias=person.wa if person.scoped and person.wa else None,
        phone=_phone(piece, person),
    )


def _phone(piece: Said, person: Person) -> str | None:
    """The number that they write from, as WhatsApp vouches for it."""
    number = wa_id(at(piece, "message", "from")) or person.wa
    return international(number) if number else None


def international(digits: str) -> str | None:
    """The digits of a number as E.164; None for what is no phone number."""
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


# ---------------------------------------------------------------------------------------------- messages


def _from_message(piece: Said) -> Event | None:
    said = piece["message"]
    if not isinstance(said, dict):
        raise ValueError("the message is no object")  # noqa: TRY004  to whoever calls, it cannot be read
    kind = words(said.get("type"), 40)
    if kind == "system":
        return _from_system(piece)
    if said.get("group_id") is not None:
        # A group is no place for people's balances.
        return None
    sender, message_id = _sender(piece), words(said.get("id"))[:ID_LENGTH] or None
    read = READERS.get(kind)
    event = read(sender, said) if read is not None else None
    if event is None:
        return Event(EventKind.OTHER, sender, message_id=message_id)
    return event if event.kind is EventKind.BUTTON else replace(event, message_id=message_id)


def _text(sender: Sender, said: Said) -> Event | None:
    text = words(at(said, "text", "body"))
    return _spoken(sender, text) if text else None


def _spoken(sender: Sender, text: str) -> Event:
    is_start = text.split(maxsplit=1)[:1] == [START]
    return Event(EventKind.START if is_start else EventKind.TEXT, sender, text=text)


def _button(sender: Sender, said: Said) -> Event | None:
    """The quick reply of a template."""
    return _pressed(sender, said, at(said, "button", "payload"), at(said, "button", "text"))


def _interactive(sender: Sender, said: Said) -> Event | None:
    """A reply button, or a row of a list."""
    kind = at(said, "interactive", "type")
    if kind not in ("button_reply", "list_reply"):
        return None
    chosen = at(said, "interactive", kind)
    return _pressed(sender, said, at(chosen, "id"), at(chosen, "title"))


def _pressed(sender: Sender, said: Said, data: object, label: object) -> Event | None:
    told = words(data, 256)
    if not told:
        return None
    if told.startswith(SAID):
        return _spoken(sender, told.removeprefix(SAID))
    ours = words(at(said, "context", "id"))[:ID_LENGTH]
    return Event(EventKind.BUTTON, sender, text=words(label, 200), data=told, message_id=ours or None)


def _photo(sender: Sender, said: Said) -> Event | None:
    return _file(EventKind.PHOTO, sender, at(said, "image"), "image/jpeg")


def _attached(sender: Sender, said: Said) -> Event | None:
    return _file(EventKind.FILE, sender, at(said, words(said.get("type"), 40)), "application/octet-stream")


def _file(kind: EventKind, sender: Sender, file: object, mime: str) -> Event | None:
    file_id = at(file, "id")
    named = words(str(file_id) if type(file_id) is int else file_id, 200)
    if not named:
        return None
    told = words(at(file, "mime_type"), 100).partition(";")[0].strip()
    return Event(
        kind,
        sender,
        text=words(at(file, "caption")),
        file_id=named,
        file_name=clean_text(words(at(file, "filename"), 300))[:120],
        mime=told or mime,
        size=whole(at(file, "file_size")) or 0,
    )


def _location(sender: Sender, said: Said) -> Event | None:
    place = at(said, "location")
    degrees = [at(place, "latitude"), at(place, "longitude")]
    told = [str(one)[:24] for one in degrees if isinstance(one, int | float | str) and not isinstance(one, bool)]
    lines = [words(at(place, "name"), 200), words(at(place, "address"), 400), words(", ".join(told))]
    text = "\n".join(line for line in lines if line)
    return Event(EventKind.LOCATION, sender, text=text) if text else None


def _contact(sender: Sender, said: Said) -> Event | None:
    first = at(said, "contacts", 0, "phones", 0)
    number = wa_id(at(first, "wa_id"))
    digits = number or "".join(char for char in words(at(first, "phone"), 40) if char.isascii() and char.isdigit())
    own = wa_id(sender.alias or sender.address)
    return Event(
        EventKind.CONTACT,
        sender,
        phone=f"+{digits}" if digits else "",
        # By the id that WhatsApp adds, not by the number, which anybody may write into a contact.
        is_own_phone=number != "" and number == own,
    )


def _reaction(sender: Sender, said: Said) -> Event | None:
    return Event(EventKind.REACTION, sender, text=words(at(said, "reaction", "emoji"), 40))


def _from_system(piece: Said) -> Event | None:
    """Somebody has another number or id from now on."""
    told = at(piece, "message", "system")
    if at(told, "type") not in MOVES:
        return None
    current = wa_id(at(told, "wa_id")) or wa_id(at(told, "new_wa_id"))
    if at(told, "type") == "user_changed_user_id":
        current = scoped_id(at(told, "user_id")) or current
    # An id that changed may come without the old one: then the update that has both follows, "user_id_update".
    if not current or not person_of(piece).address:
        return None
    # The old number is nothing that WhatsApp vouches for any more.
    return Event(EventKind.MOVED, replace(_sender(piece), phone=None), data=current)


READERS: Mapping[str, Callable[[Sender, Said], Event | None]] = {
    "text": _text,
    "button": _button,
    "interactive": _interactive,
    "image": _photo,
    **dict.fromkeys(FILES, _attached),
    "location": _location,
    "contacts": _contact,
    "reaction": _reaction,
}
"""By kind of message; one that has no reader, or whose reader finds nothing, is something that we cannot show."""


# --------------------------------------------------------------------------------------------------- news


def _from_status(said: object) -> Progress | None:
    status = STATUSES.get(words(at(said, "status"), 40))
    if status is None:
        return None
    recipient, name, told = recipient_of(said), words(at(said, "id")), moment(at(said, "timestamp"))
    if not recipient or not name or len(name) > ID_LENGTH or told is None:
        raise ValueError("the status names no message, nobody or no time")
    return Progress(
        name,
        recipient,
        status,
        told,
        reference=whole(at(said, "biz_opaque_callback_data")),
        error=reported(at(said, "errors")) if status is Status.FAILED else None,
    )


def _from_preference(piece: Said) -> Event | None:
    chosen = piece["preference"]
    kind = PREFERENCES.get(words(at(chosen, "value"), 40))
    if kind is None or at(chosen, "category") not in ("marketing_messages", None):
        return None
    return Event(kind, _sender(piece))


def _from_template(value: object) -> TemplateNews | None:
    status = TEMPLATE_STATUSES.get(words(at(value, "event"), 40))
    name, language = words(at(value, "message_template_name"), 600), words(at(value, "message_template_language"), 20)
    if status is None:
        return None
    if not name or not language:
        raise ValueError("the template is not named")
    reason = words(at(value, "reason"), 200).removeprefix("NONE") or words(at(value, "other_info", "title"), 200)
    template_id = at(value, "message_template_id")
    known = str(template_id)[:40] if type(template_id) is int else words(template_id, 40)
    return TemplateNews(name, language, status, reason, known)
