"""Telegram, through aiogram: the only package that knows it."""

from bot.channels.telegram.channel import NAME, TelegramChannel
from bot.channels.telegram.parse import arrived, chat_of

__all__ = ["NAME", "TelegramChannel", "arrived", "chat_of"]
