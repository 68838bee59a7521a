"""People: each has a chat with the business's number."""

import secrets
import time
from typing import Any

from bot.simulator.chats import Chat
from bot.simulator.photos import opened_photo
from bot.simulator.whatsapp.exchange import WINDOW_SECONDS, Exchange, digits, message_name

KEPT_FIELDS = (
    *("id", "name", "phone", "user_id", "hidden_phone", "language_code", "blocked", "takes_offers", "last_wrote_at"),
    *("messages",),
)


class Person(Chat):
    """One human and their chat with the business.

    `phone` is what the business learns of them, None for those who hide theirs behind a user name; `user_id` is
    their business-scoped id, None for the time before there were any. `messages` is the chat as the person sees
    it, oldest first, each with `id`, `outgoing` (True: the person wrote it), `text` or `caption`, and as the case
    may be `image`, `document`, `location`, `contact`, `buttons`, `list`, `template`, `reaction` (theirs). What the
    person does answers the message's id.
    """

    id: str

    def __init__(
        self,
        exchange: Exchange,
        *,
        name: str,
        phone: str | None,
        user_id: str | None,
        hidden_phone: str = "",
        language_code: str = "en",
    ) -> None:
        super().__init__()
        self._exchange = exchange
        self.id = f"w{100_000_000 + secrets.randbelow(900_000_000)}"
        self.name = name
        self.phone = phone
        self.user_id = user_id
        self.hidden_phone = hidden_phone
        self.language_code = language_code
        self.blocked = False
        self.takes_offers = True
        self.last_wrote_at = 0.0
        self.typing_until = 0.0

    @property
    def full_name(self) -> str:
        """The profile's name."""
        return self.name

    @property
    def own_phone(self) -> str:
        return self.phone or self.hidden_phone

    @property
    def wa_id(self) -> str | None:
        """The number as WhatsApp names it; None when the business does not learn it."""
        return digits(self.phone) if self.phone else None

    @property
    def window_is_open(self) -> bool:
        """Whether they wrote within 24 hours, so that the business may say anything."""
        return self._exchange.now() - self.last_wrote_at < WINDOW_SECONDS

    # ------------------------------------------------------------------------------- the person acts

    def start(self, payload: str = "") -> str:
        """Send what a link has written for them."""
        return self.send(f"/start {payload}".strip())

    def send(self, text: str) -> str:
        """Write a text."""
        return self._say({"type": "text", "text": {"body": text}}, {"text": text})

    def tap(self, message: dict[str, Any] | str, which: int | str) -> str:
        """Press a button under a message: by its place, its id or its title."""
        told = self._theirs(message)
        button = picked(told["buttons"], which)
        if button.get("quick"):
            content = {"type": "button", "button": {"payload": button["id"], "text": button["title"]}}
        else:
            reply = {"id": button["id"], "title": button["title"]}
            content = {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": reply}}
        return self._say(content, {"text": button["title"]}, answers=told)

    def choose(self, message: dict[str, Any] | str, which: int | str) -> str:
        """Choose a row of a message's list: by its place, its id or its title."""
        told = self._theirs(message)
        row = picked(told["list"]["rows"], which)
        content = {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": row}}
        said = {"text": row["title"], "description": row.get("description", "")}
        return self._say(content, said, answers=told)

    def send_photo(self, data: bytes, caption: str = "") -> str:
        """Send a picture; raises BadPhoto when it is none."""
        photo = opened_photo(data)
        file = self._exchange.files.add(data, photo.content_type, size=(photo.width, photo.height))
        image = file.facts() | ({"caption": caption} if caption else {})
        return self._say({"type": "image", "image": image}, {"image": shown_image(file), "caption": caption})

    def send_document(self, data: bytes, name: str = "document.pdf", mime: str = "application/pdf") -> str:
        """Send a file."""
        file = self._exchange.files.add(data, mime, name)
        document = {**file.facts(), "filename": name}
        return self._say({"type": "document", "document": document}, {"document": shown_document(file)})

    def send_location(self, latitude: float, longitude: float, name: str = "", address: str = "") -> str:
        """Send a place."""
        place: dict[str, Any] = {"latitude": latitude, "longitude": longitude}
        place |= {field: value for field, value in (("name", name), ("address", address)) if value}
        return self._say({"type": "location", "location": place}, {"location": place})

    def share_contact(self, *, phone: str | None = None, name: str | None = None) -> str:
        """Send a contact card: their own, or that of another phone."""
        number = phone or self.own_phone
        card = {
            "name": {"formatted_name": name or self.name, "first_name": (name or self.name).split()[0]},
            "phones": [{"phone": number, "wa_id": digits(number), "type": "CELL"}],
        }
        told = {"contact": {"name": name or self.name, "phone": number}}
        return self._say({"type": "contacts", "contacts": [card]}, told)

    def react(self, message: dict[str, Any] | str, emoji: str) -> str:
        """React to a message of the business; "" takes the reaction back."""
        told = self._theirs(message)
        told["reaction"] = emoji
        reaction = {"message_id": told["id"]} | ({"emoji": emoji} if emoji else {})
        name = self._post({"type": "reaction", "reaction": reaction})
        self.touch(told["id"])
        return name

    def send_raw(self, content: dict[str, Any]) -> str:
        """Anything, as the app will get it: `{"type": …, …}`; it is not shown."""
        return self._post(content)

    def read(self) -> None:
        """Look at the chat: what has arrived is read."""
        for message in self.messages:
            if message.get("status") == "delivered":
                message["status"] = "read"
                self._exchange.tell_status(self.status_of(message))

    def block(self) -> None:
        """Block the business: it is not told, its messages just do not arrive any more."""
        self.blocked = True
        self.touch()

    def unblock(self) -> None:
        """Let the business write again."""
        self.blocked = False
        self.touch()

    def stop_offers(self) -> None:
        """Want no advertising of this business."""
        self._prefer(offers=False)

    def resume_offers(self) -> None:
        """Want it again."""
        self._prefer(offers=True)

    def change_number(self, new: str) -> str:
        """Move to another phone number; the chat goes along."""
        old, self.phone = self.wa_id, new
        body = f"User {self.name} changed from {old} to {self.wa_id}"
        system = {"body": body, "wa_id": self.wa_id, "type": "user_changed_number"}
        # Such a message comes without contacts, and from the old number.
        message = {"from": old, "id": message_name(), **self._now(), "type": "system", "system": system}
        self._exchange.tell("messages", {**self._exchange.metadata(), "messages": [message]})
        self.touch()
        return str(message["id"])

    def let_a_day_pass(self) -> None:
        """As if they had written a day earlier: the window closes."""
        self.last_wrote_at -= WINDOW_SECONDS
        self.touch()

    # ----------------------------------------------------------------------------- the business acts

    def receive(self, message: dict[str, Any]) -> None:
        """A message of the business arrives, unless it is blocked; an open page reads it at once."""
        self._exchange.tell_status(self.status_of(message | {"status": "sent"}))
        if self.blocked:
            return
        message["status"] = "delivered"
        self.append(message)
        self.typing_until = 0.0
        self._exchange.tell_status(self.status_of(message))
        self.touch(message["id"])
        if self.looking:
            self.read()

    def take_reaction(self, message_id: str, emoji: str) -> None:
        """The business reacts to what they wrote."""
        told = self.find(message_id)
        if told is not None:
            told["their_reaction"] = emoji
            self.touch(message_id)

    def was_read(self, message_id: str) -> None:
        """The business has read this message and all before it."""
        for message in self.messages:
            if message["outgoing"] and not message.get("read"):
                message["read"] = True
                self.touch(message["id"])
            if message["id"] == message_id:
                return

    def type(self, seconds: float) -> None:
        """Typing dots for so long, or until the next message."""
        self.typing_until = time.time() + seconds
        self.touch()

    def status_of(self, message: dict[str, Any]) -> dict[str, Any]:
        """What became of a message, as the app is told."""
        wa_id = {"recipient_id": self.wa_id} if self.wa_id else {}
        user_id = {"recipient_user_id": self.user_id} if self.user_id else {}
        return status(message, message["status"], self._exchange.now()) | wa_id | user_id

    def contact(self) -> dict[str, Any]:
        """The person, as the app is told."""
        names = {"wa_id": self.wa_id, "user_id": self.user_id}
        return {"profile": {"name": self.name}} | {field: value for field, value in names.items() if value}

    # ------------------------------------------------------------------------------------------- page

    def keep(self) -> None:
        self._exchange.changed()

    def look(self, pages: int) -> None:
        super().look(pages)
        if self.looking:
            self.read()

    def dump(self) -> dict[str, Any]:
        """For the store."""
        return {name: getattr(self, name) for name in KEPT_FIELDS}

    @classmethod
    def load(cls, exchange: Exchange, kept: dict[str, Any]) -> "Person":
        """From the store."""
        person = cls(exchange, name=kept["name"], phone=kept["phone"], user_id=kept["user_id"])
        for name in KEPT_FIELDS:
            setattr(person, name, kept[name])
        person.versions = {message["id"]: 0 for message in person.messages}
        return person

    def _say(self, content: dict[str, Any], told: dict[str, Any], *, answers: dict[str, Any] | None = None) -> str:
        """The person writes something, and sees it in the chat."""
        self.blocked = False
        self.last_wrote_at = self._exchange.now()
        if answers is not None:
            business = digits(self._exchange.business.display_phone_number)
            content = {"context": {"from": business, "id": answers["id"]}, **content}
            answers["answered"] = told["text"]
            self.touch(answers["id"])
        name = self._post(content)
        shown = {field: value for field, value in told.items() if value}
        self.append({"id": name, "date": int(time.time()), "type": content["type"], **shown, "outgoing": True})
        self.touch(name)
        return name

    def _post(self, content: dict[str, Any]) -> str:
        names = {"from": self.wa_id, "from_user_id": self.user_id}
        known = {field: value for field, value in names.items() if value}
        message = {**known, "id": message_name(), **self._now(), **content}
        value = {**self._exchange.metadata(), "contacts": [self.contact()], "messages": [message]}
        self._exchange.tell("messages", value)
        return str(message["id"])

    def _prefer(self, *, offers: bool) -> None:
        self.takes_offers = offers
        names = {"wa_id": self.wa_id, "user_id": self.user_id}
        known = {field: value for field, value in names.items() if value}
        wish = {
            **known,
            "detail": f"User requested to {'resume' if offers else 'stop'} marketing messages",
            "category": "marketing_messages",
            "value": "resume" if offers else "stop",
            "timestamp": int(self._exchange.now()),
        }
        value = {**self._exchange.metadata(), "contacts": [self.contact()], "user_preferences": [wish]}
        self._exchange.tell("user_preferences", value)
        self.touch()

    def _theirs(self, message: dict[str, Any] | str) -> dict[str, Any]:
        found = self.find(message if isinstance(message, str) else message["id"])
        if found is None or found["outgoing"]:
            raise LookupError("there is no such message of the business")
        return found

    def _now(self) -> dict[str, str]:
        return {"timestamp": str(int(self._exchange.now()))}


def picked(choices: list[dict[str, Any]], which: int | str) -> dict[str, Any]:
    """A button or row by its place, its id or its title."""
    if isinstance(which, int):
        return choices[which]
    found = next((one for one in choices if which in {one["id"], one["title"]}), None)
    if found is None:
        raise LookupError(f"{which} is none of {[one['title'] for one in choices]}")
    return found


def status(message: dict[str, Any], name: str, now: float) -> dict[str, Any]:
    """What became of a message, but for whose it is."""
    known = {"biz_opaque_callback_data": message["reference"]} if message.get("reference") is not None else {}
    return {"id": message["id"], "status": name, "timestamp": str(int(now)), **known}


def shown_image(file: Any) -> dict[str, Any]:
    """A picture, as the chat shows it."""
    return {"file": file.id, "width": file.width or 4, "height": file.height or 3}


def shown_document(file: Any) -> dict[str, Any]:
    """A file, as the chat shows it."""
    return {"file": file.id, "name": file.name or "document", "size": len(file.data)}
