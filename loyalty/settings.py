"""Settings: read once from the environment when a process starts, checked as a whole, never written back."""

import os
import re
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from loyalty import gateways
from loyalty.gateways import limit as _limit

SECRET_KEY_LENGTH = 32
PLACEHOLDERS = (
    "changeme",
    "change-me",
    "change_me",
    "secret",
    "password",
    "example",
    "placeholder",
    "insecure",
)

# Fields whose variable carries no REGULARS_ prefix: every host and tool knows these names.
PLAIN_NAMES = (
    "database_url",
    "redis_url",
    "telegram_bot_token",
    "telegram_api_url",
    "telegram_mode",
    "telegram_webhook_secret",
    "whatsapp_access_token",
    "whatsapp_phone_number_id",
    "whatsapp_app_secret",
    "whatsapp_verify_token",
    "whatsapp_api_url",
    "telegram_rate",
    "telegram_chat_seconds",
    "telegram_chat_burst",
    "whatsapp_rate",
    "whatsapp_chat_seconds",
    "whatsapp_chat_burst",
    *gateways.PLAIN_NAMES,
)
TELEGRAM_API = "https://api.telegram.org"
WHATSAPP_API = "https://graph.facebook.com/v25.0"
WHATSAPP_NEEDED = (
    "whatsapp_access_token",
    "whatsapp_phone_number_id",
    "whatsapp_app_secret",
    "whatsapp_verify_token",
)
"""What WhatsApp needs, all of it or none."""
# What setWebhook takes as secret_token. Source: core.telegram.org/bots/api#setwebhook
WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")

# Answers to a wrong value in the words of whoever sets the variable; other kinds keep pydantic's own words.
PLAIN_REASONS = {
    "int_parsing": "is not a whole number",
    "greater_than_equal": "must be between 1 and 65535",
    "less_than_equal": "must be between 1 and 65535",
    "enum": "must be polling or webhook",
    "bool_parsing": "must be true or false",
}
# A default that could not be computed since the value it rests on is wrong, which is told already.
FOLLOWS_FROM_ANOTHER = "default_factory_not_called"


class WrongSettings(Exception):
    """The environment cannot be used; `problems` has one line per problem, never the value of a secret."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _default_home() -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/regulars")
    return Path.home() / ".local" / "share" / "regulars"


def _absolute(home: Path) -> Path:
    return home.expanduser().absolute()


def _checked_url(value: SecretStr, schemes: tuple[str, ...]) -> SecretStr:
    url = value.get_secret_value()
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in schemes:
        raise ValueError("must begin with " + " or ".join(f"{known}://" for known in schemes))
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        # The reason of urlsplit may quote a piece of the password.
        raise ValueError(
            "is not a well-formed URL; special characters in the password must be percent-encoded"
        ) from None
    if scheme != "unix" and not parts.hostname:
        raise ValueError("names no host")
    return value


def _database_url(value: SecretStr) -> SecretStr:
    _checked_url(value, ("postgres", "postgresql"))
    url = value.get_secret_value()
    if not urlsplit(url).path.strip("/"):
        raise ValueError("names no database: postgres://user:password@host:5432/NAME")
    return SecretStr("postgres://" + url.partition("://")[2])


def _redis_url(value: SecretStr) -> SecretStr:
    return _checked_url(value, ("redis", "rediss", "unix"))


def _bot_token(value: SecretStr) -> SecretStr:
    number, separator, secret = value.get_secret_value().partition(":")
    if not (separator and number.isascii() and number.isdigit() and secret and secret.isprintable()):
        raise ValueError("is not a bot token: BotFather gives one like 123456789:AAE…")
    return value


def _api_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an address like https://api.telegram.org")
    return value.rstrip("/")


def _number_id(value: str) -> str:
    if not (value.isascii() and value.isdigit() and len(value) <= 32):
        raise ValueError("is not the id of a phone number: digits alone, as Meta's dashboard shows it")
    return value


def _webhook_secret(value: SecretStr) -> SecretStr:
    if not WEBHOOK_SECRET.fullmatch(value.get_secret_value()):
        raise ValueError("must be 1 to 256 letters, digits, _ or -; make one with: openssl rand -hex 32")
    return value


def _public_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be the address people open, like https://club.example.com")
    if parts.query or parts.fragment or parts.path.strip("/"):
        raise ValueError("must end after the host and the port: Regulars needs an address of its own")
    return value.rstrip("/")


def _secret_key(value: SecretStr) -> SecretStr:
    key = value.get_secret_value()
    if len(key) < SECRET_KEY_LENGTH:
        raise ValueError(f"must have at least {SECRET_KEY_LENGTH} characters")
    if len(set(key)) < 10 or any(word in key.lower() for word in PLACEHOLDERS):
        raise ValueError("looks like a placeholder; make one with: openssl rand -hex 32")
    return value


def _networks(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    networks: list[IPv4Network | IPv6Network] = []
    for part in filter(None, (piece.strip() for piece in value.split(","))):
        try:
            networks.append(ip_network(part))
        except ValueError:
            raise ValueError(f"{part!r} is neither an address nor a network such as 10.0.0.0/8") from None
    return tuple(networks)


def _own_address(fields: dict[str, Any]) -> str:
    host = f"[{fields['host']}]" if ":" in fields["host"] else fields["host"]
    return f"http://{host}:{fields['port']}"


class TelegramMode(StrEnum):
    """Who calls whom: we ask Telegram for updates, or Telegram posts them to us."""

    POLLING = "polling"
    WEBHOOK = "webhook"


class Settings(gateways.SmsSettings, gateways.EmailSettings):
    """What an installation sets. Frozen; secrets print as asterisks.

    `api_rate`: requests a second that one API key may send to a process, and twice as many at once after a pause.
    `webhook_local`: webhooks may also go to this machine and its networks, not only out into the internet.
    `telegram_rate`, `whatsapp_rate`, `sms_rate`, `email_rate`: messages a second through the shop's account there;
    `…_chat_seconds` between two in one chat, of which `…_chat_burst` may go at once after a pause.
    `database_url` always begins with ``postgres://``. `public_url` is where people open the panel and has no
    slash at its end. An empty variable counts as missing. Without `database_url` the front step starts
    servers of its own and fills in both addresses and the key.
    """

    model_config = SettingsConfigDict(env_prefix="REGULARS_", env_ignore_empty=True, frozen=True, extra="ignore")

    database_url: Annotated[SecretStr, AfterValidator(_database_url)] | None = Field(
        default=None, validation_alias="database_url"
    )
    redis_url: Annotated[SecretStr, AfterValidator(_redis_url)] | None = Field(
        default=None, validation_alias="redis_url"
    )
    home: Annotated[Path, AfterValidator(_absolute)] = Field(default_factory=_default_home)
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=1, le=65535)
    api_rate: int = Field(default=50, ge=1, le=65535)
    webhook_local: bool = False
    public_url: Annotated[str, AfterValidator(_public_url)] = Field(default_factory=_own_address)
    secret_key: Annotated[SecretStr, AfterValidator(_secret_key)] | None = None
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)] = ()
    telegram_bot_token: Annotated[SecretStr, AfterValidator(_bot_token)] | None = Field(
        default=None, validation_alias="telegram_bot_token"
    )
    telegram_api_url: Annotated[str, AfterValidator(_api_url)] = Field(
        default=TELEGRAM_API, validation_alias="telegram_api_url"
    )
    telegram_mode: TelegramMode = Field(default=TelegramMode.POLLING, validation_alias="telegram_mode")
    telegram_webhook_secret: Annotated[SecretStr, AfterValidator(_webhook_secret)] | None = Field(
        default=None, validation_alias="telegram_webhook_secret"
    )

    whatsapp_access_token: SecretStr | None = Field(default=None, validation_alias="whatsapp_access_token")
    whatsapp_phone_number_id: Annotated[str, AfterValidator(_number_id)] | None = Field(
        default=None, validation_alias="whatsapp_phone_number_id"
    )
    whatsapp_app_secret: SecretStr | None = Field(default=None, validation_alias="whatsapp_app_secret")
    whatsapp_verify_token: SecretStr | None = Field(default=None, validation_alias="whatsapp_verify_token")
    whatsapp_api_url: Annotated[str, AfterValidator(_api_url)] = Field(
        default=WHATSAPP_API, validation_alias="whatsapp_api_url"
    )

    telegram_rate: Annotated[int, AfterValidator(_limit)] = Field(default=30, validation_alias="telegram_rate")
    telegram_chat_seconds: Annotated[int, AfterValidator(_limit)] = Field(
        default=1, validation_alias="telegram_chat_seconds"
    )
    telegram_chat_burst: int = Field(default=3, ge=1, le=65535, validation_alias="telegram_chat_burst")
    whatsapp_rate: Annotated[int, AfterValidator(_limit)] = Field(default=80, validation_alias="whatsapp_rate")
    whatsapp_chat_seconds: Annotated[int, AfterValidator(_limit)] = Field(
        default=6, validation_alias="whatsapp_chat_seconds"
    )
    whatsapp_chat_burst: int = Field(default=45, ge=1, le=65535, validation_alias="whatsapp_chat_burst")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.database_url is not None and self.secret_key is None:
            raise ValueError(
                "REGULARS_SECRET_KEY is missing: it is required with DATABASE_URL; make one with: openssl rand -hex 32"
            )
        if (self.database_url is None) != (self.redis_url is None):
            missing = "DATABASE_URL" if self.database_url is None else "REDIS_URL"
            raise ValueError(f"{missing} is missing: set DATABASE_URL and REDIS_URL both, or neither")
        if self.telegram_mode is TelegramMode.WEBHOOK:
            self._check_webhook()
        absent = [name.upper() for name in WHATSAPP_NEEDED if getattr(self, name) is None]
        if absent and len(absent) < len(WHATSAPP_NEEDED):
            raise ValueError(f"{absent[0]} is missing: WhatsApp needs {', '.join(WHATSAPP_NEEDED).upper()}, or none")
        return self

    def _check_webhook(self) -> None:
        if self.telegram_bot_token is None:
            raise ValueError("TELEGRAM_BOT_TOKEN is missing: it is required with TELEGRAM_MODE=webhook")
        if self.telegram_webhook_secret is None:
            raise ValueError(
                "TELEGRAM_WEBHOOK_SECRET is missing: it is required with TELEGRAM_MODE=webhook;"
                " make one with: openssl rand -hex 32"
            )
        if self.telegram_api_url == TELEGRAM_API and not self.public_url.startswith("https://"):
            raise ValueError(
                "REGULARS_PUBLIC_URL must begin with https:// for TELEGRAM_MODE=webhook:"
                " Telegram calls only over TLS; without such an address use TELEGRAM_MODE=polling"
            )

    def on_port(self, port: int) -> Self:
        """The same, listening on another port; the public address follows unless it was set."""
        changed: dict[str, Any] = {"port": port}
        if "public_url" not in self.model_fields_set:
            changed["public_url"] = _own_address({"host": self.host, "port": port})
        return self.model_copy(update=changed)


def _problem(error: Any) -> str:
    reason = PLAIN_REASONS.get(error["type"], error["msg"].removeprefix("Value error, "))
    if not error["loc"]:
        return str(reason)
    field = str(error["loc"][0]).lower()
    name = field.upper() if field in PLAIN_NAMES else f"REGULARS_{field.upper()}"
    return f"{name} {reason}"


def read_settings() -> Settings:
    """Read the environment. Raises WrongSettings with one line per problem."""
    try:
        return Settings()
    except ValidationError as wrong:
        # Without the input: the values may be secrets.
        errors = wrong.errors(include_url=False, include_input=False, include_context=False)
        problems = [_problem(error) for error in errors if error["type"] != FOLLOWS_FROM_ANOTHER]
        raise WrongSettings(problems) from None
