"""What a gateway tells of messages that it took: in an address, a form or JSON, one or a list of them.

Only what the message is called and its state are kept: reports name the phone, too.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from bot.channels.base import Progress
from bot.channels.reading import at, objects, read_json, whole, words
from loyalty.conversations.rules import Arrived, Status
from loyalty.errors import Invalid

KEY, REFERENCE = "key", "ref"
NAME_LENGTH = 160
WORD_LENGTH = 80
CHAT_LENGTH = 64
FIELDS = 200


@dataclass(frozen=True, slots=True)
class Callback:
    """How to read the gateway's reports: the ways to a message's name and state, and the words for the two ends.

    secret: who calls must know it; "" when nobody is to call.
    """

    secret: str = ""
    id_path: str = "id"
    status_path: str = "status"
    delivered: tuple[str, ...] = ("delivered",)
    failed: tuple[str, ...] = ("failed",)


def arrivals(callback: Callback, query: Mapping[str, str], body: bytes) -> Sequence[Arrived]:
    """The reports of a call, each once whatever it brings beside. Raises Invalid for a call that holds none."""
    reference = whole(query.get(REFERENCE))
    around = {name: value for name, value in query.items() if name not in (KEY, REFERENCE)}
    told = [_report(callback, {**around, **one}, reference) for one in _told(body)]
    found = [one for one in told if one["id"] or one["reference"] is not None]
    if not found:
        raise Invalid(callback.id_path, "is missing")
    return [_arrived(one) for one in found]


def progress(callback: Callback, body: bytes) -> Progress | None:
    """What a kept report says; None for a state that is no end. Raises ValueError for one that is not ours."""
    report = read_json(body)
    name, reference = words(at(report, "id"), NAME_LENGTH), whole(at(report, "reference"))
    if not name and reference is None:
        raise ValueError("the report names no message")
    state = words(at(report, "status"))
    if state in callback.delivered:
        status = Status.DELIVERED
    elif state in callback.failed:
        status = Status.FAILED
    else:
        return None
    return Progress(name or str(reference), None, status, None, reference)


def _told(body: bytes) -> Sequence[Mapping[str, Any]]:
    """The objects of a body, whatever it calls itself; an empty one has nothing to add to the address."""
    text = body.decode(errors="replace").strip()
    if text.startswith(("{", "[")):
        try:
            told = read_json(text)
        except (ValueError, RecursionError):
            raise Invalid("body", "is not JSON") from None
        return [told] if isinstance(told, dict) else objects(told)
    try:
        return [dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS))]
    except ValueError:
        raise Invalid("body", "has too many fields") from None


def _report(callback: Callback, told: Mapping[str, Any], reference: int | None) -> dict[str, Any]:
    name = _word(_field(told, callback.id_path))
    state = _word(_field(told, callback.status_path)).lower()[:WORD_LENGTH]
    return {"id": name if len(name) <= NAME_LENGTH else "", "status": state, "reference": reference}


def _field(told: Mapping[str, Any], path: str) -> object:
    if path in told:
        return told[path]
    steps = [int(step) if step.isdigit() else step for step in path.split(".")]
    return at(told, *steps)


def _word(value: object) -> str:
    """A name or state, told as text or as a number."""
    if type(value) is int:
        value = str(value)
    text = words(value).strip()
    return text if text.isprintable() else ""


def _arrived(report: Mapping[str, Any]) -> Arrived:
    body = json.dumps(report).encode()
    digest = hashlib.sha256(body).hexdigest()
    about = f"status:{report['reference'] if report['reference'] is not None else report['id']}"
    if len(about) > CHAT_LENGTH:
        about = f"status:{hashlib.sha256(about.encode()).hexdigest()}"[:CHAT_LENGTH]
    # A state only rises, so their order is no matter.
    return Arrived(f"sha256:{digest}", 0, about, body)
