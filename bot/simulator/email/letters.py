"""What a reader sees of a message as it came over the line."""

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

LINK = re.compile(r"<(https?://[^<>\s]+)>", re.IGNORECASE)
ONE_CLICK = "list-unsubscribe=one-click"


@dataclass(frozen=True, slots=True)
class Letter:
    """`stop_url`: where one press ends advertising, "" where the message has no such link. Source: RFC 8058.

    `message_id` tells the same message sent twice. `files` are (name, type, data).
    """

    message_id: str
    sender: str
    subject: str
    text: str
    stop_url: str
    files: tuple[tuple[str, str, bytes], ...]


def read_letter(raw: bytes) -> Letter:
    """Read it with the standard library's parser, which takes whatever comes."""
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain", "html"))
    return Letter(
        message_id=header(message, "Message-ID"),
        sender=header(message, "From"),
        subject=header(message, "Subject"),
        text="\n".join(str(body.get_content()).splitlines()).rstrip() if body is not None else "",
        stop_url=stop_url(message),
        files=tuple(files_of(message)),
    )


def header(message: EmailMessage, name: str) -> str:
    """A header's value, "" without it."""
    return str(message.get(name, ""))


def stop_url(message: EmailMessage) -> str:
    """The link that a mail program offers to press, if the sender promises that one press does it."""
    found = LINK.search(header(message, "List-Unsubscribe"))
    promised = header(message, "List-Unsubscribe-Post").strip().lower() == ONE_CLICK
    return found.group(1) if found and promised else ""


def files_of(message: EmailMessage) -> list[tuple[str, str, bytes]]:
    """What hangs on it."""
    files = []
    for part in message.iter_attachments():
        data = part.get_payload(decode=True)
        if isinstance(data, bytes):
            files.append((part.get_filename() or "file", part.get_content_type(), data))
    return files
