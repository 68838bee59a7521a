"""The life of a message, and what a turn of a dialog decides. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any

from loyalty.conversations.content import Content

LEASE = timedelta(seconds=60)
"""How long a worker may keep a message before another takes it over."""
SENDING = timedelta(seconds=60)
"""How long a call may be under way; a channel gives up well before."""
RETRY_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (2, 10, 60, 300, 900, 3600, 3600))
"""Growing pauses between tries of one message; after the last one it has failed."""

CARD_OPEN = timedelta(minutes=5)
"""How long the code of a shown card keeps changing."""
TEXT_LENGTH = 4000
"""The longest text of a person of the panel; every messenger we know carries it."""


class Status(StrEnum):
    """Where a message stands. After `sent` it only moves up."""

    RECEIVED = "received"
    QUEUED = "queued"
    DELAYED = "delayed"
    LEASED = "leased"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class Priority(IntEnum):
    """What leaves first: answers, then news of the customer's own money, then campaigns."""

    REPLY = 0
    SERVICE = 1
    BULK = 2


class ConversationState(StrEnum):
    """Who has to do with a conversation: the bot alone, people too, or people no more."""

    BOT = "bot"
    OPEN = "open"
    CLOSED = "closed"


class PauseReason(StrEnum):
    """Why nothing is sent through an account of ours."""

    RATE = "rate"
    UNAUTHORIZED = "unauthorized"


@dataclass(frozen=True, slots=True)
class Arrived:
    """An update as a channel received it: its name, its place within its chat, and its bytes.

    `chat` None: it belongs to no chat.
    """

    external_id: str
    position: int
    chat: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """What a person said, for the log. `file_id`: the messenger's name of a picture or file to fetch."""

    kind: str
    text: str = ""
    external_id: str | None = None
    file_id: str = ""
    file_name: str = ""
    mime: str = ""
    size: int = 0

    def to_body(self) -> dict[str, Any]:
        """The content as logged."""
        return {"text": self.text} if self.text else {}


@dataclass(frozen=True, slots=True)
class Said:
    """A reply. `kind` "card" opens the customer's card in the chat."""

    content: Content
    kind: str = "reply"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step decided: all of it is saved together, or none of it.

    heard: None leaves no line in the log. waiting: staff are to look (True), need not any more (False).
    """

    heard: Heard | None = None
    replies: tuple[Said, ...] = ()
    session: dict[str, Any] = field(default_factory=dict)
    waiting: bool | None = None


@dataclass(frozen=True, slots=True)
class Leased:
    """A message that a worker holds, and where it goes."""

    id: int
    kind: str
    content: Content
    priority: Priority
    attempts: int
    created_at: datetime
    customer_id: int | None
    account_id: int
    address: str
    alias: str | None
    language: str
    account_customer_id: int | None
    is_active: bool


def refusal(message: Leased) -> str | None:
    """Why a message is not to be sent after all, judged just before it would be."""
    if not message.is_active:
        return "blocked"
    if message.priority > Priority.REPLY and message.account_customer_id != message.customer_id:
        return "unlinked"
    return None


def retry_at(attempts: int, now: datetime) -> datetime | None:
    """When a message that was tried so often is tried again; None: never."""
    return now + RETRY_PAUSES[attempts - 1] if attempts <= len(RETRY_PAUSES) else None
