"""Which messengers this installation talks through."""

from bot.channels.base import Channel
from bot.channels.telegram import TelegramChannel
from loyalty.settings import Settings


def open_channels(settings: Settings) -> list[Channel]:
    """A channel for each messenger that is set up; close them when done."""
    channels: list[Channel] = []
    if settings.telegram_bot_token is not None:
        channels.append(TelegramChannel(settings.telegram_bot_token.get_secret_value(), settings.telegram_api_url))
    return channels
