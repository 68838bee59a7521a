"""The parameters of a call, whichever of the Bot API's four ways they came."""

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import hdrs, web

from bot.simulator.telegram.faults import Refusal

MOST_BYTES = 50 * 1024 * 1024
# Fields that hold JSON even when they come as a form's text.
STRUCTURED = {
    *("allowed_updates", "caption_entities", "commands", "entities", "link_preview_options", "media"),
    *("reply_markup", "reply_parameters", "scope"),
}
NUMBERS = {"chat_id", "message_id", "offset", "limit", "timeout", "max_connections", "cache_time"}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method: its fields, JSON decoded and numbers as numbers, and its files by field name.

    labels: what the sender calls a file, and its type.
    """

    method: str
    fields: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)
    labels: dict[str, tuple[str, str]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A text field, empty when it is missing."""
        value = self.fields.get(name)
        return "" if value is None else str(value)

    def number(self, name: str, default: int = 0) -> int:
        """A whole number."""
        value = self.fields.get(name, default)
        return value if isinstance(value, int) else default

    def flag(self, name: str) -> bool:
        """A boolean, which forms write as a word."""
        return self.fields.get(name) in {True, "true", "True", "1"}

    def structure(self, name: str) -> Any:
        """A decoded JSON field, None when it is missing."""
        return self.fields.get(name)


async def read_call(request: web.Request, method: str) -> Call:
    """Read a call; a body beyond 50 MB is refused with 413, as the Bot API does."""
    fields: dict[str, Any] = dict(request.query)
    files: dict[str, bytes] = {}
    labels: dict[str, tuple[str, str]] = {}
    request = request.clone(client_max_size=MOST_BYTES)
    try:
        if request.content_type == "application/json":
            body = await request.json() if request.can_read_body else {}
            fields |= body if isinstance(body, dict) else {}
        elif request.method == hdrs.METH_POST:
            for name, value in (await request.post()).items():
                if isinstance(value, web.FileField):
                    with value.file as file:
                        files[name] = file.read()
                        labels[name] = (value.filename, value.content_type)
                else:
                    fields[name] = value if isinstance(value, str) else bytes(value).decode()
    except web.HTTPRequestEntityTooLarge:
        raise Refusal("Request Entity Too Large", 413) from None
    except ValueError:
        raise Refusal("can't parse request parameters") from None
    known = {name: decoded(name, value) for name, value in fields.items() if value is not None}
    return Call(method, known, files, labels)


def decoded(name: str, value: Any) -> Any:
    """A field as its type: JSON fields decoded, numbers as int, the rest as it came."""
    if not isinstance(value, str):
        return value
    if name in STRUCTURED and value:
        try:
            return json.loads(value)
        except ValueError:
            raise Refusal(f"can't parse {name.replace('_', ' ')} JSON object") from None
    if name in NUMBERS and value.removeprefix("-").isdecimal():
        return int(value)
    return value
