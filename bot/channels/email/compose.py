"""A message of ours as an e-mail. Source: RFC 5322, RFC 2045; RFC 8058 for ending advertising with one press."""

import hashlib
from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime

from bot.channels.base import File, Outgoing, Rejected
from bot.channels.oneway import fitted
from loyalty.conversations.channels import CAPABILITIES, EMAIL
from loyalty.gateways import ADDRESS, Mailbox

SUBJECT_LENGTH = 150
NAME_LENGTH = 100
WITHOUT_KIND = "application/octet-stream"


class _Whole(UnstructuredHeader, BaseHeader):
    """A header that stays on its line: folded, a long link would be encoded, and no mail program would know it."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_REGISTRY = HeaderRegistry()
_REGISTRY.map_to_type("list-unsubscribe", _Whole)
# Not every server takes bytes beyond ASCII.
POLICY = SMTP.clone(cte_type="7bit", header_factory=_REGISTRY)


def composed(message: Outgoing, sender: Mailbox, reply_to: Mailbox | None, now: datetime) -> EmailMessage:
    """The e-mail; sent again after a lost answer it is the same one to its reader. Raises Rejected."""
    content = fitted(message, CAPABILITIES[EMAIL], "\n\n")
    mail = EmailMessage(POLICY)
    mail["From"] = _address(sender)
    mail["To"] = _address(Mailbox("", message.address))
    if reply_to is not None:
        mail["Reply-To"] = _address(reply_to)
    mail["Subject"] = subject_of(message.content.subject or message.content.text) or sender.name or sender.address
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{_name(message, mail['Subject'], sender)}>"
    # No holiday notice is to answer it. Source: RFC 3834
    mail["Auto-Submitted"] = "auto-generated"
    if message.stop_url:
        mail["List-Unsubscribe"] = f"<{message.stop_url}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(content.text + "\n")
    mail["Content-Language"] = message.language
    if message.file is not None:
        _attach(mail, message.file)
    return mail


def subject_of(text: str) -> str:
    """The first line that says anything, within what mail programs show."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    line = " ".join("".join(char for char in line if char.isprintable()).split())
    return line if len(line) <= SUBJECT_LENGTH else line[: SUBJECT_LENGTH - 1].rstrip() + "…"


def domain_of(address: str) -> str:
    """The domain as servers write it, other alphabets in ASCII. Raises UnicodeError."""
    return address.rpartition("@")[2].encode("idna").decode()


def envelope_of(address: str) -> str:
    """An address as the server is told it. Raises Rejected for one that no server takes."""
    if not ADDRESS.fullmatch(address):
        raise Rejected("rejected", "that is no address")
    try:
        return f"{address.rpartition('@')[0]}@{domain_of(address)}"
    except UnicodeError:
        raise Rejected("rejected", "that is no address") from None


def _address(mailbox: Mailbox) -> Address:
    name = " ".join("".join(char for char in mailbox.name if char.isprintable()).split())
    try:
        return Address(name, addr_spec=envelope_of(mailbox.address))
    except ValueError:
        raise Rejected("rejected", "that is no address") from None


def _name(message: Outgoing, subject: str, sender: Mailbox) -> str:
    """Its name, made of what it is: the same for the same message, another one in another installation."""
    told = "\0".join((str(message.reference), message.address, subject, message.content.text))
    digest = hashlib.sha256(told.encode(errors="replace")).hexdigest()[:20]
    return f"{message.reference}.{digest}@{domain_of(sender.address)}"


def _attach(mail: EmailMessage, file: File) -> None:
    kind, _, rest = file.mime.partition("/")
    if not (kind.isalnum() and rest and rest.isascii() and all(char.isalnum() or char in ".+-" for char in rest)):
        kind, _, rest = WITHOUT_KIND.partition("/")
    name = "".join(char for char in file.name if char.isprintable() and char not in '/\\"')[:NAME_LENGTH] or "file"
    mail.add_attachment(file.body, maintype=kind, subtype=rest, filename=name)
