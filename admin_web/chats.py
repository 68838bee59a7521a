"""A conversation as the panel shows it: its lines in words, who waits, and whom one can write to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from admin_web.formats import format_date
from admin_web.forms import Form
from admin_web.i18n import gettext, mark
from loyalty.conversations.queries import MessageView, messages, waiting_since
from loyalty.conversations.rules import TEXT_LENGTH, Status
from loyalty.customers.queries import MessengerAccountView
from loyalty.ids import fingerprint

CHANNELS = {"telegram": mark("Telegram"), "whatsapp": mark("WhatsApp")}

HEARD = {
    "start": (mark("Opened the chat"), "log-in"),
    "button": (mark("Pressed a button"), "mouse-pointer-click"),
    "contact": (mark("Shared the phone"), "phone"),
    "photo": (mark("Picture"), "image"),
    "file": (mark("File"), "paperclip"),
    "failed": (mark("Could not be processed"), "circle-alert"),
    "blocked": (mark("Blocked us"), "ban"),
    "unblocked": (mark("Lets us write again"), "check"),
    "other": (mark("Something the panel cannot show"), "circle-question-mark"),
}
"""Kinds of what customers do in a chat, beside plain words: name and icon."""
TOLD = {
    "receipt": mark("About a purchase"),
    "receipt_refunded": mark("About a refund"),
    "claim_refused": mark("About a receipt that was sent"),
    "bonuses_credited": mark("About credited bonuses"),
    "bonuses_debited": mark("About debited bonuses"),
}
"""Kinds of what we say of our own accord."""

STATUSES = {
    Status.QUEUED: (mark("queued"), "clock"),
    Status.DELAYED: (mark("waits for its time"), "clock"),
    Status.LEASED: (mark("being sent"), "send"),
    Status.SENDING: (mark("being sent"), "send"),
    Status.SENT: (mark("sent"), "check"),
    Status.DELIVERED: (mark("delivered"), "check-check"),
    Status.READ: (mark("read"), "check-check"),
    Status.FAILED: (mark("not sent"), "circle-alert"),
    Status.CANCELLED: (mark("cancelled"), "ban"),
    Status.UNKNOWN: (mark("unknown whether it arrived"), "circle-question-mark"),
}
WHY = {
    "answer_lost": mark("the answer was lost"),
    "blocked": mark("the customer has blocked us"),
    "gone": mark("there is no such account any more"),
    "no_answer": mark("the messenger does not answer"),
    "rate": mark("too many messages at once"),
    "rejected": mark("the messenger did not take it"),
    "unauthorized": mark("the messenger does not know us: check the token"),
    "unlinked": mark("the account was removed from the card"),
}
"""Why a message was not sent, or not yet."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a conversation. `heads_day`: the first of its day. `version` changes with what is shown of it."""

    message: MessageView
    heads_day: bool
    version: str


@dataclass(frozen=True, slots=True)
class Chat:
    """What was said in the chats of some accounts, oldest first.

    here: the address of the page. base: what its parts' addresses begin with. earlier: where the page before
    begins. version changes with anything shown.
    """

    here: str
    base: str
    accounts: list[MessengerAccountView]
    lines: list[Line]
    earlier: int | None
    is_newest: bool
    waiting_since: datetime | None
    version: str

    @property
    def labels(self) -> dict[int, str]:
        """What tells the accounts apart, by id; empty when there is one."""
        return {account.id: account_label(account) for account in self.accounts} if len(self.accounts) > 1 else {}

    @property
    def writable(self) -> list[MessengerAccountView]:
        """The accounts that can be written to, the default one first."""
        return [account for account in self.accounts if account.is_active]


async def open_chat(
    accounts: list[MessengerAccountView], *, here: str, base: str, before_id: int | None = None
) -> Chat:
    """Read a page of the conversation, the newest one unless `before_id` names a place."""
    ids = [account.id for account in accounts]
    found, earlier = await messages(ids, before_id=before_id) if ids else ([], None)
    waiting = await waiting_since(ids)
    lines, day = [], ""
    for message in found:
        before, day = day, format_date(message.created_at)
        lines.append(
            Line(message, day != before, f"{message.status}.{message.reason or ''}.{message.media_state or ''}")
        )
    shown = {line.message.id: line.version for line in lines}
    return Chat(
        here=here,
        base=base,
        accounts=accounts,
        lines=lines,
        earlier=earlier,
        is_newest=before_id is None,
        waiting_since=waiting,
        version=fingerprint({"lines": shown, "waiting": waiting})[:16],
    )


def chat_data(chat: Chat, form: Form) -> dict[str, Any]:
    """What the templates of a conversation are given; `form` is the reply."""
    return {
        "chat": chat,
        "reply": form,
        "text_length": TEXT_LENGTH,
        "channel_names": _translated(CHANNELS),
        "heard": {kind: (gettext(name), symbol) for kind, (name, symbol) in HEARD.items()},
        "told": _translated(TOLD),
        "statuses": {status: (gettext(name), symbol) for status, (name, symbol) in STATUSES.items()},
        "why": _translated(WHY),
    }


def account_label(account: MessengerAccountView) -> str:
    """The messenger, and what its person is called there."""
    channel = gettext(CHANNELS.get(account.channel, account.channel))
    return f"{channel}, {account.name or account.username or account.address}"


def heard_name(kind: str) -> str:
    """What a customer did, for a line without words."""
    return gettext(HEARD.get(kind, HEARD["other"])[0])


def _translated(names: Mapping[str, str]) -> dict[str, str]:
    return {key: gettext(name) for key, name in names.items()}
