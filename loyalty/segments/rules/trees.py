"""Trees of conditions joined by all, any and none, as they stand in an address and in a table. Pure.

In an address a tree is one line: `sold:between:500000..,any(category:any:1.3,none(gender:any:f))`. Its parts are joined
by "all". A condition is a field, an operator and, for most operators, a value whose odd signs are percent-encoded.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote, unquote

from loyalty.errors import Invalid

DEPTH = 5
CONDITIONS = 50
TEXT_LENGTH = 6_000
SAFE = ".-_"


class Joiner(StrEnum):
    """How the parts of a group are joined: all hold, any holds, none holds."""

    ALL = "all"
    ANY = "any"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is asked of a customer: the filter's key, one of its operators, and the value as text."""

    field: str
    operator: str
    value: str = ""

    @property
    def text(self) -> str:
        """As it stands in an address."""
        plain = f"{self.field}:{self.operator}"
        return f"{plain}:{quote(self.value, safe=SAFE)}" if self.value else plain


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions and groups, joined. An empty one asks nothing: everybody meets it."""

    joiner: Joiner = Joiner.ALL
    parts: tuple["Condition | Group", ...] = ()

    @property
    def text(self) -> str:
        """As it stands in an address."""
        inner = ",".join(part.text for part in self.parts)
        return f"{self.joiner}({inner})"

    @property
    def conditions(self) -> Iterator[Condition]:
        """Every condition in it, in order."""
        for part in self.parts:
            if isinstance(part, Condition):
                yield part
            else:
                yield from part.conditions


EVERYBODY = Group()


def tree_text(tree: Group) -> str:
    """The tree as one line; empty for one that asks nothing."""
    if tree.joiner is Joiner.ALL:
        return ",".join(part.text for part in tree.parts)
    return tree.text if tree.parts else ""


def tree_from(text: str) -> Group:
    """Read the line of a tree; its fields are not looked up yet.

    Raises Invalid("filter", "not_a_filter" | "filter_is_too_large").
    """
    if len(text) > TEXT_LENGTH:
        raise Invalid("filter", "filter_is_too_large")
    if not text:
        return EVERYBODY
    reader = _Reader(text)
    parts = reader.parts(1)
    if reader.place != len(text):
        raise Invalid("filter", "not_a_filter")
    return checked_size(_unwrapped(Group(Joiner.ALL, parts)))


def to_body(tree: Group) -> dict[str, object]:
    """The tree as it is kept: {"all": [{"field": …, "operator": …, "value": …}, {"any": […]}]}."""
    return {
        tree.joiner.value: [
            {"field": part.field, "operator": part.operator, "value": part.value}
            if isinstance(part, Condition)
            else to_body(part)
            for part in tree.parts
        ]
    }


def from_body(body: Mapping[str, Any]) -> Group:
    """Read what `to_body` made."""
    [(joiner, parts)] = body.items()
    return Group(
        Joiner(joiner),
        tuple(
            Condition(part["field"], part["operator"], part["value"]) if "field" in part else from_body(part)
            for part in parts
        ),
    )


def joined(*trees: Group) -> Group:
    """Whoever meets all of these."""
    parts: list[Condition | Group] = []
    for tree in trees:
        parts += tree.parts if tree.joiner is Joiner.ALL else [tree]
    return Group(Joiner.ALL, tuple(parts))


def without(tree: Group, index: int) -> Group:
    """The tree without one of its outermost parts."""
    return Group(tree.joiner, tree.parts[:index] + tree.parts[index + 1 :])


def checked_size(tree: Group) -> Group:
    """The tree, or Invalid("filter", "filter_is_too_large") for one with too many parts or levels."""
    if sum(1 for _ in tree.conditions) > CONDITIONS or _depth(tree) > DEPTH:
        raise Invalid("filter", "filter_is_too_large")
    return tree


def _depth(tree: Group) -> int:
    return 1 + max((_depth(part) for part in tree.parts if isinstance(part, Group)), default=0)


def _unwrapped(tree: Group) -> Group:
    """A group that is all there is stands for the whole."""
    if len(tree.parts) == 1 and isinstance(tree.parts[0], Group):
        return tree.parts[0]
    return tree


class _Reader:
    """Reads the line from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    def parts(self, depth: int) -> tuple[Condition | Group, ...]:
        if depth > DEPTH:
            raise Invalid("filter", "filter_is_too_large")
        parts = [self._part(depth)]
        while self._next_is(","):
            parts.append(self._part(depth))
        return tuple(parts)

    def _part(self, depth: int) -> Condition | Group:
        word = self._word()
        if word in set(Joiner) and self._next_is("("):
            inner = self.parts(depth + 1)
            if not self._next_is(")"):
                raise Invalid("filter", "not_a_filter")
            return Group(Joiner(word), inner)
        names: Sequence[str] = word.split(":", 2)
        if len(names) < 2 or not all(names[:2]):
            raise Invalid("filter", "not_a_filter")
        try:
            value = unquote(names[2], errors="strict") if len(names) == 3 else ""
        except UnicodeDecodeError:
            raise Invalid("filter", "not_a_filter") from None
        return Condition(names[0], names[1], value)

    def _word(self) -> str:
        begin = self.place
        while self.place < len(self.text) and self.text[self.place] not in "(),":
            self.place += 1
        return self.text[begin : self.place]

    def _next_is(self, sign: str) -> bool:
        if self.text[self.place : self.place + 1] != sign:
            return False
        self.place += 1
        return True
