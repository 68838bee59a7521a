"""The demo: a made-up shop with data, servers and a messenger of its own, apart from any real ones."""

import json
import secrets
import socket
from typing import Any

from pydantic import SecretStr

from bot.simulator import Business, Gateway, MailAccount, Simulator
from bot.simulator.loopback import is_loopback
from bot.webhooks import PREFIX
from loyalty.conversations.channels import SMS, WHATSAPP
from loyalty.db import execute
from loyalty.settings import Settings, TelegramMode
from regulars.ports import Beside
from regulars.seed import DEMO_LOGINS
from regulars.seed.accounts import ADDRESSES
from regulars.seed.ready import TEMPLATES

SHOP_NAME = "Ладно, кофе"
# The number stays, because updates are told apart by it; nobody but this process learns the rest.
TOKEN = f"1000:{secrets.token_hex(16)}"
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  names what is not listened on, but reached
SIMULATOR = "/simulator"
PHOTO_LIMIT = 12 * 2**20
# As Meta's dashboard would show it; updates are told apart by it, so it stays too.
NUMBER_ID = "1000000"
NUMBER = "+7 999 000-00-00"
SMS_SENDER = "LADNO"
EMAIL_FROM = '"Ладно, кофе" <hello@ladno.example>'
MAIL_HOST, MAIL_USER = "127.0.0.1", "shop"


class _Everyone:
    """The made-up customers take messages in WhatsApp by whatever name; only nobody sits behind them."""

    def __contains__(self, _: object) -> bool:
        return True


def demo_settings(settings: Settings, *, webhook: bool = False) -> Settings:
    """Settings of the demo: a home of its own below the usual one, and never the base of DATABASE_URL.

    Its logins are printed and so known to everyone; they must not come to lie in a real base. Nor does it talk
    to the real messengers: the simulator stands in for them, on the port of the panel. With `webhook` Telegram calls
    the bot there instead of being polled; WhatsApp always calls.
    """
    host = LOOPBACK.get(settings.host, settings.host)
    host = f"[{host}]" if ":" in host else host
    own_address = f"http://{host}:{settings.port}"
    changed: dict[str, Any] = {
        "home": settings.home / "demo",
        "database_url": None,
        "redis_url": None,
        "secret_key": None,
        "telegram_bot_token": SecretStr(TOKEN),
        "telegram_api_url": f"{own_address}{SIMULATOR}/telegram",
        "telegram_mode": TelegramMode.POLLING,
        "telegram_webhook_secret": None,
        "whatsapp_access_token": SecretStr(secrets.token_hex(32)),
        "whatsapp_phone_number_id": NUMBER_ID,
        "whatsapp_app_secret": SecretStr(secrets.token_hex(16)),
        "whatsapp_verify_token": SecretStr(secrets.token_hex(16)),
        "whatsapp_api_url": f"{own_address}{SIMULATOR}/{WHATSAPP}/v25.0",
        **_sms_settings(own_address),
        **_email_settings(),
    }
    if webhook:
        # The simulator calls nobody beyond this machine.
        changed |= {
            "public_url": own_address,
            "telegram_mode": TelegramMode.WEBHOOK,
            "telegram_webhook_secret": SecretStr(secrets.token_hex(32)),
        }
    return settings.model_copy(update=changed)


def _sms_settings(own_address: str) -> dict[str, Any]:
    """The simulator's gateway, which calls us back at our own address whatever the panel is called outside."""
    secret = secrets.token_hex(16)
    fields = {name: f"{{{name}}}" for name in ("to", "text", "sender", "id")}
    fields["callback"] = f"{own_address}{PREFIX}/{SMS}?key={secret}&ref={{id}}"
    return {
        "sms_url": SecretStr(f"{own_address}{SIMULATOR}/{SMS}/send"),
        "sms_method": "POST",
        "sms_body": SecretStr(json.dumps(fields)),
        "sms_content_type": "application/json",
        "sms_sender": SMS_SENDER,
        "sms_authorization": SecretStr(f"Bearer {secrets.token_hex(16)}"),
        "sms_id_path": "id",
        "sms_callback_secret": SecretStr(secret),
        "sms_callback_id": "id",
        "sms_callback_status": "status",
        "sms_delivered": ("delivered",),
        "sms_failed": ("failed",),
    }


def _email_settings() -> dict[str, Any]:
    """The simulator's mail server, on a port that nobody has."""
    with socket.socket() as probe:
        probe.bind((MAIL_HOST, 0))
        port = int(probe.getsockname()[1])
    return {
        "smtp_host": MAIL_HOST,
        "smtp_port": port,
        "smtp_user": MAIL_USER,
        "smtp_password": SecretStr(secrets.token_hex(16)),
        "smtp_tls": "none",
        "email_from": EMAIL_FROM,
        "email_reply_to": None,
    }


def simulator_beside(settings: Settings) -> Beside:
    """The messengers, phones and mailboxes of the demo, on the panel's port. The chats lie in the demo's home."""
    assert settings.telegram_bot_token is not None
    simulator = Simulator(
        token=settings.telegram_bot_token.get_secret_value(),
        bot_name=SHOP_NAME,
        bot_username="ladno_demo_bot",
        store=settings.home / "simulator.json",
        # The made-up customers take messages too; only nobody sits behind them.
        silent_ids=ADDRESSES,
        whatsapp=_business(settings),
        silent_numbers=_Everyone(),
        sms=_gateway(settings),
        email=_mail_account(settings),
    )
    simulator.whatsapp.templates.stock(_reviewed_templates())
    # Whoever looks at the demo is Meta too, in the Manager.
    simulator.whatsapp.templates.verdict = ""
    return Beside({SIMULATOR: simulator.build_app()}, body_limit=PHOTO_LIMIT)


def _reviewed_templates() -> list[dict[str, Any]]:
    """The shop's templates as WhatsApp has them: with the status and reason that the seed gives to the panel."""
    reviewed = []
    for name, category, body, variables, (status, reason, _) in TEMPLATES:
        main = {"type": "BODY", "text": body, "example": {"body_text": [[variable for variable, _ in variables]]}}
        template: dict[str, Any] = {"name": name, "language": "ru", "category": category, "components": [main]}
        reviewed.append({**template, "status": status.upper(), "rejected_reason": reason or "NONE"})
    return reviewed


def _business(settings: Settings) -> Business:
    """The shop's number in WhatsApp, and its webhook on the same port."""
    assert settings.whatsapp_access_token is not None
    assert settings.whatsapp_app_secret is not None
    assert settings.whatsapp_verify_token is not None
    # The Graph API stands at our own address, and so does the webhook.
    hook = settings.whatsapp_api_url.partition(SIMULATOR)[0] + f"{PREFIX}/{WHATSAPP}"
    return Business(
        # The simulator calls nobody beyond this machine; elsewhere the demo has Telegram alone.
        hook=hook if is_loopback(hook) else "",
        name=SHOP_NAME,
        phone_number_id=NUMBER_ID,
        display_phone_number=NUMBER,
        access_token=settings.whatsapp_access_token.get_secret_value(),
        app_secret=settings.whatsapp_app_secret.get_secret_value(),
        verify_token=settings.whatsapp_verify_token.get_secret_value(),
    )


def _gateway(settings: Settings) -> Gateway:
    assert settings.sms_authorization is not None
    return Gateway(settings.sms_authorization.get_secret_value().removeprefix("Bearer "))


def _mail_account(settings: Settings) -> MailAccount:
    assert settings.smtp_port is not None
    assert settings.smtp_password is not None
    return MailAccount(settings.smtp_port, MAIL_USER, settings.smtp_password.get_secret_value())


async def empty_base() -> None:
    """Forget everything in the open base."""
    await execute("DROP SCHEMA public CASCADE")
    await execute("CREATE SCHEMA public")


def describe(settings: Settings) -> str:
    """Where the demo is and who may sign in."""
    lines = ["", f"The demo is ready: {settings.public_url}"]
    lines += [f"  {role:<10} {email:<28} {password}" for email, password, role in DEMO_LOGINS]
    lines.append(f"The customers' side, with messengers, SMS and mailbox: {settings.public_url}{SIMULATOR}")
    lines.append(f"Its data lie in {settings.home}. Ctrl-C stops it and keeps them.")
    return "\n".join(lines)
