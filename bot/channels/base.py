"""What every messenger offers, and the errors by which the sender decides. No messenger's words here."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from loyalty.conversations.actions.turns import Sender
from loyalty.conversations.content import Capabilities, Content
from loyalty.conversations.rules import Arrived

Store = Callable[[Sequence[Arrived]], Awaitable[object]]


class EventKind(StrEnum):
    """What happened in a chat."""

    START = "start"
    TEXT = "text"
    BUTTON = "button"
    CONTACT = "contact"
    PHOTO = "photo"
    FILE = "file"
    OTHER = "other"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"


@dataclass(frozen=True, slots=True)
class Event:
    """Something a person did in their private chat with us.

    message_id: of the person's message, or, for a button, of ours that carries it. callback_id: by which a
    pressed button is answered. phone, is_own_phone: of a shared contact, and whether it is proven to be the
    sender's. file_id, mime, size: of a picture or file, in the messenger's own words.
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
    mime: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Something that happened in a group or channel, where a bot with people's balances has no place."""

    chat: str
    can_write: bool


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


class RateLimited(SendError):
    """Too much was sent through our account; nothing at all before `retry_after` seconds have passed."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("rate")
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

    def parse(self, body: bytes) -> Event | Elsewhere | None:
        """What an update says; None for what is no concern of ours. Raises ValueError for a malformed one."""

    async def introduce(self, commands: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        """Tell the messenger our commands and what they do, by language; "" is for every other language."""

    async def link(self, payload: str) -> str:
        """An address that opens a chat with us and tells us `payload`. Raises SendError."""

    async def receive(self, store: Store) -> None:
        """Have updates come, for ever: fetch them, or see to it that the messenger calls us.

        One that is fetched is confirmed only after `store` has returned.
        """

    def admit(self, headers: Mapping[str, str], body: bytes) -> Sequence[Arrived]:
        """The updates of a call to our webhook.

        Raises Forged for a caller who does not know the secret, also when none is set, and Invalid for a body
        that holds no updates.
        """

    async def send(self, address: str, content: Content, picture: bytes | None = None) -> str:
        """Send a message; returns the messenger's name for it. Raises SendError."""

    async def edit(self, address: str, message_id: str, content: Content, picture: bytes) -> None:
        """Change the picture of a message and what stands under it. Raises SendError."""

    async def answer_button(self, event: Event, *, notice: str = "", remove: bool = False) -> None:
        """End the waiting of a pressed button, perhaps with a notice; `remove` takes the buttons away."""

    async def leave(self, chat: str, hint: str) -> None:
        """Say a hint, if there is one, and leave a group or channel."""

    async def fetch(self, file_id: str, *, limit: int) -> bytes:
        """The bytes of a picture or file. Raises Rejected above `limit` bytes, SendError otherwise."""

    async def close(self) -> None:
        """Let the connections go."""
