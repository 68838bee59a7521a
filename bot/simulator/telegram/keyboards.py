"""Reply markup: inline keyboards stay with their message, reply keyboards belong to the chat."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bot.simulator.telegram.faults import Refusal

Rows = list[list[dict[str, Any]]]
MOST_DATA_BYTES = 64
MOST_BUTTONS = 100
ACTIONS = ("callback_data", "url", "web_app", "login_url", "switch_inline_query", "copy_text", "pay")


@dataclass(frozen=True, slots=True)
class Markup:
    """What a message brings: an inline keyboard, or a change of the reply keyboard."""

    inline: dict[str, Any] | None = None
    changes_reply: bool = False
    reply: Rows | None = None
    options: dict[str, Any] = field(default_factory=dict)


def read_markup(markup: Any) -> Markup:
    """Check a reply_markup as Telegram does."""
    if markup in (None, "", {}):
        return Markup()
    if not isinstance(markup, dict):
        raise Refusal("object expected as reply markup")
    if "inline_keyboard" in markup:
        rows = inline_rows(markup["inline_keyboard"])
        return Markup(inline={"inline_keyboard": rows} if rows else None)
    if "keyboard" in markup:
        options = {name: value for name, value in markup.items() if name != "keyboard"}
        return Markup(changes_reply=True, reply=reply_rows(markup["keyboard"]), options=options)
    return Markup(changes_reply=bool(markup.get("remove_keyboard")))


def inline_rows(rows: Any) -> Rows:
    """An inline keyboard's rows; empty ones fall away."""
    checked = [[inline_button(button) for button in row] for row in listed(rows, "inline keyboard")]
    if sum(map(len, checked)) > MOST_BUTTONS:
        raise Refusal("REPLY_MARKUP_TOO_LONG")
    return [row for row in checked if row]


def inline_button(button: Any) -> dict[str, Any]:
    """One button under a message: a text and exactly one thing to do."""
    problem = "can't parse inline keyboard button: "
    if not isinstance(button, dict):
        raise Refusal(f"{problem}Object expected as InlineKeyboardButton")
    if not isinstance(button.get("text"), str) or not button["text"].strip():
        raise Refusal(f'{problem}Field "text" must be of type String and not empty')
    done = [name for name in ACTIONS if name in button]
    if not done:
        raise Refusal(f"{problem}Text buttons are unallowed in the inline keyboard")
    if "callback_data" in button and not 1 <= len(str(button["callback_data"]).encode()) <= MOST_DATA_BYTES:
        raise Refusal("BUTTON_DATA_INVALID")
    if "url" in button:
        address = str(button["url"])
        if urlsplit(address).scheme not in {"http", "https", "tg"} or not urlsplit(address).netloc:
            raise Refusal(f"inline keyboard button URL '{address}' is invalid: Wrong HTTP URL")
    return button


def reply_rows(rows: Any) -> Rows:
    """A reply keyboard's rows; a plain text is a button too."""
    checked = []
    for row in listed(rows, "keyboard"):
        buttons = [{"text": button} if isinstance(button, str) else button for button in row]
        for button in buttons:
            if not isinstance(button, dict) or not str(button.get("text") or "").strip():
                raise Refusal('can\'t parse keyboard button: Field "text" must be of type String and not empty')
        if buttons:
            checked.append(buttons)
    if not checked:
        raise Refusal("keyboard must be non-empty")
    return checked


def listed(rows: Any, what: str) -> list[list[Any]]:
    """An array of arrays."""
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise Refusal(f"field {what} of the ReplyMarkup must be an Array of Arrays")
    return rows
