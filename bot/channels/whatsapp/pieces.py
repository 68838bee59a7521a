"""A call of WhatsApp, taken apart: every entry, change, message and status becomes an update of its own.

One call may carry a thousand of them. What has not the shape that is documented is an update too: it is kept, and
seen as ignored or failed, and does not cost the others.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.channels.reading import at, objects, seconds
from bot.channels.whatsapp.reading import scoped_id, wa_id
from loyalty.conversations.rules import Arrived

NAME_LENGTH = 160
CHAT_LENGTH = 64
LAST_OF_A_SECOND = 999

LISTS: Mapping[str, str] = {
    "messages": "message",
    "statuses": "status",
    "user_preferences": "preference",
    "user_id_update": "moved",
}
"""The lists of a change's value, and what one of each is called in an update."""
OF_PEOPLE = ("message", "preference", "moved")
CONTEXT = ("messaging_product", "metadata", "contacts")

Piece = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """What WhatsApp calls the person of an update: "" for what it does not tell."""

    scoped: str
    wa: str

    @property
    def address(self) -> str:
        """The name that stays when they hide their number."""
        return self.scoped or self.wa


def arrivals(call: Mapping[str, Any]) -> list[Arrived]:
    """The updates of a call whose `entry` is a list, each so that the base can keep it."""
    return [_arrived(piece, index) for index, piece in enumerate(_pieces(call))]


def person_of(piece: Mapping[str, Any]) -> Person:
    """Whose update this is."""
    contact = at(piece, "contacts", 0)
    if "message" in piece:
        said = piece["message"]
        scoped = scoped_id(at(said, "from_user_id")) or scoped_id(at(contact, "user_id"))
        if at(said, "type") == "system":
            return _moved_person(said)
        return Person(scoped, wa_id(at(contact, "wa_id")) or wa_id(at(said, "from")))
    if "moved" in piece:
        return Person(scoped_id(at(piece, "moved", "user_id", "previous")), "")
    chosen = piece.get("preference")
    scoped = scoped_id(at(chosen, "user_id")) or scoped_id(at(contact, "user_id"))
    return Person(scoped, wa_id(at(chosen, "wa_id")) or wa_id(at(contact, "wa_id")))


def _moved_person(said: object) -> Person:
    """Who moved is named by their old number and id; those of a contact may be the new ones."""
    previous = scoped_id(at(said, "system", "previous_user_id"))
    if previous:
        # The number may have changed just before: only the id is sure to be known still.
        return Person(previous, "")
    return Person(scoped_id(at(said, "from_user_id")), wa_id(at(said, "from")) or wa_id(at(said, "system", "customer")))


def recipient_of(status: object) -> str:
    """To whom a message of ours went, by the name that we wrote to."""
    return wa_id(at(status, "recipient_id")) or scoped_id(at(status, "recipient_id")) or scoped_id(
        at(status, "recipient_user_id")
    )  # fmt: skip


def _pieces(call: Mapping[str, Any]) -> Iterator[Piece]:
    for entry in call["entry"]:
        changes = at(entry, "changes")
        if not isinstance(changes, list) or not changes:
            yield {"object": call.get("object"), "odd": entry}
            continue
        around = {"object": call.get("object"), "entry": {"id": entry.get("id"), "time": entry.get("time")}}
        for change in changes:
            value = at(change, "value")
            if isinstance(value, dict):
                yield from _of_value({**around, "field": change.get("field")}, value)
            else:
                yield {**around, "odd": change}


def _of_value(around: Piece, value: dict[str, Any]) -> Iterator[Piece]:
    """The updates of one change: its lists item by item, and what else it says as one more."""
    around = {**around, "metadata": value.get("metadata")}
    lists = {name: value[name] for name in LISTS if isinstance(value.get(name), list)}
    for name, items in lists.items():
        kind = LISTS[name]
        for item in items:
            contacts = _contacts_of(item, value, items) if kind in OF_PEOPLE else []
            yield {**around, **({"contacts": contacts} if contacts else {}), kind: item}
    rest = {name: said for name, said in value.items() if name not in CONTEXT and name not in lists}
    if rest or not any(lists.values()):
        yield {**around, "value": rest}


def _contacts_of(item: object, value: dict[str, Any], items: Sequence[object]) -> list[Mapping[str, Any]]:
    """Who wrote one of several messages: each is kept with its own sender alone."""
    contacts = objects(value.get("contacts"))
    names = _names(item, "from", "from_user_id", "wa_id", "user_id")
    named = [one for one in contacts if _names(one, "wa_id", "user_id") & names]
    if named:
        return named[:1]
    senders = {json.dumps([at(one, "from"), at(one, "from_user_id")]) for one in items}
    # A number and the id made of it may differ by a digit: then the only contact is that of the only sender.
    return list(contacts) if len(contacts) == 1 and len(senders) == 1 else []


def _names(one: object, *fields: str) -> set[str]:
    return {name for field in fields if _is_name(name := at(one, field))}


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _arrived(piece: Piece, index: int) -> Arrived:
    # Escaped: half a surrogate pair, which JSON may hold and UTF-8 may not, must not cost the whole batch.
    body = json.dumps(piece).encode()
    said = next((piece[kind] for kind in (*LISTS.values(), "value") if kind in piece), None)
    told = seconds(at(said, "timestamp")) or seconds(at(piece, "entry", "time")) or 0
    return Arrived(_name(piece, body), told * 1000 + min(index, LAST_OF_A_SECOND), _chat(piece), body)


def _name(piece: Piece, body: bytes) -> str:
    """WhatsApp's name for it; what has none is named after all that it says."""
    if "message" in piece and _is_name(name := at(piece, "message", "id")):
        return _short(name, NAME_LENGTH)
    if "status" in piece and _is_name(name := at(piece, "status", "id")):
        status = at(piece, "status", "status")
        return _short(f"{name}:{status if isinstance(status, str) else ''}", NAME_LENGTH)
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _chat(piece: Piece) -> str | None:
    """Whose updates are to be taken in their order."""
    if "status" in piece:
        recipient = recipient_of(piece["status"])
        return _short(f"status:{recipient}", CHAT_LENGTH) if recipient else None
    if any(kind in piece for kind in OF_PEOPLE):
        return _short(person_of(piece).address, CHAT_LENGTH) or None
    return None


def _short(name: str, limit: int) -> str:
    """A name that the base can keep; a digest of one that it cannot."""
    if len(name) <= limit and name.isprintable():
        return name
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()
    return f"sha256:{digest}"[:limit]
