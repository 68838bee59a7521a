"""A conversation as the panel shows it: its lines in words, where staff stand in it, what can be answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from admin_web.formats import format_date, format_time, num
from admin_web.forms import Form
from admin_web.i18n import READER, gettext, mark, ngettext
from loyalty.conversations.answering import (
    FILES,
    PICTURES,
    TITLE_LENGTH,
    VALUE_LENGTH,
    pieces,
    window_ends,
    with_first_name,
)
from loyalty.conversations.channels import CAPABILITIES
from loyalty.conversations.queries import MessageView, messages
from loyalty.conversations.queries.inbox import (
    CannedReplyView,
    Desk,
    TemplateView,
    canned_replies,
    desks,
    page_around,
    templates,
)
from loyalty.conversations.rules import TEXT_LENGTH, ConversationState, Status
from loyalty.customers.queries import MessengerAccountView
from loyalty.customers.queries.reach import locations_reaching
from loyalty.ids import fingerprint, new_key
from loyalty.staff.queries import StaffView, staff_list
from loyalty.staff.rules import Permission, may

CHANNELS = {"telegram": mark("Telegram"), "whatsapp": mark("WhatsApp"), "sms": mark("SMS"), "email": mark("E-mail")}

HEARD = {
    "start": (mark("Opened the chat"), "log-in"),
    "button": (mark("Pressed a button"), "mouse-pointer-click"),
    "contact": (mark("Shared the phone"), "phone"),
    "photo": (mark("Picture"), "image"),
    "file": (mark("File"), "paperclip"),
    "location": (mark("Location"), "map-pin"),
    "reaction": (mark("Reaction"), "smile"),
    "failed": (mark("Could not be processed"), "circle-alert"),
    "blocked": (mark("Blocked us"), "ban"),
    "unblocked": (mark("Lets us write again"), "check"),
    "moved": (mark("Has a new number"), "phone-forwarded"),
    "other": (mark("Something the panel cannot show"), "circle-question-mark"),
}
"""Kinds of what customers do in a chat, beside plain words: name and icon."""
TOLD = {
    "receipt": mark("About a purchase"),
    "receipt_refunded": mark("About a refund"),
    "claim_refused": mark("About a receipt that was sent"),
    "bonuses_credited": mark("About credited bonuses"),
    "bonuses_debited": mark("About debited bonuses"),
    "link_asked": mark("Asks whose account it is"),
    "link_accepted": mark("About the account that was joined"),
    "link_refused": mark("About the account that was not joined"),
    "hold_asked": mark("Asks whether to use bonuses"),
    "tier_falling": mark("About a level that ends"),
    "survey_asked": mark("Asks for a score"),
    "survey": mark("About a score that was given"),
    "birthday": mark("Birthday gift"),
    "referral": mark("Gift for a friend who came"),
    "invited": mark("Gift for coming by an invitation"),
    "referral_undone": mark("About a gift that was taken back"),
    "expiring": mark("About bonuses that expire soon"),
    "waiting_sale_refused": mark("About a purchase that was kept and not credited"),
    "refused": mark("About a purchase that was not credited"),
    "bulk": mark("Message to many"),
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
TICKS = (Status.QUEUED, Status.LEASED, Status.SENDING, Status.SENT, Status.DELIVERED, Status.READ)
"""What goes as it should is a sign alone; its words are for those who do not see it."""
WHY = {
    "address": mark("the SMS gateway is not at the address in the settings"),
    "answer_lost": mark("the answer was lost"),
    "balance": mark("the SMS gateway waits for a payment"),
    "blocked": mark("the customer has blocked us"),
    "chat_rate": mark("too many messages in this chat at once"),
    "country": mark("WhatsApp lets us write to nobody in this country"),
    "erased": mark("the customer was erased"),
    "gone": mark("there is no such account any more"),
    "locked": mark("WhatsApp has locked our account: look into its manager"),
    "media": mark("the messenger did not take the file"),
    "no_answer": mark("the messenger does not answer"),
    "no_consent": mark("the customer has not agreed to such messages"),
    "not_allowed": mark("the number is not among those our test number may write to"),
    "not_taken": mark("the customer wants no such messages in this chat"),
    "number": mark("our number is not registered with WhatsApp: look into its manager"),
    "opted_out": mark("the customer wants no advertising of ours in WhatsApp"),
    "payment": mark("WhatsApp waits for a payment: look into its manager"),
    "per_user_cap": mark("WhatsApp lets no more advertising through to this customer now"),
    "rate": mark("too many messages at once"),
    "rejected": mark("the messenger did not take it"),
    "sender": mark("the mail server does not let us send from our address"),
    "survey_cancelled": mark("the survey was ended before its turn"),
    "template": mark("WhatsApp does not take the template: look at its status and variables"),
    "tls": mark("no safe line to the mail server: look at its certificate and SMTP_TLS"),
    "unauthorized": mark("the messenger does not know us: check the token"),
    "unlinked": mark("the account was removed from the card"),
    "window_closed": mark("the customer last wrote over 24 hours ago, and there is no template for this"),
}
"""Why a message was not sent, or not yet."""

STATES = {
    ConversationState.BOT: mark("The bot answers"),
    ConversationState.OPEN: mark("With the staff"),
    ConversationState.CLOSED: mark("Closed: the bot answers"),
}
VARIABLES = {
    "first_name": mark("First name"),
    "name": mark("Name"),
    "shop": mark("Shop"),
}
"""Variables of templates that we can fill in ourselves."""
ACCEPTED = ",".join((*PICTURES, *FILES))
"""What the browser offers to choose from."""


@dataclass(frozen=True, slots=True)
class Place:
    """Whose conversation an address means: a customer's with all their accounts, or one account's alone.

    main: the account that it is about first. customer_id None: not registered. channels: those that staff may write
    through.
    """

    name: str
    accounts: list[MessengerAccountView]
    here: str
    base: str
    main: int | None
    customer_id: int | None
    channels: tuple[str, ...]

    @property
    def ids(self) -> list[int]:
        """The accounts, the one that it is about first."""
        return sorted((account.id for account in self.accounts), key=lambda number: number != self.main)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a conversation. `heads_day`: the first of its day. `version` changes with what is shown of it."""

    message: MessageView
    heads_day: bool
    version: str


@dataclass(frozen=True, slots=True)
class Chat:
    """What was said in a conversation, oldest first, and where staff stand in it.

    earlier: where the page before begins. colleagues: who it can be given to. version changes with anything shown.
    """

    place: Place
    lines: list[Line]
    earlier: int | None
    is_newest: bool
    desk: Desk | None
    is_open: bool
    waiting_since: datetime | None
    heard_at: dict[int, datetime | None]
    colleagues: list[StaffView]
    version: str
    head_version: str

    @property
    def here(self) -> str:
        """The address of the page."""
        return self.place.here

    @property
    def base(self) -> str:
        """What its parts' addresses begin with."""
        return self.place.base

    @property
    def labels(self) -> dict[int, str]:
        """What tells the accounts apart, by id; empty when there is one."""
        accounts = self.place.accounts
        return {account.id: account_label(account) for account in accounts} if len(accounts) > 1 else {}

    @property
    def writable(self) -> list[MessengerAccountView]:
        """The accounts that can be written to, the default one first."""
        return [one for one in self.place.accounts if one.is_active and one.channel in self.place.channels]

    @property
    def is_kept(self) -> bool:
        """Whether there is an account that takes messages, and the shop alone keeps staff from writing there."""
        return any(account.is_active for account in self.place.accounts) and not self.writable


@dataclass(frozen=True, slots=True)
class TemplateField:
    """A variable of a template, to be filled in."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer through one account may be: free words, or, once it is too late for those, a template.

    ends: until when words may be free, None for ever. preview: how the template reads, in pieces: (0, its own words)
    and (number of a variable, its value). mode changes when another box is to be shown. is_fresh: the box
    is shown anew, whatever stands in it.
    """

    account: MessengerAccountView | None
    ends: datetime | None
    is_late: bool
    canned: list[CannedReplyView]
    templates: list[TemplateView]
    chosen: TemplateView | None
    fields: list[TemplateField]
    preview: list[tuple[int, str]]
    is_fresh: bool

    @property
    def mode(self) -> str:
        """What kind of box this is."""
        if self.account is None:
            return "none"
        return f"{self.account.id}.{'late' if self.is_late else 'free'}"

    @property
    def takes_files(self) -> bool:
        """Whether a picture or file can go with it."""
        return self.account is not None and CAPABILITIES[self.account.channel].has_files


async def colleagues_for(place: Place) -> list[StaffView]:
    """Whom a conversation can be given to: who may answer it, and whose locations reach its customer."""
    there = await locations_reaching(place.customer_id) if place.customer_id is not None else set()
    return [
        one
        for one in await staff_list()
        if one.is_active
        and may(one.role, Permission.MESSAGES_WRITE)
        and (one.location_ids is None or there.intersection(one.location_ids))
    ]


async def open_chat(place: Place, *, before_id: int | None = None, at: int | None = None) -> Chat:
    """Read a page of the conversation: the newest one, unless `before_id` or a message `at` names another."""
    ids = place.ids
    if at is not None:
        before_id = await page_around(ids, at)
    found, earlier = await messages(ids, before_id=before_id) if ids else ([], None)
    known = await desks(ids)
    waiting = min((desk.waiting_since for desk in known.values() if desk.waiting_since), default=None)
    is_open = any(desk.state is ConversationState.OPEN for desk in known.values())
    desk = known.get(place.main) if place.main is not None else None
    lines = _lines(found)
    heard_at = {number: one.heard_at for number, one in known.items()}
    head = fingerprint({"desk": [str(one) for one in known.values()], "left": _minutes_left(place, heard_at)})[:16]
    shown = {line.message.id: line.version for line in lines}
    return Chat(
        place=place,
        lines=lines,
        earlier=earlier,
        is_newest=before_id is None,
        desk=desk,
        is_open=is_open,
        waiting_since=waiting,
        heard_at=heard_at,
        colleagues=await colleagues_for(place),
        version=fingerprint({"lines": shown, "head": head})[:16],
        head_version=head,
    )


async def answer_to(chat: Chat, form: Form, *, shop: str, now: datetime, is_fresh: bool = False) -> Answer:
    """What can be answered through the account that `form` names, else through the first that fits."""
    account = _answering(chat, form.value("account"))
    if account is None:
        return Answer(None, None, is_late=False, canned=[], templates=[], chosen=None, fields=[], preview=[],
                      is_fresh=is_fresh)  # fmt: skip
    ends = window_ends(account.channel, chat.heard_at.get(account.id))
    is_late = ends is not None and ends <= now
    ready = await canned_replies() if not is_late else []
    name = chat.place.name if chat.place.customer_id is not None else account.name
    canned = [
        CannedReplyView(one.id, one.title, with_first_name(one.text, name), one.author, one.updated_at) for one in ready
    ]
    sendable = await templates(account.language) if is_late else []
    chosen = next((one for one in sendable if str(one.id) == form.value("template")), None)
    fields = _fields(chosen, form, {"first_name": name.split(maxsplit=1)[0] if name.strip() else "", "name": name,
                                    "shop": shop}) if chosen else []  # fmt: skip
    preview = pieces(chosen.body, [field.value or "…" for field in fields]) if chosen else []
    return Answer(account, ends, is_late, canned, sendable, chosen, fields, preview, is_fresh)


def _answering(chat: Chat, wanted: str) -> MessengerAccountView | None:
    """The account that was chosen; without a choice the one it is about, else the first that can be written to."""
    writable = chat.writable
    chosen = [account for account in writable if str(account.id) == wanted]
    main = [account for account in writable if account.id == chat.place.main]
    return next(iter([*chosen, *main, *writable]), None)


def _fields(chosen: TemplateView, form: Form, ours: Mapping[str, str]) -> list[TemplateField]:
    """The variables with what was typed, else with what we know, else with their fallbacks."""
    fields = []
    for variable in chosen.variables:
        name = variable["name"]
        known = ours.get(name) or variable.get("fallback", "")
        value = form.values.get(f"value-{name}", known)
        label = gettext(VARIABLES[name]) if name in VARIABLES else name
        fields.append(TemplateField(name, label, value))
    return fields


def chat_data(chat: Chat, form: Form, answer: Answer, *, is_inbox: bool) -> dict[str, Any]:
    """What the templates of a conversation are given; `form` is the reply. `is_inbox`: beside the list."""
    return {
        "chat": chat,
        "answer": answer,
        "reply": form,
        "note_key": new_key(),
        "is_inbox": is_inbox,
        "text_length": TEXT_LENGTH,
        "value_length": VALUE_LENGTH,
        "title_length": TITLE_LENGTH,
        "accepted": ACCEPTED,
        "channel_names": _translated(CHANNELS),
        "state_names": _translated(STATES),
        "heard": {kind: (gettext(name), symbol) for kind, (name, symbol) in HEARD.items()},
        "told": _translated(TOLD),
        "statuses": {status: (gettext(name), symbol) for status, (name, symbol) in STATUSES.items()},
        "ticks": TICKS,
        "pictures": tuple(PICTURES),
        "why": _translated(WHY),
        "left": time_left(answer.ends) if answer.ends and not answer.is_late else "",
    }


def account_label(account: MessengerAccountView) -> str:
    """The messenger, and what its person is called there; of a phone or e-mail no more than that it is one."""
    channel = gettext(CHANNELS.get(account.channel, account.channel))
    if not CAPABILITIES[account.channel].hears:
        return channel
    return f"{channel}, {account.name or account.username or account.address}"


def heard_name(kind: str) -> str:
    """What a customer did, for a line without words."""
    return gettext(HEARD.get(kind, HEARD["other"])[0])


def time_left(ends: datetime) -> str:
    """How long something still goes on: 5 h 12 min."""
    minutes = max(0, int((ends - READER.get().now).total_seconds()) // 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return gettext("%(hours)s h %(minutes)s min") % {"hours": num(hours), "minutes": num(minutes)}
    return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": num(minutes)}


def moment_short(value: datetime) -> str:
    """The time of day for today, else the day: as a list of chats has room for."""
    today = format_date(READER.get().now)
    return format_time(value) if format_date(value) == today else format_date(value, "d MMM")


def _lines(found: list[MessageView]) -> list[Line]:
    lines, day = [], ""
    for message in found:
        before, day = day, format_date(message.created_at)
        version = f"{message.status}.{message.reason or ''}.{message.media_state or ''}"
        lines.append(Line(message, day != before, version))
    return lines


def _minutes_left(place: Place, heard_at: Mapping[int, datetime | None]) -> list[int]:
    """Minutes until it is too late for free words, by account: what is said of them changes so often."""
    moment = READER.get().now
    ends = [window_ends(account.channel, heard_at.get(account.id)) for account in place.accounts]
    return [max(-1, int((one - moment).total_seconds()) // 60) for one in ends if one is not None]


def _translated(names: Mapping[Any, str]) -> dict[Any, str]:
    return {key: gettext(name) for key, name in names.items()}
