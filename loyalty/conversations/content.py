"""What can be said, in no messenger's words; and the pure `fit`, which says it with what a channel can do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
class Link:
    """A button under a message that opens an address."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Content:
    """One message. Plain text; a channel does its own escaping.

    strong:      a part of the text that stands out.
    buttons:     rows of buttons under it.
    links:       addresses under it, below the buttons.
    scale:       it asks for a number from 0 to 10: what the data of the answers begins with, `nps:7` for `nps:7:10`.
    menu:        rows of the keyboard that stays; () takes it away, None leaves it as it is.
    ask_contact: the label of a keyboard button that shares the person's own phone.
    picture:     CARD, INVITATION, or nothing.
    attachment:  the number of a stored picture or file that goes with it; 0 for none.
    values:      the variables that its text was made of, for channels and templates that say it otherwise.
    template:    the number of the approved template that it is; 0 for none. The text is how that reads.
    stand_in:    the number of the template that goes instead where the text may not be sent any more; 0 for none.
    subject:     of an e-mail, where it is not the text's first line.
    options:     made by `fit`: choices behind one button, which says `options_label`.
    """

    text: str = ""
    strong: str = ""
    buttons: tuple[tuple[Button, ...], ...] = ()
    links: tuple[Link, ...] = ()
    scale: str = ""
    menu: tuple[tuple[str, ...], ...] | None = None
    ask_contact: str = ""
    picture: str = ""
    attachment: int = 0
    values: Mapping[str, str] = field(default_factory=dict)
    template: int = 0
    stand_in: int = 0
    subject: str = ""
    options: tuple[Button, ...] = ()
    options_label: str = ""

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> Self:
        """Read what `to_body` wrote; keys of a newer version are left out."""
        buttons = tuple(tuple(Button(**button) for button in row) for row in body.get("buttons", ()))
        menu = body.get("menu")
        return cls(
            text=body.get("text", ""),
            strong=body.get("strong", ""),
            buttons=buttons,
            links=tuple(Link(**link) for link in body.get("links", ())),
            scale=body.get("scale", ""),
            menu=None if menu is None else tuple(tuple(row) for row in menu),
            ask_contact=body.get("ask_contact", ""),
            picture=body.get("picture", ""),
            attachment=body.get("attachment", 0),
            values=body.get("values", {}),
            template=body.get("template", 0),
            stand_in=body.get("stand_in", 0),
            subject=body.get("subject", ""),
        )

    def to_body(self) -> dict[str, Any]:
        """JSON without what is empty."""
        body: dict[str, Any] = {
            "text": self.text,
            "strong": self.strong,
            "buttons": [[{"text": button.text, "data": button.data} for button in row] for row in self.buttons],
            "links": [{"text": link.text, "url": link.url} for link in self.links],
            "scale": self.scale,
            "ask_contact": self.ask_contact,
            "picture": self.picture,
            "attachment": self.attachment,
            "values": {name: value for name, value in self.values.items() if value},
            "template": self.template,
            "stand_in": self.stand_in,
            "subject": self.subject,
        }
        body = {name: value for name, value in body.items() if value}
        if self.menu is not None:
            body["menu"] = [list(row) for row in self.menu]
        return body


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can do. Lengths in characters.

    asking_length: of a text with buttons, options or links. buttons, options, links: how many at most; 0 for none.
    mixes: whether links may stand beside buttons.
    can_edit: whether a message that was sent can be changed. window_hours: how long after their last word people may
    be written to freely; 0 for ever. hears: whether people can answer there; where they cannot, nothing is asked.
    """

    text_length: int
    caption_length: int
    asking_length: int
    buttons: int
    button_length: int
    options: int
    links: int
    mixes: bool
    has_menu: bool
    can_ask_contact: bool
    can_edit: bool
    has_files: bool
    window_hours: int = 0
    hears: bool = True


SAID = "say:"
"""What the data of a menu's option begins with: choosing it is the same as writing its label."""
MENU_LABEL = {"en": "Menu", "ru": "Меню", "uk": "Меню"}
CHOOSE_LABEL = {"en": "Choose", "ru": "Выбрать", "uk": "Вибрати"}
SCALE = range(11)
"""The answers to a question that has a scale."""
LOW = "low"
"""Stands for a score in the data of the option under which the lowest two lie, where a list has room for ten."""
LOW_LABEL = {"en": "1 or 0", "ru": "1 или 0", "uk": "1 або 0"}


def fit(content: Content, capabilities: Capabilities, language: str = "en") -> Content:
    """The same message with no more than a channel can do.

    A scale becomes buttons in two rows, or options from the top down, and is never numbered: where there is room for
    neither, the number is typed. Buttons that are too many or too long for it become options behind one button, or else
    numbered lines (`numbered` has what each number means). Links that it cannot show as buttons end the text. A menu
    becomes such options where the message asks nothing and they cost none of its text, and is left out otherwise. A
    text that is too long ends in an ellipsis. The panel's previews use this too, so that what is shown there is what is
    sent.
    """
    content = _scaled(content, capabilities, language)
    if not capabilities.hears:
        content = replace(content, buttons=())
    if not capabilities.has_files:
        content = replace(content, picture="", attachment=0)
    text, asked = content.text, [button for row in content.buttons for button in row]
    if numbered(content, capabilities):
        lines = "\n".join(f"{number}. {button.text}" for number, button in enumerate(asked, 1))
        text = f"{text}\n\n{lines}" if text else lines
        content = replace(content, buttons=())
    elif asked and not _are_buttons(asked, capabilities):
        content = replace(content, buttons=(), options=tuple(asked), options_label=_in(CHOOSE_LABEL, language))
    if content.links and not _are_links(content, capabilities):
        lines = "\n".join(f"{link.text}: {link.url}" for link in content.links)
        # What is cut is cut before them.
        room = _limit(replace(content, links=()), capabilities) - len(lines) - 2
        text = f"{_cut(text, room)}\n\n{lines}" if text else lines
        content = replace(content, links=())
    if content.menu is not None and not capabilities.has_menu:
        labels = [label for row in content.menu for label in row]
        is_free = not asked and not content.links
        has_room = not content.picture and not content.attachment and len(text) <= capabilities.asking_length
        if labels and is_free and has_room and len(labels) <= capabilities.options:
            options = tuple(Button(label, SAID + label) for label in labels)
            content = replace(content, options=options, options_label=_in(MENU_LABEL, language))
        content = replace(content, menu=None)
    if content.ask_contact and not capabilities.can_ask_contact:
        content = replace(content, ask_contact="")
    text = _cut(text, _limit(content, capabilities))
    return replace(content, text=text, strong=content.strong if content.strong in text else "")


def _scaled(content: Content, capabilities: Capabilities, language: str) -> Content:
    """The message with its scale as buttons or options of this channel."""
    if not content.scale:
        return content
    scores = [Button(str(score), f"{content.scale}:{score}") for score in SCALE]
    content, half = replace(content, scale=""), (len(SCALE) + 1) // 2
    if _are_buttons(scores, capabilities):
        return replace(content, buttons=(tuple(scores[:half]), tuple(scores[half:])))
    options = scores[::-1]
    if len(options) > capabilities.options:
        options[-2:] = [Button(_in(LOW_LABEL, language), f"{scores[0].data.removesuffix('0')}{LOW}")]
    if len(options) > capabilities.options:
        return content
    return replace(content, options=tuple(options), options_label=_in(CHOOSE_LABEL, language))


def numbered(content: Content, capabilities: Capabilities) -> tuple[Button, ...]:
    """The buttons that a channel can only show as numbered lines, in their order; none where it has better."""
    asked = tuple(button for row in content.buttons for button in row)
    return () if _are_buttons(asked, capabilities) or len(asked) <= capabilities.options else asked


def _are_buttons(asked: Sequence[Button], capabilities: Capabilities) -> bool:
    short = all(len(button.text) <= capabilities.button_length for button in asked)
    return short and len(asked) <= capabilities.buttons


def _are_links(content: Content, capabilities: Capabilities) -> bool:
    alone = not content.buttons and not content.options
    short = all(len(link.text) <= capabilities.button_length for link in content.links)
    return short and len(content.links) <= capabilities.links and (alone or capabilities.mixes)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: max(0, limit - 1)].rstrip() + "…"


def _limit(content: Content, capabilities: Capabilities) -> int:
    limit = capabilities.text_length
    if content.buttons or content.options or content.links:
        limit = min(limit, capabilities.asking_length)
    return min(limit, capabilities.caption_length) if content.picture or content.attachment else limit


def _in(labels: Mapping[str, str], language: str) -> str:
    return labels.get(language, labels["en"])
