"""What a service message says: the shop's own words for its type, else those of the house."""

from collections.abc import Mapping

from loyalty.conversations.content import Button, Content
from loyalty.conversations.kinds import KINDS

OwnTexts = Mapping[str, Mapping[str, str]]
"""The shop's own words, by language: {"text": …, "subject": …}."""


def service_content(kind: str, language: str, values: Mapping[str, str], own: OwnTexts | None = None) -> Content:
    """What a service message of this kind says. Raises KeyError for no such kind."""
    said, words = KINDS[kind], (own or {}).get(language, {})
    row = tuple(Button(label, data) for label, data in said.row(language, values))
    return Content(
        text=said.text(language, values, words.get("text", "")),
        subject=said.text(language, values, words["subject"]) if words.get("subject") else "",
        buttons=(row,) if row else (),
        scale=said.scale_of(values),
        values=values,
    )
