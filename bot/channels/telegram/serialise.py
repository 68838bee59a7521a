"""Neutral content in Telegram's words."""

import html

from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)

from loyalty.conversations.content import Content

Markup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove


def html_of(content: Content) -> str:
    """The text as Telegram's HTML."""
    text = html.escape(content.text, quote=False)
    if content.strong:
        strong = html.escape(content.strong, quote=False)
        text = text.replace(strong, f"<b>{strong}</b>", 1)
    return text


def markup_of(content: Content) -> Markup | None:
    """The buttons under a message, or the keyboard that stays."""
    if content.buttons or content.links:
        rows = [
            [InlineKeyboardButton(text=button.text, callback_data=button.data) for button in row]
            for row in content.buttons
        ]
        rows += [[InlineKeyboardButton(text=link.text, url=link.url)] for link in content.links]
        return InlineKeyboardMarkup(inline_keyboard=rows)
    if content.ask_contact:
        ask = KeyboardButton(text=content.ask_contact, request_contact=True)
        return ReplyKeyboardMarkup(keyboard=[[ask]], resize_keyboard=True, one_time_keyboard=True)
    if content.menu is None:
        return None
    if not content.menu:
        return ReplyKeyboardRemove(remove_keyboard=True)
    rows_of_keys = [[KeyboardButton(text=label) for label in row] for row in content.menu]
    return ReplyKeyboardMarkup(keyboard=rows_of_keys, resize_keyboard=True, is_persistent=True)


def photo(picture: bytes) -> BufferedInputFile:
    """A picture that is shown."""
    return BufferedInputFile(picture, filename="card.png")
