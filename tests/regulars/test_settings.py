"""What an operator reads when the environment is wrong."""

import os
import subprocess
import sys
from ipaddress import ip_network

import pytest

from loyalty.settings import WrongSettings, read_settings

KEY = "5c1b0f4e9a7d2386"
GOOD = {
    "DATABASE_URL": "postgresql://loyal:p%40ss@db.local:5432/loyal?maxsize=20",
    "REDIS_URL": "redis://cache.local/0",
    "REGULARS_SECRET_KEY": KEY * 2,
}


@pytest.fixture
def environment(monkeypatch):
    """Only what the test sets."""
    for name in list(os.environ):
        if name.startswith(("REGULARS_", "TELEGRAM_", "SMS_", "SMTP_", "EMAIL_")) or name in GOOD:
            monkeypatch.delenv(name)

    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return put


def problems() -> list[str]:
    with pytest.raises(WrongSettings) as caught:
        read_settings()
    return caught.value.problems


def test_an_empty_environment_is_fine(environment):
    settings = read_settings()
    assert settings.database_url is None
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.trusted_proxies == ()


def test_servers_elsewhere_are_taken_as_given(environment):
    environment(
        **GOOD,
        REGULARS_PUBLIC_URL="https://club.example.com/",
        REGULARS_TRUSTED_PROXIES="10.0.0.0/8, ::1",
    )
    settings = read_settings()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgres://loyal:p%40ss@db.local:5432/loyal?maxsize=20"
    assert settings.public_url == "https://club.example.com"
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert KEY not in repr(settings)
    assert "p%40ss" not in repr(settings)


def test_the_home_variable_of_the_shell_is_not_ours(environment, monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    monkeypatch.setenv("HOST", "elsewhere")
    monkeypatch.setenv("PORT", "1")
    settings = read_settings()
    assert settings.home.name == "regulars"
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)


def test_the_public_address_follows_the_port_unless_it_is_set(environment):
    assert read_settings().on_port(81).public_url == "http://127.0.0.1:81"
    environment(REGULARS_PUBLIC_URL="https://club.example.com")
    assert read_settings().on_port(81).public_url == "https://club.example.com"


def test_an_empty_variable_counts_as_missing(environment):
    environment(DATABASE_URL="", REGULARS_PORT="", REGULARS_PUBLIC_URL="")
    assert read_settings().port == 8080


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("DATABASE_URL", "mysql://u:p@h/x", "DATABASE_URL must begin with postgres:// or postgresql://"),
        ("DATABASE_URL", "postgres://u:p@h", "DATABASE_URL names no database: postgres://user:password@host:5432/NAME"),
        ("REDIS_URL", "redis://", "REDIS_URL names no host"),
        ("REGULARS_PORT", "http", "REGULARS_PORT is not a whole number"),
        ("REGULARS_PORT", "70000", "REGULARS_PORT must be between 1 and 65535"),
        ("REGULARS_SECRET_KEY", "short", "REGULARS_SECRET_KEY must have at least 32 characters"),
        (
            "REGULARS_SECRET_KEY",
            "changeme" + KEY * 2,
            "REGULARS_SECRET_KEY looks like a placeholder; make one with: openssl rand -hex 32",
        ),
        (
            "REGULARS_SECRET_KEY",
            "x" * 40,
            "REGULARS_SECRET_KEY looks like a placeholder; make one with: openssl rand -hex 32",
        ),
        (
            "REGULARS_SECRET_KEY",
            "",
            "REGULARS_SECRET_KEY is missing: it is required with DATABASE_URL; make one with: openssl rand -hex 32",
        ),
        ("REDIS_URL", "", "REDIS_URL is missing: set DATABASE_URL and REDIS_URL both, or neither"),
        (
            "REGULARS_PUBLIC_URL",
            "https://example.com/club",
            "REGULARS_PUBLIC_URL must end after the host and the port: Regulars needs an address of its own",
        ),
        (
            "REGULARS_TRUSTED_PROXIES",
            "10.0.0.1, proxy",
            "REGULARS_TRUSTED_PROXIES 'proxy' is neither an address nor a network such as 10.0.0.0/8",
        ),
    ],
)
def test_a_wrong_value_gives_one_line(environment, name, value, reason):
    environment(**{**GOOD, name: value})
    assert problems() == [reason]


CALLED = {
    **GOOD,
    "REGULARS_PUBLIC_URL": "https://club.example.com",
    "TELEGRAM_BOT_TOKEN": "1:abc",
    "TELEGRAM_MODE": "webhook",
    "TELEGRAM_WEBHOOK_SECRET": "s3cret_-" * 4,
}


def test_telegram_calls_us_when_told_to(environment):
    environment(**CALLED)
    settings = read_settings()
    assert settings.telegram_mode == "webhook"
    assert settings.telegram_webhook_secret is not None
    assert "s3cret" not in repr(settings)
    environment(TELEGRAM_MODE="")
    assert read_settings().telegram_mode == "polling"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("TELEGRAM_MODE", "push", "TELEGRAM_MODE must be polling or webhook"),
        (
            "TELEGRAM_BOT_TOKEN",
            "",
            "TELEGRAM_BOT_TOKEN is missing: it is required with TELEGRAM_MODE=webhook",
        ),
        (
            "TELEGRAM_WEBHOOK_SECRET",
            "",
            (
                "TELEGRAM_WEBHOOK_SECRET is missing: it is required with TELEGRAM_MODE=webhook;"
                " make one with: openssl rand -hex 32"
            ),
        ),
        (
            "TELEGRAM_WEBHOOK_SECRET",
            "тайна",
            "TELEGRAM_WEBHOOK_SECRET must be 1 to 256 letters, digits, _ or -; make one with: openssl rand -hex 32",
        ),
        (
            "TELEGRAM_WEBHOOK_SECRET",
            "x" * 257,
            "TELEGRAM_WEBHOOK_SECRET must be 1 to 256 letters, digits, _ or -; make one with: openssl rand -hex 32",
        ),
        (
            "REGULARS_PUBLIC_URL",
            "http://club.example.com",
            (
                "REGULARS_PUBLIC_URL must begin with https:// for TELEGRAM_MODE=webhook: Telegram calls only over TLS;"
                " without such an address use TELEGRAM_MODE=polling"
            ),
        ),
    ],
)
def test_a_webhook_that_could_not_work_is_told_at_the_start(environment, name, value, reason):
    environment(**{**CALLED, name: value})
    assert problems() == [reason]


def test_another_bot_api_server_may_call_without_tls(environment):
    environment(**{**CALLED, "REGULARS_PUBLIC_URL": "", "TELEGRAM_API_URL": "http://127.0.0.1:8081"})
    assert read_settings().public_url == "http://127.0.0.1:8080"


def test_no_secret_is_told_while_complaining(environment):
    environment(DATABASE_URL="postgres://u:p[hunter2@h/x", REDIS_URL="redis://:hunter2@", REGULARS_SECRET_KEY="hunter2")
    told = problems()
    assert len(told) == 3
    assert "hunter2" not in " ".join(told)


def test_the_command_exits_with_2_and_no_traceback(environment):
    environment(**GOOD, REGULARS_PORT="http", REGULARS_PUBLIC_URL="ftp://club")
    command = subprocess.run([sys.executable, "-m", "regulars", "migrate"], capture_output=True, text=True, check=False)
    assert command.returncode == 2
    assert command.stderr.splitlines() == [
        "REGULARS_PORT is not a whole number",
        "REGULARS_PUBLIC_URL must be the address people open, like https://club.example.com",
    ]


SMS = {
    "SMS_URL": "https://gateway.example.com/send",
    "SMS_BODY": '{"to": "{to}", "text": "{text}"}',
    "SMS_SENDER": "Ladno",
}
BY_GET = {**SMS, "SMS_METHOD": "get", "SMS_BODY": "", "SMS_URL": "https://gateway.example.com/?to={digits}&text={text}"}
PLACEHOLDERS = "{to}, {digits}, {text}, {sender}, {id}, {callback}"


@pytest.mark.parametrize("chosen", [SMS, BY_GET])
def test_a_gateway_by_post_or_get_is_taken_and_its_keys_stay_secret(environment, chosen):
    environment(**chosen, SMS_AUTHORIZATION="Bearer k3y", SMS_DELIVERED="DELIVRD, 1")
    settings = read_settings()
    assert settings.sms_method == ("GET" if chosen is BY_GET else "POST")
    assert settings.sms_delivered == ("delivrd", "1")
    assert settings.sms_failed == ("failed", "undelivered", "undeliverable", "rejected", "expired")
    assert "k3y" not in repr(settings)
    assert "gateway" not in repr(settings)


@pytest.mark.parametrize(
    ("chosen", "reason"),
    [
        ({"SMS_SENDER": ""}, "SMS_SENDER is missing: SMS needs SMS_URL, SMS_SENDER, SMS_BODY, or none"),
        ({"SMS_BODY": ""}, "SMS_BODY is missing: SMS needs SMS_URL, SMS_SENDER, SMS_BODY, or none"),
        ({"SMS_URL": "gateway.example.com"}, "SMS_URL must be the gateway's address, like https://gateway.example.com/send"),
        ({"SMS_URL": "https://{to}.example.com"}, "SMS_URL must be the gateway's address, like https://gateway.example.com/send"),
        ({"SMS_URL": "https://gateway.example.com/a b"}, "SMS_URL must be percent-encoded: ASCII without spaces"),
        ({"SMS_BODY": "{to} {text} {phone}"}, f"SMS_BODY names {{phone}}; there are {PLACEHOLDERS}"),
        ({"SMS_BODY": "{to}"}, "SMS_BODY or SMS_URL must name {text} and one of {to} and {digits}"),
        ({"SMS_METHOD": "PUT"}, "SMS_METHOD must be POST or GET"),
        ({"SMS_METHOD": "GET"}, "SMS_BODY has no place in a GET: put what it names into SMS_URL"),
        (
            {"SMS_BODY": "{to} {text} {callback}"},
            "SMS_CALLBACK_SECRET is missing: it is required with {callback}; make one with: openssl rand -hex 32",
        ),
        (
            {"SMS_CALLBACK_SECRET": "short"},
            "SMS_CALLBACK_SECRET must be 16 to 128 letters, digits, _ or -; make one with: openssl rand -hex 32",
        ),
        ({"SMS_ID_PATH": "a..b"}, "SMS_ID_PATH must name a field, or the way to one, like messages.0.id"),
        ({"SMS_RATE": "-1"}, "SMS_RATE must be between 0 and 10000; 0 means no limit of our own"),
        (
            {"SMS_CONTENT_TYPE": "text/plain"},
            ("SMS_CONTENT_TYPE must be one of application/json, application/x-www-form-urlencoded, application/xml,"
            " text/xml"),
        ),
    ],
)  # fmt: skip
def test_a_gateway_that_cannot_work_is_told_in_one_line(environment, chosen, reason):
    environment(**{**SMS, **chosen})
    assert problems() == [reason]


EMAIL = {"SMTP_HOST": "smtp.example.com", "EMAIL_FROM": "Ладно, кофе <club@ladno.example>"}


@pytest.mark.parametrize(
    ("chosen", "security", "port"),
    [
        ({}, "starttls", 587),
        ({"SMTP_TLS": "TLS"}, "tls", 465),
        ({"SMTP_TLS": "none"}, "none", 25),
        ({"SMTP_HOST": "localhost"}, "none", 25),
        ({"SMTP_HOST": "::1"}, "none", 25),
        ({"SMTP_HOST": "127.0.0.1", "SMTP_TLS": "starttls", "SMTP_PORT": "2525"}, "starttls", 2525),
    ],
)
def test_mail_goes_over_tls_unless_the_server_is_on_this_machine(environment, chosen, security, port):
    environment(**{**EMAIL, **chosen})
    settings = read_settings()
    assert (settings.smtp_security, settings.smtp_door) == (security, port)


@pytest.mark.parametrize(
    ("chosen", "reason"),
    [
        ({"SMTP_HOST": ""}, "SMTP_HOST is missing: e-mail needs SMTP_HOST and EMAIL_FROM, or none"),
        ({"EMAIL_FROM": ""}, "EMAIL_FROM is missing: e-mail needs SMTP_HOST and EMAIL_FROM, or none"),
        ({"SMTP_USER": "shop"}, "SMTP_PASSWORD is missing: set SMTP_USER and SMTP_PASSWORD both, or neither"),
        (
            {"EMAIL_FROM": "Ladno"},
            "EMAIL_FROM must be an address like club@example.com or Our Club <club@example.com>",
        ),
        ({"SMTP_TLS": "ssl"}, "SMTP_TLS must be starttls, tls or none"),
        ({"SMTP_HOST": "smtp://x"}, "SMTP_HOST must be the mail server's name alone, like smtp.example.com"),
    ],
)
def test_a_mail_server_that_cannot_work_is_told_in_one_line(environment, chosen, reason):
    environment(**{**EMAIL, **chosen})
    assert problems() == [reason]
