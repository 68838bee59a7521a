"""The life of a message, and what a turn of a dialog decides. Pure."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import IntEnum, StrEnum
from typing import Any
from zoneinfo import ZoneInfo

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
    AWAY = "no_answer"
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

    heard: None leaves no line in the log. waiting: staff are to look (True), need not any more (False). is_nobodys: the
    person of the chat was erased in this turn, and what is said is said to nobody in particular.
    """

    heard: Heard | None = None
    replies: tuple[Said, ...] = ()
    session: dict[str, Any] = field(default_factory=dict)
    waiting: bool | None = None
    is_nobodys: bool = False


@dataclass(frozen=True, slots=True)
class Quiet:
    """The hours of the night in which nothing is sent that can wait, by the clock of whoever is written to."""

    begins: int = 22
    ends: int = 9


CAP_MESSAGES = 100
CAP_DAYS = 90
"""The most that a cap can be set to."""


@dataclass(frozen=True, slots=True)
class Cap:
    """So many advertising messages at most may a person get within so many days; 0 messages: any number."""

    messages: int = 0
    days: int = 7


@dataclass(frozen=True, slots=True)
class Manners:
    """How the shop writes to people."""

    quiet: Quiet = Quiet()
    cap: Cap = Cap()


@dataclass(frozen=True, slots=True)
class Tried:
    """A message that was sent, or tried: what deciding about its next try needs."""

    id: int
    kind: str
    priority: Priority
    attempts: int
    account_id: int
    language: str


@dataclass(frozen=True, slots=True)
class Leased(Tried):
    """A message that a worker holds, and where it goes.

    reason: why an earlier try came to nothing. heard_at: when its person last said something there. is_taken: whether
    the account takes messages of this topic. is_granted: the person's last word on the topic, if there is one.
    quiet_zone: whose night it waits for; None when it does not. others: advertising they got within the cap's days.
    """

    content: Content
    topic: str
    created_at: datetime
    customer_id: int | None
    reason: str | None
    address: str
    alias: str | None
    account_customer_id: int | None
    is_active: bool
    heard_at: datetime | None
    is_taken: bool
    is_granted: bool | None
    quiet_zone: str | None
    others: int = 0


NO_CONSENT = "no_consent"


CAPPED = "frequency_cap"
WANTED_NOWHERE = frozenset({NO_CONSENT, CAPPED})
"""Reasons that hold for every account of a person: nothing is sent through another one."""


def refusal(message: Leased, cap: Cap = Cap()) -> str | None:
    """Why a message is not to be sent after all, judged just before it would be."""
    if not message.is_active:
        return "blocked"
    if message.priority > Priority.REPLY:
        if message.account_customer_id != message.customer_id:
            return "unlinked"
        if not message.is_taken:
            return "not_taken"
    # Advertising wants a yes; a question about a visit is welcome until somebody says no.
    if message.topic == "marketing" and not message.is_granted:
        return NO_CONSENT
    if message.topic == "surveys" and message.is_granted is False:
        return NO_CONSENT
    if message.topic == "marketing" and cap.messages and message.others >= cap.messages:
        return CAPPED
    return None


def night_ends(now: datetime, zone: str, quiet: Quiet) -> datetime | None:
    """When the quiet hours that `now` falls into end, by the clock of `zone`; None outside of them.

    They may go over midnight or not; equal hours: never quiet.
    """
    local = now.astimezone(ZoneInfo(zone))
    if (local.hour - quiet.begins) % 24 >= (quiet.ends - quiet.begins) % 24:
        return None
    day = local.date() + timedelta(days=1) if local.hour >= quiet.ends else local.date()
    # An hour that the clock skips begins where the clock goes on.
    return datetime.combine(day, time(quiet.ends), ZoneInfo(zone)).astimezone(UTC)


def chat_pause(asked: float, attempts: int) -> timedelta:
    """How long a chat rests that took too much: as long as the messenger asks, and longer each time."""
    return timedelta(seconds=min(asked * 4 ** max(0, attempts - 1), 3600))


def retry_pause(attempts: int) -> timedelta | None:
    """In how long a message that was tried so often is tried again; None: never."""
    return RETRY_PAUSES[max(0, attempts - 1)] if attempts <= len(RETRY_PAUSES) else None
