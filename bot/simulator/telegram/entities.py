"""Telegram's HTML parse mode: a text with tags becomes a plain text and its entities.

The rules and error texts are those of https://core.telegram.org/bots/api#html-style. One thing is stricter on
purpose: an unknown named entity such as `&nbsp;` is refused, where Telegram shows it to people as it stands.
Offsets of entities count UTF-16 units.
"""

import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from bot.simulator.telegram.faults import Refusal

TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "blockquote": "blockquote",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
}
START_TAG = re.compile(
    r"<([A-Za-z][A-Za-z0-9-]*)((?:\s+[A-Za-z-]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[A-Za-z0-9._-]+))?)*)\s*>"
)
END_TAG = re.compile(r"</([A-Za-z][A-Za-z0-9-]*)?\s*>")
ATTRIBUTE = re.compile(r"([A-Za-z-]+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[A-Za-z0-9._-]+))?")
NAMED = re.compile(r"&(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]*);")
KNOWN_NAMES = frozenset({"lt", "gt", "amp", "quot"})
ADDRESS = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,:;!?)\]'»]")
LINK = re.compile(r"(https?|tg|mailto):", re.IGNORECASE)


@dataclass(slots=True)
class Open:
    """A tag that waits for its end."""

    tag: str
    offset: int
    attributes: dict[str, str]


@dataclass(slots=True)
class Parser:
    """One pass over a source; see `parse`."""

    source: str
    parts: list[str] = field(default_factory=list)
    length: int = 0
    stack: list[Open] = field(default_factory=list)
    entities: list[dict[str, Any]] = field(default_factory=list)

    def run(self) -> None:
        position = 0
        while position < len(self.source):
            character = self.source[position]
            if character == "<":
                position = self._tag(position)
            elif character == "&" and (match := NAMED.match(self.source, position)):
                self._text(self._decoded(match))
                position = match.end()
            else:
                self._text(character)
                position += 1
        if self.stack:
            raise refused(f'Can\'t find end tag corresponding to start tag "{self.stack[-1].tag}"')

    def _text(self, text: str) -> None:
        self.parts.append(text)
        self.length += units(text)

    def _decoded(self, match: re.Match[str]) -> str:
        name = match[1]
        if not name.startswith("#") and name not in KNOWN_NAMES:
            raise refused(f'Unsupported entity "{match[0]}" at byte offset {self._byte(match.start())}')
        return unescape(match[0])

    def _tag(self, position: int) -> int:
        if self.source.startswith("</", position):
            return self._end(position)
        match = START_TAG.match(self.source, position)
        offset = self._byte(position)
        if match is None:
            name = re.match(r"<([^\s>/]*)", self.source[position:])
            closed = ">" in self.source[position:]
            if closed and name and name[1].lower() not in TAGS:
                raise refused(f'Unsupported start tag "{name[1].lower()}" at byte offset {offset}')
            raise refused(f"Unclosed start tag at byte offset {offset}")
        tag = match[1].lower()
        if tag not in TAGS:
            raise refused(f'Unsupported start tag "{tag}" at byte offset {offset}')
        attributes = {name.lower(): unescape(value.strip("\"'")) for name, value in ATTRIBUTE.findall(match[2])}
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            raise refused(f'Tag "span" must have class "tg-spoiler" at byte offset {offset}')
        self.stack.append(Open(tag, self.length, attributes))
        return match.end()

    def _end(self, position: int) -> int:
        match = END_TAG.match(self.source, position)
        offset = self._byte(position)
        if match is None:
            raise refused(f"Unclosed end tag at byte offset {offset}")
        if not self.stack:
            raise refused(f"Unexpected end tag at byte offset {offset}")
        opened = self.stack.pop()
        found = (match[1] or opened.tag).lower()
        if found != opened.tag:
            message = f'Unmatched end tag at byte offset {offset}, expected "</{opened.tag}>", found "</{found}>"'
            raise refused(message)
        self._close(opened)
        return match.end()

    def _close(self, opened: Open) -> None:
        if self.length == opened.offset:
            return
        entity: dict[str, Any] = {
            "type": TAGS[opened.tag],
            "offset": opened.offset,
            "length": self.length - opened.offset,
        }
        if opened.tag == "a":
            address = opened.attributes.get("href", "")
            # Telegram drops a link that leads nowhere and keeps its words.
            if not LINK.match(address):
                return
            entity["url"] = address
        if opened.tag == "blockquote" and "expandable" in opened.attributes:
            entity["type"] = "expandable_blockquote"
        language = opened.attributes.get("class", "")
        inside_pre = bool(self.stack) and self.stack[-1].tag == "pre"
        if opened.tag == "code" and inside_pre and language.startswith("language-"):
            self.stack[-1].attributes["language"] = language.removeprefix("language-")
            return
        if opened.tag == "pre" and "language" in opened.attributes:
            entity["language"] = opened.attributes["language"]
        self.entities.append(entity)

    def _byte(self, position: int) -> int:
        return len(self.source[:position].encode())


def parse(source: str) -> tuple[str, list[dict[str, Any]]]:
    """The plain text and its entities, outer ones first; raises Refusal as Telegram answers."""
    parser = Parser(source)
    parser.run()
    return trimmed("".join(parser.parts), parser.entities)


def trimmed(text: str, entities: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """Without the white space around it, as Telegram keeps texts; entities move along."""
    body = text.strip()
    shift, length = units(text[: len(text) - len(text.lstrip())]), units(body)
    kept = []
    for entity in sorted(entities, key=lambda entity: (entity["offset"], -entity["length"])):
        start = max(entity["offset"] - shift, 0)
        end = min(entity["offset"] - shift + entity["length"], length)
        if end > start:
            kept.append({**entity, "offset": start, "length": end - start})
    return body, kept


def with_addresses(text: str, entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entities and one for each bare web address outside of them, as Telegram finds them."""
    taken = [
        (entity["offset"], entity["offset"] + entity["length"])
        for entity in entities
        if entity["type"] in {"text_link", "code", "pre", "url"}
    ]
    found = []
    for match in ADDRESS.finditer(text):
        start = units(text[: match.start()])
        end = start + units(match[0])
        if not any(start < last and first < end for first, last in taken):
            found.append({"type": "url", "offset": start, "length": end - start})
    return sorted([*entities, *found], key=lambda entity: (entity["offset"], -entity["length"]))


def units(text: str) -> int:
    """Length in UTF-16 code units, in which Telegram counts."""
    return len(text) + sum(character > "\uffff" for character in text)


def refused(reason: str) -> Refusal:
    """What Telegram answers to a text it cannot read."""
    return Refusal(f"can't parse entities: {reason}")
