"""Settings of the two channels that anybody's service may carry: an SMS gateway over HTTP, and a mail server."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode

MOST_A_SECOND = 10_000
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
SMS_VALUES = ("to", "digits", "text", "sender", "id", "callback")
"""What a gateway's address and body may name. to: +79171234567; digits: the same without the plus."""
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
XML = ("application/xml", "text/xml")
SENDER_LENGTH = 30
# Of a secret that stands in an address.
CALLBACK_SECRET = re.compile(r"[A-Za-z0-9_-]{16,128}")
PATH = re.compile(r"[A-Za-z0-9_-]{1,60}(\.[A-Za-z0-9_-]{1,60}){0,9}")
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[^\s@<>\"(),:;\[\]\\\x00-\x1f\x7f]{1,255}")

TLS_PORTS = {"starttls": 587, "tls": 465, "none": 25}

PLAIN_NAMES = (
    "sms_url",
    "sms_method",
    "sms_body",
    "sms_content_type",
    "sms_sender",
    "sms_authorization",
    "sms_id_path",
    "sms_callback_secret",
    "sms_callback_id",
    "sms_callback_status",
    "sms_delivered",
    "sms_failed",
    "sms_rate",
    "sms_chat_seconds",
    "sms_chat_burst",
    "smtp_host",
    "smtp_port",
    "smtp_user",
    "smtp_password",
    "smtp_tls",
    "email_from",
    "email_reply_to",
    "email_rate",
    "email_chat_seconds",
    "email_chat_burst",
)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address with the name that stands before it, if any."""

    name: str
    address: str


def limit(value: int) -> int:
    """A pace that can be kept. Raises ValueError."""
    if not 0 <= value <= MOST_A_SECOND:
        raise ValueError(f"must be between 0 and {MOST_A_SECOND}; 0 means no limit of our own")
    return value


def _sms_url(value: SecretStr) -> SecretStr:
    url = value.get_secret_value()
    # A placeholder in the host would send what people are told wherever a value says.
    parts = urlsplit(url)
    host = parts.netloc
    if not (url.isascii() and url.isprintable()) or " " in url:
        raise ValueError("must be percent-encoded: ASCII without spaces")
    if parts.scheme not in ("http", "https") or not parts.hostname or PLACEHOLDER.search(host):
        raise ValueError("must be the gateway's address, like https://gateway.example.com/send")
    _known(url)
    return value


def _sms_body(value: SecretStr) -> SecretStr:
    _known(value.get_secret_value())
    return value


def _known(template: str) -> None:
    if unknown := [name for name in PLACEHOLDER.findall(template) if name not in SMS_VALUES]:
        raise ValueError(f"names {{{unknown[0]}}}; there are " + ", ".join(f"{{{name}}}" for name in SMS_VALUES))


def _method(value: str) -> str:
    if value.upper() not in ("POST", "GET"):
        raise ValueError("must be POST or GET")
    return value.upper()


def _content_type(value: str) -> str:
    if value.lower() not in (JSON, FORM, *XML):
        raise ValueError("must be one of " + ", ".join((JSON, FORM, *XML)))
    return value.lower()


def _sender(value: str) -> str:
    if not value.isprintable() or len(value) > SENDER_LENGTH:
        raise ValueError(f"must be the name or number that people see, {SENDER_LENGTH} characters at most")
    return value


def _header(value: SecretStr) -> SecretStr:
    told = value.get_secret_value()
    if not (told.isascii() and told.isprintable()):
        raise ValueError("is not the value of a header: ASCII on one line, like Bearer eyJhbGci…")
    return value


def _path(value: str) -> str:
    if not PATH.fullmatch(value):
        raise ValueError("must name a field, or the way to one, like messages.0.id")
    return value


def _callback_secret(value: SecretStr) -> SecretStr:
    if not CALLBACK_SECRET.fullmatch(value.get_secret_value()):
        raise ValueError("must be 16 to 128 letters, digits, _ or -; make one with: openssl rand -hex 32")
    return value


def _words(value: Any) -> Any:
    """A comma list as words in lower case."""
    return tuple(word.strip().lower() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


def _tls(value: str) -> str:
    if value.lower() not in TLS_PORTS:
        raise ValueError("must be starttls, tls or none")
    return value.lower()


def _host(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:-]{1,255}", value) or "//" in value:
        raise ValueError("must be the mail server's name alone, like smtp.example.com")
    return value


def _mailbox(value: str) -> str:
    if not value.isprintable() or not ADDRESS.fullmatch(mailbox(value).address):
        raise ValueError("must be an address like club@example.com or Our Club <club@example.com>")
    return value


def mailbox(value: str) -> Mailbox:
    """An address as people write it: the name before it needs no quotes."""
    if value.rstrip().endswith(">") and "<" in value:
        name, _, address = value.rstrip()[:-1].rpartition("<")
        return Mailbox(" ".join(name.strip().strip('"').split()), address.strip())
    return Mailbox("", value.strip())


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class SmsSettings(BaseSettings):
    """What the SMS gateway needs.

    `sms_url`, `sms_body`: templates of SMS_VALUES; secrets, because gateways take their keys in either.
    `sms_id_path`: the way to the gateway's name of a message in its JSON answer. `sms_callback_id`,
    `sms_callback_status`: the ways to it and to what became of it in what the gateway calls us with; `sms_delivered`,
    `sms_failed`: its words for the two ends.
    """

    sms_url: Annotated[SecretStr, AfterValidator(_sms_url)] | None = Field(default=None, validation_alias="sms_url")
    sms_method: Annotated[str, AfterValidator(_method)] = Field(default="POST", validation_alias="sms_method")
    sms_body: Annotated[SecretStr, AfterValidator(_sms_body)] | None = Field(default=None, validation_alias="sms_body")
    sms_content_type: Annotated[str, AfterValidator(_content_type)] = Field(
        default=JSON, validation_alias="sms_content_type"
    )
    sms_sender: Annotated[str, AfterValidator(_sender)] | None = Field(default=None, validation_alias="sms_sender")
    sms_authorization: Annotated[SecretStr, AfterValidator(_header)] | None = Field(
        default=None, validation_alias="sms_authorization"
    )
    sms_id_path: Annotated[str, AfterValidator(_path)] | None = Field(default=None, validation_alias="sms_id_path")
    sms_callback_secret: Annotated[SecretStr, AfterValidator(_callback_secret)] | None = Field(
        default=None, validation_alias="sms_callback_secret"
    )
    sms_callback_id: Annotated[str, AfterValidator(_path)] = Field(default="id", validation_alias="sms_callback_id")
    sms_callback_status: Annotated[str, AfterValidator(_path)] = Field(
        default="status", validation_alias="sms_callback_status"
    )
    sms_delivered: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)] = Field(
        default=("delivered",), validation_alias="sms_delivered"
    )
    sms_failed: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)] = Field(
        default=("failed", "undelivered", "undeliverable", "rejected", "expired"), validation_alias="sms_failed"
    )
    sms_rate: Annotated[int, AfterValidator(limit)] = Field(default=10, validation_alias="sms_rate")
    sms_chat_seconds: Annotated[int, AfterValidator(limit)] = Field(default=10, validation_alias="sms_chat_seconds")
    sms_chat_burst: int = Field(default=3, ge=1, le=65535, validation_alias="sms_chat_burst")

    @model_validator(mode="after")
    def _whole_sms(self) -> Self:
        needed: dict[str, object] = {"SMS_URL": self.sms_url, "SMS_SENDER": self.sms_sender}
        if self.sms_method == "POST":
            needed["SMS_BODY"] = self.sms_body
        absent = [name for name, value in needed.items() if value is None]
        if self.sms_url is None and self.sms_sender is None and self.sms_body is None:
            return self
        if absent:
            raise ValueError(f"{absent[0]} is missing: SMS needs {', '.join(needed)}, or none")
        if self.sms_method == "GET" and self.sms_body is not None:
            raise ValueError("SMS_BODY has no place in a GET: put what it names into SMS_URL")
        assert self.sms_url is not None
        templates = [one.get_secret_value() for one in (self.sms_url, self.sms_body) if one is not None]
        named = {name for template in templates for name in PLACEHOLDER.findall(template)}
        if "text" not in named or not named & {"to", "digits"}:
            raise ValueError("SMS_BODY or SMS_URL must name {text} and one of {to} and {digits}")
        if "callback" in named and self.sms_callback_secret is None:
            raise ValueError(
                "SMS_CALLBACK_SECRET is missing: it is required with {callback}; make one with: openssl rand -hex 32"
            )
        return self


class EmailSettings(BaseSettings):
    """What the mail server needs. Read `smtp_security` and `smtp_door`, which know what is usual."""

    smtp_host: Annotated[str, AfterValidator(_host)] | None = Field(default=None, validation_alias="smtp_host")
    smtp_port: int | None = Field(default=None, ge=1, le=65535, validation_alias="smtp_port")
    smtp_user: str | None = Field(default=None, validation_alias="smtp_user")
    smtp_password: SecretStr | None = Field(default=None, validation_alias="smtp_password")
    smtp_tls: Annotated[str, AfterValidator(_tls)] | None = Field(default=None, validation_alias="smtp_tls")
    email_from: Annotated[str, AfterValidator(_mailbox)] | None = Field(default=None, validation_alias="email_from")
    email_reply_to: Annotated[str, AfterValidator(_mailbox)] | None = Field(
        default=None, validation_alias="email_reply_to"
    )
    email_rate: Annotated[int, AfterValidator(limit)] = Field(default=10, validation_alias="email_rate")
    email_chat_seconds: Annotated[int, AfterValidator(limit)] = Field(default=5, validation_alias="email_chat_seconds")
    email_chat_burst: int = Field(default=5, ge=1, le=65535, validation_alias="email_chat_burst")

    @property
    def smtp_security(self) -> str:
        """starttls, tls or none: unless it is set, none on this machine alone."""
        if self.smtp_tls is not None:
            return self.smtp_tls
        return "none" if self.smtp_host is not None and _is_loopback(self.smtp_host) else "starttls"

    @property
    def smtp_door(self) -> int:
        """The port: unless it is set, the usual one."""
        return self.smtp_port if self.smtp_port is not None else TLS_PORTS[self.smtp_security]

    @model_validator(mode="after")
    def _whole_email(self) -> Self:
        if (self.smtp_host is None) != (self.email_from is None):
            missing = "SMTP_HOST" if self.smtp_host is None else "EMAIL_FROM"
            raise ValueError(f"{missing} is missing: e-mail needs SMTP_HOST and EMAIL_FROM, or none")
        if (self.smtp_user is None) != (self.smtp_password is None):
            missing = "SMTP_USER" if self.smtp_user is None else "SMTP_PASSWORD"
            raise ValueError(f"{missing} is missing: set SMTP_USER and SMTP_PASSWORD both, or neither")
        return self
