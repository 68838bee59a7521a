"""A call of the gateway, made of templates: each value is escaped for where it stands, and never looked into."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

from yarl import URL

from loyalty.gateways import FORM, PLACEHOLDER, XML


@dataclass(frozen=True, slots=True)
class Call:
    """How the gateway is called. The templates name values as {to}; their names were checked with the settings.

    authorization: the value of that header, "" for none. id_path: the way to the gateway's name of a message in its
    JSON answer; "" when it gives none.
    """

    url: str = field(repr=False)
    method: str = "POST"
    body: str = field(default="", repr=False)
    content_type: str = ""
    authorization: str = field(default="", repr=False)
    id_path: str = ""


def address_of(call: Call, values: Mapping[str, str]) -> URL:
    """The address to call."""
    return URL(_filled(call.url, values, lambda value: quote(value, safe="")), encoded=True)


def body_of(call: Call, values: Mapping[str, str]) -> bytes | None:
    """What is posted; None for a GET."""
    if call.method == "GET":
        return None
    return _filled(call.body, values, _escape_for(call.content_type)).encode()


def _filled(template: str, values: Mapping[str, str], escaped: Callable[[str], str]) -> str:
    return PLACEHOLDER.sub(lambda found: escaped(values[found[1]]), template)


def _escape_for(content_type: str) -> Callable[[str], str]:
    if content_type == FORM:
        return quote_plus
    if content_type in XML:
        return _in_xml
    # Between the quotes that the template has.
    return lambda value: json.dumps(value)[1:-1]


def _in_xml(value: str) -> str:
    # XML knows no other control characters, not even escaped.
    kept = "".join(char for char in value if char >= " " or char in "\t\n\r")
    return escape(kept, {'"': "&quot;", "'": "&apos;"})
