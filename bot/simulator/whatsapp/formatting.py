"""WhatsApp's way to write bold and so on, as entities of a plain text; offsets count UTF-16 units."""

import re
from typing import Any

MARKS = {"*": "bold", "_": "italic", "~": "strikethrough"}
# A mark stands at the edge of a word and holds no line break, but for the code's.
MARKED = re.compile(
    r"(?<![\w*_~`])(?:```(?P<block>.+?)```|`(?P<code>[^`\n]+)`"
    r"|(?P<mark>[*_~])(?P<inner>(?! )[^\n]*?[^\s])(?P=mark))(?![\w*_~`])",
    re.DOTALL,
)
ADDRESS = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,:;!?)\]'»]")


def formatted(source: str) -> tuple[str, list[dict[str, Any]]]:
    """(the text without marks, its entities, outer ones first)."""
    text, entities = unmarked(source, 0)
    for match in ADDRESS.finditer(text):
        entities.append({"type": "url", "offset": units(text[: match.start()]), "length": units(match[0])})
    return text, sorted(entities, key=lambda entity: (entity["offset"], -entity["length"]))


def unmarked(source: str, offset: int) -> tuple[str, list[dict[str, Any]]]:
    """One level of marks; those inside are read in turn."""
    parts: list[str] = []
    entities: list[dict[str, Any]] = []
    at = 0
    for match in MARKED.finditer(source):
        parts.append(source[at : match.start()])
        begin = offset + units("".join(parts))
        code = match["block"] or match["code"]
        inner, nested = (code, []) if code else unmarked(match["inner"], begin)
        kind = "code" if code else MARKS[match["mark"]]
        entities += [{"type": kind, "offset": begin, "length": units(inner)}, *nested]
        parts.append(inner)
        at = match.end()
    parts.append(source[at:])
    return "".join(parts), entities


def units(text: str) -> int:
    """Its length in UTF-16."""
    return len(text.encode("utf-16-le")) // 2
