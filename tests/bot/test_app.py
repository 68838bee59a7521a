"""Which messengers are opened, and which of them call us, by what is set."""

import pytest
from pydantic import SecretStr

from bot.app import open_channels
from loyalty.settings import TelegramMode
from regulars.processes import needs_port, parts_named

TELEGRAM = {"telegram_bot_token": SecretStr("4242:made-up")}
CALLED = {"telegram_mode": TelegramMode.WEBHOOK, "telegram_webhook_secret": SecretStr("secret")}
WHATSAPP = {
    "whatsapp_access_token": SecretStr("EAAG"),
    "whatsapp_phone_number_id": "555000111222333",
    "whatsapp_app_secret": SecretStr("secret"),
    "whatsapp_verify_token": SecretStr("verify"),
}
SMS = {
    "sms_url": SecretStr("https://gateway.example.com/send"),
    "sms_body": SecretStr('{"to": "{to}", "text": "{text}"}'),
    "sms_sender": "Ladno",
}
REPORTED = {"sms_callback_secret": SecretStr("a-secret-for-callbacks")}
EMAIL = {"smtp_host": "mail.example.com", "email_from": "Ladno <club@ladno.example>"}


@pytest.mark.parametrize(
    ("chosen", "sources"),
    [
        ({}, []),
        (TELEGRAM, ["telegram:4242"]),
        (WHATSAPP, ["whatsapp:555000111222333"]),
        (TELEGRAM | WHATSAPP, ["telegram:4242", "whatsapp:555000111222333"]),
        (TELEGRAM | SMS | EMAIL, ["telegram:4242", "sms:Ladno", "email:club@ladno.example"]),
    ],
)
async def test_each_messenger_that_is_set_up_is_opened(settings, chosen, sources):
    channels = open_channels(settings.model_copy(update=chosen))
    assert [channel.source for channel in channels] == sources
    for channel in channels:
        await channel.close()


@pytest.mark.parametrize(
    ("chosen", "is_called"),
    [
        ({}, False),
        (TELEGRAM, False),
        (TELEGRAM | CALLED, True),
        (WHATSAPP, True),
        (TELEGRAM | WHATSAPP, True),
        (SMS | EMAIL, False),
        (SMS | REPORTED, True),
    ],
)
def test_whoever_calls_needs_a_port_of_the_bot(settings, chosen, is_called):
    chosen_settings = settings.model_copy(update=chosen)
    assert needs_port(chosen_settings, parts_named(["bot"])) is is_called
    assert not needs_port(chosen_settings, parts_named(["worker", "scheduler"]))
