"""What every messenger offers, and the errors by which the sender decides. No messenger's words here."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from loyalty.conversations.actions.turns import Sender
from loyalty.conversations.content import Capabilities, Content
from loyalty.conversations.rules import Arrived, Status

Store = Callable[[Sequence[Arrived]], Awaitable[object]]


class EventKind(StrEnum):
    """What happened in a chat.

    STOPPED, RESUMED: they told the messenger that they want no advertising of ours, or want it again. MOVED: the
    person has another address from now on, which `data` names.
    """

    START = "start"
    TEXT = "text"
    BUTTON = "button"
    CONTACT = "contact"
    PHOTO = "photo"
    FILE = "file"
    LOCATION = "location"
    REACTION = "reaction"
    OTHER = "other"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    STOPPED = "stopped"
    RESUMED = "resumed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Event:
    """Something a person did in their private chat with us.

    message_id: of the person's message, or, for a button, of ours that carries it. callback_id: by which a
    pressed button is answered. phone, is_own_phone: of a shared contact, and whether it is proven to be the
    sender's. file_id, file_name, mime, size: of a picture or file, in the messenger's own words.
    """

    kind: EventKind
    sender: Sender
    text: str = ""
    data: str = ""
    message_id: str | None = None
    callback_id: str | None = None
    phone: str = ""
    is_own_phone: bool = False
    file_id: str = ""
    file_name: str = ""
    mime: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of a message of ours after it was sent: `status` is sent, delivered, read or failed.

    address None: the messenger tells of messages, not of people. at None: when we heard of it. reference: our own
    number of it, if the messenger tells it. error: why it failed, as `send` would have raised it.
    """

    external_id: str
    address: str | None
    status: Status
    at: datetime | None
    reference: int | None = None
    error: "SendError | None" = None


@dataclass(frozen=True, slots=True)
class TemplateNews:
    """What the messenger has decided about a template of ours. `status` as in `message_template`."""

    name: str
    language: str
    status: str
    reason: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Something that happened in a group or channel, where a bot with people's balances has no place."""

    chat: str
    can_write: bool


@dataclass(frozen=True, slots=True)
class Filled:
    """An approved template with its variables' values, in their order."""

    name: str
    language: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class File:
    """A picture or file that goes with a message. Pictures are shown, others handed over under their name."""

    body: bytes
    mime: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way out.

    reference: our number of it. alias: the account's other name, if it has one. template: what is sent in place of
    the content. stop_url: where its reader ends such advertising, for channels in which they cannot answer STOP; they
    print it under the text.
    """

    reference: int
    address: str
    language: str
    content: Content
    alias: str | None = None
    file: File | None = None
    template: Filled | None = None
    stop_url: str = ""


@dataclass(frozen=True, slots=True)
class Hook:
    """Where a messenger is to call us, and the secret by which we know that it is the messenger."""

    url: str
    secret: str = field(repr=False)


class Forged(Exception):
    """Somebody called who did not know the secret."""


class SendError(Exception):
    """A call that did not end in a message. `reason` is a stable code; `text` is for the operator's log."""

    def __init__(self, reason: str, text: str = "") -> None:
        super().__init__(f"{reason}: {text}" if text else reason)
        self.reason = reason


class Rejected(SendError):
    """The messenger will never take this message."""


class Unreachable(SendError):
    """Nothing can be sent to this account: it has blocked us, or is gone."""


class WindowClosed(SendError):
    """They have not written for so long that the messenger takes nothing but templates."""


class OptedOut(SendError):
    """They told the messenger that they want no advertising of ours."""


class TemplateRefused(SendError):
    """There is no such template, or it is not approved, paused, or filled in otherwise than it asks."""


class RateLimited(SendError):
    """Too much was sent through our account; nothing at all before `retry_after` seconds have passed."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("rate")
        self.retry_after = retry_after


class Away(RateLimited):
    """Nobody was there to take it, which is certain; nothing at all before `retry_after` seconds have passed."""

    def __init__(self, text: str = "", retry_after: float = 15.0) -> None:
        super().__init__(retry_after)
        self.args = (f"no_answer: {text}",)
        self.reason = "no_answer"


class ChatRateLimited(SendError):
    """Too much was sent into one chat; nothing there before `retry_after` seconds have passed."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("chat_rate")
        self.retry_after = retry_after


class Unauthorized(SendError):
    """Our token is not accepted any more: an operator must act."""


class Unanswered(SendError):
    """Nobody knows whether the message was taken: the line broke, or the answer made no sense."""


class Channel(Protocol):
    """One account of ours in one messenger."""

    name: str
    source: str
    capabilities: Capabilities

    def parse(self, body: bytes) -> Event | Progress | TemplateNews | Elsewhere | None:
        """What an update says; None for what is no concern of ours. Raises ValueError for a malformed one."""

    def challenge(self, query: Mapping[str, str]) -> str:
        """The answer to a messenger that asks whether our webhook is ours. Raises Forged."""

    async def introduce(self, commands: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        """Tell the messenger our commands and what they do, by language; "" is for every other language."""

    async def link(self, payload: str) -> str:
        """An address that opens a chat with us and tells us `payload`; "" where nobody can write to us.

        Raises SendError.
        """

    async def receive(self, store: Store) -> None:
        """Have updates come, for ever: fetch them, or see to it that the messenger calls us.

        One that is fetched is confirmed only after `store` has returned.
        """

    def admit(self, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Sequence[Arrived]:
        """The updates of a call to our webhook. `query`: of its address.

        Raises Forged for a caller who does not know the secret, also when none is set, and Invalid for a body
        that holds no updates.
        """

    async def send(self, message: Outgoing) -> str:
        """Send a message; returns the messenger's name for it. Raises SendError."""

    def units(self, message: Outgoing) -> int:
        """For how many messages the channel charges when it is sent; 0 where it takes it for nothing."""

    async def edit(self, address: str, message_id: str, content: Content, picture: bytes) -> None:
        """Change the picture of a message and what stands under it, where that can be done. Raises SendError."""

    async def answer_button(self, event: Event, *, notice: str = "", remove: bool = False) -> None:
        """End the waiting of a pressed button, perhaps with a notice; `remove` takes the buttons away."""

    async def leave(self, chat: str, hint: str) -> None:
        """Say a hint, if there is one, and leave a group or channel."""

    async def fetch(self, file_id: str, *, limit: int) -> bytes:
        """The bytes of a picture or file. Raises Rejected above `limit` bytes, SendError otherwise."""

    async def close(self) -> None:
        """Let the connections go."""
