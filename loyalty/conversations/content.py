"""What can be said, in no messenger's words; and the pure `fit`, which says it with what a channel can do."""

from dataclasses import dataclass, replace
from typing import Any, Self

CARD = "card"
"""The picture that is drawn when it is sent: the customer's card with the code of that moment."""

INVITATION = "invitation"
"""Drawn when it is sent, too: the link by which the customer invites others, and its QR code."""


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message. `data`, 64 bytes at most, comes back when it is pressed."""

    text: str
    data: str


@dataclass(frozen=True, slots=True)
class Content:
    """One message. Plain text; a channel does its own escaping.

    strong:      a part of the text that stands out.
    buttons:     rows of buttons under it.
    menu:        rows of the keyboard that stays; () takes it away, None leaves it as it is.
    ask_contact: the label of a keyboard button that shares the person's own phone.
    picture:     CARD, INVITATION, or nothing.
    """

    text: str = ""
    strong: str = ""
    buttons: tuple[tuple[Button, ...], ...] = ()
    menu: tuple[tuple[str, ...], ...] | None = None
    ask_contact: str = ""
    picture: str = ""

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> Self:
        """Read what `to_body` wrote; keys of a newer version are left out."""
        buttons = tuple(tuple(Button(**button) for button in row) for row in body.get("buttons", ()))
        menu = body.get("menu")
        return cls(
            text=body.get("text", ""),
            strong=body.get("strong", ""),
            buttons=buttons,
            menu=None if menu is None else tuple(tuple(row) for row in menu),
            ask_contact=body.get("ask_contact", ""),
            picture=body.get("picture", ""),
        )

    def to_body(self) -> dict[str, Any]:
        """JSON without what is empty."""
        body: dict[str, Any] = {
            "text": self.text,
            "strong": self.strong,
            "buttons": [[{"text": button.text, "data": button.data} for button in row] for row in self.buttons],
            "ask_contact": self.ask_contact,
            "picture": self.picture,
        }
        body = {name: value for name, value in body.items() if value}
        if self.menu is not None:
            body["menu"] = [list(row) for row in self.menu]
        return body


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can do. Lengths in characters."""

    text_length: int
    caption_length: int
    has_buttons: bool
    has_menu: bool
    can_ask_contact: bool


def fit(content: Content, capabilities: Capabilities) -> Content:
    """The same message with no more than a channel can do.

    Buttons become numbered lines, a menu its lines; a text that is too long ends in an ellipsis. The panel's
    previews use this too, so that what is shown there is what is sent.
    """
    text = content.text
    if content.buttons and not capabilities.has_buttons:
        texts = [button.text for row in content.buttons for button in row]
        text += "\n\n" + "\n".join(f"{number}. {label}" for number, label in enumerate(texts, 1))
        content = replace(content, buttons=())
    if content.menu and not capabilities.has_menu:
        text += "\n\n" + "\n".join(f"• {label}" for row in content.menu for label in row)
    if content.menu is not None and not capabilities.has_menu:
        content = replace(content, menu=None)
    if content.ask_contact and not capabilities.can_ask_contact:
        content = replace(content, ask_contact="")
    limit = capabilities.caption_length if content.picture else capabilities.text_length
    if len(text) > limit:
        text = text[: limit - 1].rstrip() + "…"
    return replace(content, text=text, strong=content.strong if content.strong in text else "")
