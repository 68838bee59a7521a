"""Which messengers this installation talks through."""

from bot.channels import telegram, whatsapp
from bot.channels.base import Channel, Hook
from bot.pace import Limits
from bot.webhooks import PREFIX
from loyalty.conversations.channels import TELEGRAM, WHATSAPP
from loyalty.settings import Settings, TelegramMode


def open_channels(settings: Settings) -> list[Channel]:
    """A channel for each messenger that is set up; close them when done."""
    channels: list[Channel] = []
    if settings.telegram_bot_token is not None:
        token = settings.telegram_bot_token.get_secret_value()
        channels.append(telegram.TelegramChannel(token, settings.telegram_api_url, _telegram_hook(settings)))
    if settings.whatsapp_access_token is not None:
        channels.append(_whatsapp(settings))
    return channels


def _whatsapp(settings: Settings) -> whatsapp.WhatsAppChannel:
    # Settings have seen to it that all of them are there, or none.
    assert settings.whatsapp_access_token is not None
    assert settings.whatsapp_phone_number_id is not None
    assert settings.whatsapp_app_secret is not None
    assert settings.whatsapp_verify_token is not None
    return whatsapp.WhatsAppChannel(
        access_token=settings.whatsapp_access_token.get_secret_value(),
        phone_number_id=settings.whatsapp_phone_number_id,
        app_secret=settings.whatsapp_app_secret.get_secret_value(),
        verify_token=settings.whatsapp_verify_token.get_secret_value(),
        api_url=settings.whatsapp_api_url,
    )


def _telegram_hook(settings: Settings) -> Hook | None:
    if settings.telegram_mode is not TelegramMode.WEBHOOK:
        return None
    assert settings.telegram_webhook_secret is not None
    secret = settings.telegram_webhook_secret.get_secret_value()
    return Hook(f"{settings.public_url}{PREFIX}/{telegram.NAME}", secret)


def limits_of(settings: Settings) -> dict[str, Limits]:
    """How fast each channel may send."""
    return {
        TELEGRAM: Limits(settings.telegram_rate, settings.telegram_chat_seconds, settings.telegram_chat_burst),
        WHATSAPP: Limits(settings.whatsapp_rate, settings.whatsapp_chat_seconds, settings.whatsapp_chat_burst),
    }
