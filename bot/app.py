"""Which messengers this installation talks through."""

from pydantic import SecretStr

from bot.channels import email, sms, telegram, whatsapp
from bot.channels.base import Channel, Hook
from bot.pace import Limits
from bot.webhooks import PREFIX
from loyalty.clock import system_now
from loyalty.conversations.channels import EMAIL, SMS, TELEGRAM, WHATSAPP
from loyalty.gateways import mailbox
from loyalty.settings import Settings, TelegramMode


def open_channels(settings: Settings) -> list[Channel]:
    """A channel for each messenger that is set up; close them when done."""
    channels: list[Channel] = []
    if settings.telegram_bot_token is not None:
        token = settings.telegram_bot_token.get_secret_value()
        channels.append(telegram.TelegramChannel(token, settings.telegram_api_url, _telegram_hook(settings)))
    if settings.whatsapp_access_token is not None:
        channels.append(_whatsapp(settings))
    if settings.sms_url is not None:
        channels.append(_sms(settings))
    if settings.smtp_host is not None:
        channels.append(_email(settings))
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


def _sms(settings: Settings) -> sms.SmsChannel:
    assert settings.sms_url is not None
    assert settings.sms_sender is not None
    call = sms.Call(
        settings.sms_url.get_secret_value(),
        method=settings.sms_method,
        body=_secret(settings.sms_body),
        content_type=settings.sms_content_type,
        authorization=_secret(settings.sms_authorization),
        id_path=settings.sms_id_path or "",
    )
    callback = sms.Callback(
        _secret(settings.sms_callback_secret),
        id_path=settings.sms_callback_id,
        status_path=settings.sms_callback_status,
        delivered=settings.sms_delivered,
        failed=settings.sms_failed,
    )
    callback_url = f"{settings.public_url}{PREFIX}/{sms.NAME}"
    return sms.SmsChannel(call, sender=settings.sms_sender, callback=callback, callback_url=callback_url)


def _email(settings: Settings) -> email.EmailChannel:
    assert settings.smtp_host is not None
    assert settings.email_from is not None
    sender = mailbox(settings.email_from)
    server = email.Server(
        settings.smtp_host,
        settings.smtp_door,
        settings.smtp_security,
        user=settings.smtp_user or "",
        password=_secret(settings.smtp_password),
    )
    reply_to = mailbox(settings.email_reply_to) if settings.email_reply_to is not None else None
    return email.EmailChannel(server, sender=sender, reply_to=reply_to, clock=system_now)


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value is not None else ""


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
        SMS: Limits(settings.sms_rate, settings.sms_chat_seconds, settings.sms_chat_burst),
        EMAIL: Limits(settings.email_rate, settings.email_chat_seconds, settings.email_chat_burst),
    }
