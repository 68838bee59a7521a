"""What a message type is: a name and its text in each language, with variables in braces."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_VARIABLE = re.compile(r"\{([a-z_]+)\}")
COMMON = frozenset({"first_name"})
"""What every text may name beside the variables of its type."""
_NOBODY = re.compile(r",?[ \t]*\{first_name\}")
_NOBODY_FIRST = re.compile(r"(^|[.!?…][ \t]+)\{first_name\}[ \t]*[,!.:;–—-]*[ \t]*(\w?)")
"""Where a sentence begins with the name, it goes with what parts it from the rest."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of service message. `variables` are all that its texts and buttons may name.

    buttons: by language, in one row: (label, data), where the data names the dialog that hears it.
    scale: it asks for a number from 0 to 10; what the data of the answers begins with.
    is_patient: it waits for the morning; others tell of what happens this moment.
    """

    name: str
    variables: frozenset[str]
    texts: Mapping[str, str]
    buttons: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    scale: str = ""
    is_patient: bool = False

    def text(self, language: str, values: Mapping[str, str], own: str = "") -> str:
        """The text with its variables filled in, in one pass: a value is never looked into.

        own: what the shop says instead. A line whose variables are all empty is left out; an unknown name goes with
        the comma before it. English stands in for a language that is not there.
        """
        template = own or self.texts.get(language) or self.texts["en"]
        if not values.get("first_name"):
            template = nameless(template)
        lines = []
        for line in template.splitlines():
            named = _VARIABLE.findall(line)
            if not named or any(values.get(name) for name in named):
                lines.append(_VARIABLE.sub(lambda match: values.get(match[1], ""), line))
        return "\n".join(lines)

    @property
    def asks(self) -> bool:
        """Whether it waits for an answer, so that it may go only where people can answer."""
        return bool(self.buttons or self.scale)

    def row(self, language: str, values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """The buttons with their variables filled in: (label, data)."""
        pairs = self.buttons.get(language) or self.buttons.get("en", ())
        return tuple((label, _filled(data, values)) for label, data in pairs)

    def scale_of(self, values: Mapping[str, str]) -> str:
        """The beginning of the answers' data with its variables filled in; empty where there is no scale."""
        return _filled(self.scale, values)


def _filled(data: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values.get(match[1], ""), data)


def nameless(template: str) -> str:
    """A text that names nobody: `{first_name}` goes with the comma that parts it, and so does a line of it alone."""
    lines = []
    for line in template.splitlines():
        said = _NOBODY_FIRST.sub(lambda match: match[1] + match[2].upper(), line)
        said = _NOBODY.sub("", said)
        if said.strip() or said == line:
            lines.append(said)
    return "\n".join(lines)


def variables_of(template: str) -> set[str]:
    """The variables that a text names."""
    return set(_VARIABLE.findall(template))
