"""Which messengers this installation talks through."""

from bot.channels import telegram
from bot.channels.base import Channel, Hook
from bot.webhooks import PREFIX
from loyalty.settings import Settings, TelegramMode


def open_channels(settings: Settings) -> list[Channel]:
    """A channel for each messenger that is set up; close them when done."""
    channels: list[Channel] = []
    if settings.telegram_bot_token is not None:
        token = settings.telegram_bot_token.get_secret_value()
        channels.append(telegram.TelegramChannel(token, settings.telegram_api_url, _telegram_hook(settings)))
    return channels


def _telegram_hook(settings: Settings) -> Hook | None:
    if settings.telegram_mode is not TelegramMode.WEBHOOK:
        return None
    assert settings.telegram_webhook_secret is not None
    secret = settings.telegram_webhook_secret.get_secret_value()
    return Hook(f"{settings.public_url}{PREFIX}/{telegram.NAME}", secret)
