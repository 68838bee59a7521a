"""How a mail looks, over which lines it goes, and what a mail server's answers mean: against a server on loopback."""

import asyncio
import ssl
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest
import trustme

from bot.app import open_channels
from bot.channels.base import (
    Away,
    ChatRateLimited,
    File,
    Outgoing,
    RateLimited,
    Rejected,
    SendError,
    Unauthorized,
    Unreachable,
)
from bot.channels.email import lines
from bot.channels.email.compose import composed
from loyalty.conversations.content import Content
from loyalty.gateways import Mailbox
from tests.bot.channels.stands import CLUB, PASSWORD, USER, Post, email_channel, post_office
from tests.bot.conftest import until

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
ANNA = "anna@mail.example"
LINK = "https://club.a-very-long-name-of-a-coffee-shop.example.com/stop/1a2b3c4d5e6f-0123456789abcdef"


def a_mail(text: str = "Привет, Анна!\nУ вас 150 бонусов.", *, reference: int = 4711, **more) -> Outgoing:
    subject = more.pop("subject", "")
    told = {"address": ANNA, "language": "ru", "content": Content(text, subject=subject), **more}
    return Outgoing(reference, **told)


def seen(message: Outgoing, sender: Mailbox = CLUB, reply_to: Mailbox | None = None):
    """The mail as its reader's program sees it."""
    return message_from_bytes(composed(message, sender, reply_to, NOW).as_bytes(), policy=default)


@pytest.fixture
async def post():
    async with post_office(Post()) as post:
        yield post


@pytest.fixture
async def channel(post):
    channel = email_channel(post)
    yield channel
    await channel.close()


# ------------------------------------------------------------------------------------------------ mails


def test_the_first_line_is_the_subject_unless_there_is_one():
    assert seen(a_mail())["Subject"] == "Привет, Анна!"
    assert seen(a_mail(subject="Ваши бонусы"))["Subject"] == "Ваши бонусы"
    assert seen(a_mail("\n \nПозже\tтут"))["Subject"] == "Позжетут"
    assert seen(a_mail(""))["Subject"] == "Ладно, кофе"
    assert len(seen(a_mail("слово " * 100))["Subject"]) <= 150
    assert seen(a_mail())["From"] == '"Ладно, кофе" <club@ladno.example>'
    assert seen(a_mail(), reply_to=Mailbox("", "hello@ladno.example"))["Reply-To"] == "hello@ladno.example"


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\x00\n"])
def test_no_line_break_in_a_value_makes_a_header(break_):
    nasty = f"Привет{break_}Bcc: evil@example.com{break_}{break_}тело"
    mail = seen(
        a_mail(nasty, subject=nasty, file=File(b"x", "text/plain", f'a{break_}Bcc: "evil".txt')),
        Mailbox(nasty, CLUB.address),
    )
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("Привет")
    assert all(part["Bcc"] is None for part in mail.walk())


@pytest.mark.parametrize(
    "address",
    ["", "anna", "a@b\r\nRCPT TO:<evil@example.com>", "a b@c.d", "<a@b.c>", "a@b@c", "анна@mail.example",
     "a@" + "x" * 300],
)  # fmt: skip
async def test_what_is_no_address_is_refused_before_anything_is_said(post, channel, address):
    with pytest.raises(Rejected):
        await channel.send(a_mail(address=address))
    assert post.greetings == 0


async def test_a_domain_in_another_alphabet_is_told_in_ascii(post, channel):
    await channel.send(a_mail(address="anna@кофе.example"))
    [(to, mail)] = post.mails
    assert to == "anna@xn--e1ajmy.example"
    assert mail["To"] == to


async def test_bytes_on_the_line_are_ascii_and_short_and_a_dot_alone_ends_nothing(post, channel):
    text = "Первая\n.\n..две\n" + "х" * 5000 + "\nпоследняя"
    await channel.send(a_mail(text))
    [raw] = post.raw
    assert raw.isascii()
    assert max(map(len, raw.splitlines())) < 998
    [(_, mail)] = post.mails
    assert mail.get_content().replace("\r\n", "\n") == text + "\n"


async def test_plain_latin_with_dots_arrives_as_it_was(post, channel):
    await channel.send(a_mail("one\n.\n.two\r\n\r\nthree"))
    [(_, mail)] = post.mails
    assert mail.get_content().replace("\r\n", "\n") == "one\n.\n.two\n\nthree\n"


async def test_a_mail_sent_again_is_the_same_one_to_its_reader(post, channel):
    names = [await channel.send(a_mail()), await channel.send(a_mail()), await channel.send(a_mail(reference=4712))]
    assert names[0] == names[1] != names[2]
    assert [mail["Message-ID"] for _, mail in post.mails] == [f"<{name}>" for name in names]
    assert names[0].endswith("@ladno.example")


def test_advertising_can_be_ended_with_one_press_in_the_mail_program():
    raw = composed(a_mail(stop_url=LINK), CLUB, None, NOW).as_bytes().decode()
    # On one line, as it is: mail programs look for it there. Source: RFC 8058
    assert f"\r\nList-Unsubscribe: <{LINK}>\r\n" in raw
    assert "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw
    assert seen(a_mail())["List-Unsubscribe"] is None
    assert seen(a_mail(stop_url=LINK)).get_content().rstrip().endswith(LINK)


async def test_files_hang_on_it_under_their_names(post, channel):
    await channel.send(a_mail(file=File(b"\x89PNG", "image/png", "Карта.png")))
    await channel.send(a_mail(file=File(b"%PDF", "odd thing/x", "")))
    [first], [second] = ([*mail.iter_attachments()] for _, mail in post.mails)
    assert (first.get_content_type(), first.get_filename(), first.get_content()) == (
        "image/png",
        "Карта.png",
        b"\x89PNG",
    )
    assert (second.get_content_type(), second.get_filename()) == ("application/octet-stream", "file")


# ------------------------------------------------------------------------------------------------ lines


async def test_mails_share_a_line_and_it_ends_when_nobody_used_it_for_a_while(post, channel, monkeypatch):
    monkeypatch.setattr(lines, "KEPT_SECONDS", 3.0)
    for number in range(5):
        await channel.send(a_mail(reference=number))
    assert (len(post.mails), post.greetings) == (5, 1)
    await until(lambda: all(line.transport is None for line in post.lines))
    await channel.send(a_mail())
    assert post.greetings == 2


async def test_no_more_lines_than_a_server_lets_one_have(post, channel):
    await asyncio.gather(*(channel.send(a_mail(reference=number)) for number in range(60)))
    assert len(post.mails) == 60
    assert post.greetings <= lines.LINES


@pytest.mark.parametrize("way", ["closed", "goodbye"])
async def test_a_kept_line_that_the_server_closed_costs_no_mail(post, channel, way):
    await channel.send(a_mail())
    if way == "closed":
        post.hang_up()
    else:
        post.once["MAIL"] = "421 4.4.2 Idle for too long"
    await channel.send(a_mail(reference=2))
    assert (len(post.mails), post.greetings) == (2, 2)


async def test_after_a_refusal_the_next_mail_goes(post, channel):
    post.answers["RCPT"] = "550 5.1.1 No such mailbox"
    with pytest.raises(Unreachable):
        await channel.send(a_mail())
    post.answers.clear()
    await channel.send(a_mail())
    assert len(post.mails) == 1


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def certificate(authority):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_over_tls_the_certificate_is_held_against_its_authority(authority, certificate, security):
    trusting, doubting = ssl.create_default_context(), ssl.create_default_context()
    authority.configure_trust(trusting)
    how = {security: certificate}
    async with post_office(Post(), **how) as post:
        channel = email_channel(post, security=security, tls=trusting)
        await channel.send(a_mail())
        await channel.close()
        assert len(post.mails) == 1
        channel = email_channel(post, security=security, tls=doubting)
        with pytest.raises(Unauthorized) as caught:
            await channel.send(a_mail())
        assert caught.value.reason == "tls"
        await channel.close()
        assert len(post.mails) == 1


async def test_a_server_without_tls_gets_nothing_where_tls_is_set(post):
    channel = email_channel(post, security="starttls")
    with pytest.raises(Unauthorized) as caught:
        await channel.send(a_mail())
    assert caught.value.reason == "tls"
    await channel.close()


# ---------------------------------------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("step", "line", "kind", "reason"),
    [
        ("MAIL", "421 4.7.0 Too many", RateLimited, "rate"),
        ("MAIL", "451 4.3.0 Later", RateLimited, "rate"),
        ("MAIL", "452 4.3.1 Full", RateLimited, "rate"),
        ("MAIL", "530 5.7.0 Sign in", Unauthorized, "unauthorized"),
        ("MAIL", "550 5.7.1 Not your address", Unauthorized, "sender"),
        ("MAIL", "553 5.7.1 Not your address", Unauthorized, "sender"),
        ("MAIL", "552 5.3.4 Too large", Rejected, "rejected"),
        ("RCPT", "421 4.7.0 Too many", RateLimited, "rate"),
        ("RCPT", "450 4.2.0 Greylisted", ChatRateLimited, "chat_rate"),
        ("RCPT", "451 4.7.1 Greylisted", ChatRateLimited, "chat_rate"),
        ("RCPT", "452 4.2.2 Mailbox full", ChatRateLimited, "chat_rate"),
        ("RCPT", "550 5.1.1 No such mailbox", Unreachable, "gone"),
        ("RCPT", "550 No such mailbox", Unreachable, "gone"),
        ("RCPT", "551 Elsewhere", Unreachable, "gone"),
        ("RCPT", "553 5.1.3 Bad address", Unreachable, "gone"),
        ("RCPT", "550 5.2.1 Mailbox disabled", Unreachable, "gone"),
        ("RCPT", "550 5.7.1 Relaying denied", Rejected, "rejected"),
        ("RCPT", "552 5.2.2 Mailbox full", Rejected, "rejected"),
        ("RCPT", "554 5.7.1 Blocked", Rejected, "rejected"),
        ("RCPT", "550 5.1.8 Sender's domain is bad", Unauthorized, "sender"),
        ("DATA", "451 4.3.0 Later", ChatRateLimited, "chat_rate"),
        ("DATA", "550 Looks like spam", Rejected, "rejected"),
        ("DATA", "550 5.1.1 No such mailbox", Unreachable, "gone"),
        ("DATA", "554 5.7.1 Looks like spam", Rejected, "rejected"),
        ("MAIL", "cut", Away, "no_answer"),
        ("RCPT", "cut", Away, "no_answer"),
    ],
)
async def test_what_an_answer_means_by_where_it_comes(post, step, line, kind, reason):
    channel = email_channel(post)
    post.answers[step] = line
    with pytest.raises(SendError) as caught:
        await channel.send(a_mail())
    assert (type(caught.value), caught.value.reason) == (kind, reason)
    assert post.mails == []
    assert "example" not in str(caught.value)
    await channel.close()


async def test_the_settings_make_the_channel(settings, post):
    from pydantic import SecretStr

    chosen = {
        "smtp_host": "127.0.0.1",
        "smtp_port": post.port,
        "smtp_user": USER,
        "smtp_password": SecretStr(PASSWORD),
        "email_from": "Ладно, кофе <club@ladno.example>",
        "email_reply_to": "hello@ladno.example",
    }
    [channel] = open_channels(settings.model_copy(update=chosen))
    assert channel.source == "email:club@ladno.example"
    await channel.send(a_mail())
    await channel.close()
    [(_, mail)] = post.mails
    assert mail["From"] == '"Ладно, кофе" <club@ladno.example>'
    assert mail["Reply-To"] == "hello@ladno.example"
